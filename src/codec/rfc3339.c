/* SPDX-License-Identifier: Apache-2.0 */
/* rfc3339: times from and to text. */
#include "codec/rfc3339.h"

#include <inttypes.h>

#define DAY_SECONDS 86400

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
    if (str_cut_digits(text, 4, &year) != 4 || !str_cut_start(text, STR("-")) ||
        str_cut_digits(text, 2, &month) != 2 || !str_cut_start(text, STR("-")) ||
        str_cut_digits(text, 2, &day) != 2) {
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
    if (str_cut_digits(text, 2, &hour) != 2 || !str_cut_start(text, STR(":")) ||
        str_cut_digits(text, 2, &minute) != 2) {
        return false;
    }
    if (with_seconds && (!str_cut_start(text, STR(":")) || str_cut_digits(text, 2, &second) != 2)) {
        return false;
    }
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return hour <= 23 && minute <= 59 && second <= 59;
}

bool rfc3339_read(struct str text, int64_t *ret_seconds)
{
    int64_t days, clock, offset = 0, fraction;
    if (!read_date(&text, &days) || !str_cut_start(&text, STR("T")) ||
        !read_clock(&text, true, &clock)) {
        return false;
    }
    if (str_cut_start(&text, STR(".")) && str_cut_digits(&text, 9, &fraction) == 0) {
        return false;
    }
    if (!str_cut_start(&text, STR("Z"))) {
        bool west = str_cut_start(&text, STR("-"));
        if ((!west && !str_cut_start(&text, STR("+"))) || !read_clock(&text, false, &offset)) {
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

void rfc3339_write(int64_t seconds, struct buf *out)
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
