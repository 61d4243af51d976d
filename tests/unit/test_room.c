/* SPDX-License-Identifier: Apache-2.0 */
/* Is what a route takes of a RouteConfiguration never counted too low, and who finds no room? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/condition.h"
#include "ir/ir.h"
#include "mesh_room.h"

#define MATCHES 64                     /* of one rule */
#define GRPC_MESSAGE_MAX (4096 * 1024) /* what gRPC clients take */

static void add_service(struct mesh *mesh, const char *name, const char *ports)
{
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    buf_printf(&yaml,
               "apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: a}\nspec:\n"
               "  clusterIP: 127.1.0.%u\n  ports: [{name: http, port: 80}%s]\n",
               name, (unsigned)name[0] % 8 + 1, ports);
    rig_apply_str(mesh, buf_str(&yaml));
    buf_release(&yaml);
}

/* A mesh with one client of each kind. */
static struct mesh *new_mesh(void)
{
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh,
              "apiVersion: gateway.networking.x-k8s.io/v1alpha1\nkind: XBackendTrafficPolicy\n"
              "metadata: {name: p, namespace: a}\nspec:\n"
              "  targetRefs: [{group: '', kind: Service, name: sticky}]\n"
              "  sessionPersistence: {cookie: {path: /a/b/c, lifetimeType: Permanent},"
              " absoluteTimeout: 1h}\n");
    add_service(mesh, "sticky", "");
    add_service(mesh, "echo", "");
    add_service(mesh, "v1", ", {name: more, port: 81}");
    rig_open(mesh, 1, "sidecar/a/x", "envoy");
    rig_open(mesh, 2, "proxyless/a/go", "gRPC Go");
    rig_open(mesh, 3, "proxyless/a/core", "gRPC C-core");
    rig_open(mesh, 4, "proxyless/a/node", "gRPC Node");
    return mesh;
}

/* A route of a Service, "echo" or "v1, port: 80". match: what stands in each match; '#' is a
 * number. rest: what else stands in the rules. */
static void add_route(struct mesh *mesh, const char *kind, const char *name, const char *parent,
                      unsigned rules, unsigned matches, const char *match, const char *rest)
{
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    buf_printf(&yaml,
               "apiVersion: gateway.networking.k8s.io/v1\nkind: %s\n"
               "metadata: {name: %s, namespace: a}\nspec:\n"
               "  parentRefs: [{group: \"\", kind: Service, name: %s}]\n  rules:\n",
               kind, name, parent);
    for (unsigned i = 0; i < rules * matches; i++) {
        buf_add_text(&yaml, i % matches == 0 ? "  - matches:\n    - {" : "    - {");
        for (const char *c = match; *c != '\0'; c++) {
            if (*c == '#') {
                buf_printf(&yaml, "%u", i);
            } else {
                buf_add_byte(&yaml, (uint8_t)*c);
            }
        }
        buf_add_text(&yaml, "}\n");
        if (i % matches == matches - 1) {
            buf_printf(&yaml, "%s", rest);
        }
    }
    rig_apply_str(mesh, buf_str(&yaml));
    buf_release(&yaml);
}

static int64_t counted(const struct mesh *mesh, const char *key)
{
    return ((const struct attachment *)engine_get(mesh_engine(mesh), T_ATTACHMENT, str_from(key)))
        ->bytes;
}

/* Of the largest RouteConfiguration. */
static size_t encoded(const struct mesh *mesh)
{
    struct rig_resources all;
    size_t max = 0;
    rig_collect(mesh, &all);
    for (size_t i = 0; i < all.all.len; i++) {
        size_t len = resource_message(all.all.items[i]).len;
        max = all.all.items[i]->type == XDS_RDS && len > max ? len : max;
    }
    vec_release(&all.all);
    return max;
}

#define DOTS                                                                                       \
    "................................................................" /* quoted, they are two */

