/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: ir_session -> the words of a route to the stateful session filter.
 *
 * The cookie or header holds the address of the endpoint that answered first. Envoy chooses the
 * cluster by weight before it looks for that address in it, so that a session never overrides the
 * weights of backendRefs (GEP-1619), and chooses anew when the endpoint is gone.
 *
 * To gRPC clients the filter, and what a route says to it, is optional: those that do not know it
 * pass over it, where they would reject what is not (gRFC A39).
 */
#include "xds/session.h"

#include "xds/build.h"

static const ProtobufCMessage *cookie_state(struct arena *arena, const struct ir_session *session)
{
    pb_session_cookie *state = NEW(arena, pb_session_cookie);
    state->cookie = NEW(arena, pb_cookie);
    state->cookie->name = xds_text(arena, session->name);
    state->cookie->path = xds_text(arena, session->path);
    state->cookie->ttl = xds_ms(arena, session->lifetime_ms);
    return &state->base;
}

static const ProtobufCMessage *header_state(struct arena *arena, const struct ir_session *session)
{
    pb_session_header *state = NEW(arena, pb_session_header);
    state->name = xds_text(arena, session->name);
    return &state->base;
}

static const ProtobufCMessage *words_of(struct arena *arena, const struct ir_session *session)
{
    bool cookie = session->carrier == IR_COOKIE;
    pb_session_per_route *words = NEW(arena, pb_session_per_route);
    words->override_case =
        ENVOY__EXTENSIONS__FILTERS__HTTP__STATEFUL_SESSION__V3__STATEFUL_SESSION_PER_ROUTE__OVERRIDE_STATEFUL_SESSION;
    words->stateful_session = NEW(arena, pb_session);
    words->stateful_session->session_state = NEW(arena, pb_extension);
    words->stateful_session->session_state->name =
        (char *)(uintptr_t)(cookie ? "envoy.http.stateful_session.cookie"
                                   : "envoy.http.stateful_session.header");
    words->stateful_session->session_state->typed_config =
        xds_any(arena, cookie ? cookie_state(arena, session) : header_state(arena, session));
    return &words->base;
}

void xds_session(struct arena *arena, const struct ir_session *session, pb_route *route)
{
    xds_route_filter(arena, SESSION_FILTER, words_of(arena, session), route);
}

void xds_grpc_session(struct arena *arena, const struct ir_session *session, pb_route *route)
{
    pb_filter_config *config = NEW(arena, pb_filter_config);
    config->is_optional = true;
    config->config = xds_any(arena, words_of(arena, session));
    xds_route_filter(arena, SESSION_FILTER, &config->base, route);
}

void xds_session_of_backend(struct arena *arena, const struct ir_session *session,
                            pb_cluster_weight *backend)
{
    pb_backend_filter *entry = NEW(arena, pb_backend_filter);
    entry->key = (char *)(uintptr_t)SESSION_FILTER;
    entry->value = xds_any(arena, words_of(arena, session));
    backend->typed_per_filter_config = ARENA_ARRAY(arena, 1, pb_backend_filter *);
    backend->typed_per_filter_config[backend->n_typed_per_filter_config++] = entry;
}
