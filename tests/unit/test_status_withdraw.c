/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_withdraw: what is left of the status of a Gateway that is no longer heddle's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "base/log.h"
#include "codec/doc_json.h"
#include "ir/attachment.h"
#include "status/withdraw.h"
#include "status/writer.h"

#define GATEWAY(version, status, fields)                                                           \
    "{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"Gateway\",\"metadata\":{"         \
    "\"namespace\":\"a\",\"name\":\"web\",\"uid\":\"u\",\"resourceVersion\":\"" version            \
    "\",\"managedFields\":[" fields "]},\"status\":{" status "}}"
/* Who set what of the status. */
#define SET(manager, fields)                                                                       \
    "{\"manager\":\"" manager "\",\"operation\":\"Update\",\"subresource\":\"status\","            \
    "\"fieldsV1\":{\"f:status\":{" fields "}}}"
#define SPEC "{\"manager\":\"kubectl\",\"operation\":\"Apply\",\"fieldsV1\":{\"f:spec\":{}}}"
#define OF(type) "\"k:{\\\"type\\\":\\\"" type "\\\"}\":{\"f:message\":{},\"f:status\":{}}"
#define CONDITIONS(fields) "\"f:conditions\":{" fields "}"
#define LISTENER(name, fields) "\"k:{\\\"name\\\":\\\"" name "\\\"}\":{" fields "}"
#define SAID(type, status) "{\"type\":\"" type "\",\"status\":\"" status "\"}"

#define OURS                                                                                       \
    "\"conditions\":[" SAID("Accepted", "True") "," SAID(                                          \
        "Programmed",                                                                              \
        "False") "],"                                                                              \
                 "\"listeners\":[{\"name\":\"http\",\"attachedRoutes\":1,\"conditions\":[" SAID(   \
                     "Accepted", "True") "]}],\"addresses\":[{\"value\":\"10.0.0.1\"}],"           \
                                         "\"attachedListenerSets\":1"
#define OUR_LISTENERS                                                                              \
    "\"f:listeners\":{" LISTENER("http", CONDITIONS(OF("Accepted") "," OF(                         \
                                             "Programmed"))) "," LISTENER("more", "\".\":{}") "}"
#define ALL_OURS                                                                                   \
    SET("heddle",                                                                                  \
        CONDITIONS(OF("Accepted") "," OF("Programmed")) ",\"f:listeners\":{" LISTENER(             \
            "http", "\".\":{}," CONDITIONS(OF("Accepted"))) "},\"f:addresses\":{},"                \
                                                            "\"f:attachedListenerSets\":{}")

#define THEIR_LISTENER "\"f:listeners\":{" LISTENER("http", CONDITIONS(OF("Accepted"))) "}"

static const struct {
    const char *title, *object, *patch; /* NULL: nothing is taken back */
} cases[] = {
    {"what heddle alone has set goes, and the API server's defaults come",
     GATEWAY("1", OURS, SPEC "," ALL_OURS),
     "{\"conditions\":null,\"listeners\":null,\"addresses\":null,\"attachedListenerSets\":null}"},
    {"what the API server begins with is nobody's",
     GATEWAY("1",
             "\"conditions\":[" SAID("Accepted", "Unknown") "," SAID("Programmed", "Unknown") "]",
             SET("heddle", CONDITIONS(OF("Accepted") "," OF("Programmed")))),
     NULL},
    {"another's Gateway is left alone",
     GATEWAY("1", OURS, SET("other", CONDITIONS(OF("Accepted")))), NULL},
    {"without a status there is nothing", GATEWAY("1", "", SPEC), NULL},
    {"a condition that another has touched since is the other's, and one of a type of its own",
     GATEWAY("1",
             "\"conditions\":[" SAID("example.com/X", "True") "," SAID("Accepted", "True") "," SAID(
                 "Programmed", "True") "]",
             SET("heddle", CONDITIONS(OF("Accepted") "," OF("Programmed"))) "," SET(
                 "other", CONDITIONS(OF("example.com/X") "," OF("Accepted")))),
     "{\"conditions\":[" SAID("example.com/X", "True") "," SAID("Accepted", "True") "]}"},
    {"a listener that another has touched loses what is heddle's in it",
     GATEWAY("1",
             "\"listeners\":[{\"name\":\"http\",\"attachedRoutes\":1,\"conditions\":[" SAID(
                 "Accepted", "True") "," SAID("Programmed", "True") "]},{\"name\":\"more\","
                                                                    "\"conditions\":[]}]",
             SET("heddle", OUR_LISTENERS) "," SET("other", THEIR_LISTENER)),
     "{\"listeners\":[{\"name\":\"http\",\"attachedRoutes\":1,\"conditions\":[" SAID(
         "Accepted", "True") "]}]}"},
};

static struct doc_node *parse(struct arena *arena, const char *text)
{
    struct doc_node *object;
    assert_true(doc_json_parse(arena, str_from(text), 10000, &object, NULL));
    return object;
}

static void what_goes_and_what_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena;
        struct buf patch;
        struct json json;
        arena_init(&arena);
        buf_init(&patch, BUF_UNLIMITED);
        json_init(&json, &patch, 0);
        json_open(&json, '{');
        bool any = status_withdraw(parse(&arena, cases[i].object), &json);
        json_close(&json, '}');
        const char *wanted = cases[i].patch != NULL ? cases[i].patch : "{}";
        if (any != (cases[i].patch != NULL) || !str_eq(buf_str(&patch), str_from(wanted))) {
            fail_msg("%s: %.*s", cases[i].title, STR_FMT(buf_str(&patch)));
        }
        buf_release(&patch);
        arena_release(&arena);
    }
}

