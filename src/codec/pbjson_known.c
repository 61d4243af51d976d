/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pbjson_known: the types of google.protobuf whose JSON is not the list of their fields.
 *
 * They are known by name and read through their descriptors (fields stand in the order of their
 * numbers), so that codec/ needs no generated header.
 */
#include <stdlib.h>
#include <time.h>

#include "codec/pbjson.h"

#define DURATION_SECONDS_MAX INT64_C(315576000000)    /* 10,000 years */
#define TIMESTAMP_SECONDS_MIN (-INT64_C(62135596800)) /* year 1 */
#define TIMESTAMP_SECONDS_MAX INT64_C(253402300799)   /* end of year 9999 */
#define NANOS_MAX 999999999

/* What may come out of an Any before it is shown as bytes. */
static const struct pb_limits any_limits = {.depth = 100, .messages = 200000, .elements = 2000000};

/* Writes one type; false when this value has no special form (an impossible date). */
typedef bool known_fn(struct pbjson *writer, const ProtobufCMessage *message);

static const void *member_at(const ProtobufCMessage *message, unsigned index)
{
    return pbjson_member(message, &message->descriptor->fields[index]);
}

/* Nothing, or the point and 3, 6 or 9 digits. */
static void add_nanos(struct buf *out, int32_t nanos)
{
    if (nanos == 0) {
        return;
    }
    if (nanos % 1000000 == 0) {
        buf_printf(out, ".%03d", nanos / 1000000);
    } else if (nanos % 1000 == 0) {
        buf_printf(out, ".%06d", nanos / 1000);
    } else {
        buf_printf(out, ".%09d", nanos);
    }
}

static bool put_duration(struct pbjson *writer, const ProtobufCMessage *message)
{
    int64_t seconds = *(const int64_t *)member_at(message, 0);
    int32_t nanos = *(const int32_t *)member_at(message, 1);
    if (seconds > DURATION_SECONDS_MAX || seconds < -DURATION_SECONDS_MAX || nanos > NANOS_MAX ||
        nanos < -NANOS_MAX || (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)) {
        return false;
    }
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    buf_printf(&text, "%s%lld", seconds < 0 || nanos < 0 ? "-" : "", llabs(seconds));
    add_nanos(&text, abs(nanos));
    buf_add_byte(&text, 's');
    json_str(&writer->json, buf_str(&text));
    buf_release(&text);
    return true;
}

static bool put_timestamp(struct pbjson *writer, const ProtobufCMessage *message)
{
    int64_t seconds = *(const int64_t *)member_at(message, 0);
    int32_t nanos = *(const int32_t *)member_at(message, 1);
    if (seconds > TIMESTAMP_SECONDS_MAX || seconds < TIMESTAMP_SECONDS_MIN || nanos < 0 ||
        nanos > NANOS_MAX) {
        return false;
    }
    time_t when = (time_t)seconds;
    struct tm tm;
    gmtime_r(&when, &tm);
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    buf_printf(&text, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
               tm.tm_hour, tm.tm_min, tm.tm_sec);
    add_nanos(&text, nanos);
    buf_add_byte(&text, 'Z');
    json_str(&writer->json, buf_str(&text));
    buf_release(&text);
    return true;
}

static bool put_field_mask(struct pbjson *writer, const ProtobufCMessage *message)
{
    size_t count = pbjson_count(message, &message->descriptor->fields[0]);
    const char *const *paths = *(const char *const *const *)member_at(message, 0);
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    for (size_t i = 0; i < count; i++) {
        if (i != 0) {
            buf_add_byte(&text, ',');
        }
        pbjson_camel(str_from(paths[i]), &text);
    }
    json_str(&writer->json, buf_str(&text));
    buf_release(&text);
    return true;
}

/* Wrappers, Struct and ListValue are what their only field is. */
static bool put_only_field(struct pbjson *writer, const ProtobufCMessage *message)
{
    pbjson_value(writer, message, &message->descriptor->fields[0]);
    return true;
}

static bool put_value(struct pbjson *writer, const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (pbjson_present(message, field)) {
            pbjson_value(writer, message, field);
            return true;
        }
    }
    json_nil(&writer->json);
    return true;
}

static bool put_empty(struct pbjson *writer, const ProtobufCMessage *message)
{
    (void)message;
    json_raw(&writer->json, STR("{}"));
    return true;
}

static ProtobufCMessage *any_unpack(struct pbjson *writer, struct str type_url, struct str value)
{
    pb_lookup_fn *lookup = writer->options->lookup;
    const ProtobufCMessageDescriptor *type = lookup != NULL ? lookup(type_url) : NULL;
    if (type == NULL || !pb_guard(type, value, &any_limits, NULL)) {
        return NULL;
    }
    return protobuf_c_message_unpack(type, NULL, value.len, (const uint8_t *)value.ptr);
}

static bool put_any(struct pbjson *writer, const ProtobufCMessage *message)
{
    struct str type_url = str_from(*(const char *const *)member_at(message, 0));
    const ProtobufCBinaryData *bytes = member_at(message, 1);
    struct str value = str_span((const char *)bytes->data, bytes->len);
    json_open(&writer->json, '{');
    if (type_url.len != 0) {
        json_key(&writer->json, "@type");
        json_str(&writer->json, type_url);
        ProtobufCMessage *inner = any_unpack(writer, type_url, value);
        if (inner == NULL) {
            json_key(&writer->json, "value");
            pbjson_value(writer, message, &message->descriptor->fields[1]);
        } else if (pbjson_is_known(inner->descriptor)) {
            json_key(&writer->json, "value");
            pbjson_message(writer, inner);
        } else {
            pbjson_fields(writer, inner);
        }
        if (inner != NULL) {
            protobuf_c_message_free_unpacked(inner, NULL);
        }
    }
    json_close(&writer->json, '}');
    return true;
}

static const struct known {
    const char *name; /* after "google.protobuf." */
    known_fn *put;
} known_types[] = {
    {"Any", put_any},
    {"BoolValue", put_only_field},
    {"BytesValue", put_only_field},
    {"DoubleValue", put_only_field},
    {"Duration", put_duration},
    {"Empty", put_empty},
    {"FieldMask", put_field_mask},
    {"FloatValue", put_only_field},
    {"Int32Value", put_only_field},
    {"Int64Value", put_only_field},
    {"ListValue", put_only_field},
    {"StringValue", put_only_field},
    {"Struct", put_only_field},
    {"Timestamp", put_timestamp},
    {"UInt32Value", put_only_field},
    {"UInt64Value", put_only_field},
    {"Value", put_value},
};

static const struct known *known_find(const ProtobufCMessageDescriptor *type)
{
    struct str name = str_from(type->name);
    struct str package = STR("google.protobuf.");
    if (!str_starts_with(name, package)) {
        return NULL;
    }
    name = str_sub(name, package.len, name.len);
    for (size_t i = 0; i < sizeof(known_types) / sizeof(known_types[0]); i++) {
        if (str_eq(name, str_from(known_types[i].name))) {
            return &known_types[i];
        }
    }
    return NULL;
}

bool pbjson_is_known(const ProtobufCMessageDescriptor *type)
{
    return known_find(type) != NULL;
}

bool pbjson_known(struct pbjson *writer, const ProtobufCMessage *message)
{
    const struct known *known = known_find(message->descriptor);
    return known != NULL && known->put(writer, message);
}
