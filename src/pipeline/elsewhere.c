/* SPDX-License-Identifier: Apache-2.0 */
/* elsewhere: see elsewhere.h. */
#include "pipeline/elsewhere.h"

#include <stdlib.h>

#include "base/panic.h"
#include "codec/doc_json.h"
#include "codec/json.h"
#include "ir/client.h"
#include "ir/graph.h"

#define ANSWER_NODES_MAX 8192 /* of JSON: eight for each rejection, and some */

void elsewhere_init(struct elsewhere *elsewhere, struct engine *engine)
{
    *elsewhere = (struct elsewhere){.engine = engine};
}

static void replica_release(struct elsewhere_replica *replica)
{
    for (size_t i = 0; i < replica->rows.len; i++) {
        free(replica->rows.items[i].key);
    }
    vec_release(&replica->rows);
    free(replica->address);
}

void elsewhere_release(struct elsewhere *elsewhere)
{
    for (size_t i = 0; i < elsewhere->replicas.len; i++) {
        replica_release(&elsewhere->replicas.items[i]);
    }
    vec_release(&elsewhere->replicas);
}

/* --- telling --------------------------------------------------------------------------------- */

/* Those of one namespace or sidecar ("envoy@ns", "inbound/…") are many, and no status asks. */
static void tell_scope(void *user, struct str key, const struct row *row)
{
    (void)row;
    if (str_index(key, '@') == key.len && str_index(key, '/') == key.len) {
        json_str(user, key);
    }
}

struct summary {
    const struct rejection_row *first;
    uint64_t clients;
};

struct summaries {
    VEC(struct summary) items;
};

static bool same_resource(const struct rejection_row *a, const struct rejection_row *b)
{
    return a->type == b->type && str_eq(a->name, b->name) && str_eq(a->scope, b->scope);
}

/* Rows come in the order of their keys, "type|name|node…": those of a name one after the other. */
static void add_rejection(void *user, struct str key, const struct row *row)
{
    struct summaries *summaries = user;
    const struct rejection_row *rejection = (const struct rejection_row *)row;
    (void)key;
    if (rejection->replica.len > 0) {
        return; /* that one tells it itself */
    }
    for (size_t i = summaries->items.len; i > 0; i--) {
        struct summary *known = &summaries->items.items[i - 1];
        if (same_resource(known->first, rejection)) {
            known->clients += rejection->clients;
            return;
        }
        if (!str_eq(known->first->name, rejection->name)) {
            break;
        }
    }
    if (summaries->items.len < ELSEWHERE_REJECTIONS_MAX) {
        vec_push(&summaries->items, ((struct summary){rejection, rejection->clients}));
    }
}

static void tell_rejection(struct json *json, const struct summary *summary)
{
    const struct rejection_row *first = summary->first;
    json_open(json, '{');
    json_member_str(json, "type", str_from(xds_type_info((enum xds_type)first->type)->name));
    json_member_str(json, "name", first->name);
    json_member_str(json, "scope", first->scope);
    json_member_str(json, "version", first->version);
    json_member_str(json, "node", first->node);
    json_member_str(json, "text", first->text);
    json_member_uint(json, "clients", summary->clients);
    json_close(json, '}');
}

void elsewhere_tell(const struct engine *engine, struct buf *out)
{
    struct summaries summaries = {.items = {NULL, 0, 0}};
    struct json json;
    json_init(&json, out, 0);
    json_open(&json, '{');
    json_key(&json, "scopes");
    json_open(&json, '[');
    engine_each(engine, T_VIEW, tell_scope, &json);
    json_close(&json, ']');
    json_key(&json, "rejections");
    json_open(&json, '[');
    engine_each(engine, T_REJECTION, add_rejection, &summaries);
    for (size_t i = 0; i < summaries.items.len; i++) {
        tell_rejection(&json, &summaries.items.items[i]);
    }
    json_close(&json, ']');
    json_close(&json, '}');
    vec_release(&summaries.items);
}

/* --- hearing --------------------------------------------------------------------------------- */

static struct elsewhere_replica *find(struct elsewhere *elsewhere, struct str address)
{
    for (size_t i = 0; i < elsewhere->replicas.len; i++) {
        if (str_eq(str_from(elsewhere->replicas.items[i].address), address)) {
            return &elsewhere->replicas.items[i];
        }
    }
    struct elsewhere_replica replica = {.address = str_dup(address)};
    vec_push(&elsewhere->replicas, replica);
    return &elsewhere->replicas.items[elsewhere->replicas.len - 1];
}

