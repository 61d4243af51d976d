/* SPDX-License-Identifier: Apache-2.0 */
/* Do secrets go one a response, several at a time, and is each answer of its own? (type.def) */
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
    put(rig, XDS_SDS, "a", "1");
    put(rig, XDS_SDS, "b", "1");
    put(rig, XDS_SDS, "c", "1");
    publish(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    rig_release(*state);
    free(*state);
    return 0;
}

/* Answers the response before the last `back` ones. */
static void answer_to(struct client *c, unsigned back, const char *error)
{
    char nonce[24];
    (void)snprintf(nonce, sizeof(nonce), "%llu",
                   strtoull(c->nonce[XDS_SDS], NULL, 10) - (unsigned long long)back);
    if (c->stream->kind == STREAM_DELTA) {
        delta_only(c, XDS_SDS, "", "", "", nonce, error);
    } else {
        sotw_only(c, XDS_SDS, c->names[XDS_SDS], c->version[XDS_SDS], nonce, error);
    }
    streams_pump(&c->rig->env);
}

static struct client *client_of_three(struct rig *rig, unsigned protocol)
{
    struct client *c = client_new(rig, (enum stream_protocol)protocol);
    if (protocol == STREAM_DELTA) {
        delta(c, XDS_SDS, "a b c", "", "");
    } else {
        sotw(c, XDS_SDS, "a b c");
    }
    said(c, "sds a");
    said(c, "sds b");
    said(c, "sds c");
    return c;
}

static struct client *warm_client(struct rig *rig, unsigned protocol)
{
    struct client *c = client_of_three(rig, protocol);
    for (unsigned back = 3; back-- > 0;) {
        answer_to(c, back, NULL);
    }
    return c;
}

static void one_that_is_refused_takes_no_other_with_it(void **state)
{
    struct rig *rig = *state;
    for (unsigned protocol = STREAM_SOTW; protocol <= STREAM_DELTA; protocol++) {
        struct client *c = client_of_three(rig, protocol);
        rig->events[0] = '\0';
        answer_to(c, 2, NULL);
        answer_to(c, 1, "Failed to load it");
        answer_to(c, 0, NULL);
        assert_string_equal(rig->events, "rejected sds b\naccepted sds c\n");
        quiet(c);
        put(rig, XDS_SDS, "b", protocol == STREAM_SOTW ? "2" : "3");
        publish(rig);
        said(c, "sds b");
        ack(c, XDS_SDS);
        assert_string_equal(rig->events, "rejected sds b\naccepted sds c\naccepted sds b\n");
        client_free(c);
    }
}

static void what_changes_in_flight_waits_for_its_answer(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_of_three(rig, STREAM_DELTA);
    put(rig, XDS_SDS, "b", "2");
    publish(rig);
    quiet(c);
    answer_to(c, 2, NULL);
    quiet(c);
    answer_to(c, 1, "no"); /* of what is another one now: nobody needs to know */
    assert_string_equal(rig->events, "rejected sds\n");
    said(c, "sds b");
    answer_to(c, 1, NULL); /* of c */
    ack(c, XDS_SDS);
    quiet(c);
    client_free(c);
}

static void what_goes_waits_for_the_answers(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_of_three(rig, STREAM_DELTA);
    del(rig, XDS_SDS, "b");
    publish(rig);
    answer_to(c, 2, NULL);
    answer_to(c, 1, NULL);
    quiet(c);
    answer_to(c, 0, NULL);
    said(c, "sds -b");
    ack(c, XDS_SDS);
    quiet(c);
    client_free(c);
}

/* The client leaves a name while it is in flight: the answer is not that of the next owner of the
 * id. */
static void what_was_left_is_not_answered_for(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_of_three(rig, STREAM_DELTA);
    delta(c, XDS_SDS, "", "b", "");
    del(rig, XDS_SDS, "b");
    publish(rig);
    put(rig, XDS_SDS, "d", "1");
    publish(rig);
    delta(c, XDS_SDS, "d", "", "");
    said(c, "sds d");
    answer_to(c, 2, "no"); /* of b */
    assert_string_equal(rig->events, "rejected sds\n");
    answer_to(c, 3, NULL); /* of a: that was before */
    answer_to(c, 1, NULL);
    answer_to(c, 0, "nor this");
    assert_string_equal(rig->events, "rejected sds\naccepted sds c\nrejected sds d\n");
    client_free(c);
}

/* Envoy's answers become one while it cannot send (state of the world). */
static void one_answer_may_be_that_of_several(void **state)
{
    struct rig *rig = *state;
    for (unsigned protocol = STREAM_SOTW; protocol <= STREAM_DELTA; protocol++) {
        struct client *c = client_of_three(rig, protocol);
        rig->events[0] = '\0';
        answer_to(c, 0, "no");
        assert_string_equal(rig->events, "rejected sds c\n");
        put(rig, XDS_SDS, "a", protocol == STREAM_SOTW ? "2" : "3");
        publish(rig);
        said(c, "sds a");
        answer_to(c, 0, NULL);
        quiet(c);
        client_free(c);
    }
}

