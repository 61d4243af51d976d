/* SPDX-License-Identifier: Apache-2.0 */
/* mesh_world_gateways: the objects of mesh_world.h that are of Gateways. */
#ifndef HEDDLE_TESTS_MESH_WORLD_GATEWAYS_H
#define HEDDLE_TESTS_MESH_WORLD_GATEWAYS_H

#include "mesh_world.h"

#define WORLD_OBJECTS (WORLD_MESH_OBJECTS + 18)

/* Lines of a YAML block. */
#define WORLD_CERTIFICATE                                                                          \
    "    -----BEGIN CERTIFICATE-----\n"                                                            \
    "    MIIBhDCCASmgAwIBAgIUDYNDWWOBBSuxDHBBgv9QN1FPzlMwCgYIKoZIzj0EAwIw\n"                       \
    "    FjEUMBIGA1UEAwwLZXhhbXBsZS5jb20wIBcNMjYxMTI3MjMxNDM3WhgPMjEyNjEx\n"                       \
    "    MDMyMzE0MzdaMBYxFDASBgNVBAMMC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYI\n"                       \
    "    KoZIzj0DAQcDQgAEaNf33ua65aXDgdXDdZYXT3gkxinHSGyAbwMuMaXZU3j+bJbB\n"                       \
    "    FN4Luq9DtOUDLEyg1kKf/8sXDbgCk3XgQmdtpaNTMFEwHQYDVR0OBBYEFMdg+itJ\n"                       \
    "    7DoD2EkVb/j95vvlGcuaMB8GA1UdIwQYMBaAFMdg+itJ7DoD2EkVb/j95vvlGcua\n"                       \
    "    MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAI82byM1Q+08H4UT\n"                       \
    "    107vxCb71vr8l4RUnjNWMmNi+S6qAiEA21MLLr//XeXvagAW464BhSHeWqg7irnd\n"                       \
    "    vODxYjuz5XM=\n"                                                                           \
    "    -----END CERTIFICATE-----\n"
#define WORLD_KEY                                                                                  \
    "    -----BEGIN EC PRIVATE KEY-----\n"                                                         \
    "    MHcCAQEEIHcb5e5UDKF7LNfpz2hmdlpbs/skrZVG0cij2Lbp03XzoAoGCCqGSM49\n"                       \
    "    AwEHoUQDQgAEaNf33ua65aXDgdXDdZYXT3gkxinHSGyAbwMuMaXZU3j+bJbBFN4L\n"                       \
    "    uq9DtOUDLEyg1kKf/8sXDbgCk3XgQmdtpQ==\n"                                                   \
    "    -----END EC PRIVATE KEY-----\n"

static inline void world_listeners(struct world *world, struct buf *out)
{
    static const char *const protocols[] = {"HTTP", "HTTP", "HTTPS", "TLS", "TCP", "UDP"};
    static const char *const hostnames[] = {"", ", hostname: '*.example'", ", hostname: a.example",
                                            ", hostname: '*.a.example'"};
    static const char *const from[] = {"Same", "All", "Selector, selector: {matchLabels: {k: v}}"};
    unsigned listeners = 1 + world_draw(world, 3);
    unsigned first = world_draw(world, 4); /* hostnames must differ */
    buf_add_text(out, "  listeners:\n");
    for (unsigned i = 0; i < listeners; i++) {
        const char *protocol = protocols[world_draw(world, 6)];
        bool named = protocol[0] == 'H' || protocol[1] == 'L';
        char tls[96] = "";
        bool ends = protocol[1] == 'L' && world_chance(world, 2); /* its TLS, at the Gateway */
        const char *kinds =
            ends && world_chance(world, 2) ? ", kinds: [{kind: TCPRoute}, {kind: TLSRoute}]" : "";
        if (ends || str_eq(str_from(protocol), STR("HTTPS"))) {
            snprintf(tls, sizeof(tls), ", tls: {certificateRefs: [{name: pair, namespace: %s}]}",
                     world_ns(world_draw(world, 2)));
        }
        buf_printf(out,
                   "  - {name: l%u, port: %u, protocol: %s%s%s, "
                   "allowedRoutes: {namespaces: {from: %s}%s}}\n",
                   i, 80 + world_draw(world, 2) + (named ? 0 : 10 * i), protocol,
                   protocol[1] == 'L' && !ends ? ", tls: {mode: Passthrough}" : tls,
                   named ? hostnames[(first + i) % 4] : "", from[world_draw(world, 3)], kinds);
    }
}

static inline void world_gateway(struct world *world, unsigned nth, struct buf *out)
{
    buf_printf(out,
               "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
               "metadata: {name: g, namespace: %s}\nspec:\n  gatewayClassName: %s\n",
               world_ns(nth), world_chance(world, 6) ? "other" : "heddle");
    if (world_chance(world, 2)) {
        static const char *const from[] = {"Same", "All",
                                           "Selector, selector: {matchLabels: {k: v}}"};
        buf_printf(out, "  allowedListeners: {namespaces: {from: %s}}\n",
                   from[world_draw(world, 3)]);
    }
    if (world_chance(world, 3)) {
        buf_add_text(out, "  infrastructure: {parametersRef: {group: '', kind: ConfigMap, name: "
                          "ca}}\n");
    }
    if (world_chance(world, 3)) {
        buf_printf(out,
                   "  tls:\n    frontend: {default: {validation: {caCertificateRefs: [{group: '', "
                   "kind: ConfigMap, name: ca, namespace: %s}]}}}\n"
                   "    backend: {clientCertificateRef: {name: pair}}\n",
                   world_ns(world_draw(world, 2)));
    }
    world_listeners(world, out);
}

