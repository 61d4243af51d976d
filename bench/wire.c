/* SPDX-License-Identifier: Apache-2.0 */
/* wire: how is the protobuf wire format read and written by hand? */
#include "wire.h"

#define VARINT_BYTES_MAX 10

/* Bytes taken; 0 when they run out first, SIZE_MAX when the number has no end. */
static size_t read_varint(struct str bytes, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < VARINT_BYTES_MAX; i++) {
        if (i == bytes.len) {
            return 0;
        }
        uint8_t byte = (uint8_t)bytes.ptr[i];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *ret_value = value;
            return i + 1;
        }
    }
    return SIZE_MAX;
}

/* Splits head and body; the same returns as read_varint() for the head. `ret_body` counts the
 * bytes behind the head. */
static size_t read_head(struct str bytes, struct wire_field *ret_field, uint64_t *ret_body)
{
    uint64_t tag;
    size_t head = read_varint(bytes, &tag);

    if (head == 0 || head == SIZE_MAX) {
        return head;
    }
    *ret_field = (struct wire_field){(uint32_t)(tag >> 3), (enum wire_type)(tag & 7), 0, STR_NULL};
    size_t more = 0;
    struct str rest = str_sub(bytes, head, bytes.len);
    switch (ret_field->type) {
    case WIRE_VARINT:
        more = read_varint(rest, &ret_field->value);
        *ret_body = 0;
        break;
    case WIRE_BYTES:
        more = read_varint(rest, ret_body);
        break;
    case WIRE_FIXED64:
        *ret_body = 8;
        return head;
    case WIRE_FIXED32:
        *ret_body = 4;
        return head;
    default:
        return SIZE_MAX;
    }
    return more == 0 || more == SIZE_MAX ? more : head + more;
}

size_t wire_field_size(struct str bytes)
{
    struct wire_field field;
    uint64_t body;
    size_t head = read_head(bytes, &field, &body);

    if (head == 0 || head == SIZE_MAX) {
        return head;
    }
    return body > UINT32_MAX ? SIZE_MAX : head + (size_t)body;
}

struct wire wire_over(struct str message)
{
    return (struct wire){message, false};
}

bool wire_next(struct wire *wire, struct wire_field *ret_field)
{
    uint64_t body;

    if (wire->broken || wire->rest.len == 0) {
        return false;
    }
    size_t head = read_head(wire->rest, ret_field, &body);
    if (head == 0 || head == SIZE_MAX || body > wire->rest.len - head) {
        wire->broken = true;
        return false;
    }
    ret_field->bytes = str_sub(wire->rest, head, (size_t)body);
    wire->rest = str_sub(wire->rest, head + (size_t)body, wire->rest.len);
    return true;
}

struct str wire_find(struct str message, uint32_t number)
{
    struct wire wire = wire_over(message);
    struct wire_field field;

    while (wire_next(&wire, &field)) {
        if (field.number == number && field.type == WIRE_BYTES) {
            return field.bytes;
        }
    }
    return STR_NULL;
}

void wire_put_varint(struct buf *out, uint64_t value)
{
    while (value >= 0x80) {
        buf_add_byte(out, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    buf_add_byte(out, (uint8_t)value);
}

void wire_put_bytes(struct buf *out, uint32_t number, struct str bytes)
{
    wire_put_varint(out, (uint64_t)number << 3 | WIRE_BYTES);
    wire_put_varint(out, bytes.len);
    buf_add_str(out, bytes);
}
