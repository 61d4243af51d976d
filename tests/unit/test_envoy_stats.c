/* SPDX-License-Identifier: Apache-2.0 */
/* test_envoy_stats: when is an Envoy configured, and how many connections does it have? */
#include "agent/envoy_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static bool configured(const char *cds, const char *lds, const char *warming)
{
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   "cluster_manager.cds.%s\ncluster_manager.warming_clusters: 0\n"
                   "listener_manager.lds.%s\nlistener_manager.total_listeners_warming: %s\n",
                   cds, lds, warming);
    return envoy_is_configured(str_from(text));
}

static void test_configured(void **state)
{
    (void)state;
    assert_false(envoy_is_configured(STR("")));
    assert_false(configured("update_success: 0", "update_success: 0", "0"));
    assert_false(configured("update_success: 1", "update_success: 0", "0"));
    assert_false(configured("update_success: 1", "update_success: 1", "2"));
    assert_true(configured("update_success: 1", "update_success: 1", "0"));
    assert_true(configured("update_success: 12", "update_rejected: 1", "0"));
}

static void test_connections(void **state)
{
    (void)state;
    assert_int_equal(envoy_connections(STR("")), 0);
    assert_int_equal(
        envoy_connections(STR("listener.0.0.0.0_15006.downstream_cx_active: 2\n"
                              "listener.0.0.0.0_15006.worker_0.downstream_cx_active: 1\n"
                              "listener.0.0.0.0_15006.worker_1.downstream_cx_active: 1\n"
                              "listener.[__1]_15001.downstream_cx_active: 3\n"
                              "listener.admin.downstream_cx_active: 1\n"
                              "listener.admin.main_thread.downstream_cx_active: 1\n"
                              "no line of that form\n")),
        5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configured),
        cmocka_unit_test(test_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
