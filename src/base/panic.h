/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panic: what happens when heddle itself is wrong.
 *
 * Three audiences, three channels (docs/architecture.md, "Errors"): a bug panics; an operation
 * that failed returns `struct err`; a user's mistake becomes a condition row. Asserts stay on in
 * production: proxies keep their last configuration while the process restarts.
 * Out of memory is treated as a bug: sizes that come from outside are capped at the edge.
 */
#ifndef HEDDLE_BASE_PANIC_H
#define HEDDLE_BASE_PANIC_H

#include <stddef.h>

/* Prints the message and a backtrace to standard error, then aborts. */
_Noreturn void panic_at(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define panic(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)
#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            panic_at(__FILE__, __LINE__, "assertion failed: %s", #cond);                           \
        }                                                                                          \
    } while (0)

/* Never return NULL; a request for 0 bytes returns a pointer that can be freed. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* panics when count * size overflows */
void *xrealloc(void *ptr, size_t size);
char *xstrdup(const char *text);
/* Gives the kernel back what is free, after much was: some milliseconds for 100 MB. */
void xtrim(void);

#endif
