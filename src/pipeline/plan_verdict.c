/* SPDX-License-Identifier: Apache-2.0 */
/* plan_verdict: asking what `heddle why` would answer, and comparing two answers. */
#include "pipeline/plan_verdict.h"

#include <string.h>

#include "ir/gateway.h"
#include "ir/graph.h"
#include "pipeline/explain.h"

#define ALSO_MAX 24 /* members of an ir_route */

/* --- asking --------------------------------------------------------------------------------- */

static bool is_ready(const struct engine *engine, struct str cluster)
{
    const struct ir_endpoints *endpoints = (const struct ir_endpoints *)engine_get(
        engine, T_ENDPOINTS, upstream_name_parse(cluster).port);
    bool ready = false;
    for (size_t i = 0; endpoints != NULL && i < endpoints->localities.len; i++) {
        ready = ready || endpoints->localities.items[i].endpoints.len > 0;
    }
    return ready;
}

/* Each backend with its share; errors count alike, whatever their words. */
static struct str backends_text(const struct engine *engine, const struct ir_route *route,
                                struct arena *arena)
{
    int64_t sum = 0;
    struct str where = STR("to");
    for (size_t i = 0; i < route->backends.len; i++) {
        sum += route->backends.items[i].weight;
    }
    for (size_t i = 0; i < route->backends.len; i++) {
        const struct ir_backend *backend = &route->backends.items[i];
        bool dead = backend->cluster.len > 0 && !is_ready(engine, backend->cluster);
        where = arena_printf(arena, "%.*s %.9f %.*s%s", STR_FMT(where),
                             (double)backend->weight / (double)sum, STR_FMT(backend->cluster),
                             dead ? " (no endpoint)" : "");
    }
    return where;
}

/* Of a request that a client looks into. */
static struct str where_text(const struct engine *engine, const struct ir_route *taker,
                             struct arena *arena)
{
    if (taker == NULL) {
        return STR("no rule");
    }
    switch ((enum ir_action)taker->action) {
    case IR_FORWARD:
        return backends_text(engine, taker, arena);
    case IR_REDIRECT:
        return STR("redirect");
    case IR_ERROR:
        break;
    }
    return arena_printf(arena, "error %d", (int)taker->error_status);
}

/* Whether it was taken by what it was made for. */
static bool is_own(const struct engine *engine, const struct plan_sample *sample,
                   const struct explained *explained)
{
    const struct ir_routing *row =
        (const struct ir_routing *)engine_get(engine, explained->table, explained->routing);
    if (row == NULL || !str_eq(row->client_ns, sample->of->client_ns) ||
        !str_eq(row->domain, sample->of->domain)) {
        return false;
    }
    return explained->taker != NULL
               ? (size_t)(explained->taker - row->routes.items) == sample->nth
               : explained->connection != NULL &&
                     (size_t)(explained->connection - row->connections.items) == sample->nth;
}

void plan_ask(const struct engine *engine, const struct plan_sample *sample, struct arena *arena,
              struct plan_verdict *ret_verdict)
{
    const unsigned details = EXPLAIN_RULES | EXPLAIN_ENDPOINTS | EXPLAIN_NOTES;
    const unsigned all = details | EXPLAIN_PLACES | EXPLAIN_EFFECTS;
    struct explained explained;
    ret_verdict->answer = explained_text(engine, &sample->question, details, arena, &explained);
    ret_verdict->taker = explained.taker;
    ret_verdict->own = is_own(engine, sample, &explained);
    ret_verdict->where = explained.http
                             ? where_text(engine, explained.taker, arena)
                             : explained_text(engine, &sample->question, all, arena, &explained);
}

/* --- comparing ------------------------------------------------------------------------------ */

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(name, *names) != 0) {
        names++;
    }
    return *names != NULL;
}

static const struct field *find_field(const struct schema *schema, const char *name)
{
    const struct field *field = schema->fields;
    while (strcmp(field->name, name) != 0) {
        field++;
    }
    return field;
}

