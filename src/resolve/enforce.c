/* SPDX-License-Identifier: Apache-2.0 */
/* enforce: see enforce.h. */
#include "resolve/enforce.h"

#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "resolve/connected.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/rule.h"
#include "resolve/session.h"

#define GAPS_MAX 8 /* told in one message; the rest is counted */
#define CORE_TAKES_OFF_MS 2000

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

/* What was found, if those are connected whom it is told of: all of it is said, or counted. Of a
 * Gateway they are its own Envoys. */
static struct str told(struct eval *ev, const struct attached_parent *parent,
                       const struct gaps *gaps, const char *scope)
{
    struct str who = parent->gateway.len > 0 ? arena_printf(gaps->scratch, SCOPE_GATEWAY "%.*s",
                                                            STR_FMT(parent->gateway))
                                             : str_from(scope);
    if (gaps->len == 0 || !is_connected(ev, who)) {
        return STR_NULL;
    }
    return gaps->len <= GAPS_MAX ? gaps->text
                                 : arena_printf(gaps->scratch, "%.*s and %zu more",
                                                STR_FMT(gaps->text), gaps->len - GAPS_MAX);
}

/* gRPC clients know none of the filters that are served so far: they ignore them, and fail where
 * a redirect stands. */
static void filters(struct gaps *gaps, const struct rule_view *rule, size_t index)
{
    for (size_t i = 0; i < rule->filters_len; i++) {
        add(gaps, arena_printf(gaps->scratch, "rules[%zu].filters[%zu]", index, i));
    }
    for (size_t i = 0; i < rule->backends_len; i++) {
        for (size_t j = 0; j < rule->backends[i].filters.len; j++) {
            add(gaps, arena_printf(gaps->scratch, "rules[%zu].backendRefs[%zu].filters[%zu]", index,
                                   i, j));
        }
    }
}

/* What is UNAVAILABLE to a gRPC client, and so retried. */
static bool is_unavailable(int32_t code)
{
    return code == 429 || code == 502 || code == 503 || code == 504;
}

/* gRFC A44: no limit of each attempt, at most five attempts, no HTTP codes. */
static void retries(struct gaps *gaps, const struct rule_view *rule, size_t index)
{
    if (rule->retry == NULL || rule->retry->attempts == 0) {
        return;
    }
    for (size_t i = 0; i < rule->retry->codes.len; i++) {
        if (!is_unavailable(rule->retry->codes.items[i])) {
            add(gaps, arena_printf(gaps->scratch, "rules[%zu].retry.codes[%zu]", index, i));
        }
    }
    if (rule->retry->attempts > GRPC_RETRIES_MAX) {
        add(gaps, arena_printf(gaps->scratch, "rules[%zu].retry.attempts above %d", index,
                               GRPC_RETRIES_MAX));
    }
    if (rule->timeouts != NULL && rule->timeouts->backend_ms > 0) {
        add(gaps, arena_printf(gaps->scratch, "rules[%zu].timeouts.backendRequest", index));
    }
}

/* How many backendRefs take part. */
static size_t weighted(const struct rule_view *rule)
{
    size_t len = 0;
    for (size_t i = 0; i < rule->backends_len; i++) {
        len += rule->backends[i].weight > 0 ? 1 : 0;
    }
    return len;
}

/* C-core alone keeps sessions (gRFC A55): in cookies, and of several backends it keeps the backend,
 * too (gRFC A60), which would override their weights; so then it is not told of the session. */
static void sessions(struct eval *ev, struct gaps *gaps, const struct rule_view *rule, size_t index)
{
    if (rule->session == NULL) {
        return;
    }
    bool kept = rule->session->type == SESSION_COOKIE && weighted(rule) <= 1;
    if (!kept || is_connected(ev, STR(SCOPE_GRPC_STATELESS))) {
        add(gaps, arena_printf(gaps->scratch, "rules[%zu].sessionPersistence", index));
    } else if (session_outlives(rule->session)) {
        add(gaps,
            arena_printf(gaps->scratch, "rules[%zu].sessionPersistence.absoluteTimeout", index));
    }
}

static struct str proxyless_gaps(struct eval *ev, const struct route *route,
                                 const struct attached_parent *parent)
{
    (void)parent;
    struct gaps gaps = {.scratch = eval_scratch(ev)};
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct rule_view rule = route_rule(route, i);
        if (rule_unserved(route, i, gaps.scratch).len == 0) {
            filters(&gaps, &rule, i);
            retries(&gaps, &rule, i);
            sessions(ev, &gaps, &rule, i);
        }
    }
    return told(ev, parent, &gaps, SCOPE_GRPC);
}

/* To gRPC's matches binary metadata is not there (docs/xds.md). */
static void binary_headers(struct gaps *gaps, struct header_match_view headers, size_t rule,
                           size_t match)
{
    for (size_t i = 0; i < headers.len; i++) {
        if (str_ends_with(arena_lower(gaps->scratch, headers.items[i].name), STR("-bin"))) {
            add(gaps, arena_printf(gaps->scratch, "rules[%zu].matches[%zu].headers[%zu]", rule,
                                   match, i));
        }
    }
}

static struct str binary_gaps(struct eval *ev, const struct route *route,
                              const struct attached_parent *parent)
{
    (void)parent;
    struct gaps gaps = {.scratch = eval_scratch(ev)};
    bool requests = !govern_of_connections(route->object.kind);
    for (size_t i = 0; requests && i < route_rule_count(route); i++) {
        bool readable = route_rule(route, i).fault.len == 0;
        for (size_t j = 0; readable && j < route_match_count(route, i); j++) {
            binary_headers(&gaps, route_match_headers(route, i, j), i, j);
        }
    }
    return told(ev, parent, &gaps, SCOPE_GRPC);
}

