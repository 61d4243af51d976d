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
#define STATUS(code, reason) "{\"kind\":\"Status\",\"code\":" code ",\"reason\":\"" reason "\"}"
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
    bool no_server;        /* only something in front of one, that knows nothing */
    bool stop_at_put;
    bool want_types; /* tell them too */
};

static void on_put(void *user, const struct doc_node *object, struct str raw)
{
    struct rig *rig = user;
    const struct doc_node *metadata = doc_get(object, STR("metadata"));
    if (rig->want_types) {
        buf_printf(&rig->told, "%.*s/%.*s ", STR_FMT(doc_get(object, STR("apiVersion"))->text),
                   STR_FMT(doc_get(object, STR("kind"))->text));
    }
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
            api_reply(ask, rig->watch_status, "");
            return;
        }
        rig->stream = ask;
        api_begin(ask);
        return;
    }
    if (strcmp(ask->path, "/version") == 0) {
        api_reply(ask, rig->no_server ? 404 : 200, "{}");
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

static void test_types_are_filled_in(void **state)
{
    struct rig rig = {.lists = {LIST("7", POD("x", "3"))}, .want_types = true};
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "v1/Pod +x synced "));
    stop(&rig);
}

/* Pages; the token of the second is too old, so all begins again; what vanished in between goes. */
static void test_pages(void **state)
{
    struct rig rig = {
        .lists =
            {
                PAGE("7", "tok/=", POD("w", "1") "," POD("x", "3")),
                STATUS("410", "Expired"),
                PAGE("9", "more", POD("x", "3")),
                LIST("9", POD("y", "8")),
            },
        .statuses = {0, 410},
    };
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+w +x +x +y -w synced "));
    assert_string_equal(rig.api->log[1], "GET /api/v1/pods?limit=500&continue=tok%2F%3D");
    assert_string_equal(rig.api->log[2], "GET /api/v1/pods?limit=500");
    assert_string_equal(rig.api->log[3], "GET /api/v1/pods?limit=500&continue=more");
    assert_non_null(strstr(rig.api->log[4], "&resourceVersion=9"));
    assert_int_equal(rig.synced, 1);
    stop(&rig);
}

/* Objects that are large as a whole come in smaller pages. */
static void test_page_too_large(void **state)
{
    struct rig rig = {.lists = {NULL, LIST("7", POD("x", "3"))}};
    char *large = malloc(KUBE_BODY_MAX + 2);
    (void)state;
    assert_non_null(large);
    memset(large, ' ', KUBE_BODY_MAX + 1);
    large[KUBE_BODY_MAX + 1] = '\0';
    rig.lists[0] = large;
    start(&rig, "v1");
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+x synced "));
    assert_string_equal(rig.api->log[0], "GET /api/v1/pods?limit=500");
    assert_string_equal(rig.api->log[1], "GET /api/v1/pods?limit=250");
    stop(&rig);
    free(large);
}

/* A page that fails is asked for again, with its token. */
static void test_page_fails(void **state)
{
    struct rig rig = {
        .lists = {PAGE("7", "more", POD("w", "1")), "", LIST("7", POD("x", "3"))},
        .statuses = {0, 500},
    };
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+w +x synced "));
    assert_string_equal(rig.api->log[2], "GET /api/v1/pods?limit=500&continue=more");
    stop(&rig);
}

static void test_gone(void **state)
{
    struct rig rig = {
        .lists = {LIST("7", POD("x", "3") "," POD("y", "4")), LIST("30", POD("y", "4")),
                  LIST("40", POD("z", "39"))},
    };
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+x +y synced "));
    api_say(rig.stream, EVENT("ERROR", GONE));
    until(&rig.loop, rig.watched == 2);
    assert_true(told(&rig, "+y -x synced ")); /* only what vanished */
    assert_non_null(strstr(rig.api->log[rig.api->requests - 1], "&resourceVersion=30"));

    rig.watch_status = 410;
    api_end(rig.stream);
    rig.stream = NULL;
    until(&rig.loop, rig.listed == 3);
    rig.watch_status = 0;
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+z -y synced "));
    stop(&rig);
}

