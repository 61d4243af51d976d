/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mesh_world: anything that may happen to a mesh, drawn from a small universe of names so that
 * things meet often. Used by the random test (draws from a seed) and the fuzz target (draws from
 * its input).
 *
 *   world_event()  one of: an object comes, changes or goes; a client comes or goes; a name is
 *                  asked for or no more; a resource is rejected or accepted
 */
#ifndef HEDDLE_TESTS_MESH_WORLD_H
#define HEDDLE_TESTS_MESH_WORLD_H

#include "mesh_rig.h"

#define WORLD_SERVICES 4      /* in each namespace */
#define WORLD_ROUTES 3        /* of each kind in each namespace */
#define WORLD_POLICIES 2      /* in each namespace */
#define WORLD_MESH_OBJECTS 52 /* those of Gateways: mesh_world_gateways.h */
#define WORLD_CLIENTS 7
#define WORLD_SCOPES 3 /* of listeners that are asked for by name */
#define WORLD_NAMES 14
#define WORLD_WANTED_MAX 3 /* times a client class asks for one name */

typedef uint32_t draw_fn(void *user, uint32_t below); /* 0 <= result < below */

struct world {
    struct mesh *mesh;
    draw_fn *draw;
    void *user;
    bool stored; /* what is drawn now is of an API server, which knows more than heddle */
    bool connected[WORLD_CLIENTS];
    unsigned wanted[WORLD_SCOPES][WORLD_NAMES];
    uint64_t ids; /* of clients, never reused */
    stream_id client_ids[WORLD_CLIENTS];
};

static inline uint32_t world_draw(struct world *world, uint32_t below)
{
    return world->draw(world->user, below);
}

static inline const char *world_ns(unsigned nth)
{
    static const char *const names[] = {"a", "b"};
    return names[nth % 2];
}

static inline bool world_chance(struct world *world, uint32_t one_in)
{
    return world_draw(world, one_in) == 0;
}

/* A field of a later version of the API. */
static inline void world_later(struct world *world, const char *indent, struct buf *out)
{
    if (world->stored && world_chance(world, 8)) {
        buf_printf(out, "%slater: %u\n", indent, world_draw(world, 2));
    }
}

/* --- objects ------------------------------------------------------------------------------- */
static inline void world_service(struct world *world, unsigned nth, struct buf *out)
{
    static const char *const protocols[] = {"",    "http",  "kubernetes.io/h2c", "grpc",
                                            "tcp", "https", "kubernetes.io/ws"};
    unsigned ports = 1 + world_draw(world, 2);
    buf_printf(out, "apiVersion: v1\nkind: Service\nmetadata: {name: s%u, namespace: %s}\nspec:\n",
               nth / 2, world_ns(nth));
    switch (world_draw(world, 6)) {
    case 0:
        buf_add_text(out, "  clusterIP: None\n");
        break;
    case 1:
        buf_add_text(out, "  type: ExternalName\n  externalName: example.org\n");
        break;
    case 2:
        buf_printf(out, "  clusterIP: 10.0.0.%u\n", nth + 1);
        break;
    case 3:
        buf_add_text(out, "  clusterIP: 127.1.0.99\n"); /* of several: only one can have it */
        break;
    default:
        buf_printf(out, "  clusterIP: 127.1.0.%u\n", nth + 1);
        break;
    }
    static const char *const nearness[] = {"", "trafficDistribution: PreferClose",
                                           "trafficDistribution: PreferSameNode",
                                           "internalTrafficPolicy: Local"};
    buf_printf(out, "  %s\n  publishNotReadyAddresses: %s\n  ports:\n",
               nearness[world_draw(world, 4)], world_chance(world, 4) ? "true" : "false");
    for (unsigned i = 0; i < ports; i++) {
        const char *protocol = protocols[world_draw(world, 7)];
        buf_printf(out, "  - {name: p%u, port: %u, protocol: %s%s%s}\n", i, 8000 + i,
                   world_chance(world, 6) ? "UDP" : "TCP",
                   protocol[0] != '\0' ? ", appProtocol: " : "", protocol);
    }
}

static inline void world_slice(struct world *world, unsigned nth, struct buf *out)
{
    static const char *const conditions[] = {"", "ready: true", "ready: true", "ready: false",
                                             "ready: false, serving: true, terminating: true"};
    static const struct {
        const char *type, *address;
    } families[] = {{"IPv4", "127.2.0."}, {"IPv6", "fd00::"}, {"FQDN", "e."}};
    static const char *const hints[] = {
        "", ", hints: {forZones: [{name: z0}]}",
        ", hints: {forZones: [{name: z1}], forNodes: [{name: n1}]}"};
    unsigned family = world_draw(world, 6);
    unsigned endpoints = world_draw(world, 4);
    family = family < 3 ? family : 0;
    buf_printf(out,
               "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
               "metadata: {name: e%u, namespace: %s, labels: {kubernetes.io/service-name: s%u}}\n"
               "addressType: %s\nports: [{name: p0, port: 9000}, {name: p%u, port: 9001}]\n"
               "endpoints:%s\n",
               nth / 2, world_ns(nth), (nth / 2) % WORLD_SERVICES, families[family].type,
               1 + world_draw(world, 2), endpoints == 0 ? " []" : "");
    for (unsigned i = 0; i < endpoints; i++) {
        buf_printf(out,
                   "- {addresses: [\"%s%u\"], conditions: {%s}, zone: z%u, nodeName: n%u, "
                   "targetRef: {uid: \"%u\"}%s}\n",
                   families[family].address, 1 + world_draw(world, 5),
                   conditions[world_draw(world, 5)], world_draw(world, 3), world_draw(world, 3),
                   world_draw(world, 3), hints[world_draw(world, 3)]);
    }
}

