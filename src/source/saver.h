/* SPDX-License-Identifier: Apache-2.0 */
/*
 * saver: which files' state must be written, and doing so in pieces after a turn. What could not be
 * written (a full disk) is tried again, later and later. For the source folder only. Thread 0.
 * Logs.
 */
#ifndef HEDDLE_SOURCE_SAVER_H
#define HEDDLE_SOURCE_SAVER_H

#include <stdbool.h>

#include "source/file_set.h"
#include "source/state.h"

struct saver {
    const struct file_set *set;
    struct state state;
    struct name_list names; /* of files whose state may have changed and is not written yet */
    struct name_list batch; /* of those whose state is on its way to the file */
    bool swept;             /* what is kept of files that are not here any more is in names */
    uint64_t wait_ms;       /* before the next try, after a failure; else 0 */
    uint64_t next_wait_ms;
};

void saver_init(struct saver *saver, const struct file_set *set);
/* False when the directory is of no use. When another heddle uses it, says so and keeps nothing. */
bool saver_open(struct saver *saver, struct str dir, const char *config_path, struct err *err);
void saver_release(struct saver *saver);
/* Of all files of which something was kept before the restart, sorted; reads it all. */
void saver_names(struct saver *saver, struct name_list *ret_names);
/* The last good objects of one of them. */
bool saver_load(struct saver *saver, struct str name, struct buf *ret_text);
/* The file came, changed or went. */
void saver_add(struct saver *saver, struct str name);
/* After a turn. Returns whether there is something to do now. */
bool saver_begin(struct saver *saver);
/* Does one piece. Returns whether there is more to do now; when not, wait_ms may say that there is
 * later: then call saver_resume() and go on. */
bool saver_step(struct saver *saver);
void saver_resume(struct saver *saver);
/* Writes all there is to write, now, if it can be written. */
void saver_finish(struct saver *saver);

#endif
