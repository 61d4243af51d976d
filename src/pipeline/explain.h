/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain: why a request goes where it goes, answered from the IR that is served: which Service
 * port it was sent to, which rules were looked at in which order, which one took it and why the
 * others that match did not, and what becomes of it.
 */
#ifndef HEDDLE_PIPELINE_EXPLAIN_H
#define HEDDLE_PIPELINE_EXPLAIN_H

#include "codec/json.h"
#include "ir/request.h"
#include "pipeline/mesh.h"

struct question {
    const struct client_class *client;
    struct str host; /* a Service's name, in any of the forms clients may dial, or a ClusterIP */
    int32_t port;
    struct request request;
};

/* "METHOD", "http://host:port/path?query"; scheme http, grpc or xds (xds:///host:port/path); the
 * texts of ret_question point into url and the arena. */
bool question_parse(struct str method, struct str url, struct arena *arena,
                    struct question *ret_question, struct err *err);

/* The key of the RouteConfiguration that decides ("ns/svc:port"), empty when none does, and its
 * scope; for asking whether the client has acknowledged it. In the arena. */
struct explained {
    struct str routes;
    struct str scope;
};

/* Writes the members of an object: service, routing, rules, decision. */
struct explained mesh_explain(const struct mesh *mesh, const struct question *question,
                              struct arena *arena, struct json *json);

#endif
