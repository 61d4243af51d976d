/* SPDX-License-Identifier: Apache-2.0 */
/* explain_rig: a small mesh, and what is told of one request: the JSON of /api/why without the
 * client. */
#ifndef HEDDLE_TESTS_EXPLAIN_RIG_H
#define HEDDLE_TESTS_EXPLAIN_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mesh_rig.h"
#include "pipeline/explain.h"

#define SERVICE(name, spec)                                                                        \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: a}\nspec: {" spec   \
    "}\n"
#define HTTP_PORT "ports: [{name: http, port: 80, appProtocol: http}]"
#define ENDPOINTS(name, port)                                                                      \
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"                                  \
    "metadata: {name: " name "-1, namespace: a, labels: {kubernetes.io/service-name: " name "}}\n" \
    "addressType: IPv4\nports: [{name: " port ", port: 3000}]\n"                                   \
    "endpoints: [{addresses: [10.9.0.1], zone: z}]\n"
#define ROUTE(kind, name, ns, created, rules)                                                      \
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: " kind "\n"                              \
    "metadata: {name: " name ", namespace: " ns ", creationTimestamp: \"" created "\"}\nspec:\n"   \
    "  parentRefs: [{group: \"\", kind: Service, name: echo, namespace: a}]\n"                     \
    "  rules:\n" rules
#define OLD "2026-01-01T00:00:00Z"
#define YOUNG "2026-01-02T00:00:00Z"
#define MESH                                                                                       \
    SERVICE("echo", "clusterIP: 10.0.0.1, " HTTP_PORT)                                             \
    SERVICE("one", "clusterIP: 10.0.0.2, " HTTP_PORT) ENDPOINTS("one", "http")

#define BACKEND_ONE                                                                                \
    "\"backends\":[{\"share\":1,\"backend\":\"a/one:80\",\"endpoints\":[{\"address\":"             \
    "\"10.9.0.1:3000\",\"zone\":\"z\"}]}]"

/* Of a request for 'echo' that the rule a/r/0 sends to 'one'. */
#define FORWARD_RULE                                                                               \
    "{\"service\":\"a/echo:80\",\"routing\":\"producer HTTPRoutes: those of the Service's "        \
    "namespace\",\"rules\":[{\"rule\":\"HTTPRoute/a/r/0\",\"file\":\"test.yaml\",\"line\":8,"      \
    "\"match\":\"any path\",\"verdict\":\"takes the request\"}],"                                  \
    "\"decision\":{\"action\":\"forward\",\"rule\":\"HTTPRoute/a/r/0\",\"file\":\"test.yaml\","    \
    "\"line\":8," BACKEND_ONE ","

static inline struct client_class client(const char *id)
{
    struct str rest = str_from(id);
    struct str role = str_cut(&rest, '/');
    struct str gateway = rest; /* of ROLE_GATEWAY: "NS/NAME" */
    return (struct client_class){
        .role = str_eq(role, STR("proxyless")) ? ROLE_PROXYLESS
                : str_eq(role, STR("gateway")) ? ROLE_GATEWAY
                                               : ROLE_SIDECAR,
        .gateway = gateway,
        .ns = str_cut(&rest, '/'),
    };
}

/* header: "name: value", "sni name" or NULL. ret_out ends in NUL. */
static inline void ask(const struct mesh *mesh, const struct client_class *class,
                       const char *method, const char *url, const char *header, struct buf *ret_out)
{
    struct question question;
    struct arena arena;
    struct json json;
    struct err err;
    arena_init(&arena);
    buf_init(ret_out, BUF_UNLIMITED);
    assert_true(question_parse(str_from(method), str_from(url), &arena, &question, &err));
    if (header != NULL && str_starts_with(str_from(header), STR("sni "))) {
        assert_true(question_set_server_name(str_sub(str_from(header), 4, strlen(header)),
                                             &question, &err));
    } else if (header != NULL) {
        assert_true(question_add_header(str_from(header), &question.request, &err));
    }
    question.client = class;
    assert_true(question_fits(&question, &err));
    json_init(&json, ret_out, 0);
    json_open(&json, '{');
    explain(mesh_engine(mesh), &question, 0, &arena, &json);
    json_close(&json, '}');
    buf_add_byte(ret_out, 0);
    arena_release(&arena);
}

static inline void assert_answer(const struct mesh *mesh, const struct client_class *class,
                                 const char *method, const char *url, const char *header,
                                 const char *wanted)
{
    struct buf out;
    ask(mesh, class, method, url, header, &out);
    assert_string_equal(out.data, wanted);
    buf_release(&out);
}

/* A mesh with YAML, asked once. */
static inline void assert_told(const char *yaml, const char *node, const char *method,
                               const char *url, const char *header, const char *wanted)
{
    struct mesh *mesh = rig_mesh();
    struct client_class class = client(node);
    rig_apply(mesh, yaml);
    rig_turn(mesh);
    assert_answer(mesh, &class, method, url, header, wanted);
    mesh_free(mesh);
}

#endif
