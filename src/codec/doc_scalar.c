/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc_scalar: what does a plain scalar mean? As kubectl has it, but numbers only in decimal: what
 * begins with a zero and goes on (0777, 0x1F) stays a string, so that nobody has to guess.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codec/doc_tree.h"

#define NUMBER_MAX 64 /* bytes of a number; a longer run of digits is a string */

struct word {
    const char *text;
    enum doc_type type;
    bool boolean;
};

static const struct word words[] = {
    {"", DOC_NULL, false},      {"~", DOC_NULL, false},     {"null", DOC_NULL, false},
    {"Null", DOC_NULL, false},  {"NULL", DOC_NULL, false},  {"true", DOC_BOOL, true},
    {"True", DOC_BOOL, true},   {"TRUE", DOC_BOOL, true},   {"yes", DOC_BOOL, true},
    {"Yes", DOC_BOOL, true},    {"YES", DOC_BOOL, true},    {"on", DOC_BOOL, true},
    {"On", DOC_BOOL, true},     {"ON", DOC_BOOL, true},     {"false", DOC_BOOL, false},
    {"False", DOC_BOOL, false}, {"FALSE", DOC_BOOL, false}, {"no", DOC_BOOL, false},
    {"No", DOC_BOOL, false},    {"NO", DOC_BOOL, false},    {"off", DOC_BOOL, false},
    {"Off", DOC_BOOL, false},   {"OFF", DOC_BOOL, false},
};

static bool resolve_word(struct doc_node *node)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_eq(node->text, str_from(words[i].text))) {
            node->type = words[i].type;
            node->boolean = words[i].boolean;
            return true;
        }
    }
    return false;
}

static size_t skip_digits(struct str s, size_t at)
{
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9') {
        at++;
    }
    return at;
}

/* [-+]? (digits [. digits?]? | . digits) ([eE] [-+]? digits)? */
static bool is_number(struct str s, bool *ret_integer)
{
    size_t at = s.len != 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');
    size_t whole = skip_digits(s, at) - at;
    if (whole > 1 && s.ptr[at] == '0') {
        return false;
    }
    at += whole;
    *ret_integer = at == s.len;
    size_t fraction = 0;
    if (at < s.len && s.ptr[at] == '.') {
        fraction = skip_digits(s, at + 1) - (at + 1);
        at += 1 + fraction;
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        at += at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+');
        size_t end = skip_digits(s, at);
        return end > at && end == s.len;
    }
    return at == s.len;
}

static void resolve_number(struct doc_node *node)
{
    bool integer;
    if (node->text.len >= NUMBER_MAX || !is_number(node->text, &integer)) {
        return;
    }
    char text[NUMBER_MAX];
    memcpy(text, node->text.ptr, node->text.len);
    text[node->text.len] = '\0';
    if (integer) {
        errno = 0;
        long long value = strtoll(text, NULL, 10);
        if (errno == 0) {
            node->type = DOC_INT;
            node->integer = value;
            return;
        }
    }
    double real = strtod(text, NULL);
    if (isfinite(real)) {
        node->type = DOC_FLOAT;
        node->real = real;
    }
}

void doc_scalar_resolve(struct doc_node *node)
{
    node->type = DOC_STRING;
    if (!resolve_word(node)) {
        resolve_number(node);
    }
}
