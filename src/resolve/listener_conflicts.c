/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener_conflicts: which listeners are not distinct, so that traffic could not be given to
 * exactly one.
 *
 *   one port of TCP    all are HTTP, or all speak TLS (HTTPS, TLS), or there is one TCP
 *                      HTTP, TLS: by hostname; what is passed through and what is opened may share
 *   one port of UDP    there is one; of HTTPS with HTTP/3 none
 *
 * "ALL indistinct Listeners must not be accepted" (GatewaySpec.listeners) is said of what one
 * object has. Between objects there is an order, and the first has the port or the hostname: the
 * Gateway, the oldest ListenerSet, the first by name (ListenerSetSpec.listeners).
 */
#include "resolve/listener.h"

#include "model/hostname.h"

enum family { FAMILY_HTTP, FAMILY_TLS, FAMILY_TCP, FAMILY_UDP };

static enum family family_of(const struct ir_listener *listener)
{
    switch ((enum ir_listener_protocol)listener->protocol) {
    case IR_LISTENER_HTTP:
        return FAMILY_HTTP;
    case IR_LISTENER_HTTPS:
    case IR_LISTENER_TLS:
        return FAMILY_TLS;
    case IR_LISTENER_UDP:
        return FAMILY_UDP;
    default:
        return FAMILY_TCP;
    }
}

static bool is_quic(const struct ir_listener *a, const struct ir_listener *b)
{
    return a->protocol == IR_LISTENER_HTTPS && b->protocol == IR_LISTENER_UDP;
}

/* C_listener_accepted: they are distinct. */
static enum condition_id clash(const struct judging *judging, const struct ir_listener *a,
                               const struct ir_listener *b)
{
    enum family family = family_of(a);
    if (a->port != b->port) {
        return C_listener_accepted;
    }
    if (family != family_of(b)) {
        const struct ir_parameters *parameters = judging->row->parameters;
        bool apart = family == FAMILY_UDP || family_of(b) == FAMILY_UDP;
        bool quic = parameters != NULL && parameters->http3 && (is_quic(a, b) || is_quic(b, a));
        return apart && !quic ? C_listener_accepted : C_listener_protocol_conflict;
    }
    if (family == FAMILY_TCP || family == FAMILY_UDP) {
        return C_listener_conflict;
    }
    return str_eq(a->hostname, b->hostname) ? C_listener_hostname_conflict : C_listener_accepted;
}

/* Nothing is told of other ListenerSets: "cautious about what information from the parent or
 * siblings are reported" (ListenerSetSpec.listeners). */
static struct str message_of(const struct judging *judging, enum condition_id why,
                             const struct draft *draft, const struct draft *other)
{
    struct arena *scratch = eval_scratch(judging->ev);
    const char *what = why == C_listener_hostname_conflict ? "the same port and hostname"
                       : why == C_listener_conflict
                           ? "the same port and protocol"
                           : "the same port, and a protocol that cannot share it";
    if (draft->source == other->source) {
        return arena_printf(scratch, "listener '%.*s' has %s: neither is served",
                            STR_FMT(other->listener->name), what);
    }
    return arena_printf(scratch, "a listener of %s has %s, and comes first",
                        other->source->set.len == 0 ? "the Gateway" : "another ListenerSet", what);
}

/* What stands in the way of drafts[at] in drafts[from..to); NULL: nothing. */
static const struct draft *obstacle(const struct judging *judging, size_t at, size_t from,
                                    size_t to, enum condition_id *ret_why)
{
    const struct draft *items = judging->drafts.items;
    for (size_t i = from; i < to; i++) {
        enum condition_id why = i == at || listener_is_out(&items[i])
                                    ? C_listener_accepted
                                    : clash(judging, items[at].listener, items[i].listener);
        if (why != C_listener_accepted) {
            *ret_why = why;
            return &items[i];
        }
    }
    return NULL;
}

/* The drafts [first, end) are of one source. */
static void judge_source(struct judging *judging, size_t first, size_t end)
{
    struct draft *items = judging->drafts.items;
    struct condition *own = ARENA_ARRAY(eval_scratch(judging->ev), end - first, struct condition);
    enum condition_id why;
    for (size_t i = first; i < end; i++) {
        const struct draft *other =
            listener_is_out(&items[i]) ? NULL : obstacle(judging, i, 0, first, &why);
        if (other != NULL) {
            listener_put_out(&items[i], why, message_of(judging, why, &items[i], other));
        }
    }
    for (size_t i = first; i < end; i++) { /* all against all, before any is out for it */
        const struct draft *other =
            listener_is_out(&items[i]) ? NULL : obstacle(judging, i, first, end, &why);
        own[i - first].id = other != NULL ? (int)why : C_listener_accepted;
        own[i - first].message =
            other != NULL ? message_of(judging, why, &items[i], other) : STR_NULL;
    }
    for (size_t i = first; i < end; i++) {
        if (own[i - first].id != C_listener_accepted) {
            listener_put_out(&items[i], (enum condition_id)own[i - first].id,
                             own[i - first].message);
        }
    }
}

/* "Controllers MUST detect the presence of overlapping hostnames" of listeners with TLS
 * (ListenerConditionOverlappingTLSConfig). What covers another name is a wildcard, or none. */
static void mark_overlaps(struct judging *judging)
{
    struct drafts *drafts = &judging->drafts;
    for (size_t i = 0; i < drafts->len; i++) {
        struct draft *wide = &drafts->items[i];
        struct str hostname = wide->listener->hostname;
        if (listener_is_out(wide) || family_of(wide->listener) != FAMILY_TLS ||
            (hostname.len > 0 && !str_starts_with(hostname, STR("*.")))) {
            continue;
        }
        for (size_t j = 0; j < drafts->len; j++) {
            struct draft *narrow = &drafts->items[j];
            if (j != i && !listener_is_out(narrow) &&
                narrow->listener->port == wide->listener->port &&
                family_of(narrow->listener) == FAMILY_TLS &&
                hostname_covers(hostname, narrow->listener->hostname)) {
                wide->overlaps = narrow->overlaps = true;
            }
        }
    }
}

void listener_conflicts(struct judging *judging)
{
    size_t first = 0;
    for (size_t i = 0; i < judging->nsources; i++) {
        size_t end = first + judging->sources[i].len;
        judge_source(judging, first, end);
        first = end;
    }
    mark_overlaps(judging);
}
