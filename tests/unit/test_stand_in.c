/* SPDX-License-Identifier: Apache-2.0 */
/* test_stand_in: a Service that is to have another clusterIP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provision_rig.h"

#define OTHERS "/api/v1/namespaces/b/services/other"
#define STAND_IN "/api/v1/namespaces/a/services/web-heddle-x0001"

static struct prig *prig_serving(void)
{
    struct prig *rig = prig_new();
    rig->allocates = true;
    rig->parameters.service_type = STR("ClusterIP");
    provision_changed(rig->provision, STR("a/web"));
    prig_lead(rig);
    assert_string_equal(cluster_ip(object_at(rig, SERVICE)), "10.96.0.100");
    return rig;
}

static void others(struct prig *rig, const char *address)
{
    prig_store(rig, OTHERS,
               json_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "name", "other", "namespace", "b",
                         "spec", "clusterIP", address),
               NULL);
}

static void want(struct prig *rig, const char *address)
{
    rig->wanted[0] = (struct ir_address){STR("IPAddress"), str_from(address)};
    rig->ir.wanted.len = address[0] != '\0' ? 1 : 0;
    provision_changed(rig->provision, STR("a/web"));
}

static bool has_ip(const struct prig *rig, const char *address)
{
    json_t *service = object_at(rig, SERVICE);
    return service != NULL && strcmp(cluster_ip(service), address) == 0;
}

static void check_moved(struct prig *rig)
{
    want(rig, "10.96.0.9");
    until(&rig->loop, has_ip(rig, "10.96.0.9"));
    turn(&rig->loop, 50);
    assert_int_equal(rig->posts, 1);
    assert_int_equal(json_object_size(rig->objects), 5);
    assert_int_equal(rig->deletes, 2);
    assert_string_equal(rig->deleted[0], SERVICE); /* the address is kept until then */
    assert_string_equal(rig->deleted[1], STAND_IN);
    assert_int_equal(rig->placed->error.len, 0);
}

static void test_a_free_address(void **state)
{
    (void)state;
    struct prig *rig = prig_serving();
    check_moved(rig);
    prig_free(rig);
}

static void test_the_watch_is_faster_than_the_answer(void **state)
{
    (void)state;
    struct prig *rig = prig_serving();
    rig->unanswered = true;
    check_moved(rig);
    prig_free(rig);
}

static void test_an_address_that_is_taken_leaves_all_as_it_is(void **state)
{
    (void)state;
    struct prig *rig = prig_serving();
    others(rig, "10.96.0.9");
    want(rig, "10.96.0.9");
    until(&rig->loop, rig->placed->address_unusable);
    assert_true(str_contains(rig->placed->error, STR("already allocated")));
    turn(&rig->loop, 600);
    assert_true(rig->deletes == 0 && has_ip(rig, "10.96.0.100"));
    assert_int_equal(rig->placed->addresses.len, 1);
    assert_in_range(rig->posts, 2, 4); /* tried again, ever later */
    unsigned posts = rig->posts;
    want(rig, ""); /* whoever thinks better of it loses nothing */
    until(&rig->loop, rig->placed->error.len == 0);
    turn(&rig->loop, 600);
    assert_true(rig->deletes == 0 && has_ip(rig, "10.96.0.100"));
    assert_int_equal(rig->posts, posts);
    prig_free(rig);
}

static void test_an_address_that_becomes_free(void **state)
{
    (void)state;
    struct prig *rig = prig_serving();
    others(rig, "10.96.0.9");
    want(rig, "10.96.0.9");
    until(&rig->loop, rig->placed->address_unusable);
    json_object_del(rig->objects, OTHERS);
    until(&rig->loop, has_ip(rig, "10.96.0.9") && rig->placed->error.len == 0);
    turn(&rig->loop, 50);
    assert_int_equal(json_object_size(rig->objects), 5);
    prig_free(rig);
}

/* What stands in serves: as the Service, but for what a cluster has few of. */
static void test_what_stands_in(void **state)
{
    (void)state;
    struct prig *rig = prig_serving();
    rig->parameters.service_type = STR("NodePort");
    rig->refuse = 503;
    rig->refusals = 1;
    rig->refuse_path = "/services/web-heddle?propagationPolicy";
    want(rig, "10.96.0.9");
    until(&rig->loop, object_at(rig, STAND_IN) != NULL);
    json_t *in = object_at(rig, STAND_IN), *of = object_at(rig, SERVICE);
    assert_true(json_equal(member(in, "spec", "selector"), member(of, "spec", "selector")));
    assert_true(json_equal(member(in, "spec", "ports"), member(of, "spec", "ports")));
    assert_string_equal(json_string_value(member(in, "spec", "type")), "ClusterIP");
    assert_null(member(in, "spec", "externalTrafficPolicy"));
    until(&rig->loop, has_ip(rig, "10.96.0.9"));
    turn(&rig->loop, 50);
    assert_null(object_at(rig, STAND_IN));
    prig_free(rig);
}

/* The leader ended in the middle. */
static void test_what_is_left_over_goes(void **state)
{
    (void)state;
    struct prig *rig = prig_serving();
    rig->refuse = 503;
    rig->refusals = 1000;
    rig->refuse_path = "?propagationPolicy";
    want(rig, "10.96.0.9");
    until(&rig->loop, object_at(rig, STAND_IN) != NULL);
    turn(&rig->loop, 50);
    prig_restart(rig);
    rig->refusals = 0;
    want(rig, "");
    provision_lead(rig->provision, true);
    until(&rig->loop, object_at(rig, STAND_IN) == NULL);
    turn(&rig->loop, 50);
    assert_true(rig->deletes == 1 && has_ip(rig, "10.96.0.100"));
    prig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_free_address),
        cmocka_unit_test(test_the_watch_is_faster_than_the_answer),
        cmocka_unit_test(test_an_address_that_is_taken_leaves_all_as_it_is),
        cmocka_unit_test(test_an_address_that_becomes_free),
        cmocka_unit_test(test_what_stands_in),
        cmocka_unit_test(test_what_is_left_over_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
