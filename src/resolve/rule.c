/* SPDX-License-Identifier: Apache-2.0 */
/* rule: one view of the rules of all route kinds, and what of them is served. */
#include "resolve/rule.h"

#include "ir/gateway.h"
#include "model/format.h"

#include "resolve/filters.h"

static const bool filter_served[] = {
    [FILTER_REQUEST_HEADERS] = true, [FILTER_RESPONSE_HEADERS] = true, [FILTER_MIRROR] = true,
    [FILTER_REDIRECT] = true,        [FILTER_REWRITE] = true,          [FILTER_CORS] = true,
    [FILTER_EXTENSION] = false,
};

/* --- the kinds ----------------------------------------------------------------------------- */

static size_t http_count(const struct route *route)
{
    return ((const struct http_route *)route)->rules.len;
}

static struct rule_view http_rule(const struct route *route, size_t index)
{
    const struct http_rule *rule = &((const struct http_route *)route)->rules.items[index];
    return (struct rule_view){
        .filters = rule->filters.items,
        .filters_len = rule->filters.len,
        .backends = rule->backends.items,
        .backends_len = rule->backends.len,
        .session = rule->session,
        .timeouts = rule->timeouts,
        .retry = rule->retry,
        .fault = rule->fault,
        .line = rule->line,
    };
}

static size_t grpc_count(const struct route *route)
{
    return ((const struct grpc_route *)route)->rules.len;
}

static struct rule_view grpc_rule(const struct route *route, size_t index)
{
    const struct grpc_rule *rule = &((const struct grpc_route *)route)->rules.items[index];
    return (struct rule_view){
        .filters = rule->filters.items,
        .filters_len = rule->filters.len,
        .backends = rule->backends.items,
        .backends_len = rule->backends.len,
        .session = rule->session,
        .fault = rule->fault,
        .line = rule->line,
    };
}

static size_t l4_count(const struct route *route)
{
    return ((const struct l4_route *)route)->rules.len;
}

static struct rule_view l4_rule(const struct route *route, size_t index)
{
    const struct l4_rule *rule = &((const struct l4_route *)route)->rules.items[index];
    return (struct rule_view){
        .backends = rule->backends.items,
        .backends_len = rule->backends.len,
        .fault = rule->fault,
        .line = rule->line,
    };
}

static const struct {
    size_t (*count)(const struct route *route);
    struct rule_view (*rule)(const struct route *route, size_t index);
} kinds[KIND_COUNT] = {
    [KIND_HTTPROUTE] = {http_count, http_rule}, [KIND_GRPCROUTE] = {grpc_count, grpc_rule},
    [KIND_TLSROUTE] = {l4_count, l4_rule},      [KIND_TCPROUTE] = {l4_count, l4_rule},
    [KIND_UDPROUTE] = {l4_count, l4_rule},
};

size_t route_rule_count(const struct route *route)
{
    return kinds[route->object.kind].count(route);
}

struct rule_view route_rule(const struct route *route, size_t index)
{
    return kinds[route->object.kind].rule(route, index);
}

uint32_t route_rule_line(const struct route *route, size_t index)
{
    return route_rule(route, index).line;
}

size_t route_match_count(const struct route *route, size_t rule)
{
    size_t len = route->object.kind == KIND_GRPCROUTE
                     ? ((const struct grpc_route *)route)->rules.items[rule].matches.len
                     : ((const struct http_route *)route)->rules.items[rule].matches.len;
    return len > 0 ? len : 1; /* every request */
}

struct header_match_view route_match_headers(const struct route *route, size_t rule, size_t match)
{
    struct header_match_view view = {.len = 0};
    if (route->object.kind == KIND_GRPCROUTE) {
        const struct grpc_rule *of = &((const struct grpc_route *)route)->rules.items[rule];
        if (match < of->matches.len) {
            view.items = of->matches.items[match].headers.items;
            view.len = of->matches.items[match].headers.len;
        }
    } else {
        const struct http_rule *of = &((const struct http_route *)route)->rules.items[rule];
        if (match < of->matches.len) {
            view.items = of->matches.items[match].headers.items;
            view.len = of->matches.items[match].headers.len;
        }
    }
    return view;
}

/* --- what is served ------------------------------------------------------------------------ */

static bool served(int type)
{
    return (size_t)type < sizeof(filter_served) / sizeof(filter_served[0]) && filter_served[type];
}

