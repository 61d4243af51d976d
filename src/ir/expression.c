/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expression: matching by PCRE2, and texts that match.
 *
 * A sample takes the first branch of every alternative and the fewest repetitions. What single
 * characters match ("[^/]", "\d", "\x2f") is not worked out but tried.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "ir/expression.h"

#include <pcre2.h>
#include <string.h>

#include "base/buf.h"
#include "model/regex.h"

#define STEPS_MAX 1000000 /* backtracking of one match; RE2 would not backtrack at all */
#define ASCII_MAX 0x7f

bool expression_matches(struct str expression, struct str text)
{
    int error;
    PCRE2_SIZE at;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)expression.ptr, expression.len,
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY, &error, &at, NULL);
    if (code == NULL) {
        return false;
    }
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(limits, STEPS_MAX);
    int count = pcre2_match(code, (PCRE2_SPTR)(text.ptr != NULL ? text.ptr : ""), text.len, 0, 0,
                            data, limits);
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return count >= 0;
}

/* --- samples ------------------------------------------------------------------------------- */

struct maker {
    struct str rest;
    struct buf text;
    unsigned depth;
};

static bool take(struct maker *maker, struct str text)
{
    if (!str_starts_with(maker->rest, text)) {
        return false;
    }
    maker->rest = str_sub(maker->rest, text.len, maker->rest.len);
    return true;
}

/* The first len bytes of the rest. */
static struct str take_bytes(struct maker *maker, size_t len)
{
    struct str taken = str_sub(maker->rest, 0, len);
    maker->rest = str_sub(maker->rest, taken.len, maker->rest.len);
    return taken;
}

/* One character that an atom of one character matches: one that reads well, if it may. */
static void make_char(struct maker *maker, struct str atom)
{
    static const struct str liked = STR("x0X-_.~/");
    for (size_t i = 0; i < liked.len + ASCII_MAX; i++) {
        char byte = i < liked.len ? liked.ptr[i] : (char)(i - liked.len + 1);
        if (expression_matches(atom, str_span(&byte, 1))) {
            buf_add_byte(&maker->text, (uint8_t)byte);
            return;
        }
    }
}

/* Bytes of "[…]". */
static size_t class_len(struct str text)
{
    size_t at = 1;
    at += at < text.len && text.ptr[at] == '^' ? 1 : 0;
    at += at < text.len && text.ptr[at] == ']' ? 1 : 0; /* the first is a member */
    while (at < text.len && text.ptr[at] != ']') {
        struct str rest = str_sub(text, at, text.len);
        if (str_starts_with(rest, STR("[:"))) {
            at += str_index(rest, ']');
        } else if (text.ptr[at] == '\\') {
            at++;
        }
        at++;
    }
    return at + 1;
}

/* Bytes of an escape. */
static size_t escape_len(struct str text)
{
    char c = text.len > 1 ? text.ptr[1] : '\0';
    bool braces = text.len > 2 && text.ptr[2] == '{';
    if ((c == 'x' || c == 'p' || c == 'P') && braces) {
        return str_index(text, '}') + 1;
    }
    return c == 'x' ? 4 : c == 'p' || c == 'P' ? 3 : 2;
}

static bool make_branches(struct maker *maker);

/* After '('. Flags alone, "(?i)", are no group. */
static bool make_group(struct maker *maker)
{
    if (take(maker, STR("?P<"))) {
        take_bytes(maker, str_index(maker->rest, '>') + 1);
    } else if (take(maker, STR("?"))) {
        size_t colon = str_index(maker->rest, ':');
        size_t end = str_index(maker->rest, ')');
        take_bytes(maker, (colon < end ? colon : end) + 1);
        if (end < colon) {
            return true;
        }
    }
    return make_branches(maker) && take(maker, STR(")"));
}

static bool make_atom(struct maker *maker)
{
    char c = maker->rest.ptr[0];
    if (take(maker, STR("("))) {
        return make_group(maker);
    }
    if (c == '^' || c == '$') {
        take_bytes(maker, 1);
    } else if (c == '\\') {
        struct str atom = take_bytes(maker, escape_len(maker->rest));
        if (atom.len < 2 || strchr("AzbB", atom.ptr[1]) == NULL) {
            make_char(maker, atom);
        }
    } else if (c == '[') {
        make_char(maker, take_bytes(maker, class_len(maker->rest)));
    } else if (c == '.') {
        make_char(maker, take_bytes(maker, 1));
    } else {
        size_t len = str_utf8_len(maker->rest, 0);
        buf_add_str(&maker->text, take_bytes(maker, len > 0 ? len : 1));
    }
    return true;
}

/* "{n}", "{n,}" or "{n,m}": n. Another brace is an ordinary character. */
static bool take_counts(struct maker *maker, uint64_t *ret_low)
{
    size_t end = str_index(maker->rest, '}');
    if (!str_starts_with(maker->rest, STR("{")) || end == maker->rest.len) {
        return false;
    }
    struct str high = str_sub(maker->rest, 1, end - 1);
    struct str low = str_cut(&high, ',');
    uint64_t ignored;
    if (!str_to_u64(low, ret_low) || (high.len > 0 && !str_to_u64(high, &ignored))) {
        return false;
    }
    take_bytes(maker, end + 1);
    return true;
}

/* What follows an atom whose text begins at `from`: the fewest that it allows. */
static void repeat(struct maker *maker, size_t from)
{
    uint64_t times = 1;
    if (take(maker, STR("*")) || take(maker, STR("?"))) {
        times = 0;
    } else if (!take(maker, STR("+")) && !take_counts(maker, &times)) {
        return;
    }
    take(maker, STR("?"));
    if (times == 0) {
        maker->text.len = from;
        return;
    }
    size_t len = maker->text.len - from;
    for (uint64_t i = 1; i < times && buf_ok(&maker->text) && len > 0; i++) {
        uint8_t *to = buf_reserve(&maker->text, len);
        if (to != NULL) {
            memcpy(to, maker->text.data + from, len);
            buf_commit(&maker->text, len);
        }
    }
}

/* Up to a ')' or the end; of several branches the first counts. */
static bool make_branches(struct maker *maker)
{
    size_t kept = 0;
    bool first = true;
    if (maker->depth++ == REGEX_DEPTH_MAX) {
        return false;
    }
    while (maker->rest.len > 0 && maker->rest.ptr[0] != ')') {
        size_t from = maker->text.len;
        if (take(maker, STR("|"))) {
            kept = first ? from : kept;
            first = false;
            continue;
        }
        if (!make_atom(maker)) {
            return false;
        }
        repeat(maker, from);
    }
    maker->text.len = first ? maker->text.len : kept;
    maker->depth--;
    return true;
}

bool expression_sample(struct str expression, struct arena *arena, struct str *ret_text)
{
    struct maker maker = {.rest = expression};
    buf_init(&maker.text, EXPRESSION_SAMPLE_MAX);
    bool made = make_branches(&maker) && maker.rest.len == 0 && buf_ok(&maker.text) &&
                expression_matches(expression, buf_str(&maker.text));
    if (made) {
        *ret_text = arena_str(arena, buf_str(&maker.text));
    }
    buf_release(&maker.text);
    return made;
}