static void drop_rows(struct elsewhere *elsewhere, struct elsewhere_replica *replica)
{
    for (size_t i = 0; i < replica->rows.len; i++) {
        struct elsewhere_row *row = &replica->rows.items[i];
        engine_delete(elsewhere->engine, row->table, str_from(row->key));
        free(row->key);
    }
    vec_clear(&replica->rows);
    replica->rejections = 0;
}

/* Takes the row and the key. */
static void put_row(struct elsewhere *elsewhere, struct elsewhere_replica *replica, unsigned table,
                    struct buf *key, struct row *row)
{
    struct elsewhere_row kept = {table, buf_steal(key, NULL)};
    engine_put(elsewhere->engine, table, str_from(kept.key), row);
    vec_push(&replica->rows, kept);
}

static void hear_scope(struct elsewhere *elsewhere, struct elsewhere_replica *replica,
                       const struct doc_node *told)
{
    if (told->type != DOC_STRING) {
        return;
    }
    struct buf key;
    struct view_row *row = row_new(sizeof(*row), told->text.len + 1);
    row->scope = arena_str(&row->row.arena, told->text);
    buf_init(&key, BUF_UNLIMITED);
    buf_printf(&key, "%.*s|%s", STR_FMT(row->scope), replica->address);
    put_row(elsewhere, replica, T_ELSEWHERE, &key, &row->row);
}

/* The key's place among those of the clients here is by node, as theirs is: what is first, and so
 * told in the status, is the same on all replicas. */
static void hear_rejection(struct elsewhere *elsewhere, struct elsewhere_replica *replica,
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
    row->replica = arena_str(arena, str_from(replica->address));
    row->clients = (uint64_t)clients->integer;
    struct buf key;
    buf_init(&key, BUF_UNLIMITED);
    buf_printf(&key, "%s|%.*s|%.*s|%s|%.*s", xds_type_info(type)->name, STR_FMT(row->name),
               STR_FMT(row->node), replica->address, STR_FMT(row->scope));
    put_row(elsewhere, replica, T_REJECTION, &key, &row->row);
    replica->rejections++;
}

static bool is_list(const struct doc_node *node)
{
    return node != NULL && node->type == DOC_SEQUENCE;
}

static void hear(struct elsewhere *elsewhere, struct elsewhere_replica *replica,
                 const struct doc_node *scopes, const struct doc_node *rejections)
{
    drop_rows(elsewhere, replica);
    for (size_t i = 0; i < scopes->len && i < ELSEWHERE_SCOPES_MAX; i++) {
        hear_scope(elsewhere, replica, scopes->items[i]);
    }
    for (size_t i = 0; i < rejections->len && i < ELSEWHERE_REJECTIONS_MAX; i++) {
        hear_rejection(elsewhere, replica, rejections->items[i]);
    }
}

bool elsewhere_hear(struct elsewhere *elsewhere, struct str address, struct str answer,
                    uint64_t now_ms)
{
    struct elsewhere_replica *replica = find(elsewhere, address);
    struct hash told = hash_bytes(answer);
    replica->told_ms = now_ms;
    if (hash_eq(told, replica->told)) {
        return false;
    }
    struct arena scratch;
    struct doc_node *root = NULL;
    struct err err;
    bool news = false;
    arena_init(&scratch);
    if (doc_json_parse(&scratch, answer, ANSWER_NODES_MAX, &root, &err) &&
        is_list(doc_get(root, STR("scopes"))) && is_list(doc_get(root, STR("rejections")))) {
        bool before = replica->rows.len > 0;
        replica->told = told;
        hear(elsewhere, replica, doc_get(root, STR("scopes")), doc_get(root, STR("rejections")));
        news = before || replica->rows.len > 0;
    }
    arena_release(&scratch);
    return news;
}

bool elsewhere_forget(struct elsewhere *elsewhere, uint64_t since_ms)
{
    bool forgot = false;
    for (size_t i = elsewhere->replicas.len; i > 0; i--) {
        struct elsewhere_replica *replica = &elsewhere->replicas.items[i - 1];
        if (replica->told_ms < since_ms) {
            forgot = forgot || replica->rows.len > 0;
            drop_rows(elsewhere, replica);
            replica_release(replica);
            vec_swap_remove(&elsewhere->replicas, i - 1);
        }
    }
    return forgot;
}

bool elsewhere_rejects(const struct elsewhere *elsewhere)
{
    for (size_t i = 0; i < elsewhere->replicas.len; i++) {
        if (elsewhere->replicas.items[i].rejections > 0) {
            return true;
        }
    }
    return false;
}
