/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_write: a JSON value as a document of YAML, as a person would write it: block style, quotes
 * only where a plain word could be read as something else (by YAML 1.1 too, which kubectl reads).
 */
#ifndef HEDDLE_CODEC_YAML_WRITE_H
#define HEDDLE_CODEC_YAML_WRITE_H

#include <jansson.h>

#include "base/buf.h"

/* Appends the document, without "---". Keys stand in the order in which they were set. */
void yaml_write(const json_t *value, struct buf *out);

#endif