static void add_also(const char *names[ALSO_MAX], size_t *len, const char *name)
{
    size_t i = 0;
    while (i < *len && strcmp(names[i], name) != 0) {
        i++;
    }
    if (i == *len && i < ALSO_MAX) {
        names[(*len)++] = name;
    }
}

/* Adds the names of members that differ, but those that `where` speaks of. */
static void add_differing(const struct schema *schema, const void *a, const void *b,
                          const char *const *others, const char *names[ALSO_MAX], size_t *len)
{
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        const struct field alone[] = {*field, FIELD_END};
        const struct schema one = {.name = field->name, .size = schema->size, .fields = alone};
        if (!is_one_of(field->name, others) && !field_equal(&one, a, b)) {
            add_also(names, len, field->name);
        }
    }
}

/* What is done differently to a request beside where it goes. */
static size_t treatment_differs(const struct ir_route *a, const struct ir_route *b,
                                const char *names[ALSO_MAX])
{
    static const char *const route_others[] = {"rule",   "match",    "action", "error_status",
                                               "reason", "backends", NULL};
    static const char *const backend_others[] = {"cluster", "weight", "reason", NULL};
    const struct schema *route_schema = find_field(&ir_routing_schema, "routes")->schema;
    const struct schema *backend_schema = find_field(route_schema, "backends")->schema;
    size_t len = 0;
    if (a == NULL || b == NULL || a->action != b->action) {
        return 0;
    }
    add_differing(route_schema, a, b, route_others, names, &len);
    for (size_t i = 0; a->backends.len == b->backends.len && i < a->backends.len; i++) {
        add_differing(backend_schema, &a->backends.items[i], &b->backends.items[i], backend_others,
                      names, &len);
    }
    return len;
}

/* --- telling -------------------------------------------------------------------------------- */

/* "request_headers" -> "request headers", "timeout_ms" -> "timeout" */
static void tell_name(struct arena *arena, const char *name, struct json *json)
{
    struct str words = arena_str(arena, str_from(name));
    char *bytes = (char *)(uintptr_t)words.ptr;
    if (str_ends_with(words, STR("_ms"))) {
        words.len -= 3;
    }
    for (size_t i = 0; i < words.len; i++) {
        bytes[i] = bytes[i] == '_' ? ' ' : bytes[i];
    }
    json_str(json, words);
}

static void tell_question(const struct plan_sample *sample, struct arena *arena, struct json *json)
{
    const struct question *question = &sample->question;
    const struct client_class *client = question->client;
    const struct request *request = &question->request;
    json_member_str(json, "client",
                    arena_printf(arena, "%s/%.*s", client_role_name(client->role),
                                 STR_FMT(client->gateway.len > 0 ? client->gateway : client->ns)));
    if (question->about == ABOUT_REQUEST) {
        json_member_str(json, "method", request->method);
    }
    json_member_str(json, "url", sample->url);
    if (question->about == ABOUT_TLS) {
        json_member_str(json, "sni", question->server_name);
    }
    json_key(json, "headers");
    json_open(json, '[');
    for (size_t i = 0; i < request->nheaders; i++) {
        json_str(json, arena_printf(arena, "%.*s: %.*s", STR_FMT(request->headers[i].name),
                                    STR_FMT(request->headers[i].value)));
    }
    json_close(json, ']');
}

void plan_tell(const struct plan_sample *sample, struct arena *arena, struct json *json)
{
    const char *also[ALSO_MAX];
    size_t len = treatment_differs(sample->before.taker, sample->after.taker, also);
    if (len == 0 && str_eq(sample->before.where, sample->after.where)) {
        return;
    }
    json_open(json, '{');
    tell_question(sample, arena, json);
    json_key(json, "before");
    json_raw(json, sample->before.answer);
    json_key(json, "after");
    json_raw(json, sample->after.answer);
    json_member_bool(json, "moved", !str_eq(sample->before.where, sample->after.where));
    json_key(json, "also");
    json_open(json, '[');
    for (size_t i = 0; i < len; i++) {
        tell_name(arena, also[i], json);
    }
    json_close(json, ']');
    json_close(json, '}');
}
