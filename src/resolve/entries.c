/* SPDX-License-Identifier: Apache-2.0 */
/* entries: what the served listeners of a Gateway come to: ports that Envoy listens on, domains,
 * secrets. */
#include "ir/gateway.h"
#include "resolve/resolve.h"

static struct str gateway_key(struct arena *arena, const struct ir_gateway *gateway)
{
    return arena_printf(arena, "%.*s/%.*s", STR_FMT(gateway->ns), STR_FMT(gateway->name));
}

typedef void listener_fn(struct arena *scratch, struct str gateway,
                         const struct ir_listener *listener, struct group_emit *emit);

static void each_served(const struct ir_gateway *gateway, listener_fn *visit,
                        struct group_emit *emit)
{
    struct arena scratch;
    arena_init_sized(&scratch, 1024);
    struct str key = gateway_key(&scratch, gateway);
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        if (gateway->listeners.items[i].served) {
            visit(&scratch, key, &gateway->listeners.items[i], emit);
        }
    }
    arena_release(&scratch);
}

static void emit_domain(struct arena *scratch, struct str gateway,
                        const struct ir_listener *listener, struct group_emit *emit)
{
    if (ir_listener_is_http(listener)) {
        struct str domain = listener->hostname.len > 0 ? listener->hostname : STR("*");
        struct str entry = entry_name(scratch, gateway, listener->port);
        group_emit(emit, arena_printf(scratch, "%.*s|%.*s", STR_FMT(entry), STR_FMT(domain)));
    }
}

void resolve_listener_domains(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    each_served((const struct ir_gateway *)row, emit_domain, emit);
}

static void emit_entry(struct arena *scratch, struct str gateway,
                       const struct ir_listener *listener, struct group_emit *emit)
{
    struct str entry = entry_name(scratch, gateway, listener->port);
    group_emit(emit, listener->protocol == IR_LISTENER_UDP
                         ? arena_printf(scratch, "%.*s/udp", STR_FMT(entry))
                         : entry);
}

void resolve_entries(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    each_served((const struct ir_gateway *)row, emit_entry, emit);
}

static void emit_secret(struct arena *scratch, struct str gateway, const char *kind,
                        struct str object, struct group_emit *emit)
{
    group_emit(emit,
               arena_printf(scratch, "%.*s|%s/%.*s", STR_FMT(gateway), kind, STR_FMT(object)));
}

static void emit_secrets(struct arena *scratch, struct str gateway,
                         const struct ir_listener *listener, struct group_emit *emit)
{
    for (size_t i = 0; i < listener->certificates.len; i++) {
        emit_secret(scratch, gateway, "cert", listener->certificates.items[i], emit);
    }
    for (size_t i = 0; i < listener->authorities.len; i++) {
        emit_secret(scratch, gateway, "ca", listener->authorities.items[i], emit);
    }
}

void resolve_listener_secrets(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct ir_gateway *gateway = (const struct ir_gateway *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 256);
    each_served(gateway, emit_secrets, emit);
    if (gateway->client_certificate.len > 0) {
        emit_secret(&scratch, key, "cert", gateway->client_certificate, emit);
    }
    arena_release(&scratch);
}
