/* SPDX-License-Identifier: Apache-2.0 */
/* listener: what a listener says by itself, and what is said of it in the end. */
#include "resolve/listener.h"

#include "ir/pod.h"
#include "model/route.h"
#include "resolve/status.h"

#define CONDITIONS_MAX 4
#define BIT(kind) (1 << (kind))

/* Which routes a protocol can carry (ListenerSpec.protocol, allowedRoutes.kinds).
 *
 * Of TLS that ends at the Gateway a TCPRoute can have what comes out, which the API did let it
 * until v1.5, and says still ("you could choose to use a TCPRoute with a TLS listener", TLSRoute),
 * though not in its table (GEP-2907). So it is for those listeners that name the kind: a TCPRoute
 * that means all listeners of a Gateway is not to get more of them than the API says. */
static const struct protocol {
    struct str name;
    int protocol; /* enum ir_listener_protocol */
    int32_t kinds;
    int32_t where_named; /* and where TLS ends at the Gateway */
} protocols[] = {
    {STR("HTTP"), IR_LISTENER_HTTP, BIT(KIND_HTTPROUTE) | BIT(KIND_GRPCROUTE), 0},
    {STR("HTTPS"), IR_LISTENER_HTTPS, BIT(KIND_HTTPROUTE) | BIT(KIND_GRPCROUTE), 0},
    {STR("TLS"), IR_LISTENER_TLS, BIT(KIND_TLSROUTE), BIT(KIND_TCPROUTE)},
    {STR("TCP"), IR_LISTENER_TCP, BIT(KIND_TCPROUTE), 0},
    {STR("UDP"), IR_LISTENER_UDP, BIT(KIND_UDPROUTE), 0},
};
#define PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

static const struct protocol *find_protocol(struct str name)
{
    size_t i = 0;
    while (i < PROTOCOLS && !str_eq(protocols[i].name, name)) {
        i++;
    }
    return i < PROTOCOLS ? &protocols[i] : NULL;
}

bool listener_is_out(const struct draft *draft)
{
    return draft->accepted.id != C_listener_accepted;
}

void listener_put_out(struct draft *draft, enum condition_id why, struct str message)
{
    if (!listener_is_out(draft)) {
        draft->accepted = (struct condition){(int)why, message};
    }
}

void listener_unresolved(struct arena *arena, struct draft *draft, enum condition_id why,
                         struct str message)
{
    bool first = draft->resolved.id == C_listener_resolved;
    draft->resolved.id = first ? (int)why : draft->resolved.id;
    draft->resolved.message =
        first
            ? message
            : arena_printf(arena, "%.*s; %.*s", STR_FMT(draft->resolved.message), STR_FMT(message));
}

/* --- each alone ----------------------------------------------------------------------------- */

static void judge_port(const struct judging *judging, struct draft *draft)
{
    int32_t port = draft->listener->port;
    if (!judging->kubernetes) {
        return;
    }
    if (port >= SHIFTED_PORTS) {
        listener_put_out(draft, C_listener_port,
                         arena_printf(eval_scratch(judging->ev),
                                      "ports from %d on stand for those below %d in the Envoy of "
                                      "a Gateway: choose another one",
                                      SHIFTED_PORTS, PRIVILEGED_PORTS));
    } else if (port >= POD_PORTS_FIRST && port <= POD_PORTS_LAST) {
        listener_put_out(draft, C_listener_port,
                         arena_printf(eval_scratch(judging->ev),
                                      "ports %d to %d are those of the Envoy itself and its "
                                      "agent: choose another one",
                                      POD_PORTS_FIRST, POD_PORTS_LAST));
    }
}

static int32_t kind_bit(const struct route_kind *kind)
{
    for (int i = 0; i < KIND_COUNT && str_eq(kind->group, STR(GATEWAY_GROUP)); i++) {
        const struct kind_info *info = kind_info((enum kind_id)i);
        if (info->route && str_eq(kind->kind, str_from(info->kind))) {
            return BIT(i);
        }
    }
    return 0;
}

/* "If kinds are specified in Spec that are not supported, they MUST NOT appear in this list"
 * (ListenerStatus.supportedKinds). */
