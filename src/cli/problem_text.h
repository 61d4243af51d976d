/* SPDX-License-Identifier: Apache-2.0 */
/* problem_text: a problem as `heddle check` and `heddle plan` print it. */
#ifndef HEDDLE_CLI_PROBLEM_TEXT_H
#define HEDDLE_CLI_PROBLEM_TEXT_H

#include "model/problem.h"

/* file:line:column: error HED008: object: path: text
 *     remedy */
void problem_print(struct str file, const struct problem *problem);

#endif
