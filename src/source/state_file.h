/* SPDX-License-Identifier: Apache-2.0 */
/* state_file: what state.c and state_compact.c share, and nobody else sees. */
#ifndef HEDDLE_SOURCE_STATE_FILE_H
#define HEDDLE_SOURCE_STATE_FILE_H

#include "source/state.h"

#define STATE_MAGIC_LEN (sizeof(STATE_MAGIC) - 1)

struct state_entry {
    uint64_t at;        /* of its record in the file; in a batch: from its beginning */
    uint64_t copied_at; /* in the new file; 0: not there yet */
    struct hash sum;
    size_t len; /* of the record */
    bool gone;  /* in a batch only */
    size_t name_len;
    char name[];
};

enum scan_result { SCAN_MORE, SCAN_END, SCAN_BAD, SCAN_FAILED };

/* False: the record is not acceptable. */
typedef bool scan_visit_fn(struct state *state, const struct record *record, uint64_t at);

/* Reads one piece of the file and visits the records that are complete now. On SCAN_BAD, scan.at
 * is where the good records end; err is set on SCAN_FAILED only. */
enum scan_result state_scan(struct state *state, scan_visit_fn *visit, struct err *err);
void state_rewind(struct state *state);
/* All of it, or false with errno. */
bool state_write(int fd, struct str bytes);
/* Forgets the copy that is being made, and removes its file. */
void state_drop_copy(struct state *state);

#endif
