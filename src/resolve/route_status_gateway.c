/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_status_gateway: what becomes of a route on the listeners of a Gateway that admit it.
 *
 *   HTTPRoute, GRPCRoute   False/Conflicted when routes of the other kind have every listener
 *                          (rivals.c)
 *   TCPRoute, UDPRoute     accepted; of those of one listener the oldest serves (TCPRoute)
 *   TLSRoute               accepted; a hostname belongs to the oldest route that has it, before a
 *                          TCPRoute of the listener
 */
#include "ir/client.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "resolve/excerpt.h"
#include "resolve/govern.h"
#include "resolve/l4.h"
#include "resolve/route_status.h"
#include "resolve/rule.h"
#include "resolve/status.h"
#include "resolve/upstream.h"

/* --- Accepted ------------------------------------------------------------------------------- */

/* The oldest route of the kind among the attachments; NULL when it is the route itself. */
static const struct attachment *older(struct row_span attached, const struct attachment *self)
{
    for (size_t i = 0; i < attached.len; i++) {
        const struct attachment *other = (const struct attachment *)attached.rows[i];
        if (other->kind == self->kind) {
            return str_eq(other->key, self->key) ? NULL : other;
        }
    }
    return NULL;
}

static struct str outranked_name(const struct route_parent *parent,
                                 const struct attached_listener *listener)
{
    struct arena *scratch = eval_scratch(parent->ev);
    for (size_t i = 0; i < listener->hosts.len; i++) {
        struct str name = listener->hosts.items[i].hostname;
        struct str group =
            arena_printf(scratch, "%.*s|%.*s", STR_FMT(listener->key), STR_FMT(name));
        const struct attachment *owner =
            older(eval_group(parent->ev, X_LISTENER_HOSTS, group), parent->attachment);
        if (owner != NULL) {
            return arena_printf(parent->arena,
                                "'%.*s' on listener '%.*s' belongs to %.*s, which is older",
                                STR_FMT(name), STR_FMT(listener->key), STR_FMT(owner->key));
        }
    }
    return STR_NULL;
}

static bool of_requests(const struct attached_listener *listener)
{
    return listener->protocol != IR_LISTENER_TLS && listener->protocol != IR_LISTENER_TCP &&
           listener->protocol != IR_LISTENER_UDP;
}

static bool has_domain(const struct attachment *attachment, struct str listener, struct str domain)
{
    bool has = false;
    for (size_t i = 0; i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        for (size_t j = 0; j < parent->listeners.len; j++) {
            const struct attached_listener *on = &parent->listeners.items[j];
            for (size_t k = 0; str_eq(on->key, listener) && k < on->hosts.len; k++) {
                has = has || str_eq(on->hosts.items[k].domain, domain);
            }
        }
    }
    return has;
}

/* The TLSRoute that has all that comes in by the listener, which is one of TLS; NULL: none has. */
static const struct attachment *owner_by_name(struct row_span attached,
                                              const struct attached_listener *listener)
{
    for (size_t i = 0; i < attached.len; i++) {
        const struct attachment *other = (const struct attachment *)attached.rows[i];
        if (other->kind == KIND_TLSROUTE &&
            has_domain(other, listener->key, listener->hosts.items[0].domain)) {
            return other;
        }
    }
    return NULL;
}

/* What older routes of the same kind have; empty: nothing. */
static struct str outranked_on(const struct route_parent *parent,
                               const struct attached_listener *listener)
{
    if (of_requests(listener)) {
        return STR_NULL;
    }
    if (parent->attachment->kind == KIND_TLSROUTE) {
        return outranked_name(parent, listener);
    }
    struct row_span attached = eval_group(parent->ev, X_LISTENER_ROUTES, listener->key);
    const struct attachment *named =
        listener->protocol == IR_LISTENER_TLS ? owner_by_name(attached, listener) : NULL;
    if (named != NULL) {
        return arena_printf(parent->arena,
                            "%.*s, by its hostname, has all that comes in by listener '%.*s'",
                            STR_FMT(named->key), STR_FMT(listener->key));
    }
    const struct attachment *owner = older(attached, parent->attachment);
    return owner == NULL
               ? STR_NULL
               : arena_printf(parent->arena,
                              "%.*s, which is older, has what comes in by listener '%.*s'",
                              STR_FMT(owner->key), STR_FMT(listener->key));
}

