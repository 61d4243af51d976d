/* SPDX-License-Identifier: Apache-2.0 */
/* What changes in one batch counts as one change, in whatever order it is told? */
#include "file_set_rig.h"

/* What two files say before and after one batch, told in either order. */
static void expect_batch(const char *const before[2], const char *const after[2],
                         const char *events, const char *later)
{
    static const char *const names[] = {"a", "b"};
    for (unsigned first = 0; first < 2; first++) {
        struct watched watched;
        begin(&watched);
        for (unsigned i = 0; i < 2; i++) {
            file_set_update(watched.set, str_from(names[i]), str_from(before[i]));
        }
        file_set_settle(watched.set);
        buf_clear(&watched.events);
        for (unsigned i = 0; i < 2; i++) {
            unsigned file = first ^ i;
            if (after[file] != NULL) {
                file_set_update(watched.set, str_from(names[file]), str_from(after[file]));
            } else {
                file_set_remove(watched.set, str_from(names[file]));
            }
            expect(&watched, ""); /* nothing before the batch is complete */
        }
        settle(&watched, events);
        /* and it is not only put off */
        update(&watched, "c", NAMESPACE("c", "c"), "+c=c ");
        file_set_update(watched.set, STR("a"), STR(""));
        file_set_update(watched.set, STR("b"), STR(""));
        settle(&watched, later);
        end(&watched);
    }
}

static void what_moves_and_breaks_in_one_batch_stays(void **state)
{
    (void)state;
    const char *const in_a[] = {NAMESPACE("n", "x"), "# b\n"};
    const char *const in_b[] = {"# a\n", NAMESPACE("n", "x")};
    /* to a file that is read after the old one, and to one that is read before it */
    expect_batch(in_a, (const char *const[]){"", BROKEN("n")}, "!b ", "-n ");
    expect_batch(in_a, (const char *const[]){NULL, BROKEN("n")}, "!b ", "-n ");
    expect_batch(in_b, (const char *const[]){BROKEN("n"), ""}, "!a ", "-n ");
    expect_batch(in_b, (const char *const[]){BROKEN("n"), NULL}, "!a ", "-n ");
    /* what is whole there is taken, what is nowhere goes */
    expect_batch(in_a, (const char *const[]){"", NAMESPACE("n", "y")}, "+n=y ", "-n ");
    expect_batch(in_a, (const char *const[]){"", BROKEN("m")}, "-n ", "");
}

/* A document without identity may be what vanished from another file at the same time. */
static void what_moves_out_of_sight_in_one_batch_stays(void **state)
{
    (void)state;
    const char *const in_a[] = {NAMESPACE("n", "x"), "# b\n"};
    expect_batch(in_a, (const char *const[]){"", NAMELESS}, "!b ", "-n ");
    expect_batch(in_a, (const char *const[]){NULL, NAMELESS}, "!b ", "-n ");
    expect_batch(in_a, (const char *const[]){"", NAMESPACE("m", "y") NAMELESS}, "!b +m=y ",
                 "-m -n ");
}

/* But one that stands there for long, and does not change, has nothing to do with it. */
static void an_old_wreck_keeps_only_its_own(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "a", NAMESPACE("a", "x"), "+a=x ");
    update(&watched, "b", NAMELESS NAMESPACE("b", "x"), "+b=x ");
    file_set_unreadable(watched.set, STR("c"), STR("no"));
    settle(&watched, "");
    file_set_update(watched.set, STR("b"), STR(NAMELESS NAMESPACE("b", "x"))); /* read again */
    file_set_unreadable(watched.set, STR("c"), STR("no"));
    remove_file(&watched, "a", "-a ");
    update(&watched, "b", NAMELESS "#\n", ""); /* it keeps b */
    update(&watched, "b", "", "-b ");
    end(&watched);
}

static void the_last_text_of_a_batch_counts(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f", NAMESPACE("a", "x") NAMESPACE("b", "x"), "+a=x +b=x ");
    file_set_update(watched.set, STR("f"), STR(NAMESPACE("b", "y")));
    file_set_update(watched.set, STR("f"), STR(BROKEN("a") NAMESPACE("b", "z")));
    settle(&watched, "+b=z !f ");
    file_set_remove(watched.set, STR("f"));
    file_set_update(watched.set, STR("f"), STR(NAMESPACE("a", "x") BROKEN("b")));
    settle(&watched, "!f ");
    file_set_update(watched.set, STR("f"), STR(NAMELESS));
    file_set_remove(watched.set, STR("f"));
    settle(&watched, "-a -b ");
    end(&watched);
}

/* --- any batches --------------------------------------------------------------------------- */

#define BATCHES 400

static void describe(struct watched *watched, struct buf *ret_text)
{
    buf_init(ret_text, BUF_UNLIMITED);
    for (unsigned i = 0; i < FILES; i++) {
        buf_printf(ret_text, "%c: ", 'a' + i);
        file_set_save(watched->set, str_span(&"abcd"[i], 1), ret_text);
    }
    file_set_problems(watched->set, say, ret_text);
    buf_printf(ret_text, "%zu %d", file_set_invalid(watched->set),
               file_set_incomplete(watched->set));
}

