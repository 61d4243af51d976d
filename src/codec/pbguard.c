/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pbguard: may these bytes be given to protobuf_c_message_unpack()?
 *
 * That function recurses as deep as the sender likes and allocates for every record it meets, so
 * a few hundred kilobytes could end the process. The guard walks the same bytes by the same
 * descriptors, allocates nothing, visits each byte once, and stops at the first limit. Strings
 * need not be UTF-8: protobuf-c does not look either.
 */
#include <string.h>

#include "codec/pb.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

#define TAG_MAX 5       /* bytes of a tag; protobuf-c reads no longer ones */
#define VARINT_MAX 10   /* bytes of any varint */
#define SEEN_FIELDS 256 /* fields of a message whose repetition is noticed at once */

struct guard {
    const struct pb_limits *limits;
    unsigned messages;
    unsigned elements;
    struct err *err;
};

struct record {
    uint32_t field;
    unsigned wire;
    struct str value; /* of WIRE_BYTES: the contents */
};

static bool malformed(struct guard *guard, const ProtobufCMessageDescriptor *type, const char *why)
{
    return err_set(guard->err, "message '%s' is malformed: %s", type->name, why);
}

/* Takes a varint of at most max bytes off the front. */
static bool take_varint(struct str *bytes, size_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes->len && i < max; i++) {
        uint8_t byte = (uint8_t)bytes->ptr[i];
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *bytes = str_sub(*bytes, i + 1, bytes->len);
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool take_fixed(struct str *bytes, uint64_t len, struct str *ret_value)
{
    if (len > bytes->len) {
        return false;
    }
    *ret_value = str_sub(*bytes, 0, (size_t)len);
    *bytes = str_sub(*bytes, (size_t)len, bytes->len);
    return true;
}

/* Takes a tag and what it announces off the front. */
static bool take_record(struct str *bytes, struct record *ret_record)
{
    uint64_t tag, number;
    if (!take_varint(bytes, TAG_MAX, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
        return false;
    }
    *ret_record = (struct record){.field = (uint32_t)(tag >> 3), .wire = (unsigned)(tag & 7)};
    switch (ret_record->wire) {
    case WIRE_VARINT:
        return take_varint(bytes, VARINT_MAX, &number);
    case WIRE_64:
        return take_fixed(bytes, 8, &ret_record->value);
    case WIRE_32:
        return take_fixed(bytes, 4, &ret_record->value);
    case WIRE_BYTES:
        return take_varint(bytes, VARINT_MAX, &number) &&
               take_fixed(bytes, number, &ret_record->value);
    default:
        return false; /* groups, which proto3 does not have */
    }
}

static unsigned wire_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_BYTES;
    default:
        return WIRE_VARINT;
    }
}

static bool count_elements(struct guard *guard, const ProtobufCMessageDescriptor *type,
                           size_t count)
{
    if (count > guard->limits->elements - guard->elements) {
        return err_set(guard->err, "message '%s' has too many elements (more than %u in all)",
                       type->name, guard->limits->elements);
    }
    guard->elements += (unsigned)count;
    return true;
}

/* A packed field: elements back to back. */
static bool guard_packed(struct guard *guard, const ProtobufCMessageDescriptor *type, unsigned wire,
                         struct str bytes)
{
    if (wire != WIRE_VARINT) {
        size_t size = wire == WIRE_32 ? 4 : 8;
        return bytes.len % size == 0 ? count_elements(guard, type, bytes.len / size)
                                     : malformed(guard, type, "a packed field is cut off");
    }
    while (bytes.len != 0) {
        uint64_t value;
        if (!take_varint(&bytes, VARINT_MAX, &value)) {
            return malformed(guard, type, "a packed field is cut off");
        }
        if (!count_elements(guard, type, 1)) {
            return false;
        }
    }
    return true;
}

/* Notes that a singular field occurs; *ret_again when it did before. */
static void note_seen(uint64_t seen[SEEN_FIELDS / 64], size_t index, bool *ret_again)
{
    if (index >= SEEN_FIELDS) {
        *ret_again = true; /* not remembered: taken for the worse */
        return;
    }
    uint64_t mask = UINT64_C(1) << (index % 64);
    *ret_again = (seen[index / 64] & mask) != 0;
    seen[index / 64] |= mask;
}

static bool guard_message(struct guard *guard, const ProtobufCMessageDescriptor *type,
                          struct str bytes, unsigned depth);

static bool guard_field(struct guard *guard, const ProtobufCMessageDescriptor *type,
                        const ProtobufCFieldDescriptor *field, const struct record *record,
                        bool again, unsigned depth)
{
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    unsigned wire = wire_of(field->type);
    if (record->wire != wire) {
        if (repeated && record->wire == WIRE_BYTES) {
            return guard_packed(guard, type, wire, record->value);
        }
        return malformed(guard, type, "a field has the wrong wire type");
    }
    if ((repeated || again) && !count_elements(guard, type, 1)) {
        return false;
    }
    if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
        return true;
    }
    if (again) {
        return malformed(guard, type, "a field that holds one message occurs twice");
    }
    if (guard->messages >= guard->limits->messages) {
        return err_set(guard->err, "message '%s' has too many messages in it (more than %u)",
                       type->name, guard->limits->messages);
    }
    guard->messages++;
    return guard_message(guard, field->descriptor, record->value, depth + 1);
}

static bool guard_message(struct guard *guard, const ProtobufCMessageDescriptor *type,
                          struct str bytes, unsigned depth)
{
    if (depth > guard->limits->depth) {
        return err_set(guard->err, "message '%s' is nested too deep (more than %u levels)",
                       type->name, guard->limits->depth);
    }
    uint64_t seen[SEEN_FIELDS / 64] = {0};
    while (bytes.len != 0) {
        struct record record;
        if (!take_record(&bytes, &record)) {
            return malformed(guard, type, "a field is cut off or of no known wire type");
        }
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, record.field);
        if (field == NULL) {
            if (!count_elements(guard, type, 1)) {
                return false;
            }
            continue;
        }
        bool again = false;
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            note_seen(seen, (size_t)(field - type->fields), &again);
        }
        if (!guard_field(guard, type, field, &record, again, depth)) {
            return false;
        }
    }
    return true;
}

bool pb_guard(const ProtobufCMessageDescriptor *type, struct str bytes,
              const struct pb_limits *limits, struct err *err)
{
    struct guard guard = {.limits = limits, .err = err};
    return guard_message(&guard, type, bytes, 0);
}
