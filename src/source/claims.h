/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims: which document of which file stands for an object?
 *
 *   entry "HTTPRoute default/echo" ──► claims, first the written ones in (file, line) order,
 *     │                                then those that are only held
 *     └─ in_force: the object of the first claim that has one
 *
 * A claim is written (a document says it now) or held (no document does, but a document of the
 * file is so broken that it may be the one). A written claim that is broken carries the last good
 * version. Changes are collected and told in claims_settle(). For the source folder only.
 */
#ifndef HEDDLE_SOURCE_CLAIMS_H
#define HEDDLE_SOURCE_CLAIMS_H

#include "base/map.h"
#include "base/vec.h"
#include "source/file_set.h"

struct claim_entry;

struct claim {
    struct claim_entry *entry; /* set by claims_add() */
    struct str file;           /* borrowed from the file, which outlives its claims */
    uint32_t line;
    uint32_t column;
    uint32_t nth;          /* document in the file: orders what stands in one line */
    bool broken;           /* the document has an error now */
    bool held;             /* no document */
    bool past;             /* of the reading before, about to be dropped */
    struct object *object; /* one reference; NULL: never had a good version */
};

struct claim_entry {
    struct str map_key; /* kind and key, owned */
    struct str key;     /* the end of map_key */
    enum kind_id kind;
    VEC(struct claim *) claims;
    struct object *in_force; /* one reference, or NULL */
    size_t written;          /* claims that are not held */
    bool touched;            /* stands in claims->touched */
};

struct claims {
    struct file_set_events events;
    struct map entries;
    VEC(struct claim_entry *) touched;
    size_t duplicates; /* written claims that are not the first of their entry */
};

void claims_release(struct claims *claims); /* entries and claims, without telling anyone */
struct claim_entry *claims_find(const struct claims *claims, enum kind_id kind, struct str key);
/* Takes the claim, which is malloc'ed, and the reference in it. */
void claims_add(struct claims *claims, enum kind_id kind, struct str key, struct claim *claim);
/* Frees the claim and gives its reference back. */
void claims_drop(struct claims *claims, struct claim *claim);
/* The entry of a claim whose object was changed by hand. */
void claims_touch(struct claims *claims, struct claim_entry *entry);
/* Finds what is in force now and tells the events. */
void claims_settle(struct claims *claims);
/* The written claim that stands first, or NULL. */
const struct claim *claims_first(const struct claim_entry *entry);

void object_drop(struct object *object); /* gives one reference back; NULL is fine */

#endif
