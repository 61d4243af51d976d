/* SPDX-License-Identifier: Apache-2.0 */
/* plan_text: what a plan (pipeline/plan.h) says, for people. */
#ifndef HEDDLE_CLI_PLAN_TEXT_H
#define HEDDLE_CLI_PLAN_TEXT_H

#include <jansson.h>

#define PLAN_LINES_MAX 100 /* of one section; -o json tells all */

void plan_print(const json_t *plan);

#endif
