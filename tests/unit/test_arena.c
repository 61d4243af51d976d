/* SPDX-License-Identifier: Apache-2.0 */
/* Does the arena hand out aligned, zeroed, separate memory, whatever the sizes and resets? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdalign.h>
#include <string.h>

#include "base/arena.h"

static void check_block(const unsigned char *block, size_t size)
{
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % alignof(max_align_t), 0);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(block[i], 0);
    }
}

static void every_size_is_served_zeroed(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4000, 4096, 5000, 16384, 16385, 65536, 300000};
    struct arena arena;
    arena_init(&arena);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            unsigned char *block = arena_alloc(&arena, sizes[i]);
            check_block(block, sizes[i]);
            memset(block, 0xAA, sizes[i]);
        }
        arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
    arena_release(&arena);
    assert_int_equal(arena_footprint(&arena), 0);
}

static void blocks_do_not_overlap(void **state)
{
    (void)state;
    enum { BLOCKS = 3000 };
    static unsigned char *blocks[BLOCKS];
    struct arena arena;
    arena_init(&arena);
    for (unsigned i = 0; i < BLOCKS; i++) {
        size_t size = 1 + i % 97 + (i % 500 == 0 ? 20000 : 0);
        blocks[i] = arena_alloc(&arena, size);
        memset(blocks[i], (int)(i % 251), size);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        size_t size = 1 + i % 97 + (i % 500 == 0 ? 20000 : 0);
        for (size_t j = 0; j < size; j++) {
            assert_int_equal(blocks[i][j], i % 251);
        }
    }
    arena_release(&arena);
}

static void chunks_grow_and_big_requests_stand_alone(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    assert_int_equal(arena_footprint(&arena), 0);
    arena_alloc(&arena, 8);
    assert_int_equal(arena_footprint(&arena), 4096);
    arena_alloc(&arena, 200000);
    size_t with_big = arena_footprint(&arena);
    assert_in_range(with_big, 204096, 204200);
    arena_alloc(&arena, 3000); /* still fits the first chunk */
    assert_int_equal(arena_footprint(&arena), with_big);
    arena_alloc(&arena, 3000);
    assert_int_equal(arena_footprint(&arena), with_big + 8192);
    for (unsigned i = 0; i < 100; i++) {
        arena_alloc(&arena, 10000);
    }
    assert_true(arena_footprint(&arena) < with_big + 1300000);
    arena_release(&arena);
}

static void reset_keeps_one_chunk(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    arena_reset(&arena);
    assert_int_equal(arena_footprint(&arena), 0);
    for (unsigned i = 0; i < 100; i++) {
        arena_alloc(&arena, 5000);
    }
    arena_reset(&arena);
    assert_int_equal(arena_footprint(&arena), 65536);
    arena_reset(&arena);
    arena_alloc(&arena, 5000);
    assert_int_equal(arena_footprint(&arena), 65536);
    arena_release(&arena);

    arena_alloc(&arena, 1000000); /* a big one alone is not worth keeping */
    arena_reset(&arena);
    assert_int_equal(arena_footprint(&arena), 0);
}

static void strings_are_copied_with_a_nul(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct str copy = arena_str(&arena, STR("ab\0cd"));
    assert_int_equal(copy.len, 5);
    assert_memory_equal(copy.ptr, "ab\0cd", 6);
    assert_string_equal(arena_str(&arena, STR_NULL).ptr, "");
    struct str text = arena_printf(&arena, "%s-%d", "x", 42);
    assert_int_equal(text.len, 4);
    assert_string_equal(text.ptr, "x-42");
    assert_int_equal(arena_printf(&arena, "%20000d", 1).len, 20000);
    arena_release(&arena);
}

static void steal_moves_everything(void **state)
{
    (void)state;
    struct arena dst, src;
    arena_init(&dst);
    arena_init(&src);
    arena_steal(&dst, &src);
    char *from_src = ARENA_ARRAY(&src, 100, char);
    memset(from_src, 's', 100);
    arena_alloc(&src, 50000);
    size_t footprint = arena_footprint(&src);
    arena_steal(&dst, &src);
    assert_int_equal(arena_footprint(&dst), footprint);
    assert_int_equal(arena_footprint(&src), 0);
    assert_int_equal(src.used, 0);

    arena_alloc(&src, 10);
    arena_alloc(&src, 30000);
    footprint += arena_footprint(&src);
    arena_steal(&dst, &src);
    assert_int_equal(arena_footprint(&dst), footprint);
    arena_alloc(&src, 10); /* src can be used on */
    arena_release(&src);
    assert_int_equal(from_src[99], 's');
    arena_release(&dst);
}

static void sized_arenas_start_small_and_grow_by_half(void **state)
{
    (void)state;
    struct arena arena;
    arena_init_sized(&arena, 600);
    assert_int_equal(arena_footprint(&arena), 0); /* nothing is taken before it is needed */
    check_block(arena_alloc(&arena, 600), 600);
    size_t first = arena_footprint(&arena);
    assert_in_range(first, 600, 700);
    check_block(arena_alloc(&arena, 50), 50);
    assert_in_range(arena_footprint(&arena) - first, first / 2 - 16, first / 2 + 64);
    for (unsigned i = 0; i < 100; i++) { /* never much more taken than is held */
        check_block(arena_alloc(&arena, 96), 96);
        assert_true(arena_footprint(&arena) < 2 * arena.used + 256);
    }
    for (unsigned i = 0; i < 3000; i++) { /* and few chunks when it becomes a large one */
        check_block(arena_alloc(&arena, 96), 96);
    }
    assert_true(arena_footprint(&arena) < 2 * arena.used);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_served_zeroed),
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(chunks_grow_and_big_requests_stand_alone),
        cmocka_unit_test(sized_arenas_start_small_and_grow_by_half),
        cmocka_unit_test(reset_keeps_one_chunk),
        cmocka_unit_test(strings_are_copied_with_a_nul),
        cmocka_unit_test(steal_moves_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
