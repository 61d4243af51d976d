/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outline: which fields stand where in a packed message, found in one pass and without unpacking.
 *
 * With it a request can be unpacked without what is known already: Envoy may repeat 60 KiB of node
 * in each request, and in the SotW protocol every ACK lists all names again.
 */
#ifndef HEDDLE_SERVE_OUTLINE_H
#define HEDDLE_SERVE_OUTLINE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "codec/hash.h"

#define OUTLINE_RUNS_MAX 16 /* encoders write fields in order: one run for each */

struct outline_run {
    uint32_t field;
    struct str bytes; /* all that follow each other of this field, with their tags */
    struct str last;  /* the content of the last; STR_NULL unless it is length-delimited */
};

struct outline {
    struct outline_run runs[OUTLINE_RUNS_MAX]; /* as they stand in the message */
    unsigned len; /* 0: the message is empty, malformed, or has too many runs */
};

/* The outline points into bytes. Field numbers above 31 count as one field, 0. */
void outline_read(struct str bytes, struct outline *ret_outline);
/* The content of the last length-delimited occurrence; STR_NULL: none. */
struct str outline_last(const struct outline *outline, uint32_t field);
/* Of all occurrences as they are encoded; {0, 0}: none. Equal hashes, equal contents. */
struct hash outline_hash(const struct outline *outline, uint32_t field);
/* The message without the fields whose bits (1 << field) are set, in the arena. */
struct str outline_without(const struct outline *outline, uint32_t fields, struct arena *arena);

#endif