static void test_bookmark(void **state)
{
    struct rig rig = {.lists = {LIST("7", POD("x", "3"))}};
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+x synced "));
    api_say(rig.stream, EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"20\"}}"));
    api_end(rig.stream);
    rig.stream = NULL;
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, ""));
    assert_non_null(strstr(rig.api->log[2], "allowWatchBookmarks=true"));
    assert_non_null(strstr(rig.api->log[2], "&resourceVersion=20"));
    assert_int_equal(rig.listed, 1);
    stop(&rig);
}

static void test_versions(void **state)
{
    struct rig rig = {
        .lists = {"404 page not found", LIST("7", POD("x", "3"))},
        .statuses = {404},
    };
    (void)state;
    start(&rig, "v2 v1");
    assert_null(kube_watch_version(rig.watch));
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+x synced "));
    assert_string_equal(rig.api->log[0], "GET /api/v2/pods?limit=500");
    assert_string_equal(kube_watch_version(rig.watch), "v1");
    stop(&rig);
}

static void test_missing_then_installed(void **state)
{
    struct rig rig = {
        .lists = {"404 page not found", "404 page not found", LIST("7", POD("x", "3"))},
        .statuses = {404, 404},
    };
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.missing != 0);
    assert_true(kube_watch_synced(rig.watch));
    assert_null(kube_watch_version(rig.watch));
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "missing +x synced ")); /* missing: once */
    stop(&rig);
}

/* Who says 404 to everything is no API server: nobody knows what there is. */
static void test_no_api_server(void **state)
{
    struct rig rig = {.lists = {"404 page not found"}, .statuses = {404}, .no_server = true};
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.listed == 2);
    assert_false(kube_watch_synced(rig.watch));
    rig.no_server = false;
    until(&rig.loop, rig.missing != 0);
    assert_true(told(&rig, "missing "));
    stop(&rig);
}

/* What was there goes only when several answers agree that its kind is gone. */
static void test_kind_is_removed(void **state)
{
    struct rig rig = {
        .lists = {LIST("7", POD("x", "3")), "", LIST("8", POD("x", "3")), "", "", ""},
        .statuses = {0, 404, 0, 404, 404, 404},
    };
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+x synced "));
    rig.watch_status = 404;
    api_end(rig.stream);
    rig.stream = NULL;
    until(&rig.loop, rig.listed == 2);
    rig.watch_status = 0;
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+x synced ")); /* a moment of 404 took nothing */

    rig.watch_status = 404;
    api_end(rig.stream);
    until(&rig.loop, rig.missing != 0);
    assert_int_equal(rig.listed, 6);
    assert_true(told(&rig, "-x missing "));
    stop(&rig);
}

static void test_outage(void **state)
{
    struct rig rig = {.lists = {LIST("7", POD("x", "3"))}};
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+x synced "));
    api_say(rig.stream, EVENT("ADDED", POD("y", "8")));
    until(&rig.loop, rig.told.len != 0);
    assert_true(told(&rig, "+y "));
    api_down(rig.api);
    rig.stream = NULL;
    turn(&rig.loop, 600);
    assert_true(told(&rig, ""));
    assert_true(kube_watch_synced(rig.watch));
    api_listen(rig.api, rig.api->port);
    until(&rig.loop, rig.stream != NULL);
    assert_non_null(strstr(rig.api->log[rig.api->requests - 1], "&resourceVersion=8"));
    assert_int_equal(rig.listed, 1);
    api_say(rig.stream, EVENT("DELETED", POD("x", "9")));
    until(&rig.loop, rig.told.len != 0);
    assert_true(told(&rig, "-x "));
    stop(&rig);
}

