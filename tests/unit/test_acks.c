/* SPDX-License-Identifier: Apache-2.0 */
/* Who counts as having acknowledged a name: is it counted by what streams say, and told once? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/acks.h"
#include "stream_rig.h"

struct world {
    struct rig rig;
    struct acks_watches watches;
    char told[256]; /* "1: 2/3 -1": watch, acknowledged, streams, rejected */
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    rig_init(&w->rig);
    acks_init(&w->watches, &w->rig.env);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    acks_release(&w->watches);
    rig_release(&w->rig);
    free(w);
    return 0;
}

/* One name, or two. */
static void watch(struct world *w, watch_id id, enum xds_type type, const char *name,
                  enum xds_type other_type, const char *other)
{
    const struct acks_name names[] = {{type, str_from(name)}, {other_type, str_from(other)}};
    acks_watch(&w->watches, id, names, other[0] != '\0' ? 2 : 1);
}

static const char *counted(struct world *w)
{
    struct letter *letter = acks_count(&w->watches);
    w->told[0] = '\0';
    for (size_t i = 0; letter != NULL && i < letter->acks.len; i++) {
        const struct acks_told *t = &letter->acks.items[i];
        size_t len = strlen(w->told);
        (void)snprintf(w->told + len, sizeof(w->told) - len, "%s%u: %u/%u", i > 0 ? ", " : "",
                       (unsigned)t->id, t->acks.acknowledged, t->acks.streams);
        len = strlen(w->told);
        if (t->acks.rejected > 0) {
            (void)snprintf(w->told + len, sizeof(w->told) - len, " -%u", t->acks.rejected);
        }
    }
    if (letter != NULL) {
        letter_free(letter);
    }
    return w->told;
}

static void a_name_counts_when_it_is_acknowledged(void **state)
{
    struct world *w = *state;
    put(&w->rig, XDS_RDS, "a", "1");
    publish(&w->rig);
    struct client *c = client_new(&w->rig, STREAM_DELTA);
    struct client *d = client_new(&w->rig, STREAM_SOTW);
    delta(c, XDS_RDS, "a", "", "");
    watch(w, 1, XDS_RDS, "a", XDS_RDS, "");
    assert_string_equal(counted(w), "1: 0/1"); /* on its way */
    ack(c, XDS_RDS);
    assert_string_equal(counted(w), "1: 1/1");
    assert_string_equal(counted(w), ""); /* told once */
    sotw(d, XDS_RDS, "a");
    assert_string_equal(counted(w), "1: 1/2");
    ack(d, XDS_RDS);
    assert_string_equal(counted(w), "1: 2/2");
    put(&w->rig, XDS_RDS, "a", "2");
    publish(&w->rig);
    assert_string_equal(counted(w), "1: 0/2");
    ack(c, XDS_RDS);
    put(&w->rig, XDS_RDS, "b", "1"); /* nobody's */
    publish(&w->rig);
    assert_string_equal(counted(w), "1: 1/2");
    acks_unwatch(&w->watches, 1);
    client_free(d);
    assert_string_equal(counted(w), "");
    client_free(c);
}

static void wildcards_are_concerned_by_what_they_see(void **state)
{
    struct world *w = *state;
    put(&w->rig, XDS_LDS, "a", "1");
    put_in(&w->rig, XDS_LDS, "other", "b", "1", "");
    publish(&w->rig);
    struct client *c = client_new(&w->rig, STREAM_SOTW);
    watch(w, 1, XDS_LDS, "a", XDS_LDS, "");
    watch(w, 2, XDS_LDS, "b", XDS_LDS, "");
    assert_string_equal(counted(w), "1: 0/0, 2: 0/0");
    sotw(c, XDS_LDS, "");
    assert_string_equal(counted(w), "1: 0/1");
    ack(c, XDS_LDS);
    assert_string_equal(counted(w), "1: 1/1");
    put(&w->rig, XDS_LDS, "c", "1"); /* a whole answer, in which a is as before */
    publish(&w->rig);
    assert_string_equal(counted(w), "");
    ack(c, XDS_LDS);
    client_free(c);
    assert_string_equal(counted(w), "1: 0/0");
}

static void who_is_not_told_of_a_removal_is_behind(void **state)
{
    struct world *w = *state;
    put(&w->rig, XDS_LDS, "a", "1");
    put(&w->rig, XDS_LDS, "b", "1");
    publish(&w->rig);
    struct client *c = client_new(&w->rig, STREAM_DELTA);
    delta(c, XDS_LDS, "*", "", "");
    watch(w, 1, XDS_LDS, "a", XDS_LDS, "");
    assert_string_equal(counted(w), "1: 0/1");
    put(&w->rig, XDS_LDS, "b", "2"); /* waits for the answer */
    del(&w->rig, XDS_LDS, "a");
    publish(&w->rig);
    ack(c, XDS_LDS); /* of the first response; now the removal is on its way */
    assert_string_equal(counted(w), "");
    ack(c, XDS_LDS);
    ack(c, XDS_LDS);
    assert_string_equal(counted(w), "1: 0/0");
    client_free(c);
}

