/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: the last good objects of each config file, kept over restarts. For the source folder only.
 *
 *   STATE_DIR/lock                whoever holds it (flock) keeps its state here, nobody else
 *   STATE_DIR/objects-<hash>      one file for each config directory, by the hash of its path
 *
 *   ┌───────┬────────┬────────┬────────┬─────┐
 *   │ magic │ a.yaml │ b.yaml │ a.yaml │ …   │ ◄── a batch is appended with one write(2)
 *   └───────┴────────┴────────┴────────┴─────┘
 *             dead              in force: the last record of a name (source/record.h)
 *
 * What cannot be read (a torn or damaged record, and all that stands behind it) is cut off; it only
 * means that a start with broken documents is not complete, or older than it could be. Nothing is
 * synced to the disk: a crash of heddle loses nothing that was written, a crash of the machine may
 * lose the tail. When too much of the file is dead, what is in force is copied to a new one, which
 * then takes its place by rename; nothing is locked out meanwhile.
 *
 * Reading and copying go in pieces, so that whoever calls can look after others in between:
 *
 *   state_open ─► state_read… ─► ( state_put… ─► state_flush )… ─► state_compact… ─┐ ─► state_close
 *                                └◄────────────────────────────────────────────────┘
 * Thread 0.
 */
#ifndef HEDDLE_SOURCE_STATE_H
#define HEDDLE_SOURCE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "source/record.h"
#include "source/text_file.h"

#define STATE_MAGIC "heddle state 2\n"
#define STATE_NAMES_MAX SOURCE_FILES_MAX
#define STATE_BYTES_MAX ((uint64_t)4 << 30) /* of the file: what is appended beyond is refused */
#define STATE_BATCH_MAX ((size_t)4 << 20)   /* a batch of this size should be flushed */
#define STATE_PIECE_MAX ((size_t)256 << 10) /* read at once */
#define STATE_SLACK_MAX ((uint64_t)1 << 20) /* dead bytes, besides as many as are in force */
#define STATE_FILE_LEN (8 + HASH_TEXT_LEN)  /* "objects-0123456789abcdef" and its NUL */

struct state_entry; /* where the last record of a name stands */

struct state {
    int fd; /* of the file, for appending; -1: no state is kept */
    int dir_fd, lock_fd;
    char file[STATE_FILE_LEN];
    struct map entries; /* name -> struct state_entry */
    uint64_t size;      /* of the file */
    uint64_t live;      /* bytes of the records in force */
    uint64_t max;       /* STATE_BYTES_MAX, less in tests */
    uint64_t ignored;   /* bytes that could not be read and were cut off */
    bool is_read;
    bool torn;   /* the file may have more than `size` bytes, which must be cut off before others
                    are appended: they could not be read */
    bool tidied; /* the first compaction is done, or was not needed */
    struct {     /* what state_read() and state_compact() look through */
        uint64_t at;
        struct buf bytes; /* of the file, from there on */
    } scan;
    struct {
        struct buf bytes;
        struct map entries; /* name -> struct state_entry, of what is in the batch */
    } batch;
    struct {
        int fd;           /* of the new file; -1: none is being made */
        struct buf bytes; /* that it does not have yet */
        uint64_t size;    /* with those */
        uint64_t begin;   /* size of the old file when it began */
        uint64_t not_yet; /* after a failure: the size at which to try again */
    } copy;
};

enum state_opened {
    STATE_OPEN,
    STATE_LOCKED, /* no state is kept and err says why: another heddle keeps its own here */
    STATE_FAILED
};

/* For a struct state that nothing was opened in. */
void state_init(struct state *state);
/* dir is made when it does not exist. The state stays closed on all but STATE_OPEN. */
enum state_opened state_open(struct state *state, const char *dir, const char *config_path,
                             struct err *err);
/* Forgets what was put and not flushed. No state is kept from here on. */
void state_close(struct state *state);
/* Reads one piece of what was kept, until is_read. False when no more can be read. */
bool state_read(struct state *state, struct err *err);
/* What is kept under a name, once all is read; false when there is nothing. */
bool state_load(const struct state *state, struct str name, struct buf *ret_text);
/* The names under which something is kept, in no order. */
void state_names(const struct state *state, struct name_list *names);
/* Adds to the batch, unless the same is kept already. An empty text: the name is gone. False when
 * a limit is in the way. */
bool state_put(struct state *state, struct str name, struct str text, struct err *err);
/* Appends the batch. On failure it is dropped: what was kept before stays. */
bool state_flush(struct state *state, struct err *err);
/* Does one piece of a compaction if one is due: when the file holds more than twice what is in
 * force and STATE_SLACK_MAX; the first time, when it holds anything else. Sets ret_more when there
 * is more to do. On failure the file stays as it is. */
bool state_compact(struct state *state, bool *ret_more, struct err *err);
/* The file's name for a config directory. */
void state_file_name(const char *config_path, char ret_name[STATE_FILE_LEN]);

#endif
