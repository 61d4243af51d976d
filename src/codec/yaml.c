/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml: doc_parse(), from the text of a file to its documents.
 *
 *   file ──► cut at '---' and '...' ──► doc_tree_parse() each ──► on failure: mend, explain
 *
 * Cutting by lines is right because nothing inside of a document can put these at the beginning
 * of a line: block scalars are indented, and quoted ones may not hold them there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "codec/doc.h"
#include "codec/doc_hint.h"
#include "codec/doc_tree.h"

#define SLIPS_MAX 8                      /* missing spaces that are mended in one document */
#define SLIP_LINES 3                     /* the line of the complaint and those before it */
#define MEND_BYTES_MAX ((size_t)1 << 18) /* a larger document is not mended: each try parses it */

/* A stretch of lines between two separators. */
struct segment {
    struct str text;
    uint32_t line;    /* of its first line */
    uint32_t content; /* the first line that is neither blank nor comment; 0: there is none */
};

struct docs {
    VEC(struct doc) list;
};

static bool is_marker(struct str line, struct str marker)
{
    return str_starts_with(line, marker) &&
           (line.len == marker.len || memchr(" \t\r", line.ptr[marker.len], 3) != NULL);
}

/* Whether a line says something: it is not blank, not a comment, not a directive, not only "---".
 */
static bool has_content(struct str line)
{
    if (is_marker(line, STR("---"))) {
        line = str_sub(line, 3, line.len);
    } else if (str_starts_with(line, STR("%"))) {
        return false;
    }
    line = str_trim(line);
    return line.len != 0 && line.ptr[0] != '#';
}

/* Takes the next segment off the front of *rest; *line is the number of its first line. */
static struct segment next_segment(struct str *rest, uint32_t *line)
{
    const char *start = rest->ptr;
    struct segment segment = {.line = *line};
    for (bool first = true; rest->ptr != NULL; first = false) {
        struct str after = *rest;
        struct str one = str_cut(&after, '\n');
        if (!first && is_marker(one, STR("---"))) {
            break;
        }
        uint32_t number = (*line)++;
        *rest = after;
        if (is_marker(one, STR("..."))) {
            break;
        }
        if (segment.content == 0 && has_content(one)) {
            segment.content = number;
        }
        const char *end = after.ptr != NULL ? after.ptr : one.ptr + one.len;
        segment.text = str_span(start, (size_t)(end - start));
    }
    return segment;
}

struct str doc_cut(struct str *rest)
{
    uint32_t line = 1;
    struct str before = *rest;
    next_segment(rest, &line);
    return rest->ptr != NULL ? str_span(before.ptr, (size_t)(rest->ptr - before.ptr)) : before;
}

/* Puts a space after each "key:value" near the line where the parser stopped, `left` of them at
 * most. Returns how many, told in ret_slips; the new text goes to mended. */
static unsigned mend_near(struct str text, size_t line, unsigned left, struct buf *mended,
                          struct doc_slip *ret_slips)
{
    unsigned count = 0;
    size_t done = 0;
    for (size_t i = line < SLIP_LINES ? 0 : line - (SLIP_LINES - 1); i <= line; i++) {
        struct doc_slip slip;
        if (count < left && doc_slip_find(text, i, &slip)) {
            buf_add(mended, text.ptr + done, slip.colon + 1 - done);
            buf_add_byte(mended, ' ');
            done = slip.colon + 1;
            ret_slips[count++] = slip;
        }
    }
    buf_add_str(mended, str_sub(text, done, text.len));
    return count;
}

static int by_line(const void *a, const void *b)
{
    const struct doc_slip *left = a, *right = b;
    return (left->line > right->line) - (left->line < right->line);
}

/* Says that the slips, and not what the parser stumbled over later, are to be mended. */
static void blame_slips(struct arena *arena, uint32_t first_line, struct doc_slip *slips,
                        unsigned count, struct doc_error *ret_error)
{
    qsort(slips, count, sizeof(*slips), by_line);
    struct str value = slips[0].word;
    struct str key = str_cut(&value, ':');
    struct str likewise = STR("");
    for (unsigned i = 1; i < count; i++) {
        likewise =
            arena_printf(arena, "%.*s%s %u", STR_FMT(likewise), i == 1 ? "; likewise line" : ",",
                         first_line + (uint32_t)slips[i].line);
    }
    uint32_t line = first_line + (uint32_t)slips[0].line;
    *ret_error = (struct doc_error){
        .line = line,
        .column = 1 + (uint32_t)slips[0].column,
        .text = arena_printf(arena, "'%.*s' is one word, not a key and its value",
                             STR_FMT(doc_excerpt(slips[0].word))),
        .hint = arena_printf(arena, "write '%.*s: %.*s' with a space after the colon (line %u)%.*s",
                             STR_FMT(doc_excerpt(key)), STR_FMT(doc_excerpt(value)), line,
                             STR_FMT(likewise)),
    };
}

