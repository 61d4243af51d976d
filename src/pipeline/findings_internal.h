/* SPDX-License-Identifier: Apache-2.0 */
/* findings_internal: what findings.c, findings_route.c and findings_service.c share. */
#ifndef HEDDLE_PIPELINE_FINDINGS_INTERNAL_H
#define HEDDLE_PIPELINE_FINDINGS_INTERNAL_H

#include "ir/attachment.h"
#include "model/object.h"
#include "pipeline/findings.h"
#include "pipeline/unreached.h"

struct finding_walk {
    const struct engine *engine;
    finding_fn *visit;
    void *user;
    struct arena scratch;
};

void finding_report(struct finding_walk *walk, const struct object *object, enum problem_code code,
                    uint32_t line, struct str path, struct str text, struct str remedy);
/* What some kind of client does not do. Of several parentRefs mostly the same: told once. */
void finding_enforced(struct finding_walk *walk, const struct object *object,
                      const struct status *status);

/* user: a struct finding_walk. */
void finding_visit_service(void *user, struct str key, const struct row *row);
void finding_visit_slice(void *user, struct str key, const struct row *row);
void finding_visit_route(void *user, struct str key, const struct row *row);
void finding_visit_unreached(void *user, const struct unreached *unreached);

#endif
