/* SPDX-License-Identifier: Apache-2.0 */
/* lease: who leads, and who leads next, with a Lease in an API server of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "codec/doc_json.h"
#include "kube/lease.h"

#define DURATION_MS 1000
#define RENEW_MS 400
#define RETRY_MS 60

/* The Lease, as the server has it. */
struct stored {
    bool there;
    char holder[64];
    long duration_s, transitions, version;
};

struct rig;

struct candidate {
    struct rig *rig;
    struct lease *lease;
    bool leads, stopped;
    unsigned turns; /* times that it was told */
};

struct rig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    struct stored stored;
    bool down;   /* answers 503 */
    bool silent; /* answers nothing */
    bool no_ns;  /* there is no namespace for a Lease */
    struct candidate a, b;
};

static void say_lease(struct rig *rig, struct ask *ask, unsigned status)
{
    const struct stored *stored = &rig->stored;
    char body[512];
    snprintf(body, sizeof(body),
             "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"heddle\",\"resourceVersion\":\"%ld\"},"
             "\"spec\":{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":%ld,"
             "\"leaseTransitions\":%ld}}",
             stored->version, stored->holder, stored->duration_s, stored->transitions);
    api_reply(ask, status, body);
}

static void store(struct rig *rig, struct ask *ask, bool create)
{
    struct stored *stored = &rig->stored;
    struct doc_node *root;
    struct arena arena;
    arena_init(&arena);
    assert_true(doc_json_parse(&arena, ask->body, 1000, &root, NULL));
    const struct doc_node *spec = doc_get(root, STR("spec"));
    const struct doc_node *version =
        doc_get(doc_get(root, STR("metadata")), STR("resourceVersion"));
    const struct doc_node *holder = doc_get(spec, STR("holderIdentity"));
    const struct doc_node *transitions = doc_get(spec, STR("leaseTransitions"));
    if (create ? stored->there : strtol(version->text.ptr, NULL, 10) != stored->version) {
        api_reply(ask, 409, "{\"kind\":\"Status\",\"code\":409,\"reason\":\"Conflict\"}");
    } else {
        assert_true(create == (version == NULL));
        stored->there = true;
        stored->version++;
        stored->duration_s = doc_get(spec, STR("leaseDurationSeconds"))->integer;
        stored->transitions = transitions != NULL ? transitions->integer : stored->transitions;
        snprintf(stored->holder, sizeof(stored->holder), "%.*s",
                 STR_FMT(holder->type == DOC_NULL ? STR_NULL : holder->text));
        say_lease(rig, ask, create ? 201 : 200);
    }
    arena_release(&arena);
}

static void answer(void *user, struct ask *ask)
{
    struct rig *rig = user;
    if (rig->silent) {
        return;
    }
    if (rig->down) {
        api_reply(ask, 503, "");
    } else if (rig->no_ns) {
        api_reply(ask, 404, "{\"kind\":\"Status\",\"code\":404,\"reason\":\"NotFound\"}");
    } else if (strcmp(ask->method, "GET") != 0) {
        store(rig, ask, strcmp(ask->method, "POST") == 0);
    } else if (rig->stored.there) {
        say_lease(rig, ask, 200);
    } else {
        api_reply(ask, 404, "{\"kind\":\"Status\",\"code\":404,\"reason\":\"NotFound\"}");
    }
}

static void on_changed(void *user, bool leads)
{
    struct candidate *candidate = user;
    candidate->leads = leads;
    candidate->turns++;
    assert_false(candidate->rig->a.leads && candidate->rig->b.leads); /* never two */
}

static void on_stopped(void *user)
{
    ((struct candidate *)user)->stopped = true;
}

static void candidate_start(struct rig *rig, struct candidate *candidate, const char *name)
{
    *candidate = (struct candidate){.rig = rig};
    candidate->lease = lease_start(&(struct lease_config){
        .kube = rig->kube,
        .loop = &rig->loop,
        .ns = STR("heddle-system"),
        .name = STR("heddle"),
        .identity = str_from(name),
        .changed = on_changed,
        .user = candidate,
        .times = {DURATION_MS, RENEW_MS, RETRY_MS},
    });
}

static void candidate_stop(struct candidate *candidate, unsigned grace_ms)
{
    candidate->leads = false;
    lease_stop(candidate->lease, grace_ms, on_stopped, candidate);
    until(&candidate->rig->loop, candidate->stopped);
}

static void start(struct rig *rig)
{
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
    rig->kube = api_kube(rig->api);
}

static void stop(struct rig *rig)
{
    kube_free(rig->kube);
    api_free(rig->api);
    loop_release(&rig->loop);
}

