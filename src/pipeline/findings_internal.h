/* SPDX-License-Identifier: Apache-2.0 */
/* findings_internal: what the files of findings share. */
#ifndef HEDDLE_PIPELINE_FINDINGS_INTERNAL_H
#define HEDDLE_PIPELINE_FINDINGS_INTERNAL_H

#include "ir/attachment.h"
#include "model/object.h"
#include "model/service.h"
#include "pipeline/findings.h"
#include "pipeline/unreached.h"

struct finding_walk {
    const struct engine *engine;
    const struct engine *known; /* where Services are looked for that were meant */
    finding_fn *visit;
    void *user;
    struct arena scratch;
};

void finding_report(struct finding_walk *walk, const struct object *object, enum problem_code code,
                    uint32_t line, struct str path, struct str text, struct str remedy);
/* What some kind of client does not do. Of several parentRefs mostly the same: told once. */
void finding_enforced(struct finding_walk *walk, const struct object *object,
                      const struct status *status);

/* What the parentRefs of a route attach to. */
void finding_parents(struct finding_walk *walk, const struct route *route,
                     const struct attachment *attachment);
/* Whether some parent of the route is one of the mesh, or of a Gateway. */
bool finding_has_parents(const struct attachment *attachment, bool gateways);
/* "ns/name" of T_SERVICE; NULL: it is not there. */
const struct service *finding_service(struct finding_walk *walk, struct str ns, struct str name);

/* user: a struct finding_walk. */
void finding_visit_service(void *user, struct str key, const struct row *row);
void finding_visit_slice(void *user, struct str key, const struct row *row);
void finding_visit_route(void *user, struct str key, const struct row *row);
void finding_visit_gateway(void *user, struct str key, const struct row *row);
void finding_visit_listener_set(void *user, struct str key, const struct row *row);
void finding_visit_tls_policy(void *user, struct str key, const struct row *row);
void finding_visit_unreached(void *user, const struct unreached *unreached);

#endif
