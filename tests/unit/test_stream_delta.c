/* SPDX-License-Identifier: Apache-2.0 */
/* Does a delta stream say exactly what the incremental xDS protocol asks for, and no more? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream_rig.h"

static int setup(void **state)
{
    struct rig *rig = xmalloc(sizeof(*rig));
    rig_init(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    rig_release(*state);
    free(*state);
    return 0;
}

static void wildcard_gets_all_then_changes(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    said(c, "cds a b");
    ack(c, XDS_CDS);
    quiet(c);
    put(rig, XDS_CDS, "b", "2");
    publish(rig);
    said(c, "cds b");
    ack(c, XDS_CDS);
    put(rig, XDS_CDS, "b", "2"); /* equal bytes */
    publish(rig);
    quiet(c);
    client_free(c);
}

static void star_is_a_wildcard_and_can_be_left(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "* b", "", "");
    said(c, "cds a b");
    ack(c, XDS_CDS);
    delta(c, XDS_CDS, "", "*", "");
    quiet(c);
    put(rig, XDS_CDS, "a", "2");
    publish(rig);
    quiet(c);
    put(rig, XDS_CDS, "b", "2");
    publish(rig);
    said(c, "cds b");
    assert_int_equal(c->stream->subs[XDS_CDS].known.count, 1);
    client_free(c);
}

static void empty_wildcard_is_answered(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    said(c, "cds");
    ack(c, XDS_CDS);
    quiet(c);
    client_free(c);
}

static void eds_without_names_is_no_wildcard(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_EDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_EDS, "", "", "");
    quiet(c);
    client_free(c);
}

static void equal_initial_versions_get_nothing(void **state)
{
    struct rig *rig = *state;
    char initial[128];
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    snprintf(initial, sizeof(initial), "a=%s b=old gone=x", version_of(rig, XDS_CDS, "a"));
    delta(c, XDS_CDS, "", "", initial);
    said(c, "cds b -gone");
    ack(c, XDS_CDS);
    quiet(c);
    client_free(c);

    c = client_new(rig, STREAM_DELTA);
    snprintf(initial, sizeof(initial), "a=%s b=%s", version_of(rig, XDS_CDS, "a"),
             version_of(rig, XDS_CDS, "b"));
    delta(c, XDS_CDS, "", "", initial);
    quiet(c);
    put(rig, XDS_CDS, "a", "2");
    publish(rig);
    said(c, "cds a");
    client_free(c);
}

static void initial_versions_count_for_names_too(void **state)
{
    struct rig *rig = *state;
    char initial[128];
    put(rig, XDS_EDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    snprintf(initial, sizeof(initial), "a=%s gone=1 other=2", version_of(rig, XDS_EDS, "a"));
    delta(c, XDS_EDS, "a gone", "", initial);
    said(c, "eds -gone");
    ack(c, XDS_EDS);
    quiet(c);
    client_free(c);
}

static void resubscription_is_answered(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_EDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_EDS, "a", "", "");
    said(c, "eds a");
    ack(c, XDS_EDS);
    delta(c, XDS_EDS, "a", "", "");
    said(c, "eds a");
    client_free(c);
}

static void name_that_does_not_exist_is_removed(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_EDS, "a", "", "");
    said(c, "eds -a");
    ack(c, XDS_EDS);
    put(rig, XDS_EDS, "a", "1");
    publish(rig);
    said(c, "eds a");
    ack(c, XDS_EDS);
    del(rig, XDS_EDS, "a");
    publish(rig);
    said(c, "eds -a");
    client_free(c);
}

static void one_response_in_flight_and_changes_merge(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    said(c, "cds a");
    for (unsigned i = 0; i < 10; i++) {
        char body[16];
        snprintf(body, sizeof(body), "v%u", i);
        put(rig, XDS_CDS, "a", body);
        put(rig, XDS_CDS, "b", body);
        publish(rig);
    }
    quiet(c);
    ack(c, XDS_CDS);
    said(c, "cds a b");
    ack(c, XDS_CDS);
    quiet(c);
    client_free(c);
}

static void slow_transport_holds_back(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    c->queued = 2u << 20;
    delta(c, XDS_CDS, "", "", "");
    quiet(c);
    c->queued = 0;
    assert_true(stream_drained(c->stream));
    streams_pump(&rig->env);
    said(c, "cds a");
    client_free(c);
}

static void stale_nonce_changes_subscriptions_only(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_EDS, "a", "1");
    put(rig, XDS_EDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_EDS, "a", "", "");
    said(c, "eds a");
    delta_only(c, XDS_EDS, "b", "", "", "99", "not for you");
    streams_pump(&rig->env);
    quiet(c); /* the first is still unacknowledged */
    assert_string_equal(rig->events, "");
    ack(c, XDS_EDS);
    said(c, "eds b");
    client_free(c);
}

static void unsubscribed_is_forgotten(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_EDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_EDS, "a", "", "");
    said(c, "eds a");
    ack(c, XDS_EDS);
    delta(c, XDS_EDS, "", "a", "");
    put(rig, XDS_EDS, "a", "2");
    publish(rig);
    del(rig, XDS_EDS, "a");
    publish(rig);
    quiet(c);
    assert_int_equal(c->stream->subs[XDS_EDS].known.count, 0);
    client_free(c);
}

