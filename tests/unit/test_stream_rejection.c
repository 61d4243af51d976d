/* SPDX-License-Identifier: Apache-2.0 */
/* Is a rejection pinned on what it speaks of, and does it end with its reason? */
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

static void rejected_version_is_not_sent_again(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_RDS, "ns/r:80", "1");
    put(rig, XDS_RDS, "ns/r:8080", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_RDS, "ns/r:80 ns/r:8080", "", "");
    said(c, "rds ns/r:80 ns/r:8080");
    put(rig, XDS_RDS, "ns/r:80", "2");
    publish(rig);
    nack(c, XDS_RDS, "bad route in ns/r:8080: no");
    assert_string_equal(rig->events, "rejected rds ns/r:8080\n");
    said(c, "rds ns/r:80"); /* the rest goes on */
    ack(c, XDS_RDS);
    assert_string_equal(rig->events, "rejected rds ns/r:8080\naccepted rds ns/r:80\n");
    quiet(c);
    put(rig, XDS_RDS, "ns/r:8080", "2");
    publish(rig);
    said(c, "rds ns/r:8080");
    client_free(c);
}

/* One response of a type is under way at a time: the next one waits for the answer, so that no
 * rejection comes too late to be heard. */
static void a_rejection_is_heard_whatever_has_changed_meanwhile(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_RDS, "a", "1");
    put(rig, XDS_RDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_RDS, "a b", "", "");
    said(c, "rds a b");
    put(rig, XDS_RDS, "a", "2");
    publish(rig);
    quiet(c);
    nack(c, XDS_RDS, "too long");
    assert_string_equal(rig->events, "rejected rds b\n"); /* of a there is another version now */
    said(c, "rds a");
    put(rig, XDS_RDS, "b", "2");
    publish(rig);
    nack(c, XDS_RDS, "too long");
    assert_string_equal(rig->events, "rejected rds b\nrejected rds a\n");
    said(c, "rds b");
    ack(c, XDS_RDS);
    assert_string_equal(rig->events, "rejected rds b\nrejected rds a\naccepted rds b\n");
    client_free(c);
}

static void names_are_found_whole(void **state)
{
    (void)state;
    const struct str text = STR("Error adding listener(s) ns/a:80: bad, (\"b.c\"): worse. see d.");
    assert_true(reject_text_names(text, STR("ns/a:80")));
    assert_true(reject_text_names(text, STR("b.c")));
    assert_true(reject_text_names(text, STR("d")));
    assert_false(reject_text_names(text, STR("ns/a:8")));
    assert_false(reject_text_names(text, STR("ns/a")));
    assert_false(reject_text_names(text, STR("a:80")));
    assert_false(reject_text_names(text, STR("b")));
    assert_false(reject_text_names(text, STR("c")));
    assert_false(reject_text_names(text, STR("")));
    const struct str clusters = STR("Error adding cluster(s) ns/a:80#h2: bad, mesh|ns/b:80: worse");
    assert_true(reject_text_names(clusters, STR("ns/a:80#h2")));
    assert_true(reject_text_names(clusters, STR("mesh|ns/b:80")));
    assert_false(reject_text_names(clusters, STR("ns/a:80")));
    assert_false(reject_text_names(clusters, STR("ns/b:80")));
}

static void rejection_without_names_means_all(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_RDS, "a", "1");
    put(rig, XDS_RDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_RDS, "a b", "", "");
    said(c, "rds a b");
    nack(c, XDS_RDS, "what was that?");
    assert_string_equal(rig->events, "rejected rds a b\n");
    client_free(c);
}

/* A rejection stands for what the stream has to do with, and no longer. */
static void who_leaves_what_it_rejected_rejects_it_no_more(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_RDS, "a", "1");
    put(rig, XDS_RDS, "b", "1");
    put(rig, XDS_CDS, "c", "1");
    put(rig, XDS_CDS, "d", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_RDS, "a b", "", "");
    said(c, "rds a b");
    nack(c, XDS_RDS, "a is bad");
    delta(c, XDS_RDS, "", "b", "");
    assert_string_equal(rig->events, "rejected rds a\n");
    delta(c, XDS_RDS, "", "a", "");
    assert_string_equal(rig->events, "rejected rds a\ndropped rds a\n");
    rig->events[0] = '\0';
    delta(c, XDS_CDS, "*", "", "");
    said(c, "cds c d");
    nack(c, XDS_CDS, "c is bad");
    delta(c, XDS_CDS, "c", "", ""); /* named, too */
    said(c, "cds c");
    nack(c, XDS_CDS, "c is bad");
    delta(c, XDS_CDS, "", "c", ""); /* the wildcard still holds it */
    said(c, "cds c");
    assert_string_equal(rig->events, "rejected cds c\nrejected cds c\n");
    nack(c, XDS_CDS, "c is bad");
    rig->events[0] = '\0';
    delta(c, XDS_CDS, "", "*", "");
    assert_string_equal(rig->events, "dropped cds c\n");
    client_free(c);
}

