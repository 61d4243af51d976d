/* SPDX-License-Identifier: Apache-2.0 */
/* test_since: which change is told for which routing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mesh_rig.h"
#include "pipeline/since.h"

static struct since since;

static int start(void **state)
{
    (void)state;
    memset(&since, 0, sizeof(since));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    since_release(&since);
    return 0;
}

static const struct row some_row;

static void turn(const char *key, bool there, uint64_t now_ms)
{
    struct row_change change = {.key = str_from(key), .after = there ? &some_row : NULL};
    const struct row_changes changes = {&change, 1};
    since_turn(&since, &changes, 1, now_ms);
}

static void assert_since(const char *key, const char *wanted)
{
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    json_open(&json, '{');
    since_tell(&since, str_from(key), &json);
    json_close(&json, '}');
    buf_add_byte(&out, 0);
    assert_string_equal(out.data, wanted);
    buf_release(&out);
}

static void the_last_change_is_told(void **state)
{
    (void)state;
    since_note(&since, STR("Service"), STR("a/s"));
    since_note(&since, STR("HTTPRoute"), STR("HTTPRoute/a/r"));
    turn("a/s:80", true, 1000);
    turn("a/t:80", true, 2000);
    assert_since("a/s:80", "{\"since\":{\"at\":\"1970-01-01T00:00:01.000Z\",\"turn\":1,"
                           "\"objects\":[\"Service/a/s\",\"HTTPRoute/a/r\"]}}");
    assert_since("a/t:80", "{\"since\":{\"at\":\"1970-01-01T00:00:02.000Z\",\"turn\":2,"
                           "\"objects\":[]}}");
    since_note(&since, STR("Service"), STR("Service"));
    turn("a/s:80", true, 3000);
    assert_since("a/s:80", "{\"since\":{\"at\":\"1970-01-01T00:00:03.000Z\",\"turn\":3,"
                           "\"objects\":[\"Service/Service\"]}}");
}

static void what_is_gone_has_no_change(void **state)
{
    (void)state;
    turn("a/s:80", true, 1000);
    turn("a/s:80", false, 2000);
    turn("never-there:80", false, 2000);
    assert_since("a/s:80", "{}");
    assert_since("", "{}");
}

static void many_objects_are_counted(void **state)
{
    (void)state;
    for (int i = 0; i < SINCE_OBJECTS_MAX + 3; i++) {
        since_note(&since, STR("Service"), STR("a/s"));
    }
    turn("a/s:80", true, 1000);
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    json_open(&json, '{');
    since_tell(&since, STR("a/s:80"), &json);
    json_close(&json, '}');
    assert_true(str_ends_with(buf_str(&out), STR("],\"more_objects\":3}}")));
    buf_release(&out);
}

static void a_turn_that_changes_nothing_leaves_all(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: a}\n"
                    "spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}\n");
    rig_turn(mesh);
    rig_apply(mesh, "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
    rig_turn(mesh);
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    json_open(&json, '{');
    since_tell(mesh_since(mesh), STR("a/s:80"), &json);
    json_close(&json, '}');
    assert_true(str_contains(buf_str(&out), STR("\"turn\":1,\"objects\":[\"Service/a/s\"]")));
    buf_release(&out);
    mesh_free(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_change_is_told, start, stop),
        cmocka_unit_test_setup_teardown(what_is_gone_has_no_change, start, stop),
        cmocka_unit_test_setup_teardown(many_objects_are_counted, start, stop),
        cmocka_unit_test(a_turn_that_changes_nothing_leaves_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
