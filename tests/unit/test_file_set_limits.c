/* SPDX-License-Identifier: Apache-2.0 */
/* Is what a file may hold bounded, and does a bound take nothing away? */
#include "file_set_rig.h"

/* Adds a List of the same item `len` times. */
static void add_many(struct buf *text, size_t len, const char *item)
{
    buf_printf(text, "---\nkind: List\nmetadata: {x: &a %s}\nitems: [", item);
    for (size_t i = 0; i < len; i++) {
        buf_add_text(text, "*a,");
    }
    buf_add_text(text, "]\n");
}

#define BROKEN_ITEM "{kind: Namespace, apiVersion: v1, metadata: {name: n, nme: x}}"

/* Each claim must cost the same, however many there are: with what is quadratic in them this does
 * not come to an end. */
static void many_claims_on_one_object(void **state)
{
    (void)state;
    struct watched watched;
    struct buf text;
    begin(&watched);
    buf_init(&text, BUF_UNLIMITED);
    add_many(&text, FILE_OBJECTS_MAX / 2, ITEM("n"));
    add_many(&text, FILE_OBJECTS_MAX / 2, ITEM("n"));
    for (unsigned i = 0; i < 5; i++) {
        buf_printf(&text, "# %u\n", i);
        file_set_update(watched.set, STR("f"), buf_str(&text));
        settle(&watched, i == 0 ? "+n= " : "");
        assert_int_equal(file_set_invalid(watched.set), FILE_OBJECTS_MAX - 1);
    }
    file_set_unreadable(watched.set, STR("f"), STR("no"));
    settle(&watched, "");
    remove_file(&watched, "f", "-n ");
    buf_release(&text);
    end(&watched);
}

/* What lies beyond a limit is not read, which is said, and takes nothing away. */
static void objects_of_a_file_are_bounded(void **state)
{
    (void)state;
    struct watched watched;
    struct buf text;
    begin(&watched);
    update(&watched, "f", NAMESPACE("a", "x"), "+a=x ");
    buf_init(&text, BUF_UNLIMITED);
    add_many(&text, FILE_OBJECTS_MAX / 2, ITEM("n"));
    add_many(&text, FILE_OBJECTS_MAX / 2, ITEM("n"));
    buf_add_text(&text, NAMESPACE("a", "y"));
    file_set_update(watched.set, STR("f"), buf_str(&text));
    settle(&watched, "+n= "); /* a stays */
    buf_clear(&text);
    file_set_problems(watched.set, say, &text);
    assert_true(str_contains(
        buf_str(&text), STR("f:10 HED012 the file has more than 50000 objects; those from here "
                            "on are not read\n")));
    update(&watched, "f", NAMESPACE("a", "y"), "+a=y -n ");
    buf_release(&text);
    end(&watched);
}

static void problems_of_a_file_are_bounded(void **state)
{
    (void)state;
    struct watched watched;
    struct buf text;
    begin(&watched);
    buf_init(&text, BUF_UNLIMITED);
    for (unsigned i = 0; i < FILE_PROBLEMS_MAX; i++) {
        buf_printf(&text, "---\n{apiVersion: v1, kind: Other%u, metadata: {name: a}}\n", i);
    }
    buf_add_text(&text, "---\n{apiVersion: v1, kind: More, metadata: {name: a}}\n");
    add_many(&text, 1000, BROKEN_ITEM);
    file_set_update(watched.set, STR("f"), buf_str(&text));
    settle(&watched, "");
    assert_int_equal(file_set_invalid(watched.set), 1999); /* broken, and written twice */
    buf_clear(&text);
    file_set_problems(watched.set, say, &text);
    /* as grave as the gravest of them, and where that is */
    assert_true(str_contains(buf_str(&text), STR("f:2005 HED004 there are 1001 more problems in "
                                                 "this file, not listed\n")));
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++) {
        lines += text.data[i] == '\n' ? 1 : 0;
    }
    assert_int_equal(lines, FILE_PROBLEMS_MAX + 1 + PROBLEMS_MAX + 1);
    buf_release(&text);
    end(&watched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_claims_on_one_object),
        cmocka_unit_test(objects_of_a_file_are_bounded),
        cmocka_unit_test(problems_of_a_file_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
