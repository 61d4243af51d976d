/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_store: conditions keep the time at which their status turned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ir/attachment.h"
#include "status/store.h"

#define SECOND UINT64_C(1000)

/* A route with one parentRef and up to two conditions. */
static struct status *new_row(const char *name, int first, int second, int64_t generation)
{
    struct status *row = row_new(sizeof(*row), 512);
    struct arena *arena = &row->row.arena;
    row->kind = KIND_HTTPROUTE;
    row->ns = STR("a");
    row->name = str_from(name);
    row->generation = generation;
    row->parents.items = ARENA_NEW(arena, struct status_parent);
    row->parents.len = 1;
    struct status_parent *parent = &row->parents.items[0];
    parent->ref.kind = STR("Service");
    parent->ref.name = STR("echo");
    parent->conditions.items = ARENA_ARRAY(arena, 2, struct condition);
    parent->conditions.items[parent->conditions.len++] = (struct condition){first, STR("text")};
    if (second >= 0) {
        parent->conditions.items[parent->conditions.len++] = (struct condition){second, STR("2")};
    }
    return row;
}

static void apply(struct status_store *store, const struct status *before,
                  const struct status *after, uint64_t now_ms)
{
    const struct row_change change = {
        .before = before != NULL ? &before->row : NULL,
        .after = after != NULL ? &after->row : NULL,
    };
    status_store_apply(store, (struct row_changes){&change, 1}, now_ms);
}

static const char *render(const struct status_store *store, bool times)
{
    static char text[4096];
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    status_store_render(store, times, &json);
    (void)snprintf(text, sizeof(text), "%.*s", STR_FMT(buf_str(&out)));
    buf_release(&out);
    return text;
}

static unsigned count(const char *text, const char *part)
{
    unsigned found = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        found++;
    }
    return found;
}

static void test_times(void **state)
{
    (void)state;
    struct status_store *store = status_store_new();
    struct status *first = new_row("r", C_accepted, C_resolved, 1);
    apply(store, NULL, first, 10 * SECOND);
    assert_int_equal(count(render(store, true), "1970-01-01T00:00:10Z"), 2);

    /* Another reason of the same status, and a new generation, keep the time; a turned one not. */
    struct status *second = new_row("r", C_accepted, C_backend_not_found, 2);
    apply(store, first, second, 20 * SECOND);
    const char *text = render(store, true);
    assert_int_equal(count(text, "1970-01-01T00:00:10Z"), 1);
    assert_int_equal(count(text, "1970-01-01T00:00:20Z"), 1);
    assert_int_equal(count(text, "\"observedGeneration\":2"), 2);
    struct status *third = new_row("r", C_accepted, C_invalid_kind, 3);
    apply(store, second, third, 30 * SECOND);
    text = render(store, true);
    assert_int_equal(count(text, "1970-01-01T00:00:20Z"), 1);
    assert_int_equal(count(text, "InvalidKind"), 1);

    /* A condition that went and comes again is new. */
    struct status *fourth = new_row("r", C_accepted, -1, 4);
    apply(store, third, fourth, 40 * SECOND);
    struct status *fifth = new_row("r", C_accepted, C_resolved, 4);
    apply(store, fourth, fifth, 50 * SECOND);
    text = render(store, true);
    assert_int_equal(count(text, "1970-01-01T00:00:10Z"), 1);
    assert_int_equal(count(text, "1970-01-01T00:00:50Z"), 1);

    apply(store, fifth, NULL, 60 * SECOND);
    assert_string_equal(render(store, true), "{\"items\":[]}");
    status_store_free(store);
    struct status *rows[] = {first, second, third, fourth, fifth};
    for (size_t i = 0; i < 5; i++) {
        row_unref(&rows[i]->row, NULL);
    }
}

/* The times of a parentRef go with it when another one is put in front of it. */
static void test_parents_move(void **state)
{
    (void)state;
    struct status_store *store = status_store_new();
    struct status *first = new_row("r", C_accepted, -1, 1);
    struct status *second = new_row("r", C_accepted, -1, 2);
    struct arena *arena = &second->row.arena;
    struct status_parent *parents = ARENA_ARRAY(arena, 2, struct status_parent);
    parents[0] = second->parents.items[0];
    parents[0].ref.name = STR("new");
    parents[1] = second->parents.items[0];
    second->parents.items = parents;
    second->parents.len = 2;
    apply(store, NULL, first, 10 * SECOND);
    apply(store, first, second, 20 * SECOND);
    const char *text = render(store, true);
    assert_true(strstr(text, "1970-01-01T00:00:20Z") < strstr(text, "1970-01-01T00:00:10Z"));
    status_store_free(store);
    row_unref(&first->row, NULL);
    row_unref(&second->row, NULL);
}

