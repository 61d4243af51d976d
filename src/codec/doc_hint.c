/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc_hint: what did the writer of this YAML probably mean?
 *
 * libyaml says what its grammar lacked; people need to know what to change. Each complaint that
 * is met in practice has a row below: what happened, in the words of the person who wrote it, and
 * the remedy. A complaint without a row is passed on as libyaml has it.
 */
#include "codec/doc_hint.h"

#include <string.h>

#define EXCERPT_MAX 80 /* bytes of the user's text in a message */

enum place { AT_PROBLEM, AT_CONTEXT };

struct explanation {
    const char *problem; /* libyaml's words */
    const char *context; /* and what it was doing; NULL: anything */
    const char *text;
    const char *began; /* introduces the line where the context began; NULL: not said */
    const char *hint;
    enum place place;
};

#define HINT_TABS "indent with spaces, not tabs"
#define HINT_ALIAS "put a value that begins with '*' or '&' in quotes"

static const struct explanation explanations[] = {
    {"found a tab character that violates indentation", NULL, "a tab is used for indentation", NULL,
     HINT_TABS, AT_PROBLEM},
    {"found a tab character where an indentation space is expected", NULL,
     "a tab is used for indentation", NULL, HINT_TABS, AT_PROBLEM},
    {"found character that cannot start any token", NULL, "no value can begin with this character",
     NULL, "put the value in quotes", AT_PROBLEM},
    {"mapping values are not allowed in this context", NULL, "a ':' stands where no key can be",
     NULL,
     "check the indentation of this line and the one before it; put a value that holds ': ' in "
     "quotes",
     AT_PROBLEM},
    {"did not find expected key", "while parsing a block mapping",
     "the indentation of this line does not fit the mapping", "which begins in line",
     "give all keys of a mapping the same indentation", AT_PROBLEM},
    {"did not find expected '-' indicator", "while parsing a block collection",
     "this line does not fit the list", "which begins in line",
     "give all items of a list the same indentation and begin each with '- '", AT_PROBLEM},
    {"found unexpected end of stream", "while scanning a quoted scalar", "a quote is not closed",
     "opened in line", "close the quote", AT_CONTEXT},
    {"did not find expected ',' or ']'", NULL, "a ',' or ']' is missing",
     "the '[' was opened in line", "separate items with ',' and close the list with ']'",
     AT_PROBLEM},
    {"did not find expected ',' or '}'", NULL, "a ',' or '}' is missing",
     "the '{' was opened in line", "separate fields with ',' and close the mapping with '}'",
     AT_PROBLEM},
    {"found invalid Unicode character escape code", NULL, "an escape that stands for no character",
     NULL, "write the character itself", AT_PROBLEM},
    {"could not find expected ':'", NULL, "a key without a colon", NULL,
     "write 'key: value' with a colon and a space after the key", AT_CONTEXT},
    {"did not find expected node content", NULL, "a value is missing", NULL,
     "check the commas and brackets of this line", AT_PROBLEM},
    {"block sequence entries are not allowed in this context", NULL,
     "a list item '- ' stands where none can be", NULL,
     "begin the list on a line of its own, below its key", AT_PROBLEM},
    {"did not find expected <document start>", NULL, "this line is outside of the document", NULL,
     "check its indentation and the brackets before it; documents are separated by '---'",
     AT_PROBLEM},
    {"control characters are not allowed", NULL, "a control character is not allowed", NULL,
     "remove it, or write it as an escape in double quotes", AT_PROBLEM},
    {"found unknown escape character", NULL, "a backslash before a character that needs none", NULL,
     "double the backslash, or use single quotes", AT_PROBLEM},
    {"did not find expected alphabetic or numeric character", NULL,
     "a '*' or '&' without the name of an anchor", NULL, HINT_ALIAS, AT_CONTEXT},
    {"found unexpected document indicator", "while scanning a quoted scalar",
     "a quote is not closed", "opened in line", "close the quote", AT_CONTEXT},
};

