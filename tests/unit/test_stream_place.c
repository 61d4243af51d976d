/* SPDX-License-Identifier: Apache-2.0 */
/* Is no listener sent to a place that another one still has? (subscription.h, "Places") */
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
    put(rig, XDS_LDS, "a", "1@x");
    put(rig, XDS_LDS, "b", "1@y");
    put(rig, XDS_LDS, "c", "1@z");
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

static struct client *client_with_all(struct rig *rig, enum stream_protocol protocol)
{
    struct client *c = client_new(rig, protocol);
    if (protocol == STREAM_DELTA) {
        delta(c, XDS_LDS, "", "", "");
    } else {
        sotw(c, XDS_LDS, "");
    }
    said(c, "lds a b c");
    ack(c, XDS_LDS);
    return c;
}

static void who_moves_goes_first_and_comes_after_that(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_with_all(rig, STREAM_DELTA);
    put(rig, XDS_LDS, "a", "2@y"); /* a and b swap */
    put(rig, XDS_LDS, "b", "2@x");
    put(rig, XDS_LDS, "c", "2@z");
    put(rig, XDS_LDS, "n", "1@v");
    publish(rig);
    said(c, "lds c n -a -b");
    quiet(c);
    ack(c, XDS_LDS);
    said(c, "lds a b");
    ack(c, XDS_LDS);
    quiet(c);
    client_free(c);
}

/* Nobody can be in the way: no moment without it. */
static void who_moves_alone_is_changed_where_it_is(void **state)
{
    struct rig *rig = *state;
    for (unsigned p = 0; p < 2; p++) {
        struct client *c = client_with_all(rig, p == 0 ? STREAM_DELTA : STREAM_SOTW);
        put(rig, XDS_LDS, "a", p == 0 ? "2@v" : "3@x");
        put(rig, XDS_LDS, "b", p == 0 ? "2@y" : "3@y"); /* stays */
        publish(rig);
        said(c, p == 0 ? "lds a b" : "lds a b c");
        ack(c, XDS_LDS);
        put(rig, XDS_LDS, "a", p == 0 ? "4@w" : "5@w");
        del(rig, XDS_LDS, "c"); /* goes before, in the same response */
        publish(rig);
        said(c, p == 0 ? "lds a -c" : "lds a b");
        ack(c, XDS_LDS);
        quiet(c);
        client_free(c);
        put(rig, XDS_LDS, "c", "1@z");
        put(rig, XDS_LDS, "a", "6@v");
        publish(rig);
    }
}

/* Another one that moves to its place meanwhile finds it still there. */
static void who_was_not_sent_for_want_of_room_moves_with_the_next(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_with_all(rig, STREAM_DELTA);
    c->stream->response_bytes = 1;
    put(rig, XDS_LDS, "a", "2@x");
    put(rig, XDS_LDS, "c", "2@v");
    publish(rig);
    said(c, "lds a");
    put(rig, XDS_LDS, "b", "2@z");
    publish(rig);
    ack(c, XDS_LDS);
    said(c, "lds -b -c");
    ack(c, XDS_LDS);
    said(c, "lds b");
    ack(c, XDS_LDS);
    said(c, "lds c");
    ack(c, XDS_LDS);
    quiet(c);
    client_free(c);
}

static void who_moves_is_left_out_of_the_whole_state(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_with_all(rig, STREAM_SOTW);
    put(rig, XDS_LDS, "a", "2@y");
    put(rig, XDS_LDS, "b", "2@x");
    publish(rig);
    said(c, "lds c");
    quiet(c);
    ack(c, XDS_LDS);
    said(c, "lds a b c");
    ack(c, XDS_LDS);
    quiet(c);
    client_free(c);
}

/* A new one takes the place in the response with which the old one goes, whether it moves or ends.
 */
static void a_place_is_taken_in_one_response(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_with_all(rig, STREAM_DELTA);
    put(rig, XDS_LDS, "a", "2@v");
    del(rig, XDS_LDS, "b");
    put(rig, XDS_LDS, "m", "1@x");
    put(rig, XDS_LDS, "n", "1@y");
    publish(rig);
    said(c, "lds m n -a -b");
    ack(c, XDS_LDS);
    said(c, "lds a");
    client_free(c);
}

/* What goes stands in the first of several responses, since its place may be taken in it. */
static void what_goes_is_not_split_off(void **state)
{
    struct rig *rig = *state;
    rig->view.response_bytes = 320;
    struct client *c = client_with_all(rig, STREAM_DELTA);
    del(rig, XDS_LDS, "c");
    put(rig, XDS_LDS, "m", "1@z");
    put(rig, XDS_LDS, "n", "1@u");
    put(rig, XDS_LDS, "o", "1@v");
    put(rig, XDS_LDS, "p", "1@w");
    publish(rig);
    said(c, "lds m n o -c");
    ack(c, XDS_LDS);
    said(c, "lds p");
    client_free(c);
}

