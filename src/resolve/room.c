/* SPDX-License-Identifier: Apache-2.0 */
/* room: see room.h. What is counted here no dialect of xds/ may pass: tests/unit/test_room.c. */
#include "resolve/room.h"

#include "model/weight.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/policy.h"
#include "resolve/rule.h"

/* A change that does not reach the next unit wakes nobody who shares the port. */
#define UNIT 256

#define OF_ROUTE 24      /* frames of a route and its match, with the number of the rule */
#define OF_ERROR 48      /* a direct response and its share */
#define OF_PREFLIGHT 128 /* what tells a preflight from others */
#define OF_REDIRECT 192  /* two, with and without a port */
#define OF_FORWARD 24
#define OF_BACKEND 24
#define OF_TIMEOUTS 48
#define OF_RETRY 160
#define OF_CORS 192
#define OF_ORIGIN 64
#define OF_SESSION 448
#define OF_REASON 32 /* "heddle: " and what stands between its parts */

static size_t longest_port(const struct attachment *attachment)
{
    size_t len = 0;
    for (size_t i = 0; i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        for (size_t j = 0; j < parent->ports.len; j++) {
            len = parent->ports.items[j].len > len ? parent->ports.items[j].len : len;
        }
    }
    return len;
}

/* The name of a cluster that gRPC clients have for a reason. */
static size_t of_reason(const struct attachment *attachment, struct str why)
{
    return OF_REASON + longest_port(attachment) + attachment->key.len + why.len;
}

static size_t of_backend(const struct attachment *attachment,
                         const struct attached_backend *backend)
{
    struct str why;
    bool served = attached_backend_state(backend, false, &why) == C_resolved;
    return OF_BACKEND + (served ? backend->cluster.len : of_reason(attachment, why));
}

static size_t of_session(const struct session_persistence *session)
{
    return session != NULL ? OF_SESSION + weight_of_session(session) : 0;
}

/* The sessions that a policy gives to the requests of a Service port. */
static size_t of_policy(struct eval *ev, struct str port_key)
{
    struct str service = port_key.len > 0 ? port_key_parse(port_key).object : STR_NULL;
    const struct backend_policy *policy = service.len > 0 ? policy_of(ev, service) : NULL;
    return policy != NULL ? of_session(policy->session) : 0;
}

/* A rule without backendRefs sends to the Service that it is attached to, whichever it is. */
static size_t of_parents(struct eval *ev, const struct attachment *attachment)
{
    size_t most = 0;
    for (size_t i = 0; i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        size_t bytes = parent->ports.len > 0 ? of_policy(ev, parent->ports.items[0]) : 0;
        most = bytes > most ? bytes : most;
    }
    return OF_BACKEND + longest_port(attachment) + most;
}

static size_t of_backends(struct eval *ev, const struct attachment *attachment, size_t rule,
                          bool *ret_broken)
{
    size_t bytes = 0;
    for (size_t i = 0; i < attachment->backends.len; i++) {
        const struct attached_backend *backend = &attachment->backends.items[i];
        if ((size_t)backend->rule == rule) {
            bytes += of_backend(attachment, backend) + of_policy(ev, backend->cluster);
            *ret_broken =
                *ret_broken || backend->condition != C_resolved || backend->encrypted.len > 0;
        }
    }
    for (size_t i = 0; i < attachment->mirrors.len; i++) {
        const struct attached_backend *mirror = &attachment->mirrors.items[i];
        bytes += (size_t)mirror->rule == rule ? of_backend(attachment, mirror) : 0;
    }
    return bytes;
}

struct shape { /* what of a rule decides how many routes become of each match */
    bool redirect;
    const struct cors_filter *cors;
    bool path; /* is changed: what stands for the matched prefix may be an expression of it */
    bool backend_filters;
    bool broken; /* some share, or all, is answered with an error */
};

static struct shape shape_of(const struct rule_view *rule)
{
    struct shape shape = {.cors = NULL};
    for (size_t i = 0; i < rule->filters_len; i++) {
        const struct filter *filter = &rule->filters[i];
        shape.redirect = shape.redirect || filter->redirect != NULL;
        shape.path = shape.path || filter->redirect != NULL || filter->rewrite != NULL;
        shape.cors = filter->cors != NULL ? filter->cors : shape.cors;
    }
    for (size_t i = 0; i < rule->backends_len; i++) {
        shape.backend_filters = shape.backend_filters || rule->backends[i].filters.len > 0;
    }
    return shape;
}

