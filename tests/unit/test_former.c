/* SPDX-License-Identifier: Apache-2.0 */
/* test_former: a Gateway that changes from one class of heddle's to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provision_rig.h"

#define NEXT_SERVICE "/api/v1/namespaces/a/services/web-next"
#define NEXT_DEPLOYMENT "/apis/apps/v1/namespaces/a/deployments/web-next"
#define NEXT_AUTOSCALER "/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers/web-next"
#define AVAILABLE "{\"status\":{\"availableReplicas\":1}}"

static bool is_at(const struct prig *rig, const char *address)
{
    return rig->placed->addresses.len == 1 &&
           str_eq(rig->placed->addresses.items[0].value, str_from(address));
}

static void change_class(struct prig *rig, const char *class)
{
    rig->gateway.class = str_from(class);
    provision_changed(rig->provision, STR("a/web"));
}

static bool has_message(const struct prig *rig, const char *text)
{
    return rig->placed != NULL && str_contains(rig->placed->former, str_from(text));
}

/* A Gateway of class heddle with an Envoy, whose Service has a ClusterIP. */
static struct prig *prig_serving(const char *address)
{
    struct prig *rig = prig_new();
    rig->allocates = true;
    rig->parameters.service_type = STR("ClusterIP");
    rig->wanted[0] = (struct ir_address){STR("IPAddress"), str_from(address)};
    rig->ir.wanted.len = address[0] != '\0' ? 1 : 0;
    provision_changed(rig->provision, STR("a/web"));
    prig_lead(rig);
    prig_edit(rig, DEPLOYMENT, AVAILABLE, false);
    until(&rig->loop, rig->placed->ready == 1 && rig->placed->addresses.len == 1);
    assert_int_equal(rig->placed->former.len, 0);
    return rig;
}

static void test_the_old_serves_until_the_new_does_and_a_while_longer(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("");
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    turn(&rig->loop, 3 * PRIG_LINGER_MS);
    assert_int_equal(json_object_size(rig->objects), 10);
    assert_true(is_at(rig, "10.96.0.100") && rig->placed->ready == 1);
    assert_true(has_message(rig, "Deployment 'a/web-next' has yet to become ready"));
    assert_int_equal(rig->placed->error.len, 0);
    prig_edit(rig, NEXT_DEPLOYMENT, AVAILABLE, false);
    until(&rig->loop, is_at(rig, "10.96.0.101"));
    assert_int_equal(rig->placed->former.len, 0);
    turn(&rig->loop, PRIG_LINGER_MS / 2);
    assert_int_equal(rig->deletes, 0);
    until(&rig->loop, rig->deletes == 5);
    turn(&rig->loop, 30);
    assert_null(object_at(rig, SERVICE));
    assert_null(object_at(rig, DEPLOYMENT));
    assert_int_equal(json_object_size(rig->objects), 5);
    assert_true(is_at(rig, "10.96.0.101"));
    prig_free(rig);
}

static void test_what_never_becomes_ready_takes_nothing_away(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("");
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    prig_edit(rig, NEXT_DEPLOYMENT,
              "{\"status\":{\"conditions\":[{\"type\":\"Progressing\",\"status\":\"False\"}]}}",
              false);
    until(&rig->loop, has_message(rig, "does not become ready"));
    prig_edit(rig, NEXT_DEPLOYMENT,
              "{\"status\":{\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":\"True\","
              "\"message\":\"exceeded quota: small\"}]}}",
              false);
    until(&rig->loop, has_message(rig, "Deployment 'a/web-next': exceeded quota: small"));
    turn(&rig->loop, 2 * PRIG_LINGER_MS);
    assert_int_equal(rig->deletes, 0);
    assert_true(is_at(rig, "10.96.0.100"));
    prig_free(rig);
}

/* Of two pods that are asked for one is not enough: it would have to bear what two bore. */
static void test_all_envoys_are_waited_for(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("");
    rig->parameters.replicas = 2;
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    prig_edit(rig, NEXT_DEPLOYMENT, AVAILABLE, false);
    turn(&rig->loop, 2 * PRIG_LINGER_MS);
    assert_int_equal(rig->deletes, 0);
    prig_edit(rig, NEXT_DEPLOYMENT, "{\"status\":{\"availableReplicas\":2}}", false);
    until(&rig->loop, rig->deletes == 5);
    prig_free(rig);
}