static inline void world_parents(struct world *world, struct buf *out)
{
    unsigned parents = 1 + world_draw(world, 2);
    bool section = world_chance(world, 4);
    buf_add_text(out, "  parentRefs:\n");
    for (unsigned i = 0; i < parents; i++) {
        buf_printf(out, "  - {group: \"\", kind: Service, namespace: %s, name: s%u",
                   world_ns(world_draw(world, 2)), world_draw(world, WORLD_SERVICES));
        /* References to one object must be told apart, each by the same fields. */
        buf_printf(out, ", port: %u%s}\n", 8000 + i,
                   !section ? ""
                   : i == 0 ? ", sectionName: p0"
                            : ", sectionName: p1");
    }
    if (world_chance(world, 2)) {
        bool set = world_chance(world, 3);
        buf_printf(out, "  - {kind: %s, namespace: %s, name: %s%s}\n",
                   set ? "ListenerSet" : "Gateway", world_ns(world_draw(world, 2)),
                   set ? "ls" : "g", world_chance(world, 4) ? ", sectionName: l0" : "");
    }
}

static inline void world_backends(struct world *world, unsigned least, struct buf *out)
{
    unsigned backends = least + world_draw(world, 4 - least);
    buf_printf(out, "    backendRefs:%s\n", backends == 0 ? " []" : "");
    for (unsigned i = 0; i < backends; i++) {
        buf_printf(out, "    - {namespace: %s, name: s%u, port: %u, weight: %u%s}\n",
                   world_ns(world_draw(world, 2)), world_draw(world, WORLD_SERVICES + 1),
                   8000 + world_draw(world, 3), world_draw(world, 4),
                   world_chance(world, 8) ? ", group: example.org, kind: Thing" : "");
    }
}

static inline void world_filters(struct world *world, struct buf *out)
{
    static const char *const filters[] = {
        "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x, value: 50%}]}}",
        "{type: ResponseHeaderModifier, responseHeaderModifier: {remove: [server]}}",
        "{type: RequestMirror, requestMirror: {backendRef: {name: s0, port: 8000}}}",
        "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Host, value: h}]}}",
    };
    if (world_chance(world, 2)) {
        buf_printf(out, "    filters:\n    - %s\n", filters[world_draw(world, 4)]);
    }
}

static inline void world_http_match(struct world *world, struct buf *out)
{
    static const char *const paths[] = {"/", "/a", "/a/b", "/a/", "/s.S"};
    static const char *const types[] = {"PathPrefix", "Exact", "RegularExpression"};
    buf_printf(out, "    - path: {type: %s, value: %s}\n", types[world_draw(world, 3)],
               paths[world_draw(world, 5)]);
    if (world_chance(world, 3)) {
        buf_printf(out, "      method: %s\n", world_chance(world, 2) ? "GET" : "POST");
    }
    if (world_chance(world, 3)) {
        buf_printf(out, "      headers: [{name: X-%u, value: v}, {name: x-1, value: w}]\n",
                   world_draw(world, 3));
    }
    if (world_chance(world, 3)) {
        buf_add_text(out, "      queryParams: [{name: q, value: v}]\n");
    }
    world_later(world, "      ", out);
}

static inline void world_grpc_match(struct world *world, struct buf *out)
{
    static const char *const methods[] = {
        "{service: s.S, method: M}", "{service: s.S}", "{method: M}",
        "{type: RegularExpression, service: 's\\..*', method: M}", "{service: s.Sx, method: N}"};
    buf_printf(out, "    - method: %s\n", methods[world_draw(world, 5)]);
    if (world_chance(world, 3)) {
        buf_add_text(out, "      headers: [{name: X-1, value: v}]\n");
    }
    world_later(world, "      ", out);
}

static inline void world_route(struct world *world, bool grpc, unsigned nth, struct buf *out)
{
    unsigned rules = 1 + world_draw(world, 3);
    buf_printf(out, "apiVersion: gateway.networking.k8s.io/v1\nkind: %s\nmetadata:\n",
               grpc ? "GRPCRoute" : "HTTPRoute");
    buf_printf(out, "  name: r%u\n  namespace: %s\n", nth / 2, world_ns(nth));
    if (world_chance(world, 2)) {
        buf_printf(out, "  creationTimestamp: \"2026-01-0%uT00:00:00Z\"\n",
                   1 + world_draw(world, 3));
    }
    buf_add_text(out, "spec:\n");
    world_parents(world, out);
    if (world_chance(world, 2)) {
        static const char *const names[] = {"a.example", "'*.example'", "'*.b.example'"};
        buf_printf(out, "  hostnames: [%s]\n", names[world_draw(world, 3)]);
    }
    buf_add_text(out, "  rules:\n");
    for (unsigned i = 0; i < rules; i++) {
        unsigned matches = world_draw(world, 3);
        buf_printf(out, "  - matches:%s\n", matches == 0 ? " []" : "");
        for (unsigned j = 0; j < matches; j++) {
            if (grpc) {
                world_grpc_match(world, out);
            } else {
                world_http_match(world, out);
            }
        }
        world_filters(world, out);
        world_backends(world, 0, out);
        world_later(world, "    ", out);
    }
    world_later(world, "  ", out);
}

