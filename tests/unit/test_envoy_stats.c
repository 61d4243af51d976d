/* SPDX-License-Identifier: Apache-2.0 */
/* test_envoy_stats: when is an Envoy configured, and whom would its end cut off? */
#include "agent/envoy_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* What it lacks, with a connection to heddle. */
static const char *lacks(const char *cds, const char *lds, const char *warming)
{
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   "control_plane.connected_state: "
                   "1\ncluster_manager.cds.%s\ncluster_manager.warming_clusters: 0\n"
                   "listener_manager.lds.%s\nlistener_manager.total_listeners_warming: %s\n"
                   "listener_manager.workers_started: 1\n",
                   cds, lds, warming);
    return envoy_lacks(str_from(text));
}

static void test_configured(void **state)
{
    (void)state;
    assert_string_equal(envoy_lacks(STR("")), "a connection to heddle");
    assert_string_equal(envoy_lacks(STR("control_plane.connected_state: 0\n")),
                        "a connection to heddle");
    assert_string_equal(lacks("update_success: 0", "update_success: 0", "0"),
                        "clusters from heddle");
    assert_string_equal(lacks("update_success: 1", "update_success: 0", "0"),
                        "listeners from heddle");
    assert_string_equal(lacks("update_success: 1", "update_success: 1", "2"),
                        "what its clusters and listeners name");
    assert_null(lacks("update_success: 1", "update_success: 1", "0"));
    assert_null(lacks("update_success: 12", "update_rejected: 1", "0"));
    /* lost meanwhile: what is in force counts */
    assert_null(envoy_lacks(STR("control_plane.connected_state: 0\n"
                                "cluster_manager.cds.update_success: 1\n"
                                "listener_manager.lds.update_success: 1\n"
                                "listener_manager.workers_started: 1\n")));
    assert_string_equal(envoy_lacks(STR("cluster_manager.cds.update_success: 1\n"
                                        "listener_manager.lds.update_success: 1\n"
                                        "listener_manager.workers_started: 0\n")),
                        "listeners that are open");
}

static void test_busy(void **state)
{
    (void)state;
    assert_int_equal(envoy_busy(STR("")), 0);
    assert_int_equal(envoy_busy(STR("listener.0.0.0.0_15006.downstream_cx_active: 2\n"
                                    "listener.0.0.0.0_15006.worker_0.downstream_cx_active: 1\n"
                                    "listener.0.0.0.0_15006.worker_1.downstream_cx_active: 1\n"
                                    "listener.[__1]_15001.downstream_cx_active: 3\n"
                                    "listener.admin.downstream_cx_active: 1\n"
                                    "listener.metrics.downstream_cx_active: 1\n"
                                    "listener.admin.main_thread.downstream_cx_active: 1\n"
                                    "http.admin.downstream_cx_active: 1\n"
                                    "http.admin.downstream_rq_active: 1\n"
                                    "http.metrics.downstream_cx_active: 1\n"
                                    "no line of that form\n")),
                     5);
    /* seven connections, five of HTTP, with three requests */
    assert_int_equal(envoy_busy(STR("listener.0.0.0.0_8080.downstream_cx_active: 7\n"
                                    "http.gateway/a/b_8080.downstream_cx_active: 5\n"
                                    "http.gateway/a/b_8080.downstream_rq_active: 3\n")),
                     5);
    assert_int_equal(envoy_busy(STR("listener.0.0.0.0_8080.downstream_cx_active: 5\n"
                                    "http.gateway/a/b_8080.downstream_cx_active: 5\n"
                                    "http.gateway/a/b_8080.downstream_rq_active: 0\n")),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configured),
        cmocka_unit_test(test_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
