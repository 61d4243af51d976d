/* SPDX-License-Identifier: Apache-2.0 */
/* percent: texts as parts of URLs (RFC 3986 §2.1): all but the unreserved characters as %XX. */
#ifndef HEDDLE_CODEC_PERCENT_H
#define HEDDLE_CODEC_PERCENT_H

#include "base/buf.h"
#include "base/str.h"

void percent_encode(struct str text, struct buf *out); /* appends */

#endif
