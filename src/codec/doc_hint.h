/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc_hint: from libyaml's complaint to words that help. A part of doc_parse() (codec/yaml.c).
 */
#ifndef HEDDLE_CODEC_DOC_HINT_H
#define HEDDLE_CODEC_DOC_HINT_H

#include "codec/doc.h"

/* Where and why the parser stopped. Lines and columns are those of the document's text, from 0. */
struct doc_trouble {
    const char *problem;
    const char *context; /* what it was doing, or NULL */
    size_t line;
    size_t column;
    size_t context_line; /* where that began */
    size_t context_column;
};

/* text begins at first_line of its file. */
void doc_explain(struct arena *arena, struct str text, uint32_t first_line,
                 const struct doc_trouble *trouble, struct doc_error *ret_error);

/* A key, a colon, and a text that follows without a space: "service:echo". */
struct doc_slip {
    size_t colon; /* offset of the colon in the text */
    size_t line;  /* from 0 */
    size_t column;
    struct str word; /* "service:echo", borrowed from the text */
};

/* Whether there is such a slip in this line (from 0) of the text. */
bool doc_slip_find(struct str text, size_t line, struct doc_slip *ret_slip);

/* A text for messages: cut to a bearable length, borrowed. */
struct str doc_excerpt(struct str text);

#endif
