/* SPDX-License-Identifier: Apache-2.0 */
/* format_time: durations of GEP-2257, from and to text. */
#include <inttypes.h>

#include "model/format.h"

#define DURATION_PARTS_MAX 4
#define DURATION_DIGITS_MAX 5

/* Milliseconds of the unit at the front, or 0. */
static int64_t cut_unit(struct str *text)
{
    if (str_cut_start(text, STR("ms"))) {
        return 1;
    }
    if (str_cut_start(text, STR("h"))) {
        return 3600 * 1000;
    }
    if (str_cut_start(text, STR("m"))) {
        return 60 * 1000;
    }
    return str_cut_start(text, STR("s")) ? 1000 : 0;
}

bool format_read_duration(struct str text, int64_t *ret_ms)
{
    int64_t total = 0;
    unsigned parts = 0;
    while (text.len > 0) {
        int64_t number;
        if (parts == DURATION_PARTS_MAX ||
            str_cut_digits(&text, DURATION_DIGITS_MAX, &number) == 0) {
            return false;
        }
        int64_t unit = cut_unit(&text);
        if (unit == 0) {
            return false;
        }
        total += number * unit;
        parts++;
    }
    if (parts == 0) {
        return false;
    }
    *ret_ms = total < FORMAT_DURATION_MAX_MS ? total : FORMAT_DURATION_MAX_MS;
    return true;
}

void format_write_duration(int64_t ms, struct buf *out)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{3600 * 1000, "h"}, {60 * 1000, "m"}, {1000, "s"}, {1, "ms"}};
    if (ms <= 0) {
        buf_add_text(out, "0s");
        return;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ms >= units[i].ms) {
            buf_printf(out, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
            ms %= units[i].ms;
        }
    }
}
