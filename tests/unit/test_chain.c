/* SPDX-License-Identifier: Apache-2.0 */
/* Does a chain keep bytes in order, share blobs, and move and drop exactly what it is told? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "net/chain.h"

static void check_text(const struct chain *chain, const char *expected)
{
    char text[256];
    size_t len = chain_peek(chain, text, sizeof(text) - 1);
    text[len] = '\0';
    assert_string_equal(text, expected);
    assert_int_equal(chain->len, strlen(expected));
}

static void copies_and_blobs_keep_their_order(void **state)
{
    (void)state;
    struct chain chain = {.len = 0};
    struct blob *blob = blob_new("shared bytes", 12);
    const struct piece slice = {.blob = blob, .bytes = str_sub(blob_str(blob), 7, 5)};
    chain_add_copy(&chain, "ab", 2);
    chain_add_copy(&chain, "c", 1);
    chain_add_piece(&chain, &PIECE_BLOB(blob));
    chain_add_copy(&chain, "d", 1);
    chain_add_piece(&chain, &slice);
    chain_add_piece(&chain, &PIECE_COPY(STR("")));
    check_text(&chain, "abcshared bytesdbytes");
    assert_int_equal(blob->refs, 3);

    uv_buf_t bufs[8];
    assert_int_equal(chain_bufs(&chain, bufs, 8), 4); /* the two copies became one */
    assert_ptr_equal(bufs[1].base, blob->data);
    assert_ptr_equal(bufs[3].base, blob->data + 7);
    assert_int_equal(chain_bufs(&chain, bufs, 2), 2);

    chain_consume(&chain, 5);
    check_text(&chain, "ared bytesdbytes");
    chain_consume(&chain, 10);
    assert_int_equal(blob->refs, 2);
    chain_release(&chain);
    assert_int_equal(blob->refs, 1);
    blob_unref(blob);
}

static void moving_splits_segments(void **state)
{
    (void)state;
    struct chain from = {.len = 0};
    struct chain to = {.len = 0};
    struct blob *blob = blob_new("0123456789", 10);
    chain_add_copy(&from, "head", 4);
    chain_add_piece(&from, &PIECE_BLOB(blob));
    chain_add_copy(&from, "tail", 4);
    chain_move(&to, &from, 2);
    check_text(&to, "he");
    chain_move(&to, &from, 6);
    check_text(&to, "head0123");
    check_text(&from, "456789tail");
    assert_int_equal(blob->refs, 3);
    chain_move(&to, &from, from.len);
    check_text(&to, "head0123456789tail");
    check_text(&from, "");
    chain_clear(&to);
    assert_int_equal(blob->refs, 1);
    chain_move(&to, &from, 0);
    chain_release(&from);
    chain_release(&to);
    blob_unref(blob);
}

/* A queue that never runs empty must not grow with what went through it. */
static void a_busy_chain_stays_small(void **state)
{
    (void)state;
    struct chain chain = {.len = 0};
    struct blob *blob = blob_new("x", 1);
    chain_add_copy(&chain, "start", 5);
    for (unsigned i = 0; i < 100000; i++) {
        chain_add_piece(&chain, &PIECE_BLOB(blob));
        chain_add_copy(&chain, "abc", 3);
        chain_consume(&chain, 4);
    }
    assert_int_equal(chain.len, 5);
    assert_true(chain.segs.cap < 64);
    assert_true(chain.copied_cap < 4096);
    chain_release(&chain);
    assert_int_equal(blob->refs, 1);
    blob_unref(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_and_blobs_keep_their_order),
        cmocka_unit_test(moving_splits_segments),
        cmocka_unit_test(a_busy_chain_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
