/* SPDX-License-Identifier: Apache-2.0 */
/* load: files of the command line -> a mesh, once, for commands that need no daemon. */
#ifndef HEDDLE_CLI_LOAD_H
#define HEDDLE_CLI_LOAD_H

#include "cli/option.h"
#include "pipeline/mesh.h"
#include "source/file_set.h"

struct loaded {
    struct mesh *mesh;
    struct file_set *files;
};

/* False when a path cannot be read at all. */
bool load_paths(const struct options *options, const char *const *paths, unsigned npaths,
                struct loaded *ret_loaded, struct err *err);
/* Says on standard error that documents of the directory were left out, if any were. */
void loaded_warn(const struct loaded *loaded, const char *dir);
void loaded_release(struct loaded *loaded);

#endif
