/* SPDX-License-Identifier: Apache-2.0 */
/* hash: XXH3-128, and how two of them become one. */
#define XXH_INLINE_ALL
#include "codec/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

struct hash hash_bytes(struct str bytes)
{
    XXH128_hash_t sum = XXH3_128bits(bytes.len != 0 ? bytes.ptr : "", bytes.len);
    return (struct hash){.high = sum.high64, .low = sum.low64};
}

struct hash hash_mix(struct hash a, struct hash b)
{
    /* The canonical form is big-endian: replicas on other machines come to the same value. */
    XXH128_canonical_t both[2];
    XXH128_canonicalFromHash(&both[0], (XXH128_hash_t){.high64 = a.high, .low64 = a.low});
    XXH128_canonicalFromHash(&both[1], (XXH128_hash_t){.high64 = b.high, .low64 = b.low});
    return hash_bytes(str_span((const char *)both, sizeof(both)));
}

bool hash_eq(struct hash a, struct hash b)
{
    return a.high == b.high && a.low == b.low;
}

void hash_text(struct hash hash, char ret_text[HASH_TEXT_LEN])
{
    snprintf(ret_text, HASH_TEXT_LEN, "%016" PRIx64, hash.high);
}