static bool touches(const struct header_filter *filter, struct str name)
{
    bool found = false;
    for (size_t i = 0; filter != NULL && i < filter->set.len; i++) {
        found = found || str_eq_nocase(filter->set.items[i].name, name);
    }
    for (size_t i = 0; filter != NULL && i < filter->add.len; i++) {
        found = found || str_eq_nocase(filter->add.items[i].name, name);
    }
    for (size_t i = 0; filter != NULL && i < filter->remove.len; i++) {
        found = found || str_eq_nocase(filter->remove.items[i], name);
    }
    return found;
}

/* The CRDs let any text stand in `remove`; Envoy refuses what is no header's name. */
static bool removes_no_name(const struct header_filter *filter)
{
    for (size_t i = 0; filter != NULL && i < filter->remove.len; i++) {
        if (filter->remove.items[i].len == 0 ||
            !format_header_name.matches(filter->remove.items[i])) {
            return true;
        }
    }
    return false;
}

/* Why a filter is not served, or empty. */
static struct str filter_unserved(const struct filter *filter, struct arena *arena)
{
    if (!served(filter->type)) {
        return arena_printf(arena, "filter type '%s' is not served yet",
                            route_filter_names[filter->type]);
    }
    /* Envoy refuses a whole RouteConfiguration that touches Host this way. */
    if (touches(filter->request_headers, STR("host")) ||
        touches(filter->response_headers, STR("host"))) {
        return STR("the Host header cannot be changed by a header modifier; URLRewrite does that");
    }
    if (touches(filter->request_headers, STR(PASSED_HEADER))) {
        return STR("the header '" PASSED_HEADER "' ends requests that go round: it stays");
    }
    if (removes_no_name(filter->request_headers) || removes_no_name(filter->response_headers)) {
        return STR("'remove' lists a text that is no header's name");
    }
    if (filter->redirect != NULL) {
        return path_modifier_unserved(filter->redirect->path);
    }
    return filter->rewrite != NULL ? path_modifier_unserved(filter->rewrite->path) : STR_NULL;
}

/* Envoy redirects and mirrors for no single backend of several; a preflight belongs to none. */
static struct str backend_filter_unserved(const struct filter *filter, struct arena *arena)
{
    if (filter->type == FILTER_MIRROR || filter->type == FILTER_REDIRECT ||
        filter->type == FILTER_CORS) {
        return arena_printf(arena, "filter type '%s' is served on rules only, not on backendRefs",
                            route_filter_names[filter->type]);
    }
    return filter_unserved(filter, arena);
}

static struct str unserved_filters(const struct rule_view *rule, size_t index, struct arena *arena)
{
    for (size_t i = 0; i < rule->filters_len; i++) {
        struct str why = filter_unserved(&rule->filters[i], arena);
        if (why.len > 0) {
            return arena_printf(arena, "rules[%zu].filters[%zu]: %.*s", index, i, STR_FMT(why));
        }
    }
    for (size_t i = 0; i < rule->backends_len; i++) {
        for (size_t j = 0; j < rule->backends[i].filters.len; j++) {
            struct str why = backend_filter_unserved(&rule->backends[i].filters.items[j], arena);
            if (why.len > 0) {
                return arena_printf(arena, "rules[%zu].backendRefs[%zu].filters[%zu]: %.*s", index,
                                    i, j, STR_FMT(why));
            }
        }
    }
    return STR_NULL;
}

/* A preflight is answered before a redirect is looked at by no data plane, and the redirect's own
 * answer would lack the headers: browsers would refuse both. */
static struct str unserved_pair(const struct rule_view *rule, size_t index, struct arena *arena)
{
    bool cors = false;
    bool redirect = false;
    for (size_t i = 0; i < rule->filters_len; i++) {
        cors = cors || rule->filters[i].type == FILTER_CORS;
        redirect = redirect || rule->filters[i].type == FILTER_REDIRECT;
    }
    return cors && redirect
               ? arena_printf(arena,
                              "rules[%zu].filters: a CORS filter beside a RequestRedirect "
                              "is not served",
                              index)
               : STR_NULL;
}

struct str rule_unserved(const struct route *route, size_t index, struct arena *arena)
{
    struct rule_view rule = route_rule(route, index);
    if (rule.fault.len > 0) {
        return rule.fault;
    }
    struct str text = unserved_filters(&rule, index, arena);
    return text.len > 0 ? text : unserved_pair(&rule, index, arena);
}

bool route_is_unserved(const struct route *route, struct arena *scratch)
{
    size_t len = route_rule_count(route);
    size_t i = 0;
    while (i < len && rule_unserved(route, i, scratch).len > 0) {
        i++;
    }
    return len > 0 && i == len;
}
