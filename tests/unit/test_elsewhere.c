/* SPDX-License-Identifier: Apache-2.0 */
/* Does a replica's status tell what clients of another are and reject, as long as it is so? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/client.h"
#include "mesh_rig.h"
#include "pipeline/elsewhere.h"

#define NOBODY "{\"scopes\":[],\"rejections\":[]}"
#define MANY (ELSEWHERE_REJECTIONS_MAX + 20)
#define PER_CLIENT 200 /* rejections that are kept of one */

static const char *const objects =
    "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, "
    "spec: {clusterIP: 10.0.0.1, ports: [{port: 80, appProtocol: http}]}}\n---\n"
    "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, "
    "metadata: {name: r, namespace: a, generation: 1}, spec: {"
    "parentRefs: [{group: '', kind: Service, name: s}]}}";

/* Two replicas of one mesh; clients 1 and 2 are connected to the first. */
struct world {
    struct mesh *here, *there;
    struct buf text;
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    w->here = rig_mesh();
    w->there = rig_mesh();
    rig_apply(w->here, objects);
    rig_apply(w->there, objects);
    rig_open(w->here, 1, "sidecar/a/x", "envoy");
    rig_open(w->here, 2, "sidecar/a/y", "envoy");
    rig_turn(w->here);
    rig_turn(w->there);
    buf_init(&w->text, BUF_UNLIMITED);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    mesh_free(w->here);
    mesh_free(w->there);
    buf_release(&w->text);
    free(w);
    return 0;
}

static void reject(struct world *w, stream_id id, const char *name, const char *scope,
                   const char *words)
{
    struct resource *of =
        resource_new(XDS_RDS, str_from(scope), str_from(name), STR_NULL, STR("x"));
    mesh_rejected(w->here, id, XDS_RDS, (const struct resource *const *)&of, 1, str_from(words));
    resource_unref(of);
}

static void accept_again(struct world *w, stream_id id, const char *name)
{
    struct resource *of = resource_new(XDS_RDS, STR("envoy"), str_from(name), STR_NULL, STR("x"));
    mesh_accepted(w->here, id, XDS_RDS, (const struct resource *const *)&of, 1);
    resource_unref(of);
}

/* The second asks the first. */
static void ask(struct world *w, uint64_t now_ms)
{
    rig_turn(w->here);
    buf_clear(&w->text);
    mesh_tell_others(w->here, &w->text);
    mesh_hear_other(w->there, STR("10.0.0.1:15017"), buf_str(&w->text), now_ms);
    rig_turn(w->there);
}

/* The route's status in the mesh, in w->text. */
static const char *status(struct world *w, const struct mesh *mesh)
{
    struct json json;
    buf_clear(&w->text);
    json_init(&json, &w->text, 0);
    assert_true(
        status_store_render_one(mesh_status(mesh), KIND_HTTPROUTE, STR("a"), STR("r"), &json));
    buf_add_byte(&w->text, '\0');
    return (const char *)w->text.data;
}

static size_t rows(const struct mesh *mesh)
{
    return engine_count(mesh_engine(mesh), T_REJECTION);
}

static void what_another_is_told_is_in_the_status(void **state)
{
    struct world *w = *state;
    assert_null(strstr(status(w, w->there), "Programmed"));
    reject(w, 2, "a/s:80", "envoy", "second words");
    reject(w, 1, "a/s:80", "envoy", "\"first\" words\n\xc3\xa4");
    ask(w, 1);
    const char *told = status(w, w->there);
    assert_non_null(strstr(told, "heddle.dev/Programmed"));
    assert_non_null(strstr(told, "'sidecar/a/x' and 1 more: \\\"first\\\" words\\n\xc3\xa4\""));
    char *there = strdup(told);
    assert_string_equal(status(w, w->here), there); /* whoever writes, it is the same */
    free(there);
    accept_again(w, 1, "a/s:80");
    ask(w, 2);
    assert_non_null(strstr(status(w, w->there), "rejected by 'sidecar/a/y': second words"));
    accept_again(w, 2, "a/s:80");
    ask(w, 3);
    assert_null(strstr(status(w, w->there), "Programmed"));
    assert_int_equal(rows(w->there), 0);
}

static void each_tells_of_its_own_clients_alone(void **state)
{
    struct world *w = *state;
    reject(w, 1, "a/s:80", "envoy", "no");
    ask(w, 1);
    assert_true(mesh_others_reject(w->there));
    buf_clear(&w->text);
    mesh_tell_others(w->there, &w->text);
    assert_true(str_eq(buf_str(&w->text), STR(NOBODY)));
    mesh_hear_other(w->here, STR("10.0.0.2:15017"), STR(NOBODY), 1);
    assert_false(mesh_dirty(w->here));
    assert_int_equal(rows(w->here), 1);
}

