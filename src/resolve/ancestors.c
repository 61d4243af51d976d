/* SPDX-License-Identifier: Apache-2.0 */
/* ancestors: see ancestors.h; attachments by the Services their Gateways send to. */
#include "resolve/ancestors.h"

#include "ir/attachment.h"
#include "ir/client.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "resolve/key.h"
#include "resolve/resolve.h"
#include "resolve/status.h"

#define ROOM_MIN 16

/* --- X_POLICY_GATEWAYS ----------------------------------------------------------------------- */

static bool has_gateways(const struct attachment *attachment)
{
    for (size_t i = 0; i < attachment->parents.len; i++) {
        if (attached_may_speak_tls(&attachment->parents.items[i])) {
            return true;
        }
    }
    return false;
}

/* Of backends, then mirrors: the i-th. NULL: there are no more. */
static const struct attached_backend *backend_at(const struct attachment *attachment, size_t i)
{
    if (i < attachment->backends.len) {
        return &attachment->backends.items[i];
    }
    i -= attachment->backends.len;
    return i < attachment->mirrors.len ? &attachment->mirrors.items[i] : NULL;
}

static bool is_sent_to(const struct attached_backend *backend)
{
    struct str message;
    return attached_backend_state(backend, true, &message) == C_resolved;
}

void resolve_gateways_of_services(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct attachment *attachment = (const struct attachment *)row;
    const struct attached_backend *backend;
    (void)key;
    if (!has_gateways(attachment)) {
        return;
    }
    for (size_t i = 0; (backend = backend_at(attachment, i)) != NULL; i++) {
        if (is_sent_to(backend)) {
            group_emit(emit, port_key_parse(backend->cluster).object);
        }
    }
}

/* --- the set --------------------------------------------------------------------------------- */

/* Where it is, or would be. */
static size_t place_of(const struct ancestors *ancestors, struct str gateway)
{
    size_t low = 0, high = ancestors->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = str_cmp(ancestors->items[middle], gateway) < 0;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low;
}

bool ancestors_have(const struct ancestors *ancestors, struct str gateway)
{
    size_t at = place_of(ancestors, gateway);
    return at < ancestors->len && str_eq(ancestors->items[at], gateway);
}

static void add(struct eval *ev, struct str gateway, struct ancestors *ancestors)
{
    if (ancestors_have(ancestors, gateway)) {
        return;
    }
    if (ancestors->len == ancestors->room) {
        size_t room = ancestors->room > 0 ? 2 * ancestors->room : ROOM_MIN;
        struct str *items = ARENA_ARRAY(eval_scratch(ev), room, struct str);
        for (size_t i = 0; i < ancestors->len; i++) {
            items[i] = ancestors->items[i];
        }
        ancestors->items = items;
        ancestors->room = room;
    }
    size_t at = place_of(ancestors, gateway);
    for (size_t i = ancestors->len++; i > at; i--) {
        ancestors->items[i] = ancestors->items[i - 1];
    }
    ancestors->items[at] = gateway;
}

void ancestors_join(struct eval *ev, const struct ancestors *others, struct ancestors *ancestors)
{
    for (size_t i = 0; i < others->len; i++) {
        add(ev, others->items[i], ancestors);
    }
}

/* --- who sends there ------------------------------------------------------------------------- */

static bool is_meant(struct eval *ev, const struct attached_backend *backend, struct str service,
                     struct str section, bool datagrams)
{
    if (!is_sent_to(backend)) {
        return false;
    }
    struct port_key key = port_key_parse(backend->cluster);
    if (!str_eq(key.object, service) || (key.udp && !datagrams)) {
        return false;
    }
    const struct ir_port *port =
        section.len > 0 ? (const struct ir_port *)eval_get(ev, T_PORT, backend->cluster) : NULL;
    return section.len == 0 || (port != NULL && str_eq(port->port_name, section));
}

void ancestors_add(struct eval *ev, struct str service, struct str section, bool datagrams,
                   struct ancestors *ancestors)
{
    struct row_span attachments = eval_group(ev, X_POLICY_GATEWAYS, service);
    for (size_t i = 0; i < attachments.len; i++) {
        const struct attachment *attachment = (const struct attachment *)attachments.rows[i];
        const struct attached_backend *backend;
        size_t at = 0;
        while ((backend = backend_at(attachment, at)) != NULL &&
               !is_meant(ev, backend, service, section, datagrams)) {
            at++;
        }
        for (size_t j = 0; backend != NULL && j < attachment->parents.len; j++) {
            const struct attached_parent *parent = &attachment->parents.items[j];
            if (attached_may_speak_tls(parent)) {
                add(ev, parent->gateway, ancestors);
            }
        }
    }
}

/* --- who rejects it -------------------------------------------------------------------------- */

static bool is_of_gateway(const struct attachment *attachment, struct str gateway)
{
    for (size_t i = 0; i < attachment->parents.len; i++) {
        if (str_eq(attachment->parents.items[i].gateway, gateway)) {
            return true;
        }
    }
    return false;
}

static bool is_governed(struct eval *ev, struct str port, struct str policy)
{
    const struct ir_backend_tls *tls =
        (const struct ir_backend_tls *)eval_get(ev, T_BACKEND_TLS, port);
    return tls != NULL && str_eq(tls->policy, policy);
}

/* Of the clusters of the port those that are spoken TLS to for the policy's sake, and whom these
 * trust. */
static bool is_port_rejected(struct eval *ev, struct arena *arena, struct str port,
                             struct str scope, struct str *ret_message)
{
    static const char *const variants[] = {"", "#h2"};
    bool rejected = false;
    for (size_t i = 0; !rejected && i < sizeof(variants) / sizeof(variants[0]); i++) {
        struct arena *scratch = eval_scratch(ev);
        struct str cluster = arena_printf(scratch, "%.*s%s", STR_FMT(port), variants[i]);
        struct str trust = arena_printf(scratch, "trust/%.*s", STR_FMT(cluster));
        rejected = status_rejected_in(ev, arena, XDS_CDS, cluster, scope, ret_message) ||
                   status_rejected_in(ev, arena, XDS_SDS, trust, scope, ret_message);
    }
    return rejected;
}

bool ancestors_rejected(struct eval *ev, struct arena *arena, struct str service, struct str policy,
                        struct str gateway, struct str *ret_message)
{
    struct str scope = arena_printf(eval_scratch(ev), SCOPE_GATEWAY "%.*s", STR_FMT(gateway));
    struct row_span attachments = eval_group(ev, X_POLICY_GATEWAYS, service);
    for (size_t i = 0; i < attachments.len; i++) {
        const struct attachment *attachment = (const struct attachment *)attachments.rows[i];
        const struct attached_backend *backend;
        for (size_t j = 0;
             is_of_gateway(attachment, gateway) && (backend = backend_at(attachment, j)) != NULL;
             j++) {
            if (is_meant(ev, backend, service, STR_NULL, false) &&
                is_governed(ev, backend->cluster, policy) &&
                is_port_rejected(ev, arena, backend->cluster, scope, ret_message)) {
                return true;
            }
        }
    }
    return false;
}
