/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: where a proxyless server listens, as the name of the Listener says that it asks for
 * (gRFC A36). A server serves nothing before it has that Listener.
 */
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "resolve/listener_name.h"
#include "resolve/resolve.h"

const struct row *resolve_server(struct eval *ev, struct str key)
{
    const struct interest_row *interest =
        (const struct interest_row *)eval_get(ev, T_INTEREST, key);
    const struct settings_row *settings =
        (const struct settings_row *)eval_get(ev, T_SETTINGS, STR(""));
    if (interest == NULL || settings == NULL) {
        return NULL;
    }
    struct listener_name name = listener_name_read(eval_scratch(ev), interest->name, settings);
    if (name.use != LISTENER_SERVED) {
        return NULL; /* target.c */
    }
    struct ir_server *row = row_new(sizeof(*row), 256);
    struct arena *arena = &row->row.arena;
    row->scope = arena_str(arena, interest->scope);
    row->name = arena_str(arena, interest->name);
    row->address = arena_str(arena, name.address);
    row->port = name.port;
    return &row->row;
}