static const char *const http_matches[] = {
    "path: {type: Exact, value: /#}",
    "path: {value: /#/" DOTS DOTS DOTS DOTS "}",
    "path: {type: RegularExpression, value: '/#/(a|b)'}",
    ("path: {value: /#}, method: POST,"
     " headers: [{name: x-a, value: b}, {name: x-b, type: RegularExpression, value: 'b|c'}]"),
    "path: {value: /#}, queryParams: [{name: a, value: b}, {name: c, value: '%%%%'}]",
};

static const char *const grpc_matches[] = {
    "method: {service: a.b.c.d.S, method: M#}",
    "method: {type: RegularExpression, service: 'a|b', method: 'M#|N'}",
    "method: {method: M#}, headers: [{name: x-a, value: b}]",
};

#define HEADERS                                                                                    \
    "{set: [{name: x-a, value: '%%%%%%%%%%%%%%%%%%%%%%%%%%%%'}], add: [{name: x-b, value: b}],"    \
    " remove: [x-c, x-d]}"

static const char *const rests[] = {
    "    backendRefs: []\n",
    "    backendRefs: [{name: v1, port: 80}]\n",
    "    backendRefs: [{name: v1, port: 80, weight: 999999}, {name: echo, port: 80}]\n",
    "    backendRefs: [{name: sticky, port: 80}, {name: sticky, port: 80, weight: 2}]\n",
    "    backendRefs: [{name: v1, port: 80}, {name: gone, port: 80}, {name: v1, port: 82}]\n",
    "    backendRefs: [{name: gone, port: 80}]\n",
    "    backendRefs: [{name: v1, port: 80, weight: 0}]\n",
    "    filters:\n    - {type: RequestHeaderModifier, requestHeaderModifier: " HEADERS "}\n"
    "    - {type: ResponseHeaderModifier, responseHeaderModifier: " HEADERS "}\n"
    "    backendRefs: [{name: v1, port: 80}, {name: gone, port: 80}]\n",
    "    filters:\n    - {type: RequestHeaderModifier, requestHeaderModifier: " HEADERS "}\n"
    "    backendRefs:\n    - {name: v1, port: 80}\n    - {name: echo, port: 80}\n"
    "    - name: v1\n      port: 80\n      filters:\n"
    "      - {type: RequestHeaderModifier, requestHeaderModifier: {remove: [x-e]}}\n",
    "    filters:\n    - {type: RequestMirror, requestMirror: {backendRef: {name: v1, port: 80},"
    " percent: 17}}\n    - {type: RequestMirror, requestMirror: {backendRef: {name: gone,"
    " port: 80}}}\n",
    "    filters: [{type: ExtensionRef, extensionRef: {group: a.b, kind: C, name: d}}]\n",
};

