/* SPDX-License-Identifier: Apache-2.0 */
/* panic: how heddle dies when it is wrong itself, and the allocation that never fails. */
#include "base/panic.h"

#include <execinfo.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sanitizer.h"

#define PANIC_FRAMES 64
#define PANIC_SECONDS 2 /* for the last words; nobody may read them */

_Noreturn void panic_at(const char *file, int line, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    (void)signal(SIGALRM, SIG_DFL);
    (void)alarm(PANIC_SECONDS); /* ends the process, too */
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fprintf(stderr, "heddle: panic at %s:%d: %s\n", file, line, text);
    fflush(stderr);

    void *frames[PANIC_FRAMES];
    int count = backtrace(frames, PANIC_FRAMES);
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
    abort();
}

void *xmalloc(size_t size)
{
    void *ptr = malloc(size != 0 ? size : 1);
    if (ptr == NULL) {
        panic("out of memory: %zu bytes", size);
    }
    return ptr;
}

void *xcalloc(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        panic("allocation overflows: %zu * %zu bytes", count, size);
    }
    void *ptr = calloc(1, total != 0 ? total : 1);
    if (ptr == NULL) {
        panic("out of memory: %zu bytes", total);
    }
    return ptr;
}

void *xrealloc(void *ptr, size_t size)
{
    void *grown = realloc(ptr, size != 0 ? size : 1);
    if (grown == NULL) {
        panic("out of memory: %zu bytes", size);
    }
    return grown;
}

char *xstrdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(xmalloc(size), text, size);
}

void xtrim(void)
{
    /* A sanitizer has an allocator of its own. glibc's is not even set up then, and two threads
     * that do so at once see it half done (malloc_trim of glibc 2.36 crashed). */
#if !defined(SANITIZER_ADDRESS) && !defined(SANITIZER_THREAD)
    (void)malloc_trim(0);
#endif
}
