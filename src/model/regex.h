/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex: is this a regular expression that every data plane can compile?
 *
 * Envoy and C-core use RE2, Go its own regexp, Java re2j: one syntax, RE2's. A client rejects the
 * whole resource that holds an expression which it cannot compile, so one that is let through
 * would stop every route beside it. Accepted is therefore only what all of them accept and mean
 * alike; a few rarities (\Q…\E, \C, octal escapes, (?<name>…), most Unicode scripts, characters
 * beyond ASCII in brackets, where Envoy sees bytes) are not.
 */
#ifndef HEDDLE_MODEL_REGEX_H
#define HEDDLE_MODEL_REGEX_H

#include <stdbool.h>

#include "base/str.h"

#define REGEX_DEPTH_MAX 64    /* groups inside groups; RE2 and Go stop at 1,000 */
#define REGEX_NAMES_MAX 128   /* groups with names, which mean nothing here */
#define REGEX_REPEAT_MAX 1000 /* {n,m}, nested ones multiplied: the same in RE2 and Go */
/* Instructions of the compiled program, estimated from above. Envoys that heddle bootstraps
 * take ENVOY_REGEX_SIZE (cli/bootstrap.c), more than this. */
#define REGEX_SIZE_MAX 20000

/* ret_why: what is wrong, to stand after "is not a regular expression: ". text is UTF-8. */
bool regex_check(struct str text, const char **ret_why);

#endif
