/* SPDX-License-Identifier: Apache-2.0 */
/* gateway: see gateway.h. */
#include "xds/gateway.h"

#include "ir/client.h"
#include "ir/graph.h"

struct str xds_gateway_scope(struct eval *ev, struct str gateway)
{
    struct str scope = arena_printf(eval_scratch(ev), SCOPE_GATEWAY "%.*s", STR_FMT(gateway));
    return eval_get(ev, T_VIEW, scope) != NULL ? scope : STR_NULL;
}

const struct ir_listener *xds_gateway_http(const struct ir_gateway *gateway, int32_t port)
{
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        const struct ir_listener *listener = &gateway->listeners.items[i];
        if (gateway->accepted && listener->served && listener->port == port &&
            ir_listener_is_http(listener)) {
            return listener;
        }
    }
    return NULL;
}
