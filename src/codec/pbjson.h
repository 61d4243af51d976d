/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pbjson: what codec/pbjson.c (ordinary messages) and codec/pbjson_known.c (the types of
 * google.protobuf that have a form of their own) share. Nobody else includes this; see pb.h.
 */
#ifndef HEDDLE_CODEC_PBJSON_H
#define HEDDLE_CODEC_PBJSON_H

#include "codec/json.h"
#include "codec/pb.h"

struct pbjson {
    struct json json;
    const struct pb_json_options *options;
    bool hidden; /* inside a field that is not to be shown */
};

/* Where a field lies in its message; of a repeated field, where the pointer to the array lies. */
static inline const void *pbjson_member(const ProtobufCMessage *message,
                                        const ProtobufCFieldDescriptor *field)
{
    return (const char *)message + field->offset;
}

bool pbjson_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Number of elements of a repeated field. */
size_t pbjson_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Any message, in its own form if it has one. */
void pbjson_message(struct pbjson *writer, const ProtobufCMessage *message);
/* The fields of an ordinary message, into an object that is open. */
void pbjson_fields(struct pbjson *writer, const ProtobufCMessage *message);
/* The value of a field whether it is set or not: of a repeated one an array, of a map an object. */
void pbjson_value(struct pbjson *writer, const ProtobufCMessage *message,
                  const ProtobufCFieldDescriptor *field);
/* some_field_name -> someFieldName, appended. */
void pbjson_camel(struct str name, struct buf *out);

/* Writes a message that has a form of its own; false, and nothing written, when it has none. */
bool pbjson_known(struct pbjson *writer, const ProtobufCMessage *message);
bool pbjson_is_known(const ProtobufCMessageDescriptor *type);

#endif
