/* SPDX-License-Identifier: Apache-2.0 */
/* test_crds: of which release the CRDs are, from an API server to GatewayClasses' conditions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "base/log.h"
#include "ir/attachment.h"
#include "mesh_rig.h"
#include "source/crds.h"

#define CRDS 12
#define CRD(plural) plural ".gateway.networking.k8s.io"
#define CLASS                                                                                      \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: heddle}\n"     \
    "spec: {controllerName: heddle.dev/gateway-controller}\n"

struct rig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    struct crds *crds;
    struct mesh *mesh;
    struct ask *watch; /* of HTTPRoutes' CRD */
    unsigned told, forbidden;
    bool none; /* of HTTPRoutes there is no CRD */
};

static void answer(void *user, struct ask *ask)
{
    struct rig *rig = user;
    char body[1024];
    bool routes = strstr(ask->path, "%3Dhttproutes.") != NULL;
    assert_non_null(strstr(ask->path, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?"));
    const char *name = strstr(ask->path, "fieldSelector=metadata.name%3D");
    assert_non_null(name);
    assert_non_null(strstr(ask->accept, ";as=PartialObjectMetadata"));
    if (rig->forbidden > 0) {
        rig->forbidden--;
        api_reply(ask, 403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no\"}");
        return;
    }
    if (strstr(ask->path, "watch=true") != NULL) {
        rig->watch = routes ? ask : rig->watch;
        api_begin(ask);
        return;
    }
    name += strlen("fieldSelector=metadata.name%3D");
    (void)snprintf(
        body, sizeof(body),
        "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\","
        "\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[%s%.*s%s]}",
        rig->none && routes ? "" : "{\"metadata\":{\"resourceVersion\":\"5\",\"name\":\"",
        rig->none && routes ? 0 : (int)strcspn(name, "&"), name,
        rig->none && routes ? "" : "\",\"annotations\":{\"" BUNDLE_ANNOTATION "\":\"v1.7.0\"}}}");
    api_reply(ask, 200, body);
}

static void told(void *user, struct str name, struct bundle_row *row)
{
    struct rig *rig = user;
    rig->told++;
    mesh_put_bundle(rig->mesh, name, row);
}

static void start(struct rig *rig)
{
    log_set_level(LOG_ERROR + 1);
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
    rig->kube = api_kube(rig->api);
    rig->mesh = rig_mesh();
    rig_apply(rig->mesh, CLASS);
    rig->crds = crds_start(rig->kube, &(struct crds_events){rig, told});
}

static void stop(struct rig *rig)
{
    crds_stop(rig->crds);
    kube_free(rig->kube);
    api_free(rig->api);
    mesh_free(rig->mesh);
    loop_release(&rig->loop);
}

static void say(struct rig *rig, const char *type, const char *annotations)
{
    char line[512];
    unsigned before = rig->told;
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"%s\",\"object\":{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":"
                   "\"meta.k8s.io/v1\",\"metadata\":{\"resourceVersion\":\"10\",\"name\":\"" CRD(
                       "httproutes") "\",\"annotations\":%s}}}\n",
                   type, annotations);
    api_say(rig->watch, line);
    until(&rig->loop, rig->told > before);
}

/* The conditions of the class, "Accepted True Accepted: …; SupportedVersion …". */
static const char *class_says(struct rig *rig)
{
    static char text[1024];
    size_t len = 0;
    rig_turn(rig->mesh);
    const struct status *status =
        (const struct status *)engine_get(mesh_engine(rig->mesh), T_CLASS_STATUS, STR("heddle"));
    assert_non_null(status);
    assert_int_equal(status->conditions.items[0].id, C_class_accepted); /* whatever there is */
    text[0] = '\0';
    for (size_t i = 1; i < status->conditions.len; i++) {
        const struct condition *condition = &status->conditions.items[i];
        const struct condition_info *info = condition_info((enum condition_id)condition->id);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s %s: %.*s", info->type,
                                info->status ? "True" : "False", info->reason,
                                STR_FMT(condition->message));
    }
    return text;
}

#define KNOWN "SupportedVersion True SupportedVersion: the CRDs are of "
#define UNKNOWN "SupportedVersion False UnsupportedVersion: the CRDs are of "
#define SERVES "; heddle knows v1.6 and v1.7, and serves what it knows of others"

static void the_class_tells(void **state)
{
    (void)state;
    struct rig rig = {.none = false};
    start(&rig);
    assert_string_equal(class_says(&rig), ""); /* nothing is known yet */
    until(&rig.loop, rig.told == CRDS && rig.watch != NULL);
    assert_string_equal(class_says(&rig), KNOWN "v1.7.0");
    say(&rig, "MODIFIED", "{\"" BUNDLE_ANNOTATION "\":\"v1.6.3\"}");
    assert_string_equal(class_says(&rig), KNOWN "v1.6.3, v1.7.0");
    say(&rig, "MODIFIED", "{\"" BUNDLE_ANNOTATION "\":\"v2.0.0\"}");
    assert_string_equal(class_says(&rig), UNKNOWN "v2.0.0 (httproutes), v1.7.0" SERVES);
    say(&rig, "MODIFIED", "{}");
    assert_string_equal(class_says(&rig), UNKNOWN "no version (httproutes), v1.7.0" SERVES);
    say(&rig, "DELETED", "{}");
    assert_string_equal(class_says(&rig), KNOWN "v1.7.0");
    stop(&rig);
}

static void one_that_is_not_there_does_not_matter(void **state)
{
    (void)state;
    struct rig rig = {.none = true};
    start(&rig);
    until(&rig.loop, rig.told == CRDS);
    assert_string_equal(class_says(&rig), KNOWN "v1.7.0");
    stop(&rig);
}

/* Of an earlier heddle's roles, say: nothing is claimed of what cannot be seen. */
static void without_the_right_nothing_is_said(void **state)
{
    (void)state;
    struct rig rig = {.forbidden = 1};
    start(&rig);
    until(&rig.loop, rig.told == CRDS - 1);
    turn(&rig.loop, 30);
    assert_string_equal(class_says(&rig), "");
    until(&rig.loop, rig.told == CRDS);
    assert_string_equal(class_says(&rig), KNOWN "v1.7.0");
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_class_tells),
        cmocka_unit_test(one_that_is_not_there_does_not_matter),
        cmocka_unit_test(without_the_right_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
