/* SPDX-License-Identifier: Apache-2.0 */
/* outline: see outline.h. */
#include "serve/outline.h"

#include <stdbool.h>
#include <string.h>

#define OUTLINE_FIELD_MAX 31 /* the bits of a set of fields */

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct field {
    uint32_t number;
    size_t len;         /* with its tag */
    struct str content; /* STR_NULL unless it is length-delimited */
};

/* Length of the varint at the front and its value; 0 when there is none. */
static size_t read_varint(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < s.len && i < 10; i++) {
        value |= ((uint64_t)(uint8_t)s.ptr[i] & 0x7f) << (7 * i);
        if (((uint8_t)s.ptr[i] & 0x80) == 0) {
            *ret_value = value;
            return i + 1;
        }
    }
    return 0;
}

/* The field at the front; false: malformed. */
static bool read_field(struct str s, struct field *ret_field)
{
    uint64_t tag;
    uint64_t value;
    size_t head = read_varint(s, &tag);
    if (head == 0) {
        return false;
    }
    struct str rest = str_sub(s, head, SIZE_MAX);
    struct str content = STR_NULL;
    size_t body = 0;
    switch (tag & 7) {
    case WIRE_VARINT:
        body = read_varint(rest, &value);
        break;
    case WIRE_FIXED64:
        body = 8;
        break;
    case WIRE_FIXED32:
        body = 4;
        break;
    case WIRE_BYTES:
        body = read_varint(rest, &value);
        if (body == 0 || value > rest.len - body) {
            return false;
        }
        content = str_sub(rest, body, (size_t)value);
        body += (size_t)value;
        break;
    default:
        break;
    }
    uint64_t number = tag >> 3;
    *ret_field =
        (struct field){number <= OUTLINE_FIELD_MAX ? (uint32_t)number : 0, head + body, content};
    return body != 0 && body <= rest.len;
}

/* Length of the short length-delimited fields at the front that have this tag of one byte. A list
 * of a thousand names is gone through here, at two bytes a name. */
static size_t equal_fields(struct str s, char tag, struct str *last)
{
    size_t at = 0;
    while (s.len - at >= 2 && s.ptr[at] == tag && (uint8_t)s.ptr[at + 1] < 0x80) {
        size_t len = (uint8_t)s.ptr[at + 1];
        if (s.len - at - 2 < len) {
            break; /* read_field() will say so */
        }
        *last = (struct str){s.ptr + at + 2, len};
        at += 2 + len;
    }
    return at;
}

static void add_field(struct outline *outline, const struct field *field, const char *at)
{
    if (outline->len == 0 || outline->runs[outline->len - 1].field != field->number) {
        outline->runs[outline->len++] =
            (struct outline_run){.field = field->number, .bytes = {at, 0}};
    }
    struct outline_run *run = &outline->runs[outline->len - 1];
    run->bytes.len += field->len;
    run->last = field->content;
}

void outline_read(struct str bytes, struct outline *ret_outline)
{
    struct field field;
    ret_outline->len = 0;
    for (size_t at = 0; at < bytes.len;) {
        struct str rest = str_sub(bytes, at, SIZE_MAX);
        if (!read_field(rest, &field) || ret_outline->len == OUTLINE_RUNS_MAX) {
            ret_outline->len = 0;
            return;
        }
        if (field.content.ptr != NULL && (uint8_t)rest.ptr[0] < 0x80) {
            rest = str_sub(rest, field.len, SIZE_MAX);
            field.len += equal_fields(rest, bytes.ptr[at], &field.content);
        }
        add_field(ret_outline, &field, bytes.ptr + at);
        at += field.len;
    }
}

struct str outline_last(const struct outline *outline, uint32_t field)
{
    struct str last = STR_NULL;
    for (unsigned i = 0; i < outline->len; i++) {
        if (outline->runs[i].field == field && outline->runs[i].last.ptr != NULL) {
            last = outline->runs[i].last;
        }
    }
    return last;
}

struct hash outline_hash(const struct outline *outline, uint32_t field)
{
    struct hash all = {0, 0};
    for (unsigned i = 0; i < outline->len; i++) {
        if (outline->runs[i].field == field) {
            all = hash_mix(all, hash_bytes(outline->runs[i].bytes));
        }
    }
    return all;
}

static bool left_out(const struct outline_run *run, uint32_t fields)
{
    return (fields >> run->field & 1) != 0;
}

struct str outline_without(const struct outline *outline, uint32_t fields, struct arena *arena)
{
    size_t len = 0;
    for (unsigned i = 0; i < outline->len; i++) {
        len += left_out(&outline->runs[i], fields) ? 0 : outline->runs[i].bytes.len;
    }
    char *out = arena_alloc(arena, len);
    size_t at = 0;
    for (unsigned i = 0; i < outline->len; i++) {
        const struct outline_run *run = &outline->runs[i];
        if (!left_out(run, fields)) {
            memcpy(out + at, run->bytes.ptr, run->bytes.len);
            at += run->bytes.len;
        }
    }
    return str_span(out, len);
}
