/* SPDX-License-Identifier: Apache-2.0 */
/* status: why did a request fail? What the API server's Status object (meta/v1) says of it. */
#ifndef HEDDLE_KUBE_STATUS_H
#define HEDDLE_KUBE_STATUS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

#define KUBE_MESSAGE_MAX 1024 /* bytes of a message that are kept */

struct doc_node;

struct kube_status {
    struct str reason, message; /* in the arena; never empty */
    int64_t code;               /* as in HTTP; 0: not said */
    unsigned retry_after_ms;    /* 0: not said */
};

/* Of a Status object. */
struct kube_status kube_status_of(struct arena *arena, const struct doc_node *node);
/* Of the answer to a request: its body, when that is a Status, else what the code means. */
struct kube_status kube_status_read(struct arena *arena, unsigned code, struct str body);

#endif
