/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of objects that the API server took and heddle cannot read, rule by rule or whole?
 */
#include "model_rig.h"
#include "stored_rig.h"

#include "ir/attachment.h"
#include "ir/gateway.h"
#include "ir/ir.h"
#include "model/node.h"
#include "model/policy.h"
#include "model/service.h"
#include "pipeline/standing.h"

/* --- reading ------------------------------------------------------------------------------- */

#define ROUTE(rules) "metadata: {name: r, namespace: a}\nspec:\n  rules:\n" rules

static void one_match_is_at_fault(void **state)
{
    struct arena arena;
    struct problems problems;
    const struct doc_node *node;
    (void)state;
    arena_init(&arena);
    struct object *object = stored_read(
        &arena, KIND_HTTPROUTE,
        STR(ROUTE(
            "  - matches: [{path: {type: RegularExpression, value: '/a('}}, {path: {value: /b}}]\n"
            "    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [x]}}]\n"
            "    backendRefs: [{name: s, port: 80}]\n"
            "  - matches: [{path: {value: /c}}]\n"
            "    backendRefs: [{name: s, port: 80}]\n")),
        &problems, &node);
    assert_non_null(object);
    assert_int_equal(problems.len, 0);
    const struct http_route *route = (const struct http_route *)object;
    const struct http_rule *rule = &route->rules.items[0];
    assert_true(str_starts_with(
        rule->fault, STR("rules[0].matches[0].path.value: '/a(' is not a regular expression: ")));
    assert_true(str_eq(rule->fault, rule->matches.items[0].fault));
    assert_int_equal(rule->matches.len, 2);
    assert_int_equal(rule->matches.items[1].fault.len, 0);
    assert_int_equal(rule->backends.len, 0);
    assert_int_equal(rule->filters.len, 0);
    assert_int_equal(route->rules.items[1].fault.len, 0);
    assert_int_equal(route->rules.items[1].backends.len, 1);
    row_unref(&object->row, NULL);
    arena_release(&arena);
}

