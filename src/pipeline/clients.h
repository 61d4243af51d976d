/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clients: who is connected, and what follows from that for the engine's inputs: the scopes that
 * are in use (T_VIEW), the names that are asked for (T_INTEREST), what was rejected (T_REJECTION).
 *
 * A name that nobody asks for any more stays a while, as one of the last INTEREST_IDLE_MAX such
 * names: when clients reconnect, the last subscriber's leave and the next one's arrival come from
 * different workers in any order, and the Listener must not be away in between.
 */
#ifndef HEDDLE_PIPELINE_CLIENTS_H
#define HEDDLE_PIPELINE_CLIENTS_H

#include "base/list.h"
#include "base/map.h"
#include "pipeline/mesh.h"

#define INTEREST_IDLE_MAX 1000

struct clients {
    struct engine *engine;
    struct settings_row *settings; /* held */
    struct map by_id;              /* stream id as 8 bytes -> struct client_entry */
    struct map scopes;             /* scope -> struct counter */
    struct map interests;          /* "scope|name" -> struct interest */
    struct list idle;              /* of them those that nobody asks for, the longest so first */
    size_t nidle;
};

void clients_init(struct clients *clients, struct engine *engine,
                  const struct settings_row *settings);
void clients_release(struct clients *clients);
bool clients_open(struct clients *clients, stream_id id, struct node *node,
                  const struct mesh_client **ret_client, struct err *err);
void clients_close(struct clients *clients, stream_id id);
const struct mesh_client *clients_get(const struct clients *clients, stream_id id);
void clients_each(const struct clients *clients, mesh_client_fn *visit, void *user);
void clients_interest(struct clients *clients, struct str scope, struct str name, bool wanted);
void clients_rejected(struct clients *clients, stream_id id, enum xds_type type,
                      const struct resource *const *of, size_t nof, struct str text);
void clients_accepted(struct clients *clients, stream_id id, enum xds_type type,
                      const struct resource *const *of, size_t nof);
void clients_dropped(struct clients *clients, stream_id id, enum xds_type type, struct str name);

#endif
