/* SPDX-License-Identifier: Apache-2.0 */
/* Is a log line one line, whatever the values hold, and does a noisy call site fall silent? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_quoted_when_they_must, capture_start,
                                        capture_end),
        cmocka_unit_test_setup_teardown(long_values_are_cut, capture_start, capture_end),
        cmocka_unit_test_setup_teardown(levels_are_obeyed, capture_start, capture_end),
        cmocka_unit_test_setup_teardown(a_noisy_site_is_limited, capture_start, capture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
