/* SPDX-License-Identifier: Apache-2.0 */
/* rejections: see rejections.h. */
#include "pipeline/rejections.h"

#include <stdlib.h>

#include "base/panic.h"
#include "codec/doc_json.h"
#include "codec/json.h"
#include "ir/client.h"
#include "ir/graph.h"

#define ANSWER_NODES_MAX 8192 /* of JSON: eight for each resource, and some */

void rejections_init(struct rejections *rejections, struct engine *engine)
{
    *rejections = (struct rejections){.engine = engine};
}

static void from_release(struct rejections_from *from)
{
    for (size_t i = 0; i < from->keys.len; i++) {
        free(from->keys.items[i]);
    }
    vec_release(&from->keys);
    free(from->replica);
}

void rejections_release(struct rejections *rejections)
{
    for (size_t i = 0; i < rejections->from.len; i++) {
        from_release(&rejections->from.items[i]);
    }
    vec_release(&rejections->from);
}

/* --- telling --------------------------------------------------------------------------------- */

struct summary {
    const struct rejection_row *first;
    uint64_t clients;
};

struct telling {
    VEC(struct summary) items;
};

static bool same_resource(const struct rejection_row *a, const struct rejection_row *b)
{
    return a->type == b->type && str_eq(a->name, b->name) && str_eq(a->scope, b->scope);
}

/* Rows come in the order of their keys, "type|name|node…": those of a name one after the other. */
static void add_row(void *user, struct str key, const struct row *row)
{
    struct telling *telling = user;
    const struct rejection_row *rejection = (const struct rejection_row *)row;
    (void)key;
    if (rejection->replica.len > 0) {
        return; /* that one tells it itself */
    }
    for (size_t i = telling->items.len; i > 0; i--) {
        struct summary *known = &telling->items.items[i - 1];
        if (same_resource(known->first, rejection)) {
            known->clients += rejection->clients;
            return;
        }
        if (!str_eq(known->first->name, rejection->name)) {
            break;
        }
    }
    if (telling->items.len < REJECTIONS_TOLD_MAX) {
        vec_push(&telling->items, ((struct summary){rejection, rejection->clients}));
    }
}

static void tell_str(struct json *json, const char *key, struct str value)
{
    json_key(json, key);
    json_str(json, value);
}

static void tell_one(struct json *json, const struct summary *summary)
{
    const struct rejection_row *first = summary->first;
    json_open(json, '{');
    tell_str(json, "type", str_from(xds_type_info((enum xds_type)first->type)->name));
    tell_str(json, "name", first->name);
    tell_str(json, "scope", first->scope);
    tell_str(json, "version", first->version);
    tell_str(json, "node", first->node);
    tell_str(json, "text", first->text);
    json_key(json, "clients");
    json_uint(json, summary->clients);
    json_close(json, '}');
}

void rejections_tell(const struct engine *engine, struct buf *out)
{
    struct telling telling = {.items = {NULL, 0, 0}};
    struct json json;
    engine_each(engine, T_REJECTION, add_row, &telling);
    json_init(&json, out, 0);
    json_open(&json, '{');
    json_key(&json, "rejections");
    json_open(&json, '[');
    for (size_t i = 0; i < telling.items.len; i++) {
        tell_one(&json, &telling.items.items[i]);
    }
    json_close(&json, ']');
    json_close(&json, '}');
    vec_release(&telling.items);
}

/* --- hearing --------------------------------------------------------------------------------- */

static struct rejections_from *find(struct rejections *rejections, struct str replica)
{
    for (size_t i = 0; i < rejections->from.len; i++) {
        if (str_eq(str_from(rejections->from.items[i].replica), replica)) {
            return &rejections->from.items[i];
        }
    }
    struct rejections_from from = {.replica = str_dup(replica)};
    vec_push(&rejections->from, from);
    return &rejections->from.items[rejections->from.len - 1];
}

static void drop_rows(struct rejections *rejections, struct rejections_from *from)
{
    for (size_t i = 0; i < from->keys.len; i++) {
        engine_delete(rejections->engine, T_REJECTION, str_from(from->keys.items[i]));
        free(from->keys.items[i]);
    }
    vec_clear(&from->keys);
}

/* Among those of the clients here by node, as theirs are: the first is the same on all replicas. */
static char *row_key(const struct rejection_row *row)
{
    struct buf key;
    buf_init(&key, BUF_UNLIMITED);
    buf_printf(&key, "%s|%.*s|%.*s|%.*s|%.*s", xds_type_info((enum xds_type)row->type)->name,
               STR_FMT(row->name), STR_FMT(row->node), STR_FMT(row->replica), STR_FMT(row->scope));
    return buf_steal(&key, NULL);
}

static void hear_one(struct rejections *rejections, struct rejections_from *from,
                     const struct doc_node *told)
{
    enum xds_type type;
    const struct doc_node *clients = doc_get(told, STR("clients"));
    if (!xds_type_from_name(doc_text(told, STR("type")), &type) || clients == NULL ||
        clients->type != DOC_INT || clients->integer < 1) {
        return; /* of a version that knows more types, say */
    }
    struct rejection_row *row = row_new(sizeof(*row), 512);
    struct arena *arena = &row->row.arena;
    row->type = (int)type;
    row->name = arena_str(arena, doc_text(told, STR("name")));
    row->scope = arena_str(arena, doc_text(told, STR("scope")));
    row->version = arena_str(arena, doc_text(told, STR("version")));
    row->node = arena_str(arena, doc_text(told, STR("node")));
    row->text = arena_str(arena, doc_text(told, STR("text")));
    row->replica = arena_str(arena, str_from(from->replica));
    row->clients = (uint64_t)clients->integer;
    char *key = row_key(row);
    engine_put(rejections->engine, T_REJECTION, str_from(key), &row->row);
    vec_push(&from->keys, key);
}

bool rejections_hear(struct rejections *rejections, struct str replica, struct str answer,
                     uint64_t now_ms)
{
    struct rejections_from *from = find(rejections, replica);
    struct hash told = hash_bytes(answer);
    from->told_ms = now_ms;
    if (hash_eq(told, from->told)) {
        return false;
    }
    struct arena scratch;
    struct doc_node *root = NULL;
    struct err err;
    arena_init(&scratch);
    const struct doc_node *list = doc_json_parse(&scratch, answer, ANSWER_NODES_MAX, &root, &err)
                                      ? doc_get(root, STR("rejections"))
                                      : NULL;
    bool heard = list != NULL && list->type == DOC_SEQUENCE;
    if (heard) {
        bool before = from->keys.len > 0;
        from->told = told;
        drop_rows(rejections, from);
        for (size_t i = 0; i < list->len && i < REJECTIONS_TOLD_MAX; i++) {
            hear_one(rejections, from, list->items[i]);
        }
        heard = before || from->keys.len > 0;
    }
    arena_release(&scratch);
    return heard;
}

bool rejections_forget(struct rejections *rejections, uint64_t since_ms)
{
    bool forgot = false;
    for (size_t i = rejections->from.len; i > 0; i--) {
        struct rejections_from *from = &rejections->from.items[i - 1];
        if (from->told_ms < since_ms) {
            forgot = forgot || from->keys.len > 0;
            drop_rows(rejections, from);
            from_release(from);
            vec_swap_remove(&rejections->from, i - 1);
        }
    }
    return forgot;
}

bool rejections_any(const struct rejections *rejections)
{
    for (size_t i = 0; i < rejections->from.len; i++) {
        if (rejections->from.items[i].keys.len > 0) {
            return true;
        }
    }
    return false;
}
