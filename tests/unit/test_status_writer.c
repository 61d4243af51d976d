/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_writer: what the API server is sent, and when nothing is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "base/metric.h"
#include "codec/doc_json.h"
#include "ir/attachment.h"
#include "status/writer.h"

#define QUIET_MS 400 /* so long nothing is sent: more than the delay of a write */
#define MANY 40

/* --- an API server with HTTPRoutes a/r, a/r0, a/r1 … ---------------------------------------- */

struct rig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    struct status_store *store;
    struct status_writer *writer;
    struct status *rows[16]; /* all there were, to be freed */
    unsigned nrows;
    /* The server: the object's status and version. */
    char status[4096];
    unsigned version;
    unsigned patches, events;
    char patch[4096], event[4096], path[1024]; /* the last ones */
    bool two_parents;                          /* the route has them */
    unsigned refuse[4];                        /* answers to the next PATCHes instead of 200 */
    bool hold;                                 /* does not answer PATCHes */
    struct ask *held;                          /* the last of those */
};

#define OURS(conditions)                                                                           \
    "{\"parentRef\":{\"group\":\"\",\"kind\":\"Service\",\"name\":\"echo\"},\"controllerName\":"   \
    "\"heddle.dev/gateway-controller\",\"conditions\":[" conditions "]}"
#define FOREIGN "{\"parentRef\":{\"name\":\"gw\"},\"controllerName\":\"example.com/c\"}"

static const char *object_text(const struct rig *rig, const char *name)
{
    static char text[8192];
    (void)snprintf(text, sizeof(text),
                   "{\"apiVersion\":\"gateway.networking.k8s.io/v1beta1\",\"kind\":\"HTTPRoute\","
                   "\"metadata\":{\"namespace\":\"a\",\"name\":\"%s\",\"uid\":\"u-%s\","
                   "\"resourceVersion\":\"%u\",\"generation\":1},\"status\":%s}",
                   name, name, rig->version, rig->status);
    return text;
}

static void apply_patch(struct rig *rig, struct str body)
{
    struct arena arena;
    struct doc_node *root;
    struct buf status;
    arena_init(&arena);
    buf_init(&status, BUF_UNLIMITED);
    assert_true(doc_json_parse(&arena, body, 10000, &root, NULL));
    doc_to_json(doc_get(root, STR("status")), &status);
    (void)snprintf(rig->status, sizeof(rig->status), "%.*s", STR_FMT(buf_str(&status)));
    rig->version++;
    buf_release(&status);
    arena_release(&arena);
}

static void answer_patch(struct rig *rig, struct ask *ask)
{
    unsigned refuse = rig->refuse[0];
    rig->patches++;
    (void)snprintf(rig->patch, sizeof(rig->patch), "%.*s", STR_FMT(ask->body));
    (void)snprintf(rig->path, sizeof(rig->path), "%s", ask->path);
    if (rig->hold) {
        rig->held = ask;
        return;
    }
    memmove(rig->refuse, rig->refuse + 1, sizeof(rig->refuse) - sizeof(rig->refuse[0]));
    if (refuse != 0) {
        api_reply(ask, refuse, "{\"kind\":\"Status\",\"reason\":\"Because\",\"message\":\"no\"}");
        return;
    }
    apply_patch(rig, ask->body);
    api_reply(ask, 200, object_text(rig, "r"));
}

static void answer(void *user, struct ask *ask)
{
    struct rig *rig = user;
    if (strcmp(ask->method, "PATCH") == 0) {
        answer_patch(rig, ask);
    } else {
        rig->events++;
        (void)snprintf(rig->event, sizeof(rig->event), "%.*s", STR_FMT(ask->body));
        api_reply(ask, 201, "{}");
    }
}

/* --- the writer's side ---------------------------------------------------------------------- */