/* The server is not there yet, or does not let us. */
static void test_list_refused(void **state)
{
    struct rig rig = {
        .lists = {STATUS("403", "Forbidden"), "", "{}", "<html>", LIST("7", POD("x", "3"))},
        .statuses = {403, 503},
    };
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.listed == 2);
    assert_false(kube_watch_synced(rig.watch));
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+x synced "));
    stop(&rig);
}

static void test_stream_makes_no_sense(void **state)
{
    static const char *const lines[] = {
        "garbage\n",
        "{\"type\":\"ADDED\"}\n",
        EVENT("ODD", POD("x", "3")),
        EVENT("ADDED", "{\"metadata\":{\"resourceVersion\":\"1\"}}"), /* no name */
        EVENT("ADDED", "{\"metadata\":{\"name\":\"x\"}}"),            /* no version */
        EVENT("ADDED", "[]"),
    };
    struct rig rig = {.lists = {LIST("7", POD("x", "3"))}};
    (void)state;
    start(&rig, "v1");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        until(&rig.loop, rig.stream != NULL);
        assert_true(told(&rig, "+x synced "));
        struct ask *stream = rig.stream;
        rig.stream = NULL;
        rig.api->requests = 0;
        api_say(stream, lines[i]);
        until(&rig.loop, rig.api->requests != 0);
        assert_string_equal(rig.api->log[0], "GET /api/v1/pods?limit=500");
    }
    stop(&rig);
}

static void test_event_too_large(void **state)
{
    struct rig rig = {.lists = {LIST("7", POD("x", "3"))}};
    (void)state;
    start(&rig, "v1");
    until(&rig.loop, rig.stream != NULL);
    char *text = xmalloc(1u << 20);
    memset(text, 'x', (1u << 20) - 1);
    text[(1u << 20) - 1] = '\0';
    unsigned pieces = 0;
    for (; api_has(rig.api, rig.stream) && pieces < 64; pieces++) {
        api_say(rig.stream, text);
        turn(&rig.loop, 10);
    }
    assert_true(pieces >= 16 && pieces < 32); /* WATCH_LINE_MAX */
    until(&rig.loop, rig.listed == 2);
    free(text);
    stop(&rig);
}

/* Which object cannot be read is not known: so none of those that are not listed is removed. */
static void test_unreadable_object(void **state)
{
    struct rig rig = {
        .lists = {LIST("7", POD("x", "3") "," POD("y", "3")),
                  LIST("8", "{\"no\":1}," POD("x", "3")), LIST("9", POD("x", "3"))},
    };
    (void)state;
    start(&rig, "v1");
    for (unsigned i = 0; i < 2; i++) {
        until(&rig.loop, rig.stream != NULL);
        struct ask *stream = rig.stream;
        rig.stream = NULL;
        api_say(stream, EVENT("ERROR", GONE));
    }
    until(&rig.loop, rig.stream != NULL);
    assert_true(told(&rig, "+x +y synced +x synced +x -y synced "));
    stop(&rig);
}

static void test_stopped_from_within(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct rig rig = {.lists = {LIST("7", POD("x", "3") "," POD("y", "4"))}};
        rig.stop_at_put = i == 0;
        start(&rig, "v1");
        if (i == 1) {
            until(&rig.loop, rig.stream != NULL);
            rig.stop_at_put = true;
            buf_clear(&rig.told);
            api_say(rig.stream, EVENT("ADDED", POD("x", "8")) EVENT("ADDED", POD("z", "9")));
        }
        until(&rig.loop, rig.watch == NULL);
        turn(&rig.loop, 20);
        assert_true(told(&rig, "+x "));
        stop(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_and_watch),
        cmocka_unit_test(test_types_are_filled_in),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_page_too_large),
        cmocka_unit_test(test_page_fails),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_bookmark),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_missing_then_installed),
        cmocka_unit_test(test_no_api_server),
        cmocka_unit_test(test_kind_is_removed),
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_list_refused),
        cmocka_unit_test(test_stream_makes_no_sense),
        cmocka_unit_test(test_event_too_large),
        cmocka_unit_test(test_unreadable_object),
        cmocka_unit_test(test_stopped_from_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