/* What each forwarding route of the rule holds besides its match. */
static size_t of_action(const struct rule_view *rule, const struct shape *shape)
{
    /* Where backends have filters, those of the rule are joined to each. */
    size_t times = shape->backend_filters ? rule->backends_len : 1;
    size_t bytes = OF_FORWARD + times * weight_of_filters(rule->filters, rule->filters_len);
    for (size_t i = 0; i < rule->backends_len; i++) {
        const struct backend_ref *ref = &rule->backends[i];
        bytes += weight_of_filters(ref->filters.items, ref->filters.len);
    }
    bytes += rule->timeouts != NULL ? OF_TIMEOUTS : 0;
    bytes += rule->retry != NULL ? OF_RETRY + 4 * rule->retry->codes.len : 0;
    bytes += shape->redirect ? OF_REDIRECT : 0;
    bytes += shape->cors != NULL
                 ? OF_CORS + OF_PREFLIGHT + OF_ORIGIN * shape->cors->allow_origins.len
                 : 0;
    return bytes + of_session(rule->session);
}

/* why: all its requests are answered with an error. */
static size_t of_rule(struct eval *ev, const struct route *route,
                      const struct attachment *attachment, size_t index, size_t matches,
                      struct str why)
{
    struct rule_view rule = route_rule(route, index);
    struct shape shape = shape_of(&rule);
    shape.broken = why.len > 0;
    size_t backends = of_backends(ev, attachment, index, &shape.broken);
    backends += rule.backends_len == 0 ? of_parents(ev, attachment) : 0;
    size_t errors = shape.broken ? 2 : 0;
    size_t forwards = shape.redirect || shape.cors != NULL ? 2 : 1;
    size_t action = forwards * (of_action(&rule, &shape) + backends);
    if (why.len > 0) { /* to gRPC clients a cluster of that name */
        forwards = 1;
        action = of_reason(attachment, why);
    }
    size_t heads = (forwards + errors) * (OF_ROUTE + attachment->key.len);
    return matches * (heads + action + errors * OF_ERROR) +
           (forwards * (shape.path ? 2 : 1) + errors) * weight_of_matches(route, index);
}

/* Why all requests of the rule are answered with an error; empty: they are not. */
static struct str failure(struct arena *scratch, const struct route *route, size_t index)
{
    struct rule_view rule = route_rule(route, index);
    struct str why = rule_unserved(route, index, scratch);
    for (size_t i = 0; why.len == 0 && i < rule.backends_len; i++) {
        if (rule.backends[i].weight > 0) {
            return STR_NULL;
        }
    }
    return why.len == 0 && rule.backends_len > 0 ? STR(RULE_WEIGHTLESS) : why;
}

void room_measure(struct eval *ev, const struct route *route, struct attachment *attachment)
{
    size_t bytes = 0;
    size_t all = 0;
    if (govern_of_connections(route->object.kind)) {
        return;
    }
    for (size_t i = 0; i < route_rule_count(route); i++) {
        size_t matches = route_match_count(route, i);
        struct str why = failure(eval_scratch(ev), route, i);
        bytes += of_rule(ev, route, attachment, i, matches, why);
        all += matches;
    }
    attachment->matches = (int32_t)all;
    attachment->bytes = (int64_t)((bytes + UNIT - 1) / UNIT * UNIT);
}

void room_init(struct room *room, int32_t service_ports)
{
    *room = (struct room){.matches_max = SERVICE_MATCHES_MAX / service_ports};
}

bool room_take(struct room *room, const struct attachment *attachment)
{
    if (room->matches + attachment->matches > room->matches_max ||
        room->bytes + attachment->bytes > ROUTING_BYTES_MAX) {
        return false;
    }
    room->matches += attachment->matches;
    room->bytes += attachment->bytes;
    return true;
}

struct str room_message(struct arena *arena, const struct room *room,
                        const struct attachment *attachment, struct str port_key)
{
    if (room->matches + attachment->matches > room->matches_max) {
        return arena_printf(
            arena,
            "'%.*s' has room for %lld matches (%d for all ports of the Service "
            "together), of which older routes have %lld; this one has %d: use fewer "
            "matches, or fewer ports in the Service",
            STR_FMT(port_key), (long long)room->matches_max, SERVICE_MATCHES_MAX,
            (long long)room->matches, (int)attachment->matches);
    }
    return arena_printf(arena,
                        "'%.*s' has room for %d bytes of routes, of which older routes may take "
                        "%lld; this one may take %lld: use fewer matches, shorter texts, or fewer "
                        "filters beside many matches",
                        STR_FMT(port_key), ROUTING_BYTES_MAX, (long long)room->bytes,
                        (long long)attachment->bytes);
}