static void one_answer_may_accept_several(void **state)
{
    struct rig *rig = *state;
    for (unsigned protocol = STREAM_SOTW; protocol <= STREAM_DELTA; protocol++) {
        struct client *c = client_of_three(rig, protocol);
        answer_to(c, 2, "not a");
        answer_to(c, 1, NULL);
        answer_to(c, 0, NULL);
        rig->events[0] = '\0';
        put(rig, XDS_SDS, "a", protocol == STREAM_SOTW ? "2" : "3");
        put(rig, XDS_SDS, "b", protocol == STREAM_SOTW ? "2" : "3");
        publish(rig);
        said(c, "sds a");
        said(c, "sds b");
        answer_to(c, 0, NULL);
        assert_string_equal(rig->events, "accepted sds a b\n");
        quiet(c);
        client_free(c);
    }
}

static void who_comes_back_is_sent_what_it_lacks(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_of_three(rig, STREAM_DELTA);
    answer_to(c, 2, NULL);
    client_free(c); /* two answers are owed */
    c = client_new(rig, STREAM_DELTA);
    char initial[64];
    (void)snprintf(initial, sizeof(initial), "a=%s b=old", version_of(rig, XDS_SDS, "a"));
    delta(c, XDS_SDS, "a b c", "", initial);
    said(c, "sds b");
    said(c, "sds c");
    quiet(c);
    client_free(c);
}

static void so_many_and_no_more(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_client(rig, STREAM_DELTA);
    char names[RIG_TEXT_MAX] = "";
    for (unsigned i = 0; i < 60; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "s%u", i);
        put(rig, XDS_SDS, name, "1");
        rig_append(names, sizeof(names), " ");
        rig_append(names, sizeof(names), name);
    }
    publish(rig);
    c->wordless = true;
    size_t before = c->messages;
    delta(c, XDS_SDS, names, "", "");
    for (unsigned i = 0; i < 10; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "t%u", i);
        put(rig, XDS_SDS, name, "1");
    }
    publish(rig);
    delta(c, XDS_SDS, "t0 t1 t2 t3 t4 t5 t6 t7 t8 t9", "", "");
    assert_int_equal(c->messages - before, UNANSWERED_MAX);
    answer_to(c, UNANSWERED_MAX - 1, NULL);
    assert_int_equal(c->messages - before, UNANSWERED_MAX + 1);
    answer_to(c, 0, NULL);
    assert_int_equal(c->messages - before, 70);
    client_free(c);
}

/* We set the pace, not the client. */
static void acknowledgements_are_not_counted_as_requests(void **state)
{
    struct rig *rig = *state;
    for (unsigned protocol = STREAM_SOTW; protocol <= STREAM_DELTA; protocol++) {
        rig->env.limits.requests_per_second = 5;
        struct client *c = client_of_three(rig, protocol);
        for (unsigned i = 0; i < 50; i++) {
            char body[8];
            (void)snprintf(body, sizeof(body), "%u", 100 * protocol + i);
            put(rig, XDS_SDS, "a", body);
            publish(rig);
            answer_to(c, 0, NULL);
        }
        assert_false(c->stream->ended);
        c->wordless = true;
        for (unsigned i = 0; i < 50; i++) { /* something is asked for in each */
            char nonce[24];
            (void)snprintf(nonce, sizeof(nonce), "%s", c->nonce[XDS_SDS]);
            if (protocol == STREAM_DELTA) {
                delta_only(c, XDS_SDS, "a", "", "", nonce, NULL);
            } else {
                sotw_only(c, XDS_SDS, i % 2 == 0 ? "a" : "a b", "1", nonce, NULL);
            }
            streams_pump(&rig->env);
        }
        assert_true(c->stream->ended);
        client_free(c);
    }
}

static void what_it_leaves_altogether_is_not_waited_for(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_of_three(rig, STREAM_SOTW);
    sotw(c, XDS_SDS, "");
    sotw(c, XDS_SDS, "a");
    said(c, "sds a");
    quiet(c);
    client_free(c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_that_is_refused_takes_no_other_with_it),
        T(what_changes_in_flight_waits_for_its_answer),
        T(what_goes_waits_for_the_answers),
        T(what_was_left_is_not_answered_for),
        T(one_answer_may_be_that_of_several),
        T(one_answer_may_accept_several),
        T(who_comes_back_is_sent_what_it_lacks),
        T(so_many_and_no_more),
        T(acknowledgements_are_not_counted_as_requests),
        T(what_it_leaves_altogether_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