/* --- sent ------------------------------------------------------------------------------------ */

#define WITHDRAW_MS 400

struct rig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    struct status_store *store;
    struct status_writer *writer;
    char patch[1024];
    unsigned patches;
    bool unreadable;
};

static void answer(void *user, struct ask *ask)
{
    struct rig *rig = user;
    assert_string_equal(ask->method, "PATCH");
    assert_non_null(strstr(ask->path, "/namespaces/a/gateways/web/status"));
    (void)snprintf(rig->patch, sizeof(rig->patch), "%.*s", STR_FMT(ask->body));
    rig->patches++;
    if (strstr(rig->patch, "\"addresses\":null") == NULL) {
        api_reply(ask, 200, GATEWAY("2", OURS, SPEC "," ALL_OURS));
        return;
    }
    api_reply(ask, 200,
              GATEWAY("2", "\"conditions\":[" SAID("Accepted", "Unknown") "]",
                      SPEC "," SET("heddle", CONDITIONS(OF("Accepted")))));
}

static bool is_unreadable(void *user, enum kind_id kind, struct str ns, struct str name)
{
    (void)kind;
    (void)ns;
    (void)name;
    return ((struct rig *)user)->unreadable;
}

static void start(struct rig *rig)
{
    log_set_level(LOG_ERROR + 1);
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
    rig->kube = api_kube(rig->api);
    rig->store = status_store_new();
    rig->writer = status_writer_new(&(struct status_writer_config){
        .loop = &rig->loop,
        .kube = rig->kube,
        .store = rig->store,
        .instance = STR("heddle-0"),
        .withdraw_ms = WITHDRAW_MS,
        .unclear = is_unreadable,
        .user = rig,
    });
    struct arena arena;
    arena_init(&arena);
    status_writer_seen(rig->writer, KIND_GATEWAY, STR("a"), STR("web"),
                       parse(&arena, GATEWAY("1", OURS, SPEC "," ALL_OURS)));
    arena_release(&arena);
    status_writer_lead(rig->writer, true);
}

static void stop(struct rig *rig)
{
    status_writer_free(rig->writer);
    kube_free(rig->kube);
    api_free(rig->api);
    status_store_free(rig->store);
    loop_release(&rig->loop);
}

static void it_is_taken_back_once(void **state)
{
    (void)state;
    struct rig rig = {.patches = 0};
    start(&rig);
    turn(&rig.loop, 100);
    assert_int_equal(rig.patches, 0); /* the store has yet to say whether it is heddle's */
    status_writer_turned(rig.writer);
    turn(&rig.loop, WITHDRAW_MS / 2);
    assert_int_equal(rig.patches, 0); /* its class may be there again soon */
    until(&rig.loop, rig.patches == 1);
    assert_string_equal(rig.patch, "{\"metadata\":{\"resourceVersion\":\"1\"},\"status\":{"
                                   "\"conditions\":null,\"listeners\":null,\"addresses\":null,"
                                   "\"attachedListenerSets\":null}}");
    status_writer_turned(rig.writer);
    status_writer_touch(rig.writer, KIND_GATEWAY, STR("a"), STR("web"));
    turn(&rig.loop, 2 * WITHDRAW_MS);
    assert_int_equal(rig.patches, 1);
    stop(&rig);
}

/* What heddle says of the Gateway, or no more. */
static void say(struct rig *rig, struct status *before, struct status *after)
{
    const struct row_change change = {
        .before = before != NULL ? &before->row : NULL,
        .after = after != NULL ? &after->row : NULL,
    };
    status_store_apply(rig->store, (struct row_changes){&change, 1}, UINT64_C(1000));
    status_writer_touch(rig->writer, KIND_GATEWAY, STR("a"), STR("web"));
    status_writer_turned(rig->writer);
}

/* Whoever makes DNS records of what the status says would take them away, and make them again. */
static void a_class_that_is_made_anew_takes_nothing_back(void **state)
{
    (void)state;
    struct rig rig = {.patches = 0};
    struct status *row = row_new(sizeof(*row), 512);
    row->kind = KIND_GATEWAY;
    row->ns = STR("a");
    row->name = STR("web");
    start(&rig);
    status_writer_turned(rig.writer);
    for (int i = 0; i < 4; i++) {
        turn(&rig.loop, WITHDRAW_MS / 2);
        assert_null(strstr(rig.patch, "\"addresses\":null"));
        say(&rig, NULL, row);
        turn(&rig.loop, WITHDRAW_MS / 2);
        say(&rig, row, NULL);
    }
    until(&rig.loop, strstr(rig.patch, "\"addresses\":null") != NULL);
    stop(&rig);
    row_unref(&row->row, NULL);
}

static void what_cannot_be_read_keeps_it(void **state)
{
    (void)state;
    struct rig rig = {.unreadable = true};
    start(&rig);
    status_writer_turned(rig.writer);
    turn(&rig.loop, 2 * WITHDRAW_MS);
    assert_int_equal(rig.patches, 0);
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_and_what_stays),
        cmocka_unit_test(it_is_taken_back_once),
        cmocka_unit_test(a_class_that_is_made_anew_takes_nothing_back),
        cmocka_unit_test(what_cannot_be_read_keeps_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
