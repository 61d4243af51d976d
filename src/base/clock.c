/* SPDX-License-Identifier: Apache-2.0 */
/* clock: reads the two clocks and writes a time for people. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include "base/panic.h"

#define MS_MAX UINT64_C(253402300799999) /* the last millisecond of the year 9999 */

static struct timespec clock_read(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0) {
        panic("clock %d cannot be read", (int)id);
    }
    return now;
}

uint64_t clock_mono_ns(void)
{
    struct timespec now = clock_read(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_wall_ms(void)
{
    struct timespec now = clock_read(CLOCK_REALTIME);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void clock_rfc3339(uint64_t wall_ms, char ret_text[CLOCK_RFC3339_LEN])
{
    wall_ms = wall_ms > MS_MAX ? MS_MAX : wall_ms;
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    char date[CLOCK_RFC3339_LEN];
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(ret_text, CLOCK_RFC3339_LEN, "%.19s.%03uZ", date, (unsigned)(wall_ms % 1000) % 1000u);
}
