/* SPDX-License-Identifier: Apache-2.0 */
/* findings_route: of routes: where they send, what of them is never reached. */
#include "ir/attachment.h"
#include "ir/graph.h"
#include "model/route.h"
#include "model/service.h"
#include "pipeline/findings_internal.h"
#include "pipeline/meant.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/rule.h"

static bool of_connections(const struct route *route)
{
    return govern_of_connections(route->object.kind);
}

/* --- backendRefs ---------------------------------------------------------------------------- */

struct trouble { /* of a backend */
    enum condition_id why;
    struct str message; /* borrowed */
};

/* until: what becomes of it until it resolves. */
static void report_backend(struct finding_walk *walk, const struct route *route,
                           const struct object_ref *ref, struct str path, uint32_t line,
                           const struct trouble *trouble, const char *until)
{
    if (trouble->why == C_ref_not_permitted) {
        finding_report(walk, &route->object, PROBLEM_not_permitted, line, path, trouble->message,
                       arena_printf(&walk->scratch, "%.*s; %s",
                                    STR_FMT(meant_grant(route, &walk->scratch)), until));
        return;
    }
    struct str meant = meant_backend(walk->known, route, ref, &walk->scratch);
    const char *joint = meant.len == 0 ? "" : str_ends_with(meant, STR("?")) ? " " : "; ";
    finding_report(walk, &route->object, PROBLEM_unresolved_reference, line, path, trouble->message,
                   arena_printf(&walk->scratch, "%.*s%s%s", STR_FMT(meant), joint, until));
}

/* What some parent of the route says of it; a route without any is told as the mesh would. */
static bool resolves(const struct attachment *attachment, const struct attached_backend *backend,
                     struct trouble *ret_trouble)
{
    bool gateways = finding_has_parents(attachment, true);
    bool mesh = finding_has_parents(attachment, false) || !gateways;
    ret_trouble->why = C_resolved;
    if (mesh) {
        ret_trouble->why = attached_backend_state(backend, false, &ret_trouble->message);
    }
    if (gateways && ret_trouble->why == C_resolved) {
        ret_trouble->why = attached_backend_state(backend, true, &ret_trouble->message);
    }
    return ret_trouble->why == C_resolved;
}

static void check_backends(struct finding_walk *walk, const struct route *route,
                           const struct attachment *attachment)
{
    struct trouble trouble;
    for (size_t i = 0; i < attachment->backends.len; i++) {
        const struct attached_backend *backend = &attachment->backends.items[i];
        if (resolves(attachment, backend, &trouble)) {
            continue;
        }
        const struct backend_ref *ref =
            &route_rule(route, (size_t)backend->rule).backends[backend->index];
        report_backend(walk, route, &ref->ref,
                       arena_printf(&walk->scratch, "spec.rules[%d].backendRefs[%d]",
                                    (int)backend->rule, (int)backend->index),
                       ref->line, &trouble,
                       of_connections(route)
                           ? "until it resolves, its share of the connections is refused"
                           : "until it resolves, its share of the requests is answered with an "
                             "error");
    }
    for (size_t i = 0; i < attachment->mirrors.len; i++) {
        const struct attached_backend *mirror = &attachment->mirrors.items[i];
        if (resolves(attachment, mirror, &trouble)) {
            continue;
        }
        const struct filter *filter =
            &route_rule(route, (size_t)mirror->rule).filters[mirror->index];
        report_backend(walk, route, &filter->mirror->backend,
                       arena_printf(&walk->scratch, "spec.rules[%d].filters[%d]", (int)mirror->rule,
                                    (int)mirror->index),
                       filter->line, &trouble, "until it resolves, nothing is mirrored");
    }
}

/* --- rules ---------------------------------------------------------------------------------- */

/* A rule whose backendRefs all have weight 0. */
static void check_weights(struct finding_walk *walk, const struct route *route)
{
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct rule_view rule = route_rule(route, i);
        bool some = rule.backends_len == 0;
        for (size_t j = 0; j < rule.backends_len; j++) {
            some = some || rule.backends[j].weight > 0;
        }
        if (!some) {
            finding_report(
                walk, &route->object, PROBLEM_no_effect, route_rule_line(route, i),
                arena_printf(&walk->scratch, "spec.rules[%zu].backendRefs", i),
                of_connections(route)
                    ? STR("all weights are 0: the connections of this rule are refused")
                    : STR("all weights are 0: requests of this rule are answered with an error"),
                STR("give a backendRef a weight above 0"));
        }
    }
}

