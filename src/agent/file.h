/* SPDX-License-Identifier: Apache-2.0 */
/* file: writing a file so that whoever reads it finds all of it, the old or the new. */
#ifndef HEDDLE_AGENT_FILE_H
#define HEDDLE_AGENT_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* The file's folder is made when it is missing (its parent must be there). */
bool file_replace(const char *path, mode_t mode, struct str text, struct err *err);

#endif
