/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response: one response message as pieces: a few bytes of its own between shared blobs.
 *
 *   own:    [0x12 len]            [0x12 len]            [type_url nonce ...]
 *   pieces:  own 4 B  blob A       own 3 B  blob B       own 90 B
 *
 * One per worker, used again and again: no allocation per resource once it has grown.
 */
#ifndef HEDDLE_SERVE_RESPONSE_H
#define HEDDLE_SERVE_RESPONSE_H

#include <stddef.h>

#include "base/blob.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/vec.h"
#include "snapshot/resource.h"

struct response_piece {
    struct blob *blob; /* borrowed; NULL: bytes lie in `own` */
    struct str bytes;
};

struct response {
    struct buf own;
    VEC(struct response_piece) pieces; /* complete after response_finish() */
    size_t bytes;                      /* in pieces */
    size_t own_in_pieces;              /* own bytes that stand in a piece already */
};

void response_init(struct response *response);
void response_release(struct response *response);
void response_begin(struct response *response); /* empty again, keeps the memory */
void response_put_delta(struct response *response, const struct resource *resource);
void response_put_sotw(struct response *response, const struct resource *resource);
size_t response_len(const struct response *response); /* of the message so far */
void response_finish(struct response *response);

#endif
