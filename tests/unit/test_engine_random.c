/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_engine_random: whatever happens, in whatever order, the engine equals a rebuild.
 *
 * Seeded, so a failure can be repeated: HEDDLE_SEED=7 test_engine_random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine_toy.h"

#define STEPS 2000
#define PERMUTATIONS 50
#define OBJECTS 24 /* of each kind */

static uint64_t seed = 1;

/* splitmix64 */
static uint32_t draw(uint32_t below)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) % below);
}

struct object {
    bool present;
    bool is_route;
    char key[16];
    char hosts[64];
    char ref[16];
    uint32_t number;
};

static struct object draw_object(bool is_route, unsigned nth)
{
    struct object object = {.present = draw(4) != 0, .is_route = is_route, .number = draw(4)};
    snprintf(object.key, sizeof(object.key), "%s%u", is_route ? "r" : "s", nth);
    snprintf(object.hosts, sizeof(object.hosts), "s%u,h%u,s%u", draw(OBJECTS), draw(6), draw(3));
    snprintf(object.ref, sizeof(object.ref), "s%u", draw(OBJECTS));
    return object;
}

static void apply(struct engine *engine, const struct object *object)
{
    struct str key = str_from(object->key);
    if (!object->present) {
        engine_delete(engine, object->is_route ? TOY_ROUTE : TOY_SERVICE, key);
    } else if (object->is_route) {
        toy_put_route(engine, key, str_from(object->hosts), str_from(object->ref), object->number);
    } else {
        toy_put_service(engine, key, object->number, str_sub(str_from(object->ref), 1, 1));
    }
}

/* Applying the changes to a copy of the published table must keep that copy the same. */
static void follow_changes(const struct engine *engine, struct engine *copy)
{
    struct row_changes changes = engine_changes(engine, TOY_RESOURCE);
    for (size_t i = 0; i < changes.len; i++) {
        const struct row_change *change = &changes.items[i];
        assert_true(i == 0 || str_cmp(changes.items[i - 1].key, change->key) < 0);
        assert_ptr_equal(engine_get(engine, TOY_RESOURCE, change->key), change->after);
        const struct row *before = engine_get(copy, 0, change->key);
        assert_int_equal(before != NULL, change->before != NULL);
        if (before != NULL) {
            assert_true(toy_equal(before, change->before));
        }
        if (change->after == NULL) {
            engine_delete(copy, 0, change->key);
        } else {
            assert_true(before == NULL || !toy_equal(before, change->after));
            struct str text = toy_of(change->after)->text;
            engine_put(copy, 0, change->key, &toy_new(0, STR_NULL, STR_NULL, text)->head);
        }
    }
    engine_run(copy);
    assert_int_equal(engine_count(copy, 0), engine_count(engine, TOY_RESOURCE));
}

static void test_random_events(void **state)
{
    (void)state;
    const struct table_spec copied[] = {{.name = "copy", .equal = toy_equal}};
    const struct graph copied_graph = {.tables = copied, .ntables = 1};
    struct engine *copy = engine_new(&copied_graph);
    struct engine *engine = engine_new(&toy_graph);
    engine_set_paranoid(engine, true);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned events = 1 + draw(4);
        for (unsigned i = 0; i < events; i++) {
            struct object object = draw_object(draw(2) == 0, draw(OBJECTS));
            apply(engine, &object);
        }
        engine_run(engine);
        toy_check(engine);
        follow_changes(engine, copy);
    }
    engine_free(copy);
    engine_free(engine);
}

static void print_row(void *user, struct str key, const struct row *row)
{
    buf_printf(user, "%.*s=%.*s\n", STR_FMT(key), STR_FMT(toy_of(row)->text));
}

static void print_all(const struct engine *engine, struct buf *out)
{
    for (unsigned table = 0; table < toy_graph.ntables; table++) {
        engine_each(engine, table, print_row, out);
    }
}

static void shuffle(struct object *objects, unsigned len)
{
    for (unsigned i = len - 1; i > 0; i--) {
        unsigned other = draw(i + 1);
        struct object object = objects[i];
        objects[i] = objects[other];
        objects[other] = object;
    }
}

/* Builds the same final objects in another order, with detours, in turns of random size. */
static void build(struct engine *engine, struct object *objects, unsigned len)
{
    shuffle(objects, len);
    for (unsigned i = 0; i < len; i++) {
        if (draw(3) == 0) {
            struct object detour = draw_object(draw(2) == 0, draw(OBJECTS));
            apply(engine, &detour);
            engine_run(engine);
        }
    }
    for (unsigned i = 0; i < len; i++) {
        apply(engine, &objects[i]);
        if (draw(5) == 0) {
            engine_run(engine);
        }
    }
    engine_run(engine);
}

static void test_permutations(void **state)
{
    (void)state;
    struct object objects[2 * OBJECTS];
    for (unsigned i = 0; i < 2 * OBJECTS; i++) {
        objects[i] = draw_object(i % 2 == 0, i / 2);
    }
    struct buf first, other;
    buf_init(&first, BUF_UNLIMITED);
    buf_init(&other, BUF_UNLIMITED);
    for (unsigned i = 0; i < PERMUTATIONS; i++) {
        struct engine *engine = engine_new(&toy_graph);
        build(engine, objects, 2 * OBJECTS);
        toy_check(engine);
        buf_clear(&other);
        print_all(engine, i == 0 ? &first : &other);
        assert_true(i == 0 || str_eq(buf_str(&first), buf_str(&other)));
        engine_free(engine);
    }
    assert_true(first.len > 0);
    buf_release(&first);
    buf_release(&other);
}

int main(void)
{
    const char *text = getenv("HEDDLE_SEED");
    if (text != NULL && !str_to_u64(str_from(text), &seed)) {
        fprintf(stderr, "HEDDLE_SEED: '%s' is not a number\n", text);
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_events),
        cmocka_unit_test(test_permutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
