/* SPDX-License-Identifier: Apache-2.0 */
/* why_text: the answer of `heddle why`, for people. */
#ifndef HEDDLE_CLI_WHY_TEXT_H
#define HEDDLE_CLI_WHY_TEXT_H

#include <jansson.h>

/* answer: what /api/why says. */
void why_print(const json_t *answer);

#endif