static void what_was_rejected_and_is_gone_is_rejected_no_more(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "*", "", "");
    said(c, "cds a b");
    nack(c, XDS_CDS, "a is bad");
    del(rig, XDS_CDS, "a");
    publish(rig);
    said(c, "cds -a");
    assert_string_equal(rig->events, "rejected cds a\ndropped cds a\n");
    ack(c, XDS_CDS);
    client_free(c);
}

static void rejection_stands_until_a_change(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "a");
    said(c, "cds a");
    nack(c, XDS_CDS, "a: bad lb policy");
    quiet(c);
    assert_string_equal(rig->events, "rejected cds a\n");
    put(rig, XDS_CDS, "a", "2");
    publish(rig);
    said(c, "cds a");
    ack(c, XDS_CDS);
    assert_string_equal(rig->events, "rejected cds a\naccepted cds a\n");
    client_free(c);
}

/* A later answer of the whole type, which lacks it, does not accept it. */
static void what_was_rejected_goes_with_its_name(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_LDS, "a", "1");
    put(rig, XDS_LDS, "b", "1");
    put(rig, XDS_RDS, "r", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_LDS, "a b");
    said(c, "lds a b");
    nack(c, XDS_LDS, "a: bad");
    sotw(c, XDS_LDS, "b");
    assert_string_equal(rig->events, "rejected lds a\ndropped lds a\n");
    rig->events[0] = '\0';
    sotw(c, XDS_RDS, "r");
    said(c, "rds r");
    nack(c, XDS_RDS, "r: bad");
    sotw(c, XDS_LDS, "");
    sotw(c, XDS_RDS, ""); /* the whole type is left */
    assert_string_equal(rig->events, "rejected rds r\ndropped rds r\n");
    client_free(c);
}

/* The removal waits for a route, and an answer that is accepted meanwhile holds the old resource.
 */
static void what_was_rejected_and_is_going_is_dropped_at_the_end(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_LDS, "l", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "");
    said(c, "cds a");
    nack(c, XDS_CDS, "a: bad");
    sotw(c, XDS_LDS, "");
    said(c, "lds l"); /* unanswered: what it names stays */
    del(rig, XDS_CDS, "a");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    said(c, "cds a b");
    ack(c, XDS_CDS);
    assert_null(strstr(rig->events, "dropped"));
    ack(c, XDS_LDS);
    said(c, "cds b");
    assert_non_null(strstr(rig->events, "dropped cds a\n"));
    ack(c, XDS_CDS);
    quiet(c);
    client_free(c);
}

/* The text names one that is another by now; the others of the response are not to blame. */
static void who_was_named_and_has_changed_takes_no_other_with_it(void **state)
{
    struct rig *rig = *state;
    for (unsigned p = 0; p < 2; p++) {
        put(rig, XDS_CDS, "a", p == 0 ? "1" : "3");
        put(rig, XDS_CDS, "b", "1");
        publish(rig);
        struct client *c = client_new(rig, p == 0 ? STREAM_DELTA : STREAM_SOTW);
        if (p == 0) {
            delta(c, XDS_CDS, "*", "", "");
        } else {
            sotw(c, XDS_CDS, "");
        }
        said(c, "cds a b");
        put(rig, XDS_CDS, "a", p == 0 ? "2" : "4");
        publish(rig);
        rig->events[0] = '\0';
        nack(c, XDS_CDS, "a: bad");
        assert_string_equal(rig->events, "rejected cds\n");
        said(c, p == 0 ? "cds a" : "cds a b");
        ack(c, XDS_CDS);
        assert_int_equal(c->stream->subs[XDS_CDS].refused.count, 0);
        quiet(c);
        client_free(c);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(rejected_version_is_not_sent_again),
        T(a_rejection_is_heard_whatever_has_changed_meanwhile),
        T(names_are_found_whole),
        T(who_was_named_and_has_changed_takes_no_other_with_it),
        T(rejection_without_names_means_all),
        T(who_leaves_what_it_rejected_rejects_it_no_more),
        T(what_was_rejected_and_is_gone_is_rejected_no_more),
        T(rejection_stands_until_a_change),
        T(what_was_rejected_goes_with_its_name),
        T(what_was_rejected_and_is_going_is_dropped_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
