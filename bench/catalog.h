/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog: every resource that any stream was sent, known once.
 *
 *   bytes of an entry ──hash──► content {entity, version, refs} ──► entity {kind, name}
 *
 * Hundreds of streams are sent the same bytes; an entry that was seen before costs one hash and
 * one look-up, and what a stream has is a pointer per entity. Nothing is dropped: a bench run
 * is short. Used by one thread.
 */
#ifndef HEDDLE_BENCH_CATALOG_H
#define HEDDLE_BENCH_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"

/* In the order in which a client asks. */
enum kind { KIND_CDS, KIND_EDS, KIND_LDS, KIND_RDS, KIND_COUNT };

typedef uint32_t entity_id; /* dense, from 0 */

struct entity {
    entity_id id;
    enum kind kind;
    struct str name;
    const struct content *latest; /* the newest delta form of it */
};

struct content {
    uint64_t hash; /* of the entry's bytes */
    entity_id entity;
    struct str version; /* delta only */
    uint64_t refs_hash;
    uint32_t nrefs;
    entity_id *refs; /* what it names: a cluster its endpoints, a listener its routes, … */
};

struct catalog {
    struct arena arena;
    VEC(struct entity *) entities; /* by id */
    struct map by_name[KIND_COUNT];
    struct content **contents; /* open addressing by hash */
    size_t ncontents, contents_cap;
    uint32_t *marks; /* per entity: scratch of whoever compares sets */
    size_t marks_cap;
    uint32_t mark; /* the mark of the set in the making */
};

extern const struct str kind_urls[KIND_COUNT];
extern const char *const kind_names[KIND_COUNT];
bool kind_from_url(struct str url, enum kind *ret_kind);

void catalog_init(struct catalog *catalog);
void catalog_free(struct catalog *catalog);
entity_id catalog_entity(struct catalog *catalog, enum kind kind, struct str name);
/* What a Resource (delta) or an Any (state of the world) holds. NULL and err when it is not what
 * an xDS client could take, or bears the version that its name had with other bytes. */
const struct content *catalog_content(struct catalog *catalog, struct str entry, bool delta,
                                      struct err *err);
/* Starts a new set of marks; valid until the next call or the next entity. */
uint32_t *catalog_new_marks(struct catalog *catalog);

#endif