static void test_made_renewed_and_given_back(void **state)
{
    struct rig rig = {.down = false};
    (void)state;
    start(&rig);
    candidate_start(&rig, &rig.a, "a");
    until(&rig.loop, rig.a.leads);
    assert_true(lease_leads(rig.a.lease));
    assert_string_equal(rig.stored.holder, "a");
    assert_int_equal(rig.stored.duration_s, 1);
    candidate_start(&rig, &rig.b, "b");
    until(&rig.loop, rig.stored.version >= 20); /* longer than its duration */
    assert_false(rig.b.leads);
    assert_int_equal(rig.a.turns, 1);
    assert_int_equal(rig.stored.transitions, 0);

    candidate_stop(&rig.a, 1000);
    assert_string_equal(rig.stored.holder, "");
    uint64_t since = loop_now_ms(&rig.loop);
    until(&rig.loop, rig.b.leads);
    assert_true(loop_now_ms(&rig.loop) - since < DURATION_MS / 2);
    assert_int_equal(rig.stored.transitions, 1);
    candidate_stop(&rig.b, 1000);
    stop(&rig);
}

static void test_taken_over_when_expired(void **state)
{
    struct rig rig = {.stored = {true, "dead", 1, 4, 77}};
    (void)state;
    start(&rig);
    uint64_t since = loop_now_ms(&rig.loop);
    candidate_start(&rig, &rig.a, "a");
    until(&rig.loop, rig.a.leads);
    assert_true(loop_now_ms(&rig.loop) - since >= 1000);
    assert_int_equal(rig.stored.transitions, 5);
    candidate_stop(&rig.a, 0); /* no grace: it is left to expire */
    assert_string_equal(rig.stored.holder, "a");
    stop(&rig);
}

static void test_own_of_a_former_life(void **state)
{
    struct rig rig = {.stored = {true, "a", 3600, 4, 77}};
    (void)state;
    start(&rig);
    candidate_start(&rig, &rig.a, "a");
    until(&rig.loop, rig.a.leads);
    assert_int_equal(rig.stored.transitions, 4);
    candidate_stop(&rig.a, 1000);
    stop(&rig);
}

/* No answer, or a bad one: leads until RENEW_MS have passed, and again when it can be renewed. */
static void test_loss(void **state)
{
    struct rig rig = {.down = false};
    (void)state;
    start(&rig);
    candidate_start(&rig, &rig.a, "a");
    until(&rig.loop, rig.a.leads);
    rig.down = true;
    uint64_t since = loop_now_ms(&rig.loop);
    until(&rig.loop, !rig.a.leads);
    uint64_t lasted = loop_now_ms(&rig.loop) - since;
    assert_true(lasted >= RENEW_MS - RETRY_MS - 50 && lasted < DURATION_MS);
    rig.down = false;
    until(&rig.loop, rig.a.leads);
    rig.silent = true;
    until(&rig.loop, !rig.a.leads);
    rig.silent = false;
    until(&rig.loop, rig.a.leads); /* LEASE_ANSWER_MS later */
    rig.silent = true;
    candidate_stop(&rig.a, 100); /* the grace ends it */
    stop(&rig);
}

static void test_taken_by_force(void **state)
{
    struct rig rig = {.down = false};
    (void)state;
    start(&rig);
    candidate_start(&rig, &rig.a, "a");
    until(&rig.loop, rig.a.leads);
    snprintf(rig.stored.holder, sizeof(rig.stored.holder), "b");
    rig.stored.duration_s = 3600;
    rig.stored.version += 10;
    uint64_t since = loop_now_ms(&rig.loop);
    until(&rig.loop, !rig.a.leads);
    assert_true(loop_now_ms(&rig.loop) - since < RENEW_MS);
    /* Somebody wrote, but it is still ours. */
    snprintf(rig.stored.holder, sizeof(rig.stored.holder), "a");
    rig.stored.version += 10;
    until(&rig.loop, rig.a.leads);
    rig.stored.version += 10;
    long version = rig.stored.version;
    until(&rig.loop, rig.stored.version > version + 2);
    assert_int_equal(rig.a.turns, 3);
    candidate_stop(&rig.a, 1000);
    stop(&rig);
}

/* Nothing hurries to make what cannot be made. */
static void test_no_namespace(void **state)
{
    struct rig rig = {.no_ns = true};
    (void)state;
    start(&rig);
    candidate_start(&rig, &rig.a, "a");
    uint64_t since = loop_now_ms(&rig.loop);
    until(&rig.loop, loop_now_ms(&rig.loop) - since >= 5 * (uint64_t)RETRY_MS);
    assert_in_range(rig.api->requests, 4, 16); /* a GET and a POST each time */
    rig.no_ns = false;
    until(&rig.loop, rig.a.leads);
    candidate_stop(&rig.a, 1000);
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_renewed_and_given_back),
        cmocka_unit_test(test_taken_over_when_expired),
        cmocka_unit_test(test_own_of_a_former_life),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_taken_by_force),
        cmocka_unit_test(test_no_namespace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
