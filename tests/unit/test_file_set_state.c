/* SPDX-License-Identifier: Apache-2.0 */
/* Are last good versions brought back after a restart, wherever they stood? */
#include "file_set_rig.h"

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
    settle(&after, "+a=x ");
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
    settle(&after, "+a=x ");
    assert_false(file_set_incomplete(after.set));
    expect_problems(&after, "f:3:HED001 ");
    update(&after, "f", NAMESPACE("b", "y"), "-a ");
    end(&after);
    buf_release(&text);
}

/* What moved from one file to another while nobody looked, and broke on the way. */
static void what_moved_before_a_restart_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *now; /* in the file "b" */
        const char *events;
        bool incomplete;
    } cases[] = {
        {BROKEN("n"), "+n=x ", false},
        {BROKEN("n") BROKEN("m"), "+n=x ", true}, /* m was never good */
        {NAMESPACE("n", "y"), "", false},
        {NAMELESS, "+n=x ", true}, /* it may be more than n */
        {"", "", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct watched before, after;
        struct buf text;
        begin(&before);
        update(&before, "a", NAMESPACE("n", "x"), "+n=x ");
        save(&before, "a", &text);
        end(&before);
        begin(&after);
        file_set_update(after.set, STR("b"), str_from(cases[i].now));
        file_set_settle(after.set);
        buf_clear(&after.events);
        if (file_set_lacks(after.set)) {
            file_set_restore_moved(after.set, buf_str(&text));
        }
        settle(&after, cases[i].events);
        assert_true(file_set_incomplete(after.set) == cases[i].incomplete);
        end(&after);
        buf_release(&text);
    }
}

/* All objects of a file together may be more than the limits of one document allow. */
static void large_files_survive_a_restart(void **state)
{
    (void)state;
    struct watched before, after;
    struct buf good, broken, text;
    begin(&before);
    buf_init(&good, BUF_UNLIMITED);
    buf_init(&broken, BUF_UNLIMITED);
    for (unsigned i = 0; i < 60; i++) {
        buf_printf(&good,
                   "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                   "metadata: {name: s%u, labels: {l: x}}\naddressType: IPv4\nendpoints:\n",
                   i);
        for (unsigned j = 0; j < 1000; j++) {
            buf_printf(&good, "- addresses: [10.0.%u.%u]\n", j / 250, j % 250);
        }
    }
    file_set_update(before.set, STR("f"), buf_str(&good));
    file_set_settle(before.set);
    save(&before, "f", &text);
    buf_clear(&before.events);
    end(&before);
    begin(&after);
    for (unsigned i = 0; i < 60; i++) {
        buf_printf(&broken,
                   "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                   "metadata: {name: s%u}\nendpoint: []\n",
                   i);
    }
    file_set_update(after.set, STR("f"), buf_str(&broken));
    settle(&after, "");
    file_set_restore(after.set, STR("f"), buf_str(&text));
    file_set_settle(after.set);
    assert_true(str_starts_with(buf_str(&after.events), STR("+default/s0=x +default/s1=x ")));
    assert_true(str_ends_with(buf_str(&after.events), STR("+default/s59=x ")));
    assert_false(file_set_incomplete(after.set));
    buf_clear(&after.events);
    end(&after);
    buf_release(&good);
    buf_release(&broken);
    buf_release(&text);
}

/* A file's last good version is kept although another file's comes first: it may go. */
static void what_is_second_survives_a_restart(void **state)
{
    (void)state;
    struct watched before, after;
    struct buf text;
    begin(&before);
    update(&before, "a", NAMESPACE("n", "1"), "+n=1 ");
    update(&before, "b", NAMESPACE("n", "2") NAMESPACE("n", "3"), "");
    save(&before, "b", &text);
    remove_file(&before, "a", "+n=2 ");
    end(&before);
    begin(&after);
    update(&after, "b", BROKEN("n"), "");
    file_set_restore(after.set, STR("b"), buf_str(&text));
    settle(&after, "+n=2 ");
    assert_false(file_set_incomplete(after.set));
    end(&after);
    buf_release(&text);
}

