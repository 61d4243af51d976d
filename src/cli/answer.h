/* SPDX-License-Identifier: Apache-2.0 */
/* answer: printing the JSON answer to a question that was asked of a running heddle (fetch.h) or of
 * files: as it is, or for people. */
#ifndef HEDDLE_CLI_ANSWER_H
#define HEDDLE_CLI_ANSWER_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/option.h"

/* -o json: indented. Else by `print`, and without control characters: any peer can put them into
 * its names, and they must not reach the terminal. Changes the body. */
void answer_print(const struct options *options, struct buf *body,
                  void (*print)(const json_t *answer));

/* Replaces control characters in JSON. */
void answer_clean(struct buf *body);

#endif
