/* SPDX-License-Identifier: Apache-2.0 */
/* store_internal: what a status store holds; for store.c and store_render.c only. */
#ifndef HEDDLE_STATUS_STORE_INTERNAL_H
#define HEDDLE_STATUS_STORE_INTERNAL_H

#include "base/map.h"
#include "base/vec.h"
#include "ir/attachment.h"
#include "status/store.h"

/* What has conditions: index of a parent, or 0 for the object itself, or of a listener: */
#define OF_LISTENER(index) (1 + (index))

struct transition {
    size_t parent;    /* of which of these it is */
    const char *type; /* of the condition table */
    bool status;
    uint64_t since_ms;
};

struct status_entry {
    char *key;                /* "HTTPRoute/ns/name" */
    const struct status *row; /* valid: rows live as long as they are in the table */
    VEC(struct transition) transitions;
};

struct status_store {
    struct map entries; /* key -> struct status_entry */
    status_changed_fn *changed;
    void *user; /* of changed */
    struct propagation propagation;
};

/* "HTTPRoute/ns/name"; to be freed. */
char *status_key(enum kind_id kind, struct str ns, struct str name);
/* NULL when there is no such condition. */
const struct transition *status_entry_find(const struct status_entry *entry, size_t parent,
                                           const char *type);

#endif
