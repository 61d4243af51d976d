/* SPDX-License-Identifier: Apache-2.0 */
/* Is a log line one line, whatever the values hold, and does a noisy call site fall silent? */
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
#include <unistd.h>

#include "base/log.h"
#include "base/metric.h"

static int real_stderr;
static FILE *capture;
static char text[65536];

static int capture_start(void **state)
{
    (void)state;
    capture = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    return capture != NULL && dup2(fileno(capture), STDERR_FILENO) >= 0 ? 0 : -1;
}

static int capture_end(void **state)
{
    (void)state;
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    fclose(capture);
    log_set_level(LOG_INFO);
    return 0;
}

/* What was logged since the last call, time stamps taken off. */
static const char *logged(void)
{
    ssize_t len = pread(fileno(capture), text, sizeof(text) - 1, 0);
    assert_true(len >= 0);
    text[len] = '\0';
    assert_int_equal(ftruncate(fileno(capture), 0), 0);
    lseek(fileno(capture), 0, SEEK_SET);
    if (len == 0) {
        return "";
    }
    assert_memory_equal(text, "ts=20", 5);
    return strchr(text, ' ') + 1;
}

static void values_are_quoted_when_they_must(void **state)
{
    (void)state;
    log_at(LOG_WARN, "source", "it fails", KV("file", STR("a.yaml")), KV_INT("line", -3));
    assert_string_equal(logged(), "level=warn mod=source msg=\"it fails\" file=a.yaml line=-3\n");
    log_at(LOG_INFO, "app", "ready");
    assert_string_equal(logged(), "level=info mod=app msg=ready\n");
    log_at(LOG_ERROR, "app", "x", KV_TEXT("a", ""), KV("b", STR("q\"\\=\n\t\x7f")),
           KV("c", STR("caf\xc3\xa9")), KV("d", STR("\xff\x80")));
    assert_string_equal(logged(), "level=error mod=app msg=x a=\"\" b=\"q\\\"\\\\=\\n\\x09\\x7f\" "
                                  "c=\"caf\xc3\xa9\" d=\"\\xff\\x80\"\n");
}

static void long_values_are_cut(void **state)
{
    (void)state;
    char fill[600];
    memset(fill, 'x', sizeof(fill));
    log_at(LOG_WARN, "m", "x", KV("v", str_span(fill, 512)));
    assert_int_equal(strlen(logged()), strlen("level=warn mod=m msg=x v=\n") + 512);
    log_at(LOG_WARN, "m", "x", KV("v", str_span(fill, 513)));
    const char *line = logged();
    assert_int_equal(strlen(line), strlen("level=warn mod=m msg=x v=\"...\"\n") + 512);
    assert_string_equal(line + strlen(line) - 6, "x...\"\n");
}

static void levels_are_obeyed(void **state)
{
    (void)state;
    enum log_level level = LOG_INFO;
    assert_false(log_enabled(LOG_DEBUG));
    log_at(LOG_DEBUG, "m", "hidden");
    assert_string_equal(logged(), "");
    assert_true(log_level_parse(STR("debug"), &level));
    log_set_level(level);
    log_at(LOG_DEBUG, "m", "shown");
    assert_string_equal(logged(), "level=debug mod=m msg=shown\n");
    assert_true(log_level_parse(STR("error"), &level));
    log_set_level(level);
    assert_false(log_enabled(LOG_WARN));
    assert_false(log_level_parse(STR("loud"), &level));
    assert_int_equal(level, LOG_ERROR);
    log_set_level(LOG_INFO);
}

static void a_noisy_site_is_limited(void **state)
{
    (void)state;
    struct log_site site = {0};
    for (unsigned i = 0; i < 25; i++) {
        log_write(&site, LOG_WARN, "m", "again", NULL, 0);
    }
    unsigned lines = 0;
    for (const char *c = logged(); *c != '\0'; c++) {
        lines += *c == '\n';
    }
    assert_int_equal(lines, 10);
    site.window = 1; /* long ago */
    log_write(&site, LOG_WARN, "m", "again", NULL, 0);
    assert_string_equal(logged(), "level=warn mod=m msg=again suppressed=15\n");
    log_write(&site, LOG_WARN, "m", "again", NULL, 0);
    assert_string_equal(logged(), "level=warn mod=m msg=again\n");
}

