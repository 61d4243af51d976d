/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replica: a worker's copy of all resources, and who wants which.
 *
 *   (type, name) ──► entry ─┬─ id        dense per type: what a stream's bitmaps count in
 *                           ├─ live      [scope, resource] [scope, resource] …
 *                           ├─ gone      what was removed while a stream must still be told
 *                           └─ subscribers   slots that named it
 *   type  ──► wildcard slots            slot ──► chain of scopes (the view), most specific first
 *   scope ──► slots with it in their chain
 *
 * A changed variant concerns (subscribers ∪ wildcard) ∩ slots of its scope; of these only the
 * slots for which the name means other bytes than before are told. A stream is a small integer
 * here (slot). One thread, no locks; the resources are shared with all other threads.
 */
#ifndef HEDDLE_SNAPSHOT_REPLICA_H
#define HEDDLE_SNAPSHOT_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bitmap.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "snapshot/changeset.h"
#include "snapshot/resource.h"

#define REPLICA_SCOPES_MAX 10 /* in one view */
#define REPLICA_NONE UINT32_MAX

struct replica_scope {
    struct str name;       /* owned */
    uint32_t refs;         /* variants and views */
    struct bitmap streams; /* slots that have it in their chain */
};

struct replica_variant {
    struct replica_scope *scope; /* counted */
    struct resource *resource;   /* counted */
};

struct replica_variants {
    struct replica_variant *items;
    uint32_t len;
};

struct replica_entry {
    struct str name; /* owned */
    uint32_t id;
    uint32_t touched; /* 1 + index into replica.touched during replica_apply(); else 0 */
    struct replica_variants live;
    struct replica_variants gone;
    struct bitmap subscribers; /* slots */
    uint32_t holds;            /* replica_hold() */
    uint32_t removing;         /* replica_removal_begin() */
};

struct replica_type {
    struct map by_name;                /* to struct replica_entry */
    VEC(struct replica_entry *) by_id; /* NULL: free */
    VEC(uint32_t) free_ids;
    struct bitmap wildcard; /* slots */
};

/* What a stream may see; see struct view of serve/serve.h. */
struct replica_view {
    unsigned nscopes;
    struct str scopes[REPLICA_SCOPES_MAX];
    /* Index into scopes, or -1. A wildcard does not reach into the on-demand scope: what stands
     * there was made for clients that named it. */
    int on_demand[XDS_TYPE_COUNT];
};

struct replica_slot {
    bool used;
    unsigned nscopes;
    struct replica_scope *scopes[REPLICA_SCOPES_MAX];      /* counted */
    const struct replica_scope *on_demand[XDS_TYPE_COUNT]; /* one of scopes, or NULL */
};

struct replica_touched {
    enum xds_type type;
    struct replica_entry *entry;
    struct replica_variants before; /* live as it was before the changeset */
};

/* For this slot the name meant `before` and means `after` now; NULL: nothing. Versions differ. The
 * callee may hold and drop entries and begin and end removals, but not change subscriptions. */
typedef void replica_changed_fn(void *user, uint32_t slot, enum xds_type type, uint32_t id,
                                const struct resource *before, const struct resource *after);

struct replica {
    struct replica_type types[XDS_TYPE_COUNT];
    struct map scopes; /* to struct replica_scope */
    VEC(struct replica_slot) slots;
    uint64_t seq; /* of the last changeset applied */
    replica_changed_fn *changed;
    void *user;
    VEC(struct replica_touched) touched; /* scratch of replica_apply() */
    struct bitmap candidates;            /* scratch */
};

void replica_init(struct replica *replica, replica_changed_fn *changed, void *user);
void replica_release(struct replica *replica);
/* Applies all of it, then tells the slots concerned: by touched entry, then by slot. */
void replica_apply(struct replica *replica, const struct changeset *changeset);

/* --- slots and views (replica_view.c) ------------------------------------------------------- */
uint32_t replica_attach(struct replica *replica, const struct replica_view *view); /* a slot */
/* The slot's subscriptions must have been taken back before. */
void replica_detach(struct replica *replica, uint32_t slot);

/* --- names ----------------------------------------------------------------------------------- */
/* REPLICA_NONE when there is no such entry. */
uint32_t replica_find(const struct replica *replica, enum xds_type type, struct str name);
/* Makes an entry if need be, with one hold, so that it stays until replica_drop(). */
uint32_t replica_intern(struct replica *replica, enum xds_type type, struct str name);
void replica_hold(struct replica *replica, enum xds_type type, uint32_t id);
void replica_drop(struct replica *replica, enum xds_type type, uint32_t id);
/* While a removal is pending for anyone, the last resource is kept (replica_last()). */
void replica_removal_begin(struct replica *replica, enum xds_type type, uint32_t id);
void replica_removal_end(struct replica *replica, enum xds_type type, uint32_t id);
struct str replica_name(const struct replica *replica, enum xds_type type, uint32_t id);
/* Ids are < this; not each of them is in use. */
uint32_t replica_ids(const struct replica *replica, enum xds_type type);

/* --- subscriptions: nobody is told, look at replica_wanted() before and after ---------------- */
void replica_subscribe(struct replica *replica, uint32_t slot, enum xds_type type, uint32_t id);
void replica_unsubscribe(struct replica *replica, uint32_t slot, enum xds_type type, uint32_t id);
void replica_set_wildcard(struct replica *replica, uint32_t slot, enum xds_type type, bool on);
/* The first slot >= from that asked for the id, by name or by wildcard; or BITMAP_END. */
uint32_t replica_next_asking(const struct replica *replica, enum xds_type type, uint32_t id,
                             uint32_t from);

/* What the slot is to have under this id; NULL: nothing. Borrowed until the next change. */
struct resource *replica_wanted(const struct replica *replica, uint32_t slot, enum xds_type type,
                                uint32_t id);
/* The same, but what was removed last while a removal is pending. */
struct resource *replica_last(const struct replica *replica, uint32_t slot, enum xds_type type,
                              uint32_t id);
/* What the slot would have if it named the id. */
struct resource *replica_visible(const struct replica *replica, uint32_t slot, enum xds_type type,
                                 uint32_t id);
bool replica_exists(const struct replica *replica, enum xds_type type, uint32_t id);
size_t replica_footprint(const struct replica *replica); /* bytes, resources not counted */

/* --- between replica.c and replica_view.c ---------------------------------------------------- */
struct replica_scope *replica_scope_get(struct replica *replica, struct str name); /* counted */
void replica_scope_unref(struct replica *replica, struct replica_scope *scope);
struct resource *replica_resolve(const struct replica_slot *slot, enum xds_type type,
                                 const struct replica_variants *variants, bool named);

#endif
