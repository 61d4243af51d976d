/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request: which requests a match of the IR takes, as data planes decide it. For explanations and
 * for tests that compare them with real clients; nothing that is served depends on it.
 */
#ifndef HEDDLE_IR_REQUEST_H
#define HEDDLE_IR_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "ir/ir.h"

#define REQUEST_HEADERS_MAX 100

struct request {
    struct str method;
    struct str path;                               /* as sent, without the query */
    struct str query;                              /* after '?', as sent */
    struct ir_header headers[REQUEST_HEADERS_MAX]; /* names in any case, in the order sent */
    size_t nheaders;
    bool joins; /* a repeated header is compared as one list, as gRPC does ("a,b"); else one of its
                   values must match, as with Envoy */
};

/* The path is compared as it was sent: nothing is decoded, "//" and ".." stay. Of a query parameter
 * that is given twice the first counts. */
bool ir_match_request(const struct ir_match *match, const struct request *request);
/* What of the match the request does not meet: "path '/x' is not below '/v2'"; empty: it matches.
 * In the arena. */
struct str ir_match_why_not(const struct ir_match *match, const struct request *request,
                            struct arena *arena);
/* For people: "path below /v2, header version=two"; '~' before an expression. In the arena. */
struct str ir_match_text(const struct ir_match *match, struct arena *arena);

#endif
