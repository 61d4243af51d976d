/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interest: which on-demand names the streams of one worker want, counted, so that thread 0 hears
 * of the first subscriber of a name and of the last.
 */
#ifndef HEDDLE_SERVE_INTEREST_H
#define HEDDLE_SERVE_INTEREST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "snapshot/type.h"

struct interest {
    struct map wants; /* by "<type> <scope>\0<name>" */
    struct buf key;   /* scratch */
};

void interest_init(struct interest *interest);
void interest_release(struct interest *interest);
/* True: this was the first (add) or the last (remove) of the name. */
bool interest_add(struct interest *interest, enum xds_type type, struct str scope, struct str name);
bool interest_remove(struct interest *interest, enum xds_type type, struct str scope,
                     struct str name);
size_t interest_len(const struct interest *interest);

#endif
