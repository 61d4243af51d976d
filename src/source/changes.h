/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes: what does inotify say must be read?
 *
 *   event of a name in the directory ──► `names`, when the file is complete
 *   event of a name the path depends on, overflow ──► `all`
 *
 * A name appears with IN_CREATE in two ways. Either someone opened a new file, and writes it: then
 * IN_OPEN follows before anything is in it, and IN_CLOSE_WRITE in the end. Or a file that was
 * written elsewhere was linked (link(2), or linkat(2) of what O_TMPFILE made), and nothing
 * follows. So a name that appeared is young, and not read, until it is closed; or, if it has
 * contents and nobody has opened it, at once. For the source folder only.
 */
#ifndef HEDDLE_SOURCE_CHANGES_H
#define HEDDLE_SOURCE_CHANGES_H

#include <stdbool.h>

#include "base/map.h"
#include "source/text_file.h"
#include "source/watch.h"

#define YOUNG_MAX 10000 /* files that are being written; more are read as they are */

struct changes {
    struct name_list names; /* of files that may say something else now */
    bool all;               /* everything must be read again */
    struct map young;       /* name -> struct young */
};

void changes_release(struct changes *changes);
/* Takes all events there are. Returns whether something is to be read. dir_fd: of the directory
 * whose entries are of interest. */
bool changes_take(struct changes *changes, const struct watch *watch, int dir_fd);
/* Whether a file appeared and is not complete yet. */
bool changes_is_young(const struct changes *changes, struct str name);
/* The names belong to another directory now. */
void changes_forget_young(struct changes *changes);

#endif
