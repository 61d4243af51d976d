/* SPDX-License-Identifier: Apache-2.0 */
/* plan_verdict: what becomes of one made-up request, and whether that differs. A part of plan.h. */
#ifndef HEDDLE_PIPELINE_PLAN_VERDICT_H
#define HEDDLE_PIPELINE_PLAN_VERDICT_H

#include "codec/json.h"
#include "pipeline/question.h"

struct plan_verdict {
    const struct ir_route *taker; /* in a row that somebody holds; NULL: none */
    bool own;                     /* what the sample was made for took it */
    struct str where;             /* differs when it goes elsewhere */
    struct str answer;            /* as explain() tells, JSON members */
};

/* A request or connection that was made up. */
struct plan_sample {
    struct question question;
    struct str url;
    const struct ir_routing *of; /* whose route or connection */
    size_t nth;
    bool of_before; /* else of after */
    struct plan_verdict before, after;
};

void plan_ask(const struct engine *engine, const struct plan_sample *sample, struct arena *arena,
              struct plan_verdict *ret_verdict);
/* Writes an object when the verdicts differ, else nothing. */
void plan_tell(const struct plan_sample *sample, struct arena *arena, struct json *json);

#endif
