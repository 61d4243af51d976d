/* SPDX-License-Identifier: Apache-2.0 */
/* test_inbound: what is told of a call that comes in at a server, and of which of its listeners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mesh_rig.h"
#include "pipeline/explain.h"

#define SERVER "grpc/server?xds.resource.listening_address="

static const char *const in_go[] = {SERVER "[::]:1", SERVER "10.0.0.1:2", SERVER "0.0.0.0:2",
                                    SERVER "10.0.0.2:2"};

/* listener: the key that is given, empty where none is; told: a part of the JSON. */
static void assert_inbound(enum client_role role, const char *url, const char *listener,
                           const char *told)
{
    const struct client_class class = {.role = role, .ns = STR("a"), .dialect = "grpc.go"};
    struct mesh *mesh = rig_mesh();
    struct question question;
    struct arena arena;
    struct json json;
    struct buf out;
    struct err err;
    for (size_t i = 0; i < sizeof(in_go) / sizeof(in_go[0]); i++) {
        mesh_interest(mesh, STR("grpc.go"), str_from(in_go[i]), true);
    }
    mesh_interest(mesh, STR("grpc.core"), STR(SERVER "10.0.0.1:3"), true);
    rig_turn(mesh);
    arena_init(&arena);
    buf_init(&out, BUF_UNLIMITED);
    assert_true(question_parse(STR("POST"), str_from(url), &arena, &question, &err));
    question.client = &class;
    json_init(&json, &out, 0);
    json_open(&json, '{');
    struct explained explained = explain(mesh_engine(mesh), &question, 0, &arena, &json);
    json_close(&json, '}');
    buf_add_byte(&out, 0);
    assert_true(str_eq(explained.listener, str_from(listener)));
    assert_non_null(strstr((const char *)out.data, told));
    buf_release(&out);
    arena_release(&arena);
    mesh_free(mesh);
}

static void test_accepted(void **state)
{
    (void)state;
    assert_inbound(ROLE_PROXYLESS, "grpc://[::]:1/p.S/M", "grpc.go|" SERVER "[::]:1",
                   "{\"routing\":\"server listener: what comes in at [::]:1\",\"decision\":{"
                   "\"action\":\"accept\",\"outcome\":\"the server answers itself: nothing is "
                   "demanded of who calls\"}}");
}

static void test_bound_to_the_address_comes_before_bound_to_all(void **state)
{
    (void)state;
    assert_inbound(ROLE_PROXYLESS, "grpc://10.0.0.1:2/p.S/M", "grpc.go|" SERVER "10.0.0.1:2",
                   "at 10.0.0.1:2");
    assert_inbound(ROLE_PROXYLESS, "grpc://10.0.0.2:2/p.S/M", "grpc.go|" SERVER "10.0.0.2:2",
                   "at 10.0.0.2:2");
    assert_inbound(ROLE_PROXYLESS, "grpc://10.0.0.3:2/p.S/M", "grpc.go|" SERVER "0.0.0.0:2",
                   "at 0.0.0.0:2");
}

static void test_no_server_of_theirs(void **state)
{
    (void)state;
    /* that one is of another dialect */
    assert_inbound(ROLE_PROXYLESS, "grpc://10.0.0.1:3/p.S/M", "",
                   "'10.0.0.1:3' is no Service port");
    assert_inbound(ROLE_PROXYLESS, "grpc://one.a:2/p.S/M", "", "'one.a:2' is no Service port");
    assert_inbound(ROLE_SIDECAR, "grpc://10.0.0.1:2/p.S/M", "", "\"action\":\"passthrough\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_bound_to_the_address_comes_before_bound_to_all),
        cmocka_unit_test(test_no_server_of_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
