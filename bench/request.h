/* SPDX-License-Identifier: Apache-2.0 */
/* request: what does a client write into its discovery requests? */
#ifndef HEDDLE_BENCH_REQUEST_H
#define HEDDLE_BENCH_REQUEST_H

#include "stream.h"

#define REQUEST_MAX (16u << 20)

struct name_list {
    const entity_id *ids;
    size_t len;
};

struct request {
    enum kind kind;
    bool with_node;
    struct name_list subscribe;   /* delta; sotw and grpc always tell the subscription's names */
    struct name_list unsubscribe; /* delta */
    bool with_versions;           /* delta: initial_resource_versions of all that is had */
    struct str version;           /* sotw and grpc */
    struct str nonce;             /* empty: not an answer to a response */
};

/* Encodes the names of a subscription anew; after every change of them. */
void request_keep_names(const struct stream *stream, struct subscription *sub);
void request_send(struct stream *stream, const struct request *request);

#endif
