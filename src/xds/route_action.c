/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_action: what becomes of a request that matched.
 *
 * An error share in Envoy. A weighted cluster can only fail with 503, and the spec wants 500 for
 * the share of an invalid backendRef, and UNAVAILABLE for gRPC, as which Envoy tells a 503. So a
 * rule with such a share becomes several routes:
 *
 *   match + runtime_fraction (the error share), gRPC  ─► direct_response 503
 *   match + runtime_fraction (the error share)        ─► direct_response 500
 *   match                                             ─► the valid backends by their weights
 *
 * Backends with paths of their own have routes of their own, too (xds/route_parts.h).
 *
 * Envoy decides all of them with one random number r: the fraction by r mod 1,000,000, the backend
 * by r mod (sum of weights). If the sum had a factor in common with 1,000,000, the choice of
 * backend would depend on the first decision; so weights are scaled up to a sum that is large and
 * prime to 10 (spread_weights()).
 *
 * A redirect in Envoy. Location is to have no port where the port is its scheme's own, but Envoy
 * keeps the one of the request's Host, unless it is given another to put there. So such a rule
 * becomes two routes: one for Hosts without a port, to which nothing is added, and one for the
 * others, which writes the scheme's own port in place of theirs.
 *
 * An error share in gRPC is a weighted cluster without endpoints whose name is the reason.
 */
#include "xds/route_action.h"

#include "xds/build.h"
#include "xds/cors.h"
#include "xds/header_ops.h"
#include "xds/reason.h"
#include "xds/route_features.h"
#include "xds/route_match.h"
#include "xds/route_parts.h"
#include "xds/session.h"

#define HTTP_INTERNAL_ERROR 500
#define HTTP_UNAVAILABLE 503
#define WEIGHT_SUM_AIM 4000000000LL /* below uint32's maximum, which Envoy demands of the sum */

/* --- headers ------------------------------------------------------------------------------- */

/* Envoy expands %COMMANDS% in header values; a literal '%' is written twice. */
static char *header_text(struct arena *arena, struct str value)
{
    char *out = arena_alloc(arena, value.len * 2 + 1);
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '%') {
            out[len++] = '%';
        }
        out[len++] = value.ptr[i];
    }
    return out;
}

static pb_header_option *header_option(struct arena *arena, const struct ir_header *header,
                                       bool overwrite)
{
    pb_header_option *option = NEW(arena, pb_header_option);
    option->header = NEW(arena, pb_header_value);
    option->header->key = xds_text(arena, header->name);
    option->header->value = header_text(arena, header->value);
    option->append_action = overwrite ? PB_HEADER_OVERWRITE_OR_ADD : PB_HEADER_APPEND_OR_ADD;
    option->keep_empty_value = true;
    return option;
}

static size_t headers_to_add(struct arena *arena, const struct ir_header_ops *ops,
                             pb_header_option ***ret_options)
{
    size_t len = 0;
    pb_header_option **options =
        ARENA_ARRAY(arena, ops->set.len + ops->add.len, pb_header_option *);
    for (size_t i = 0; i < ops->set.len; i++) {
        options[len++] = header_option(arena, &ops->set.items[i], true);
    }
    for (size_t i = 0; i < ops->add.len; i++) {
        options[len++] = header_option(arena, &ops->add.items[i], false);
    }
    *ret_options = options;
    return len;
}

static size_t headers_to_remove(struct arena *arena, const struct ir_header_ops *ops,
                                char ***ret_names)
{
    char **names = ARENA_ARRAY(arena, ops->remove.len, char *);
    for (size_t i = 0; i < ops->remove.len; i++) {
        names[i] = xds_text(arena, ops->remove.items[i]);
    }
    *ret_names = names;
    return ops->remove.len;
}

/* Routes and cluster weights have the same four members but no common type. */
#define SET_HEADERS(arena, message, request, response)                                             \
    do {                                                                                           \
        if ((request) != NULL) {                                                                   \
            (message)->n_request_headers_to_add =                                                  \
                headers_to_add((arena), (request), &(message)->request_headers_to_add);            \
            (message)->n_request_headers_to_remove =                                               \
                headers_to_remove((arena), (request), &(message)->request_headers_to_remove);      \
        }                                                                                          \
        if ((response) != NULL) {                                                                  \
            (message)->n_response_headers_to_add =                                                 \
                headers_to_add((arena), (response), &(message)->response_headers_to_add);          \
            (message)->n_response_headers_to_remove =                                              \
                headers_to_remove((arena), (response), &(message)->response_headers_to_remove);    \
        }                                                                                          \
    } while (0)