/* Finds out whether the document would parse, or come further, with spaces after its colons. */
static void mend(struct arena *arena, const struct segment *segment, struct doc_weight *weight,
                 struct doc *doc)
{
    struct arena scratch;
    arena_init(&scratch);
    struct doc_slip slips[SLIPS_MAX];
    unsigned count = 0;
    struct str text = segment->text;
    struct doc_error error = doc->error;
    struct doc_node *root = NULL;
    while (root == NULL && count < SLIPS_MAX) {
        struct buf mended;
        buf_init(&mended, MEND_BYTES_MAX + SLIPS_MAX);
        unsigned more =
            mend_near(text, error.line - segment->line, SLIPS_MAX - count, &mended, slips + count);
        text = arena_str(&scratch, buf_str(&mended));
        buf_release(&mended);
        count += more;
        if (more == 0 || (doc_tree_parse(&scratch, text, segment->line, weight, &root, &error) &&
                          root == NULL)) {
            break;
        }
    }
    if (root != NULL || (count != 0 && error.line > doc->error.line)) {
        blame_slips(arena, segment->line, slips, count, &doc->error);
    }
    if (root != NULL) {
        doc->mended = root;
        arena_steal(arena, &scratch);
    }
    arena_release(&scratch);
}

/* Parses one segment into ret_doc; false when there is nothing in it. */
static bool parse_segment(struct arena *arena, const struct segment *segment,
                          struct doc_weight *weight, struct doc *ret_doc)
{
    *ret_doc = (struct doc){.line = segment->content};
    if (segment->content == 0) {
        return false;
    }
    if (doc_tree_parse(arena, segment->text, segment->line, weight, &ret_doc->root,
                       &ret_doc->error)) {
        return ret_doc->root != NULL;
    }
    ret_doc->root = NULL;
    if (segment->text.len <= MEND_BYTES_MAX) {
        mend(arena, segment, weight, ret_doc);
    }
    return true;
}

/* One document that says why the file as a whole cannot be read. */
static void refuse_file(struct arena *arena, uint32_t line, struct str text, const char *hint,
                        struct doc **ret_docs, size_t *ret_len)
{
    *ret_docs = ARENA_NEW(arena, struct doc);
    **ret_docs =
        (struct doc){.line = line, .error = {.line = line, .text = text, .hint = str_from(hint)}};
    *ret_len = 1;
}

/* The line of the first byte that is not UTF-8; 0 when there is none. */
static uint32_t find_foreign_byte(struct str text)
{
    uint32_t line = 1;
    size_t at = 0;
    while (at < text.len) {
        size_t len = str_utf8_len(text, at);
        if (len == 0) {
            return line;
        }
        line += text.ptr[at] == '\n';
        at += len;
    }
    return 0;
}

static bool is_beyond(const struct docs *docs, const struct doc_weight *weight)
{
    return docs->list.len > DOC_PER_FILE_MAX || weight->nodes > DOC_FILE_NODES_MAX ||
           weight->bytes > DOC_FILE_TEXT_MAX;
}

static struct str beyond_text(struct arena *arena, const struct docs *docs,
                              const struct doc_weight *weight)
{
    if (docs->list.len > DOC_PER_FILE_MAX) {
        return arena_printf(arena, "the file has more than %d documents", DOC_PER_FILE_MAX);
    }
    if (weight->nodes > DOC_FILE_NODES_MAX) {
        return arena_printf(arena, "the file has more than %d values", DOC_FILE_NODES_MAX);
    }
    return arena_printf(arena, "the file holds more than %zu bytes of text", DOC_FILE_TEXT_MAX);
}

void doc_parse(struct arena *arena, struct str text, struct doc **ret_docs, size_t *ret_len)
{
    if (text.len > DOC_BYTES_MAX) {
        refuse_file(arena, 1,
                    arena_printf(arena, "the file is larger than %u bytes", DOC_BYTES_MAX),
                    "split it", ret_docs, ret_len);
        return;
    }
    uint32_t foreign = find_foreign_byte(text);
    if (foreign != 0) {
        refuse_file(arena, foreign, STR("the file is not UTF-8 text"), "save it as UTF-8", ret_docs,
                    ret_len);
        return;
    }
    if (str_starts_with(text, STR("\xEF\xBB\xBF"))) {
        text = str_sub(text, 3, text.len); /* a byte order mark */
    }
    struct docs docs = {0};
    struct doc_weight weight = {0};
    uint32_t line = 1;
    while (text.ptr != NULL && !is_beyond(&docs, &weight)) {
        struct segment segment = next_segment(&text, &line);
        struct doc doc;
        if (parse_segment(arena, &segment, &weight, &doc)) {
            vec_push(&docs.list, doc);
        }
    }
    if (is_beyond(&docs, &weight)) {
        refuse_file(arena, docs.list.len > 0 ? docs.list.items[docs.list.len - 1].line : 1,
                    beyond_text(arena, &docs, &weight),
                    "split it; an alias counts as all that it stands for", ret_docs, ret_len);
    } else {
        *ret_docs = ARENA_ARRAY(arena, docs.list.len, struct doc);
        *ret_len = docs.list.len;
        if (docs.list.len != 0) {
            memcpy(*ret_docs, docs.list.items, docs.list.len * sizeof(**ret_docs));
        }
    }
    vec_release(&docs.list);
}
