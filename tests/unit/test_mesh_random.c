/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_mesh_random: whatever happens, in whatever order: the mesh equals a rebuild, its changesets
 * add up to what there is, and no resource names what is not there.
 *
 * Seeded, so a failure can be repeated: HEDDLE_SEED=7 test_mesh_random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"
#include "ir/attachment.h"
#include "mesh_invariants.h"
#include "mesh_world_clients.h"

#define STEPS 1500
#define PERMUTATIONS 12

static uint64_t seed = 1;

/* splitmix64 */
static uint32_t draw(void *user, uint32_t below)
{
    (void)user;
    seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) % below);
}

/* --- changesets add up --------------------------------------------------------------------- */
struct follower {
    struct map resources; /* "type scope name" -> struct resource, by the changesets alone */
};

static void follower_key(const struct resource *resource, char key[512])
{
    snprintf(key, 512, "%d %.*s %.*s", (int)resource->type, STR_FMT(resource->scope),
             STR_FMT(resource->name));
}

static void follow(struct follower *follower, const struct change *change)
{
    char key[512];
    struct resource *removed = change->removed;
    follower_key(change->put != NULL ? change->put : removed, key);
    struct resource *had = map_get(&follower->resources, str_from(key));
    assert_int_equal(had != NULL, removed != NULL);
    assert_true(had == NULL || hash_eq(had->hash, removed->hash));
    assert_true(removed == NULL || change->put == NULL ||
                !hash_eq(change->put->hash, removed->hash));
    if (had != NULL) {
        char *name = NULL;
        for (size_t i = 0; i < follower->resources.cap; i++) {
            if (follower->resources.slots[i].value == had) {
                name = (char *)(uintptr_t)follower->resources.slots[i].key.ptr;
            }
        }
        map_remove(&follower->resources, str_from(key));
        resource_unref(had);
        free(name);
    }
    if (change->put != NULL) {
        char *name = xstrdup(key);
        map_put(&follower->resources, str_from(name), resource_ref(change->put));
    }
}

static void follow_turn(struct follower *follower, struct mesh *mesh)
{
    struct changeset *changes = mesh_turn(mesh);
    for (size_t i = 0; changes != NULL && i < changes->len; i++) {
        follow(follower, &changes->items[i]);
    }
    if (changes != NULL) {
        changeset_unref(changes);
    }
    struct rig_resources list;
    rig_collect(mesh, &list);
    assert_int_equal(list.all.len, follower->resources.len);
    for (size_t i = 0; i < list.all.len; i++) {
        char key[512];
        follower_key(list.all.items[i], key);
        const struct resource *has = map_get(&follower->resources, str_from(key));
        assert_non_null(has);
        assert_true(hash_eq(has->hash, list.all.items[i]->hash));
        assert_true(str_eq(has->follow, list.all.items[i]->follow));
    }
    vec_release(&list.all);
}

static void follower_release(struct follower *follower)
{
    for (size_t i = 0; i < follower->resources.cap; i++) {
        struct map_slot *slot = &follower->resources.slots[i];
        if (slot->value != NULL) {
            resource_unref(slot->value);
            free((char *)(uintptr_t)slot->key.ptr);
        }
    }
    map_release(&follower->resources);
}

static void test_random_events(void **state)
{
    (void)state;
    struct world world = {.mesh = rig_mesh(), .draw = draw};
    struct follower follower = {.resources = {.len = 0}};
    size_t most = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned events = 1 + draw(NULL, 4);
        for (unsigned i = 0; i < events; i++) {
            world_event(&world);
        }
        follow_turn(&follower, world.mesh); /* and the oracle looks */
        check_invariants(world.mesh);
        most = follower.resources.len > most ? follower.resources.len : most;
    }
    assert_true(most > 0);
    follower_release(&follower);
    mesh_free(world.mesh);
}

/* --- order does not matter ----------------------------------------------------------------- */
struct final_object {
    enum kind_id kind;
    char key[64];
    char *yaml; /* NULL: absent in the end */
};

static void print_all(const struct mesh *mesh, struct buf *out)
{
    struct rig_resources list;
    rig_collect(mesh, &list);
    for (size_t i = 0; i < list.all.len; i++) {
        const struct resource *resource = list.all.items[i];
        buf_printf(out, "%d %.*s %.*s %s %.*s\n", (int)resource->type, STR_FMT(resource->scope),
                   STR_FMT(resource->name), resource->version, STR_FMT(resource->follow));
    }
    vec_release(&list.all);
}

static void print_row(void *user, struct str key, const struct row *row)
{
    struct json json;
    (void)key;
    json_init(&json, user, 0);
    field_dump(&status_schema, row, &json);
}

/* The final objects in random order, with detours, in turns of random size. */
static void build(struct world *world, struct final_object *objects, struct buf *out)
{
    for (unsigned i = WORLD_OBJECTS - 1; i > 0; i--) {
        unsigned other = draw(NULL, i + 1);
        struct final_object object = objects[i];
        objects[i] = objects[other];
        objects[other] = object;
    }
    for (unsigned i = 0; i < 20; i++) {
        world_event(world);
        rig_turn(world->mesh);
    }
    for (unsigned i = 0; i < WORLD_CLIENTS; i++) { /* a rejection ends with its stream */
        if (world->connected[i]) {
            world_toggle_client(world, i);
        }
        world_toggle_client(world, i);
    }
    for (unsigned i = 0; i < WORLD_OBJECTS; i++) {
        if (objects[i].yaml == NULL) {
            rig_delete(world->mesh, objects[i].kind, objects[i].key);
        } else {
            rig_apply(world->mesh, objects[i].yaml);
        }
        if (draw(NULL, 5) == 0) {
            rig_turn(world->mesh);
        }
    }
    for (unsigned i = 0; i < WORLD_SCOPES * WORLD_NAMES; i++) {
        world_want(world, i % WORLD_SCOPES, i / WORLD_SCOPES, true);
    }
    rig_turn(world->mesh);
    print_all(world->mesh, out);
    engine_each(mesh_engine(world->mesh), T_STATUS, print_row, out);
}

static void test_permutations(void **state)
{
    (void)state;
    struct final_object objects[WORLD_OBJECTS];
    struct world source = {.draw = draw};
    for (unsigned i = 0; i < WORLD_OBJECTS; i++) {
        struct buf yaml;
        buf_init(&yaml, BUF_UNLIMITED);
        objects[i].kind = world_object(&source, i, objects[i].key, &yaml);
        objects[i].yaml = draw(NULL, 6) == 0 ? NULL : buf_steal(&yaml, NULL);
        buf_release(&yaml);
    }
    struct buf first, other;
    buf_init(&first, BUF_UNLIMITED);
    buf_init(&other, BUF_UNLIMITED);
    for (unsigned i = 0; i < PERMUTATIONS; i++) {
        struct world world = {.mesh = rig_mesh(), .draw = draw};
        buf_clear(&other);
        build(&world, objects, i == 0 ? &first : &other);
        assert_true(i == 0 || str_eq(buf_str(&first), buf_str(&other)));
        mesh_free(world.mesh);
    }
    assert_true(first.len > 0);
    buf_release(&first);
    buf_release(&other);
    for (unsigned i = 0; i < WORLD_OBJECTS; i++) {
        free(objects[i].yaml);
    }
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
