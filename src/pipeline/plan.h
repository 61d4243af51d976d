/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: what a change would do, before it is made.
 *
 *   thread 0     plan_new, plan_client, plan_delete, plan_text    the present, the clients, the
 * change any one      plan_write     translates the present in an engine of its own
 * (pipeline/world.h), makes the change there, compares, takes it back, compares thread 0 plan_free
 * (or where plan_write was)
 *
 * Translation is a pure function of the objects and of what clients say, so this is exact but for
 * what the clients will say of it. Nothing of the mesh it is made from is changed.
 */
#ifndef HEDDLE_PIPELINE_PLAN_H
#define HEDDLE_PIPELINE_PLAN_H

#include "codec/json.h"
#include "pipeline/mesh.h"

#define PLAN_SAMPLES_PER_PORT_MAX                                                                  \
    200 /* matches of a Service port for which requests are made up                                \
         */
#define PLAN_SAMPLES_MAX 2000

/* The media type in which a change of several files is sent (cli/plan.c, app/plan.c). */
#define PLAN_CHANGE_TYPE "application/vnd.heddle.change+json"

struct plan;

/* Between turns of the mesh. */
struct plan *plan_new(const struct mesh *mesh);
/* The present is that of a cluster: the API server fills in what is not written (model/applied.h).
 * now: seconds since 1970. */
void plan_applied(struct plan *plan, int64_t now);
/* A client that is connected, how it speaks, and of a proxyless one the listeners it asked for. */
void plan_client(struct plan *plan, const struct mesh_client *client, enum stream_protocol protocol,
                 const struct str *listeners, size_t nlisteners);

/* The change: files to be applied over the present objects, as kubectl apply would … */
void plan_text(struct plan *plan, struct str name, struct str text);
void plan_unreadable(struct plan *plan, struct str name, struct str reason);
/* … and objects to be deleted first: "KIND/NAMESPACE/NAME". */
void plan_delete(struct plan *plan, struct str what);

/*
 * Once. Writes an object (docs/plan.md):
 *   problems, errors, warnings   of the files, and what is found then and not now (findings.h);
 * with errors that is all objects     change "added", "changed", "removed" or "unchanged", object,
 * file, line resources   change, type, scope, name, before and after in bytes assumed     true when
 * no client has any scope: resources are those of sidecars in all namespaces clients     those that
 * would be sent something: node, resources, removed, bytes connected   how many clients there are
 *   status      object, parent, type, before and after: status, reason, message
 *   requests    those that fare differently: client, method, url, sni, headers, before and after
 * (as explain() tells), moved: goes elsewhere, also: what else is done differently asked       how
 * many requests and connections were made up; left_out: matches for which none was False when an
 * object that is to be deleted is not there; what was written is of no use then.
 */
bool plan_write(struct plan *plan, struct json *json, struct err *err);
void plan_free(struct plan *plan);

#endif
