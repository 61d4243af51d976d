/* SPDX-License-Identifier: Apache-2.0 */
/* test_mesh: what clients say, as inputs of the engine: counted, bounded, and gone with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/client.h"
#include "mesh_rig.h"

#define MANY 300

static size_t rows(const struct mesh *mesh, unsigned table)
{
    return engine_count(mesh_engine(mesh), table);
}

static void test_views_are_counted(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_open(mesh, 1, "sidecar/a/x", "envoy");
    rig_open(mesh, 2, "sidecar/a/y", "envoy");
    rig_open(mesh, 3, "sidecar/b/x", "envoy");
    rig_turn(mesh);
    assert_int_equal(mesh_clients(mesh), 3);
    /* two scopes for each namespace, three common ones, and that some say no node */
    assert_int_equal(rows(mesh, T_VIEW), 8);
    mesh_close(mesh, 1);
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_VIEW), 8);
    mesh_close(mesh, 2);
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_VIEW), 6);
    assert_null(mesh_client(mesh, 2));
    assert_non_null(mesh_client(mesh, 3));
    mesh_close(mesh, 3);
    mesh_close(mesh, 3); /* closed twice, as a refused one is */
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_VIEW), 0);
    mesh_free(mesh);
}

static void test_refused_client(void **state)
{
    (void)state;
    const struct mesh_settings settings = {
        .cluster_domain = STR("cluster.local"), .trust_domain = STR("t"), .kubernetes = true};
    struct mesh *mesh = mesh_new(&settings);
    const struct mesh_client *client = NULL;
    struct err err;
    struct node *node = rig_node("gateway/a/g", "envoy", "");
    assert_false(mesh_open(mesh, 1, node, &client, &err)); /* before the first turn, too */
    assert_non_null(strstr(err.text, "shows no certificate"));
    assert_int_equal(mesh_clients(mesh), 0);
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_VIEW), 0);
    node = rig_node("gateway/a/g", "envoy", "");
    node->identity = STR("spiffe://t/gateway/a/g");
    assert_true(mesh_open(mesh, 1, node, &client, &err));
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_VIEW), 3); /* its own, all, and that it says no node */
    mesh_free(mesh);
}

static void test_interest_is_counted(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_open(mesh, 1, "proxyless/a/x", "gRPC Go");
    mesh_interest(mesh, STR(SCOPE_GRPC_GO), STR("echo.a:80"), true);
    mesh_interest(mesh, STR(SCOPE_GRPC_GO), STR("echo.a:80"), true);
    mesh_interest(mesh, STR(SCOPE_GRPC_CORE), STR("echo.a:80"), true);
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_TARGET), 2);
    assert_non_null(rig_resource(mesh, XDS_LDS, SCOPE_GRPC_GO, "echo.a:80"));
    mesh_interest(mesh, STR(SCOPE_GRPC_GO), STR("echo.a:80"), false);
    rig_turn(mesh);
    assert_non_null(rig_resource(mesh, XDS_LDS, SCOPE_GRPC_GO, "echo.a:80"));
    mesh_free(mesh);
}

static struct resource *new_resource(unsigned number)
{
    char name[32];
    snprintf(name, sizeof(name), "a/s%u:80", number);
    return resource_new(XDS_RDS, STR("envoy"), str_from(name), STR_NULL, STR("x"));
}

static void test_rejections(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    struct resource *one = new_resource(1);
    struct resource *two = new_resource(2);
    const struct resource *both[] = {one, two};
    rig_open(mesh, 1, "sidecar/a/x", "envoy");
    rig_open(mesh, 2, "sidecar/a/y", "envoy");
    mesh_rejected(mesh, 1, XDS_RDS, both, 2, STR("no"));
    mesh_rejected(mesh, 2, XDS_RDS, both, 1, STR("no"));
    mesh_rejected(mesh, 1, XDS_RDS, both, 1, STR("still no")); /* replaces its own */
    mesh_rejected(mesh, 9, XDS_RDS, both, 2, STR("nobody"));
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_REJECTION), 3);
    mesh_accepted(mesh, 1, XDS_RDS, both, 1);
    mesh_accepted(mesh, 9, XDS_RDS, both, 1);
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_REJECTION), 2);
    mesh_close(mesh, 1);
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_REJECTION), 1);
    resource_unref(one);
    resource_unref(two);
    mesh_free(mesh); /* with what client 2 has said */
}

static void test_rejections_are_bounded(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_open(mesh, 1, "sidecar/a/x", "envoy");
    for (unsigned i = 0; i < MANY; i++) {
        struct resource *resource = new_resource(i);
        mesh_rejected(mesh, 1, XDS_RDS, (const struct resource *const *)&resource, 1, STR("no"));
        resource_unref(resource);
    }
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_REJECTION), 200);
    mesh_close(mesh, 1);
    rig_turn(mesh);
    assert_int_equal(rows(mesh, T_REJECTION), 0);
    mesh_free(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views_are_counted),      cmocka_unit_test(test_refused_client),
        cmocka_unit_test(test_interest_is_counted),    cmocka_unit_test(test_rejections),
        cmocka_unit_test(test_rejections_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
