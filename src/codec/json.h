/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: writing JSON into a buf, commas and escapes taken care of.
 *
 *   struct json j; json_init(&j, &buf, 2);          2 = indentation, 0 = compact
 *   json_open(&j, '{'); json_member_str(&j, "name", name); json_close(&j, '}');
 *
 * Invalid UTF-8 becomes U+FFFD. What is written can be read as YAML too. Nesting is limited to
 * JSON_DEPTH_MAX (panics: our own output).
 */
#ifndef HEDDLE_CODEC_JSON_H
#define HEDDLE_CODEC_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#define JSON_DEPTH_MAX 256

struct json {
    struct buf *out;
    unsigned indent;
    unsigned depth;
    bool after_key;
    bool has_item[JSON_DEPTH_MAX];
};

void json_init(struct json *json, struct buf *out, unsigned indent);
void json_open(struct json *json, char bracket);  /* '{' or '[' */
void json_close(struct json *json, char bracket); /* '}' or ']' */
void json_key(struct json *json, const char *key);
void json_key_str(struct json *json, struct str key);
void json_str(struct json *json, struct str value);
void json_text(struct json *json, const char *value);
void json_int(struct json *json, int64_t value);
void json_uint(struct json *json, uint64_t value);
/* The shortest digits that read back as the same number; "NaN", "Infinity" and "-Infinity" as
 * strings, as protobuf does. (The names json_real and json_null are jansson's.) */
void json_double(struct json *json, double value);
void json_bool(struct json *json, bool value);
void json_nil(struct json *json); /* null */
/* A member of an object at once. */
void json_member_str(struct json *json, const char *key, struct str value);
void json_member_text(struct json *json, const char *key, const char *value);
void json_member_int(struct json *json, const char *key, int64_t value);
void json_member_uint(struct json *json, const char *key, uint64_t value);
void json_member_bool(struct json *json, const char *key, bool value);
/* Already encoded JSON, copied as it is (compact). */
void json_raw(struct json *json, struct str value);
/* Checks JSON text and writes it again with this writer's indentation, numbers and strings
 * spelled as they were. False, and nothing written, when it is no JSON or nested too deep. */
bool json_reindent(struct json *json, struct str value);

#endif