static inline void world_l4_route(struct world *world, bool tls, unsigned nth, struct buf *out)
{
    static const char *const names[] = {"a.example", "'*.example'", "'*.b.example'", "c.b.example"};
    buf_printf(out, "apiVersion: gateway.networking.k8s.io/v1\nkind: %s\nmetadata:\n",
               tls ? "TLSRoute" : "TCPRoute");
    buf_printf(out, "  name: r%u\n  namespace: %s\n", nth / 2, world_ns(nth));
    if (world_chance(world, 2)) {
        buf_printf(out, "  creationTimestamp: \"2026-01-0%uT00:00:00Z\"\n",
                   1 + world_draw(world, 3));
    }
    buf_add_text(out, "spec:\n");
    world_parents(world, out);
    if (tls) {
        buf_printf(out, "  hostnames: [%s, %s]\n", names[world_draw(world, 4)],
                   names[world_draw(world, 4)]);
    }
    buf_add_text(out, "  rules:\n  -\n");
    world_backends(world, 1, out);
    world_later(world, "    ", out);
    world_later(world, "  ", out);
}

static inline void world_policy(struct world *world, unsigned nth, struct buf *out)
{
    static const char *const specs[] = {
        "  retryConstraint: {}\n", "  retryConstraint: {budget: {percent: 50, interval: 1s}}\n",
        "  sessionPersistence: {cookie: {}}\n",
        "  sessionPersistence: {type: Header, header: {name: x-s}}\n", ""};
    buf_printf(out,
               "apiVersion: gateway.networking.x-k8s.io/v1alpha1\nkind: XBackendTrafficPolicy\n"
               "metadata:\n  name: p%u\n  namespace: %s\n",
               nth / 2, world_ns(nth));
    if (world_chance(world, 2)) {
        buf_printf(out, "  creationTimestamp: \"2026-01-0%uT00:00:00Z\"\n",
                   1 + world_draw(world, 3));
    }
    buf_add_text(out, "spec:\n  targetRefs:\n");
    unsigned first = world_draw(world, WORLD_SERVICES + 1);
    buf_printf(out, "  - {group: \"\", kind: Service, name: s%u}\n", first);
    buf_printf(out, "  - {group: \"\", kind: Service, name: s%u}\n",
               (first + 1) % (WORLD_SERVICES + 1));
    buf_add_text(out, specs[world_draw(world, 5)]);
    world_later(world, "  ", out);
}

/* Object 0 .. WORLD_MESH_OBJECTS - 1: kind, key, and a random version of it as YAML. */
static inline enum kind_id world_mesh_object(struct world *world, unsigned nth, char key[64],
                                             struct buf *out)
{
    if (nth < 8) {
        snprintf(key, 64, "%s/s%u", world_ns(nth), nth / 2);
        world_service(world, nth, out);
        return KIND_SERVICE;
    }
    if (nth < 22) {
        snprintf(key, 64, "%s/e%u", world_ns(nth), (nth - 8) / 2);
        world_slice(world, nth - 8, out);
        return KIND_ENDPOINTSLICE;
    }
    if (nth < 34) {
        bool grpc = nth >= 28;
        unsigned route = grpc ? nth - 28 : nth - 22;
        snprintf(key, 64, "%s/%s/r%u", grpc ? "GRPCRoute" : "HTTPRoute", world_ns(route),
                 route / 2);
        world_route(world, grpc, route, out);
        return grpc ? KIND_GRPCROUTE : KIND_HTTPROUTE;
    }
    if (nth >= 48) {
        snprintf(key, 64, "%s/p%u", world_ns(nth), (nth - 48) / 2);
        world_policy(world, nth - 48, out);
        return KIND_XBACKENDTRAFFICPOLICY;
    }
    if (nth >= 36) {
        bool tls = nth >= 42;
        unsigned route = tls ? nth - 42 : nth - 36;
        snprintf(key, 64, "%s/%s/r%u", tls ? "TLSRoute" : "TCPRoute", world_ns(route), route / 2);
        world_l4_route(world, tls, route, out);
        return tls ? KIND_TLSROUTE : KIND_TCPROUTE;
    }
    snprintf(key, 64, "%s", world_ns(nth));
    buf_printf(out, "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s%s}\n", world_ns(nth),
               world_chance(world, 2) ? ", labels: {k: v}" : "");
    return KIND_NAMESPACE;
}

#endif