/* A pipe that nobody reads, as full as it gets, in place of standard error. Returns its other end.
 */
static int full_pipe(void)
{
    char fill[4096];
    int ends[2];
    memset(fill, 'x', sizeof(fill));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], fill, sizeof(fill)) > 0) {
    }
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    close(ends[1]);
    return ends[0];
}

/* The next line; of a longer one its end. */
static const char *read_line(int fd)
{
    size_t len = 0;
    char c = '\0';
    while (c != '\n') {
        assert_int_equal(read(fd, &c, 1), 1);
        if (len == sizeof(text) - 1) {
            len = sizeof(text) / 2;
            memmove(text, text + sizeof(text) - 1 - len, len);
        }
        text[len++] = c;
    }
    text[len] = '\0';
    return text;
}

/* How many lines the line that was read says were dropped. */
static int64_t told_dropped(const char *line)
{
    const char *told = strstr(line, " dropped=");
    return told != NULL ? strtoll(told + strlen(" dropped="), NULL, 10) : 0;
}

/* What finds no room is dropped and counted, and told by the next line that finds some: by one of
 * the first, where the writer has begun to make room already, or by the last. */
static void who_logs_waits_for_nobody(void **state)
{
    (void)state;
    char fill[500];
    memset(fill, 'y', sizeof(fill));
    const struct log_kv kv = KV("v", str_span(fill, sizeof(fill)));
    const int64_t all = 2 * LOG_QUEUE_MAX / (int64_t)sizeof(fill);
    int fd = full_pipe();
    alarm(60); /* it would wait for ever */
    log_start();
    int64_t before = metric_get(M_log_lines_dropped);
    for (int64_t i = 0; i < all; i++) {
        struct log_site site = {0};
        log_write(&site, LOG_WARN, "m", "nobody reads this", &kv, 1);
    }
    int64_t lost = metric_get(M_log_lines_dropped) - before;
    int64_t told = 0;
    assert_true(lost > 0 && lost < all);
    for (int64_t i = lost; i < all; i++) {
        const char *line = read_line(fd);
        assert_non_null(strstr(line, "msg=\"nobody reads this\""));
        told += told_dropped(line);
    }
    log_at(LOG_WARN, "m", "somebody does");
    told += told_dropped(read_line(fd));
    assert_non_null(strstr(text, "msg=\"somebody does\""));
    assert_int_equal(told, lost);
    log_at(LOG_WARN, "m", "the last");
    log_stop();
    assert_non_null(strstr(read_line(fd), "msg=\"the last\"\n"));
    alarm(0);
    close(fd);
}

/* Last, since nothing is written any more. */
static void a_full_pipe_does_not_hold_up_the_end(void **state)
{
    (void)state;
    int fd = full_pipe();
    alarm(60);
    log_start();
    log_at(LOG_WARN, "m", "unheard");
    log_stop();
    log_at(LOG_WARN, "m", "unheard");
    alarm(0);
    (void)signal(SIGPIPE, SIG_IGN);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_quoted_when_they_must, capture_start,
                                        capture_end),
        cmocka_unit_test_setup_teardown(long_values_are_cut, capture_start, capture_end),
        cmocka_unit_test_setup_teardown(levels_are_obeyed, capture_start, capture_end),
        cmocka_unit_test_setup_teardown(a_noisy_site_is_limited, capture_start, capture_end),
        cmocka_unit_test_setup_teardown(who_logs_waits_for_nobody, capture_start, capture_end),
        cmocka_unit_test_setup_teardown(a_full_pipe_does_not_hold_up_the_end, capture_start,
                                        capture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
