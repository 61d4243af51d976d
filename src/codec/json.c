/* SPDX-License-Identifier: Apache-2.0 */
/* json: the writer. Every value begins with begin_value(), which knows about commas. */
#include "codec/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

void json_init(struct json *json, struct buf *out, unsigned indent)
{
    *json = (struct json){.out = out, .indent = indent};
}

static void new_line(struct json *json)
{
    if (json->indent != 0) {
        buf_printf(json->out, "\n%*s", (int)(json->indent * json->depth), "");
    }
}

static void begin_value(struct json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->depth == 0) {
        return;
    }
    bool *has_item = &json->has_item[json->depth - 1];
    if (*has_item) {
        buf_add_byte(json->out, ',');
    }
    *has_item = true;
    new_line(json);
}

void json_open(struct json *json, char bracket)
{
    ASSERT(bracket == '{' || bracket == '[');
    ASSERT(json->depth < JSON_DEPTH_MAX);
    begin_value(json);
    buf_add_byte(json->out, (uint8_t)bracket);
    json->has_item[json->depth++] = false;
}

void json_close(struct json *json, char bracket)
{
    ASSERT(bracket == '}' || bracket == ']');
    ASSERT(json->depth > 0 && !json->after_key);
    json->depth--;
    if (json->has_item[json->depth]) {
        new_line(json);
    }
    buf_add_byte(json->out, (uint8_t)bracket);
}

/* What stands for an ASCII character that may not stand for itself, or NULL. */
static const char *short_escape(char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

/* The code point of a character of len bytes that is written as \uXXXX, or -1. Beyond what JSON
 * demands these are the ones that YAML refuses or takes for a line break, so that all that is
 * written here can be read as YAML too. */
static int code_to_escape(struct str value, size_t at, size_t len)
{
    const unsigned char *p = (const unsigned char *)value.ptr + at;
    int code = p[0];
    if (len == 1) {
        return code < ' ' || code == 0x7F ? code : -1;
    }
    if (len == 2) {
        code = (p[0] & 0x1F) << 6 | (p[1] & 0x3F);
        return code < 0xA0 ? code : -1;
    }
    code = (p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    bool special = code == 0x2028 || code == 0x2029 || code == 0xFEFF || code >= 0xFFFE;
    return len == 3 && special ? code : -1;
}

static void put_string(struct buf *out, struct str value)
{
    buf_add_byte(out, '"');
    size_t done = 0; /* everything before is written */
    size_t at = 0;
    while (at < value.len) {
        size_t len = str_utf8_len(value, at);
        const char *escape = len != 0 ? short_escape(value.ptr[at]) : "\xEF\xBF\xBD";
        int code = len != 0 ? code_to_escape(value, at, len) : -1;
        if (escape != NULL || code >= 0) {
            buf_add(out, value.ptr + done, at - done);
            done = at + (len != 0 ? len : 1);
        }
        if (escape != NULL) {
            buf_add_text(out, escape);
        } else if (code >= 0) {
            buf_printf(out, "\\u%04x", (unsigned)code);
        }
        at += len != 0 ? len : 1;
    }
    buf_add_str(out, str_sub(value, done, value.len));
    buf_add_byte(out, '"');
}

static void after_key(struct json *json)
{
    buf_add_text(json->out, json->indent != 0 ? ": " : ":");
    json->after_key = true;
}

void json_key(struct json *json, const char *key)
{
    json_key_str(json, str_from(key));
}

void json_key_str(struct json *json, struct str key)
{
    ASSERT(!json->after_key && json->depth > 0);
    begin_value(json);
    put_string(json->out, key);
    after_key(json);
}

void json_str(struct json *json, struct str value)
{
    begin_value(json);
    put_string(json->out, value);
}

void json_text(struct json *json, const char *value)
{
    json_str(json, str_from(value));
}

void json_int(struct json *json, int64_t value)
{
    begin_value(json);
    buf_printf(json->out, "%" PRId64, value);
}

void json_uint(struct json *json, uint64_t value)
{
    begin_value(json);
    buf_printf(json->out, "%" PRIu64, value);
}

void json_double(struct json *json, double value)
{
    if (isnan(value)) {
        json_text(json, "NaN");
    } else if (isinf(value)) {
        json_text(json, value > 0 ? "Infinity" : "-Infinity");
    } else if (fpclassify(value) == FP_ZERO) {
        json_raw(json, STR("0")); /* "-0" would be read as the integer, which has no sign */
    } else {
        char text[40];
        int digits = 15;
        do {
            snprintf(text, sizeof(text), "%.*g", digits, value);
        } while (strtod(text, NULL) != value && ++digits <= 17);
        json_raw(json, str_from(text));
    }
}

void json_bool(struct json *json, bool value)
{
    json_raw(json, value ? STR("true") : STR("false"));
}

void json_nil(struct json *json)
{
    json_raw(json, STR("null"));
}

void json_member_str(struct json *json, const char *key, struct str value)
{
    json_key(json, key);
    json_str(json, value);
}

void json_member_text(struct json *json, const char *key, const char *value)
{
    json_key(json, key);
    json_text(json, value);
}

void json_member_int(struct json *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_int(json, value);
}

void json_member_uint(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_uint(json, value);
}

void json_member_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}

void json_raw(struct json *json, struct str value)
{
    begin_value(json);
    buf_add_str(json->out, value);
}

/* A walk over JSON text (RFC 8259). Without a writer it only checks. */
struct scan {
    struct str rest;
    struct json *out; /* NULL: check only */
    unsigned depth;   /* levels the writer has left */
};

static char scan_peek(struct scan *scan)
{
    while (scan->rest.len != 0 && memchr(" \t\r\n", scan->rest.ptr[0], 4) != NULL) {
        scan->rest = str_sub(scan->rest, 1, scan->rest.len);
    }
    return scan->rest.len != 0 ? scan->rest.ptr[0] : '\0';
}

/* Takes len bytes off the front. */
static struct str scan_take(struct scan *scan, size_t len)
{
    struct str token = str_sub(scan->rest, 0, len);
    scan->rest = str_sub(scan->rest, len, scan->rest.len);
    return token;
}

static bool scan_char(struct scan *scan, char c)
{
    if (scan_peek(scan) != c) {
        return false;
    }
    scan_take(scan, 1);
    return true;
}

/* Length of the escape at s[at], which is a backslash; 0 when it is none. */
static size_t escape_len(struct str s, size_t at)
{
    char kind = at + 1 < s.len ? s.ptr[at + 1] : '\0';
    if (kind == 'u') {
        for (size_t i = at + 2; i < at + 6; i++) {
            if (i >= s.len || str_hex_digit(s.ptr[i]) < 0) {
                return 0;
            }
        }
        return 6;
    }
    return kind != '\0' && strchr("\"\\/bfnrt", kind) != NULL ? 2 : 0;
}

static bool scan_string(struct scan *scan, struct str *ret_token)
{
    struct str s = scan->rest;
    size_t at = 1;
    while (at < s.len && s.ptr[at] != '"') {
        size_t len = s.ptr[at] == '\\' ? escape_len(s, at) : str_utf8_len(s, at);
        if (len == 0 || (unsigned char)s.ptr[at] < ' ') {
            return false;
        }
        at += len;
    }
    if (at >= s.len) {
        return false;
    }
    *ret_token = scan_take(scan, at + 1);
    return true;
}

static size_t count_digits(struct str s, size_t at)
{
    size_t count = 0;
    while (at + count < s.len && s.ptr[at + count] >= '0' && s.ptr[at + count] <= '9') {
        count++;
    }
    return count;
}

/* Length of the number at the front; 0 when there is none. */
static size_t number_len(struct str s)
{
    size_t at = s.len != 0 && s.ptr[0] == '-';
    size_t digits = count_digits(s, at);
    if (digits == 0 || (digits > 1 && s.ptr[at] == '0')) {
        return 0;
    }
    at += digits;
    if (at < s.len && s.ptr[at] == '.') {
        digits = count_digits(s, at + 1);
        if (digits == 0) {
            return 0;
        }
        at += 1 + digits;
    }
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        at += at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-');
        digits = count_digits(s, at);
        return digits != 0 ? at + digits : 0;
    }
    return at;
}