static void touched(void *user, enum kind_id kind, struct str ns, struct str name)
{
    struct rig *rig = user;
    if (rig->writer != NULL) {
        status_writer_touch(rig->writer, kind, ns, name);
    }
}

static void start_writer(struct rig *rig)
{
    rig->writer = status_writer_new(&(struct status_writer_config){
        .loop = &rig->loop,
        .kube = rig->kube,
        .store = rig->store,
        .instance = STR("heddle-0"),
    });
}

static struct rig *rig_new(void)
{
    struct rig *rig = xcalloc(1, sizeof(*rig));
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
    rig->kube = api_kube(rig->api);
    rig->store = status_store_new();
    status_store_watch(rig->store, touched, rig);
    (void)snprintf(rig->status, sizeof(rig->status), "{}");
    rig->version = 10;
    start_writer(rig);
    return rig;
}

static void rig_free(struct rig *rig)
{
    status_writer_free(rig->writer);
    rig->writer = NULL;
    kube_free(rig->kube);
    api_free(rig->api);
    status_store_free(rig->store);
    for (unsigned i = 0; i < rig->nrows; i++) {
        row_unref(&rig->rows[i]->row, NULL);
    }
    loop_release(&rig->loop);
    free(rig);
}

/* The object as the watch brings it. */
static void seen(struct rig *rig, const char *name)
{
    struct arena arena;
    struct doc_node *object;
    arena_init(&arena);
    assert_true(doc_json_parse(&arena, str_from(object_text(rig, name)), 10000, &object, NULL));
    status_writer_seen(rig->writer, KIND_HTTPROUTE, STR("a"), str_from(name), object);
    arena_release(&arena);
}

/* A route with one condition, in the place of the one before. */
static void say(struct rig *rig, int condition, const char *message)
{
    struct status *row = row_new(sizeof(*row), 512);
    struct status_parent *parent = ARENA_ARRAY(&row->row.arena, 2, struct status_parent);
    row->kind = KIND_HTTPROUTE;
    row->ns = STR("a");
    row->name = STR("r");
    row->generation = 1;
    row->parents.items = parent;
    row->parents.len = rig->two_parents ? 2 : 1;
    parent->ref.kind = STR("Service");
    parent->ref.name = STR("echo");
    parent->conditions.items = ARENA_NEW(&row->row.arena, struct condition);
    parent->conditions.items[0] = (struct condition){condition, str_from(message)};
    parent->conditions.len = 1;
    parent[1] = parent[0];
    parent[1].ref.name = STR("other");
    const struct row_change change = {
        .before = rig->nrows > 0 ? &rig->rows[rig->nrows - 1]->row : NULL,
        .after = &row->row,
    };
    assert_true(rig->nrows < 16);
    rig->rows[rig->nrows++] = row;
    status_store_apply(rig->store, (struct row_changes){&change, 1}, UINT64_C(1000));
    status_writer_turned(rig->writer);
}

static void on_pause(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

/* Lets the loop run for so long. */
static void pause_ms(struct rig *rig, uint64_t ms)
{
    uv_timer_t timer;
    bool over = false;
    uv_timer_init(&rig->loop.uv, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_pause, ms, 0);
    while (!over) {
        uv_run(&rig->loop.uv, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&rig->loop.uv, UV_RUN_NOWAIT);
}

static bool patch_has(const struct rig *rig, const char *part)
{
    return strstr(rig->patch, part) != NULL;
}

/* --- tests ---------------------------------------------------------------------------------- */

static void test_written_once(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    say(rig, C_accepted, "one");
    say(rig, C_conflicted, "two"); /* before the delay is over: one write */
    until(&rig->loop, rig->patches == 1);
    assert_string_equal(rig->path,
                        "/apis/gateway.networking.k8s.io/v1beta1/namespaces/a/httproutes/r/status");
    assert_true(patch_has(rig, "{\"metadata\":{\"resourceVersion\":\"10\"},\"status\":"
                               "{\"parents\":[{\"parentRef\":"));
    assert_true(patch_has(rig, "\"reason\":\"Conflicted\",\"message\":\"two\""));
    pause_ms(rig, QUIET_MS);
    seen(rig, "r"); /* the watch brings what was written */
    say(rig, C_conflicted, "two");
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 1);

    /* A restart, or another leader, writes nothing. */
    status_writer_free(rig->writer);
    start_writer(rig);
    seen(rig, "r");
    status_writer_lead(rig->writer, true);
    status_writer_turned(rig->writer);
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 1);
    rig_free(rig);
}