static void a_rejection_is_none(void **state)
{
    struct world *w = *state;
    put(&w->rig, XDS_RDS, "a", "1");
    put(&w->rig, XDS_RDS, "b", "1");
    publish(&w->rig);
    struct client *c = client_new(&w->rig, STREAM_DELTA);
    delta(c, XDS_RDS, "a b", "", "");
    watch(w, 1, XDS_RDS, "a", XDS_RDS, "");
    watch(w, 2, XDS_RDS, "b", XDS_RDS, "");
    nack(c, XDS_RDS, "a is bad");
    /* Envoy may use b, or not: it did not say */
    assert_string_equal(counted(w), "1: 0/1 -1, 2: 0/1");
    put(&w->rig, XDS_RDS, "b", "2");
    publish(&w->rig);
    ack(c, XDS_RDS);
    assert_string_equal(counted(w), "2: 1/1");
    put(&w->rig, XDS_RDS, "a", "2");
    publish(&w->rig);
    assert_string_equal(counted(w), "1: 0/1");
    ack(c, XDS_RDS);
    assert_string_equal(counted(w), "1: 1/1");
    client_free(c);
}

static void several_names_are_one_question(void **state)
{
    struct world *w = *state;
    put(&w->rig, XDS_RDS, "a", "1");
    put(&w->rig, XDS_LDS, "l", "1");
    publish(&w->rig);
    struct client *c = client_new(&w->rig, STREAM_DELTA);
    struct client *d = client_new(&w->rig, STREAM_DELTA);
    delta(c, XDS_RDS, "a", "", "");
    ack(c, XDS_RDS);
    delta(c, XDS_LDS, "*", "", "");
    delta(d, XDS_LDS, "l", "", "");
    ack(d, XDS_LDS);
    watch(w, 7, XDS_RDS, "a", XDS_LDS, "l");
    struct letter *letter = acks_count(&w->watches);
    assert_non_null(letter);
    const struct acks *acks = &letter->acks.items[0].acks;
    assert_true(acks->streams == 2 && acks->acknowledged == 1 && acks->nbehind == 1);
    assert_true(str_eq(acks->behind[0], STR("sidecar/default/test")));
    letter_free(letter);
    ack(c, XDS_LDS);
    assert_string_equal(counted(w), "7: 2/2");
    client_free(d);
    client_free(c);
}

/* More names than one step looks at: all are counted, also when some are taken back meanwhile. */
static void many_watches_are_counted_in_steps(void **state)
{
    enum { WATCHES = 30, NAMES = ACKS_LOOKS / 10 };
    struct world *w = *state;
    struct acks_name names[NAMES];
    bool told[WATCHES + 1] = {false};
    unsigned steps = 0;
    put(&w->rig, XDS_RDS, "a", "1");
    publish(&w->rig);
    struct client *c = client_new(&w->rig, STREAM_DELTA);
    delta(c, XDS_RDS, "a", "", "");
    for (unsigned i = 0; i < NAMES; i++) {
        names[i] = (struct acks_name){XDS_RDS, STR("a")};
    }
    for (unsigned i = 1; i <= WATCHES; i++) {
        acks_watch(&w->watches, i, names, NAMES);
    }
    do {
        struct letter *letter = acks_count(&w->watches);
        for (size_t i = 0; letter != NULL && i < letter->acks.len; i++) {
            assert_false(told[letter->acks.items[i].id]);
            told[letter->acks.items[i].id] = true;
        }
        if (letter != NULL) {
            letter_free(letter);
        }
        if (steps++ == 0) {
            acks_unwatch(&w->watches, 2);       /* counted already */
            acks_unwatch(&w->watches, WATCHES); /* not counted yet */
            told[WATCHES] = true;
        }
    } while (acks_is_counting(&w->watches));
    assert_int_equal(steps, 3);
    for (unsigned i = 1; i <= WATCHES; i++) {
        assert_true(told[i]);
    }
    client_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_counts_when_it_is_acknowledged, setup, teardown),
        cmocka_unit_test_setup_teardown(wildcards_are_concerned_by_what_they_see, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_not_told_of_a_removal_is_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rejection_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(several_names_are_one_question, setup, teardown),
        cmocka_unit_test_setup_teardown(many_watches_are_counted_in_steps, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
