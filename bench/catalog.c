/* SPDX-License-Identifier: Apache-2.0 */
/* catalog: which resource is this, and which others does it name? */
#include "catalog.h"

#include <string.h>
#include <xxhash.h>

#include "refs.h"
#include "wire.h"

const struct str kind_urls[KIND_COUNT] = {
    [KIND_CDS] = STR("type.googleapis.com/envoy.config.cluster.v3.Cluster"),
    [KIND_EDS] = STR("type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"),
    [KIND_LDS] = STR("type.googleapis.com/envoy.config.listener.v3.Listener"),
    [KIND_RDS] = STR("type.googleapis.com/envoy.config.route.v3.RouteConfiguration"),
};

const char *const kind_names[KIND_COUNT] = {"cds", "eds", "lds", "rds"};

static const struct str resource_url =
    STR("type.googleapis.com/envoy.service.discovery.v3.Resource");

bool kind_from_url(struct str url, enum kind *ret_kind)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        if (str_eq(url, kind_urls[kind])) {
            *ret_kind = (enum kind)kind;
            return true;
        }
    }
    return false;
}

void catalog_init(struct catalog *catalog)
{
    *catalog = (struct catalog){0};
    arena_init(&catalog->arena);
    catalog->contents_cap = 1 << 12;
    catalog->contents = xcalloc(catalog->contents_cap, sizeof(struct content *));
}

void catalog_free(struct catalog *catalog)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        map_release(&catalog->by_name[kind]);
    }
    vec_release(&catalog->entities);
    free(catalog->contents);
    free(catalog->marks);
    arena_release(&catalog->arena);
}

entity_id catalog_entity(struct catalog *catalog, enum kind kind, struct str name)
{
    struct entity *entity = map_get(&catalog->by_name[kind], name);

    if (entity == NULL) {
        entity = ARENA_NEW(&catalog->arena, struct entity);
        entity->id = (entity_id)catalog->entities.len;
        entity->kind = kind;
        entity->name = arena_str(&catalog->arena, name);
        vec_push(&catalog->entities, entity);
        map_put(&catalog->by_name[kind], entity->name, entity);
    }
    return entity->id;
}

uint32_t *catalog_new_marks(struct catalog *catalog)
{
    if (catalog->marks_cap < catalog->entities.len) {
        size_t cap = catalog->entities.len * 2;
        catalog->marks = xrealloc(catalog->marks, cap * sizeof(uint32_t));
        memset(catalog->marks + catalog->marks_cap, 0,
               (cap - catalog->marks_cap) * sizeof(uint32_t));
        catalog->marks_cap = cap;
    }
    catalog->mark++;
    return catalog->marks;
}

static struct content **find_slot(const struct catalog *catalog, uint64_t hash)
{
    size_t at = hash & (catalog->contents_cap - 1);

    while (catalog->contents[at] != NULL && catalog->contents[at]->hash != hash) {
        at = (at + 1) & (catalog->contents_cap - 1);
    }
    return &catalog->contents[at];
}

static void grow_contents(struct catalog *catalog)
{
    struct content **old = catalog->contents;
    size_t old_cap = catalog->contents_cap;

    catalog->contents_cap *= 2;
    catalog->contents = xcalloc(catalog->contents_cap, sizeof(struct content *));
    for (size_t i = 0; i < old_cap; i++) {
        if (old[i] != NULL) {
            *find_slot(catalog, old[i]->hash) = old[i];
        }
    }
    free(old);
}

/* Resource {version 1, resource 2, name 3} around Any {type_url 1, value 2}. */
static bool open_entry(struct str entry, bool delta, struct str *ret_name, struct str *ret_version,
                       enum kind *ret_kind, struct str *ret_message)
{
    struct str any = delta ? wire_find(entry, 2) : entry;

    *ret_name = delta ? wire_find(entry, 3) : STR_NULL;
    *ret_version = delta ? wire_find(entry, 1) : STR_NULL;
    if (!delta && str_eq(wire_find(any, 1), resource_url)) {
        any = wire_find(wire_find(any, 2), 2);
    }
    *ret_message = wire_find(any, 2);
    return kind_from_url(wire_find(any, 1), ret_kind);
}

static struct content *new_content(struct catalog *catalog, struct str entry, bool delta,
                                   struct err *err)
{
    struct str name, version, message;
    enum kind kind;

    if (!open_entry(entry, delta, &name, &version, &kind, &message)) {
        err_set(err, "a resource is of no known type");
        return NULL;
    }
    /* All four types have their name in field 1. */
    struct str inner = wire_find(message, 1);
    if (inner.len == 0 || (delta && !str_eq(inner, name))) {
        err_set(err, "a resource of type %s is called '%.*s' and holds '%.*s'", kind_names[kind],
                STR_FMT(name), STR_FMT(inner));
        return NULL;
    }
    if (delta && version.len == 0) {
        err_set(err, "resource '%.*s' has no version", STR_FMT(name));
        return NULL;
    }
    struct content *content = ARENA_NEW(&catalog->arena, struct content);
    content->entity = catalog_entity(catalog, kind, inner);
    content->version = arena_str(&catalog->arena, version);
    struct entity *entity = catalog->entities.items[content->entity];
    if (delta && entity->latest != NULL && str_eq(entity->latest->version, version)) {
        err_set(err, "'%.*s' has changed and is still of version '%.*s'", STR_FMT(inner),
                STR_FMT(version));
        return NULL;
    }
    entity->latest = delta ? content : entity->latest;
    refs_read(catalog, kind, message, content);
    return content;
}

const struct content *catalog_content(struct catalog *catalog, struct str entry, bool delta,
                                      struct err *err)
{
    uint64_t hash = XXH3_64bits_withSeed(entry.ptr, entry.len, delta);
    struct content **slot = find_slot(catalog, hash);

    if (*slot != NULL) {
        return *slot;
    }
    struct content *content = new_content(catalog, entry, delta, err);
    if (content == NULL) {
        return NULL;
    }
    content->hash = hash;
    *slot = content;
    if (++catalog->ncontents * 2 > catalog->contents_cap) {
        grow_contents(catalog);
    }
    return content;
}