struct str doc_excerpt(struct str text)
{
    size_t len = 0;
    while (len < text.len) {
        size_t step = str_utf8_len(text, len);
        step = step != 0 ? step : 1;
        if (len + step > EXCERPT_MAX) {
            break;
        }
        len += step;
    }
    return str_sub(text, 0, len);
}

/* The text of a line, its end not included; empty when there are not so many. */
static struct str line_at(struct str text, size_t line)
{
    for (size_t i = 0; i < line; i++) {
        str_cut(&text, '\n');
    }
    return str_cut(&text, '\n');
}

static const struct explanation *find_explanation(const struct doc_trouble *trouble)
{
    for (size_t i = 0; i < sizeof(explanations) / sizeof(explanations[0]); i++) {
        const struct explanation *row = &explanations[i];
        if (strcmp(row->problem, trouble->problem) == 0 &&
            (row->context == NULL ||
             (trouble->context != NULL && strcmp(row->context, trouble->context) == 0))) {
            return row;
        }
    }
    return NULL;
}

/* What libyaml says when a mapping does not go on as it must depends on what it met instead. */
static const struct explanation *refine(const struct explanation *row, struct str line,
                                        size_t column)
{
    static const struct explanation tab = {.text = "a tab is used for indentation",
                                           .hint = HINT_TABS};
    static const struct explanation closing = {.text = "this bracket closes nothing",
                                               .hint = "remove it, or open it before"};
    static const struct explanation nameless = {.text = "a key is missing before ':'",
                                                .hint = "write 'key: value'"};
    static const struct explanation trailing = {.text = "more text after the end of the value",
                                                .hint = "put the whole value in quotes"};
    char met = column < line.len ? line.ptr[column] : '\0';
    if (met == '\t') {
        return &tab;
    }
    if (row == NULL || strcmp(row->problem, "did not find expected key") != 0) {
        return row;
    }
    if (met == ']' || met == '}') {
        return &closing;
    }
    if (met == ':') {
        return &nameless;
    }
    return str_trim(str_sub(line, 0, column)).len != 0 ? &trailing : row;
}

void doc_explain(struct arena *arena, struct str text, uint32_t first_line,
                 const struct doc_trouble *trouble, struct doc_error *ret_error)
{
    const struct explanation *row =
        refine(find_explanation(trouble), line_at(text, trouble->line), trouble->column);
    bool at_context = row != NULL && row->place == AT_CONTEXT && trouble->context != NULL;
    *ret_error = (struct doc_error){
        .line = first_line + (uint32_t)(at_context ? trouble->context_line : trouble->line),
        .column = 1 + (uint32_t)(at_context ? trouble->context_column : trouble->column),
    };
    if (row == NULL) {
        ret_error->text = trouble->context != NULL
                              ? arena_printf(arena, "%s %s", trouble->problem, trouble->context)
                              : arena_printf(arena, "%s", trouble->problem);
        return;
    }
    ret_error->text = row->began != NULL && trouble->context != NULL
                          ? arena_printf(arena, "%s (%s %u)", row->text, row->began,
                                         first_line + (uint32_t)trouble->context_line)
                          : arena_printf(arena, "%s", row->text);
    ret_error->hint = arena_str(arena, str_from(row->hint));
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool doc_slip_find(struct str text, size_t line, struct doc_slip *ret_slip)
{
    struct str found = line_at(text, line);
    size_t at = 0;
    while (at < found.len && found.ptr[at] == ' ') {
        at++;
    }
    if (str_starts_with(str_sub(found, at, 2), STR("- "))) {
        at += 2;
    }
    size_t end = at;
    while (end < found.len && (is_letter(found.ptr[end]) ||
                               (end > at && found.ptr[end] >= '0' && found.ptr[end] <= '9'))) {
        end++;
    }
    if (end == at || end + 1 >= found.len || found.ptr[end] != ':' ||
        memchr(" \t\r/", found.ptr[end + 1], 4) != NULL) {
        return false;
    }
    *ret_slip = (struct doc_slip){
        .colon = (size_t)(found.ptr - text.ptr) + end,
        .line = line,
        .column = at,
        .word = str_trim(str_sub(found, at, found.len)),
    };
    return true;
}