/* Whoever keeps the state must know whose it is that changed. */
static void what_another_file_left_is_told(void **state)
{
    (void)state;
    struct watched watched;
    begin(&watched);
    update(&watched, "a", NAMESPACE("n", "x") NAMESPACE("m", "x"), "+n=x +m=x ");
    update(&watched, "b", BROKEN("n"), "");
    update(&watched, "a", NAMESPACE("m", "x"), "!b ");
    file_set_update(watched.set, STR("c"), STR(NAMELESS));
    remove_file(&watched, "a", "!c ");
    struct buf text;
    save(&watched, "b", &text);
    assert_true(str_contains(buf_str(&text), STR("\"n\"")));
    buf_release(&text);
    save(&watched, "c", &text);
    assert_true(str_contains(buf_str(&text), STR("\"m\"")));
    buf_release(&text);
    end(&watched);
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
    file_set_restore(watched.set, STR("f"), STR("{\"kind\": \"Service\"}\n"));
    settle(&watched, "");
    assert_true(file_set_incomplete(watched.set)); /* there was something, but what? */
    file_set_restore(watched.set, STR("f"), STR("\n"));
    settle(&watched, "");
    assert_false(file_set_incomplete(watched.set));
    end(&watched);
}

/* --- any restart --------------------------------------------------------------------------- */

#define ROUNDS 400

/* What is in force, by the events so far: "n=x ". */
static void in_force(const struct watched *watched, struct buf *ret_text)
{
    static const char names[] = "nmo";
    buf_init(ret_text, BUF_UNLIMITED);
    for (size_t i = 0; i < 3; i++) {
        char label = '-';
        struct str events = buf_str(&watched->events);
        while (events.len > 0) {
            struct str event = str_cut(&events, ' ');
            if (event.len >= 2 && event.ptr[1] == names[i] && event.ptr[0] != '!') {
                label = event.ptr[0] == '+' ? event.ptr[event.len - 1] : '-';
            }
        }
        buf_printf(ret_text, "%c=%c ", names[i], label);
    }
}

static void restart(const struct file_set *before, const unsigned what[FILES],
                    const struct buf texts[FILES], struct watched *ret_after)
{
    struct buf kept;
    begin(ret_after);
    for (unsigned i = 0; i < FILES; i++) {
        change(ret_after->set, i, what[i], buf_str(&texts[i]));
    }
    file_set_settle(ret_after->set);
    buf_init(&kept, BUF_UNLIMITED);
    for (unsigned i = 0; i < 2 * FILES; i++) {
        struct str name = str_span(&"abcd"[i % FILES], 1);
        buf_clear(&kept);
        file_set_save(before, name, &kept);
        if (i < FILES && kept.len > 0) {
            file_set_restore(ret_after->set, name, buf_str(&kept));
        } else if (i >= FILES && kept.len > 0) {
            file_set_restore_moved(ret_after->set, buf_str(&kept));
        }
        if (i == FILES - 1) {
            file_set_settle(ret_after->set);
        }
    }
    file_set_settle(ret_after->set);
    buf_release(&kept);
}

/* After a restart the same is in force as before, whatever the files are like. */
static void any_restart(void **state)
{
    (void)state;
    struct watched before, after;
    struct buf texts[FILES], left, right;
    unsigned what[FILES] = {0};
    uint64_t seed = 1;
    begin(&before);
    for (unsigned i = 0; i < FILES; i++) {
        buf_init(&texts[i], BUF_UNLIMITED);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = draw(&seed, FILES) + 1; i > 0; i--) {
            unsigned file = draw(&seed, FILES);
            what[file] = draw(&seed, 6);
            draw_text(&seed, &texts[file]);
            change(before.set, file, what[file], buf_str(&texts[file]));
        }
        file_set_settle(before.set);
        restart(before.set, what, texts, &after);
        in_force(&before, &left);
        in_force(&after, &right);
        if (!str_eq(buf_str(&left), buf_str(&right))) {
            fail_msg("round %u: %.*s, then %.*s", round, STR_FMT(buf_str(&left)),
                     STR_FMT(buf_str(&right)));
        }
        buf_release(&left);
        buf_release(&right);
        buf_clear(&after.events);
        end(&after);
    }
    buf_clear(&before.events);
    end(&before);
    for (unsigned i = 0; i < FILES; i++) {
        buf_release(&texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_good_versions_survive_a_restart),
        cmocka_unit_test(nameless_documents_bring_all_back),
        cmocka_unit_test(what_moved_before_a_restart_is_found),
        cmocka_unit_test(large_files_survive_a_restart),
        cmocka_unit_test(what_is_second_survives_a_restart),
        cmocka_unit_test(what_another_file_left_is_told),
        cmocka_unit_test(any_restart),
        cmocka_unit_test(damaged_state_is_no_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