static const char *const http_rests[] = {
    "    filters: [{type: RequestRedirect, requestRedirect: {statusCode: 301}}]\n",
    "    filters: [{type: RequestRedirect, requestRedirect: {scheme: https, port: 8443,"
    " hostname: a.b, path: {type: ReplaceFullPath, replaceFullPath: '/\\\\\\\\\\\\\\'}}}]\n",
    "    filters: [{type: URLRewrite, urlRewrite: {hostname: a.b.c.d, path:"
    " {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]\n",
    "    filters:\n    - type: URLRewrite\n      urlRewrite: {hostname: a.b.c.d}\n"
    "    backendRefs:\n    - {name: v1, port: 80}\n    - name: echo\n      port: 80\n"
    "      filters: [{type: URLRewrite, urlRewrite: {hostname: e.f}}]\n",
    "    timeouts: {request: 99999h1ms, backendRequest: 1ms}\n"
    "    retry: {attempts: 2147483647, backoff: 1m1ms, codes: [500, 502, 503, 504, 429]}\n",
    "    retry: {attempts: 1}\n",
    "    filters:\n    - type: CORS\n      cors: {allowCredentials: true, allowHeaders: ['*'],"
    " allowMethods: [GET, PUT, POST, DELETE], allowOrigins: ['https://*', 'http://*.b.c:81'],"
    " exposeHeaders: [x-a, x-b], maxAge: 2147483647}\n"
    "    backendRefs: [{name: v1, port: 80}, {name: gone, port: 80}]\n",
    "    sessionPersistence: {absoluteTimeout: 99999h1ms, cookie: {name: s, path: /a/b, "
    "lifetimeType:"
    " Permanent}}\n",
    "    sessionPersistence: {type: Header, header: {name: X-Session}}\n",
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void check_rule(const char *kind, const char *match, const char *rest)
{
    bool alone = strstr(rest, "ReplacePrefixMatch") != NULL; /* wants one match for each rule */
    char key[64];
    struct mesh *mesh = new_mesh();
    snprintf(key, sizeof(key), "%s/a/r", kind);
    add_route(mesh, kind, "r", "echo", alone ? 16 : 1, alone ? 1 : MATCHES, match, rest);
    rig_turn(mesh);
    check_room(mesh);
    size_t len = encoded(mesh);
    assert_true((size_t)counted(mesh, key) < 6 * len); /* nor much too high */
    assert_true(len > 2048); /* so that what is around it does not matter */
    mesh_free(mesh);
}

static void no_dialect_takes_more_than_was_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rests); i++) {
        check_rule("HTTPRoute", http_matches[i % LEN(http_matches)], rests[i]);
        check_rule("HTTPRoute", http_matches[1], rests[i]); /* a long one */
        check_rule("GRPCRoute", grpc_matches[i % LEN(grpc_matches)], rests[i]);
    }
    for (size_t i = 0; i < LEN(http_rests); i++) {
        check_rule("HTTPRoute", http_matches[1], http_rests[i]);
    }
    for (size_t i = 0; i < LEN(http_matches); i++) {
        check_rule("HTTPRoute", http_matches[i], rests[1]);
    }
    for (size_t i = 0; i < LEN(grpc_matches); i++) {
        check_rule("GRPCRoute", grpc_matches[i], rests[1]);
    }
}

/* Nor what policies of the backends add: a session for each, or of the Service itself. */
static void sessions_of_policies_are_counted(void **state)
{
    static const char *const to[] = {
        "    backendRefs: [{name: v1, port: 80}, {name: echo, port: 80}, {name: v1, port: 81}]\n",
        "    backendRefs: [{name: v1, port: 80}]\n",
        "    backendRefs: []\n",
    };
    (void)state;
    for (size_t i = 0; i < LEN(to); i++) {
        struct mesh *mesh = new_mesh();
        rig_apply(mesh, "apiVersion: gateway.networking.x-k8s.io/v1alpha1\n"
                        "kind: XBackendTrafficPolicy\nmetadata: {name: p, namespace: a}\nspec:\n"
                        "  targetRefs:\n  - {group: \"\", kind: Service, name: v1}\n"
                        "  - {group: \"\", kind: Service, name: echo}\n"
                        "  sessionPersistence: {cookie: {}}\n");
        add_route(mesh, "HTTPRoute", "r", "echo", 1, MATCHES, "path: {value: /#}", to[i]);
        rig_turn(mesh);
        check_room(mesh);
        mesh_free(mesh);
    }
}

/* The first condition of the route's first parentRef. */
static const struct condition *accepted(const struct mesh *mesh, const char *name)
{
    char key[64];
    snprintf(key, sizeof(key), "HTTPRoute/a/%s", name);
    const struct status *status =
        (const struct status *)engine_get(mesh_engine(mesh), T_STATUS, str_from(key));
    assert_non_null(status);
    return &status->parents.items[0].conditions.items[0];
}

static bool says(const struct condition *condition, const char *text)
{
    return memmem(condition->message.ptr, condition->message.len, text, strlen(text)) != NULL;
}

static size_t routes_at(const struct mesh *mesh, const char *port)
{
    return ((const struct ir_routing *)engine_get(mesh_engine(mesh), T_ROUTING, str_from(port)))
        ->routes.len;
}

/* Filters beside 64 matches, which take 3 MiB in an encoding. */
static char *heavy(void)
{
    struct buf rest;
    buf_init(&rest, BUF_UNLIMITED);
    buf_add_text(&rest,
                 "    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [");
    for (unsigned i = 0; i < 12; i++) {
        buf_printf(&rest, "%s{name: x-%u, value: %04000u}", i > 0 ? ", " : "", i, 0);
    }
    buf_add_text(&rest, "]}}]\n");
    return buf_steal(&rest, NULL);
}

