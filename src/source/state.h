/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: the last good objects of each file, kept over restarts.
 *
 * One file in the state directory for each config file, replaced by rename, never in part. What is
 * lost or damaged only means that a start with broken documents is not complete. For the source
 * folder only.
 */
#ifndef HEDDLE_SOURCE_STATE_H
#define HEDDLE_SOURCE_STATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/doc.h"

#define STATE_FILE_MAX DOC_BYTES_MAX /* more could not be read again, so it is not kept */

struct state {
    int fd;            /* of the directory; -1: no state is kept */
    char *config_path; /* part of the names, so that two directories may share a state directory */
};

/* dir is made when it does not exist. */
bool state_open(struct state *state, const char *dir, const char *config_path, struct err *err);
void state_close(struct state *state);
bool state_load(const struct state *state, struct str name, struct buf *ret_text);
bool state_save(const struct state *state, struct str name, struct str text, struct err *err);
void state_remove(const struct state *state, struct str name);

#endif
