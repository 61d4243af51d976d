/* SPDX-License-Identifier: Apache-2.0 */
/* fetch: asking a running heddle's admin endpoint. */
#ifndef HEDDLE_CLI_FETCH_H
#define HEDDLE_CLI_FETCH_H

#include "base/arena.h"
#include "base/buf.h"
#include "cli/option.h"

#define FETCH_MAX (512u << 20)
#define FETCH_TIMEOUT_S 30L

/* GET http://<--admin><path>. Returns the exit code: 0, EXIT_INPUT with the words of a server that
 * does not like the question, or EXIT_ENVIRONMENT. */
int fetch(const struct options *options, const char *path, struct buf *ret_body, struct err *err);
/* POST; type: "content-type: …". */
int fetch_post(const struct options *options, const char *path, const char *type, struct str body,
               struct buf *ret_body, struct err *err);
/* For a query parameter. */
struct str fetch_escape(struct arena *arena, struct str text);

#endif
