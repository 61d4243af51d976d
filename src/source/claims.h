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
 * version.
 *
 * Changes are only collected until the batch is complete: claims_gather() then makes the entries
 * what is drawn above, and claims_settle() tells the differences. So the order of changes within a
 * batch does not matter, and many claims on one object cost no more than they must. For the source
 * folder only.
 */
#ifndef HEDDLE_SOURCE_CLAIMS_H
#define HEDDLE_SOURCE_CLAIMS_H

#include "base/map.h"
#include "base/vec.h"
#include "source/file_set.h"

struct claim_entry;

struct claim {
    struct claim_entry *entry; /* set by claims_add() */
    struct claim *next_old;    /* of its file, on the same entry: see claim_entry.reading */
    struct str file;           /* borrowed from the file, which outlives its claims */
    uint32_t line;
    uint32_t column;
    uint32_t nth;          /* document in the file: orders what stands in one line */
    bool broken;           /* the document has an error now */
    bool held;             /* no document */
    bool past;             /* of a reading before: goes with the next claims_gather() */
    struct object *object; /* one reference; NULL: never had a good version */
};

struct claim_entry {
    struct str map_key; /* kind and key, owned */
    struct str key;     /* the end of map_key */
    enum kind_id kind;
    VEC(struct claim *) claims;
    struct object *in_force; /* one reference, or NULL */
    size_t written;          /* claims that are not held, when it was last gathered */
    bool touched;            /* stands in claims->touched */
    struct {
        uint64_t number;   /* the reading of a file that last looked at this entry (reading.c) */
        struct claim *old; /* what that file had, the first first, as far as it has an object */
        bool again;        /* that file claims it again */
    } reading;
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
/* An entry of whose claims one became `past` or got an object. */
void claims_touch(struct claims *claims, struct claim_entry *entry);
/* Lets past claims go and puts the others of what was touched in order. */
void claims_gather(struct claims *claims);
/* After claims_gather(): finds what is in force now and tells the events. */
void claims_settle(struct claims *claims);
/* The written claim that stands first, or NULL. Between batches only. */
const struct claim *claims_first(const struct claim_entry *entry);

struct object *object_keep(const struct object *object); /* one more reference */
void object_drop(struct object *object); /* gives one reference back; NULL is fine */

#endif