static bool scan_scalar(struct scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    struct str token;
    if (scan->rest.ptr[0] == '"') {
        if (!scan_string(scan, &token)) {
            return false;
        }
    } else {
        size_t len = number_len(scan->rest);
        for (unsigned i = 0; i < 3 && len == 0; i++) {
            len = str_starts_with(scan->rest, str_from(words[i])) ? strlen(words[i]) : 0;
        }
        if (len == 0) {
            return false;
        }
        token = scan_take(scan, len);
    }
    if (scan->out != NULL) {
        json_raw(scan->out, token);
    }
    return true;
}

static bool scan_key(struct scan *scan)
{
    struct str token;
    if (scan_peek(scan) != '"' || !scan_string(scan, &token) || !scan_char(scan, ':')) {
        return false;
    }
    if (scan->out != NULL) {
        json_raw(scan->out, token);
        after_key(scan->out);
    }
    return true;
}

static bool scan_value(struct scan *scan)
{
    char open = scan_peek(scan);
    if (open == '\0') {
        return false;
    }
    if (open != '{' && open != '[') {
        return scan_scalar(scan);
    }
    char close = open == '{' ? '}' : ']';
    if (scan->depth == 0) {
        return false;
    }
    scan->depth--;
    scan_take(scan, 1);
    if (scan->out != NULL) {
        json_open(scan->out, open);
    }
    bool more = scan_peek(scan) != close;
    while (more) {
        if ((open == '{' && !scan_key(scan)) || !scan_value(scan)) {
            return false;
        }
        more = scan_char(scan, ',');
    }
    if (!scan_char(scan, close)) {
        return false;
    }
    if (scan->out != NULL) {
        json_close(scan->out, close);
    }
    scan->depth++;
    return true;
}

bool json_reindent(struct json *json, struct str value)
{
    unsigned levels = JSON_DEPTH_MAX - json->depth;
    struct scan check = {.rest = value, .depth = levels};
    if (!scan_value(&check) || scan_peek(&check) != '\0' || check.rest.len != 0) {
        return false;
    }
    struct scan copy = {.rest = value, .out = json, .depth = levels};
    return scan_value(&copy);
}
