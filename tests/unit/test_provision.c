/* SPDX-License-Identifier: Apache-2.0 */
/* test_provision: what the API server is asked to make of a Gateway, and when it is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/metric.h"
#include "provision_rig.h"

#define DAY_S 86400
#define MENDED_MS 400 /* the first wait before something is written again, and more */

static int index_of(const struct prig *rig, const char *path)
{
    for (unsigned i = 0; i < rig->applies && i < 64; i++) {
        if (strncmp(rig->applied[i], path, strlen(path)) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* --- making ---------------------------------------------------------------------------------- */

static void test_all_is_made_once(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    turn(&rig->loop, 50);
    assert_int_equal(rig->applies, 0); /* it does not lead */
    prig_lead(rig);
    assert_int_equal(rig->applies, 5);
    assert_true(index_of(rig, ACCOUNT) >= 0 && index_of(rig, SERVICE) >= 0);
    assert_true(index_of(rig, BUDGET) >= 0 && index_of(rig, AUTOSCALER) < 0);
    assert_true(index_of(rig, DEPLOYMENT) > index_of(rig, IDENTITY));
    assert_true(index_of(rig, DEPLOYMENT) > index_of(rig, ACCOUNT));
    provision_changed(rig->provision, STR("a/web"));
    turn(&rig->loop, 50);
    assert_int_equal(rig->applies, 5);
    prig_free(rig);
}

static void test_nothing_before_it_is_accepted(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    rig->ir.accepted = false;
    provision_gone(rig->provision, STR("a"), STR("web"));
    provision_seen(rig->provision, STR("a"), STR("web"), STR("gateway-uid"));
    provision_changed(rig->provision, STR("a/web"));
    provision_lead(rig->provision, true);
    turn(&rig->loop, 50);
    assert_int_equal(rig->applies, 0);
    assert_null(rig->placed);
    rig->ir.accepted = true;
    provision_changed(rig->provision, STR("a/web"));
    until(&rig->loop, rig->applies == 5);
    rig->ir.accepted = false; /* what is there stays */
    provision_changed(rig->provision, STR("a/web"));
    turn(&rig->loop, 50);
    assert_int_equal(rig->deletes, 0);
    prig_free(rig);
}

static void test_only_what_changed_is_applied(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    rig->listener.port = 8080;
    provision_changed(rig->provision, STR("a/web"));
    until(&rig->loop, rig->applies == 6);
    turn(&rig->loop, 30);
    assert_int_equal(rig->applies, 6);
    assert_non_null(strstr(rig->applied[5], "/services/"));
    prig_free(rig);
}

/* --- mending --------------------------------------------------------------------------------- */

static void test_an_edit_is_mended(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    prig_edit(rig, DEPLOYMENT, "{\"spec\":{\"replicas\":7}}", true);
    until(&rig->loop, rig->applies == 6);
    assert_int_equal(json_integer_value(member(object_at(rig, DEPLOYMENT), "spec", "replicas")), 1);
    turn(&rig->loop, 30);
    assert_int_equal(rig->applies, 6);
    prig_free(rig);
}

/* Once right away, then ever later. */
static void test_who_undoes_all_is_not_followed_at_once(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    int64_t mended = metric_get(M_provision_mended);
    rig->undone = "{\"spec\":{\"type\":\"NodePort\"}}";
    prig_lead(rig);
    uint64_t begin = loop_now_ms(&rig->loop);
    until(&rig->loop, rig->applies == 7);
    assert_true(loop_now_ms(&rig->loop) - begin >= 450);
    turn(&rig->loop, 300);
    assert_int_equal(rig->applies, 7);
    assert_int_equal(metric_get(M_provision_mended) - mended, 2);
    rig->listener.port = 8080; /* something else is written at once */
    rig->undone = NULL;
    provision_changed(rig->provision, STR("a/web"));
    turn(&rig->loop, 100);
    assert_int_equal(rig->applies, 8);
    prig_free(rig);
}

static void test_what_others_add_is_left_alone(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    prig_edit(rig, DEPLOYMENT, "{\"status\":{\"availableReplicas\":1}}", false);
    prig_edit(rig, SERVICE, "{\"metadata\":{\"finalizers\":[\"cloud\"]}}", false);
    turn(&rig->loop, 50);
    assert_int_equal(rig->applies, 5);
    assert_int_equal(rig->placed->ready, 1);
    prig_free(rig);
}

static void test_what_was_deleted_is_made_again(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    prig_remove(rig, SERVICE);
    prig_remove(rig, IDENTITY);
    until(&rig->loop, object_at(rig, SERVICE) != NULL && object_at(rig, IDENTITY) != NULL);
    turn(&rig->loop, 30);
    assert_int_equal(rig->applies, 7);
    prig_free(rig);
}

static void test_labels_that_were_taken_come_back(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    prig_edit(rig, SERVICE, "{\"metadata\":{\"labels\":{\"" PART_MANAGER_LABEL "\":\"me\"}}}",
              true);
    until(&rig->loop, is_labelled(object_at(rig, SERVICE)));
    prig_free(rig);
}

static void test_a_new_leader_leaves_certificates(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    provision_lead(rig->provision, false);
    prig_edit(rig, DEPLOYMENT, "{\"spec\":{\"replicas\":7}}", true);
    turn(&rig->loop, 30);
    assert_int_equal(rig->applies, 5);
    provision_lead(rig->provision, true);
    until(&rig->loop, rig->applies == 9); /* each once, since it cannot know what is intact */
    turn(&rig->loop, 30);
    assert_int_equal(rig->applies, 9);
    prig_free(rig);
}

/* --- what is not heddle's, and what is no more -------------------------------------------------
 */

static void test_others_objects_are_never_touched(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_store(rig, SERVICE,
               json_pack("{s:{s:s, s:s}}", "metadata", "name", "web-heddle", "namespace", "a"),
               NULL);
    provision_lead(rig->provision, true);
    until(&rig->loop, rig->placed != NULL && rig->placed->error.len > 0);
    turn(&rig->loop, 30);
    assert_true(str_eq(rig->placed->error, STR("Service 'a/web-heddle': it is there and not "
                                               "heddle's; delete or rename it")));
    assert_false(rig->placed->address_unusable);
    assert_int_equal(index_of(rig, SERVICE), -1);
    json_object_del(rig->objects, SERVICE); /* it goes: heddle finds out by itself */
    until(&rig->loop, object_at(rig, SERVICE) != NULL);
    until(&rig->loop, rig->placed->error.len == 0);
    prig_free(rig);
}

static void test_an_autoscaler_comes_and_goes(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    rig->parameters.replicas = 3;
    provision_changed(rig->provision, STR("a/web"));
    prig_lead(rig);
    rig->parameters.max_replicas = 9;
    provision_changed(rig->provision, STR("a/web"));
    until(&rig->loop, object_at(rig, AUTOSCALER) != NULL);
    turn(&rig->loop, 50);
    /* handed over before heddle asks for none */
    assert_int_equal(json_integer_value(member(object_at(rig, DEPLOYMENT), "spec", "replicas")), 3);
    assert_true(json_is_true(member(object_at(rig, DEPLOYMENT), "spec", "handed")));
    prig_edit(rig, DEPLOYMENT, "{\"spec\":{\"replicas\":5}}", false);
    turn(&rig->loop, 30);
    assert_int_equal(json_integer_value(member(object_at(rig, DEPLOYMENT), "spec", "replicas")), 5);
    rig->parameters.max_replicas = 0;
    provision_changed(rig->provision, STR("a/web"));
    until(&rig->loop, object_at(rig, AUTOSCALER) == NULL);
    until(&rig->loop,
          json_integer_value(member(object_at(rig, DEPLOYMENT), "spec", "replicas")) == 3);
    assert_int_equal(rig->deletes, 1);
    prig_free(rig);
}

static void test_all_goes_with_the_class(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    rig->class = PROVISION_UNKNOWN; /* who deletes a GatewayClass by mistake loses no traffic */
    provision_changed(rig->provision, STR("a/web"));
    turn(&rig->loop, 50);
    assert_int_equal(rig->deletes, 0);
    rig->class = PROVISION_OTHERS;
    provision_changed(rig->provision, STR("a/web"));
    until(&rig->loop, json_object_size(rig->objects) == 0);
    assert_int_equal(rig->deletes, 5);
    assert_null(rig->placed);
    prig_free(rig);
}

static void test_a_deleted_gateway_is_the_collectors(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    rig->there = false;
    provision_gone(rig->provision, STR("a"), STR("web"));
    turn(&rig->loop, 50);
    assert_int_equal(rig->deletes, 0);
    assert_int_equal(rig->applies, 5);
    assert_null(rig->placed);
    prig_remove(rig, SERVICE);
    turn(&rig->loop, 50);
    assert_null(object_at(rig, SERVICE)); /* nobody wants it */
    prig_free(rig);
}

/* --- what is refused ---------------------------------------------------------------------------
 */

static void test_a_refused_address(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    rig->parameters.service_type = STR("ClusterIP");
    rig->wanted[0] = (struct ir_address){STR("IPAddress"), STR("192.0.2.1")};
    rig->ir.wanted.len = 1;
    rig->refuse = 422;
    rig->refusals = 1;
    rig->refuse_path = "/services/";
    rig->message = "failed to allocate IP 192.0.2.1";
    provision_changed(rig->provision, STR("a/web"));
    provision_lead(rig->provision, true);
    until(&rig->loop, rig->placed->error.len > 0);
    assert_true(rig->placed->address_unusable);
    assert_true(str_contains(rig->placed->error, STR("failed to allocate IP 192.0.2.1")));
    until(&rig->loop, object_at(rig, SERVICE) != NULL); /* tried again */
    prig_free(rig);
}

static void test_trouble_is_no_error_of_the_gateway(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    rig->refuse = 503;
    rig->refusals = 3;
    rig->refuse_path = "/namespaces/";
    provision_lead(rig->provision, true);
    until(&rig->loop, json_object_size(rig->objects) == 5);
    assert_int_equal(rig->placed->error.len, 0);
    assert_int_equal(rig->refusals, 0);
    prig_free(rig);
}

static void test_what_cannot_be_changed_is_made_anew(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    rig->wanted[0] = (struct ir_address){STR("IPAddress"), STR("10.96.0.9")};
    rig->ir.wanted.len = 1;
    rig->parameters.service_type = STR("ClusterIP");
    rig->refuse = 422;
    rig->refusals = 1;
    rig->refuse_path = "/services/";
    rig->message = "spec.clusterIPs[0]: Invalid value: may not change once set";
    provision_changed(rig->provision, STR("a/web"));
    until(&rig->loop, rig->deletes == 1);
    until(&rig->loop, object_at(rig, SERVICE) != NULL);
    assert_string_equal(json_string_value(member(object_at(rig, SERVICE), "spec", "clusterIP")),
                        "10.96.0.9");
    prig_free(rig);
}

/* --- where it is -------------------------------------------------------------------------------
 */

#define GIVEN(ip) "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"" ip "\"}]}}}"

static void test_addresses_of_a_load_balancer(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    assert_true(rig->placed->pending);
    prig_edit(rig, SERVICE, GIVEN("198.51.100.7"), false);
    until(&rig->loop, rig->placed->addresses.len == 1);
    assert_true(str_eq(rig->placed->addresses.items[0].value, STR("198.51.100.7")));
    assert_false(rig->placed->pending);
    unsigned told = rig->told;
    prig_edit(rig, SERVICE, "{\"metadata\":{\"annotations\":{\"x\":\"y\"}}}", false);
    turn(&rig->loop, 30);
    assert_int_equal(rig->told, told); /* nothing is new */
    prig_free(rig);
}

static void test_a_load_balancer_that_is_faster_than_the_answer(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    rig->hasty = GIVEN("198.51.100.7");
    prig_lead(rig);
    until(&rig->loop, rig->placed->addresses.len == 1);
    turn(&rig->loop, 50);
    assert_int_equal(rig->placed->addresses.len, 1);
    assert_int_equal(rig->applies, 5);
    prig_free(rig);
}

static void test_nothing_is_told_before_all_is_known(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    prig_edit(rig, SERVICE, GIVEN("198.51.100.7"), false);
    prig_edit(rig, DEPLOYMENT, "{\"status\":{\"availableReplicas\":1}}", false);
    assert_int_equal(metric_get(M_gateways_down), 1);
    until(&rig->loop, rig->placed->ready == 1 && !rig->placed->pending);
    assert_int_equal(metric_get(M_gateways), 1);
    assert_int_equal(metric_get(M_gateways_down), 0);
    rig->withheld = "services";
    prig_restart(rig);
    unsigned told = rig->told;
    turn(&rig->loop, 100);
    assert_false(provision_synced(rig->provision));
    assert_int_equal(rig->told, told); /* not: there is no address any more */
    rig->withheld = NULL;
    until(&rig->loop, rig->told > told);
    assert_true(provision_synced(rig->provision));
    assert_int_equal(rig->told, told + 1);
    assert_int_equal(rig->placed->addresses.len, 1);
    assert_int_equal(rig->placed->ready, 1);
    prig_free(rig);
}

static void test_an_address_that_is_not_given(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    rig->wanted[0] = (struct ir_address){STR("IPAddress"), STR("192.0.2.1")};
    rig->ir.wanted.len = 1;
    provision_changed(rig->provision, STR("a/web"));
    assert_true(rig->placed->pending && !rig->placed->address_unusable);
    prig_lead(rig);
    assert_string_equal(
        json_string_value(member(object_at(rig, SERVICE), "spec", "loadBalancerIP")), "192.0.2.1");
    until(&rig->loop, rig->placed->address_unusable);
    prig_edit(rig, SERVICE, GIVEN("192.0.2.1"), false); /* late, but there it is */
    until(&rig->loop, !rig->placed->address_unusable);
    assert_int_equal(rig->placed->error.len, 0);
    prig_free(rig);
}

static void test_a_service_has_one_address(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    rig->wanted[0] = (struct ir_address){STR("IPAddress"), STR("192.0.2.1")};
    rig->wanted[1] = (struct ir_address){STR("IPAddress"), STR("192.0.2.2")};
    rig->ir.wanted.len = 2;
    provision_changed(rig->provision, STR("a/web"));
    assert_true(rig->placed->address_unusable); /* at once */
    assert_true(str_contains(rig->placed->error, STR("'192.0.2.2' cannot be had besides")));
    prig_free(rig);
}

static void test_what_keeps_pods_from_being_made_is_told(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    prig_edit(rig, DEPLOYMENT,
              "{\"status\":{\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":\"True\","
              "\"message\":\"exceeded quota: small\"}]}}",
              false);
    until(&rig->loop, rig->placed->error.len > 0);
    assert_string_equal(rig->placed->error.ptr, "exceeded quota: small");
    prig_free(rig);
}

/* --- certificates ------------------------------------------------------------------------------
 */

static char *certificate_of(const struct prig *rig)
{
    return strdup(json_string_value(member(object_at(rig, IDENTITY), "data", "tls.crt")));
}

/* The loop turns; the timer for the next look is made short by leading anew. */
static bool is_renewed(struct prig *rig)
{
    char *before = certificate_of(rig);
    provision_lead(rig->provision, false);
    provision_lead(rig->provision, true);
    turn(&rig->loop, MENDED_MS);
    char *after = certificate_of(rig);
    bool renewed = strcmp(before, after) != 0;
    free(before);
    free(after);
    return renewed;
}

static void test_a_certificate_is_renewed_in_time(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    rig->now_s += 19 * DAY_S;
    assert_false(is_renewed(rig));
    rig->now_s += 2 * DAY_S;
    assert_true(is_renewed(rig));
    assert_false(is_renewed(rig));
    prig_free(rig);
}

static void test_a_certificate_follows_its_ca(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    struct err err;
    struct keyring next;
    prig_lead(rig);
    char *before = certificate_of(rig);
    assert_true(keyring_make(rig->now_s, &next, &err));
    provision_keyring(rig->provision, &next);
    turn(&rig->loop, MENDED_MS);
    char *after = certificate_of(rig);
    assert_string_not_equal(before, after);
    free(before);
    free(after);
    provision_keyring(rig->provision, &rig->ring);
    keyring_release(&next);
    prig_free(rig);
}

static void test_an_edited_certificate_is_made_again(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    prig_edit(rig, IDENTITY, "{\"data\":{\"tls.crt\":\"eA==\"}}", true);
    turn(&rig->loop, MENDED_MS);
    char *now = certificate_of(rig);
    assert_string_not_equal(now, "eA==");
    free(now);
    prig_free(rig);
}

/* Whose Envoys run already is as well off as before. */
static void test_a_ca_that_is_not_known_yet_is_no_error(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    prig_lead(rig);
    provision_keyring(rig->provision, NULL);
    turn(&rig->loop, 30);
    assert_int_equal(rig->placed->error.len, 0);
    prig_free(rig);
}

static void test_without_a_ca_there_are_no_pods(void **state)
{
    (void)state;
    struct prig *rig = prig_new();
    provision_keyring(rig->provision, NULL);
    provision_lead(rig->provision, true);
    until(&rig->loop, object_at(rig, BUDGET) != NULL);
    turn(&rig->loop, 30);
    assert_null(object_at(rig, DEPLOYMENT));
    assert_true(str_contains(rig->placed->error, STR("no CA")));
    provision_keyring(rig->provision, &rig->ring);
    until(&rig->loop, object_at(rig, DEPLOYMENT) != NULL);
    assert_int_equal(rig->placed->error.len, 0);
    prig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_made_once),
        cmocka_unit_test(test_nothing_before_it_is_accepted),
        cmocka_unit_test(test_only_what_changed_is_applied),
        cmocka_unit_test(test_an_edit_is_mended),
        cmocka_unit_test(test_who_undoes_all_is_not_followed_at_once),
        cmocka_unit_test(test_what_others_add_is_left_alone),
        cmocka_unit_test(test_what_was_deleted_is_made_again),
        cmocka_unit_test(test_labels_that_were_taken_come_back),
        cmocka_unit_test(test_a_new_leader_leaves_certificates),
        cmocka_unit_test(test_others_objects_are_never_touched),
        cmocka_unit_test(test_an_autoscaler_comes_and_goes),
        cmocka_unit_test(test_all_goes_with_the_class),
        cmocka_unit_test(test_a_deleted_gateway_is_the_collectors),
        cmocka_unit_test(test_a_refused_address),
        cmocka_unit_test(test_trouble_is_no_error_of_the_gateway),
        cmocka_unit_test(test_what_cannot_be_changed_is_made_anew),
        cmocka_unit_test(test_addresses_of_a_load_balancer),
        cmocka_unit_test(test_a_load_balancer_that_is_faster_than_the_answer),
        cmocka_unit_test(test_nothing_is_told_before_all_is_known),
        cmocka_unit_test(test_an_address_that_is_not_given),
        cmocka_unit_test(test_a_service_has_one_address),
        cmocka_unit_test(test_what_keeps_pods_from_being_made_is_told),
        cmocka_unit_test(test_a_certificate_is_renewed_in_time),
        cmocka_unit_test(test_a_certificate_follows_its_ca),
        cmocka_unit_test(test_an_edited_certificate_is_made_again),
        cmocka_unit_test(test_a_ca_that_is_not_known_yet_is_no_error),
        cmocka_unit_test(test_without_a_ca_there_are_no_pods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