static void test_only_the_leader(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    seen(rig, "r");
    say(rig, C_accepted, "one");
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->api->requests, 0);
    status_writer_lead(rig->writer, true);
    until(&rig->loop, rig->patches == 1);
    pause_ms(rig, QUIET_MS);

    /* Leads no more while a write is on its way: nothing comes after it. */
    rig->hold = true;
    say(rig, C_conflicted, "two");
    until(&rig->loop, rig->patches == 2);
    status_writer_lead(rig->writer, false);
    say(rig, C_accepted, "three");
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 2);
    rig->hold = false;
    status_writer_lead(rig->writer, true);
    until(&rig->loop, rig->patches == 3);
    assert_true(patch_has(rig, "\"resourceVersion\":\"11\"") && patch_has(rig, "three"));
    rig_free(rig);
}

/* Somebody else wrote meanwhile: the watch brings it, and it stays. */
static void test_conflict(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    rig->refuse[0] = 409;
    say(rig, C_accepted, "one");
    until(&rig->loop, rig->patches == 1);
    pause_ms(rig, 20);
    assert_int_equal(rig->patches, 1);
    (void)snprintf(rig->status, sizeof(rig->status), "{\"parents\":[" FOREIGN "]}");
    rig->version = 20;
    seen(rig, "r");
    until(&rig->loop, rig->patches == 2);
    assert_true(patch_has(rig, "\"resourceVersion\":\"20\""));
    assert_true(patch_has(rig, "\"parents\":[" FOREIGN ",{\"parentRef\""));
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 2);

    /* Versions that went back, as after a restored backup of etcd. */
    rig->refuse[0] = 409;
    say(rig, C_conflicted, "two");
    until(&rig->loop, rig->patches == 3);
    pause_ms(rig, 20);
    rig->version = 5;
    seen(rig, "r");
    until(&rig->loop, rig->patches == 4);
    assert_true(patch_has(rig, "\"resourceVersion\":\"5\""));
    rig_free(rig);
}

/* What the watch brings after the answer to a write may be older than that. */
static void test_late_news(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    say(rig, C_accepted, "one");
    until(&rig->loop, rig->patches == 1);
    pause_ms(rig, 50);
    char written[sizeof(rig->status)];
    memcpy(written, rig->status, sizeof(written));
    rig->version--;
    (void)snprintf(rig->status, sizeof(rig->status), "{}");
    seen(rig, "r");
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 1);
    rig_free(rig);
}

static void test_failures(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    rig->refuse[0] = 500;
    rig->refuse[1] = 422;
    say(rig, C_accepted, "one");
    until(&rig->loop, rig->patches == 3);
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 3);

    rig->refuse[0] = 404; /* it is gone; the watch will say so, too */
    say(rig, C_conflicted, "two");
    until(&rig->loop, rig->patches == 4);
    pause_ms(rig, QUIET_MS);
    say(rig, C_accepted, "three");
    status_writer_gone(rig->writer, KIND_HTTPROUTE, STR("a"), STR("r"));
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 4);
    rig_free(rig);
}

static void test_gone_in_flight(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    rig->hold = true;
    say(rig, C_accepted, "one");
    until(&rig->loop, rig->patches == 1);
    status_writer_gone(rig->writer, KIND_HTTPROUTE, STR("a"), STR("r"));
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 1);
    rig_free(rig);
}

