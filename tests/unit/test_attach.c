/* SPDX-License-Identifier: Apache-2.0 */
/* What of routes of Gateways is computed again, and which of two kinds has a listener? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/attachment.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "mesh_rig.h"
#include "model/hostname.h"
#include "stored_rig.h"

#define API "apiVersion: gateway.networking.k8s.io/v1\n"
#define CLASS                                                                                      \
    API "kind: GatewayClass\nmetadata: {name: c}\n"                                                \
        "spec: {controllerName: heddle.dev/gateway-controller}\n---\n"
#define GATEWAY(listeners)                                                                         \
    API "kind: Gateway\nmetadata: {name: g, namespace: a}\n"                                       \
        "spec:\n  gatewayClassName: c\n  listeners:\n" listeners
#define WEB "  - {name: web, port: 80, protocol: HTTP}\n"
#define ROUTE(kind, name, parent, backend)                                                         \
    "---\n" API "kind: " kind "\nmetadata: {name: " name ", namespace: a}\n"                       \
    "spec:\n  parentRefs: [{" parent "}]\n"                                                        \
    "  rules: [{backendRefs: [{" backend "}]}]\n"
#define GRANT(kind, ns)                                                                            \
    "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\n"                        \
    "metadata: {name: w, namespace: " ns "}\nspec:\n"                                              \
    "  from: [{group: gateway.networking.k8s.io, kind: " kind ", namespace: a}]\n"                 \
    "  to: [{group: '', kind: Service}]\n"
#define OF_GATEWAY "name: g"
#define OF_SERVICE "group: '', kind: Service, name: s"

static uint64_t evaluations(const struct mesh *mesh, unsigned table)
{
    return engine_stats(mesh_engine(mesh), table).evaluations;
}

static const struct attached_backend *backend_of(const struct mesh *mesh, const char *route)
{
    const struct attachment *attachment =
        (const struct attachment *)engine_get(mesh_engine(mesh), T_ATTACHMENT, str_from(route));
    assert_non_null(attachment);
    return &attachment->backends.items[0];
}

static void a_grant_wakes_those_whom_it_is_about(void **state)
{
    struct mesh *mesh = rig_mesh();
    (void)state;
    rig_apply(
        mesh,
        CLASS GATEWAY(WEB) ROUTE("HTTPRoute", "r", OF_GATEWAY, "name: s, namespace: b, port: 80")
            ROUTE("HTTPRoute", "to-c", OF_GATEWAY, "name: s, namespace: c, port: 80")
                ROUTE("HTTPRoute", "own", OF_GATEWAY, "name: s, port: 80")
                    ROUTE("HTTPRoute", "mesh", OF_SERVICE, "name: s, namespace: b, port: 80")
                        ROUTE("GRPCRoute", "r", OF_GATEWAY, "name: s, namespace: b, port: 80"));
    (void)rig_turn(mesh);
    assert_int_not_equal(backend_of(mesh, "HTTPRoute/a/r")->ungranted.len, 0);
    assert_int_equal(backend_of(mesh, "HTTPRoute/a/own")->ungranted.len, 0);
    assert_int_equal(backend_of(mesh, "HTTPRoute/a/mesh")->ungranted.len, 0);

    uint64_t before = evaluations(mesh, T_ATTACHMENT);
    rig_apply(mesh, GRANT("HTTPRoute", "b"));
    (void)rig_turn(mesh);
    assert_int_equal(evaluations(mesh, T_ATTACHMENT) - before, 1);
    assert_int_equal(backend_of(mesh, "HTTPRoute/a/r")->ungranted.len, 0);
    assert_int_not_equal(backend_of(mesh, "GRPCRoute/a/r")->ungranted.len, 0);
    assert_int_not_equal(backend_of(mesh, "HTTPRoute/a/to-c")->ungranted.len, 0);

    rig_delete(mesh, KIND_REFERENCEGRANT, "b/w"); /* is revoked at once */
    (void)rig_turn(mesh);
    assert_int_equal(evaluations(mesh, T_ATTACHMENT) - before, 2);
    assert_int_not_equal(backend_of(mesh, "HTTPRoute/a/r")->ungranted.len, 0);
    mesh_free(mesh);
}