/* Told forwards and backwards, a batch comes to the same. */
static void any_batch_in_any_order(void **state)
{
    (void)state;
    struct watched forwards, backwards;
    struct buf texts[FILES];
    uint64_t seed = 1;
    begin(&forwards);
    begin(&backwards);
    for (unsigned i = 0; i < FILES; i++) {
        buf_init(&texts[i], BUF_UNLIMITED);
    }
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        unsigned what[FILES];
        for (unsigned i = 0; i < FILES; i++) {
            what[i] = draw(&seed, 8);
            draw_text(&seed, &texts[i]);
        }
        for (unsigned i = 0; i < FILES; i++) {
            unsigned j = FILES - 1 - i;
            if (what[i] < 6) {
                change(forwards.set, i, what[i], buf_str(&texts[i]));
            }
            if (what[j] < 6) {
                change(backwards.set, j, what[j], buf_str(&texts[j]));
            }
        }
        file_set_settle(forwards.set);
        file_set_settle(backwards.set);
        struct buf left, right;
        describe(&forwards, &left);
        describe(&backwards, &right);
        if (!str_eq(buf_str(&left), buf_str(&right)) ||
            forwards.events.len != backwards.events.len) {
            fail_msg("batch %u:\n%.*s\n%.*s", batch, STR_FMT(buf_str(&left)),
                     STR_FMT(buf_str(&right)));
        }
        buf_release(&left);
        buf_release(&right);
    }
    assert_true(forwards.events.len > BATCHES); /* something happens */
    buf_clear(&forwards.events);
    buf_clear(&backwards.events);
    end(&forwards);
    end(&backwards);
    for (unsigned i = 0; i < FILES; i++) {
        buf_release(&texts[i]);
    }
}

/* Of two documents for one object that both break, neither wins by breaking. */
static void of_two_broken_ones_what_was_in_force_stays(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f", NAMESPACE("a", "1") NAMESPACE("a", "2"), "+a=1 ");
    update(&watched, "f", BROKEN("a") BROKEN("a"), "");
    update(&watched, "f", BROKEN("a") BROKEN("a") "#\n", "");
    update(&watched, "f", BROKEN("a"), "");
    remove_file(&watched, "f", "-a ");
    update(&watched, "f", NAMESPACE("a", "1") NAMESPACE("a", "2"), "+a=1 ");
    update(&watched, "f", BROKEN("a") NAMESPACE("a", "2"), "");
    remove_file(&watched, "f", "-a ");
    /* in two files */
    update(&watched, "f", NAMESPACE("a", "1"), "+a=1 ");
    update(&watched, "g", NAMESPACE("a", "2"), "");
    file_set_update(watched.set, STR("g"), STR(BROKEN("a")));
    file_set_update(watched.set, STR("f"), STR(BROKEN("a")));
    settle(&watched, "");
    remove_file(&watched, "f", "+a=2 "); /* the last good version of the other one */
    remove_file(&watched, "g", "-a ");
    end(&watched);
}

static void the_first_of_two_may_be_broken(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "a", BROKEN("n"), "");
    update(&watched, "b", NAMESPACE("n", "b"), "+n=b ");
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    file_set_problems(watched.set, say, &text);
    assert_true(str_contains(buf_str(&text), STR("in 'a' on line 2, which comes first\n")));
    update(&watched, "a", NAMESPACE("n", "a"), "+n=a ");
    buf_clear(&text);
    file_set_problems(watched.set, say, &text);
    assert_true(str_contains(buf_str(&text), STR("which comes first and is in force\n")));
    buf_release(&text);
    end(&watched);
}

/* --- the directory as a whole -------------------------------------------------------------- */

static void a_directory_in_trouble_keeps_what_vanishes(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "a", NAMESPACE("a", "x") NAMESPACE("b", "x"), "+a=x +b=x ");
    assert_true(file_set_directory_ok(watched.set));
    file_set_directory(watched.set, STR("too many files"), "split it", true);
    update(&watched, "a", NAMESPACE("b", "x"), "!. ");
    assert_false(file_set_directory_ok(watched.set));
    assert_int_equal(file_set_invalid(watched.set), 0); /* it is no document */
    expect_problems(&watched, ".:0:HED013 ");
    update(&watched, "a", "#\n", "-b "); /* later: that has nothing to do with it */
    file_set_directory(watched.set, STR("too many files"), "split it", false);
    update(&watched, "a", NAMESPACE("b", "x"), "+b=x ");
    file_set_directory(watched.set, STR("too many files"), "split it", false);
    update(&watched, "a", "", "-b ");
    file_set_directory(watched.set, STR_NULL, NULL, false);
    settle(&watched, "-a ");
    assert_true(file_set_directory_ok(watched.set));
    expect_problems(&watched, "");
    end(&watched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_moves_and_breaks_in_one_batch_stays),
        cmocka_unit_test(what_moves_out_of_sight_in_one_batch_stays),
        cmocka_unit_test(an_old_wreck_keeps_only_its_own),
        cmocka_unit_test(the_last_text_of_a_batch_counts),
        cmocka_unit_test(any_batch_in_any_order),
        cmocka_unit_test(of_two_broken_ones_what_was_in_force_stays),
        cmocka_unit_test(the_first_of_two_may_be_broken),
        cmocka_unit_test(a_directory_in_trouble_keeps_what_vanishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