/* It was deleted before a write arrived, and made again before the answer did. */
static void test_made_again_in_flight(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    rig->hold = true;
    say(rig, C_accepted, "one");
    until(&rig->loop, rig->patches == 1);
    rig->version++;
    seen(rig, "r");
    status_writer_touch(rig->writer, KIND_HTTPROUTE, STR("a"), STR("r"));
    rig->hold = false;
    api_reply(rig->held, 404, "{\"kind\":\"Status\",\"reason\":\"NotFound\"}");
    until(&rig->loop, rig->patches == 2);
    pause_ms(rig, 50);
    assert_non_null(strstr(rig->status, "one"));
    rig_free(rig);
}

/* An object of which there is nothing more to say loses what heddle said, but not before the store
 * had its turn, nor at all while heddle knows nothing yet. */
static void test_cleaned(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    (void)snprintf(rig->status, sizeof(rig->status), "{\"parents\":[" FOREIGN "," OURS("") "]}");
    seen(rig, "r");
    status_writer_lead(rig->writer, true);
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->api->requests, 0);
    status_writer_turned(rig->writer);
    until(&rig->loop, rig->patches == 1);
    assert_string_equal(rig->status, "{\"parents\":[" FOREIGN "]}");

    rig->version = 40;
    (void)snprintf(rig->status, sizeof(rig->status), "{\"parents\":[" OURS("") "]}");
    seen(rig, "r");
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 1);
    status_writer_turned(rig->writer);
    until(&rig->loop, rig->patches == 2);
    assert_string_equal(rig->status, "{\"parents\":[]}");
    rig_free(rig);
}

static void test_bounds(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    say(rig, C_accepted, "one"); /* libcurl learns that the server speaks HTTP/1.1 */
    until(&rig->loop, rig->patches == 1);
    pause_ms(rig, 50);
    rig->hold = true;
    (void)snprintf(rig->status, sizeof(rig->status), "{\"parents\":[" OURS("") "]}");
    for (unsigned i = 0; i < MANY; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "r%u", i);
        seen(rig, name);
    }
    status_writer_turned(rig->writer);
    until(&rig->loop, rig->patches == 1 + STATUS_WRITES_MAX);
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 1 + STATUS_WRITES_MAX);
    assert_int_equal(metric_get(M_status_pending), MANY);
    rig_free(rig);
    assert_int_equal(metric_get(M_status_pending), 0);
}

/* Messages that only count are not written at every step, what turns is. */
static void test_words_wait(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    say(rig, C_conflicted, "one");
    until(&rig->loop, rig->patches == 1);
    pause_ms(rig, 20);
    say(rig, C_conflicted, "two");
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 1);
    say(rig, C_conflicted, "three");
    until(&rig->loop, rig->patches == 2);
    assert_true(patch_has(rig, "three"));
    pause_ms(rig, 20);
    say(rig, C_conflicted, "four");
    say(rig, C_accepted, "five");
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->patches, 3);
    rig_free(rig);
}

static bool propagated_of(void *user, enum kind_id kind, struct str ns, struct str name,
                          int64_t generation, struct propagated *ret_propagated)
{
    (void)kind;
    (void)ns;
    (void)name;
    (void)generation;
    *ret_propagated = *(const struct propagated *)user;
    return true;
}

