/* SPDX-License-Identifier: Apache-2.0 */
/* session: see session.h. */
#include "resolve/session.h"

#include "codec/hash.h"

/* "If not specified, a unique cookie name SHOULD be generated" (CookieConfig.name): made of the
 * owner's, so that it is the same on every replica and after a restart. */
static struct str cookie_name(struct arena *arena, struct str owner)
{
    char text[HASH_TEXT_LEN];
    hash_text(hash_bytes(owner), text);
    return arena_printf(arena, "heddle-%s", text);
}

static bool is_permanent(const struct session_persistence *from)
{
    return from->cookie != NULL && from->cookie->lifetime == COOKIE_PERMANENT;
}

struct ir_session *session_make(struct arena *arena, const struct session_persistence *from,
                                struct str owner)
{
    struct ir_session *session = ARENA_NEW(arena, struct ir_session);
    if (from->type == SESSION_HEADER) {
        session->carrier = IR_HEADER;
        session->name = arena_lower(arena, from->header->name);
        return session;
    }
    const struct session_cookie *cookie = from->cookie;
    session->carrier = IR_COOKIE;
    session->name =
        cookie->name.len > 0 ? arena_str(arena, cookie->name) : cookie_name(arena, owner);
    session->path = arena_str(arena, cookie->path);
    /* a cookie ends with the client's own session unless it is a permanent one */
    session->lifetime_ms = is_permanent(from) ? from->absolute_timeout_ms : 0;
    return session;
}

bool session_outlives(const struct session_persistence *from)
{
    return from->has_absolute_timeout && !is_permanent(from);
}
