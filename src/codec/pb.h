/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pb: the protobuf wire format, as far as heddle touches it by hand.
 *
 * Messages are built and packed with protobuf-c. Containers (RouteConfiguration, Resource,
 * DiscoveryResponse) are spliced from parts that are already encoded, because repeated fields
 * concatenate on the wire. What a peer sends is looked over by pb_guard() before protobuf-c
 * unpacks it, since its unpack has neither a depth nor an allocation limit.
 */
#ifndef HEDDLE_CODEC_PB_H
#define HEDDLE_CODEC_PB_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

size_t pb_varint_size(uint64_t value);
void pb_put_varint(struct buf *out, uint64_t value);
/* One length-delimited field: tag, length, bytes. */
void pb_put_bytes(struct buf *out, uint32_t field, struct str bytes);
/* The same for a string, which must be UTF-8: a byte that is not becomes '?'. */
void pb_put_text(struct buf *out, uint32_t field, struct str text);
/* Only tag and length; the caller appends len bytes. */
void pb_put_header(struct buf *out, uint32_t field, size_t len);
void pb_put_uint(struct buf *out, uint32_t field, uint64_t value); /* varint field */
/* Packs a message as a length-delimited field. */
void pb_put_message(struct buf *out, uint32_t field, const ProtobufCMessage *message);
/* Packs a message with no field around it, into the arena. */
struct str pb_pack(struct arena *arena, const ProtobufCMessage *message);
/* "type.googleapis.com/" + full name of the message type, in the arena, NUL-terminated. */
struct str pb_type_url(struct arena *arena, const ProtobufCMessageDescriptor *type);

struct pb_limits {
    unsigned depth;    /* nested messages; 100 is the field's convention */
    unsigned messages; /* submessages in all */
    unsigned elements; /* elements of repeated fields in all */
};

/* Walks wire bytes by the descriptor without allocating: false when they are malformed or pass a
 * limit. Anything that passes may be given to protobuf_c_message_unpack(). Stricter than protobuf
 * in one point: a singular message field must not occur twice (no encoder writes it so, and
 * protobuf-c would merge the two at a cost that grows with the square). */
bool pb_guard(const ProtobufCMessageDescriptor *type, struct str bytes,
              const struct pb_limits *limits, struct err *err);

/* The descriptor behind an Any's type_url, or NULL; given by whoever links the xDS protos. */
typedef const ProtobufCMessageDescriptor *pb_lookup_fn(struct str type_url);

/* Message -> JSON by the proto3 JSON mapping (codec/pbjson.c): original field names when
 * `proto_names` is set, else lowerCamelCase. Any is expanded through lookup ("@type" first);
 * an unknown type gives {"@type": …, "value": base64}. Duration, Timestamp, Struct, wrappers and
 * FieldMask have their special forms; enums are names; 64-bit integers strings; map entries are
 * written in the order on the wire; fields in descriptor order; unset fields left out. Of fields
 * that `hides` (may be NULL) says yes to, texts and bytes at any depth are PB_JSON_HIDDEN. */
#define PB_JSON_HIDDEN "[redacted]" /* of bytes: its base64, as in Envoy's config_dump */
struct pb_json_options {
    pb_lookup_fn *lookup;
    bool proto_names;
    bool (*hides)(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field);
};
void pb_to_json(const ProtobufCMessage *message, const struct pb_json_options *options,
                struct buf *out);

#endif