/* --- shares -------------------------------------------------------------------------------- */

struct shares {
    int64_t valid;  /* sum of the weights of backends that resolve */
    int64_t broken; /* sum of the others */
    size_t nvalid;
    bool filters;                    /* some backend has filters of its own */
    const struct ir_backend *single; /* the one that resolves, where no other does */
};

static struct shares count_shares(const struct ir_route *ir)
{
    struct shares shares = {.valid = 0};
    for (size_t i = 0; i < ir->backends.len; i++) {
        const struct ir_backend *backend = &ir->backends.items[i];
        if (backend->cluster.len == 0) {
            shares.broken += backend->weight;
            continue;
        }
        shares.valid += backend->weight;
        shares.nvalid++;
        shares.single = shares.nvalid == 1 ? backend : NULL;
        shares.filters = shares.filters || backend->request_headers != NULL ||
                         backend->response_headers != NULL || backend->hostname.len > 0;
    }
    return shares;
}

/* Where backends have filters, those of the rule move here (xds/header_ops.h). */
static pb_cluster_weight *cluster_weight(struct arena *arena, const struct ir_route *ir,
                                         const struct shares *shares,
                                         const struct ir_backend *backend)
{
    pb_cluster_weight *item = NEW(arena, pb_cluster_weight);
    item->name = xds_text(arena, backend->cluster);
    item->weight = xds_u32(arena, (uint32_t)backend->weight);
    if (backend->session != NULL) {
        xds_session_of_backend(arena, backend->session, item);
    }
    if (shares->filters) {
        const struct ir_header_ops *request =
            xds_header_ops_join(arena, ir->request_headers, backend->request_headers);
        const struct ir_header_ops *response =
            xds_header_ops_join(arena, ir->response_headers, backend->response_headers);
        SET_HEADERS(arena, item, request, response);
        struct str hostname = xds_hostname_of(ir, backend);
        if (hostname.len > 0) {
            item->host_rewrite_specifier_case =
                ENVOY__CONFIG__ROUTE__V3__WEIGHTED_CLUSTER__CLUSTER_WEIGHT__HOST_REWRITE_SPECIFIER_HOST_REWRITE_LITERAL;
            item->host_rewrite_literal = xds_text(arena, hostname);
        }
    }
    return item;
}

/* Scales weights so that their sum is near WEIGHT_SUM_AIM and prime to 10; the error is below
 * 10 parts in 4e9. */
static void spread_weights(pb_weighted_clusters *weighted, int64_t sum)
{
    int64_t factor = WEIGHT_SUM_AIM / sum;
    int64_t total = 0;
    for (size_t i = 0; i < weighted->n_clusters; i++) {
        int64_t weight = (int64_t)weighted->clusters[i]->weight->value * factor;
        weighted->clusters[i]->weight->value = (uint32_t)weight;
        total += weight;
    }
    while (total % 2 == 0 || total % 5 == 0) {
        weighted->clusters[0]->weight->value++;
        total++;
    }
}

static void set_weighted(pb_route_action *action, pb_weighted_clusters *weighted)
{
    action->cluster_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS;
    action->weighted_clusters = weighted;
}

static void set_cluster(struct arena *arena, pb_route_action *action, struct str cluster)
{
    action->cluster_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER;
    action->cluster = xds_text(arena, cluster);
}

static pb_route *new_route(struct arena *arena, const struct ir_route *ir, pb_route_match *match)
{
    pb_route *route = NEW(arena, pb_route);
    route->name = xds_text(arena, ir->rule);
    route->match = match;
    return route;
}

/* --- Envoy --------------------------------------------------------------------------------- */

/* A route behind those that take what is before the slice. */
static void limit_to_slice(struct arena *arena, struct route_slice slice, pb_route_match *match)
{
    if (slice.to >= FRACTION_MILLION) {
        return;
    }
    pb_fraction *fraction = NEW(arena, pb_fraction);
    fraction->numerator = slice.to;
    fraction->denominator = ENVOY__TYPE__V3__FRACTIONAL_PERCENT__DENOMINATOR_TYPE__MILLION;
    match->runtime_fraction = NEW(arena, pb_runtime_fraction);
    match->runtime_fraction->default_value = fraction;
}

