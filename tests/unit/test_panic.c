/* SPDX-License-Identifier: Apache-2.0 */
/* Does a bug end the process, and say where it is? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/panic.h"

static void break_an_assertion(void)
{
    int one = 1;
    ASSERT(one == 1);
    ASSERT(one == 2);
}

static void ask_for_too_much(void)
{
    free(xcalloc(SIZE_MAX / 2, 3));
}

/* Runs it in a process of its own, which must abort and say the text. */
static void check_panics(void (*run)(void), const char *text)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = {.rlim_cur = 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(ends[1], STDERR_FILENO);
        run();
        _exit(0);
    }
    close(ends[1]);
    char said[4096];
    size_t len = 0;
    ssize_t got;
    while ((got = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0) {
        len += (size_t)got;
    }
    said[len] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(said, "heddle: panic at "));
    assert_non_null(strstr(said, text));
}

static void a_bug_ends_the_process(void **state)
{
    (void)state;
    check_panics(break_an_assertion, "test_panic.c:24: assertion failed: one == 2\n");
    check_panics(ask_for_too_much, "allocation overflows: ");
}

/* The pipe is full, and nobody reads it. */
static void a_bug_does_not_wait_to_be_heard(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char fill[4096];
        const struct rlimit none = {.rlim_cur = 0};
        setrlimit(RLIMIT_CORE, &none);
        memset(fill, 'x', sizeof(fill));
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
        while (write(ends[1], fill, sizeof(fill)) > 0) {
        }
        fcntl(ends[1], F_SETFL, 0);
        dup2(ends[1], STDERR_FILENO);
        break_an_assertion();
    }
    int status = 0;
    alarm(60);
    assert_int_equal(waitpid(child, &status, 0), child);
    alarm(0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
    close(ends[0]);
    close(ends[1]);
}

static void nothing_can_be_allocated_too(void **state)
{
    (void)state;
    void *nothing[] = {xmalloc(0), xcalloc(0, 8), xrealloc(NULL, 0)};
    for (unsigned i = 0; i < 3; i++) {
        assert_non_null(nothing[i]);
        free(nothing[i]);
    }
    char *copy = xstrdup("text");
    assert_string_equal(copy, "text");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bug_ends_the_process),
        cmocka_unit_test(a_bug_does_not_wait_to_be_heard),
        cmocka_unit_test(nothing_can_be_allocated_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
