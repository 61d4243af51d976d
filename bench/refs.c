/* SPDX-License-Identifier: Apache-2.0 */
/* refs: which other resources does a resource name? Field numbers are those of the xDS v3 protos.
 */
#include "refs.h"

#include <string.h>
#include <xxhash.h>

#include "wire.h"

#define CLUSTER_TYPE_EDS 3

struct reader {
    struct catalog *catalog;
    struct content *content;
    entity_id found[REFS_MAX];
};

static void add_ref(struct reader *reader, enum kind kind, struct str name)
{
    struct content *content = reader->content;

    if (name.len == 0 || content->nrefs == REFS_MAX) {
        return;
    }
    entity_id id = catalog_entity(reader->catalog, kind, name);
    for (uint32_t i = 0; i < content->nrefs; i++) {
        if (reader->found[i] == id) {
            return;
        }
    }
    reader->found[content->nrefs++] = id;
}

/* Cluster {name 1, type 2, eds_cluster_config 3 {service_name 2}} */
static void read_cluster(struct reader *reader, struct str message)
{
    struct wire wire = wire_over(message);
    struct wire_field field;
    struct str service = wire_find(message, 1);
    bool eds = false;

    while (wire_next(&wire, &field)) {
        if (field.number == 2 && field.type == WIRE_VARINT) {
            eds = field.value == CLUSTER_TYPE_EDS;
        } else if (field.number == 3 && wire_find(field.bytes, 2).len > 0) {
            service = wire_find(field.bytes, 2);
        }
    }
    if (eds) {
        add_ref(reader, KIND_EDS, service);
    }
}

/* Any {value 2} of HttpConnectionManager {rds 3 {route_config_name 2}}. In any other filter field
 * 3 is not a message with such a field, or the name is never answered and the run says so. */
static void read_manager(struct reader *reader, struct str any)
{
    if (str_ends_with(wire_find(any, 1), STR(".HttpConnectionManager"))) {
        add_ref(reader, KIND_RDS, wire_find(wire_find(wire_find(any, 2), 3), 2));
    }
}

/* FilterChain {filters 3 {typed_config 4}} */
static void read_filter_chain(struct reader *reader, struct str message)
{
    struct wire wire = wire_over(message);
    struct wire_field field;

    while (wire_next(&wire, &field)) {
        if (field.number == 3) {
            read_manager(reader, wire_find(field.bytes, 4));
        }
    }
}

/* Listener {filter_chains 3, api_listener 19 {api_listener 1}, default_filter_chain 25} */
static void read_listener(struct reader *reader, struct str message)
{
    struct wire wire = wire_over(message);
    struct wire_field field;

    while (wire_next(&wire, &field)) {
        if (field.number == 3 || field.number == 25) {
            read_filter_chain(reader, field.bytes);
        } else if (field.number == 19) {
            read_manager(reader, wire_find(field.bytes, 1));
        }
    }
}

/* RouteAction {cluster 1, weighted_clusters 3 {clusters 1 {name 1}}} */
static void read_action(struct reader *reader, struct str message)
{
    struct wire wire = wire_over(wire_find(message, 3));
    struct wire_field field;

    add_ref(reader, KIND_CDS, wire_find(message, 1));
    while (wire_next(&wire, &field)) {
        if (field.number == 1) {
            add_ref(reader, KIND_CDS, wire_find(field.bytes, 1));
        }
    }
}

/* RouteConfiguration {virtual_hosts 2 {routes 3 {route 2}}} */
static void read_routes(struct reader *reader, struct str message)
{
    struct wire hosts = wire_over(message);
    struct wire_field host, route;

    while (wire_next(&hosts, &host)) {
        struct wire routes = wire_over(host.number == 2 ? host.bytes : STR_NULL);
        while (wire_next(&routes, &route)) {
            if (route.number == 3) {
                read_action(reader, wire_find(route.bytes, 2));
            }
        }
    }
}

void refs_read(struct catalog *catalog, enum kind kind, struct str message, struct content *content)
{
    struct reader reader = {.catalog = catalog, .content = content};

    switch (kind) {
    case KIND_CDS:
        read_cluster(&reader, message);
        break;
    case KIND_LDS:
        read_listener(&reader, message);
        break;
    case KIND_RDS:
        read_routes(&reader, message);
        break;
    case KIND_EDS:
    case KIND_COUNT:
        break;
    }
    size_t size = content->nrefs * sizeof(entity_id);
    content->refs = arena_alloc(&catalog->arena, size);
    memcpy(content->refs, reader.found, size);
    content->refs_hash = XXH3_64bits(reader.found, size);
}