static void add_error(struct arena *arena, const struct ir_route *ir, struct route_slice slice,
                      pb_route_match *match, uint32_t status, struct route_list *list)
{
    pb_route *route = new_route(arena, ir, match);
    route->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_DIRECT_RESPONSE;
    route->direct_response = NEW(arena, pb_direct_response);
    route->direct_response->status = status;
    limit_to_slice(arena, slice, match);
    vec_push(&list->routes, route);
}

static void error_routes(struct arena *arena, const struct ir_route *ir, struct route_slice slice,
                         struct route_list *list)
{
    if (ir->error_status == HTTP_INTERNAL_ERROR) {
        pb_route_match *match = xds_envoy_match(arena, &ir->match);
        match->grpc = NEW(arena, pb_grpc_request);
        add_error(arena, ir, slice, match, HTTP_UNAVAILABLE, list);
    }
    add_error(arena, ir, slice, xds_envoy_match(arena, &ir->match), (uint32_t)ir->error_status,
              list);
}

static pb_route_action *envoy_forward(struct arena *arena, const struct ir_route *ir,
                                      const struct shares *shares, struct route_slice slice)
{
    pb_route_action *action = NEW(arena, pb_route_action);
    xds_envoy_features(arena, ir, slice, action);
    if (!shares->filters && ir->rewrite != NULL && ir->rewrite->hostname.len > 0) {
        action->host_rewrite_specifier_case =
            ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__HOST_REWRITE_SPECIFIER_HOST_REWRITE_LITERAL;
        action->host_rewrite_literal = xds_text(arena, ir->rewrite->hostname);
    }
    if (shares->single != NULL && !shares->filters) {
        set_cluster(arena, action, shares->single->cluster);
        return action;
    }
    pb_weighted_clusters *weighted = NEW(arena, pb_weighted_clusters);
    weighted->clusters = ARENA_ARRAY(arena, shares->nvalid, pb_cluster_weight *);
    for (size_t i = 0; i < ir->backends.len; i++) {
        const struct ir_backend *backend = &ir->backends.items[i];
        if (backend->cluster.len > 0) {
            weighted->clusters[weighted->n_clusters++] = cluster_weight(arena, ir, shares, backend);
        }
    }
    if (slice.from > 0) {
        spread_weights(weighted, shares->valid);
    }
    set_weighted(action, weighted);
    return action;
}

static pb_route *add_forward(struct arena *arena, const struct ir_route *ir,
                             const struct shares *shares, struct route_slice slice,
                             struct route_list *list)
{
    pb_route *route = new_route(arena, ir, xds_envoy_match(arena, &ir->match));
    route->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_ROUTE;
    route->route = envoy_forward(arena, ir, shares, slice);
    limit_to_slice(arena, slice, route->match);
    if (!shares->filters) {
        SET_HEADERS(arena, route, ir->request_headers, ir->response_headers);
    }
    if (ir->session != NULL) {
        xds_session(arena, ir->session, route);
    } else if (shares->single != NULL && !shares->filters && shares->single->session != NULL) {
        xds_session(arena, shares->single->session, route);
    }
    vec_push(&list->routes, route);
    return route;
}

static pb_route *add_redirect(struct arena *arena, const struct ir_route *ir, int32_t port,
                              struct route_list *list)
{
    pb_route *route = new_route(arena, ir, xds_envoy_match(arena, &ir->match));
    route->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_REDIRECT;
    route->redirect = xds_redirect(arena, ir, port);
    SET_HEADERS(arena, route, ir->request_headers, ir->response_headers);
    vec_push(&list->routes, route);
    return route;
}

static void redirect_routes(struct arena *arena, const struct ir_route *ir, struct route_list *list)
{
    const struct ir_redirect *redirect = ir->redirect;
    if (redirect->port != 0 || redirect->hostname.len > 0) {
        add_redirect(arena, ir, redirect->port, list);
        return;
    }
    xds_match_host_without_port(arena, add_redirect(arena, ir, 0, list)->match);
    add_redirect(arena, ir, str_eq(redirect->scheme, STR("https")) ? 443 : 80, list);
}