static void judge_kinds(const struct judging *judging, struct draft *draft,
                        const struct protocol *protocol)
{
    const struct allowed_routes *allowed = draft->spec->allowed;
    struct ir_listener *listener = draft->listener;
    int32_t carried = protocol->kinds | (listener->passthrough ? 0 : protocol->where_named);
    struct faults bad = {.arena = eval_scratch(judging->ev)};
    if (allowed == NULL || allowed->kinds.len == 0) {
        listener->kinds = protocol->kinds;
        return;
    }
    for (size_t i = 0; i < allowed->kinds.len; i++) {
        int32_t bit = kind_bit(&allowed->kinds.items[i]) & carried;
        listener->kinds |= bit;
        if (bit == 0) {
            faults_add(&bad, arena_printf(bad.arena, "'%.*s' of group '%.*s'",
                                          STR_FMT(allowed->kinds.items[i].kind),
                                          STR_FMT(allowed->kinds.items[i].group)));
        }
    }
    if (bad.len > 0) {
        listener_unresolved(bad.arena, draft, C_listener_kinds,
                            arena_printf(bad.arena, "no routes of kind %.*s for protocol '%.*s'",
                                         STR_FMT(faults_text(&bad)),
                                         STR_FMT(draft->spec->protocol)));
    }
}

/* They come before the routes, and may be what lets nobody else in. */
static void judge_filters(const struct judging *judging, struct draft *draft)
{
    if (draft->spec->filters.len > 0) {
        listener_put_out(draft, C_listener_filters,
                         arena_printf(eval_scratch(judging->ev),
                                      "filters.requests[0]: filters of listeners, such as '%.*s', "
                                      "are not served",
                                      STR_FMT(draft->spec->filters.items[0].type)));
    }
}

static void judge_alone(const struct judging *judging, struct draft *draft)
{
    const struct protocol *protocol = find_protocol(draft->spec->protocol);
    draft->listener->protocol = protocol != NULL ? protocol->protocol : IR_LISTENER_UNKNOWN;
    if (protocol == NULL) {
        listener_put_out(draft, C_listener_protocol,
                         arena_printf(eval_scratch(judging->ev),
                                      "protocol '%.*s' is not supported: use HTTP, HTTPS, TLS, TCP "
                                      "or UDP",
                                      STR_FMT(draft->spec->protocol)));
        return;
    }
    judge_port(judging, draft);
    judge_filters(judging, draft);
    judge_kinds(judging, draft, protocol);
}

/* --- drafts --------------------------------------------------------------------------------- */

struct label_selector *listener_copy_selector(struct arena *arena,
                                              const struct label_selector *from)
{
    struct label_selector *selector = ARENA_NEW(arena, struct label_selector);
    selector->labels.items = ARENA_ARRAY(arena, from->labels.len, struct str_pair);
    for (size_t i = 0; i < from->labels.len; i++) {
        selector->labels.items[selector->labels.len++] =
            (struct str_pair){arena_str(arena, from->labels.items[i].key),
                              arena_str(arena, from->labels.items[i].value)};
    }
    selector->expressions.items =
        ARENA_ARRAY(arena, from->expressions.len, struct selector_requirement);
    for (size_t i = 0; i < from->expressions.len; i++) {
        const struct selector_requirement *f = &from->expressions.items[i];
        struct selector_requirement *requirement =
            &selector->expressions.items[selector->expressions.len++];
        requirement->key = arena_str(arena, f->key);
        requirement->operator= f->operator;
        requirement->values.items = ARENA_ARRAY(arena, f->values.len, struct str);
        for (size_t j = 0; j < f->values.len; j++) {
            requirement->values.items[requirement->values.len++] =
                arena_str(arena, f->values.items[j]);
        }
    }
    return selector;
}

static struct str key_of(const struct judging *judging, const struct listener_source *source,
                         struct str name)
{
    const struct ir_gateway *row = judging->row;
    return arena_printf(&judging->row->row.arena, "%.*s/%.*s/%.*s%s%.*s", STR_FMT(row->ns),
                        STR_FMT(row->name), STR_FMT(source->set), source->set.len > 0 ? "/" : "",
                        STR_FMT(name));
}

