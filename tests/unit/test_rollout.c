/* SPDX-License-Identifier: Apache-2.0 */
/* test_rollout: how a new version of heddle comes to the Gateways that are there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provision_rig.h"

static const char *const deployments[] = {DEPLOYMENT_OF("web"), DEPLOYMENT_OF("other-0"),
                                          DEPLOYMENT_OF("other-1")};

static bool has_image(const struct prig *rig, unsigned i)
{
    json_t *template = member(object_at(rig, deployments[i]), "spec", "template");
    json_t *container = json_array_get(member(template, "spec", "containers"), 0);
    return strcmp(json_string_value(json_object_get(container, "image")), rig->image) == 0;
}

static unsigned with_image(const struct prig *rig)
{
    unsigned number = 0;
    for (unsigned i = 0; i < 3; i++) {
        number += has_image(rig, i) ? 1 : 0;
    }
    return number;
}

/* As the Deployment's controller notes it. */
static void settle(struct prig *rig, unsigned i)
{
    char change[256];
    json_t *generation = member(object_at(rig, deployments[i]), "metadata", "generation");
    (void)snprintf(change, sizeof(change),
                   "{\"status\":{\"observedGeneration\":%d,\"replicas\":1,"
                   "\"updatedReplicas\":1,\"availableReplicas\":1}}",
                   (int)json_integer_value(generation));
    prig_edit(rig, deployments[i], change, false);
}

/* Three Gateways whose Envoys are there, and another version of heddle that allows one rollout at a
 * time. */
static struct prig *prig_upgraded(const char *image)
{
    struct prig *rig = prig_new();
    prig_others(rig);
    provision_lead(rig->provision, true);
    until(&rig->loop, json_object_size(rig->objects) == 15);
    turn(&rig->loop, 30);
    for (unsigned i = 0; i < 3; i++) {
        settle(rig, i);
    }
    rig->rollouts_max = 1;
    rig->image = image;
    prig_restart(rig);
    prig_others(rig);
    rig->applies = 0;
    provision_lead(rig->provision, true);
    return rig;
}

static void test_a_new_version_comes_to_few_at_a_time(void **state)
{
    (void)state;
    struct prig *rig = prig_upgraded("heddle/proxy:2");
    for (unsigned done = 1; done <= 3; done++) {
        until(&rig->loop, with_image(rig) == done);
        turn(&rig->loop, 60);
        assert_int_equal(with_image(rig), done);
        for (unsigned i = 0; i < 3; i++) {
            if (has_image(rig, i)) {
                settle(rig, i);
            }
        }
    }
    prig_free(rig);
}

/* Where nothing changes nobody waits, not even for Envoys that are not well. */
static void test_a_new_leader_of_the_same_version_waits_for_nobody(void **state)
{
    (void)state;
    struct prig *rig = prig_upgraded("heddle/proxy:1");
    for (unsigned i = 0; i < 3; i++) {
        prig_edit(rig, deployments[i], "{\"status\":{\"availableReplicas\":0}}", false);
    }
    until(&rig->loop, rig->applies == 12); /* all but the certificates */
    prig_free(rig);
}

static void test_one_that_gives_up_keeps_nobody(void **state)
{
    (void)state;
    struct prig *rig = prig_upgraded("heddle/proxy:2");
    until(&rig->loop, with_image(rig) == 1);
    turn(&rig->loop, 30);
    for (unsigned i = 0; i < 3; i++) {
        if (has_image(rig, i)) {
            prig_edit(rig, deployments[i],
                      "{\"status\":{\"conditions\":[{\"type\":\"Progressing\","
                      "\"status\":\"False\"}]}}",
                      false);
        }
    }
    until(&rig->loop, with_image(rig) == 2);
    prig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_version_comes_to_few_at_a_time),
        cmocka_unit_test(test_a_new_leader_of_the_same_version_waits_for_nobody),
        cmocka_unit_test(test_one_that_gives_up_keeps_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
