/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: why an operation failed, in words for the person who has to mend it.
 *
 * Passed last as `struct err *err`, filled on failure only, never allocated. Text rules as in git:
 * lower case, no full stop, the subject in single quotes, what failed first, then the remedy.
 * Callers add context in front with err_prefix().
 */
#ifndef HEDDLE_BASE_ERR_H
#define HEDDLE_BASE_ERR_H

#include <stdbool.h>

#define ERR_TEXT_MAX 512

struct err {
    char text[ERR_TEXT_MAX]; /* NUL-terminated; cut with "..." when too long */
};

/* Sets the text; always returns false, so that `return err_set(err, ...)` reads well.
 * err may be NULL when the caller does not care why. */
bool err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Sets "<text>: <strerror(errnum)>". */
bool err_set_errno(struct err *err, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "<prefix>: " in front of the present text; returns false. */
bool err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
