/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_engine: bytes become puts, deletes and runs on the toy graph; the oracle looks after each
 * run.
 *
 * An event is three bytes: what (bits 0-1: service, route, delete, run; bits 2-4: precedence or
 * port), which object, what it refers to.
 */
#include <stdio.h>

#include "../unit/engine_toy.h"

#define EVENT_BYTES 3
#define EVENTS_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void turn(struct engine *engine)
{
    engine_run(engine);
    toy_check(engine);
}

static void event(struct engine *engine, const uint8_t bytes[EVENT_BYTES])
{
    char key[16], hosts[32], ref[16];
    uint32_t number = (bytes[0] >> 2) & 7;
    snprintf(key, sizeof(key), "%u", bytes[1] % 16u);
    snprintf(hosts, sizeof(hosts), "%u,h%u", bytes[2] / 16u, bytes[1] / 16u);
    snprintf(ref, sizeof(ref), "%u", bytes[2] % 16u);
    switch (bytes[0] & 3) {
    case 0:
        toy_put_service(engine, str_from(key), number, str_from(ref));
        break;
    case 1:
        toy_put_route(engine, str_from(key), str_from(hosts), str_from(ref), number);
        break;
    case 2:
        engine_delete(engine, bytes[2] % 2 == 0 ? TOY_SERVICE : TOY_ROUTE, str_from(key));
        break;
    default:
        turn(engine);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct engine *engine = engine_new(&toy_graph);
    engine_set_paranoid(engine, true);
    for (size_t i = 0; i < EVENTS_MAX && (i + 1) * EVENT_BYTES <= size; i++) {
        event(engine, data + i * EVENT_BYTES);
    }
    turn(engine);
    engine_free(engine);
    return 0;
}