static void big_sets_are_split(void **state)
{
    struct rig *rig = *state;
    rig->view.response_bytes = 320;
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    put(rig, XDS_CDS, "c", "1");
    put(rig, XDS_CDS, "d", "1");
    put(rig, XDS_CDS, "e", "1");
    put(rig, XDS_LDS, "l", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    said(c, "cds a b c");
    assert_true(c->bytes < 480);
    delta(c, XDS_LDS, "", "", "");
    quiet(c); /* listeners wait for the rest of the clusters */
    ack(c, XDS_CDS);
    said(c, "cds d e");
    said(c, "lds l");
    client_free(c);
}

static void views_choose_variants(void **state)
{
    struct rig *rig = *state;
    put_in(rig, XDS_CDS, "s", "a", "general", "");
    put_in(rig, XDS_CDS, "special", "a", "special", "");
    put_in(rig, XDS_CDS, "hidden", "h", "1", "");
    publish(rig);
    rig->view = (struct view){.nscopes = 2, .scopes = {STR("special"), STR("s")}};
    memset(rig->view.on_demand, -1, sizeof(rig->view.on_demand));
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    said(c, "cds a");
    ack(c, XDS_CDS);
    put_in(rig, XDS_CDS, "s", "a", "general 2", ""); /* shadowed */
    publish(rig);
    quiet(c);
    del_in(rig, XDS_CDS, "special", "a"); /* falls back */
    publish(rig);
    said(c, "cds a");
    ack(c, XDS_CDS);
    put_in(rig, XDS_CDS, "special", "a", "general 2", ""); /* other scope, equal bytes */
    publish(rig);
    quiet(c);
    client_free(c);
}

/* Exchanging it would not be make-before-break; see serve_view(). */
static void a_second_view_is_a_bug(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = {.rlim_cur = 0};
        setrlimit(RLIMIT_CORE, &none);
        fclose(stderr);
        stream_set_view(c->stream, &rig->view);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    client_free(c);
}

static void nothing_is_said_before_the_view(void **state)
{
    struct rig *rig = *state;
    rig->no_view = true;
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    delta(c, XDS_LDS, "", "", "");
    quiet(c);
    stream_set_view(c->stream, &rig->view);
    streams_pump(&rig->env);
    said(c, "cds a");
    said(c, "lds");
    client_free(c);
    c = client_new(rig, STREAM_DELTA);
    for (unsigned i = 0; i < STREAM_HELD_MAX + 2; i++) {
        delta(c, XDS_CDS, "x", "", "");
    }
    assert_int_equal(c->status, STREAM_RESOURCE_EXHAUSTED);
    client_free(c);
}

static void limits_end_the_stream(void **state)
{
    struct rig *rig = *state;
    rig->env.limits.names_per_type = 2;
    rig->env.limits.name_bytes = 8;
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_EDS, "a b", "", "");
    assert_int_equal(c->status, 0);
    delta(c, XDS_EDS, "c", "", "");
    assert_int_equal(c->status, STREAM_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(c->end_text, "names_per_type"));
    client_free(c);
    c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_EDS, "123456789", "", "");
    assert_int_equal(c->status, STREAM_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(c->end_text, "name_bytes"));
    client_free(c);
    rig->env.limits.requests_per_second = 5;
    c = client_new(rig, STREAM_DELTA);
    for (unsigned i = 0; i < 12 && c->status == 0; i++) {
        delta(c, XDS_EDS, "a", "", "");
    }
    assert_int_equal(c->status, STREAM_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(c->end_text, "requests_per_second"));
    client_free(c);
}

static void first_request_needs_a_node(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    c->said_node = true;
    delta(c, XDS_CDS, "", "", "");
    assert_int_equal(c->status, STREAM_INVALID_ARGUMENT);
    client_free(c);
    c = client_new(rig, STREAM_DELTA);
    stream_receive(c->stream, STR("\x0a\xff\xff"));
    assert_int_equal(c->status, STREAM_INVALID_ARGUMENT);
    client_free(c);
}

static void unknown_types_are_ignored(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    said(c, "cds");
    stream_receive(c->stream, STR("\x12\x03sds"));
    streams_pump(&rig->env);
    quiet(c);
    assert_int_equal(c->status, 0);
    client_free(c);
}

/* Assignments that nobody asks for come and go with their clusters. */
static void what_is_gone_is_owed_no_more(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    put_in(rig, XDS_CDS, "s", "stays", "1", "stays");
    put(rig, XDS_EDS, "stays", "1");
    publish(rig);
    delta(c, XDS_CDS, "", "", "");
    ack(c, XDS_CDS);
    for (unsigned i = 0; i < 10 * OWED_SLACK; i++) {
        char name[16];
        snprintf(name, sizeof(name), "c%u", i);
        put_in(rig, XDS_CDS, "s", name, "1", name);
        put(rig, XDS_EDS, name, "1");
        publish(rig);
        ack(c, XDS_CDS);
        del(rig, XDS_CDS, name);
        del(rig, XDS_EDS, name);
        publish(rig);
        ack(c, XDS_CDS);
    }
    const struct subscription *eds = &c->stream->subs[XDS_EDS];
    assert_true(eds->owed.count <= 2 * 2 + OWED_SLACK);
    assert_true(replica_ids(&rig->env.replica, XDS_EDS) <= 2 * 2 + OWED_SLACK + 1);
    uint32_t id = replica_find(&rig->env.replica, XDS_EDS, STR("stays"));
    assert_true(bitmap_test(&eds->owed, id)); /* what exists is owed on */
    client_free(c);
}

