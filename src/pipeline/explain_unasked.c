/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain_unasked: routes whose parentRef names the Service, and that are not asked nevertheless:
 *
 *   - their status says why they are not accepted
 *   - they are consumer routes, of another namespace than the client's (told where no rule has it)
 *   - consumer routes of the client's namespace take their place
 *   - they are attached to another port
 */
#include "ir/attachment.h"
#include "ir/graph.h"
#include "pipeline/explain_internal.h"
#include "resolve/key.h"

struct search {
    struct telling *telling;
    const struct ir_routing *routing;
    struct str service; /* "ns/name" */
    struct str port;
    bool taken; /* by a rule */
    size_t told;
};

static bool names_service(const struct search *search, const struct route *route,
                          const struct parent_ref *ref)
{
    struct str ns = ref->ns.len > 0 ? ref->ns : route->object.meta.ns;
    struct str name = search->service;
    struct str in = str_cut(&name, '/');
    return parent_ref_is_service(ref) && str_eq(ref->name, name) && str_eq(ns, in);
}

/* ports: what the parentRef is attached to, "ns/svc:port" or of consumers "ns/svc:port@ns". */
static struct str why_not_this(const struct search *search, const struct attached_parent *parent)
{
    struct arena *arena = search->telling->arena;
    struct str client_ns = search->telling->question->client->ns;
    struct str elsewhere = STR_NULL;
    for (size_t i = 0; i < parent->ports.len; i++) {
        struct str consumers = parent->ports.items[i];
        struct str port = str_cut(&consumers, '@');
        if (!str_eq(port, search->port)) {
            elsewhere = port;
        } else if (consumers.ptr != NULL && !str_eq(consumers, client_ns)) {
            return search->taken
                       ? STR_NULL
                       : arena_printf(
                             arena,
                             "it is a consumer route, in another namespace than the Service: "
                             "only clients of namespace '%.*s' go by it",
                             STR_FMT(consumers));
        } else if (consumers.ptr == NULL && search->routing->client_ns.len > 0) {
            return arena_printf(arena,
                                "consumer routes of the client's namespace '%.*s' take its place",
                                STR_FMT(client_ns));
        }
    }
    return elsewhere.len > 0 ? arena_printf(arena, "it is attached to '%.*s', not to '%.*s'",
                                            STR_FMT(elsewhere), STR_FMT(search->port))
                             : STR_NULL;
}

static struct str why_not(const struct search *search, struct str key, size_t nth,
                          const struct attached_parent *parent)
{
    const struct status *status =
        (const struct status *)engine_get(search->telling->engine, T_STATUS, key);
    const struct condition *accepted =
        status != NULL && nth < status->parents.len && status->parents.items[nth].conditions.len > 0
            ? &status->parents.items[nth].conditions.items[0]
            : NULL;
    if (accepted != NULL && !condition_info((enum condition_id)accepted->id)->status) {
        return arena_printf(search->telling->arena, "%s: %.*s",
                            condition_info((enum condition_id)accepted->id)->reason,
                            STR_FMT(accepted->message));
    }
    return why_not_this(search, parent);
}

static void tell(struct search *search, struct str key, const struct route *route, uint32_t line,
                 struct str why)
{
    struct json *json = search->telling->json;
    if (search->told++ == 0) {
        json_key(json, "unattached");
        json_open(json, '[');
    }
    json_open(json, '{');
    explain_text(search->telling, "route", key);
    explain_text(search->telling, "file", route->object.origin.file);
    json_key(json, "line");
    json_uint(json, line);
    explain_text(search->telling, "why", why);
    json_close(json, '}');
}

static void visit_route(void *user, struct str key, const struct row *row)
{
    struct search *search = user;
    const struct route *route = (const struct route *)row;
    const struct attachment *attachment =
        (const struct attachment *)engine_get(search->telling->engine, T_ATTACHMENT, key);
    if (attachment == NULL || explain_is_asked(search->routing, key)) {
        return;
    }
    for (size_t i = 0; i < attachment->parents.len && search->told < UNATTACHED_TOLD_MAX; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        const struct parent_ref *ref = &route->parents.items[parent->index];
        struct str why =
            names_service(search, route, ref) ? why_not(search, key, i, parent) : STR_NULL;
        if (why.len > 0) {
            tell(search, key, route, ref->line, why);
            return;
        }
    }
}

void explain_unasked(struct telling *telling, const struct ir_routing *routing, struct str port,
                     bool taken)
{
    struct search search = {telling, routing, port_key_parse(port).object, port, taken, 0};
    if (explain_leaves_out(telling, EXPLAIN_RULES)) {
        return;
    }
    engine_each(telling->engine, T_ROUTE, visit_route, &search);
    if (search.told > 0) {
        json_close(telling->json, ']');
    }
}
