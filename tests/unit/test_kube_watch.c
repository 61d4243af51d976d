/* SPDX-License-Identifier: Apache-2.0 */
/* watch: lists, watches, and all that can go wrong in between, against an API server of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "kube/watch.h"

#define POD(name, version)                                                                         \
    "{\"metadata\":{\"namespace\":\"a\",\"name\":\"" name "\",\"resourceVersion\":\"" version "\"" \
    "}}"
#define LIST(version, items)                                                                       \
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" version     \
    "\"},\"items\":[" items "]}"
#define PAGE(version, next, items)                                                                 \
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" version     \
    "\",\"continue\":\"" next "\"},\"items\":[" items "]}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define GONE                                                                                       \
    "{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":\"too old resource "     \
    "version\"}"

struct rig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    struct kube_watch *watch;
    struct ask *stream; /* of the watch */
    struct buf told;    /* what was told, as a line of words */
    unsigned synced, missing, batches;
    /* What the server does. */
    const char *lists[8]; /* answers to lists, in turn; the last again and again */
    unsigned statuses[8]; /* 0: 200 */
    unsigned listed, watched;
    unsigned watch_status; /* 0: stream */
    bool stop_at_put;
};

static void on_put(void *user, const struct doc_node *object, struct str raw)
{
    struct rig *rig = user;
    const struct doc_node *metadata = doc_get(object, STR("metadata"));
    buf_printf(&rig->told, "+%.*s ", STR_FMT(doc_get(metadata, STR("name"))->text));
    assert_true(raw.len > 2 && raw.ptr[0] == '{' && raw.ptr[raw.len - 1] == '}');
    if (rig->stop_at_put) {
        kube_watch_stop(rig->watch);
        rig->watch = NULL;
    }
}

static void on_removed(void *user, struct str ns, struct str name)
{
    struct rig *rig = user;
    assert_true(str_eq(ns, STR("a")));
    buf_printf(&rig->told, "-%.*s ", STR_FMT(name));
}

static void on_synced(void *user)
{
    struct rig *rig = user;
    buf_add_text(&rig->told, "synced ");
    rig->synced++;
}

static void on_missing(void *user)
{
    struct rig *rig = user;
    buf_add_text(&rig->told, "missing ");
    rig->missing++;
}

static void on_batch(void *user)
{
    ((struct rig *)user)->batches++;
}

static void answer(void *user, struct ask *ask)
{
    struct rig *rig = user;
    if (strstr(ask->path, "watch=true") != NULL) {
        rig->watched++;
        if (rig->watch_status != 0) {
            api_reply(ask, rig->watch_status, GONE);
            return;
        }
        rig->stream = ask;
        api_begin(ask);
        return;
    }
    unsigned at = rig->listed++;
    while (rig->lists[at] == NULL) {
        at--;
    }
    api_reply(ask, rig->statuses[at] != 0 ? rig->statuses[at] : 200, rig->lists[at]);
}

static void start(struct rig *rig, const char *versions)
{
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
    rig->kube = api_kube(rig->api);
    buf_init(&rig->told, BUF_UNLIMITED);
    rig->watch = kube_watch_start(&(struct kube_watch_config){
        .kube = rig->kube,
        .group = "",
        .versions = versions,
        .plural = "pods",
        .events = {rig, on_put, on_removed, on_synced, on_missing, on_batch},
    });
}

static void stop(struct rig *rig)
{
    kube_watch_stop(rig->watch);
    kube_free(rig->kube);
    api_free(rig->api);
    buf_release(&rig->told);
    loop_release(&rig->loop);
}

static bool told(struct rig *rig, const char *words)
{
    bool same = str_eq(buf_str(&rig->told), str_from(words));
    if (!same) {
        fprintf(stderr, "told: '%.*s', not '%s'\n", STR_FMT(buf_str(&rig->told)), words);
    }
    buf_clear(&rig->told);
    return same;
}

static void test_list_and_watch(void **state)
{
    struct rig rig = {.lists = {LIST("7", POD("x", "3") "," POD("y", "4"))}};
    (void)state;
    start(&rig, "v1");
    assert_false(kube_watch_synced(rig.watch));
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+x +y synced "));
    assert_true(kube_watch_synced(rig.watch));
    assert_string_equal(kube_watch_version(rig.watch), "v1");
    assert_string_equal(rig.api->log[0], "GET /api/v1/pods?limit=500");
    assert_non_null(strstr(rig.api->log[1], "&resourceVersion=7"));

    api_say(rig.stream, EVENT("ADDED", POD("z", "8")) EVENT("DELETED", POD("x", "9")));
    until(&rig.loop, rig.told.len >= 6);
    assert_true(told(&rig, "+z -x "));
    api_say(rig.stream, "{\"type\":\"MODIFIED\",\"obj");
    turn(&rig.loop, 20);
    assert_true(told(&rig, ""));
    api_say(rig.stream, "ect\":" POD("y", "10") "}\n");
    until(&rig.loop, rig.told.len != 0);
    assert_true(told(&rig, "+y "));
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_and_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
