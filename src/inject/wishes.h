/* SPDX-License-Identifier: Apache-2.0 */
/* wishes: what the annotations of a pod want of the containers that it gets. */
#ifndef HEDDLE_INJECT_WISHES_H
#define HEDDLE_INJECT_WISHES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* WISH_EXCLUDE_…: lists for the rules of interception, in the order of their options. */
enum wish {
    WISH_EXCLUDE_OUTBOUND_PORTS,
    WISH_EXCLUDE_OUTBOUND_CIDRS,
    WISH_EXCLUDE_INBOUND_PORTS,
    WISH_EXCLUDE_UIDS,
    WISH_CPU,
    WISH_MEMORY,
    WISH_CPU_LIMIT,
    WISH_MEMORY_LIMIT,
    WISH_INTERCEPTION,
    WISH_COUNT
};

struct wishes {
    struct str values[WISH_COUNT]; /* empty: not said; borrowed from the pod */
    bool cni;                      /* a CNI plugin makes the rules */
};

const char *wish_annotation(enum wish wish); /* "heddle.dev/exclude-uids" */
/* False with the annotation that is wrong, and why. */
bool wishes_read(const json_t *annotations, struct wishes *ret_wishes, struct err *err);

#endif
