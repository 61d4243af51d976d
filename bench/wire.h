/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: reading and writing the protobuf wire format by hand.
 *
 * The bench shares no encoder with heddle, so that it can catch heddle's mistakes, and looks only
 * at what it needs. Everything read is borrowed from the bytes given.
 */
#ifndef HEDDLE_BENCH_WIRE_H
#define HEDDLE_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

#define WIRE_HEAD_MAX 20 /* bytes of the longest tag and the longest length behind it */

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;   /* WIRE_VARINT */
    struct str bytes; /* WIRE_BYTES */
};

struct wire {
    struct str rest;
    bool broken; /* malformed; nothing more is read */
};

struct wire wire_over(struct str message);
/* False at the end of the message, and where it is malformed. */
bool wire_next(struct wire *wire, struct wire_field *ret_field);
/* The first length-delimited field `number` of a message; STR_NULL when there is none. */
struct str wire_find(struct str message, uint32_t number);
/* How many bytes the field at the front takes. 0: too few bytes to tell. SIZE_MAX: malformed. */
size_t wire_field_size(struct str bytes);

void wire_put_varint(struct buf *out, uint64_t value);
void wire_put_bytes(struct buf *out, uint32_t number, struct str bytes);

#endif
