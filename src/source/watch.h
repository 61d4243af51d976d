/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: inotify for a directory and for everything its path depends on.
 *
 *   /etc/heddle/config ──► watched: "/" for "etc", "/etc" for "heddle", "/etc/heddle" for "config";
 *   where a component is a symbolic link, the path behind it too
 *
 * A name that a path depends on is a lookup: an event for it means that the path may lead
 * elsewhere now. For the source folder only.
 */
#ifndef HEDDLE_SOURCE_WATCH_H
#define HEDDLE_SOURCE_WATCH_H

#include <stdbool.h>
#include <sys/inotify.h>

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"

#define WATCH_DIRS_MAX 4096 /* directories; what lies beyond is not followed */

struct watched_dir {
    int wd;
    unsigned round; /* the last round that wanted it */
};

struct watch {
    int fd;
    int content_wd;   /* of the directory itself; -1: not there */
    unsigned round;   /* see watch_begin() */
    struct map names; /* "wd/name" of each lookup -> struct watched_name */
    VEC(struct watched_dir) dirs;
    unsigned missed; /* directories beyond a limit, heddle's or the kernel's, in this round */
};

bool watch_open(struct watch *watch, struct err *err);
void watch_close(struct watch *watch);

/* All that is wanted is named between begin and end; what was named before only goes at the end,
 * so that nothing is missed in between, and stays without one. */
void watch_begin(struct watch *watch);
void watch_end(struct watch *watch);
/* The directory whose entries are of interest, also who opens and closes them. path is absolute. */
bool watch_content(struct watch *watch, const char *path, struct err *err);
/* Everything an absolute path depends on. written: also when the file at its end is written. What
 * cannot be watched (no permission) is left out. */
void watch_follow(struct watch *watch, const char *path, bool written);

/* Whether an event means that some followed path may lead elsewhere. */
bool watch_is_lookup(const struct watch *watch, const struct inotify_event *event);

#endif