static void what_is_said_of_a_listener_stays_with_it(void **state)
{
    struct mesh *mesh = rig_mesh();
    (void)state;
    rig_apply(mesh, CLASS GATEWAY(WEB)
                        ROUTE("HTTPRoute", "r", "name: g, sectionName: web", "name: s, port: 80"));
    (void)rig_turn(mesh);
    uint64_t status = evaluations(mesh, T_STATUS);
    uint64_t attachments = evaluations(mesh, T_ATTACHMENT);
    rig_apply(mesh, GATEWAY(WEB "  - {name: more, port: 81, protocol: HTTP}\n"));
    (void)rig_turn(mesh);
    assert_int_equal(evaluations(mesh, T_ATTACHMENT) - attachments, 1); /* and is equal */
    assert_int_equal(evaluations(mesh, T_STATUS), status);
    mesh_free(mesh);
}

/* Of a Gateway with as many listeners as there can be, a route keeps what it attaches to. */
static void a_route_keeps_no_room_for_other_listeners(void **state)
{
    struct mesh *mesh = rig_mesh();
    struct buf yaml;
    (void)state;
    buf_init(&yaml, BUF_UNLIMITED);
    buf_printf(&yaml, CLASS GATEWAY());
    for (int i = 0; i < GATEWAY_LISTENERS_MAX; i++) {
        buf_printf(&yaml,
                   "  - {name: l%d, port: 80, protocol: HTTP, hostname: host-%d.example.com}\n", i,
                   i);
    }
    buf_printf(&yaml, "---\n" API "kind: HTTPRoute\nmetadata: {name: r, namespace: a}\nspec:\n"
                      "  parentRefs: [{name: g}]\n"
                      "  hostnames: [host-1.example.com, other.example.com]\n"
                      "  rules: [{backendRefs: [{name: s, port: 80}]}]\n");
    rig_apply_str(mesh, buf_str(&yaml));
    (void)rig_turn(mesh);
    const struct row *row = engine_get(mesh_engine(mesh), T_ATTACHMENT, STR("HTTPRoute/a/r"));
    assert_non_null(row);
    assert_int_equal(((const struct attachment *)row)->parents.items[0].listeners.len, 1);
    assert_true(arena_footprint(&row->arena) <= 4096);
    buf_release(&yaml);
    mesh_free(mesh);
}

/* "Alphabetical order by {namespace}/{name}": of the two as one text, in which '-' is before '/'.
 */
static void equally_old_routes_are_ordered_by_namespace_and_name(void **state)
{
    struct mesh *mesh = rig_mesh();
    (void)state;
    rig_apply(mesh, CLASS GATEWAY("  - {name: l, port: 90, protocol: TCP,\n"
                                  "     allowedRoutes: {namespaces: {from: All}}}\n"));
    rig_apply(
        mesh,
        ROUTE("TCPRoute", "r", OF_GATEWAY,
              "name: s, port: 80") "---\n" API
                                   "kind: TCPRoute\nmetadata: {name: z, namespace: a-b}\nspec:\n"
                                   "  parentRefs: [{name: g, namespace: a}]\n"
                                   "  rules: [{backendRefs: [{name: s, port: 80}]}]\n");
    (void)rig_turn(mesh);
    const struct ir_routing *routing = (const struct ir_routing *)engine_get(
        mesh_engine(mesh), T_GATEWAY_L4, STR("gateway/a/g:90"));
    assert_non_null(routing);
    assert_int_equal(routing->connections.len, 1);
    assert_true(str_eq(routing->connections.items[0].rule, STR("TCPRoute/a-b/z/0")));
    mesh_free(mesh);
}

/* --- status --------------------------------------------------------------------------------- */

