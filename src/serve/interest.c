/* SPDX-License-Identifier: Apache-2.0 */
/* interest: see interest.h. */
#include "serve/interest.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

struct want {
    unsigned count;
    struct str key; /* behind the struct */
};

void interest_init(struct interest *interest)
{
    *interest = (struct interest){.wants = {NULL, 0, 0}};
    buf_init(&interest->key, BUF_UNLIMITED);
}

void interest_release(struct interest *interest)
{
    for (size_t i = map_next(&interest->wants, 0); i < interest->wants.cap;
         i = map_next(&interest->wants, i + 1)) {
        free(interest->wants.slots[i].value);
    }
    map_release(&interest->wants);
    buf_release(&interest->key);
}

static struct str make_key(struct interest *interest, enum xds_type type, struct str scope,
                           struct str name)
{
    buf_clear(&interest->key);
    buf_add_byte(&interest->key, (uint8_t)type);
    buf_add_str(&interest->key, scope);
    buf_add_byte(&interest->key, 0);
    buf_add_str(&interest->key, name);
    return buf_str(&interest->key);
}

bool interest_add(struct interest *interest, enum xds_type type, struct str scope, struct str name)
{
    struct str key = make_key(interest, type, scope, name);
    struct want *want = map_get(&interest->wants, key);
    if (want != NULL) {
        want->count++;
        return false;
    }
    want = xmalloc(sizeof(*want) + key.len);
    memcpy(want + 1, key.ptr, key.len);
    *want = (struct want){.count = 1, .key = {(const char *)(want + 1), key.len}};
    (void)map_put(&interest->wants, want->key, want);
    return true;
}

bool interest_remove(struct interest *interest, enum xds_type type, struct str scope,
                     struct str name)
{
    struct want *want = map_get(&interest->wants, make_key(interest, type, scope, name));
    ASSERT(want != NULL);
    if (--want->count > 0) {
        return false;
    }
    (void)map_remove(&interest->wants, want->key);
    free(want);
    return true;
}

size_t interest_len(const struct interest *interest)
{
    return interest->wants.len;
}
