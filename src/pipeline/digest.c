/* SPDX-License-Identifier: Apache-2.0 */
/* digest: see digest.h. Sums of hashes, so that order does not matter. */
#include "pipeline/digest.h"

#include <stdlib.h>

#include "base/panic.h"
#include "base/vec.h"
#include "codec/hash.h"
#include "ir/ir.h"
#include "model/field.h"
#include "pipeline/graph.h"
#include "xds/row.h"

struct sum {
    struct str scope; /* borrowed from a resource */
    struct hash hash;
    uint64_t count;
};

struct digesting {
    const struct schema *schema; /* of the rows of the present table */
    struct sum rows;
    VEC(struct sum) scopes;
};

static void add(struct sum *sum, struct hash hash)
{
    sum->hash.high += hash.high;
    sum->hash.low += hash.low;
    sum->count++;
}

static void add_row(void *user, struct str key, const struct row *row)
{
    struct digesting *digesting = user;
    struct buf text;
    struct json json;
    if (str_contains(key, STR("@zone/")) || str_contains(key, STR("@node/"))) {
        return; /* made for the places of clients */
    }
    buf_init(&text, BUF_UNLIMITED);
    json_init(&json, &text, 0);
    field_dump(digesting->schema, row, &json);
    add(&digesting->rows, hash_mix(hash_bytes(key), hash_bytes(buf_str(&text))));
    buf_release(&text);
}

static struct sum *sum_of(struct digesting *digesting, struct str scope)
{
    for (size_t i = 0; i < digesting->scopes.len; i++) {
        if (str_eq(digesting->scopes.items[i].scope, scope)) {
            return &digesting->scopes.items[i];
        }
    }
    vec_push(&digesting->scopes, ((struct sum){.scope = scope}));
    return &digesting->scopes.items[digesting->scopes.len - 1];
}

static void add_resources(void *user, struct str key, const struct row *row)
{
    const struct resource_row *resources = (const struct resource_row *)row;
    (void)key;
    for (size_t i = 0; i < resources->len; i++) {
        const struct resource *r = resources->items[i];
        struct hash name = hash_mix(hash_bytes(xds_type_info(r->type)->url), hash_bytes(r->name));
        add(sum_of(user, r->scope), hash_mix(name, r->hash));
    }
}

static int sum_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct sum *)a)->scope, ((const struct sum *)b)->scope);
}

static void tell(struct json *json, const char *count_key, const struct sum *sum)
{
    char text[HASH_TEXT_LEN];
    hash_text(sum->hash, text);
    json_member_text(json, "digest", text);
    json_member_uint(json, count_key, sum->count);
}

void digest_tell(const struct engine *engine, struct json *json)
{
    static const struct {
        unsigned table;
        const struct schema *schema;
    } tables[] = {{T_ROUTING, &ir_routing_schema},
                  {T_CLUSTER, &ir_cluster_schema},
                  {T_ENDPOINTS, &ir_endpoints_schema}};
    struct digesting digesting = {.rows = {.count = 0}};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        digesting.schema = tables[i].schema;
        engine_each_unordered(engine, tables[i].table, add_row, &digesting);
    }
    for (unsigned i = 0; i < resource_tables_len; i++) {
        if (resource_tables[i] != T_GRPC_TARGET && resource_tables[i] != T_GRPC_SERVER) {
            engine_each_unordered(engine, resource_tables[i], add_resources, &digesting);
        }
    }
    if (digesting.scopes.len > 0) {
        qsort(digesting.scopes.items, digesting.scopes.len, sizeof(struct sum), sum_cmp);
    }
    tell(json, "rows", &digesting.rows);
    json_key(json, "scopes");
    json_open(json, '{');
    for (size_t i = 0; i < digesting.scopes.len; i++) {
        json_key_str(json, digesting.scopes.items[i].scope);
        json_open(json, '{');
        tell(json, "resources", &digesting.scopes.items[i]);
        json_close(json, '}');
    }
    json_close(json, '}');
    vec_release(&digesting.scopes);
}
