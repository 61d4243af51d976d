/* SPDX-License-Identifier: Apache-2.0 */
/* waiters: who waits for one answer that all of them get (net/h1.h bounds their number). */
#ifndef HEDDLE_AGENT_WAITERS_H
#define HEDDLE_AGENT_WAITERS_H

#include "base/vec.h"
#include "net/h1.h"

struct waiters {
    VEC(struct h1_reply *) replies;
};

void waiters_add(struct waiters *waiters, struct h1_reply *reply);
/* Nobody waits afterwards; what the list held is freed. */
void waiters_answer(struct waiters *waiters, unsigned status, const char *text);

#endif