static inline void world_listener_set(struct world *world, unsigned nth, struct buf *out)
{
    buf_printf(out,
               "apiVersion: gateway.networking.k8s.io/v1\nkind: ListenerSet\n"
               "metadata: {name: ls, namespace: %s, creationTimestamp: \"2026-01-0%uT00:00:00Z\"}\n"
               "spec:\n  parentRef: {name: g, namespace: %s}\n",
               world_ns(nth), 1 + world_draw(world, 2), world_ns(world_draw(world, 2)));
    world_listeners(world, out);
}

static inline void world_tls_policy(struct world *world, unsigned nth, struct buf *out)
{
    static const char *const trust[] = {
        "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]",
        "caCertificateRefs: [{group: \"\", kind: Secret, name: ca}]",
        "wellKnownCACertificates: System"};
    buf_printf(out,
               "apiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\n"
               "metadata:\n  name: t%u\n  namespace: %s\n",
               nth / 2, world_ns(nth));
    if (world_chance(world, 2)) {
        buf_printf(out, "  creationTimestamp: \"2026-01-0%uT00:00:00Z\"\n",
                   1 + world_draw(world, 3));
    }
    buf_printf(out,
               "spec:\n  targetRefs: [{group: \"\", kind: Service, name: s%u%s}]\n"
               "  validation: {hostname: h.example, %s}\n",
               world_draw(world, WORLD_SERVICES + 1),
               world_chance(world, 2) ? "" : ", sectionName: p0", trust[world_draw(world, 3)]);
}

static inline void world_grant(struct world *world, unsigned nth, struct buf *out)
{
    static const char *const kinds[] = {"HTTPRoute", "GRPCRoute", "TCPRoute",
                                        "UDPRoute",  "Gateway",   "ListenerSet"};
    static const char *const to[] = {"Service", "Service, name: s0", "Secret", "ConfigMap"};
    buf_printf(out,
               "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\n"
               "metadata: {name: w, namespace: %s}\nspec:\n"
               "  from: [{group: gateway.networking.k8s.io, kind: %s, namespace: %s}]\n"
               "  to: [{group: \"\", kind: %s}]\n",
               world_ns(nth), kinds[world_draw(world, 6)], world_ns(world_draw(world, 2)),
               to[world_draw(world, 4)]);
}

static inline void world_udp_route(struct world *world, unsigned nth, struct buf *out)
{
    buf_printf(out,
               "apiVersion: gateway.networking.k8s.io/v1\nkind: UDPRoute\n"
               "metadata: {name: u, namespace: %s}\nspec:\n"
               "  parentRefs: [{name: g, namespace: %s}]\n  rules:\n  -\n",
               world_ns(nth), world_ns(world_draw(world, 2)));
    world_backends(world, 1, out);
}

static inline void world_config_map(struct world *world, unsigned nth, struct buf *out)
{
    buf_printf(out, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca, namespace: %s}\ndata:\n",
               world_ns(nth));
    buf_add_text(out,
                 world_chance(world, 2) ? "  ca.crt: none\n" : "  ca.crt: |\n" WORLD_CERTIFICATE);
    if (world_chance(world, 2)) {
        buf_add_text(out,
                     world_chance(world, 4) ? "  mesh-routes: odd\n" : "  mesh-routes: apply\n");
    }
}

static inline void world_secret(struct world *world, unsigned nth, struct buf *out)
{
    bool good = world_chance(world, 2) || world_chance(world, 2);
    buf_printf(out,
               "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\n"
               "metadata: {name: pair, namespace: %s}\nstringData:\n  tls.crt: |\n%s"
               "  tls.key: |\n%s",
               world_ns(nth), WORLD_CERTIFICATE, good ? WORLD_KEY : "    none\n");
}

/* As world_mesh_object(). */
static inline enum kind_id world_gateway_object(struct world *world, unsigned nth, char key[64],
                                                struct buf *out)
{
    const char *ns = world_ns(nth);
    switch (nth / 2) {
    case 0:
        snprintf(key, 64, "%s/g", ns);
        world_gateway(world, nth, out);
        return KIND_GATEWAY;
    case 1:
        snprintf(key, 64, "%s/ls", ns);
        world_listener_set(world, nth, out);
        return KIND_LISTENERSET;
    case 2:
    case 3:
        snprintf(key, 64, "%s/t%u", ns, nth / 2 - 2);
        world_tls_policy(world, nth - 4, out);
        return KIND_BACKENDTLSPOLICY;
    case 4:
        snprintf(key, 64, "%s/w", ns);
        world_grant(world, nth, out);
        return KIND_REFERENCEGRANT;
    case 5:
        snprintf(key, 64, "UDPRoute/%s/u", ns);
        world_udp_route(world, nth, out);
        return KIND_UDPROUTE;
    case 6:
        snprintf(key, 64, "%s/ca", ns);
        world_config_map(world, nth, out);
        return KIND_CONFIGMAP;
    case 7:
        snprintf(key, 64, "%s/pair", ns);
        world_secret(world, nth, out);
        return KIND_SECRET;
    default: /* each ours, as a rule */
        snprintf(key, 64, "%s", nth % 2 == 0 ? "heddle" : "other");
        buf_printf(out,
                   "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\n"
                   "metadata: {name: %s}\nspec: {controllerName: %s/gateway-controller}\n",
                   key, world_chance(world, 5) ? "example.com" : "heddle.dev");
        return KIND_GATEWAYCLASS;
    }
}

/* Any object. */
static inline enum kind_id world_object(struct world *world, unsigned nth, char key[64],
                                        struct buf *out)
{
    return nth < WORLD_MESH_OBJECTS
               ? world_mesh_object(world, nth, key, out)
               : world_gateway_object(world, nth - WORLD_MESH_OBJECTS, key, out);
}

#endif
