/* SPDX-License-Identifier: Apache-2.0 */
/* known: a set of names, each with the number of the last list that had it. */
#include "kube/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

#define KEY_MAX (KNOWN_NAME_MAX + 1)

struct name {
    uint32_t round;
    uint32_t ns_len;
    char key[]; /* "ns/name" and a NUL */
};

static struct str key_of(char buffer[KEY_MAX], struct str ns, struct str name)
{
    ASSERT(ns.len + name.len + 1 <= KEY_MAX);
    if (ns.len != 0) {
        memcpy(buffer, ns.ptr, ns.len);
    }
    buffer[ns.len] = '/';
    if (name.len != 0) {
        memcpy(buffer + ns.len + 1, name.ptr, name.len);
    }
    return str_span(buffer, ns.len + 1 + name.len);
}

void known_release(struct known *known)
{
    for (size_t i = map_next(&known->names, 0); i < known->names.cap;
         i = map_next(&known->names, i + 1)) {
        free(known->names.slots[i].value);
    }
    map_release(&known->names);
}

void known_begin(struct known *known)
{
    known->round++;
}

void known_add(struct known *known, struct str ns, struct str name)
{
    char buffer[KEY_MAX];
    struct str key = key_of(buffer, ns, name);
    struct name *there = map_get(&known->names, key);
    if (there == NULL) {
        there = xcalloc(1, sizeof(*there) + key.len + 1);
        memcpy(there->key, key.ptr, key.len);
        there->ns_len = (uint32_t)ns.len;
        map_put(&known->names, str_span(there->key, key.len), there);
    }
    there->round = known->round;
}

bool known_remove(struct known *known, struct str ns, struct str name)
{
    char buffer[KEY_MAX];
    struct name *there = map_remove(&known->names, key_of(buffer, ns, name));
    free(there);
    return there != NULL;
}

static int by_name(const void *left, const void *right)
{
    const struct known_name *a = left, *b = right;
    int order = str_cmp(a->ns, b->ns);
    return order != 0 ? order : str_cmp(a->name, b->name);
}

size_t known_take_old(struct known *known, bool all, struct arena *arena,
                      struct known_name **ret_names)
{
    struct known_name *names = ARENA_ARRAY(arena, known->names.len, struct known_name);
    size_t len = 0;
    for (size_t i = map_next(&known->names, 0); i < known->names.cap;
         i = map_next(&known->names, i + 1)) {
        const struct name *there = known->names.slots[i].value;
        if (all || there->round != known->round) {
            struct str key = arena_str(arena, known->names.slots[i].key);
            names[len].ns = str_sub(key, 0, there->ns_len);
            names[len++].name = str_sub(key, there->ns_len + 1, key.len);
        }
    }
    qsort(names, len, sizeof(*names), by_name);
    for (size_t i = 0; i < len; i++) {
        known_remove(known, names[i].ns, names[i].name);
    }
    *ret_names = names;
    return len;
}
