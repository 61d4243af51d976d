/* SPDX-License-Identifier: Apache-2.0 */
/* interception: are the rules in place that `heddle agent intercept` or a CNI plugin makes? */
#ifndef HEDDLE_AGENT_INTERCEPTION_H
#define HEDDLE_AGENT_INTERCEPTION_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* The agent must listen on its port already. mode: of --interception; none is always fine. */
bool interception_check(struct str mode, bool ipv6, struct err *err);

#endif