static void who_moves_again_while_an_answer_is_awaited(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_with_all(rig, STREAM_DELTA);
    put(rig, XDS_LDS, "a", "2@v");
    put(rig, XDS_LDS, "n", "1@x");
    publish(rig);
    said(c, "lds n -a");
    put(rig, XDS_LDS, "a", "3@w"); /* it has not come yet: there is nothing to take away */
    publish(rig);
    ack(c, XDS_LDS);
    said(c, "lds a");
    put(rig, XDS_LDS, "a", "4@v");
    publish(rig);
    quiet(c);
    put(rig, XDS_LDS, "a", "5@w"); /* and back: it is taken away all the same */
    put(rig, XDS_LDS, "n", "2@v");
    publish(rig);
    ack(c, XDS_LDS);
    said(c, "lds -a -n");
    del(rig, XDS_LDS, "a"); /* it is gone already */
    publish(rig);
    ack(c, XDS_LDS);
    said(c, "lds n");
    ack(c, XDS_LDS);
    quiet(c);
    client_free(c);
}

/* What place it had is not known any more. */
static void who_comes_back_before_it_has_gone_goes_first(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_with_all(rig, STREAM_DELTA);
    put(rig, XDS_LDS, "b", "2@y");
    publish(rig);
    said(c, "lds b");
    del(rig, XDS_LDS, "a");
    publish(rig);
    put(rig, XDS_LDS, "a", "2@v");
    put(rig, XDS_LDS, "n", "1@x");
    publish(rig);
    ack(c, XDS_LDS);
    said(c, "lds n -a");
    ack(c, XDS_LDS);
    said(c, "lds a");
    client_free(c);
}

static void who_ends_before_it_has_moved_ends_once(void **state)
{
    struct rig *rig = *state;
    for (unsigned p = 0; p < 2; p++) {
        struct client *c = client_with_all(rig, p == 0 ? STREAM_DELTA : STREAM_SOTW);
        put(rig, XDS_LDS, "b", p == 0 ? "2@y" : "3@y");
        publish(rig);
        said(c, p == 0 ? "lds b" : "lds a b c");
        put(rig, XDS_LDS, "a", "2@v");
        publish(rig);
        del(rig, XDS_LDS, "a");
        publish(rig);
        ack(c, XDS_LDS);
        said(c, p == 0 ? "lds -a" : "lds b c");
        ack(c, XDS_LDS);
        quiet(c);
        client_free(c);
        put(rig, XDS_LDS, "a", "1@x");
        publish(rig);
    }
}

/* What was rejected of it is then nobody's concern. */
static void who_was_refused_and_ends_before_it_has_moved_is_dropped(void **state)
{
    struct rig *rig = *state;
    for (unsigned p = 0; p < 2; p++) {
        struct client *c = client_with_all(rig, p == 0 ? STREAM_DELTA : STREAM_SOTW);
        put(rig, XDS_LDS, "a", "2@x");
        publish(rig);
        said(c, p == 0 ? "lds a" : "lds a b c");
        nack(c, XDS_LDS, "a is bad");
        put(rig, XDS_LDS, "a", "3@v");
        put(rig, XDS_LDS, "n", "1@w");
        publish(rig);
        said(c, p == 0 ? "lds n -a" : "lds b c n");
        rig->events[0] = '\0';
        del(rig, XDS_LDS, "a");
        publish(rig);
        assert_string_equal(rig->events, "dropped lds a\n");
        ack(c, XDS_LDS);
        quiet(c);
        assert_true(subscription_settled(&c->stream->subs[XDS_LDS]));
        client_free(c);
        put(rig, XDS_LDS, "a", "1@x");
        del(rig, XDS_LDS, "n");
        publish(rig);
    }
}

/* Who comes back has what it had; only its answer tells that a place was taken. */
static void who_was_away_is_sent_what_it_refused_while_that_helps(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_LDS, "", "", "a=old b=old c=old");
    said(c, "lds a b c");
    nack(c, XDS_LDS, "a: duplicate address\nb: duplicate address");
    assert_string_equal(rig->events, "rejected lds a b\n");
    said(c, "lds a b");
    nack(c, XDS_LDS, "a: duplicate address");
    said(c, "lds a");
    nack(c, XDS_LDS, "a: duplicate address");
    quiet(c);
    client_free(c);
    rig->events[0] = '\0';
    c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_LDS, "");
    said(c, "lds a b c");
    nack(c, XDS_LDS, "a: duplicate address");
    said(c, "lds a b c");
    ack(c, XDS_LDS);
    assert_string_equal(rig->events, "rejected lds a\naccepted lds a\n");
    quiet(c);
    client_free(c);
}

/* A client that refuses it all, or that does not say what it refuses, is not asked again. */
static void what_does_not_help_is_not_tried(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_LDS, "", "", "");
    said(c, "lds a b c");
    nack(c, XDS_LDS, "no");
    quiet(c);
    put(rig, XDS_LDS, "d", "1");
    put(rig, XDS_LDS, "e", "1");
    publish(rig);
    said(c, "lds d e");
    nack(c, XDS_LDS, "d is bad"); /* it has no place */
    quiet(c);
    client_free(c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(who_moves_goes_first_and_comes_after_that),
        T(who_moves_alone_is_changed_where_it_is),
        T(who_was_not_sent_for_want_of_room_moves_with_the_next),
        T(who_moves_is_left_out_of_the_whole_state),
        T(a_place_is_taken_in_one_response),
        T(what_goes_is_not_split_off),
        T(who_moves_again_while_an_answer_is_awaited),
        T(who_comes_back_before_it_has_gone_goes_first),
        T(who_ends_before_it_has_moved_ends_once),
        T(who_was_refused_and_ends_before_it_has_moved_is_dropped),
        T(who_was_away_is_sent_what_it_refused_while_that_helps),
        T(what_does_not_help_is_not_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
