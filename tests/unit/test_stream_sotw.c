/* SPDX-License-Identifier: Apache-2.0 */
/* Does a state-of-the-world stream get what it asked for, whole where it must be whole? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

static void answers_of_lds_and_cds_are_whole(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    put(rig, XDS_CDS, "c", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "a b");
    said(c, "cds a b");
    ack(c, XDS_CDS);
    quiet(c);
    put(rig, XDS_CDS, "b", "2");
    publish(rig);
    said(c, "cds a b");
    ack(c, XDS_CDS);
    put(rig, XDS_CDS, "c", "2");
    publish(rig);
    quiet(c);
    client_free(c);
}

static void answers_of_rds_and_eds_hold_what_is_new(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_EDS, "a", "1");
    put(rig, XDS_EDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_EDS, "a");
    said(c, "eds a");
    ack(c, XDS_EDS);
    sotw(c, XDS_EDS, "a b");
    said(c, "eds b");
    ack(c, XDS_EDS);
    put(rig, XDS_EDS, "a", "2");
    publish(rig);
    said(c, "eds a");
    client_free(c);
}

static void no_names_at_first_is_a_wildcard(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "");
    said(c, "cds"); /* an empty wildcard is answered */
    ack(c, XDS_CDS);
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    said(c, "cds a");
    ack(c, XDS_CDS);
    quiet(c);
    sotw(c, XDS_CDS, "b"); /* from now on names only */
    quiet(c);
    put(rig, XDS_CDS, "a", "2");
    publish(rig);
    quiet(c);
    client_free(c);
}

static void no_names_after_names_unsubscribes(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "a");
    said(c, "cds a");
    ack(c, XDS_CDS);
    sotw(c, XDS_CDS, "");
    quiet(c);
    assert_false(c->stream->subs[XDS_CDS].wildcard);
    put(rig, XDS_CDS, "a", "2");
    publish(rig);
    quiet(c);
    client_free(c);
}

/* gRPC Java sends no ACK then, and later a nonce of long ago. */
static void who_left_a_type_may_come_back(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_RDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_RDS, "a");
    said(c, "rds a");
    sotw_only(c, XDS_RDS, "", "", "", NULL);
    sotw_only(c, XDS_RDS, "a", "old", "0", NULL);
    streams_pump(&rig->env);
    said(c, "rds a");
    ack(c, XDS_RDS);
    quiet(c);
    client_free(c);
}

/* A name that crossed a response would force an answer; whoever left meanwhile gets none. */
static void who_left_a_type_is_sent_nothing(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_EDS, "a", "1");
    put(rig, XDS_EDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_EDS, "a");
    said(c, "eds a");
    sotw_only(c, XDS_EDS, "a b", "", "", NULL);
    streams_pump(&rig->env);
    quiet(c);
    sotw_only(c, XDS_EDS, "", "", "", NULL);
    streams_pump(&rig->env);
    assert_false(c->stream->subs[XDS_EDS].in_flight);
    quiet(c);
    sotw_only(c, XDS_EDS, "a", "", "1", NULL);
    streams_pump(&rig->env);
    said(c, "eds a");
    ack(c, XDS_EDS);
    quiet(c);
    client_free(c);
}

static void star_is_a_wildcard(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_LDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_LDS, "* x");
    said(c, "lds a");
    ack(c, XDS_LDS);
    put(rig, XDS_LDS, "b", "1");
    publish(rig);
    said(c, "lds a b");
    client_free(c);
}

static void name_that_does_not_exist_waits(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_LDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_LDS, "x");
    quiet(c);
    sotw(c, XDS_LDS, "x a");
    said(c, "lds a"); /* who adds a name gets an answer with it */
    ack(c, XDS_LDS);
    put(rig, XDS_LDS, "x", "1");
    publish(rig);
    said(c, "lds a x");
    client_free(c);
}

