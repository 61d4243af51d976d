/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str: a borrowed run of bytes with an explicit length.
 *
 * Passed by value, never owns, need not end in NUL. Whoever made the bytes says how long they
 * live. The empty string is {NULL, 0} or any pointer with length 0; the two compare equal.
 */
#ifndef HEDDLE_BASE_STR_H
#define HEDDLE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NULL ((struct str){NULL, 0})
/* for printf's "%.*s" */
#define STR_FMT(s) (int)(s).len, ((s).ptr != NULL ? (s).ptr : "")

struct str str_from(const char *text); /* NUL-terminated, NULL gives STR_NULL */
struct str str_span(const char *ptr, size_t len);
bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
int str_cmp(struct str a, struct str b);        /* bytewise, shorter first: total order */
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
bool str_contains(struct str s, struct str part);
/* Index of the first / last `c`, or s.len when there is none. */
size_t str_index(struct str s, char c);
size_t str_rindex(struct str s, char c);
struct str str_sub(struct str s, size_t from, size_t len); /* clamped to s */
struct str str_trim(struct str s);                         /* ASCII white space off both ends */
/* Cuts *rest at the first `sep`: returns what stands before it and advances *rest past it.
 * When there is no `sep`, returns all of *rest and leaves *rest empty with ptr NULL. */
struct str str_cut(struct str *rest, char sep);
/* Takes `part` off the front of *rest; false: it does not stand there. */
bool str_cut_start(struct str *rest, struct str part);
/* Takes up to `max` decimal digits (at most 18) off the front of *rest; returns how many. */
size_t str_cut_digits(struct str *rest, size_t max, int64_t *ret_value);
/* Decimal digits only, no sign, no white space; false on anything else or overflow. */
bool str_to_u64(struct str s, uint64_t *ret_value);
/* 0 to 15; -1 when it is no hexadecimal digit. */
int str_hex_digit(char c);
char *str_dup(struct str s); /* malloc'ed, NUL-terminated */
/* Edits needed to turn a into b (insert, delete, replace, swap neighbours), at most `limit` + 1;
 * feeds "did you mean". Strings longer than 128 bytes count as too far. */
unsigned str_distance(struct str a, struct str b, unsigned limit);
/* Bytes (1 to 4) of the well-formed UTF-8 sequence that begins at index `at`; 0 when there is
 * none: malformed, overlong, a surrogate, cut off, or past the end. */
size_t str_utf8_len(struct str s, size_t at);

#endif
