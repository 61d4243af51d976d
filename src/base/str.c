/* SPDX-License-Identifier: Apache-2.0 */
/* str: comparing, cutting and measuring borrowed bytes. Nothing here allocates but str_dup(). */
#include "base/str.h"

#include <string.h>

#include "base/panic.h"

#define STR_DISTANCE_MAX 128 /* bytes of a string that str_distance() still looks at */

struct str str_from(const char *text)
{
    return text != NULL ? str_span(text, strlen(text)) : STR_NULL;
}

struct str str_span(const char *ptr, size_t len)
{
    return (struct str){.ptr = ptr, .len = len};
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static unsigned char ascii_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared != 0 ? memcmp(a.ptr, b.ptr, shared) : 0;
    if (order != 0) {
        return order < 0 ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_span(s.ptr, prefix.len), prefix);
}

bool str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_sub(s, s.len - suffix.len, suffix.len), suffix);
}

bool str_contains(struct str s, struct str part)
{
    if (part.len == 0) {
        return true;
    }
    while (s.len >= part.len) {
        size_t at = str_index(str_span(s.ptr, s.len - part.len + 1), part.ptr[0]);
        s = str_sub(s, at, s.len);
        if (str_starts_with(s, part)) {
            return true;
        }
        s = str_sub(s, 1, s.len);
    }
    return false;
}

size_t str_index(struct str s, char c)
{
    const char *hit = s.len != 0 ? memchr(s.ptr, c, s.len) : NULL;
    return hit != NULL ? (size_t)(hit - s.ptr) : s.len;
}

size_t str_rindex(struct str s, char c)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.ptr[i - 1] == c) {
            return i - 1;
        }
    }
    return s.len;
}

struct str str_sub(struct str s, size_t from, size_t len)
{
    if (from >= s.len) {
        return str_span(s.ptr != NULL ? s.ptr + s.len : NULL, 0);
    }
    size_t left = s.len - from;
    return str_span(s.ptr + from, len < left ? len : left);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s = str_sub(s, 1, s.len);
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

struct str str_cut(struct str *rest, char sep)
{
    struct str whole = *rest;
    size_t at = str_index(whole, sep);
    if (at == whole.len) {
        *rest = STR_NULL;
        return whole;
    }
    *rest = str_sub(whole, at + 1, whole.len);
    return str_sub(whole, 0, at);
}

bool str_cut_start(struct str *rest, struct str part)
{
    if (!str_starts_with(*rest, part)) {
        return false;
    }
    *rest = str_sub(*rest, part.len, rest->len);
    return true;
}

size_t str_cut_digits(struct str *rest, size_t max, int64_t *ret_value)
{
    size_t n = 0;
    *ret_value = 0;
    while (n < rest->len && n < max && rest->ptr[n] >= '0' && rest->ptr[n] <= '9') {
        *ret_value = *ret_value * 10 + (rest->ptr[n] - '0');
        n++;
    }
    *rest = str_sub(*rest, n, rest->len);
    return n;
}

bool str_to_u64(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value)) {
            return false;
        }
    }
    if (s.len == 0) {
        return false;
    }
    *ret_value = value;
    return true;
}

int str_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *str_dup(struct str s)
{
    char *copy = xmalloc(s.len + 1);
    if (s.len != 0) {
        memcpy(copy, s.ptr, s.len);
    }
    copy[s.len] = '\0';
    return copy;
}

static unsigned min_of(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/*
 * The table of optimal string alignment, of which three rows are kept:
 *
 *              b ──►
 *      before  . . .        two rows up: for swapped neighbours
 *   a  above   . . .
 *   ▼  row     . x          x = min(left + 1, above + 1, diagonal + (a[i] != b[j]))
 */
unsigned str_distance(struct str a, struct str b, unsigned limit)
{
    size_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (a.len > STR_DISTANCE_MAX || b.len > STR_DISTANCE_MAX || gap > limit) {
        return limit + 1;
    }
    unsigned rows[3][STR_DISTANCE_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b.len; j++) {
        above[j] = j;
    }
    for (size_t i = 0; i < a.len; i++) {
        row[0] = (unsigned)i + 1;
        unsigned best = row[0];
        for (size_t j = 0; j < b.len; j++) {
            unsigned replace = above[j] + (a.ptr[i] != b.ptr[j]);
            unsigned edits = min_of(replace, min_of(row[j], above[j + 1]) + 1);
            if (i > 0 && j > 0 && a.ptr[i] == b.ptr[j - 1] && a.ptr[i - 1] == b.ptr[j]) {
                edits = min_of(edits, before[j - 1] + 1);
            }
            row[j + 1] = edits;
            best = min_of(best, edits);
        }
        if (best > limit) {
            return limit + 1;
        }
        unsigned *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return min_of(above[b.len], limit + 1);
}

/* Table 3-7 of the Unicode standard: what the second byte may be depends on the first. */
size_t str_utf8_len(struct str s, size_t at)
{
    if (at >= s.len) {
        return 0;
    }
    const unsigned char *p = (const unsigned char *)s.ptr + at;
    if (p[0] < 0x80) {
        return 1;
    }
    size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || s.len - at < len) {
        return 0;
    }
    unsigned char low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return len;
}
