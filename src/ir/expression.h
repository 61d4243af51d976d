/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expression: the regular expressions of matches, evaluated. They were checked to be RE2's
 * (model/regex.h); PCRE2 reads that subset the same way. For explanations, plans and tests.
 */
#ifndef HEDDLE_IR_EXPRESSION_H
#define HEDDLE_IR_EXPRESSION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

#define EXPRESSION_SAMPLE_MAX 4096 /* bytes */

/* Of the whole text. A character is a byte, as in Envoy. */
bool expression_matches(struct str expression, struct str text);

/* A short text that it matches, made of letters and digits where it may be: "/v0/x" for
 * "/v[0-9]+/.+". False when none was found, which does not prove that there is none. */
bool expression_sample(struct str expression, struct arena *arena, struct str *ret_text);

#endif
