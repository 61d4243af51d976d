/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exclusion: what a pod's owner wants not to be intercepted, as annotations and options say it:
 * "22,8000-8010" of ports and user ids, "10.0.0.0/8,fd00::1" of addresses.
 */
#ifndef HEDDLE_IR_EXCLUSION_H
#define HEDDLE_IR_EXCLUSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define EXCLUSIONS_MAX 256 /* of one list */

enum exclusion_kind { EXCLUDED_PORTS, EXCLUDED_UIDS, EXCLUDED_CIDRS };

struct exclusion {
    uint32_t from, to; /* of ports and user ids, both included */
    struct str cidr;   /* else: an address, or one with "/BITS" */
    bool ipv6;         /* of cidr */
};

/* Calls item (NULL: only checks) for each, in order; not at all when anything is wrong. Nothing,
 * and blanks around items, are fine. */
bool exclusions_read(enum exclusion_kind kind, struct str list,
                     void (*item)(void *user, const struct exclusion *exclusion), void *user,
                     struct err *err);

#endif
