/* SPDX-License-Identifier: Apache-2.0 */
/* upstream: which of its clusters a Gateway's Envoys send to for a backend. */
#ifndef HEDDLE_RESOLVE_UPSTREAM_H
#define HEDDLE_RESOLVE_UPSTREAM_H

#include "ir/attachment.h"
#include "resolve/shares.h"

/* The upstream_name (ir/gateway.h), in the arena. Empty, and why: the share is an error. */
struct str upstream_choose(struct arena *arena, const struct sender *sender,
                           const struct attached_backend *backend, struct str *ret_reason);

#endif