static void test_a_load_balancers_address_is_waited_for(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("");
    rig->parameters.service_type = STR("LoadBalancer");
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    prig_edit(rig, NEXT_DEPLOYMENT, AVAILABLE, false);
    until(&rig->loop, has_message(rig, "Service 'a/web-next' has yet to get its address"));
    turn(&rig->loop, 2 * PRIG_LINGER_MS);
    assert_true(rig->deletes == 0 && is_at(rig, "10.96.0.100"));
    prig_edit(rig, NEXT_SERVICE,
              "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"198.51.100.7\"}]}}}", false);
    until(&rig->loop, is_at(rig, "198.51.100.7"));
    until(&rig->loop, rig->deletes == 5);
    prig_free(rig);
}

/* Where no load balancer gives any, clients come by node ports, and nothing would ever end the
 * wait. */
static void test_where_there_was_no_address_none_is_waited_for(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    rig->wanted[0] = (struct ir_address){STR("IPAddress"), STR("198.51.100.7")};
    rig->ir.wanted.len = 1;
    provision_changed(rig->provision, STR("a/web"));
    prig_lead(rig);
    prig_edit(rig, DEPLOYMENT, AVAILABLE, false);
    until(&rig->loop, rig->placed->ready == 1);
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    turn(&rig->loop, 2 * PRIG_LINGER_MS);
    assert_int_equal(rig->deletes, 0);
    prig_edit(rig, NEXT_DEPLOYMENT, AVAILABLE, false);
    until(&rig->loop, rig->deletes == 5);
    assert_non_null(object_at(rig, NEXT_SERVICE));
    assert_int_equal(rig->placed->ready, 1);
    prig_free(rig);
}

/* --- one address for both ----------------------------------------------------------------------
 */

static void test_an_address_goes_over_when_the_new_envoys_are_there(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("10.96.0.9");
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    turn(&rig->loop, 2 * PRIG_LINGER_MS);
    assert_null(object_at(rig, NEXT_SERVICE));
    assert_true(rig->deletes == 0 && is_at(rig, "10.96.0.9") && rig->placed->error.len == 0);
    prig_edit(rig, NEXT_DEPLOYMENT, AVAILABLE, false);
    until(&rig->loop, object_at(rig, NEXT_SERVICE) != NULL);
    assert_int_equal(rig->deletes, 1); /* the pods linger for the connections that there are */
    assert_null(object_at(rig, SERVICE));
    assert_string_equal(cluster_ip(object_at(rig, NEXT_SERVICE)), "10.96.0.9");
    until(&rig->loop, is_at(rig, "10.96.0.9") && rig->placed->former.len == 0);
    until(&rig->loop, rig->deletes == 5);
    assert_int_equal(rig->placed->error.len, 0);
    prig_free(rig);
}

static void test_an_address_that_is_taken_takes_nothing_away(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("");
    prig_store(rig, "/api/v1/namespaces/b/services/other",
               json_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "name", "other", "namespace", "b",
                         "spec", "clusterIP", "10.96.0.9"),
               NULL);
    rig->wanted[0] = (struct ir_address){STR("IPAddress"), STR("10.96.0.9")};
    rig->ir.wanted.len = 1;
    change_class(rig, "next");
    until(&rig->loop, rig->placed->address_unusable);
    prig_edit(rig, NEXT_DEPLOYMENT, AVAILABLE, false);
    turn(&rig->loop, 2 * PRIG_LINGER_MS);
    assert_true(str_contains(rig->placed->error, STR("already allocated")));
    assert_true(rig->deletes == 0 && is_at(rig, "10.96.0.100") && rig->placed->ready == 1);
    prig_free(rig);
}

/* --- and whatever happens meanwhile ----------------------------------------------------------- */

