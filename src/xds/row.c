/* SPDX-License-Identifier: Apache-2.0 */
/* row: fragments and resources as rows of the engine. */
#include "xds/row.h"

#include "base/panic.h"
#include "codec/pb.h"
#include "xds/alias.h"

bool fragment_equal(const struct row *a, const struct row *b)
{
    const struct fragment_row *fa = (const struct fragment_row *)a;
    const struct fragment_row *fb = (const struct fragment_row *)b;
    if (!str_eq(fa->bytes, fb->bytes) || fa->nreasons != fb->nreasons ||
        fa->takes_all != fb->takes_all) {
        return false;
    }
    for (size_t i = 0; i < fa->nreasons; i++) {
        if (!str_eq(fa->reasons[i], fb->reasons[i])) {
            return false;
        }
    }
    return true;
}

static bool resource_same(const struct resource *a, const struct resource *b)
{
    return a->type == b->type && hash_eq(a->hash, b->hash) && str_eq(a->name, b->name) &&
           str_eq(a->scope, b->scope) && str_eq(a->follow, b->follow);
}

bool resource_row_equal(const struct row *a, const struct row *b)
{
    const struct resource_row *ra = (const struct resource_row *)a;
    const struct resource_row *rb = (const struct resource_row *)b;
    if (ra->len != rb->len) {
        return false;
    }
    for (size_t i = 0; i < ra->len; i++) {
        if (!resource_same(ra->items[i], rb->items[i])) {
            return false;
        }
    }
    return true;
}

void resource_row_release(struct row *row)
{
    struct resource_row *resources = (struct resource_row *)row;
    for (size_t i = 0; i < resources->len; i++) {
        resource_unref(resources->items[i]);
    }
    resources->len = 0;
}

struct resource_row *resource_row_new(size_t room)
{
    struct resource_row *row = row_new(sizeof(*row), room * sizeof(struct resource *));
    row->items = ARENA_ARRAY(&row->row.arena, room, struct resource *);
    return row;
}

void resource_row_add_bytes(struct resource_row *row, enum xds_type type, struct str scope,
                            struct str name, struct str follow, struct str message)
{
    row->items[row->len++] = resource_new(type, scope, name, follow, message);
}

/* Envoy lets two listeners have no address in common. */
static uint64_t place_of(struct arena *scratch, const pb_listener *listener)
{
    if (listener->address == NULL) {
        return 0;
    }
    pb_listener *where = NEW(scratch, pb_listener);
    where->address = listener->address;
    where->additional_addresses = listener->additional_addresses;
    where->n_additional_addresses = listener->n_additional_addresses;
    return hash_bytes(pb_pack(scratch, &where->base)).low;
}

void resource_row_add(struct resource_row *row, enum xds_type type, struct str scope,
                      struct str name, struct str follow, const ProtobufCMessage *message)
{
    struct arena scratch;
    arena_init_sized(&scratch, 1024);
    resource_row_add_bytes(row, type, scope, name, follow, pb_pack(&scratch, message));
    if (type == XDS_LDS) {
        row->items[row->len - 1]->place =
            place_of(&scratch, (const pb_listener *)(const void *)message);
    }
    arena_release(&scratch);
}

struct str scope_of(struct arena *arena, struct str base, struct str client_ns)
{
    if (client_ns.len == 0) {
        return base;
    }
    return arena_printf(arena, "%.*s@%.*s", STR_FMT(base), STR_FMT(client_ns));
}
