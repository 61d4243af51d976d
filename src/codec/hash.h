/* SPDX-License-Identifier: Apache-2.0 */
/* hash: content hashes that serve as xDS versions (XXH3-128: equal bytes, equal version, on every
 * replica and across restarts). Not for security. */
#ifndef HEDDLE_CODEC_HASH_H
#define HEDDLE_CODEC_HASH_H

#include "base/str.h"

#define HASH_TEXT_LEN 17 /* 16 hex digits and a NUL: the first half of the 128 bits */

struct hash {
    uint64_t high;
    uint64_t low;
};

struct hash hash_bytes(struct str bytes);
struct hash hash_mix(struct hash a, struct hash b); /* order matters */
bool hash_eq(struct hash a, struct hash b);
void hash_text(struct hash hash, char ret_text[HASH_TEXT_LEN]);

#endif
