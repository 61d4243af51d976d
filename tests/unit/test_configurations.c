/* SPDX-License-Identifier: Apache-2.0 */
/* Does the leader, and nobody else, write caBundle where it is missing or wrong, and only into
 * entries that lead to heddle? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "base/log.h"
#include "webhook/configurations.h"

#define ENTRY(ns, bundle)                                                                          \
    "{\"name\":\"x\",\"clientConfig\":{" bundle "\"service\":{\"namespace\":\"" ns                 \
    "\",\"name\":\"heddle\"}}}"
#define CONFIGURATION(name, version, entries)                                                      \
    "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version                          \
    "\"},\"webhooks\":[" entries "]}"
#define LIST(item)                                                                                 \
    "{\"kind\":\"XList\",\"apiVersion\":\"admissionregistration.k8s.io/v1\","                      \
    "\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[" item "]}"
#define OTHER_URL "{\"name\":\"y\",\"clientConfig\":{\"url\":\"https://elsewhere\"}}"
#define BUNDLE "Y2E=" /* "ca" */

struct rig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    struct configurations *configurations;
    struct ask *stream; /* of the mutating one */
    unsigned patches;
    unsigned status; /* of the next patch, once; 0: 200 */
    char last[8192]; /* "PATH BODY" of the last patch */
};

static void answer(void *user, struct ask *ask)
{
    struct rig *rig = user;
    bool mutating = strstr(ask->path, "/mutating") != NULL;
    if (strcmp(ask->method, "PATCH") == 0) {
        rig->patches++;
        snprintf(rig->last, sizeof(rig->last), "%s %.*s", ask->path, STR_FMT(ask->body));
        api_reply(ask, rig->status != 0 ? rig->status : 200, "{}");
        rig->status = 0;
    } else if (strstr(ask->path, "watch=true") != NULL) {
        rig->stream = mutating ? ask : rig->stream;
        api_begin(ask);
    } else {
        api_reply(
            ask, 200,
            mutating
                ? LIST(CONFIGURATION(
                      "heddle-inject", "7",
                      ENTRY("heddle-system", "") "," ENTRY("elsewhere", "") "," OTHER_URL "," ENTRY(
                          "heddle-system", "\"caBundle\":\"" BUNDLE "\",")))
                : LIST(CONFIGURATION("heddle-check", "8",
                                     ENTRY("heddle-system", "\"caBundle\":\"" BUNDLE "\","))));
    }
}

static void start(struct rig *rig)
{
    log_set_level(LOG_ERROR + 1);
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
    rig->kube = api_kube(rig->api);
    rig->configurations = configurations_start(rig->kube, STR("heddle-system"));
}

static void stop(struct rig *rig)
{
    configurations_stop(rig->configurations);
    kube_free(rig->kube);
    api_free(rig->api);
    loop_release(&rig->loop);
}

#define STEP(op, path, value) "{\"op\":\"" op "\",\"path\":\"" path "\",\"value\":\"" value "\"}"
#define PATH "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/heddle-inject "

static void only_what_is_wrong_is_written(void **state)
{
    (void)state;
    struct rig rig = {.patches = 0};
    start(&rig);
    configurations_bundle(rig.configurations, STR("ca"));
    until(&rig.loop, rig.stream != NULL);
    turn(&rig.loop, 20);
    assert_int_equal(rig.patches, 0); /* it does not lead */
    configurations_lead(rig.configurations, true);
    until(&rig.loop, rig.patches == 1);
    turn(&rig.loop, 20);
    assert_int_equal(rig.patches, 1);
    assert_string_equal(rig.last, PATH "[" STEP("test", "/metadata/resourceVersion", "7") "," STEP(
                                      "add", "/webhooks/0/clientConfig/caBundle", BUNDLE) "]");
    stop(&rig);
}

static void an_edit_is_mended(void **state)
{
    (void)state;
    struct rig rig = {.patches = 0};
    start(&rig);
    configurations_lead(rig.configurations, true);
    until(&rig.loop, rig.stream != NULL);
    configurations_bundle(rig.configurations, STR("ca"));
    until(&rig.loop, rig.patches == 1);
    api_say(rig.stream, "{\"type\":\"MODIFIED\",\"object\":" CONFIGURATION(
                            "heddle-inject", "9",
                            ENTRY("heddle-system", "\"caBundle\":\"" BUNDLE "\",")) "}\n");
    turn(&rig.loop, 20);
    assert_int_equal(rig.patches, 1);
    api_say(rig.stream,
            "{\"type\":\"MODIFIED\",\"object\":" CONFIGURATION(
                "heddle-inject", "10", ENTRY("heddle-system", "\"caBundle\":\"b2xk\",")) "}\n");
    until(&rig.loop, rig.patches == 2);
    assert_non_null(strstr(rig.last, "\"10\""));
    api_say(rig.stream,
            "{\"type\":\"DELETED\",\"object\":" CONFIGURATION("heddle-inject", "11", "") "}\n");
    turn(&rig.loop, 20);
    configurations_bundle(rig.configurations, STR("next")); /* the other one's */
    until(&rig.loop, rig.patches == 3);
    assert_non_null(strstr(rig.last, "heddle-check "));
    turn(&rig.loop, 20);
    assert_int_equal(rig.patches, 3);
    stop(&rig);
}

static void failures_are_tried_again(void **state)
{
    (void)state;
    struct rig rig = {.status = 500};
    start(&rig);
    configurations_lead(rig.configurations, true);
    configurations_bundle(rig.configurations, STR("ca"));
    until(&rig.loop, rig.patches == 2);
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_wrong_is_written),
        cmocka_unit_test(an_edit_is_mended),
        cmocka_unit_test(failures_are_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
