/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain_then: where the routes of the backend's Service send what a Gateway passes on (parameter
 * mesh-routes; the clusters "mesh|ns/svc:port" of resolve/upstream.c).
 */
#include "base/panic.h"
#include "pipeline/explain_internal.h"
#include "pipeline/passing.h"

static void tell_request(struct telling *telling)
{
    const struct request *request = telling->request;
    json_key(telling->json, "request");
    json_open(telling->json, '{');
    explain_text(telling, "method", request->method);
    explain_text(telling, "path",
                 request->query.ptr != NULL
                     ? arena_printf(telling->arena, "%.*s?%.*s", STR_FMT(request->path),
                                    STR_FMT(request->query))
                     : request->path);
    explain_text(telling, "host", telling->host);
    json_close(telling->json, '}');
}

void explain_then(struct telling *telling, const struct ir_route *rule,
                  const struct ir_backend *backend, struct str port)
{
    struct request request = *telling->request;
    struct question question = *telling->question;
    struct telling inner = *telling;
    struct str key;
    question.fragment = false;
    inner.question = &question;
    inner.request = &request;
    inner.gateway = NULL;
    inner.leave_out |= EXPLAIN_NOTES;
    passing_on(rule, backend, telling->arena, &request, &inner.host);
    const struct ir_routing *routing = explain_find_routing(&inner, port, &key);
    ASSERT(routing != NULL);
    json_key(telling->json, "then");
    json_open(telling->json, '{');
    tell_request(&inner);
    explain_text(&inner, "routing", explain_routing(&inner, routing));
    explain_decision(&inner, explain_rules(&inner, routing));
    json_close(telling->json, '}');
}
