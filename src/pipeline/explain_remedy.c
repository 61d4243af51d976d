/* SPDX-License-Identifier: Apache-2.0 */
/* explain_remedy: what to do about a backend that gets nothing, and why none of its endpoints is
 * ready. */
#include "ir/attachment.h"
#include "ir/graph.h"
#include "model/route.h"
#include "pipeline/explain_internal.h"
#include "pipeline/meant.h"
#include "resolve/key.h"
#include "resolve/rule.h"
#include "resolve/slices.h"

/* --- backends that do not resolve ----------------------------------------------------------- */

static struct str remedy_of(const struct telling *telling, const struct route *route,
                            const struct attached_backend *backend, const struct object_ref *ref,
                            struct str reason)
{
    if (backend->ungranted.len > 0 && str_eq(backend->ungranted, reason)) {
        return meant_grant(route, telling->arena);
    }
    return backend->cluster.len == 0 && str_eq(backend->message, reason)
               ? meant_backend(telling->engine, route, ref, telling->arena)
               : STR_NULL;
}

void explain_remedy(struct telling *telling, struct str rule, struct str reason)
{
    if (rule.len == 0 || explain_leaves_out(telling, EXPLAIN_NOTES)) {
        return; /* what a listener or a Service without routes refuses is of no rule */
    }
    struct rule_key key = rule_key_parse(rule);
    const struct route *route =
        (const struct route *)engine_get(telling->engine, T_ROUTE, key.route);
    const struct attachment *attachment =
        (const struct attachment *)engine_get(telling->engine, T_ATTACHMENT, key.route);
    struct str remedy = STR_NULL;
    for (size_t i = 0;
         route != NULL && attachment != NULL && i < attachment->backends.len && remedy.len == 0;
         i++) {
        const struct attached_backend *backend = &attachment->backends.items[i];
        if ((size_t)backend->rule == key.number && key.number < route_rule_count(route)) {
            const struct backend_ref *ref = &route_rule(route, key.number).backends[backend->index];
            remedy = remedy_of(telling, route, backend, &ref->ref, reason);
        }
    }
    if (remedy.len > 0) {
        explain_text(telling, "remedy", remedy);
    }
}

void explain_lost_mirrors(struct telling *telling, struct str rule)
{
    if (rule.len == 0) {
        return;
    }
    struct rule_key key = rule_key_parse(rule);
    const struct attachment *attachment =
        (const struct attachment *)engine_get(telling->engine, T_ATTACHMENT, key.route);
    for (size_t i = 0; attachment != NULL && i < attachment->mirrors.len; i++) {
        const struct attached_backend *mirror = &attachment->mirrors.items[i];
        struct str why;
        if ((size_t)mirror->rule == key.number &&
            attached_backend_state(mirror, telling->gateway != NULL, &why) != C_resolved) {
            json_str(telling->json,
                     arena_printf(telling->arena, "nothing is mirrored: %.*s", STR_FMT(why)));
        }
    }
}

/* --- no endpoints --------------------------------------------------------------------------- */

void explain_idle(struct telling *telling, struct str port_key)
{
    if (explain_leaves_out(telling, EXPLAIN_NOTES)) {
        return;
    }
    struct arena *arena = telling->arena;
    struct str service = port_key_parse(port_key).object;
    const struct ir_port *port =
        (const struct ir_port *)engine_get(telling->engine, T_PORT, port_key);
    struct row_span slices = engine_group(telling->engine, X_SLICES_OF_SERVICE, service);
    size_t endpoints = 0, named = 0;
    for (size_t i = 0; port != NULL && i < slices.len; i++) {
        const struct endpoint_slice *slice = (const struct endpoint_slice *)slices.rows[i];
        int protocol = port->protocol == IR_UDP ? PROTOCOL_UDP : PROTOCOL_TCP;
        endpoints += slice->endpoints.len;
        named += slice_port(slice, port->port_name, protocol) != 0 ? slice->endpoints.len : 0;
    }
    struct str remedy =
        endpoints == 0 ? arena_printf(arena,
                                      "Service '%.*s' has no endpoint: does its selector "
                                      "match a pod?",
                                      STR_FMT(service))
        : named == 0
            ? arena_printf(arena,
                           "no EndpointSlice of Service '%.*s' has a port named '%.*s', as "
                           "the Service's port is: give them one name",
                           STR_FMT(service), STR_FMT(port->port_name))
            : arena_printf(arena,
                           "Service '%.*s' has endpoints (%zu): look at the readiness of its pods",
                           STR_FMT(service), named);
    explain_text(telling, "remedy", remedy);
}
