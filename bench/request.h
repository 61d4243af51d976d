/* SPDX-License-Identifier: Apache-2.0 */
/* request: what does a client write into its discovery requests? */
#ifndef HEDDLE_BENCH_REQUEST_H
#define HEDDLE_BENCH_REQUEST_H

#include "stream.h"

struct name_list {
    const entity_id *ids;
    size_t len;
};

struct request {
    enum kind kind;
    bool with_node;
    struct name_list subscribe;   /* sotw and grpc: all names */
    struct name_list unsubscribe; /* delta */
    bool with_versions;           /* delta: initial_resource_versions of all that is had */
    struct str version;           /* sotw and grpc */
    struct str nonce;             /* empty: not an answer to a response */
};

void request_send(struct stream *stream, const struct request *request);

#endif
