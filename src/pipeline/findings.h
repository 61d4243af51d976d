/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings: what is legal but probably not meant, seen over all objects: references that do not
 * resolve, routes without effect, fields that are not served. The object-local problems come from
 * model/; `heddle check`, `heddle plan` and /api/problems show both.
 */
#ifndef HEDDLE_PIPELINE_FINDINGS_H
#define HEDDLE_PIPELINE_FINDINGS_H

#include "base/vec.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "model/problem.h"

/* Called in the order of keys. The problem's texts live during the call. */
typedef void finding_fn(void *user, struct str file, const struct problem *problem);
void findings_each(const struct engine *engine, finding_fn *visit, void *user);

/* The same of an engine that has not all Services; `known` has. */
void findings_among(const struct engine *engine, const struct engine *known, finding_fn *visit,
                    void *user);

/* Certificates whose time is over. Apart, since it asks a clock, as nothing that is served does. */
void findings_expired(const struct engine *engine, uint64_t now_ms, finding_fn *visit, void *user);

/* --- a list of problems of several files ---------------------------------------------------- */
struct finding {
    struct str file;
    struct problem problem;
    size_t order; /* as found, for a stable sort */
};

struct findings { /* zeroed is empty */
    struct arena arena;
    VEC(struct finding) items;
    size_t errors;
    size_t warnings;
    size_t notes;
};

void findings_add(void *user, struct str file, const struct problem *problem); /* a finding_fn */
void findings_sort(struct findings *findings); /* by file and line */
/* Writes the members problems, errors, warnings, notes. */
void findings_dump(const struct findings *findings, struct json *json);
void findings_release(struct findings *findings);

#endif
