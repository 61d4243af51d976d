/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: writes the text of a failure. Every text is made up aside first, since the arguments may
 * be parts of the text that is being replaced.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Formats into text; when it does not fit, ends it with "..." (never inside a character). */
static void format_cut(char text[ERR_TEXT_MAX], const char *fmt, va_list args)
{
    int len = vsnprintf(text, ERR_TEXT_MAX, fmt, args);
    if (len < ERR_TEXT_MAX) {
        return;
    }
    size_t end = ERR_TEXT_MAX - sizeof("...");
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80) {
        end--;
    }
    memcpy(text + end, "...", sizeof("..."));
}

bool err_set(struct err *err, const char *fmt, ...)
{
    if (err != NULL) {
        char text[ERR_TEXT_MAX];
        va_list args;
        va_start(args, fmt);
        format_cut(text, fmt, args);
        va_end(args);
        memcpy(err->text, text, strlen(text) + 1);
    }
    return false;
}

bool err_set_errno(struct err *err, int errnum, const char *fmt, ...)
{
    if (err != NULL) {
        char text[ERR_TEXT_MAX];
        va_list args;
        va_start(args, fmt);
        format_cut(text, fmt, args);
        va_end(args);
        err_set(err, "%s: %s", text, strerror(errnum));
    }
    return false;
}

bool err_prefix(struct err *err, const char *fmt, ...)
{
    if (err != NULL) {
        char prefix[ERR_TEXT_MAX];
        va_list args;
        va_start(args, fmt);
        format_cut(prefix, fmt, args);
        va_end(args);
        err_set(err, "%s: %s", prefix, err->text);
    }
    return false;
}