/* What clients are about to acknowledge joins the write, but nobody is waited for long. */
static void test_settles_first(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    struct propagated propagated = {.clients = 2, .acknowledged = 1};
    status_store_propagation(rig->store, &(struct propagation){&propagated, propagated_of});
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    uint64_t begun = uv_hrtime();
    say(rig, C_accepted, "one");
    pause_ms(rig, 3 * STATUS_DELAY_MS);
    bool in_time = uv_hrtime() - begun < (STATUS_SETTLE_MS - 100) * UINT64_C(1000000);
    assert_true(rig->patches == 0 || !in_time); /* else the machine stood still */
    propagated = (struct propagated){.clients = 2, .acknowledged = 2, .settled = true};
    status_writer_touch(rig->writer, KIND_HTTPROUTE, STR("a"), STR("r"));
    until(&rig->loop, patch_has(rig, "2 of 2 clients"));
    pause_ms(rig, 20); /* the answer */
    rig->patches = 0;
    propagated = (struct propagated){.clients = 3, .acknowledged = 2};
    say(rig, C_conflicted, "two");
    until(&rig->loop, rig->patches == 1);
    assert_true(patch_has(rig, "Conflicted"));
    rig_free(rig);
}

/* Of two parents the same is said: that is one Event. */
static void test_events_of_parents(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    rig->two_parents = true;
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    say(rig, C_rejected, "its words");
    until(&rig->loop, rig->events == 1);
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->events, 1);
    assert_int_equal(rig->patches, 1);
    rig_free(rig);
}

static void test_events(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    char words[8][8];
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    say(rig, C_accepted, "fine");
    until(&rig->loop, rig->patches == 1);
    pause_ms(rig, 50);
    assert_int_equal(rig->events, 0);
    say(rig, C_rejected, "its words");
    until(&rig->loop, rig->events == 1);
    static const char *const parts[] = {
        "\"name\":\"r.",
        "\"namespace\":\"a\"",
        "\"reportingController\":\"heddle.dev/gateway-controller\"",
        "\"reportingInstance\":\"heddle-0\"",
        "\"type\":\"Warning\",\"reason\":\"Rejected\",\"action\":\"Program\",\"note\":\"its "
        "words\"",
        "\"regarding\":{\"apiVersion\":\"gateway.networking.k8s.io/v1beta1\",\"kind\":"
        "\"HTTPRoute\",\"namespace\":\"a\",\"name\":\"r\",\"uid\":\"u-r\"}",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        assert_non_null(strstr(rig->event, parts[i]));
    }
    assert_string_equal(rig->api->log[2], "POST /apis/events.k8s.io/v1/namespaces/a/events");

    /* Each other text once, within the minute's limit. */
    for (unsigned i = 0; i < STATUS_EVENTS_MAX; i++) {
        unsigned patches = rig->patches;
        (void)snprintf(words[i], sizeof(words[i]), "w%u", i);
        say(rig, C_rejected, words[i]);
        until(&rig->loop, rig->patches == patches + 1);
    }
    pause_ms(rig, 50);
    assert_int_equal(rig->events, STATUS_EVENTS_MAX);
    rig_free(rig);
}

/* 32 entries of others: nothing can be written, and that is said, once. */
static void test_no_room(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    struct buf status;
    buf_init(&status, sizeof(rig->status) - 1);
    for (unsigned i = 0; i < 32; i++) {
        buf_add_text(&status, i == 0 ? "{\"parents\":[" FOREIGN : "," FOREIGN);
    }
    buf_add_text(&status, "]}");
    assert_true(buf_ok(&status));
    (void)snprintf(rig->status, sizeof(rig->status), "%.*s", STR_FMT(buf_str(&status)));
    buf_release(&status);
    status_writer_lead(rig->writer, true);
    seen(rig, "r");
    say(rig, C_accepted, "one");
    until(&rig->loop, rig->events == 1);
    say(rig, C_conflicted, "two");
    pause_ms(rig, QUIET_MS);
    assert_int_equal(rig->events, 1);
    assert_non_null(strstr(rig->event, "\"reason\":\"StatusTruncated\""));
    assert_int_equal(rig->patches, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_once),
        cmocka_unit_test(test_only_the_leader),
        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_late_news),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_gone_in_flight),
        cmocka_unit_test(test_made_again_in_flight),
        cmocka_unit_test(test_cleaned),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_words_wait),
        cmocka_unit_test(test_settles_first),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_events_of_parents),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