static void the_scopes_of_a_name_are_told_apart(void **state)
{
    struct world *w = *state;
    reject(w, 1, "a/s:80", "envoy", "no");
    reject(w, 2, "a/s:80", "envoy@b", "no, either"); /* a consumer's */
    ask(w, 1);
    assert_int_equal(rows(w->there), 2);
    assert_non_null(strstr(status(w, w->there), "rejected by 'sidecar/a/x': no\""));
}

/* A route with a filter that proxyless clients do not know. */
static void kinds_of_clients_are_told(void **state)
{
    struct world *w = *state;
    rig_apply(w->there, "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, "
                        "metadata: {name: r, namespace: a, generation: 1}, spec: {"
                        "parentRefs: [{group: '', kind: Service, name: s}], rules: [{filters: [{"
                        "type: RequestHeaderModifier, requestHeaderModifier: {remove: [x]}}]}]}}");
    ask(w, 1);
    assert_null(strstr(status(w, w->there), "Enforced"));
    rig_open(w->here, 3, "proxyless/a/z", "gRPC Go");
    ask(w, 2);
    assert_non_null(strstr(status(w, w->there), "proxyless gRPC clients do not apply rules[0]"));
    assert_int_equal(engine_count(mesh_engine(w->there), T_VIEW), 0); /* nothing is made for them */
    mesh_close(w->here, 3);
    ask(w, 3);
    assert_null(strstr(status(w, w->there), "Enforced"));
}

static void scopes_of_one_namespace_are_not_told(void **state)
{
    struct world *w = *state;
    ask(w, 1);
    buf_add_byte(&w->text, '\0');
    assert_non_null(strstr((const char *)w->text.data, "\"envoy\""));
    assert_null(strchr((const char *)w->text.data, '@'));
}

static void the_same_answer_wakes_nobody(void **state)
{
    struct world *w = *state;
    reject(w, 1, "a/s:80", "envoy", "no");
    ask(w, 1);
    buf_clear(&w->text);
    mesh_tell_others(w->here, &w->text);
    mesh_hear_other(w->there, STR("10.0.0.1:15017"), buf_str(&w->text), 2);
    assert_false(mesh_dirty(w->there));
}

static void who_is_silent_for_long_is_forgotten(void **state)
{
    struct world *w = *state;
    reject(w, 1, "a/s:80", "envoy", "no");
    ask(w, 10);
    ask(w, 20); /* the same again counts as well */
    mesh_forget_others(w->there, 20);
    assert_false(mesh_dirty(w->there));
    mesh_forget_others(w->there, 21);
    assert_true(mesh_dirty(w->there));
    rig_turn(w->there);
    assert_null(strstr(status(w, w->there), "Programmed"));
    assert_false(mesh_others_reject(w->there));
    ask(w, 30); /* it is back, and says what it said before */
    assert_non_null(strstr(status(w, w->there), "Programmed"));
}

static void what_is_no_answer_changes_nothing(void **state)
{
    static const char *const odd[] = {
        "",           "{", "[]", "{}", "{\"scopes\":[],\"rejections\":{}}", "{\"rejections\":[]}",
        "not found\n"};
    struct world *w = *state;
    reject(w, 1, "a/s:80", "envoy", "no");
    ask(w, 1);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        mesh_hear_other(w->there, STR("10.0.0.1:15017"), str_from(odd[i]), 2);
        assert_false(mesh_dirty(w->there));
    }
    mesh_hear_other(
        w->there, STR("10.0.0.1:15017"),
        STR("{\"scopes\":[7,\"\"],\"rejections\":[{\"type\":\"of later\",\"clients\":1},1,"
            "{\"type\":\"rds\"},{\"type\":\"rds\",\"clients\":0}]}"),
        2);
    rig_turn(w->there);
    assert_int_equal(rows(w->there), 0); /* that was one, of entries that say nothing */
}

static void told_are_not_more_than_can_be_heard(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof(name), "a/s%u:80", i);
        if (i % PER_CLIENT == 0) {
            rig_open(w->here, 10 + i / PER_CLIENT, "sidecar/a/z", "envoy");
        }
        reject(w, 10 + i / PER_CLIENT, name, "envoy", "no");
    }
    ask(w, 1);
    assert_int_equal(rows(w->here), MANY);
    assert_int_equal(rows(w->there), ELSEWHERE_REJECTIONS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_another_is_told_is_in_the_status), TEST(each_tells_of_its_own_clients_alone),
        TEST(the_scopes_of_a_name_are_told_apart),   TEST(kinds_of_clients_are_told),
        TEST(scopes_of_one_namespace_are_not_told),  TEST(the_same_answer_wakes_nobody),
        TEST(who_is_silent_for_long_is_forgotten),   TEST(what_is_no_answer_changes_nothing),
        TEST(told_are_not_more_than_can_be_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
