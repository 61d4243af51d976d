/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings: what is legal but probably not meant, seen over all objects: references that do not
 * resolve, routes without effect, fields that are not served. The object-local problems come from
 * model/; `heddle check` and /api/problems show both.
 */
#ifndef HEDDLE_PIPELINE_FINDINGS_H
#define HEDDLE_PIPELINE_FINDINGS_H

#include "model/problem.h"
#include "pipeline/mesh.h"

/* Called in the order of keys. The problem's texts live during the call. */
typedef void finding_fn(void *user, struct str file, const struct problem *problem);
void mesh_findings(const struct mesh *mesh, finding_fn *visit, void *user);

#endif
