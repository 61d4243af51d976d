/* SPDX-License-Identifier: Apache-2.0 */
/* Are on-demand names reported, counted and limited, and what does a client hear of a limit? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream_rig.h"

/* Clusters and listeners are on demand, in scope "demand". */
static int setup(void **state)
{
    struct rig *rig = xmalloc(sizeof(*rig));
    rig_init(rig);
    rig->view.nscopes = 2;
    rig->view.scopes[1] = STR("demand");
    rig->view.on_demand[XDS_CDS] = rig->view.on_demand[XDS_LDS] = 1;
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    rig_release(*state);
    free(*state);
    return 0;
}

/* All that was counted is given back. */
static void check_nothing_is_wanted(struct rig *rig)
{
    assert_int_equal(interest_len(&rig->env.interest), 0);
    assert_int_equal(rig->env.ndenied, 0);
    assert_int_equal(rig->names, 0);
    assert_int_equal(rig->peer_names, 0);
}

static void on_demand_name_waits_and_is_reported(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    struct client *d = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "a", "", "");
    delta(d, XDS_CDS, "a", "", "");
    quiet(c);
    assert_string_equal(rig->interest, "+cds a\n");
    put_in(rig, XDS_CDS, "demand", "a", "1", "");
    publish(rig);
    said(c, "cds a");
    said(d, "cds a");
    client_free(c);
    assert_string_equal(rig->interest, "+cds a\n");
    delta(d, XDS_CDS, "", "a", "");
    assert_string_equal(rig->interest, "+cds a\n-cds a\n");
    client_free(d);
}

static void wildcard_does_not_reach_on_demand_scopes(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    put_in(rig, XDS_CDS, "demand", "b", "1", "");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    said(c, "cds a");
    ack(c, XDS_CDS);
    delta(c, XDS_CDS, "b", "", "");
    said(c, "cds b");
    ack(c, XDS_CDS);
    delta(c, XDS_CDS, "", "b", "");
    said(c, "cds -b");
    client_free(c);
}

/* The stream goes on with what it has. */
static void beyond_the_limit_of_all_a_name_does_not_exist(void **state)
{
    struct rig *rig = *state;
    rig->env.limits.interest_names = 1;
    struct client *c = client_new(rig, STREAM_DELTA);
    struct client *d = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "a", "", "");
    delta(d, XDS_CDS, "a b", "", ""); /* "a" is counted once */
    said(d, "cds -b");
    ack(d, XDS_CDS);
    delta(d, XDS_CDS, "b", "", "");
    said(d, "cds -b"); /* as every renewed subscription is answered */
    ack(d, XDS_CDS);
    put_in(rig, XDS_CDS, "demand", "a", "1", "");
    publish(rig);
    said(c, "cds a");
    said(d, "cds a");
    ack(d, XDS_CDS);
    assert_string_equal(rig->interest, "+cds a\n");
    assert_int_equal(d->status, 0);
    client_free(c);
    client_free(d);
    check_nothing_is_wanted(rig);
}

static void a_denied_name_comes_when_there_is_room(void **state)
{
    struct rig *rig = *state;
    rig->env.limits.interest_names = 1;
    struct client *c = client_new(rig, STREAM_DELTA);
    struct client *d = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "a", "", "");
    delta(d, XDS_CDS, "b c", "", "");
    said(d, "cds -b -c");
    ack(d, XDS_CDS);
    streams_ask_again(&rig->env);
    assert_string_equal(rig->interest, "+cds a\n");
    delta(c, XDS_CDS, "", "a", "");
    streams_ask_again(&rig->env);
    assert_string_equal(rig->interest, "+cds a\n-cds a\n+cds b\n");
    put_in(rig, XDS_CDS, "demand", "b", "1", "");
    publish(rig);
    said(d, "cds b");
    ack(d, XDS_CDS);
    delta(d, XDS_CDS, "", "b c", ""); /* one that was granted, one that was not */
    check_nothing_is_wanted(rig);
    client_free(c);
    client_free(d);
}

static void one_peer_leaves_room_for_others(void **state)
{
    struct rig *rig = *state;
    _Atomic unsigned others = 0;
    rig->env.limits.interest_names = 3;
    rig->env.limits.interest_per_peer = 2;
    struct client *c = client_new(rig, STREAM_DELTA);
    struct client *same = client_new(rig, STREAM_DELTA);
    struct client *other = client_new(rig, STREAM_DELTA);
    other->stream->peer_names = &others;
    delta(c, XDS_CDS, "a", "", "");
    delta(same, XDS_CDS, "b c d", "", "");
    said(same, "cds -c -d"); /* two streams of one peer share its limit */
    delta(other, XDS_CDS, "c", "", "");
    quiet(other);
    assert_string_equal(rig->interest, "+cds a\n+cds b\n+cds c\n");
    client_free(c);
    streams_ask_again(&rig->env);
    assert_int_equal(same->stream->subs[XDS_CDS].denied.count, 1);
    client_free(same);
    client_free(other);
    assert_int_equal(others, 0);
    check_nothing_is_wanted(rig);
}

/* gRPC counts a name that an answer lacks as absent, at once or when its timer ends. */
static void a_sotw_client_gets_an_answer_without_it(void **state)
{
    struct rig *rig = *state;
    rig->env.limits.interest_per_peer = 1;
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_LDS, "a");
    quiet(c);
    put_in(rig, XDS_LDS, "demand", "a", "1", "");
    publish(rig);
    said(c, "lds a");
    ack(c, XDS_LDS);
    sotw(c, XDS_LDS, "a b");
    said(c, "lds a");
    ack(c, XDS_LDS);
    quiet(c);
    sotw(c, XDS_LDS, "b");
    streams_ask_again(&rig->env);
    assert_string_equal(rig->interest, "+lds a\n-lds a\n+lds b\n");
    client_free(c);
    check_nothing_is_wanted(rig);
}

/* The place is another worker's: it is the name that does not count here, not the resource. */
static void what_was_made_for_others_is_sent_all_the_same(void **state)
{
    struct rig *rig = *state;
    rig->env.limits.interest_names = 1;
    rig->names = 1;
    put_in(rig, XDS_CDS, "demand", "a", "1", "");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "a", "", "");
    said(c, "cds a");
    assert_string_equal(rig->interest, "");
    client_free(c);
    rig->names = 0;
    check_nothing_is_wanted(rig);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(on_demand_name_waits_and_is_reported),
        T(wildcard_does_not_reach_on_demand_scopes),
        T(beyond_the_limit_of_all_a_name_does_not_exist),
        T(a_denied_name_comes_when_there_is_room),
        T(one_peer_leaves_room_for_others),
        T(a_sotw_client_gets_an_answer_without_it),
        T(what_was_made_for_others_is_sent_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
