/* SPDX-License-Identifier: Apache-2.0 */
/* base64: RFC 4648 §4, the form of bytes in JSON and of the data of a Kubernetes Secret. */
#ifndef HEDDLE_CODEC_BASE64_H
#define HEDDLE_CODEC_BASE64_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* Appends the encoded bytes, padded. */
void base64_encode(struct str bytes, struct buf *out);
/* Appends the decoded bytes. White space is skipped, padding must be right; false and nothing
 * appended when text is no base64. */
bool base64_decode(struct str text, struct buf *out);

#endif
