/* SPDX-License-Identifier: Apache-2.0 */
/* Does each rule of source/file_set.h hold? */
#include "file_set_rig.h"

static void objects_come_change_and_go(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f", NAMESPACE("a", "x") NAMESPACE("b", "x"), "+a=x +b=x ");
    update(&watched, "f", NAMESPACE("a", "x") NAMESPACE("b", "x"), "");
    update(&watched, "f", "\n\n" NAMESPACE("b", "x") NAMESPACE("a", "y"), "+a=y ");
    update(&watched, "f", NAMESPACE("a", "y"), "-b ");
    update(&watched, "f", "# nothing\n", "-a ");
    expect_problems(&watched, "");
    end(&watched);
}

static void a_broken_document_keeps_the_last_good(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f", NAMESPACE("a", "x") NAMESPACE("b", "x"), "+a=x +b=x ");
    update(&watched, "f", BROKEN("a") NAMESPACE("b", "y"), "+b=y ");
    assert_int_equal(file_set_invalid(watched.set), 1);
    assert_true(file_set_has_errors(watched.set, STR("f")));
    expect_problems(&watched, "f:4:HED004 ");
    update(&watched, "f", BROKEN("a") BROKEN("b"), "");
    update(&watched, "f", NAMESPACE("a", "x") NAMESPACE("b", "z"), "+b=z ");
    assert_int_equal(file_set_invalid(watched.set), 0);
    /* a broken document of an object that was never good puts nothing in force */
    update(&watched, "f", NAMESPACE("a", "x") BROKEN("c"), "-b ");
    update(&watched, "f", NAMESPACE("a", "x") NAMESPACE("c", "x"), "+c=x ");
    end(&watched);
}

static void a_nameless_document_keeps_everything(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f", NAMESPACE("a", "x") NAMESPACE("b", "x"), "+a=x +b=x ");
    update(&watched, "f", NAMELESS NAMESPACE("b", "y"), "+b=y ");
    update(&watched, "f", NAMELESS, "");
    assert_int_equal(file_set_invalid(watched.set), 1);
    update(&watched, "f", NAMESPACE("b", "y"), "-a ");
    end(&watched);
}

static void an_unreadable_file_keeps_everything(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f", NAMESPACE("a", "x"), "+a=x ");
    file_set_unreadable(watched.set, STR("f"), STR("permission denied"));
    file_set_unreadable(watched.set, STR("g"), STR("permission denied"));
    settle(&watched, "");
    expect_problems(&watched, "f:0:HED012 g:0:HED012 ");
    assert_true(file_set_incomplete(watched.set)); /* because of g */
    remove_file(&watched, "g", "");
    assert_false(file_set_incomplete(watched.set));
    remove_file(&watched, "f", "-a ");
    expect_problems(&watched, "");
    end(&watched);
}

/* What stands twice in a file must not count as its own successor. */
static void an_unreadable_file_keeps_what_it_has_twice(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f", NAMESPACE("a", "x") NAMESPACE("a", "y"), "+a=x ");
    file_set_unreadable(watched.set, STR("f"), STR("permission denied"));
    settle(&watched, "");
    update(&watched, "f", NAMELESS, "");
    remove_file(&watched, "f", "-a ");
    end(&watched);
}

static void the_first_of_two_is_in_force(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "b", NAMESPACE("a", "b"), "+a=b ");
    update(&watched, "a", NAMESPACE("x", "a") NAMESPACE("a", "a"), "+x=a +a=a ");
    update(&watched, "c", NAMESPACE("a", "c"), "");
    expect_problems(&watched, "b:2:HED011 c:2:HED011 ");
    assert_int_equal(file_set_invalid(watched.set), 2);
    update(&watched, "b", NAMESPACE("a", "bb"), "");
    remove_file(&watched, "a", "-x +a=bb ");
    expect_problems(&watched, "c:2:HED011 ");
    remove_file(&watched, "b", "+a=c ");
    assert_int_equal(file_set_invalid(watched.set), 0);
    remove_file(&watched, "c", "-a ");
    remove_file(&watched, "c", "");
    /* in one file the first document */
    update(&watched, "f", NAMESPACE("a", "1") NAMESPACE("a", "2"), "+a=1 ");
    expect_problems(&watched, "f:6:HED011 ");
    update(&watched, "f", NAMESPACE("a", "2"), "+a=2 ");
    end(&watched);
}

