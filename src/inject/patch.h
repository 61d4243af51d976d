/* SPDX-License-Identifier: Apache-2.0 */
/* patch: what turns one JSON value into another, as a JSON Patch. Source: RFC 6902, RFC 6901. */
#ifndef HEDDLE_INJECT_PATCH_H
#define HEDDLE_INJECT_PATCH_H

#include <jansson.h>

/* An array of operations (add, remove, replace), the caller's; empty when the two are equal. Of
 * arrays that differ, what is alike at both ends is kept. */
json_t *patch_between(const json_t *from, const json_t *to);

#endif
