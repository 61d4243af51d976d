/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_dir: the files of a directory, followed and read into a file_set.
 *
 *   changes (source/changes.h) ──► the files they name, or all ──► file_set
 *
 * What cannot be seen takes nothing away: while the directory cannot be read, or holds more than
 * the limits allow, what was read before stays, and problem HED013 says why. What failed is tried
 * again with the next event, whatever it is of; what was left out, when there is room. For the
 * source folder only. Thread 0. Logs.
 */
#ifndef HEDDLE_SOURCE_CONFIG_DIR_H
#define HEDDLE_SOURCE_CONFIG_DIR_H

#include <stdbool.h>

#include "source/changes.h"
#include "source/file_set.h"
#include "source/saver.h"

struct config_dir {
    char *path; /* absolute, links not resolved; owned */
    int fd;     /* -1: it is not open */
    size_t files_max, bytes_max;
    struct watch watch;
    struct changes changes;
    struct file_set *set; /* not owned, as the saver, which is told what was read */
    struct saver *saver;
    struct map known; /* name -> struct known_file */
    size_t bytes;     /* of all known files */
    unsigned round;
    bool stale;    /* the last full reading failed */
    bool failed;   /* so did reading some file */
    bool hidden;   /* files were left out, for there are too many */
    bool heavy;    /* or for they have too many bytes */
    bool retrying; /* everything is read only because there may be room now */
};

/* Takes the path. */
bool config_dir_open(struct config_dir *dir, char *path, struct err *err);
void config_dir_close(struct config_dir *dir);
/* Reads everything. On failure all that was read before stays. */
bool config_dir_read_all(struct config_dir *dir, struct err *err);
/* Reads what events ask for until there are no more. Returns whether there was something. */
bool config_dir_follow(struct config_dir *dir);

#endif
