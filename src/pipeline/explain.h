/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain: why a request, or a connection, goes where it goes, answered from the IR that is served:
 * which Service port it was sent to, which rules were looked at in which order, which one took it
 * and why the others that match did not, and what becomes of it.
 */
#ifndef HEDDLE_PIPELINE_EXPLAIN_H
#define HEDDLE_PIPELINE_EXPLAIN_H

#include "codec/json.h"
#include "engine/engine.h"
#include "pipeline/question.h"

#define EXPLAINED_THEN_MAX 16 /* as many as a rule has backends */

/* For asking since when it is so, and whether the client has acknowledged it. In the arena. */
struct explained {
    unsigned table;      /* T_ROUTING; of a Gateway T_GATEWAY_ROUTING or T_GATEWAY_L4 */
    struct str routing;  /* its key; empty: there is none */
    struct str config;   /* key of the resources that are made of it */
    bool http;           /* the RouteConfiguration decides */
    struct str filter;   /* the filter by ECDS that decides, of connections; empty: none does */
    struct str listener; /* key of the T_GRPC_SERVER that lets a call in; empty: no server's */
    const struct ir_route *taker;         /* the rule that takes a request; NULL: none does */
    const struct ir_l4_route *connection; /* or a connection */
};

/* What can be left out, as bits. */
enum explain_part {
    EXPLAIN_RULES = 1 << 0,     /* those looked at */
    EXPLAIN_PLACES = 1 << 1,    /* rule, file and line of the one that decides */
    EXPLAIN_EFFECTS = 1 << 2,   /* what it does besides */
    EXPLAIN_ENDPOINTS = 1 << 3, /* each of them; that there is none is told */
    EXPLAIN_NOTES = 1 << 4
};

/*
 * Writes the members of an object (docs/why.md); absent where they mean nothing:
 *   service     key of the port
 *   gateway     "ns/name" of who is asked
 *   listeners   of the Gateway, in the order in which they are looked at: listener, file, line,
 *               port, protocol, http3 (true: over UDP, too), client_certificate ("required",
 *               "asked for"), hostname, verdict
 *   routing     which set of routes, in words
 *   rules       those looked at, in their order: rule, file, line, hostname (of a Gateway), match,
 *               verdict; more_rules: how many besides are not told
 *   unattached  routes that are not asked, though they might be meant to be, the likeliest first:
 *               route, file, line, why; more_unattached: how many besides are not told
 *   decision    action "forward", "redirect", "error", "passthrough" or "accept"; rule, file, line;
 *               status (HTTP) of a redirect or error, code (gRPC) of an error; outcome, in words
 *   backends    share, backend, manner (of a Gateway), endpoints, outcome, or then; remedy, of what
 *               fails
 *   in_force, ignored   what the rule does besides, and what such a client does not do of it
 *   notes
 *   then        what the routes of the backend's Service do with it: request (method, path, host),
 *               routing, rules, decision
 *
 * Takes a question that question_fits().
 */
struct explained explain(const struct engine *engine, const struct question *question,
                         unsigned leave_out, struct arena *arena, struct json *json);
/* The same as the text of an object, in the arena. */
struct str explained_text(const struct engine *engine, const struct question *question,
                          unsigned leave_out, struct arena *arena, struct explained *ret_explained);

#endif