static bool has_condition(const struct mesh *mesh, const char *route, size_t parent,
                          enum condition_id id)
{
    const struct status *status =
        (const struct status *)engine_get(mesh_engine(mesh), T_STATUS, str_from(route));
    assert_non_null(status);
    assert_true(parent < status->parents.len);
    for (size_t i = 0; i < status->parents.items[parent].conditions.len; i++) {
        if (status->parents.items[parent].conditions.items[i].id == (int)id) {
            return true;
        }
    }
    return false;
}

static void a_rejection_concerns_the_gateway_whose_it_is(void **state)
{
    struct mesh *mesh = rig_mesh();
    (void)state;
    rig_apply(mesh, CLASS GATEWAY(WEB)
                        ROUTE("HTTPRoute", "r", OF_GATEWAY "}, {" OF_SERVICE, "name: s, port: 80"));
    rig_apply(mesh, "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: a}\n"
                    "spec: {clusterIP: 127.1.0.1, ports: [{port: 80}]}\n");
    (void)rig_open(mesh, 1, "gateway/a/g", "envoy");
    (void)rig_turn(mesh);
    const struct resource *routes = rig_resource(mesh, XDS_RDS, "gateway/a/g", "gateway/a/g:80");
    assert_non_null(routes);
    mesh_rejected(mesh, 1, XDS_RDS, &routes, 1, STR("not today"));
    (void)rig_turn(mesh);
    assert_true(has_condition(mesh, "HTTPRoute/a/r", 0, C_rejected));
    assert_false(has_condition(mesh, "HTTPRoute/a/r", 1, C_rejected));
    mesh_close(mesh, 1);
    (void)rig_turn(mesh);
    assert_false(has_condition(mesh, "HTTPRoute/a/r", 0, C_rejected));
    mesh_free(mesh);
}

/* What has no client of another class is told of no class. */
static void gateways_do_not_have_the_gaps_of_grpc(void **state)
{
    struct mesh *mesh = rig_mesh();
    (void)state;
    rig_apply(mesh,
              CLASS GATEWAY(
                  WEB) "---\n" API "kind: HTTPRoute\nmetadata: {name: r, namespace: a}\nspec:\n"
                       "  parentRefs: [{" OF_GATEWAY "}, {" OF_SERVICE "}]\n"
                       "  rules:\n  - filters: [{type: URLRewrite, urlRewrite: {hostname: h.io}}]\n"
                       "    backendRefs: [{name: s, port: 80}]\n");
    rig_apply(mesh, "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: a}\n"
                    "spec: {clusterIP: 127.1.0.1, ports: [{port: 80}]}\n");
    (void)rig_open(mesh, 1, "gateway/a/g", "envoy");
    (void)rig_open(mesh, 2, "proxyless/a/x", "gRPC Go");
    (void)rig_turn(mesh);
    assert_false(has_condition(mesh, "HTTPRoute/a/r", 0, C_not_enforced));
    assert_true(has_condition(mesh, "HTTPRoute/a/r", 1, C_not_enforced));
    mesh_free(mesh);
}

/* What cannot be read as a whole is told of the Gateways of ours that it names. */
static void an_unreadable_route_is_told_of_its_gateway(void **state)
{
    struct mesh *mesh = rig_mesh();
    (void)state;
    rig_apply(mesh, CLASS GATEWAY(WEB));
    stored_apply_str(mesh, KIND_HTTPROUTE,
                     STR("metadata: {name: r, namespace: a}\nspec:\n"
                         "  parentRefs: [{name: absent}, {name: g}]\n"
                         "  hostnames: [12]\n"));
    (void)rig_turn(mesh);
    assert_true(has_condition(mesh, "HTTPRoute/a/r", 0, C_unreadable));
    mesh_free(mesh);
}

/* --- rivals --------------------------------------------------------------------------------- */

#define ROUTES 14
#define ROUNDS 60