/* "GAMMA implementations SHOULD ignore hostnames" (GEP-1294): not an error, but hardly meant. Those
 * of a TLSRoute are not ignored (resolve/l4.c). */
static void check_hostnames(struct finding_walk *walk, const struct route *route,
                            const struct attachment *attachment)
{
    if (finding_has_parents(attachment, false) && !finding_has_parents(attachment, true) &&
        route->hostnames.len > 0 && !of_connections(route)) {
        finding_report(
            walk, &route->object, PROBLEM_hostnames_ignored, route->object.origin.line,
            STR("spec.hostnames"),
            STR("a route of a Service has hostnames: the mesh ignores them, since a request "
                "belongs to the address it was sent to"),
            STR("take them out: they change nothing"));
    }
}

static void check_unserved(struct finding_walk *walk, const struct route *route)
{
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct str text = rule_unserved(route, i, &walk->scratch);
        if (text.len > 0) {
            finding_report(walk, &route->object, PROBLEM_unserved_field, route_rule_line(route, i),
                           arena_printf(&walk->scratch, "spec.rules[%zu]", i), text,
                           STR("requests of this rule are answered with an error; take it out"));
        }
    }
}

void finding_visit_route(void *user, struct str key, const struct row *row)
{
    struct finding_walk *walk = user;
    const struct route *route = (const struct route *)row;
    const struct attachment *attachment =
        (const struct attachment *)engine_get(walk->engine, T_ATTACHMENT, key);
    finding_parents(walk, route, attachment);
    check_backends(walk, route, attachment);
    check_weights(walk, route);
    check_hostnames(walk, route, attachment);
    check_unserved(walk, route);
    finding_enforced(walk, &route->object,
                     (const struct status *)engine_get(walk->engine, T_STATUS, key));
    arena_reset(&walk->scratch);
}

/* --- among routes --------------------------------------------------------------------------- */

/* " on Service port 'a/b:80' and 2 more"; empty: wherever the route is attached. */
static struct str where_text(struct finding_walk *walk, const struct unreached *unreached)
{
    struct arena *arena = &walk->scratch;
    const struct ir_routing *where = unreached->where;
    if (where == NULL) {
        return STR_NULL;
    }
    struct str text = where->domain.len == 0
                          ? arena_printf(arena, " on Service port '%.*s'", STR_FMT(where->name))
                          : arena_printf(arena, " by host '%.*s' of listener '%.*s'",
                                         STR_FMT(where->domain), STR_FMT(where->listener));
    return unreached->more == 0
               ? text
               : arena_printf(arena, "%.*s and %zu more", STR_FMT(text), unreached->more);
}

/* A rule whose requests all go to older routes. */
void finding_visit_unreached(void *user, const struct unreached *unreached)
{
    struct finding_walk *walk = user;
    struct rule_key key = rule_key_parse(unreached->rule);
    struct rule_key taker_key = rule_key_parse(unreached->taker);
    const struct route *route = (const struct route *)engine_get(walk->engine, T_ROUTE, key.route);
    const struct route *taker =
        (const struct route *)engine_get(walk->engine, T_ROUTE, taker_key.route);
    struct str where = where_text(walk, unreached);
    struct str file = taker->object.origin.file;
    struct str at = file.len == 0
                        ? STR_NULL
                        : arena_printf(&walk->scratch, " (%.*s:%u)", STR_FMT(file),
                                       (unsigned)route_rule_line(taker, taker_key.number));
    finding_report(
        walk, &route->object, PROBLEM_unreachable_rule, route_rule_line(route, key.number),
        arena_printf(&walk->scratch, "spec.rules[%zu]", key.number),
        arena_printf(&walk->scratch,
                     "rule %zu is never reached%.*s: rule %zu of %s %.*s/%.*s%.*s takes "
                     "its requests",
                     key.number + 1, STR_FMT(where), taker_key.number + 1,
                     kind_info(taker->object.kind)->kind, STR_FMT(taker->object.meta.ns),
                     STR_FMT(taker->object.meta.name), STR_FMT(at)),
        STR("of equal matches the oldest route has the requests: make one of them narrower, or "
            "join the rules"));
    arena_reset(&walk->scratch);
}
