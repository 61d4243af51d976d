/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_file: follows a directory of YAML and JSON files with inotify, without a timer.
 *
 * Read are *.yaml, *.yml and *.json that do not begin with a dot; not recursive, as `kubectl apply
 * -f DIR`. A turn is what inotify has delivered when it runs dry (closed after writing, linked,
 * moved, deleted). Files that must change together change by a symlink swap (as kubelet does with
 * ..data) or by a rename of the directory itself; then everything is read again and only
 * differences are reported. Thread 0. Logs.
 */
#ifndef HEDDLE_SOURCE_SOURCE_FILE_H
#define HEDDLE_SOURCE_SOURCE_FILE_H

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"
#include "source/file_set.h"

struct source_file;

struct source_file_config {
    uv_loop_t *loop;
    struct str dir;
    struct str state_dir; /* empty: no state is kept */
    bool partial;         /* serve although some documents are broken and have no last good */
    size_t files_max;     /* 0: SOURCE_FILES_MAX, less in tests */
    size_t bytes_max;     /* 0: SOURCE_BYTES_MAX, less in tests */
    struct file_set_events events;
    void *user;
    void (*turn)(void *user);                           /* a batch of events is complete */
    void (*problems)(void *user, struct file_set *set); /* after a turn that changed problems */
};

/* Reads everything once (the first turn is called before it returns unless the source is not
 * complete) and starts following. False when the directory cannot be read or watched. */
bool source_file_start(const struct source_file_config *config, struct source_file **ret_source,
                       struct err *err);
/* False while documents are broken that have no last good version (and not `partial`): then no
 * turn has been reported and nothing must be served. */
bool source_file_synced(const struct source_file *source);
const struct file_set *source_file_set(const struct source_file *source);
/* Closes watches; done is called when the handles are gone and the source may be forgotten. */
void source_file_stop(struct source_file *source, void (*done)(void *user), void *user);

/* For commands: reads FILE|DIR… once; names are as given on the command line. False when one is not
 * there at all. */
struct source_reader {
    void *user;
    void (*text)(void *user, struct str name, struct str text);
    void (*unreadable)(void *user, struct str name, struct str reason);
};
bool source_file_read_each(const struct source_reader *reader, const char *const *paths,
                           unsigned npaths, struct err *err);
/* The same, into a set. */
bool source_file_read_paths(struct file_set *set, const char *const *paths, unsigned npaths,
                            struct err *err);

#endif
