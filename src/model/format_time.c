/* SPDX-License-Identifier: Apache-2.0 */
/* format_time: durations of GEP-2257 and times of RFC 3339, from and to text. */
#include <inttypes.h>

#include "model/format.h"

#define DURATION_PARTS_MAX 4
#define DURATION_DIGITS_MAX 5
#define DAY_SECONDS 86400

/* Reads up to `max` digits off the front; returns how many. */
static size_t cut_digits(struct str *text, size_t max, int64_t *ret_value)
{
    size_t n = 0;
    *ret_value = 0;
    while (n < text->len && n < max && text->ptr[n] >= '0' && text->ptr[n] <= '9') {
        *ret_value = *ret_value * 10 + (text->ptr[n] - '0');
        n++;
    }
    *text = str_sub(*text, n, text->len);
    return n;
}

static bool cut_text(struct str *text, struct str part)
{
    if (!str_starts_with(*text, part)) {
        return false;
    }
    *text = str_sub(*text, part.len, text->len);
    return true;
}

/* Milliseconds of the unit at the front, or 0. */
static int64_t cut_unit(struct str *text)
{
    if (cut_text(text, STR("ms"))) {
        return 1;
    }
    if (cut_text(text, STR("h"))) {
        return 3600 * 1000;
    }
    if (cut_text(text, STR("m"))) {
        return 60 * 1000;
    }
    return cut_text(text, STR("s")) ? 1000 : 0;
}

bool format_read_duration(struct str text, int64_t *ret_ms)
{
    int64_t total = 0;
    unsigned parts = 0;
    while (text.len > 0) {
        int64_t number;
        if (parts == DURATION_PARTS_MAX || cut_digits(&text, DURATION_DIGITS_MAX, &number) == 0) {
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

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days before the first of January of `year`, counted from the year 1. */
static int64_t days_before_year(int64_t year)
{
    int64_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400;
}

static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    int64_t days = days_before_year(year) - days_before_year(1970) + day - 1;
    for (int64_t m = 1; m < month; m++) {
        days += days_in_month(year, m);
    }
    return days;
}

static bool read_date(struct str *text, int64_t *ret_days)
{
    int64_t year, month, day;
    if (cut_digits(text, 4, &year) != 4 || !cut_text(text, STR("-")) ||
        cut_digits(text, 2, &month) != 2 || !cut_text(text, STR("-")) ||
        cut_digits(text, 2, &day) != 2) {
        return false;
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *ret_days = days_since_1970(year, month, day);
    return true;
}

static bool read_clock(struct str *text, bool with_seconds, int64_t *ret_seconds)
{
    int64_t hour, minute, second = 0;
    if (cut_digits(text, 2, &hour) != 2 || !cut_text(text, STR(":")) ||
        cut_digits(text, 2, &minute) != 2) {
        return false;
    }
    if (with_seconds && (!cut_text(text, STR(":")) || cut_digits(text, 2, &second) != 2)) {
        return false;
    }
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return hour <= 23 && minute <= 59 && second <= 59;
}

bool format_read_time(struct str text, int64_t *ret_seconds)
{
    int64_t days, clock, offset = 0, fraction;
    if (!read_date(&text, &days) || !cut_text(&text, STR("T")) ||
        !read_clock(&text, true, &clock)) {
        return false;
    }
    if (cut_text(&text, STR(".")) && cut_digits(&text, 9, &fraction) == 0) {
        return false;
    }
    if (!cut_text(&text, STR("Z"))) {
        bool west = cut_text(&text, STR("-"));
        if ((!west && !cut_text(&text, STR("+"))) || !read_clock(&text, false, &offset)) {
            return false;
        }
        offset = west ? -offset : offset;
    }
    if (text.len != 0) {
        return false;
    }
    *ret_seconds = days * DAY_SECONDS + clock - offset;
    return true;
}

void format_write_time(int64_t seconds, struct buf *out)
{
    int64_t days = seconds / DAY_SECONDS, clock = seconds % DAY_SECONDS;
    if (clock < 0) {
        days--;
        clock += DAY_SECONDS;
    }
    int64_t year = 1970 + days / 366 - (days < 0 ? 1 : 0), month = 1;
    while (days_since_1970(year + 1, 1, 1) <= days) { /* at most a few steps: see the guess above */
        year++;
    }
    while (days < days_since_1970(year, 1, 1)) {
        year--;
    }
    int64_t day = days - days_since_1970(year, 1, 1);
    while (day >= days_in_month(year, month)) {
        day -= days_in_month(year, month);
        month++;
    }
    buf_printf(
        out, "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64 "Z",
        year, month, day + 1, clock / 3600, clock / 60 % 60, clock % 60);
}