/* What is in force follows from the files, not from the order in which they were told. */
static void the_order_of_events_does_not_matter(void **state)
{
    (void)state;
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const char *const names[] = {"a", "b", "c"};
    static const char *const texts[] = {NAMESPACE("n", "a"), BROKEN("n"), NAMESPACE("n", "c")};
    for (size_t i = 0; i < 6; i++) {
        struct watched watched;
        begin(&watched);
        for (size_t j = 0; j < 3; j++) {
            unsigned file = orders[i][j];
            file_set_update(watched.set, str_from(names[file]), str_from(texts[file]));
        }
        settle(&watched, "+n=a ");
        file_set_remove(watched.set, STR("c"));
        file_set_update(watched.set, STR("a"), STR(NAMESPACE("n", "z")));
        settle(&watched, "+n=z "); /* so that "a" was in force */
        expect_problems(&watched, "b:2:HED011 b:4:HED004 ");
        end(&watched);
    }
}

static void a_move_to_another_file_is_no_removal(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "old", NAMESPACE("a", "x"), "+a=x ");
    update(&watched, "new", NAMESPACE("a", "x"), "");
    remove_file(&watched, "old", "");
    /* and when it breaks on the way, the last good version stays */
    update(&watched, "newer", BROKEN("a"), "");
    remove_file(&watched, "new", "!newer ");
    update(&watched, "newer", NAMESPACE("a", "y"), "+a=y ");
    end(&watched);
}

static void unknown_kinds_are_named_once(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f",
           "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\n"
           "metadata: {name: b}\n---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: a}\n",
           "");
    expect_problems(&watched, "f:2:HED101 f:10:HED101 ");
    assert_int_equal(file_set_invalid(watched.set), 0);
    end(&watched);
}

static void lists_are_unpacked(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f",
           "apiVersion: v1\nkind: List\nitems:\n"
           "- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
           "- {apiVersion: v1, kind: Namespace, metadata: {nam: b}}\n"
           "- {apiVersion: v1, kind: Namespace, metadata: {name: c}}\n",
           "+a= +c= ");
    assert_int_equal(file_set_invalid(watched.set), 1);
    update(&watched, "f", "{apiVersion: v1, kind: NamespaceList, items: []}", "-a -c ");
    end(&watched);
}

/* A slip in the one word 'items' must not hide what they are. */
static void a_list_without_items_keeps_everything(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f", "apiVersion: v1\nkind: List\nitems: [" ITEM("a") ", " ITEM("b") "]\n",
           "+a= +b= ");
    update(&watched, "f", "apiVersion: v1\nkind: List\nitmes: [" ITEM("a") ", " ITEM("b") "]\n",
           "");
    expect_problems(&watched, "f:3:HED004 ");
    assert_int_equal(file_set_invalid(watched.set), 1);
    /* Lists may hold Lists, as kubectl has it */
    update(&watched, "f", "kind: List\nitems: [{kind: List, items: [" ITEM("b") "]}]\n", "-a ");
    update(&watched, "f", "kind: List\nitems:\n", "-b ");
    end(&watched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_come_change_and_go),
        cmocka_unit_test(a_broken_document_keeps_the_last_good),
        cmocka_unit_test(a_nameless_document_keeps_everything),
        cmocka_unit_test(an_unreadable_file_keeps_everything),
        cmocka_unit_test(an_unreadable_file_keeps_what_it_has_twice),
        cmocka_unit_test(the_first_of_two_is_in_force),
        cmocka_unit_test(the_order_of_events_does_not_matter),
        cmocka_unit_test(a_move_to_another_file_is_no_removal),
        cmocka_unit_test(unknown_kinds_are_named_once),
        cmocka_unit_test(lists_are_unpacked),
        cmocka_unit_test(a_list_without_items_keeps_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
