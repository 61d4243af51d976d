/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain: why a request, or a connection, goes where it goes, answered from the IR that is served:
 * which Service port it was sent to, which rules were looked at in which order, which one took it
 * and why the others that match did not, and what becomes of it.
 */
#ifndef HEDDLE_PIPELINE_EXPLAIN_H
#define HEDDLE_PIPELINE_EXPLAIN_H

#include "codec/json.h"
#include "pipeline/mesh.h"
#include "pipeline/question.h"

/* For asking since when it is so, and whether the client has acknowledged it. In the arena. */
struct explained {
    struct str routing; /* key of T_ROUTING and of what is made of it; empty: there is none */
    bool http;          /* the RouteConfiguration decides */
    struct str filter;  /* the filter by ECDS that decides, of connections; empty: none does */
    struct str
        listener; /* key of the T_GRPC_SERVER that lets a call in; empty: it is not about one */
};

/*
 * Writes the members of an object (docs/why.md):
 *   service   key of the port, absent when there is none
 *   routing   which set of routes, in words
 *   rules     those looked at, in their order: rule, file, line, match, verdict; more_rules: how
 *             many besides are not told
 *   decision  action "forward", "redirect", "error", "passthrough" or "accept"; rule, file, line;
 * status (HTTP) of a redirect or error, code (gRPC) of an error; outcome, in words; backends:
 * share, backend, endpoints, outcome; in_force and ignored: what the rule does besides, and what
 * such a client does not do of it; notes Absent where they mean nothing. Takes a question that
 * question_fits().
 */
struct explained mesh_explain(const struct mesh *mesh, const struct question *question,
                              struct arena *arena, struct json *json);

#endif
