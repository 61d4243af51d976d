/* SPDX-License-Identifier: Apache-2.0 */
/* reaper: the first process of a container inherits children of processes that end before them. */
#ifndef HEDDLE_AGENT_REAPER_H
#define HEDDLE_AGENT_REAPER_H

#include <sys/types.h>

/* Takes the exit codes of all children that have ended but `own` (libuv waits for that one). */
void reap_others(pid_t own);

#endif