static void forward_routes(struct arena *arena, const struct route_part *part,
                           struct route_list *list)
{
    const struct ir_route *ir = &part->route;
    struct shares shares = count_shares(ir);
    if (ir->cors != NULL && xds_cors_splits(ir->cors)) {
        pb_route *bare = add_forward(arena, ir, &shares, part->slice, list);
        xds_match_bare_preflight(arena, bare->match);
        xds_cors(arena, ir->cors, true, bare);
    }
    pb_route *route = add_forward(arena, ir, &shares, part->slice, list);
    if (ir->cors != NULL) {
        xds_cors(arena, ir->cors, false, route);
    }
}

void xds_envoy_route(struct arena *arena, const struct ir_route *ir, struct route_list *list)
{
    if (ir->action == IR_REDIRECT) {
        redirect_routes(arena, ir, list);
        return;
    }
    struct shares shares = count_shares(ir);
    if (ir->action != IR_FORWARD || shares.nvalid == 0) {
        error_routes(arena, ir, (struct route_slice){0, FRACTION_MILLION}, list);
        return;
    }
    struct route_part *parts;
    size_t len = xds_route_parts(arena, ir, &parts);
    if (shares.broken > 0) {
        error_routes(arena, ir, (struct route_slice){0, parts[0].slice.from}, list);
    }
    for (size_t i = 0; i < len; i++) {
        forward_routes(arena, &parts[i], list);
    }
}

/* --- gRPC ---------------------------------------------------------------------------------- */

/* The name of a cluster without endpoints. It begins with the routing and the rule, so that two
 * routes never give two resources one name. */
static struct str reason_cluster(struct arena *arena, const struct ir_route *ir, struct str routing,
                                 struct str why, struct route_list *list)
{
    struct str name =
        list->reasons.len < REASONS_MAX - 1
            ? arena_printf(arena, "heddle: %.*s: %.*s: %.*s", STR_FMT(routing), STR_FMT(ir->rule),
                           STR_FMT(why))
            : arena_printf(arena, "heddle: %.*s: one of many rules that are not served",
                           STR_FMT(routing));
    for (size_t i = 0; i < list->reasons.len; i++) {
        if (str_eq(list->reasons.items[i], name)) {
            return name;
        }
    }
    vec_push(&list->reasons, name);
    return name;
}

/* A backend that stands twice gets the sum: there are clients that know weights by the cluster's
 * name, and would take the last one only. */
static void add_weight(struct arena *arena, pb_weighted_clusters *weighted, struct str cluster,
                       uint32_t weight)
{
    for (size_t i = 0; i < weighted->n_clusters; i++) {
        if (str_eq(str_from(weighted->clusters[i]->name), cluster)) {
            weighted->clusters[i]->weight->value += weight;
            return;
        }
    }
    pb_cluster_weight *item = NEW(arena, pb_cluster_weight);
    item->name = xds_text(arena, cluster);
    item->weight = xds_u32(arena, weight);
    weighted->clusters[weighted->n_clusters++] = item;
}

void xds_grpc_route(struct arena *arena, const struct ir_route *ir, struct str routing,
                    struct route_list *list)
{
    pb_route_match *match = xds_grpc_match(arena, &ir->match);
    if (match == NULL) {
        return;
    }
    pb_route *route = new_route(arena, ir, match);
    route->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_ROUTE;
    route->route = NEW(arena, pb_route_action);
    vec_push(&list->routes, route);
    if (ir->action != IR_FORWARD) {
        set_cluster(arena, route->route, reason_cluster(arena, ir, routing, ir->reason, list));
        return;
    }
    xds_grpc_features(arena, ir, route->route);
    if (ir->session != NULL && ir->session->carrier == IR_COOKIE && ir->backends.len == 1) {
        xds_grpc_session(arena, ir->session, route); /* resolve/enforce.c tells of others */
    }
    pb_weighted_clusters *weighted = NEW(arena, pb_weighted_clusters);
    weighted->clusters = ARENA_ARRAY(arena, ir->backends.len, pb_cluster_weight *);
    for (size_t i = 0; i < ir->backends.len; i++) {
        const struct ir_backend *backend = &ir->backends.items[i];
        struct str cluster = backend->cluster.len > 0
                                 ? backend->cluster
                                 : reason_cluster(arena, ir, routing, backend->reason, list);
        add_weight(arena, weighted, cluster, (uint32_t)backend->weight);
    }
    if (weighted->n_clusters == 1) {
        set_cluster(arena, route->route, str_from(weighted->clusters[0]->name));
    } else {
        set_weighted(route->route, weighted);
    }
}