static void test_render(void **state)
{
    (void)state;
    struct status_store *store = status_store_new();
    struct status *b = new_row("b", C_conflicted, -1, 1);
    struct status *a = new_row("a", C_accepted, -1, 1);
    apply(store, NULL, b, 0);
    apply(store, NULL, a, 0);
    const char *text = render(store, false);
    assert_null(strstr(text, "lastTransitionTime"));
    assert_true(strstr(text, "\"name\":\"a\"") < strstr(text, "\"name\":\"b\""));
    assert_non_null(strstr(
        text, "{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"HTTPRoute\","
              "\"metadata\":{\"name\":\"b\",\"namespace\":\"a\",\"generation\":1},"
              "\"status\":{\"parents\":[{\"parentRef\":{\"group\":\"\",\"kind\":\"Service\","
              "\"name\":\"echo\"},\"controllerName\":\"heddle.dev/gateway-controller\","
              "\"conditions\":[{\"type\":\"Accepted\",\"status\":\"False\","
              "\"observedGeneration\":1,\"reason\":\"Conflicted\",\"message\":\"text\"}]}]}}"));
    status_store_free(store);
    row_unref(&a->row, NULL);
    row_unref(&b->row, NULL);
}

static void note_changed(void *user, enum kind_id kind, struct str ns, struct str name)
{
    char *told = user;
    size_t len = strlen(told);
    (void)snprintf(told + len, 256 - len, "%s/%.*s/%.*s ", kind_info(kind)->kind, STR_FMT(ns),
                   STR_FMT(name));
}

static void test_changes_are_told(void **state)
{
    (void)state;
    char told[256] = "";
    struct status_store *store = status_store_new();
    struct status *first = new_row("r", C_accepted, -1, 1);
    struct status *second = new_row("r", C_conflicted, -1, 1);
    apply(store, NULL, first, SECOND); /* nobody watches yet */
    status_store_watch(store, note_changed, told);
    apply(store, first, second, SECOND);
    assert_string_equal(told, "HTTPRoute/a/r ");
    apply(store, second, NULL, SECOND);
    assert_string_equal(told, "HTTPRoute/a/r HTTPRoute/a/r ");
    status_store_free(store);
    row_unref(&first->row, NULL);
    row_unref(&second->row, NULL);
}

static bool give_propagated(void *user, enum kind_id kind, struct str ns, struct str name,
                            int64_t generation, struct propagated *ret_propagated)
{
    assert_int_equal(kind, KIND_HTTPROUTE);
    assert_true(str_eq(ns, STR("a")) && str_eq(name, STR("r")));
    assert_int_equal(generation, 7);
    *ret_propagated = *(const struct propagated *)user;
    return ret_propagated->since_ms != 0;
}

static const char *render_one(const struct status_store *store, const char *name)
{
    static char text[2048];
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    bool any = status_store_render_one(store, KIND_HTTPROUTE, STR("a"), str_from(name), &json);
    assert_int_equal(any, out.len > 0);
    (void)snprintf(text, sizeof(text), "%.*s", STR_FMT(buf_str(&out)));
    buf_release(&out);
    return text;
}

/* heddle.dev/Propagated is the last condition of each parent, when somebody counts. */
static void test_propagated(void **state)
{
    (void)state;
    static const struct {
        struct propagated propagated;
        const char *want;
    } cases[] = {
        {{0, 0, true, 0}, "\"message\":\"text\"}]"},
        {{0, 0, true, SECOND}, "\"reason\":\"NoClients\",\"message\":\"no client is "},
        {{12, 3, false, SECOND},
         "\"status\":\"False\",\"observedGeneration\":7,\"lastTransitionTime\":"
         "\"1970-01-01T00:00:01Z\",\"reason\":\"Pending\",\"message\":"
         "\"3 of 12 clients acknowledged generation 7\"}]"},
        {{412, 412, true, SECOND},
         "\"type\":\"heddle.dev/Propagated\",\"status\":\"True\",\"observedGeneration\":7,"
         "\"lastTransitionTime\":\"1970-01-01T00:00:01Z\",\"reason\":\"AllAcknowledged\","
         "\"message\":\"412 of 412 clients acknowledged generation 7\"}]"},
    };
    struct status_store *store = status_store_new();
    struct status *row = new_row("r", C_accepted, -1, 7);
    apply(store, NULL, row, SECOND);
    assert_string_equal(render_one(store, "other"), "");
    assert_null(strstr(render_one(store, "r"), "Propagated"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct propagated propagated = cases[i].propagated;
        status_store_propagation(store, &(struct propagation){&propagated, give_propagated});
        assert_non_null(strstr(render_one(store, "r"), cases[i].want));
    }
    status_store_free(store);
    row_unref(&row->row, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),      cmocka_unit_test(test_parents_move),
        cmocka_unit_test(test_render),     cmocka_unit_test(test_changes_are_told),
        cmocka_unit_test(test_propagated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
