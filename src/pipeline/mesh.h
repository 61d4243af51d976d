/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mesh: the control plane without its wires: objects and clients' words in, changesets and
 * conditions out. No I/O, no threads; the daemon, `heddle translate` and the tests drive the same.
 *
 *   mesh_put / mesh_remove ─┐
 *   mesh_open / _interest   ├─► engine inputs ─► mesh_turn ─► changeset ─► (serve)
 *   mesh_rejected           ┘                              └► status store
 * Thread 0.
 */
#ifndef HEDDLE_PIPELINE_MESH_H
#define HEDDLE_PIPELINE_MESH_H

#include "base/err.h"
#include "engine/engine.h"
#include "model/fault.h"
#include "model/object.h"
#include "pipeline/view.h"
#include "serve/serve.h"
#include "snapshot/changeset.h"
#include "status/store.h"

struct mesh_settings {
    struct str cluster_domain;
    struct str trust_domain;
    const char *const *authorities; /* of xdstp names, besides the two domains */
    size_t authorities_len;
    bool kubernetes; /* a cluster runs the gateways (ir/client.h) */
    bool check;      /* prove after every turn that the state equals a rebuild; panics if not */
};

struct mesh;
struct bundle_row;
struct placed_row;
struct since;

struct mesh *mesh_new(const struct mesh_settings *settings);
void mesh_free(struct mesh *mesh);

/* Takes the reference. */
void mesh_put(struct mesh *mesh, struct object *object, struct str key);
void mesh_remove(struct mesh *mesh, enum kind_id kind, struct str key);

/* Where a Gateway ("ns/name") is. Takes the reference; NULL: it is not known any more. */
void mesh_put_placed(struct mesh *mesh, struct str key, struct placed_row *row);
/* Of which release a CRD is (T_BUNDLE). Takes the reference. */
void mesh_put_bundle(struct mesh *mesh, struct str crd, struct bundle_row *row);

/* Of an object that cannot be read: what was put of it stays, until it is put again or removed.
 * Takes the reference. key: of the object's table. */
void mesh_put_fault(struct mesh *mesh, struct fault *fault, struct str key);
/* What is in force of it, as somebody else knows (pipeline/standing.h): the fault stays. Takes the
 * reference. False, and nothing is put: it is gone, can be read by now, or something as young is in
 * force of it. */
bool mesh_put_standing(struct mesh *mesh, struct object *object, struct str key);
/* As of the last turn, or NULL. */
const struct fault *mesh_fault(const struct mesh *mesh, enum kind_id kind, struct str key);
size_t mesh_faults(const struct mesh *mesh);

size_t mesh_objects(const struct mesh *mesh); /* objects in force, all kinds */
unsigned mesh_table(enum kind_id kind);       /* enum table_id of its objects */

/* A client connected: takes node. Its view takes effect with the next turn. False (and the node is
 * freed) when it must not be served. ret_view's texts live until mesh_close(). */
struct mesh_client {
    stream_id id;
    struct node *node;
    struct client_class class;
    struct view view;
    struct arena arena;
};
bool mesh_open(struct mesh *mesh, stream_id id, struct node *node,
               const struct mesh_client **ret_client, struct err *err);
void mesh_close(struct mesh *mesh, stream_id id);
const struct mesh_client *mesh_client(const struct mesh *mesh, stream_id id); /* or NULL */
size_t mesh_clients(const struct mesh *mesh);
typedef void mesh_client_fn(void *user, const struct mesh_client *client);
void mesh_each_client(const struct mesh *mesh, mesh_client_fn *visit, void *user);

/* Counted: every `wanted` is taken back by one `!wanted`. */
void mesh_interest(struct mesh *mesh, struct str scope, struct str name, bool wanted);
/* A client rejected or, later, accepted these resources; or what it rejected under this name
 * concerns it no more. */
void mesh_rejected(struct mesh *mesh, stream_id id, enum xds_type type,
                   const struct resource *const *of, size_t nof, struct str text);
void mesh_accepted(struct mesh *mesh, stream_id id, enum xds_type type,
                   const struct resource *const *of, size_t nof);
void mesh_dropped(struct mesh *mesh, stream_id id, enum xds_type type, struct str name);
/* What status has to know of other replicas' clients: pipeline/elsewhere.h. */
void mesh_tell_others(const struct mesh *mesh, struct buf *out);
void mesh_hear_other(struct mesh *mesh, struct str address, struct str answer, uint64_t now_ms);
void mesh_forget_others(struct mesh *mesh, uint64_t since_ms);
bool mesh_others_reject(const struct mesh *mesh); /* anything at all */

/* Computes what follows from all that was said since the last turn. NULL: no resource changed. */
struct changeset *mesh_turn(struct mesh *mesh);
/* Whether anything was said since the last turn. */
bool mesh_dirty(const struct mesh *mesh);

const struct engine *mesh_engine(const struct mesh *mesh);
const struct status_store *mesh_status(const struct mesh *mesh);
/* Whom the status store tells of changes, and who counts for heddle.dev/Propagated. */
void mesh_watch_status(struct mesh *mesh, status_changed_fn *changed, void *user);
void mesh_propagation(struct mesh *mesh, const struct propagation *propagation);
const struct since *mesh_since(const struct mesh *mesh);

#endif
