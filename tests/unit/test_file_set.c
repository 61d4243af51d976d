/* SPDX-License-Identifier: Apache-2.0 */
/* Does each rule of source/file_set.h hold? */
#include "model_rig.h"
#include "source/file_set.h"

#define NAMESPACE(name, label)                                                                     \
    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " name ", labels: {l: " label "}}\n"
#define BROKEN(name) "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " name ", nme: x}\n"
#define NAMELESS "---\n{\n"

/* A set whose events become one text: "+a=1 " for a put with its label, "-a " for a removal. */
struct watched {
    struct file_set *set;
    struct buf events;
};

static void on_put(void *user, struct object *object, struct str key)
{
    struct watched *watched = user;
    struct str label = object->meta.labels.len > 0 ? object->meta.labels.items[0].value : STR("");
    buf_printf(&watched->events, "+%.*s=%.*s ", STR_FMT(key), STR_FMT(label));
    row_unref(&object->row, NULL);
}

static void on_removed(void *user, enum kind_id kind, struct str key)
{
    struct watched *watched = user;
    assert_int_not_equal(kind, KIND_COUNT);
    buf_printf(&watched->events, "-%.*s ", STR_FMT(key));
}

static void begin(struct watched *watched)
{
    buf_init(&watched->events, BUF_UNLIMITED);
    struct file_set_events events = {.user = watched, .put = on_put, .removed = on_removed};
    watched->set = file_set_new(&events);
}

static void end(struct watched *watched)
{
    assert_int_equal(watched->events.len, 0);
    file_set_free(watched->set);
    buf_release(&watched->events);
}

static void expect(struct watched *watched, const char *events)
{
    buf_add_byte(&watched->events, '\0');
    assert_string_equal((const char *)watched->events.data, events);
    buf_clear(&watched->events);
}

static void update(struct watched *watched, const char *name, const char *text, const char *events)
{
    file_set_update(watched->set, str_from(name), str_from(text));
    expect(watched, events);
}

static void remove_file(struct watched *watched, const char *name, const char *events)
{
    file_set_remove(watched->set, str_from(name));
    expect(watched, events);
}

static void visit(void *user, struct str file, const struct problem *problem)
{
    buf_printf(user, "%.*s:%u:%s ", STR_FMT(file), problem->line,
               problem_info(problem->code)->code);
}

static void expect_problems(const struct watched *watched, const char *expected)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    file_set_problems(watched->set, visit, &text);
    buf_add_byte(&text, '\0');
    assert_string_equal((const char *)text.data, expected);
    buf_release(&text);
}

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
    expect(&watched, "");
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
    expect(&watched, "");
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
        buf_clear(&watched.events);
        file_set_remove(watched.set, STR("c"));
        file_set_update(watched.set, STR("a"), STR(NAMESPACE("n", "z")));
        expect(&watched, "+n=z "); /* so that "a" was in force */
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
    remove_file(&watched, "new", "");
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
           "metadata: {name: b}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
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

/* --- state --------------------------------------------------------------------------------- */

static void save(const struct watched *watched, const char *name, struct buf *ret_text)
{
    buf_init(ret_text, BUF_UNLIMITED);
    file_set_save(watched->set, str_from(name), ret_text);
}

static void last_good_versions_survive_a_restart(void **state)
{
    (void)state;
    struct watched before, after;
    struct buf text;
    begin(&before);
    update(&before, "f", NAMESPACE("a", "x") NAMESPACE("b", "x") NAMESPACE("c", "x"),
           "+a=x +b=x +c=x ");
    update(&before, "f", BROKEN("a") NAMESPACE("b", "x") NAMESPACE("c", "x"), "");
    save(&before, "f", &text);
    end(&before);

    begin(&after); /* meanwhile c was taken out */
    update(&after, "f", BROKEN("a") NAMESPACE("b", "y"), "+b=y ");
    assert_true(file_set_incomplete(after.set));
    file_set_restore(after.set, STR("f"), buf_str(&text));
    expect(&after, "+a=x ");
    assert_false(file_set_incomplete(after.set));
    update(&after, "f", NAMESPACE("a", "z") NAMESPACE("b", "y"), "+a=z ");
    end(&after);
    buf_release(&text);
}

static void nameless_documents_bring_all_back(void **state)
{
    (void)state;
    struct watched before, after;
    struct buf text;
    begin(&before);
    update(&before, "f", NAMESPACE("a", "x") NAMESPACE("b", "x") NAMESPACE("c", "x"),
           "+a=x +b=x +c=x ");
    save(&before, "f", &text);
    end(&before);

    begin(&after); /* meanwhile c moved to a file that comes later */
    update(&after, "f", NAMELESS NAMESPACE("b", "y"), "+b=y ");
    update(&after, "g", NAMESPACE("c", "g"), "+c=g ");
    assert_true(file_set_incomplete(after.set));
    file_set_restore(after.set, STR("f"), buf_str(&text));
    expect(&after, "+a=x ");
    assert_false(file_set_incomplete(after.set));
    expect_problems(&after, "f:3:HED001 ");
    update(&after, "f", NAMESPACE("b", "y"), "-a ");
    end(&after);
    buf_release(&text);
}

static void damaged_state_is_no_state(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "f", BROKEN("a"), "");
    file_set_restore(watched.set, STR("f"), STR("{\"kind\": \"Li"));
    file_set_restore(watched.set, STR("g"), STR(""));
    assert_true(file_set_incomplete(watched.set));
    file_set_restore(watched.set, STR("f"), STR("{\"kind\": \"List\", \"items\": [3, {}]}"));
    assert_false(file_set_incomplete(watched.set));
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
        cmocka_unit_test(last_good_versions_survive_a_restart),
        cmocka_unit_test(nameless_documents_bring_all_back),
        cmocka_unit_test(damaged_state_is_no_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
