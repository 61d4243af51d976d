/* SPDX-License-Identifier: Apache-2.0 */
/* closure: which files a program needs to be started elsewhere: its libraries and its dynamic
 * linker. */
#ifndef HEDDLE_AGENT_CLOSURE_H
#define HEDDLE_AGENT_CLOSURE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* One of them: the name by which it is asked for, and where it is. */
typedef bool closure_visit(void *user, struct str name, const char *path, bool linker,
                           struct err *err);

/* False: it is not known, or visit() said so. */
bool closure_walk(const char *program, closure_visit *visit, void *user, struct err *err);

#endif