static void test_back_to_the_class_before(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("");
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    turn(&rig->loop, 30);
    rig->linger_ms = 600000;
    prig_restart(rig);
    provision_lead(rig->provision, true);
    until(&rig->loop, rig->placed != NULL);
    change_class(rig, "heddle");
    assert_true(is_at(rig, "10.96.0.100") && rig->placed->former.len == 0);
    until(&rig->loop, rig->deletes == 5); /* nobody can be at what never served */
    turn(&rig->loop, 30);
    assert_true(object_at(rig, SERVICE) != NULL && object_at(rig, NEXT_SERVICE) == NULL);
    assert_true(is_at(rig, "10.96.0.100"));
    prig_free(rig);
}

static void test_a_new_leader_keeps_the_old(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("");
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    turn(&rig->loop, 30);
    prig_restart(rig);
    until(&rig->loop, rig->placed != NULL);
    assert_true(is_at(rig, "10.96.0.100") && rig->placed->ready == 1);
    provision_lead(rig->provision, true);
    turn(&rig->loop, 2 * PRIG_LINGER_MS);
    assert_int_equal(rig->deletes, 0);
    prig_edit(rig, NEXT_DEPLOYMENT, AVAILABLE, false);
    until(&rig->loop, rig->deletes == 5);
    assert_true(is_at(rig, "10.96.0.101"));
    prig_free(rig);
}

static void test_nothing_is_kept_for_another_controller(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("");
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    turn(&rig->loop, 30);
    rig->class = PROVISION_OTHERS;
    provision_changed(rig->provision, STR("a/web"));
    until(&rig->loop, json_object_size(rig->objects) == 0);
    assert_null(rig->placed);
    prig_free(rig);
}

static void test_a_deleted_gateways_are_the_collectors(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("");
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    turn(&rig->loop, 30);
    rig->there = false;
    provision_gone(rig->provision, STR("a"), STR("web"));
    prig_remove(rig, SERVICE);
    prig_remove(rig, NEXT_DEPLOYMENT);
    turn(&rig->loop, 50);
    assert_int_equal(rig->deletes, 0);
    prig_free(rig);
}

/* An autoscaler begins with one, which would be taken for enough. */
static void test_as_many_envoys_as_there_were(void **state)
{
    (void)state;
    struct prig *rig = prig_serving("");
    rig->parameters.max_replicas = 9;
    provision_changed(rig->provision, STR("a/web"));
    until(&rig->loop, object_at(rig, AUTOSCALER) != NULL);
    turn(&rig->loop, 50);
    prig_edit(rig, DEPLOYMENT, "{\"spec\":{\"replicas\":5},\"status\":{\"availableReplicas\":5}}",
              false);
    until(&rig->loop, rig->placed->ready == 5);
    change_class(rig, "next");
    until(&rig->loop, object_at(rig, NEXT_DEPLOYMENT) != NULL);
    until(&rig->loop,
          json_integer_value(member(object_at(rig, NEXT_DEPLOYMENT), "spec", "replicas")) == 5);
    turn(&rig->loop, 30);
    prig_edit(rig, NEXT_DEPLOYMENT, "{\"spec\":{\"replicas\":4}}", false); /* the autoscaler */
    turn(&rig->loop, 50);
    assert_int_equal(
        json_integer_value(member(object_at(rig, NEXT_DEPLOYMENT), "spec", "replicas")), 4);
    prig_edit(rig, NEXT_DEPLOYMENT, "{\"status\":{\"availableReplicas\":4}}", false);
    until(&rig->loop, object_at(rig, DEPLOYMENT) == NULL);
    prig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_old_serves_until_the_new_does_and_a_while_longer),
        cmocka_unit_test(test_what_never_becomes_ready_takes_nothing_away),
        cmocka_unit_test(test_all_envoys_are_waited_for),
        cmocka_unit_test(test_a_load_balancers_address_is_waited_for),
        cmocka_unit_test(test_where_there_was_no_address_none_is_waited_for),
        cmocka_unit_test(test_an_address_goes_over_when_the_new_envoys_are_there),
        cmocka_unit_test(test_an_address_that_is_taken_takes_nothing_away),
        cmocka_unit_test(test_back_to_the_class_before),
        cmocka_unit_test(test_a_new_leader_keeps_the_old),
        cmocka_unit_test(test_nothing_is_kept_for_another_controller),
        cmocka_unit_test(test_a_deleted_gateways_are_the_collectors),
        cmocka_unit_test(test_as_many_envoys_as_there_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