static void added_name_is_answered_even_if_known_by_wildcard(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_LDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_LDS, "*");
    said(c, "lds a");
    ack(c, XDS_LDS);
    sotw(c, XDS_LDS, "* a");
    said(c, "lds a");
    client_free(c);
}

static void removal_is_an_answer_without_it(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_LDS, "a", "1");
    put(rig, XDS_LDS, "b", "1");
    put(rig, XDS_EDS, "e", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_LDS, "a b");
    said(c, "lds a b");
    ack(c, XDS_LDS);
    sotw(c, XDS_EDS, "e");
    said(c, "eds e");
    ack(c, XDS_EDS);
    del(rig, XDS_LDS, "a");
    del(rig, XDS_EDS, "e"); /* not sayable */
    publish(rig);
    said(c, "lds b");
    ack(c, XDS_LDS);
    del(rig, XDS_LDS, "b");
    publish(rig);
    said(c, "lds");
    ack(c, XDS_LDS);
    quiet(c);
    client_free(c);
}

static void version_is_a_hash_over_the_set(void **state)
{
    struct rig *rig = *state;
    char first[24];
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "a b");
    memcpy(first, c->version[XDS_CDS], sizeof(first));
    put(rig, XDS_CDS, "a", "2");
    publish(rig);
    assert_string_equal(c->version[XDS_CDS], first); /* unacknowledged: nothing new was sent */
    ack(c, XDS_CDS);
    assert_string_not_equal(c->version[XDS_CDS], first);
    ack(c, XDS_CDS);
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    assert_string_equal(c->version[XDS_CDS], first);
    struct client *d = client_new(rig, STREAM_SOTW);
    sotw(d, XDS_CDS, "b a");
    assert_string_equal(d->version[XDS_CDS], first);
    struct client *e = client_new(rig, STREAM_SOTW);
    put(rig, XDS_EDS, "a", "1");
    put(rig, XDS_EDS, "b", "1");
    publish(rig);
    sotw(e, XDS_EDS, "a");
    memcpy(first, e->version[XDS_EDS], sizeof(first));
    ack(e, XDS_EDS);
    sotw(e, XDS_EDS, "a b");
    assert_string_not_equal(e->version[XDS_EDS], first);
    client_free(c);
    client_free(d);
    client_free(e);
}

static void change_there_and_back_is_skipped(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "a");
    said(c, "cds a");
    put(rig, XDS_CDS, "a", "2");
    publish(rig);
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    ack(c, XDS_CDS);
    quiet(c);
    client_free(c);
}

static void endpoints_follow_a_cluster_sent_again(void **state)
{
    struct rig *rig = *state;
    put_in(rig, XDS_CDS, "s", "c", "1", "e");
    put(rig, XDS_EDS, "e", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "");
    said(c, "cds c");
    sotw(c, XDS_EDS, "e");
    said(c, "eds e");
    ack(c, XDS_EDS);
    ack(c, XDS_CDS);
    quiet(c);
    put_in(rig, XDS_CDS, "s", "c", "2", "e");
    publish(rig);
    said(c, "cds c");
    said(c, "eds e"); /* unchanged; Envoy asks for it with what looks like the old ACK */
    sotw_only(c, XDS_EDS, "e", c->version[XDS_EDS], "2", NULL);
    streams_pump(&rig->env);
    quiet(c);
    ack(c, XDS_EDS);
    ack(c, XDS_CDS);
    quiet(c);
    client_free(c);
}

static void too_big_a_whole_is_not_sent(void **state)
{
    struct rig *rig = *state;
    rig->env.limits.whole_state_bytes = 100;
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "a");
    said(c, "cds a");
    ack(c, XDS_CDS);
    sotw(c, XDS_CDS, "a b");
    quiet(c);
    assert_int_equal(c->status, 0);
    put(rig, XDS_EDS, "e", "1");
    publish(rig);
    sotw(c, XDS_EDS, "e"); /* the stream lives */
    said(c, "eds e");
    client_free(c);
}

