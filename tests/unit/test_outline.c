/* SPDX-License-Identifier: Apache-2.0 */
/* Does an outline say what stands in a message, and does leaving fields out leave the rest? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "codec/pb.h"
#include "serve/outline.h"

struct fixture {
    struct buf bytes;
    struct arena arena;
    struct outline outline;
};

static int setup(void **state)
{
    static struct fixture f;
    buf_init(&f.bytes, BUF_UNLIMITED);
    arena_init(&f.arena);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buf_release(&f->bytes);
    arena_release(&f->arena);
    return 0;
}

static void put(struct fixture *f, uint32_t field, const char *text)
{
    pb_put_bytes(&f->bytes, field, str_from(text));
}

static void put_names(struct fixture *f, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        put(f, 3,
            i % 7 == 0 ? "a name of more than 127 bytes: ...................................."
                         "................................................................."
                       : "default/web:80");
    }
}

static void read_all(struct fixture *f)
{
    outline_read(buf_str(&f->bytes), &f->outline);
}

static void runs_hold_what_follows_each_other(void **state)
{
    struct fixture *f = *state;
    put(f, 1, "version");
    put_names(f, 100);
    pb_put_uint(&f->bytes, 9, 300);
    put(f, 4, "url");
    read_all(f);
    assert_int_equal(f->outline.len, 4);
    assert_true(str_eq(outline_last(&f->outline, 1), STR("version")));
    assert_true(str_eq(outline_last(&f->outline, 3), STR("default/web:80")));
    assert_true(str_eq(outline_last(&f->outline, 4), STR("url")));
    assert_null(outline_last(&f->outline, 9).ptr);
    assert_null(outline_last(&f->outline, 2).ptr);
}

static void what_is_left_out_changes_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct fixture rest = {.outline = {.len = 0}};
    buf_init(&rest.bytes, BUF_UNLIMITED);
    put(f, 1, "version");
    put(&rest, 1, "version");
    put(f, 2, "node");
    put_names(f, 100);
    put(f, 4, "url");
    put(&rest, 4, "url");
    put(f, 3, "one more");
    read_all(f);
    struct str without = outline_without(&f->outline, 1u << 2 | 1u << 3, &f->arena);
    assert_true(str_eq(without, buf_str(&rest.bytes)));
    assert_true(str_eq(outline_without(&f->outline, 0, &f->arena), buf_str(&f->bytes)));
    buf_release(&rest.bytes);
}

static void hash_is_of_one_field_only(void **state)
{
    struct fixture *f = *state;
    put(f, 1, "version 1");
    put_names(f, 10);
    read_all(f);
    struct hash ten = outline_hash(&f->outline, 3);
    buf_clear(&f->bytes);
    put_names(f, 10);
    put(f, 5, "nonce 2");
    read_all(f);
    assert_true(hash_eq(ten, outline_hash(&f->outline, 3)));
    put(f, 3, "");
    read_all(f);
    assert_false(hash_eq(ten, outline_hash(&f->outline, 3)));
    assert_true(hash_eq((struct hash){0, 0}, outline_hash(&f->outline, 2)));
}

static void every_cut_is_malformed_or_a_message(void **state)
{
    struct fixture *f = *state;
    put_names(f, 8);
    struct str whole = buf_str(&f->bytes);
    for (size_t len = 0; len <= whole.len; len++) {
        outline_read(str_sub(whole, 0, len), &f->outline);
        assert_true(f->outline.len == 0 || f->outline.runs[0].bytes.len == len);
    }
}

static void too_many_runs_are_no_outline(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < OUTLINE_RUNS_MAX; i++) {
        put(f, 1 + i % 2, "x");
    }
    read_all(f);
    assert_int_equal(f->outline.len, OUTLINE_RUNS_MAX);
    put(f, 2, "x"); /* goes on with the last run */
    read_all(f);
    assert_int_equal(f->outline.len, OUTLINE_RUNS_MAX);
    put(f, 1, "x");
    read_all(f);
    assert_int_equal(f->outline.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_hold_what_follows_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_left_out_changes_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(hash_is_of_one_field_only, setup, teardown),
        cmocka_unit_test_setup_teardown(every_cut_is_malformed_or_a_message, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_runs_are_no_outline, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