static void removed_before_it_was_sent(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    said(c, "cds a");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    del(rig, XDS_CDS, "b");
    publish(rig);
    ack(c, XDS_CDS);
    quiet(c);
    assert_int_equal(replica_find(&rig->env.replica, XDS_CDS, STR("b")), REPLICA_NONE);
    client_free(c);
}

static void a_report_tells_the_account(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    nack(c, XDS_CDS, "b is bad");
    put(rig, XDS_CDS, "a", "2");
    publish(rig);
    put(rig, XDS_CDS, "b", "2");
    publish(rig);
    struct stream_report r = {.id = 1};
    struct arena arena;
    arena_init(&arena);
    stream_report_fill(c->stream, true, &arena, &r);
    const struct stream_type_report *t = &r.types[XDS_CDS];
    assert_true(t->subscribed && t->wildcard && t->in_flight);
    assert_int_equal(t->known, 2);
    assert_int_equal(t->pending, 1);
    assert_int_equal(t->sent, 2);
    assert_int_equal(t->rejected, 1);
    assert_true(str_eq(t->reject_text, STR("b is bad")));
    assert_int_equal(r.nresources, 1);
    assert_true(str_eq(r.resources[0]->name, STR("a")));
    resource_unref((struct resource *)(uintptr_t)r.resources[0]);
    free(r.resources);
    assert_int_equal(r.nasked, 0);
    arena_release(&arena);
    client_free(c);
}

static void a_report_tells_what_is_asked_for(void **state)
{
    struct rig *rig = *state;
    rig->view.on_demand[XDS_LDS] = 0;
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_LDS, "b a", "", "");
    delta(c, XDS_RDS, "r", "", "");
    struct stream_report r = {.id = 1};
    struct arena arena;
    arena_init(&arena);
    stream_report_fill(c->stream, false, &arena, &r);
    assert_int_equal(r.nasked, 2);
    assert_true(r.asked[0].type == XDS_LDS && str_eq(r.asked[0].name, STR("a")));
    assert_true(r.asked[1].type == XDS_LDS && str_eq(r.asked[1].name, STR("b")));
    for (unsigned i = 0; i < 2 * STREAM_ASKED_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%03u", i);
        delta(c, XDS_LDS, name, "", "");
    }
    stream_report_fill(c->stream, false, &arena, &r);
    assert_int_equal(r.nasked, STREAM_ASKED_MAX);
    arena_release(&arena);
    client_free(c);
}

/* What a gateway may see is its own scope and the endpoints' (pipeline/view.c). */
static void secrets_of_another_gateway_do_not_exist(void **state)
{
    struct rig *rig = *state;
    rig->view.nscopes = 2;
    rig->view.scopes[0] = STR("gateway/infra/front");
    rig->view.scopes[1] = STR("all");
    put_in(rig, XDS_SDS, "gateway/infra/front", "cert/infra/mine", "1", "");
    put_in(rig, XDS_SDS, "gateway/infra/back", "cert/infra/theirs", "1", "");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_SDS, "cert/infra/mine cert/infra/theirs", "", "");
    said(c, "sds cert/infra/mine -cert/infra/theirs");
    ack(c, XDS_SDS);
    put_in(rig, XDS_SDS, "gateway/infra/back", "cert/infra/theirs", "2", "");
    publish(rig);
    quiet(c);
    delta(c, XDS_SDS, "*", "", "");
    quiet(c); /* all that there is, it has */
    client_free(c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(wildcard_gets_all_then_changes),
        T(star_is_a_wildcard_and_can_be_left),
        T(empty_wildcard_is_answered),
        T(eds_without_names_is_no_wildcard),
        T(equal_initial_versions_get_nothing),
        T(initial_versions_count_for_names_too),
        T(resubscription_is_answered),
        T(name_that_does_not_exist_is_removed),
        T(one_response_in_flight_and_changes_merge),
        T(slow_transport_holds_back),
        T(stale_nonce_changes_subscriptions_only),
        T(unsubscribed_is_forgotten),
        T(big_sets_are_split),
        T(views_choose_variants),
        T(a_second_view_is_a_bug),
        T(nothing_is_said_before_the_view),
        T(limits_end_the_stream),
        T(first_request_needs_a_node),
        T(unknown_types_are_ignored),
        T(what_is_gone_is_owed_no_more),
        T(removed_before_it_was_sent),
        T(a_report_tells_the_account),
        T(a_report_tells_what_is_asked_for),
        T(secrets_of_another_gateway_do_not_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