static void copy_listener(const struct judging *judging, struct draft *draft)
{
    struct arena *arena = &judging->row->row.arena;
    const struct listener *spec = draft->spec;
    const struct allowed_routes *allowed = spec->allowed;
    struct ir_listener *listener = draft->listener;
    listener->key = key_of(judging, draft->source, spec->name);
    listener->set = arena_str(arena, draft->source->set);
    listener->name = arena_str(arena, spec->name);
    listener->port = spec->port;
    listener->hostname = arena_lower(arena, spec->hostname);
    listener->home = arena_str(arena, draft->source->meta->ns);
    listener->from = allowed != NULL ? allowed->from : FROM_SAME;
    listener->selector = allowed != NULL && allowed->selector != NULL
                             ? listener_copy_selector(arena, allowed->selector)
                             : NULL;
    listener->passthrough = spec->tls != NULL && spec->tls->mode == TLS_PASSTHROUGH;
}

void listener_collect(struct judging *judging)
{
    size_t len = 0;
    for (size_t i = 0; i < judging->nsources; i++) {
        len += judging->sources[i].len;
    }
    struct ir_gateway *row = judging->row;
    row->listeners.items = ARENA_ARRAY(&row->row.arena, len, struct ir_listener);
    judging->drafts.items = ARENA_ARRAY(eval_scratch(judging->ev), len, struct draft);
    for (size_t i = 0; i < judging->nsources; i++) {
        for (size_t j = 0; j < judging->sources[i].len; j++) {
            struct draft *draft = &judging->drafts.items[judging->drafts.len++];
            draft->spec = &judging->sources[i].items[j];
            draft->source = &judging->sources[i];
            draft->listener = &row->listeners.items[row->listeners.len++];
            draft->accepted.id = C_listener_accepted;
            draft->resolved.id = C_listener_resolved;
            copy_listener(judging, draft);
            judge_alone(judging, draft);
            if (judging->drafts.len > LISTENERS_MAX) {
                listener_put_out(draft, C_listener_too_many,
                                 arena_printf(eval_scratch(judging->ev),
                                              "a Gateway and its ListenerSets have at most %d "
                                              "listeners; those of older ListenerSets go first",
                                              LISTENERS_MAX));
            }
        }
    }
}

/* --- in the end ----------------------------------------------------------------------------- */

static void add(struct arena *arena, struct ir_listener *listener, enum condition_id id,
                struct str message)
{
    listener->conditions.items[listener->conditions.len++] =
        (struct condition){(int)id, arena_str(arena, message)};
}

static enum condition_id conflict_of(enum condition_id accepted)
{
    return accepted == C_listener_hostname_conflict   ? C_listener_conflicted_hostname
           : accepted == C_listener_protocol_conflict ? C_listener_conflicted_protocol
           : accepted == C_listener_conflict          ? C_listener_conflicted
                                                      : C_listener_no_conflicts;
}

static struct str why_not(const struct judging *judging, const struct draft *draft)
{
    const struct ir_listener *listener = draft->listener;
    if (listener_is_out(draft)) {
        return draft->accepted.message;
    }
    if (ir_listener_ends_tls(listener) && listener->certificates.len == 0) {
        return draft->resolved.message;
    }
    return judging->row->accepted ? STR_NULL : STR("the Gateway is not accepted");
}

static void conclude(const struct judging *judging, struct draft *draft)
{
    struct arena *arena = &judging->row->row.arena;
    struct ir_listener *listener = draft->listener;
    enum condition_id conflict = conflict_of((enum condition_id)draft->accepted.id);
    listener->why_not = arena_str(arena, why_not(judging, draft));
    listener->served = listener->why_not.len == 0;
    listener->conditions.items = ARENA_ARRAY(arena, CONDITIONS_MAX, struct condition);
    add(arena, listener, (enum condition_id)draft->accepted.id,
        listener_is_out(draft) ? draft->accepted.message : STR("the listener is valid"));
    add(arena, listener, (enum condition_id)draft->resolved.id,
        draft->resolved.id == C_listener_resolved ? STR("all references resolve")
                                                  : draft->resolved.message);
    add(arena, listener, conflict,
        conflict == C_listener_no_conflicts ? STR("no other listener is in its way")
                                            : draft->accepted.message);
    if (draft->overlaps) {
        add(arena, listener, C_listener_overlap,
            STR("hostnames of listeners with TLS on this port overlap: a client may send requests "
                "for one over a connection of the other; those are answered with 421"));
    }
}

void listener_conclude(struct judging *judging)
{
    for (size_t i = 0; i < judging->drafts.len; i++) {
        conclude(judging, &judging->drafts.items[i]);
    }
}