/* What stands in a rule is the rule's; each case has a sound rule behind it. */
static void one_rule_is_at_fault(void **state)
{
    static const struct {
        enum kind_id kind;
        const char *rule;
        const char *fault;
    } cases[] = {
        {KIND_HTTPROUTE, "  - {sessionPersistence: {cookie: {path: 'a;b'}}}\n",
         "rules[0].sessionPersistence.cookie.path: "},
        {KIND_HTTPROUTE, "  - {filters: [{type: Later, later: {}}]}\n",
         "rules[0].filters[0].later: "},
        {KIND_HTTPROUTE, "  - {matches: [{later: 1}]}\n", "rules[0].matches[0].later: "},
        {KIND_HTTPROUTE, "  - {timeouts: {request: 1 day}}\n", "rules[0].timeouts.request: "},
        {KIND_HTTPROUTE, "  - {matches: [{method: QUERY}]}\n", "rules[0].matches[0].method: "},
        {KIND_HTTPROUTE,
         "  - {matches: [{headers: [{type: RegularExpression, name: h, value: '['}]}]}\n",
         "rules[0].matches[0].headers[0].value: "},
        {KIND_GRPCROUTE, "  - {later: 1}\n", "rules[0].later: "},
        {KIND_GRPCROUTE, "  - {matches: [{method: {type: RegularExpression, service: '*'}}]}\n",
         "rules[0].matches[0].method.service: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena;
        struct problems problems;
        const struct doc_node *node;
        char yaml[1024];
        arena_init(&arena);
        snprintf(yaml, sizeof(yaml), ROUTE("%s  - {name: sound}\n"), cases[i].rule);
        struct object *object =
            stored_read(&arena, cases[i].kind, str_from(yaml), &problems, &node);
        assert_non_null(object);
        bool http = cases[i].kind == KIND_HTTPROUTE;
        struct str first = http ? ((const struct http_route *)object)->rules.items[0].fault
                                : ((const struct grpc_route *)object)->rules.items[0].fault;
        struct str second = http ? ((const struct http_route *)object)->rules.items[1].fault
                                 : ((const struct grpc_route *)object)->rules.items[1].fault;
        if (!str_starts_with(first, str_from(cases[i].fault))) {
            fail_msg("%s: '%.*s'", cases[i].rule, STR_FMT(first));
        }
        assert_int_equal(second.len, 0);
        row_unref(&object->row, NULL);
        arena_release(&arena);
    }
}

/* The fault counts for equality, or a mended rule would wake nobody. */
static void faults_make_a_difference(void **state)
{
    struct arena arena;
    struct problems problems;
    const struct doc_node *node;
    (void)state;
    arena_init(&arena);
    struct object *a =
        stored_read(&arena, KIND_GRPCROUTE, STR(ROUTE("  - {later: 1}\n")), &problems, &node);
    struct object *b =
        stored_read(&arena, KIND_GRPCROUTE, STR(ROUTE("  - {}\n")), &problems, &node);
    struct object *c =
        stored_read(&arena, KIND_GRPCROUTE, STR(ROUTE("  - {later: 2}\n")), &problems, &node);
    assert_false(object_equal(&a->row, &b->row));
    assert_true(object_equal(&a->row, &c->row));
    row_unref(&a->row, NULL);
    row_unref(&b->row, NULL);
    row_unref(&c->row, NULL);
    arena_release(&arena);
}

/* Core kinds grow: what is not known of them means nothing, but of routes it might. */
static void later_fields(void **state)
{
    static const struct {
        enum kind_id kind;
        const char *yaml;
        bool readable;
    } cases[] = {
        {KIND_SERVICE, "later: 1\nspec: {later: {}, ports: [{port: 1, later: x}]}\n", true},
        {KIND_SERVICE, "spec: {trafficDistribution: Later, ports: [{port: 1}]}\n", true},
        {KIND_SERVICE, "spec: {type: Later, ports: [{port: 1}]}\n", false},
        {KIND_NAMESPACE, "later: 1\n", true},
        {KIND_NODE, "later: 1\n", true},
        {KIND_SECRET, "later: 1\ntype: kubernetes.io/tls\ndata: {later: x}\n", true},
        {KIND_CONFIGMAP, "later: 1\ndata: {later: x}\n", true},
        {KIND_GATEWAY,
         "spec: {gatewayClassName: c, listeners: [{name: l, port: 1, protocol: LATER}]}\n", true},
        {KIND_GATEWAY, "spec: {later: 1, gatewayClassName: c}\n", false},
        {KIND_ENDPOINTSLICE, "addressType: IPv4\nendpoints: [{addresses: [10.0.0.1], later: 1}]\n",
         true},
        {KIND_HTTPROUTE, "spec: {later: 1}\n", false},
        {KIND_HTTPROUTE, "spec: {}\nstatus: {later: 1}\n", true},
        {KIND_TCPROUTE, "spec: {rules: [{backendRefs: [{name: s, port: 1, later: 1}]}]}\n", true},
        {KIND_TCPROUTE, "spec: {later: 1, rules: [{backendRefs: [{name: s, port: 1}]}]}\n", false},
        {KIND_XBACKENDTRAFFICPOLICY,
         "spec: {later: 1, targetRefs: [{group: '', kind: Service, name: s}]}\n", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena;
        struct problems problems;
        const struct doc_node *node;
        char yaml[1024];
        arena_init(&arena);
        snprintf(yaml, sizeof(yaml), "metadata: {name: x, namespace: a, later: 1}\n%s",
                 cases[i].yaml);
        struct object *object =
            stored_read(&arena, cases[i].kind, str_from(yaml), &problems, &node);
        if ((object != NULL) != cases[i].readable) {
            fail_msg("case %zu: %s", i, cases[i].yaml);
        }
        assert_true((problems.errors == 0) == cases[i].readable);
        if (object != NULL) {
            row_unref(&object->row, NULL);
        }
        arena_release(&arena);
    }
}

/* Annotations are as large as the object (kubectl keeps a copy there), and nobody reads them. */
static void only_what_is_read_is_kept(void **state)
{
    struct arena arena;
    struct problems problems;
    const struct doc_node *node;
    (void)state;
    arena_init(&arena);
    struct object *object = stored_read(&arena, KIND_NODE,
                                        STR("metadata:\n  name: n\n  annotations: {a: b}\n"
                                            "  labels: {topology.kubernetes.io/zone: z, x: y,"
                                            " topology.kubernetes.io/region: r}\n"),
                                        &problems, &node);
    const struct node_object *read = (const struct node_object *)object;
    assert_int_equal(object->meta.annotations.len, 0);
    assert_int_equal(object->meta.labels.len, 2);
    assert_true(str_eq(node_zone(read), STR("z")));
    assert_true(str_eq(node_region(read), STR("r")));
    row_unref(&object->row, NULL);
    arena_release(&arena);
}

/* --- what follows -------------------------------------------------------------------------- */

#define SERVICE                                                                                    \
    "metadata: {name: s, namespace: a}\n"                                                          \
    "spec: {clusterIP: 127.1.1.1, ports: [{port: 80, appProtocol: http}]}\n"
#define PARENT "  parentRefs: [{group: '', kind: Service, name: s}]\n"
#define HEAD(generation)                                                                           \
    "metadata: {name: r, namespace: a, generation: " #generation "}\nspec:\n" PARENT

static const struct status *status_of(const struct mesh *mesh, unsigned table, const char *key)
{
    return (const struct status *)engine_get(mesh_engine(mesh), table, str_from(key));
}

/* Of the first parent, the condition of that type; fails when there is none. */
static const struct condition *condition_of(const struct status *status, enum condition_id id)
{
    assert_non_null(status);
    const struct status_parent *parent = &status->parents.items[0];
    for (size_t i = 0; i < parent->conditions.len; i++) {
        if (parent->conditions.items[i].id == (int)id) {
            return &parent->conditions.items[i];
        }
    }
    fail_msg("no condition %s of reason %s", condition_info(id)->type, condition_info(id)->reason);
    return NULL;
}

static struct mesh *mesh_with_client(void)
{
    struct mesh *mesh = rig_mesh();
    rig_open_with(mesh, 1, "sidecar/a/app", "envoy", "interception=none");
    stored_apply(mesh, KIND_SERVICE, SERVICE);
    return mesh;
}

static void siblings_are_served(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_with_client();
    stored_apply(mesh, KIND_HTTPROUTE,
                 HEAD(1) "  rules:\n  - {matches: [{path: {type: RegularExpression, value: '('}},"
                         " {path: {value: /b}}]}\n"
                         "  - {matches: [{path: {value: /c}}]}\n");
    rig_turn(mesh);
    const struct status *status = status_of(mesh, T_STATUS, "HTTPRoute/a/r");
    (void)condition_of(status, C_accepted);
    const struct condition *partial = condition_of(status, C_partially_invalid);
    assert_true(str_starts_with(partial->message,
                                STR("Dropped Rule: rules[0].matches[0].path.value: '(' is not")));
    const struct ir_routing *routing =
        (const struct ir_routing *)engine_get(mesh_engine(mesh), T_ROUTING, STR("a/s:80"));
    assert_int_equal(routing->routes.len, 2); /* /b and /c */
    size_t errors = 0;
    for (size_t i = 0; i < routing->routes.len; i++) {
        errors += routing->routes.items[i].action == IR_ERROR ? 1 : 0;
    }
    assert_int_equal(errors, 1);
    mesh_free(mesh);
}

static void all_rules_at_fault(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_with_client();
    stored_apply(mesh, KIND_GRPCROUTE,
                 HEAD(1) "  rules:\n"
                         "  - {matches: [{method: {type: RegularExpression, method: '('}}]}\n");
    rig_turn(mesh);
    (void)condition_of(status_of(mesh, T_STATUS, "GRPCRoute/a/r"), C_unsupported_value);
    const struct ir_routing *routing =
        (const struct ir_routing *)engine_get(mesh_engine(mesh), T_ROUTING, STR("a/s:80"));
    assert_int_equal(routing->routes.len, 0); /* and not every request */
    mesh_free(mesh);
}

static void connections_are_refused(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_with_client();
    stored_apply(mesh, KIND_TCPROUTE,
                 HEAD(1) "  rules: [{backendRefs: [{name: s, port: 80, later: 1}]}]\n");
    rig_turn(mesh);
    const struct condition *accepted =
        condition_of(status_of(mesh, T_STATUS, "TCPRoute/a/r"), C_unsupported_value);
    assert_true(str_starts_with(accepted->message, STR("rules[0].backendRefs[0].later: ")));
    const struct ir_routing *routing =
        (const struct ir_routing *)engine_get(mesh_engine(mesh), T_ROUTING, STR("a/s:80"));
    assert_int_equal(routing->connections.len, 1);
    assert_int_equal(routing->connections.items[0].backends.len, 0);
    assert_true(str_eq(routing->connections.items[0].reason, accepted->message));
    mesh_free(mesh);
}

static void last_good_stays(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_with_client();
    stored_apply(mesh, KIND_HTTPROUTE, HEAD(1) "  later: 1\n");
    rig_turn(mesh);
    const struct status *status = status_of(mesh, T_STATUS, "HTTPRoute/a/r");
    assert_true(str_ends_with(condition_of(status, C_unreadable)->message,
                              STR(" (nothing of it is in force)")));

    stored_apply(mesh, KIND_HTTPROUTE, HEAD(2) "  rules: [{matches: [{path: {value: /b}}]}]\n");
    rig_turn(mesh);
    (void)condition_of(status_of(mesh, T_STATUS, "HTTPRoute/a/r"), C_accepted);
    assert_int_equal(mesh_faults(mesh), 0);

    stored_apply(mesh, KIND_HTTPROUTE, HEAD(3) "  later: 1\n");
    rig_turn(mesh);
    status = status_of(mesh, T_STATUS, "HTTPRoute/a/r");
    assert_int_equal(status->generation, 3);
    assert_true(str_starts_with(condition_of(status, C_unreadable)->message, STR("later: ")));
    assert_true(str_ends_with(condition_of(status, C_unreadable)->message,
                              STR(" (generation 2 stays in force)")));
    assert_int_equal(mesh_faults(mesh), 1);
    assert_non_null(mesh_fault(mesh, KIND_HTTPROUTE, STR("HTTPRoute/a/r")));
    assert_non_null(engine_get(mesh_engine(mesh), T_ROUTE, STR("HTTPRoute/a/r")));

    rig_delete(mesh, KIND_HTTPROUTE, "HTTPRoute/a/r");
    rig_turn(mesh);
    assert_null(status_of(mesh, T_STATUS, "HTTPRoute/a/r"));
    assert_int_equal(mesh_faults(mesh), 0);
    mesh_free(mesh);
}

static void parents_are_told_as_written(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_with_client();
    stored_apply(mesh, KIND_TCPROUTE,
                 "metadata: {name: r, namespace: a}\nspec:\n  later: 1\n  parentRefs:\n"
                 "  - {name: gateway}\n"
                 "  - {group: '', kind: Service, name: s, namespace: b, port: 80}\n"
                 "  - {group: '', kind: Service, later: 1, name: t}\n");
    rig_turn(mesh);
    const struct status *status = status_of(mesh, T_STATUS, "TCPRoute/a/r");
    assert_non_null(status);
    assert_int_equal(status->parents.len, 1); /* not the Gateway, nor what has more than is known */
    assert_true(str_eq(status->parents.items[0].ref.ns, STR("b")));
    assert_int_equal(status->parents.items[0].ref.port, 80);
    mesh_free(mesh);
}

static void policies_and_services(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_with_client();
    stored_apply(mesh, KIND_XBACKENDTRAFFICPOLICY,
                 "metadata: {name: p, namespace: a}\nspec:\n"
                 "  targetRefs: [{group: '', kind: Service, name: s}]\n"
                 "  sessionPersistence: {cookie: {path: 'a;b'}}\n");
    stored_apply(mesh, KIND_SERVICE,
                 "metadata: {name: s, namespace: a, generation: 2}\nspec: {type: Later}\n");
    rig_turn(mesh);
    const struct status *policy = status_of(mesh, T_POLICY_STATUS, "a/p");
    assert_true(policy->ancestors);
    assert_true(str_eq(policy->parents.items[0].ref.ns, STR("a")));
    (void)condition_of(policy, C_policy_unreadable);
    const struct status *service = status_of(mesh, T_SERVICE_STATUS, "a/s");
    assert_non_null(service);
    assert_int_equal(service->conditions.items[0].id, C_service_unreadable);
    assert_true(
        str_ends_with(service->conditions.items[0].message, STR(" (generation 1 stays in force)")));
    rig_delete(mesh, KIND_SERVICE, "a/s");
    rig_turn(mesh);
    assert_null(status_of(mesh, T_SERVICE_STATUS, "a/s"));
    mesh_free(mesh);
}

/* --- what another replica knows -------------------------------------------------------------- */

#define POLICY(generation, path)                                                                   \
    "metadata: {name: p, namespace: a, generation: " #generation "}\nspec:\n"                      \
    "  targetRefs: [{group: '', kind: Service, name: s}]\n"                                        \
    "  sessionPersistence: {cookie: {path: '" path "'}}\n"
#define RULE_AT_FAULT(generation)                                                                  \
    "metadata: {name: partly, namespace: a, generation: " #generation "}\nspec:\n" PARENT

static void another_replica_tells(void **state)
{
    (void)state;
    struct mesh *old = mesh_with_client();
    struct buf told;
    buf_init(&told, BUF_UNLIMITED);
    stored_apply(old, KIND_HTTPROUTE, HEAD(2) "  rules: [{matches: [{path: {value: /b}}]}]\n");
    stored_apply(old, KIND_XBACKENDTRAFFICPOLICY, POLICY(1, "/x"));
    stored_apply(old, KIND_HTTPROUTE,
                 RULE_AT_FAULT(1) "  rules: [{matches: [{path: {value: /c}}], later: 1}]\n");
    rig_turn(old);
    stored_apply(old, KIND_HTTPROUTE, HEAD(3) "  later: 1\n");
    stored_apply(old, KIND_XBACKENDTRAFFICPOLICY, POLICY(2, "a;b"));
    stored_apply(old, KIND_HTTPROUTE, RULE_AT_FAULT(2) "  later: 1\n");
    rig_turn(old);
    assert_int_equal(standing_missing(old), 0);
    standing_tell(old, &told);

    struct mesh *new = mesh_with_client();
    stored_apply(new, KIND_HTTPROUTE, HEAD(3) "  later: 1\n");
    stored_apply(new, KIND_XBACKENDTRAFFICPOLICY, POLICY(2, "a;b"));
    stored_apply(new, KIND_HTTPROUTE, RULE_AT_FAULT(2) "  later: 1\n");
    rig_turn(new);
    assert_int_equal(standing_missing(new), 3);
    /* not the one with a rule at fault, which would come back without */
    assert_int_equal(standing_take(new, buf_str(&told)), 2);
    rig_turn(new);
    assert_int_equal(standing_missing(new), 1);
    assert_int_equal(mesh_faults(new), 3);
    assert_int_equal(standing_take(new, buf_str(&told)), 0);
    const struct status *status = status_of(new, T_STATUS, "HTTPRoute/a/r");
    assert_true(str_ends_with(condition_of(status, C_unreadable)->message,
                              STR(" (generation 2 stays in force)")));
    const struct row *route = engine_get(mesh_engine(new), T_ROUTE, STR("HTTPRoute/a/r"));
    assert_true(object_equal(route, engine_get(mesh_engine(old), T_ROUTE, STR("HTTPRoute/a/r"))));
    assert_int_equal(standing_take(new, STR("{\n\n{\"kind\":\"Pod\"}\nnull\n")), 0);
    buf_release(&told);
    mesh_free(old);
    mesh_free(new);
}

#define CLASS(more)                                                                                \
    "metadata: {name: c}\nspec:\n  controllerName: heddle.dev/gateway-controller\n" more
#define GATEWAY(more)                                                                              \
    "metadata: {name: g, namespace: a}\nspec:\n  gatewayClassName: c\n" more                       \
    "  listeners: [{name: http, port: 80, protocol: HTTP}]\n"
#define LISTENER_SET                                                                               \
    "metadata: {name: l, namespace: b}\nspec:\n  parentRef: {name: g, namespace: a}\n"             \
    "  listeners: [{name: http, port: 80, protocol: HTTP}]\n"

/* Of a Gateway whose class cannot be read nobody knows any more that it is not heddle's. */
static void what_belongs_to_the_unreadable_is_unclear(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_with_client();
    stored_apply(mesh, KIND_GATEWAYCLASS, CLASS(""));
    stored_apply(mesh, KIND_GATEWAY, GATEWAY(""));
    stored_apply(mesh, KIND_LISTENERSET, LISTENER_SET);
    rig_turn(mesh);
    assert_false(standing_unclear(mesh, KIND_GATEWAY, STR("a"), STR("g")));
    assert_false(standing_unclear(mesh, KIND_LISTENERSET, STR("b"), STR("l")));
    assert_false(standing_unclear(mesh, KIND_GATEWAY, STR("a"), STR("none")));
    stored_apply(mesh, KIND_GATEWAYCLASS, CLASS("  later: 1\n"));
    rig_turn(mesh);
    assert_true(standing_unclear(mesh, KIND_GATEWAY, STR("a"), STR("g")));
    assert_true(standing_unclear(mesh, KIND_LISTENERSET, STR("b"), STR("l")));
    mesh_free(mesh);

    mesh = mesh_with_client();
    stored_apply(mesh, KIND_GATEWAY, GATEWAY("  later: 1\n"));
    stored_apply(mesh, KIND_LISTENERSET, LISTENER_SET);
    rig_turn(mesh);
    assert_true(standing_unclear(mesh, KIND_GATEWAY, STR("a"), STR("g")));
    assert_true(standing_unclear(mesh, KIND_LISTENERSET, STR("b"), STR("l")));
    mesh_free(mesh);
}

/* What may be read is not told to be what is in force: another replica's word has its limits. */
static void what_can_be_read_is_not_taken(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_with_client();
    rig_turn(mesh);
    assert_int_equal(
        standing_take(mesh, STR("{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":"
                                "{\"name\":\"s\",\"namespace\":\"a\"},\"spec\":{}}\n")),
        0);
    mesh_free(mesh);
}

#define TOLD(generation, path)                                                                     \
    "{\"apiVersion\":\"gateway.networking.x-k8s.io/v1alpha1\","                                    \
    "\"kind\":\"XBackendTrafficPolicy\",\"metadata\":{\"name\":\"p\",\"namespace\":\"a\","         \
    "\"generation\":" #generation                                                                  \
    "},\"spec\":{\"targetRefs\":[{\"group\":\"\",\"kind\":\"Service\","                            \
    "\"name\":\"s\"}],\"sessionPersistence\":{\"cookie\":{\"path\":\"" path "\"}}}}\n"

static const struct object *policy_of(const struct mesh *mesh)
{
    return (const struct object *)engine_get(mesh_engine(mesh), T_POLICY, STR("a/p"));
}

/* The answer of another replica comes between an event and its turn. */
static void what_happened_meanwhile_counts(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_with_client();
    stored_apply(mesh, KIND_XBACKENDTRAFFICPOLICY, POLICY(3, "a;b"));
    rig_turn(mesh);
    rig_delete(mesh, KIND_XBACKENDTRAFFICPOLICY, "a/p");
    assert_int_equal(standing_take(mesh, STR(TOLD(2, "/x"))), 0);
    rig_turn(mesh);
    assert_null(policy_of(mesh));

    stored_apply(mesh, KIND_XBACKENDTRAFFICPOLICY, POLICY(3, "a;b"));
    rig_turn(mesh);
    stored_apply(mesh, KIND_XBACKENDTRAFFICPOLICY, POLICY(4, "/y"));
    assert_int_equal(standing_take(mesh, STR(TOLD(2, "/x"))), 0);
    rig_turn(mesh);
    assert_int_equal(policy_of(mesh)->meta.generation, 4);
    mesh_free(mesh);
}

static void the_youngest_that_is_told_is_taken(void **state)
{
    (void)state;
    static const char *const told[] = {TOLD(1, "/x") TOLD(2, "/y") TOLD(9, "/before"),
                                       TOLD(9, "/before") TOLD(2, "/y") TOLD(1, "/x")};
    for (unsigned i = 0; i < 2; i++) {
        struct mesh *mesh = mesh_with_client();
        stored_apply(mesh, KIND_XBACKENDTRAFFICPOLICY, POLICY(3, "a;b"));
        rig_turn(mesh);
        assert_int_equal(standing_take(mesh, str_from(told[i])), 2 - i);
        rig_turn(mesh);
        assert_int_equal(policy_of(mesh)->meta.generation, 2);
        mesh_free(mesh);
    }
}

#define TLS_POLICY(generation, more)                                                               \
    "metadata: {name: t, namespace: a, generation: " #generation "}\nspec:\n" more                 \
    "  targetRefs: [{group: '', kind: Service, name: s}]\n"                                        \
    "  validation: {wellKnownCACertificates: System, hostname: s.test}\n"

/* A backend that is to be spoken TLS to is not sent plain text because heddle started anew. */
static void an_unreadable_tls_policy_closes(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_with_client();
    const struct engine *engine = mesh_engine(mesh);
    stored_apply(mesh, KIND_BACKENDTLSPOLICY, TLS_POLICY(2, "  later: 1\n"));
    rig_turn(mesh);
    const struct ir_backend_tls *tls =
        (const struct ir_backend_tls *)engine_get(engine, T_BACKEND_TLS, STR("a/s:80"));
    assert_non_null(tls);
    assert_true(str_starts_with(tls->fault, STR("BackendTLSPolicy 'a/t': later: ")));

    stored_apply(mesh, KIND_BACKENDTLSPOLICY, TLS_POLICY(3, ""));
    rig_turn(mesh);
    stored_apply(mesh, KIND_BACKENDTLSPOLICY, TLS_POLICY(4, "  later: 1\n"));
    rig_turn(mesh);
    tls = (const struct ir_backend_tls *)engine_get(engine, T_BACKEND_TLS, STR("a/s:80"));
    assert_int_equal(tls->fault.len, 0);
    assert_true(str_eq(tls->hostname, STR("s.test")));

    rig_delete(mesh, KIND_BACKENDTLSPOLICY, "a/t");
    rig_turn(mesh);
    assert_null(engine_get(engine, T_BACKEND_TLS, STR("a/s:80")));
    mesh_free(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_match_is_at_fault),
        cmocka_unit_test(one_rule_is_at_fault),
        cmocka_unit_test(faults_make_a_difference),
        cmocka_unit_test(later_fields),
        cmocka_unit_test(only_what_is_read_is_kept),
        cmocka_unit_test(siblings_are_served),
        cmocka_unit_test(all_rules_at_fault),
        cmocka_unit_test(connections_are_refused),
        cmocka_unit_test(last_good_stays),
        cmocka_unit_test(parents_are_told_as_written),
        cmocka_unit_test(policies_and_services),
        cmocka_unit_test(another_replica_tells),
        cmocka_unit_test(what_belongs_to_the_unreadable_is_unclear),
        cmocka_unit_test(what_can_be_read_is_not_taken),
        cmocka_unit_test(what_happened_meanwhile_counts),
        cmocka_unit_test(the_youngest_that_is_told_is_taken),
        cmocka_unit_test(an_unreadable_tls_policy_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