/* Sidecars go by ClusterIP, which a headless Service has not. */
static struct str sidecar_gaps(struct eval *ev, const struct route *route,
                               const struct attached_parent *parent)
{
    (void)route;
    struct gaps gaps = {.scratch = eval_scratch(ev)};
    for (size_t i = 0; i < parent->ports.len; i++) {
        struct str key = port_key_parse(parent->ports.items[i]).port_key;
        const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, key);
        if (port != NULL && port->ips.len == 0) {
            add(&gaps, key);
        }
    }
    return told(ev, parent, &gaps, SCOPE_ENVOY);
}

/* C-core takes one to two seconds off a limit that comes from the control plane (which part of the
 * second, each process keeps; grpc/grpc#34547), so that calls under a short one fail at once. */
static struct str short_timeouts(struct eval *ev, const struct route *route,
                                 const struct attached_parent *parent)
{
    (void)parent;
    struct gaps gaps = {.scratch = eval_scratch(ev)};
    for (size_t i = 0; i < route_rule_count(route); i++) {
        const struct timeouts *timeouts = route_rule(route, i).timeouts;
        if (timeouts == NULL || rule_unserved(route, i, gaps.scratch).len > 0) {
            continue;
        }
        if ((timeouts->request_ms > 0 && timeouts->request_ms <= CORE_TAKES_OFF_MS) ||
            (timeouts->backend_ms > 0 && timeouts->backend_ms <= CORE_TAKES_OFF_MS)) {
            add(&gaps, arena_printf(gaps.scratch, "rules[%zu].timeouts", i));
        }
    }
    return told(ev, parent, &gaps, SCOPE_GRPC_EARLY);
}

/* Envoy waits for a random time of up to the backoff (twice that, and so on), where the API asks
 * for no less than it. */
static struct str backoff_gaps(struct eval *ev, const struct route *route,
                               const struct attached_parent *parent)
{
    (void)parent;
    struct gaps gaps = {.scratch = eval_scratch(ev)};
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct rule_view rule = route_rule(route, i);
        if (rule.retry != NULL && rule.retry->attempts > 0 && rule.retry->has_backoff &&
            rule.retry->backoff_ms > 0 && rule_unserved(route, i, gaps.scratch).len == 0) {
            add(&gaps, arena_printf(gaps.scratch, "rules[%zu].retry.backoff", i));
        }
    }
    return told(ev, parent, &gaps, SCOPE_ENVOY);
}

static struct str session_gaps(struct eval *ev, const struct route *route,
                               const struct attached_parent *parent)
{
    (void)parent;
    struct gaps gaps = {.scratch = eval_scratch(ev)};
    for (size_t i = 0; i < route_rule_count(route); i++) {
        const struct session_persistence *session = route_rule(route, i).session;
        if (session != NULL && session_outlives(session) &&
            rule_unserved(route, i, gaps.scratch).len == 0) {
            add(&gaps,
                arena_printf(gaps.scratch, "rules[%zu].sessionPersistence.absoluteTimeout", i));
        }
    }
    return told(ev, parent, &gaps, SCOPE_ENVOY);
}

/* TCPRoutes and TLSRoutes choose for a connection, gRPC for a call. */
static struct str connection_gaps(struct eval *ev, const struct route *route,
                                  const struct attached_parent *parent)
{
    struct str text = STR_NULL;
    (void)parent;
    if (route->object.kind == KIND_TLSROUTE) {
        text = STR("do not choose by hostnames: their calls go to the Service's own endpoints");
    } else if (route->object.kind == KIND_TCPROUTE) { /* which has one rule */
        struct rule_view rule = route_rule(route, 0);
        if (weighted(&rule) > 1) {
            text = STR("choose among rules[0].backendRefs for each call, not for each connection");
        }
    }
    return text.len > 0 && is_connected(ev, STR(SCOPE_GRPC)) ? text : STR_NULL;
}

static const struct {
    struct str (*find)(struct eval *ev, const struct route *route,
                       const struct attached_parent *parent);
    const char *who, *what, *after;
    bool gateways; /* it is the Envoy of sidecars that has the gap, and so have Gateways */
} classes[] = {
    {proxyless_gaps, "proxyless gRPC clients", "do not apply", "", false},
    {binary_gaps, "proxyless gRPC clients", "never meet",
     ", because they compare no binary metadata", false},
    {connection_gaps, "proxyless gRPC clients", "", "", false},
    {sidecar_gaps, "sidecars", "do not see what is sent to",
     ", because the Service has no ClusterIP", false},
    {short_timeouts, "gRPC clients built on C-core", "take up to two seconds off",
     ", and may fail at once", false},
    {backoff_gaps, "sidecars", "may retry sooner than", "", true},
    {session_gaps, "sidecars", "do not keep", "", true},
};

struct str enforce_gaps(struct eval *ev, struct arena *arena, const struct route *route,
                        const struct attached_parent *parent)
{
    bool gateway = parent->gateway.len > 0;
    struct str text = STR_NULL;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        struct str gaps =
            !gateway || classes[i].gateways ? classes[i].find(ev, route, parent) : STR_NULL;
        if (gaps.len > 0) {
            text = arena_printf(arena, "%.*s%s%s %s%s%.*s%s", STR_FMT(text),
                                text.len > 0 ? "; " : "", gateway ? "gateways" : classes[i].who,
                                classes[i].what, classes[i].what[0] != '\0' ? " " : "",
                                STR_FMT(gaps), classes[i].after);
        }
    }
    return text;
}
