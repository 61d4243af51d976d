/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex: the syntax of RE2 (github.com/google/re2/wiki/Syntax), read once from left to right with
 * a stack of open groups.
 */
#include "model/regex.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ASCII_MAX 0x7f

/* Estimated instructions. */
#define SIZE_CHAR 4       /* a character of any length, in any case */
#define SIZE_ANY 24       /* '.', \D, \S, \W */
#define SIZE_RANGE 16     /* one range of a class, of any characters */
#define SIZE_UNICODE 2000 /* \pL and its like */

struct frame {       /* an open group, or the whole */
    uint64_t size;   /* of what stands in it */
    uint64_t repeat; /* the largest product of repetitions in it */
};

struct reader {
    struct str rest;
    const char *why;
    struct frame frames[REGEX_DEPTH_MAX];
    size_t depth;
    struct str names[REGEX_NAMES_MAX]; /* of the groups so far */
    size_t nnames;
    /* what was read last and a repetition would repeat */
    bool operand;
    uint64_t last_size;
    uint64_t last_repeat;
};

static bool fail(struct reader *reader, const char *why)
{
    reader->why = why;
    return false;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool next_is(const struct reader *reader, char c)
{
    return reader->rest.len > 0 && reader->rest.ptr[0] == c;
}

static bool take(struct reader *reader, struct str text)
{
    if (!str_starts_with(reader->rest, text)) {
        return false;
    }
    reader->rest = str_sub(reader->rest, text.len, reader->rest.len);
    return true;
}

static char take_byte(struct reader *reader)
{
    char c = reader->rest.ptr[0];
    reader->rest = str_sub(reader->rest, 1, reader->rest.len);
    return c;
}

/* --- characters and escapes ---------------------------------------------------------------- */

/* After "\x": two digits, or any number of them in braces. */
static bool take_hex(struct reader *reader, uint32_t *ret_rune)
{
    bool braces = take(reader, STR("{"));
    size_t max = braces ? 8 : 2;
    size_t count = 0;
    uint32_t rune = 0;
    while (count < max && reader->rest.len > 0 && str_hex_digit(reader->rest.ptr[0]) >= 0) {
        rune = rune << 4 | (uint32_t)str_hex_digit(take_byte(reader));
        count++;
    }
    if (count == 0 || (braces ? !take(reader, STR("}")) : count != 2) || rune > ASCII_MAX) {
        return fail(reader, "\\x takes two hexadecimal digits, or more in braces, up to 7F");
    }
    *ret_rune = rune;
    return true;
}

/* After '\': a character. */
static bool take_escaped(struct reader *reader, uint32_t *ret_rune)
{
    static const char names[] = "aftnrv";
    static const char values[] = "\a\f\t\n\r\v";
    char c = take_byte(reader);
    const char *name = c != '\0' ? strchr(names, c) : NULL;
    if (c == 'x') {
        return take_hex(reader, ret_rune);
    }
    if (name != NULL) {
        *ret_rune = (uint32_t)values[name - names];
        return true;
    }
    if (is_digit(c)) {
        return fail(reader, "back references and octal escapes do not exist in RE2");
    }
    if (is_alnum(c) || (unsigned char)c >= 0x80) {
        return fail(reader, "it has an escape that RE2 does not know, or not everywhere");
    }
    *ret_rune = (uint32_t)c;
    return true;
}

/* After "\p" or "\P": a general category, or one of the great scripts. */
static bool take_property(struct reader *reader)
{
    static const char *const known[] = {
        "C",      "Cc",     "Cf",       "Co",       "Cs",     "L",        "Ll",        "Lm",
        "Lo",     "Lt",     "Lu",       "M",        "Mc",     "Me",       "Mn",        "N",
        "Nd",     "Nl",     "No",       "P",        "Pc",     "Pd",       "Pe",        "Pf",
        "Pi",     "Po",     "Ps",       "S",        "Sc",     "Sk",       "Sm",        "So",
        "Z",      "Zl",     "Zp",       "Zs",       "Arabic", "Cyrillic", "Greek",     "Han",
        "Hangul", "Hebrew", "Hiragana", "Katakana", "Latin",  "Thai",     "Devanagari"};
    struct str name = str_sub(reader->rest, 0, 1);
    if (take(reader, STR("{"))) {
        take(reader, STR("^"));
        size_t end = str_index(reader->rest, '}');
        if (end == reader->rest.len) {
            return fail(reader, "the '}' of \\p{…} is missing");
        }
        name = str_sub(reader->rest, 0, end);
        reader->rest = str_sub(reader->rest, end + 1, reader->rest.len);
    } else if (reader->rest.len > 0) {
        take_byte(reader);
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (str_eq(name, str_from(known[i]))) {
            return true;
        }
    }
    return fail(reader, "\\p names a Unicode class that is not known everywhere");
}

/* After '\': whether a class of characters follows, and how large it is; 0: none. */
static bool take_class_escape(struct reader *reader, uint64_t *ret_size)
{
    *ret_size = 0;
    char c = reader->rest.ptr[0];
    if (c == 'd' || c == 's' || c == 'w') {
        *ret_size = SIZE_RANGE;
    } else if (c == 'D' || c == 'S' || c == 'W') {
        *ret_size = SIZE_ANY;
    } else if (c == 'p' || c == 'P') {
        *ret_size = SIZE_UNICODE;
    } else {
        return true;
    }
    take_byte(reader);
    return *ret_size != SIZE_UNICODE || take_property(reader);
}

/* --- classes ------------------------------------------------------------------------------- */

static bool take_posix_class(struct reader *reader)
{
    static const char *const known[] = {"alnum", "alpha", "ascii", "blank", "cntrl",
                                        "digit", "graph", "lower", "print", "punct",
                                        "space", "upper", "word",  "xdigit"};
    size_t end = str_index(reader->rest, ']');
    struct str name = str_sub(reader->rest, 0, end);
    if (str_starts_with(name, STR("^"))) {
        name = str_sub(name, 1, name.len);
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct str known_name = str_from(known[i]);
        if (name.len == known_name.len + 1 && str_starts_with(name, known_name) &&
            str_ends_with(name, STR(":"))) {
            reader->rest = str_sub(reader->rest, end + 1, reader->rest.len);
            return true;
        }
    }
    return fail(reader, "'[:' in brackets is not followed by the name of a class and ':]'");
}

static bool take_class_char(struct reader *reader, uint32_t *ret_rune)
{
    if (reader->rest.len == 0) {
        return fail(reader, "a ']' is missing");
    }
    if (!take(reader, STR("\\"))) {
        *ret_rune = (unsigned char)take_byte(reader);
        return *ret_rune <= ASCII_MAX ||
               fail(reader,
                    "brackets hold a character beyond ASCII, of which Envoy sees the bytes");
    }
    return reader->rest.len > 0 ? take_escaped(reader, ret_rune)
                                : fail(reader, "nothing follows its last '\\'");
}

static bool take_class_item(struct reader *reader, uint64_t *size)
{
    if (take(reader, STR("[:"))) {
        *size += SIZE_RANGE;
        return take_posix_class(reader);
    }
    if (reader->rest.len > 1 && reader->rest.ptr[0] == '\\') {
        struct str before = reader->rest;
        uint64_t class_size;
        take_byte(reader);
        if (!take_class_escape(reader, &class_size)) {
            return false;
        }
        *size += class_size;
        if (class_size > 0) {
            return true;
        }
        reader->rest = before;
    }
    uint32_t low;
    if (!take_class_char(reader, &low)) {
        return false;
    }
    uint32_t high = low;
    *size += SIZE_RANGE;
    if (reader->rest.len > 1 && next_is(reader, '-') && reader->rest.ptr[1] != ']') {
        take_byte(reader);
        if (!take_class_char(reader, &high)) {
            return false;
        }
    }
    return high >= low || fail(reader, "a range in brackets ends before it begins");
}

/* After '['. A ']' that comes first is a member. */
static bool take_class(struct reader *reader)
{
    uint64_t size = SIZE_ANY;
    bool first = true;
    take(reader, STR("^"));
    while (first || !next_is(reader, ']')) {
        first = false;
        if (!take_class_item(reader, &size)) {
            return false;
        }
        if (reader->rest.len == 0) {
            return fail(reader, "a ']' is missing");
        }
    }
    take_byte(reader);
    reader->operand = true;
    reader->last_size = size;
    reader->last_repeat = 1;
    return true;
}

/* --- groups -------------------------------------------------------------------------------- */

/* What was read last can no longer be repeated: it counts. */
static bool settle(struct reader *reader)
{
    struct frame *frame = &reader->frames[reader->depth];
    frame->size += reader->last_size;
    frame->repeat = reader->last_repeat > frame->repeat ? reader->last_repeat : frame->repeat;
    reader->operand = false;
    reader->last_size = 0;
    reader->last_repeat = 1;
    return frame->size <= REGEX_SIZE_MAX || fail(reader, "it is too large");
}

/* After "(?": flags and what ends them; ret_group: a group was opened. */
static bool take_flags(struct reader *reader, bool *ret_group)
{
    bool minus = false;
    bool any = false;
    while (reader->rest.len > 0) {
        char c = take_byte(reader);
        if (c == 'i' || c == 'm' || c == 's' || c == 'U') {
            any = true;
        } else if (c == '-' && !minus) {
            minus = true;
            any = false;
        } else if ((c == ':' || c == ')') && (any || (c == ':' && !minus))) {
            *ret_group = c == ':';
            return true;
        } else {
            break;
        }
    }
    return fail(reader, "RE2 has no look-around, atomic or conditional groups; known are (…), "
                        "(?:…), (?P<name>…) and the flags i, m, s, U");
}

static bool take_name(struct reader *reader)
{
    size_t end = str_index(reader->rest, '>');
    bool good = end > 0 && end < reader->rest.len;
    for (size_t i = 0; good && i < end; i++) {
        good = is_alnum(reader->rest.ptr[i]) || reader->rest.ptr[i] == '_';
    }
    if (!good) {
        return fail(reader, "a group's name is not made of letters, digits and '_'");
    }
    struct str name = str_sub(reader->rest, 0, end);
    reader->rest = str_sub(reader->rest, end + 1, reader->rest.len);
    for (size_t i = 0; i < reader->nnames; i++) {
        if (str_eq(reader->names[i], name)) {
            return fail(reader, "a group's name stands twice");
        }
    }
    if (reader->nnames == REGEX_NAMES_MAX) {
        return fail(reader, "it has too many groups with names");
    }
    reader->names[reader->nnames++] = name;
    return true;
}

/* After '('. */
static bool open_group(struct reader *reader)
{
    bool group = true;
    if (!settle(reader)) {
        return false;
    }
    if (take(reader, STR("?P<"))) {
        if (!take_name(reader)) {
            return false;
        }
    } else if (take(reader, STR("?")) && !take_flags(reader, &group)) {
        return false;
    }
    if (!group) {
        return true;
    }
    if (reader->depth + 1 == REGEX_DEPTH_MAX) {
        return fail(reader, "its groups are nested too deeply");
    }
    reader->frames[++reader->depth] = (struct frame){.size = SIZE_CHAR, .repeat = 1};
    return true;
}

/* After ')'. */
static bool close_group(struct reader *reader)
{
    if (reader->depth == 0) {
        return fail(reader, "a ')' has no '('");
    }
    if (!settle(reader)) {
        return false;
    }
    const struct frame *frame = &reader->frames[reader->depth--];
    reader->operand = true;
    reader->last_size = frame->size;
    reader->last_repeat = frame->repeat;
    return true;
}

/* --- repetition ---------------------------------------------------------------------------- */

static bool take_number(struct reader *reader, uint64_t *ret_number)
{
    size_t len = 0;
    while (len < reader->rest.len && is_digit(reader->rest.ptr[len])) {
        len++;
    }
    struct str digits = str_sub(reader->rest, 0, len);
    reader->rest = str_sub(reader->rest, len, reader->rest.len);
    if (!str_to_u64(digits, ret_number)) {
        *ret_number = REGEX_REPEAT_MAX + 1; /* if there are digits, too many of them */
    }
    return len > 0;
}

/* After '{': "n}", "n,}" or "n,m}"; anything else means that the brace is an ordinary character. */
static bool take_counts(struct reader *reader, uint64_t *ret_low, uint64_t *ret_high)
{
    if (!take_number(reader, ret_low)) {
        return false;
    }
    *ret_high = *ret_low;
    if (take(reader, STR(",")) && !next_is(reader, '}') && !take_number(reader, ret_high)) {
        return false;
    }
    return take(reader, STR("}"));
}

static bool repeat(struct reader *reader, uint64_t low, uint64_t high)
{
    if (!reader->operand) {
        return fail(reader, "a repetition has nothing to repeat, or follows another one");
    }
    reader->operand = false; /* RE2 has no possessive and no double repetition */
    take(reader, STR("?"));
    uint64_t most = low > high ? low : high;
    if (low > high || most > REGEX_REPEAT_MAX ||
        (most > 1 && reader->last_repeat * most > REGEX_REPEAT_MAX)) {
        return fail(reader, "it repeats something more than 1,000 times, or {n,m} with n above m");
    }
    reader->last_repeat *= most > 1 ? most : 1;
    reader->last_size = (reader->last_size + 2) * (most + 1);
    return true;
}

/* --- the whole ----------------------------------------------------------------------------- */

static void atom(struct reader *reader, uint64_t size)
{
    reader->operand = true;
    reader->last_size = size;
    reader->last_repeat = 1;
}

/* After '\', outside of brackets. */
static bool take_escape(struct reader *reader)
{
    uint64_t size;
    uint32_t rune;
    if (reader->rest.len == 0) {
        return fail(reader, "nothing follows its last '\\'");
    }
    if (strchr("AzbB", reader->rest.ptr[0]) != NULL && reader->rest.ptr[0] != '\0') {
        take_byte(reader);
        size = SIZE_CHAR;
    } else if (!take_class_escape(reader, &size)) {
        return false;
    } else if (size == 0) {
        if (!take_escaped(reader, &rune)) {
            return false;
        }
        size = SIZE_CHAR;
    }
    atom(reader, size);
    return true;
}

static bool take_brace(struct reader *reader)
{
    struct str before = reader->rest;
    uint64_t low;
    uint64_t high;
    if (take_counts(reader, &low, &high)) {
        return repeat(reader, low, high);
    }
    reader->rest = before;
    if (!settle(reader)) {
        return false;
    }
    atom(reader, SIZE_CHAR);
    return true;
}

static bool take_next(struct reader *reader)
{
    char c = reader->rest.ptr[0];
    if (c == '*' || c == '+' || c == '?') {
        take_byte(reader);
        return repeat(reader, c == '+' ? 1 : 0, 1);
    }
    if (c == '{') {
        take_byte(reader);
        return take_brace(reader);
    }
    if (c == '(' || c == ')') {
        take_byte(reader);
        return c == '(' ? open_group(reader) : close_group(reader);
    }
    if (!settle(reader)) {
        return false;
    }
    if (c == '\\' || c == '[') {
        take_byte(reader);
        return c == '\\' ? take_escape(reader) : take_class(reader);
    }
    take_byte(reader);
    if (c != '|') {
        atom(reader, c == '.' ? SIZE_ANY : SIZE_CHAR);
    }
    return true;
}

bool regex_check(struct str text, const char **ret_why)
{
    struct reader reader = {.rest = text, .last_repeat = 1};
    reader.frames[0].repeat = 1;
    bool good = text.len > 0 || fail(&reader, "it is empty");
    good = good && (memchr(text.len > 0 ? text.ptr : "", '\0', text.len) == NULL ||
                    fail(&reader, "it holds a NUL character"));
    while (good && reader.rest.len > 0) {
        good = take_next(&reader);
    }
    good = good && settle(&reader);
    if (good && reader.depth > 0) {
        good = fail(&reader, "a ')' is missing");
    }
    if (!good) {
        *ret_why = reader.why;
    }
    return good;
}