struct standing route_standing_gateway(const struct route_parent *parent)
{
    struct faults others = {.arena = parent->arena};
    size_t lost = 0;
    bool outranked = false;
    size_t all = parent->from->listeners.len;
    for (size_t i = 0; i < all; i++) {
        const struct attached_listener *listener = &parent->from->listeners.items[i];
        struct str winner = ir_rivals_winner(
            (const struct ir_rivals *)eval_get(parent->ev, T_RIVALS, listener->key),
            parent->attachment->key);
        struct str taken = outranked_on(parent, listener);
        if (winner.len > 0) {
            lost++;
            faults_add(&others,
                       arena_printf(parent->arena,
                                    "%.*s, which is older, has a hostname of the route on listener "
                                    "'%.*s', and routes of the two kinds are not merged",
                                    STR_FMT(winner), STR_FMT(listener->key)));
        } else if (taken.len > 0) {
            outranked = true;
            faults_add(&others, taken);
        }
    }
    if (lost == all) {
        return (struct standing){C_rivalled, faults_text(&others)};
    }
    struct str text = faults_text(&others);
    return (struct standing){outranked ? C_outranked : C_accepted,
                             lost == 0
                                 ? text
                                 : arena_printf(parent->arena, "governs %zu of %zu listeners; %.*s",
                                                all - lost, all, STR_FMT(text))};
}

/* --- Programmed ----------------------------------------------------------------------------- */

/* The backends of connections have resources of their own; of TCP and UDP the oldest route's. */
static bool connections_rejected(const struct route_parent *parent,
                                 const struct attached_listener *listener, struct str *ret_message)
{
    bool own = listener->protocol == IR_LISTENER_TLS || outranked_on(parent, listener).len == 0;
    struct str name = gateway_l4_name(eval_scratch(parent->ev), parent->attachment, listener->entry,
                                      listener->protocol, listener->key);
    return own && status_rejected(parent->ev, parent->arena, XDS_ECDS, name, ret_message);
}

/* The cluster that the route needs for the backend; another route may need another one of it. */
static bool backend_rejected(const struct route_parent *parent, bool passthrough,
                             const struct attached_backend *backend, struct str *ret_message)
{
    struct eval *ev = parent->ev;
    struct arena *scratch = eval_scratch(ev);
    struct str scope = arena_printf(scratch, SCOPE_GATEWAY "%.*s", STR_FMT(parent->from->gateway));
    enum kind_id kind = (enum kind_id)parent->attachment->kind;
    struct str why;
    if (backend->cluster.len == 0 ||
        !status_rejected_port(ev, scratch, backend->cluster, scope, &why)) {
        return false; /* as a rule; of the Gateway nothing is read then */
    }
    const struct sender sender = {
        .ev = ev,
        .gateway = excerpt_of_parent(ev, parent->from->gateway, STR_NULL),
        .requests = !govern_of_connections(kind),
        .grpc = kind == KIND_GRPCROUTE,
        .passthrough = passthrough,
    };
    struct str cluster = upstream_choose(scratch, &sender, backend, &why);
    return cluster.len > 0 &&
           status_rejected_in(ev, parent->arena, XDS_CDS, cluster, scope, ret_message);
}

static bool backends_rejected(const struct route_parent *parent, bool passthrough,
                              struct str *ret_message)
{
    const struct attachment *attachment = parent->attachment;
    bool rejected = false;
    for (size_t i = 0; !rejected && i < attachment->backends.len; i++) {
        rejected =
            backend_rejected(parent, passthrough, &attachment->backends.items[i], ret_message);
    }
    for (size_t i = 0; !rejected && i < attachment->mirrors.len; i++) {
        rejected =
            backend_rejected(parent, passthrough, &attachment->mirrors.items[i], ret_message);
    }
    return rejected;
}

static bool passes_through(const struct attached_parent *parent)
{
    bool some = false;
    for (size_t i = 0; i < parent->listeners.len; i++) {
        some = some || parent->listeners.items[i].passthrough;
    }
    return some;
}

bool route_rejected_gateway(const struct route_parent *parent, struct str *ret_message)
{
    for (size_t i = 0; i < parent->from->listeners.len; i++) {
        const struct attached_listener *listener = &parent->from->listeners.items[i];
        struct str entry = listener->entry;
        if (status_rejected(parent->ev, parent->arena, XDS_RDS, entry, ret_message) ||
            status_rejected(parent->ev, parent->arena, XDS_LDS, entry, ret_message) ||
            (!of_requests(listener) && connections_rejected(parent, listener, ret_message))) {
            return true;
        }
    }
    const struct attached_parent *from = parent->from;
    return (attached_may_speak_tls(from) && backends_rejected(parent, false, ret_message)) ||
           (passes_through(from) && backends_rejected(parent, true, ret_message));
}
