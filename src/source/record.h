/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: how the last good objects of one config file stand in the state file. For the source
 * folder only.
 *
 *   16 bytes   4 bytes         4 bytes
 *  ┌──────────┬───────────────┬───────────────┬──────┬────────────────────┐
 *  │ checksum │ length of     │ length of     │ name │ text: JSON lines,  │
 *  │ (XXH3)   │ the name      │ the text      │      │ or nothing         │
 *  └──────────┴───────────────┴───────────────┴──────┴────────────────────┘
 *             └──────────────── what it covers ──────────────────────────┘
 *
 * Numbers are little-endian. A record without text says that the name is gone.
 */
#ifndef HEDDLE_SOURCE_RECORD_H
#define HEDDLE_SOURCE_RECORD_H

#include "base/buf.h"
#include "base/str.h"
#include "codec/doc.h"
#include "codec/hash.h"

#define RECORD_HEAD_LEN 24
#define RECORD_NAME_MAX 255           /* bytes, at least 1; what Linux takes as a name */
#define RECORD_TEXT_MAX DOC_BYTES_MAX /* more could not be read again, so it is not kept */
#define RECORD_LEN_MAX (RECORD_HEAD_LEN + RECORD_NAME_MAX + (size_t)RECORD_TEXT_MAX)

struct record {
    struct str name, text; /* borrowed from the bytes */
    struct hash sum;
    size_t len; /* of the whole record */
};

enum record_result {
    RECORD_OK,
    RECORD_CUT, /* the bytes end before the record does */
    RECORD_BAD  /* this is no record */
};

/* Reads the record that the bytes begin with. */
enum record_result record_read(struct str bytes, struct record *ret_record);
/* The checksum of a record. name and text are within the limits, here and below. */
struct hash record_sum(struct str name, struct str text);
void record_write(struct str name, struct str text, struct hash sum, struct buf *out);

#endif
