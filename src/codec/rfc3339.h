/* SPDX-License-Identifier: Apache-2.0 */
/* rfc3339: times as the Kubernetes API spells them, such as "2026-11-23T11:46:58Z". */
#ifndef HEDDLE_CODEC_RFC3339_H
#define HEDDLE_CODEC_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* To seconds since 1970 UTC; a fraction is dropped. */
bool rfc3339_read(struct str text, int64_t *ret_seconds);
void rfc3339_write(int64_t seconds, struct buf *out);

#endif
