/* SPDX-License-Identifier: Apache-2.0 */
/* clock: the two times heddle knows. compute functions must not read either (engine/engine.h). */
#ifndef HEDDLE_BASE_CLOCK_H
#define HEDDLE_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_RFC3339_LEN 25 /* "2026-11-23T11:46:58.123Z" and its NUL */

uint64_t clock_mono_ns(void); /* for durations */
uint64_t clock_wall_ms(void); /* milliseconds since 1970 UTC, for people */
/* Writes e.g. 2026-11-23T11:46:58.123Z. */
void clock_rfc3339(uint64_t wall_ms, char ret_text[CLOCK_RFC3339_LEN]);

#endif
