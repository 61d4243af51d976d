/* SPDX-License-Identifier: Apache-2.0 */
/* test_naming: two Gateways whose objects would have the same names, and which of them has these.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provision_rig.h"

#define PLAIN "/apis/apps/v1/namespaces/a/deployments/web-x-heddle"
#define ACCOUNT_PLAIN "/api/v1/namespaces/a/serviceaccounts/web-x-heddle"
#define EACH 5 /* objects of a Gateway */

/* Where the Gateway's Deployment is when the other one has the name. Valid until the next call. */
static const char *apart(const char *name, const char *class)
{
    static char path[256];
    struct arena arena;
    arena_init(&arena);
    struct str stem = part_stem_apart(&arena, str_from(name), str_from(class));
    (void)snprintf(path, sizeof(path), "%.*s",
                   STR_FMT(part_path(&arena, PART_DEPLOYMENT, STR("a"), stem)));
    arena_release(&arena);
    return path;
}

static const char *gateway_of(const struct prig *rig, const char *path)
{
    json_t *labels = member(object_at(rig, path), "metadata", "labels");
    const char *name = json_string_value(json_object_get(labels, PART_GATEWAY_LABEL));
    return name != NULL ? name : "-";
}

/* a/web of class x-heddle; a/web-x of class heddle is not heard of yet. */
static struct prig *rig_of_two(void)
{
    struct prig *rig = prig_new();
    rig->gateway.class = STR("x-heddle");
    rig->others[0].object.meta.name = STR("web-x");
    provision_changed(rig->provision, STR("a/web"));
    return rig;
}

static void hear_of_the_other(struct prig *rig)
{
    provision_seen(rig->provision, STR("a"), STR("web-x"), STR("uid-0"));
    provision_changed(rig->provision, STR("a/web-x"));
}

static void lead(struct prig *rig)
{
    provision_lead(rig->provision, true);
    until(&rig->loop, json_object_size(rig->objects) >= 2 * EACH);
    turn(&rig->loop, 30);
}

static void test_who_comes_later_has_another_name(void **state)
{
    (void)state;
    struct prig *rig = rig_of_two();
    prig_lead(rig);
    assert_string_equal(gateway_of(rig, PLAIN), "web");
    hear_of_the_other(rig);
    until(&rig->loop, json_object_size(rig->objects) == 2 * EACH);
    turn(&rig->loop, 30);
    assert_string_equal(gateway_of(rig, PLAIN), "web");
    assert_string_equal(gateway_of(rig, apart("web-x", "heddle")), "web-x");
    assert_int_equal(rig->applies, 2 * EACH);
    prig_free(rig);
}

/* Whatever the order in which the next replica hears of them. */
static void test_a_restart_changes_no_names(void **state)
{
    (void)state;
    struct prig *rig = rig_of_two();
    hear_of_the_other(rig);
    lead(rig);
    rig->there = false;
    provision_free(rig->provision);
    memset(rig->streams, 0, sizeof(rig->streams));
    turn(&rig->loop, 30);
    prig_start(rig);
    rig->there = true;
    hear_of_the_other(rig);
    provision_changed(rig->provision, STR("a/web"));
    until(&rig->loop, rig->placed != NULL);
    rig->applies = 0;
    provision_lead(rig->provision, true);
    turn(&rig->loop, 100);
    assert_int_equal(json_object_size(rig->objects), 2 * EACH);
    assert_int_equal(rig->deletes, 0);
    assert_string_equal(gateway_of(rig, PLAIN), "web");
    assert_string_equal(gateway_of(rig, apart("web-x", "heddle")), "web-x");
    assert_int_equal(rig->placed->error.len, 0);
    prig_free(rig);
}

static void test_names_stay_when_the_other_goes(void **state)
{
    (void)state;
    struct prig *rig = rig_of_two();
    hear_of_the_other(rig);
    lead(rig);
    provision_gone(rig->provision, STR("a"), STR("web"));
    prig_remove(rig, PLAIN);
    turn(&rig->loop, 30);
    unsigned applies = rig->applies;
    provision_changed(rig->provision, STR("a/web-x"));
    turn(&rig->loop, 50);
    assert_int_equal(rig->applies, applies);
    assert_string_equal(gateway_of(rig, apart("web-x", "heddle")), "web-x");
    assert_null(object_at(rig, PLAIN));
    prig_free(rig);
}

/* Another replica, which leads, heard of them in the other order. */
static void test_the_cluster_decides(void **state)
{
    (void)state;
    struct prig *rig = rig_of_two();
    hear_of_the_other(rig);
    turn(&rig->loop, 30);
    json_t *made = json_pack(
        "{s:{s:s, s:s, s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s, s:s}]}}", "metadata", "name",
        "web-x-heddle", "namespace", "a", "labels", PART_MANAGER_LABEL, PART_MANAGER,
        PART_GATEWAY_LABEL, "web-x", PART_CLASS_LABEL, "heddle", "ownerReferences", "apiVersion",
        "gateway.networking.k8s.io/v1", "kind", "Gateway", "name", "web-x", "uid", "uid-0");
    prig_store(rig, ACCOUNT_PLAIN, made, NULL);
    turn(&rig->loop, 30);
    lead(rig);
    assert_int_equal(json_object_size(rig->objects), 2 * EACH);
    assert_string_equal(gateway_of(rig, PLAIN), "web-x");
    assert_string_equal(gateway_of(rig, apart("web", "x-heddle")), "web");
    assert_int_equal(rig->placed->error.len, 0);
    prig_free(rig);
}

/* What serves until the objects of its new class do has its names as long. */
static void test_names_of_formers_are_not_free(void **state)
{
    (void)state;
    struct prig *rig = rig_of_two();
    prig_lead(rig);
    rig->gateway.class = STR("other");
    provision_changed(rig->provision, STR("a/web"));
    until(&rig->loop, json_object_size(rig->objects) == 2 * EACH);
    hear_of_the_other(rig);
    until(&rig->loop, json_object_size(rig->objects) == 3 * EACH);
    turn(&rig->loop, 30);
    assert_string_equal(gateway_of(rig, PLAIN), "web");
    assert_string_equal(gateway_of(rig, apart("web-x", "heddle")), "web-x");
    prig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_comes_later_has_another_name),
        cmocka_unit_test(test_a_restart_changes_no_names),
        cmocka_unit_test(test_names_stay_when_the_other_goes),
        cmocka_unit_test(test_the_cluster_decides),
        cmocka_unit_test(test_names_of_formers_are_not_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
