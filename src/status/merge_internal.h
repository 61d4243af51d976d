/* SPDX-License-Identifier: Apache-2.0 */
/* merge_internal: what merge.c and merge_conditions.c share; for these only. */
#ifndef HEDDLE_STATUS_MERGE_INTERNAL_H
#define HEDDLE_STATUS_MERGE_INTERNAL_H

#include "status/merge.h"

/* Which of heddle's items stand in the merged list: bit i for item i. */
typedef uint64_t item_set;
#define ITEMS_MAX 64

static inline item_set item_bit(uint32_t i)
{
    return i < ITEMS_MAX ? UINT64_C(1) << i : 0;
}

/* --- merge.c --- */
uint32_t merge_len(const struct doc_node *list); /* 0 of what is none */
/* Of a member of any type, a number as it is spelled. */
struct str merge_text(const struct doc_node *mapping, struct str key);
void merge_verbatim(const struct doc_node *node, struct json *out);
void merge_changed(struct merge *merge); /* more than a message */

/* --- merge_conditions.c --- */
/* place: where the list stands, as condition.def names it; empty: where others set conditions, too.
 */
void merge_conditions(const struct doc_node *seen, const struct doc_node *wanted, struct str place,
                      struct json *out, struct merge *merge);

#endif
