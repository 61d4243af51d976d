/* SPDX-License-Identifier: Apache-2.0 */
/* events: what becomes of Events that the API server takes, refuses, or does not answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "base/metric.h"
#include "status/events.h"

#define GOING                                                                                      \
    "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"unable to create new content in " \
    "namespace a because it is being terminated\"}"

struct rig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    struct events *events;
    unsigned status; /* of answers; 0: none */
    const char *body;
    int64_t written, failed, dropped; /* at the start */
};

static void answer(void *user, struct ask *ask)
{
    const struct rig *rig = user;
    assert_string_equal(ask->path, "/apis/events.k8s.io/v1/namespaces/a/events");
    if (rig->status != 0) {
        api_reply(ask, rig->status, rig->body);
    }
}

static void start(struct rig *rig)
{
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
    rig->kube = api_kube(rig->api);
    rig->events = events_new(rig->kube, STR("heddle-0"));
    rig->written = metric_get(M_events_written);
    rig->failed = metric_get(M_events_failed);
    rig->dropped = metric_get(M_events_dropped);
}

static void stop(struct rig *rig)
{
    events_free(rig->events);
    kube_free(rig->kube);
    api_free(rig->api);
    loop_release(&rig->loop);
}

static void say(struct rig *rig)
{
    events_send(rig->events, &(struct event){
                                 .api_version = STR("v1"),
                                 .kind = STR("Service"),
                                 .ns = STR("a"),
                                 .name = STR("echo"),
                                 .reason = STR("Because"),
                                 .action = STR("Accept"),
                                 .note = STR("words"),
                             });
}

static bool counted(const struct rig *rig, int64_t written, int64_t failed, int64_t dropped)
{
    return metric_get(M_events_written) == rig->written + written &&
           metric_get(M_events_failed) == rig->failed + failed &&
           metric_get(M_events_dropped) == rig->dropped + dropped;
}

static void test_answers(void **state)
{
    struct rig rig = {.status = 201, .body = "{}"};
    (void)state;
    start(&rig);
    say(&rig);
    until(&rig.loop, counted(&rig, 1, 0, 0));
    rig.status = 403;
    say(&rig);
    until(&rig.loop, counted(&rig, 1, 1, 0));
    rig.body = GOING; /* nobody will miss it */
    say(&rig);
    until(&rig.loop, counted(&rig, 1, 1, 1));
    rig.status = 404; /* it went */
    rig.body = "{}";
    say(&rig);
    until(&rig.loop, counted(&rig, 1, 1, 2));
    stop(&rig);
}

static void test_bounds(void **state)
{
    struct rig rig = {.status = 201, .body = "{}"};
    (void)state;
    start(&rig);
    say(&rig); /* libcurl learns that the server speaks HTTP/1.1 */
    until(&rig.loop, counted(&rig, 1, 0, 0));
    rig.status = 0;
    for (unsigned i = 0; i < EVENTS_IN_FLIGHT_MAX + EVENTS_WAITING_MAX + 3; i++) {
        say(&rig);
    }
    until(&rig.loop, rig.api->requests == 1 + EVENTS_IN_FLIGHT_MAX);
    turn(&rig.loop, 50);
    assert_int_equal(rig.api->requests, 1 + EVENTS_IN_FLIGHT_MAX);
    assert_true(counted(&rig, 1, 0, 3));
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
