/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc_tree: one document of YAML, parsed by libyaml, as a tree. The steps of doc_parse()
 * (codec/yaml.c); nobody else includes this.
 */
#ifndef HEDDLE_CODEC_DOC_TREE_H
#define HEDDLE_CODEC_DOC_TREE_H

#include "codec/doc.h"

/* What documents hold, aliases counted as often as used. */
struct doc_weight {
    size_t nodes;
    size_t bytes; /* of keys and scalars */
};

/* Parses the text of one document, which begins at `line` of its file. *ret_root is NULL when
 * there is nothing in it. On failure only *ret_error is set. What was met is added to *weight. */
bool doc_tree_parse(struct arena *arena, struct str text, uint32_t line, struct doc_weight *weight,
                    struct doc_node **ret_root, struct doc_error *ret_error);

/* What a plain (unquoted) scalar means: sets type and value of the node from its text. */
void doc_scalar_resolve(struct doc_node *node);

#endif
