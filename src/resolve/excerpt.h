/* SPDX-License-Identifier: Apache-2.0 */
/* excerpt: parts of a Gateway (T_EXCERPT), for those who would read all of it for little. */
#ifndef HEDDLE_RESOLVE_EXCERPT_H
#define HEDDLE_RESOLVE_EXCERPT_H

#include "engine/engine.h"
#include "ir/gateway.h"

/* gateway: "NS/NAME"; set: "ns/name" of a ListenerSet, empty: the Gateway's own listeners. NULL: it
 * is not ours, or has no such ListenerSet. */
const struct ir_gateway *excerpt_of_parent(struct eval *ev, struct str gateway, struct str set);
/* With one listener, which is served and has the hostname ("*": any); its parameter http3 says
 * whether that one speaks it. NULL: there is none on the entry. */
const struct ir_gateway *excerpt_of_host(struct eval *ev, struct str entry, struct str host);

#endif
