/* SPDX-License-Identifier: Apache-2.0 */
/* enforce: see enforce.h. */
#include "resolve/enforce.h"

#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "resolve/key.h"
#include "resolve/rule.h"

#define GAPS_MAX 8 /* told in one message */

struct gaps {
    struct arena *scratch;
    struct str text;
    size_t len;
};

static void add(struct gaps *gaps, struct str what)
{
    if (gaps->len++ < GAPS_MAX) {
        gaps->text = arena_printf(gaps->scratch, "%.*s%s%.*s", STR_FMT(gaps->text),
                                  gaps->text.len > 0 ? ", " : "", STR_FMT(what));
    }
}

static bool changes_headers(const struct filter *filter)
{
    return filter->type == FILTER_REQUEST_HEADERS || filter->type == FILTER_RESPONSE_HEADERS;
}

/* gRPC clients know nothing of header operations, and ignore them. */
static void header_filters(struct gaps *gaps, const struct rule_view *rule, size_t index)
{
    for (size_t i = 0; i < rule->filters_len; i++) {
        if (changes_headers(&rule->filters[i])) {
            add(gaps, arena_printf(gaps->scratch, "rules[%zu].filters[%zu]", index, i));
        }
    }
    for (size_t i = 0; i < rule->backends_len; i++) {
        for (size_t j = 0; j < rule->backends[i].filters.len; j++) {
            if (changes_headers(&rule->backends[i].filters.items[j])) {
                add(gaps, arena_printf(gaps->scratch, "rules[%zu].backendRefs[%zu].filters[%zu]",
                                       index, i, j));
            }
        }
    }
}

static struct str proxyless_gaps(struct eval *ev, const struct route *route)
{
    struct gaps gaps = {.scratch = eval_scratch(ev)};
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct rule_view rule = route_rule(route, i);
        if (rule_unserved(route, i, gaps.scratch).len == 0) {
            header_filters(&gaps, &rule, i);
        }
    }
    return gaps.len > 0 && eval_get(ev, T_VIEW, STR(SCOPE_GRPC)) != NULL ? gaps.text : STR_NULL;
}

/* Sidecars go by ClusterIP, which a headless Service has not. */
static struct str sidecar_gaps(struct eval *ev, const struct attached_parent *parent)
{
    struct gaps gaps = {.scratch = eval_scratch(ev)};
    for (size_t i = 0; i < parent->ports.len; i++) {
        struct str key = port_key_parse(parent->ports.items[i]).port_key;
        const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, key);
        if (port != NULL && port->ips.len == 0) {
            add(&gaps, key);
        }
    }
    return gaps.len > 0 && eval_get(ev, T_VIEW, STR(SCOPE_ENVOY)) != NULL ? gaps.text : STR_NULL;
}

struct str enforce_gaps(struct eval *ev, struct arena *arena, const struct route *route,
                        const struct attached_parent *parent)
{
    struct str proxyless = proxyless_gaps(ev, route);
    struct str sidecar = sidecar_gaps(ev, parent);
    struct str text = STR_NULL;
    if (proxyless.len > 0) {
        text = arena_printf(arena, "proxyless gRPC clients do not apply %.*s", STR_FMT(proxyless));
    }
    if (sidecar.len > 0) {
        text = arena_printf(arena,
                            "%.*s%ssidecars do not see what is sent to %.*s, because the "
                            "Service has no ClusterIP",
                            STR_FMT(text), text.len > 0 ? "; " : "", STR_FMT(sidecar));
    }
    return text;
}