static void eds_is_split_and_versions_agree(void **state)
{
    struct rig *rig = *state;
    rig->view.response_bytes = 300;
    for (unsigned i = 0; i < 6; i++) {
        char name[8];
        snprintf(name, sizeof(name), "e%u", i);
        put(rig, XDS_EDS, name, "1");
    }
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_EDS, "e0 e1 e2 e3 e4 e5");
    said(c, "eds e0 e1 e2");
    ack(c, XDS_EDS);
    said(c, "eds e3 e4 e5");
    ack(c, XDS_EDS);
    quiet(c);
    client_free(c);
}

/* What is wrong stands in every answer of whole state; what is new in the next is not to blame. */
static void rejection_of_what_did_not_change(void **state)
{
    struct rig *rig = *state;
    rig->view.keeps_valid = true;
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "b");
    said(c, "cds b");
    nack(c, XDS_CDS, "b is bad");
    assert_string_equal(rig->events, "rejected cds b\n");
    sotw(c, XDS_CDS, "a b");
    said(c, "cds a b");
    nack(c, XDS_CDS, "b is bad");
    assert_string_equal(rig->events, "rejected cds b\nrejected cds b\n");
    /* Mended, while another is wrong: the rejection of the first is taken back. */
    put(rig, XDS_CDS, "a", "2");
    put(rig, XDS_CDS, "b", "2");
    publish(rig);
    said(c, "cds a b");
    nack(c, XDS_CDS, "a is bad");
    assert_string_equal(rig->events, "rejected cds b\nrejected cds b\n"
                                     "rejected cds a\naccepted cds b\n");
    client_free(c);
}

/* A client that comes back has both; the answer with one of them would take the other away. */
static void answer_waits_for_names_that_are_made(void **state)
{
    struct rig *rig = *state;
    rig->view.on_demand[XDS_LDS] = 0;
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_LDS, "a b");
    quiet(c);
    put(rig, XDS_LDS, "a", "1");
    publish(rig);
    quiet(c);
    put(rig, XDS_LDS, "b", "1");
    publish(rig);
    said(c, "lds a b");
    ack(c, XDS_LDS);
    /* One that is asked for later holds up the next answer, too, but only while it is wanted. */
    sotw(c, XDS_LDS, "a b c");
    put(rig, XDS_LDS, "a", "2");
    publish(rig);
    quiet(c);
    sotw(c, XDS_LDS, "a b");
    said(c, "lds a b");
    ack(c, XDS_LDS);
    /* What was there and went is told as gone, and holds up nothing. */
    del(rig, XDS_LDS, "b");
    publish(rig);
    said(c, "lds a");
    ack(c, XDS_LDS);
    put(rig, XDS_LDS, "a", "3");
    publish(rig);
    said(c, "lds a");
    client_free(c);
}

static void name_that_was_left_is_not_waited_for(void **state)
{
    struct rig *rig = *state;
    rig->view.on_demand[XDS_LDS] = 0;
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_LDS, "a *");
    quiet(c);
    sotw(c, XDS_LDS, "*");
    said(c, "lds");
    client_free(c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(answers_of_lds_and_cds_are_whole),
        T(answers_of_rds_and_eds_hold_what_is_new),
        T(no_names_at_first_is_a_wildcard),
        T(no_names_after_names_unsubscribes),
        T(who_left_a_type_may_come_back),
        T(who_left_a_type_is_sent_nothing),
        T(star_is_a_wildcard),
        T(name_that_does_not_exist_waits),
        T(answer_waits_for_names_that_are_made),
        T(name_that_was_left_is_not_waited_for),
        T(added_name_is_answered_even_if_known_by_wildcard),
        T(removal_is_an_answer_without_it),
        T(version_is_a_hash_over_the_set),
        T(change_there_and_back_is_skipped),
        T(endpoints_follow_a_cluster_sent_again),
        T(rejection_of_what_did_not_change),
        T(too_big_a_whole_is_not_sent),
        T(eds_is_split_and_versions_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
