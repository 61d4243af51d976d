/* SPDX-License-Identifier: Apache-2.0 */
/* doc_json_walk: finds where the members of a JSON object or array begin and end. */
#include "codec/doc_json.h"

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) {
        at++;
    }
    return at;
}

/* Past the closing quote of the string that begins at `at`; NULL: it has no end. */
static const char *skip_text(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '"') {
            return at + 1;
        }
        at += *at == '\\';
    }
    return NULL;
}

/* Past the value that begins at `at`; NULL: it has no end. */
static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;
    while (at != NULL && at < end) {
        switch (*at) {
        case '"':
            at = skip_text(at, end);
            if (depth == 0) {
                return at;
            }
            break;
        case '{':
        case '[':
            depth++;
            at++;
            break;
        case '}':
        case ']':
            if (depth <= 1) {
                return at + depth;
            }
            depth--;
            at++;
            break;
        case ',':
        case ' ':
        case '\n':
        case '\t':
        case '\r':
            if (depth == 0) {
                return at;
            }
            at++;
            break;
        default:
            at++;
        }
    }
    return depth == 0 ? at : NULL;
}

static bool walk_fails(struct doc_json_walk *walk)
{
    walk->bad = true;
    walk->close = '\0';
    return false;
}

static void walk_to(struct doc_json_walk *walk, const char *at, const char *end)
{
    at = skip_space(at, end);
    walk->rest = str_span(at, (size_t)(end - at));
}

static bool walk_key(struct doc_json_walk *walk)
{
    const char *from = walk->rest.ptr, *end = from + walk->rest.len;
    const char *at = from < end && *from == '"' ? skip_text(from, end) : NULL;
    if (at == NULL) {
        return walk_fails(walk);
    }
    walk->key = str_span(from + 1, (size_t)(at - from) - 2);
    at = skip_space(at, end);
    if (at == end || *at != ':') {
        return walk_fails(walk);
    }
    walk_to(walk, at + 1, end);
    return true;
}

static bool walk_member(struct doc_json_walk *walk)
{
    if (walk->close == '}' && !walk_key(walk)) {
        return false;
    }
    const char *from = walk->rest.ptr, *end = from + walk->rest.len;
    const char *at = skip_value(from, end);
    if (at == NULL || at == from) {
        return walk_fails(walk);
    }
    walk->value = str_span(from, (size_t)(at - from));
    walk_to(walk, at, end);
    return true;
}

/* Past the bracket that closes: nothing may follow. */
static bool walk_ends(struct doc_json_walk *walk)
{
    walk_to(walk, walk->rest.ptr + 1, walk->rest.ptr + walk->rest.len);
    walk->bad = walk->rest.len != 0;
    walk->close = '\0';
    return false;
}

bool doc_json_walk(struct str text, struct doc_json_walk *ret_walk)
{
    struct doc_json_walk *walk = ret_walk;
    *walk = (struct doc_json_walk){.bad = false};
    text = str_trim(text);
    if (text.len < 2 || (text.ptr[0] != '{' && text.ptr[0] != '[')) {
        return walk_fails(walk);
    }
    walk->close = text.ptr[0] == '{' ? '}' : ']';
    walk_to(walk, text.ptr + 1, text.ptr + text.len);
    if (walk->rest.len == 0) {
        return walk_fails(walk);
    }
    return walk->rest.ptr[0] == walk->close ? walk_ends(walk) : walk_member(walk);
}

bool doc_json_step(struct doc_json_walk *walk)
{
    if (walk->close == '\0') {
        return false;
    }
    char next = walk->rest.len != 0 ? walk->rest.ptr[0] : '\0';
    if (next == walk->close) {
        return walk_ends(walk);
    }
    if (next != ',') {
        return walk_fails(walk);
    }
    walk_to(walk, walk->rest.ptr + 1, walk->rest.ptr + walk->rest.len);
    return walk_member(walk);
}

bool doc_json_walked(const struct doc_json_walk *walk)
{
    return !walk->bad && walk->close == '\0';
}