static void who_finds_no_room_is_left_out(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh();
    char *rest = heavy();
    add_route(mesh, "HTTPRoute", "r1", "echo", 1, MATCHES, "path: {value: /#}", rest);
    add_route(mesh, "HTTPRoute", "r2", "echo", 1, MATCHES, "path: {value: /#}", rest);
    add_route(mesh, "HTTPRoute", "r3", "echo", 1, 3, "path: {value: /#}", rest);
    rig_turn(mesh);
    assert_int_equal(accepted(mesh, "r1")->id, C_accepted);
    assert_int_equal(accepted(mesh, "r2")->id, C_no_room);
    assert_true(says(accepted(mesh, "r2"), "'a/echo:80' has room for 4128768 bytes of routes"));
    assert_int_equal(accepted(mesh, "r3")->id, C_accepted);
    assert_int_equal(routes_at(mesh, "a/echo:80"), MATCHES + 3);
    assert_true(encoded(mesh) > GRPC_MESSAGE_MAX / 2 && encoded(mesh) < GRPC_MESSAGE_MAX);
    rig_delete(mesh, KIND_HTTPROUTE, "HTTPRoute/a/r1");
    rig_turn(mesh);
    assert_int_equal(accepted(mesh, "r2")->id, C_accepted);
    assert_int_equal(routes_at(mesh, "a/echo:80"), MATCHES + 3);
    free(rest);
    mesh_free(mesh);
}

static void each_port_has_its_own_room(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh();
    char *rest = heavy();
    add_route(mesh, "HTTPRoute", "r1", "v1, port: 81", 1, MATCHES, "path: {value: /#}", rest);
    add_route(mesh, "HTTPRoute", "r2", "v1", 1, MATCHES, "path: {value: /#}", rest);
    rig_turn(mesh);
    assert_int_equal(accepted(mesh, "r2")->id, C_accepted);
    assert_true(says(accepted(mesh, "r2"), "governs 1 of 2 ports; 'a/v1:81' has room for"));
    assert_int_equal(routes_at(mesh, "a/v1:80"), MATCHES);
    assert_int_equal(routes_at(mesh, "a/v1:81"), MATCHES);
    free(rest);
    mesh_free(mesh);
}

/* 128 matches, as many as a route may have, take some 14 kB. */
static void many_full_routes_stay_below_what_grpc_takes(void **state)
{
    (void)state;
    enum { ROUTES = 200, OF_ONE = 128 };
    struct mesh *mesh = new_mesh();
    size_t refused = 0;
    for (unsigned i = 0; i < ROUTES; i++) {
        char name[8];
        snprintf(name, sizeof(name), "r%03u", i);
        add_route(mesh, "HTTPRoute", name, "echo", 16, OF_ONE / 16,
                  "path: {value: /a/path/of/some/length/#}",
                  "    backendRefs: [{name: v1, port: 80}]\n");
    }
    rig_turn(mesh);
    for (unsigned i = 0; i < ROUTES; i++) {
        char name[8];
        snprintf(name, sizeof(name), "r%03u", i);
        const struct condition *first = accepted(mesh, name);
        refused += first->id == C_no_room;
        assert_true(refused > 0 ? first->id == C_no_room : first->id == C_accepted);
    }
    assert_int_equal(routes_at(mesh, "a/echo:80"), (ROUTES - refused) * OF_ONE);
    assert_in_range((ROUTES - refused) * OF_ONE, SERVICE_MATCHES_MAX / 2, SERVICE_MATCHES_MAX);
    assert_true(encoded(mesh) < GRPC_MESSAGE_MAX);
    mesh_free(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_dialect_takes_more_than_was_counted),
        cmocka_unit_test(sessions_of_policies_are_counted),
        cmocka_unit_test(who_finds_no_room_is_left_out),
        cmocka_unit_test(each_port_has_its_own_room),
        cmocka_unit_test(many_full_routes_stay_below_what_grpc_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
