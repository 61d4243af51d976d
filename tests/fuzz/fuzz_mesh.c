/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_mesh: bytes become objects, clients and turns of the whole translation core; the oracle
 * and the invariants look after each turn.
 *
 * Each draw of mesh_world.h takes a byte; the input is over when the bytes are.
 */
#include "../unit/mesh_invariants.h"
#include "../unit/mesh_world_clients.h"

#define EVENTS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static uint32_t draw(void *user, uint32_t below)
{
    struct input *input = user;
    if (input->size == 0) {
        return 0;
    }
    uint32_t byte = *input->data++;
    input->size--;
    return byte % below;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct world world = {.mesh = rig_mesh(), .draw = draw, .user = &input};
    for (unsigned i = 0; i < EVENTS_MAX && input.size > 0; i++) {
        world_event(&world);
        if (world_chance(&world, 3)) {
            rig_turn(world.mesh);
            check_invariants(world.mesh);
        }
    }
    rig_turn(world.mesh);
    check_invariants(world.mesh);
    mesh_free(world.mesh);
    return 0;
}