struct rival {
    bool grpc;
    unsigned names[2];
};
static const char *const names[] = {"a.x.io",   "b.x.io", "'*.x.io'",   "'*.y.x.io'",
                                    "c.y.x.io", "'*.io'", "a.other.io", "localhost"};
#define NAMES (sizeof(names) / sizeof(names[0]))

static struct str name_of(unsigned nth)
{
    struct str name = str_from(names[nth]);
    return name.ptr[0] == '\'' ? str_sub(name, 1, name.len - 2) : name;
}

static bool meet(const struct rival *a, const struct rival *b)
{
    struct str ignored;
    for (unsigned i = 0; i < 4; i++) {
        if (hostname_intersect(name_of(a->names[i / 2]), name_of(b->names[i % 2]), &ignored)) {
            return true;
        }
    }
    return false;
}

static void apply_rivals(struct mesh *mesh, const struct rival *rivals)
{
    for (unsigned i = 0; i < ROUTES; i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof(yaml),
                       API "kind: %s\nmetadata: {name: r%02u, namespace: a}\nspec:\n"
                           "  parentRefs: [{name: g}]\n  hostnames: [%s, %s]\n"
                           "  rules: [{backendRefs: [{name: s, port: 80}]}]\n",
                       rivals[i].grpc ? "GRPCRoute" : "HTTPRoute", i, names[rivals[i].names[0]],
                       names[rivals[i].names[1]]);
        rig_apply(mesh, yaml);
    }
}

static bool has_lost(const struct ir_rivals *rivals, unsigned nth)
{
    char key[64];
    for (size_t i = 0; rivals != NULL && i < rivals->losers.len; i++) {
        (void)snprintf(key, sizeof(key), "%s/a/r%02u",
                       str_starts_with(rivals->losers.items[i].key, STR("GRPC")) ? "GRPCRoute"
                                                                                 : "HTTPRoute",
                       nth);
        if (str_eq(rivals->losers.items[i].key, str_from(key))) {
            return true;
        }
    }
    return false;
}

/* From the oldest on, each compared with each that was let in. */
static void check_rivals(const struct mesh *mesh, const struct rival *rivals)
{
    const struct ir_rivals *row =
        (const struct ir_rivals *)engine_get(mesh_engine(mesh), T_RIVALS, STR("a/g/web"));
    bool in[ROUTES];
    for (unsigned i = 0; i < ROUTES; i++) {
        in[i] = true;
        for (unsigned j = 0; j < i && in[i]; j++) {
            in[i] = !in[j] || rivals[i].grpc == rivals[j].grpc || !meet(&rivals[i], &rivals[j]);
        }
        assert_int_equal(has_lost(row, i), !in[i]);
    }
}

static void of_two_kinds_the_older_has_a_hostname(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct rival rivals[ROUTES];
        for (unsigned i = 0; i < ROUTES; i++) {
            seed = seed * 1103515245u + 12345u;
            unsigned first = (seed >> 16) % NAMES;
            rivals[i] = (struct rival){(seed >> 8) % 2 == 0, {first, (first + 1) % NAMES}};
        }
        struct mesh *mesh = rig_mesh();
        rig_apply(mesh, CLASS GATEWAY(WEB));
        apply_rivals(mesh, rivals);
        (void)rig_turn(mesh);
        check_rivals(mesh, rivals);
        mesh_free(mesh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_wakes_those_whom_it_is_about),
        cmocka_unit_test(what_is_said_of_a_listener_stays_with_it),
        cmocka_unit_test(a_route_keeps_no_room_for_other_listeners),
        cmocka_unit_test(equally_old_routes_are_ordered_by_namespace_and_name),
        cmocka_unit_test(a_rejection_concerns_the_gateway_whose_it_is),
        cmocka_unit_test(gateways_do_not_have_the_gaps_of_grpc),
        cmocka_unit_test(an_unreadable_route_is_told_of_its_gateway),
        cmocka_unit_test(of_two_kinds_the_older_has_a_hostname),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
