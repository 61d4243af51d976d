/* SPDX-License-Identifier: Apache-2.0 */
/* Does err keep its text whole when it is cut, prefixed and fed with itself? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

static void set_returns_false(void **state)
{
    (void)state;
    struct err err;
    assert_false(err_set(&err, "port %d is not free", 80));
    assert_string_equal(err.text, "port 80 is not free");
    assert_false(err_set(NULL, "nobody cares"));
    assert_false(err_set_errno(NULL, ENOENT, "nobody cares"));
    assert_false(err_prefix(NULL, "nobody cares"));
}

static void errno_is_said_in_words(void **state)
{
    (void)state;
    struct err err;
    assert_false(err_set_errno(&err, ENOENT, "open '%s'", "a.yaml"));
    assert_string_equal(err.text, "open 'a.yaml': No such file or directory");
}

static void prefix_goes_in_front(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, "no such key");
    assert_false(err_prefix(&err, "file '%s'", "a.yaml"));
    assert_string_equal(err.text, "file 'a.yaml': no such key");
    err_prefix(&err, "%s", "load");
    assert_string_equal(err.text, "load: file 'a.yaml': no such key");
}

static void own_text_may_be_an_argument(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, "inner");
    err_set(&err, "outer (%s) again (%s)", err.text, err.text);
    assert_string_equal(err.text, "outer (inner) again (inner)");
    err_prefix(&err, "%s", err.text + 6);
    assert_string_equal(err.text, "(inner) again (inner): outer (inner) again (inner)");
    err_set_errno(&err, EPERM, "%.7s", err.text);
    assert_string_equal(err.text, "(inner): Operation not permitted");
}

static void long_text_is_cut_with_dots(void **state)
{
    (void)state;
    char fill[2 * ERR_TEXT_MAX];
    memset(fill, 'x', sizeof(fill));
    fill[sizeof(fill) - 1] = '\0';
    struct err err;
    err_set(&err, "%.*s", ERR_TEXT_MAX - 1, fill);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_string_equal(err.text + ERR_TEXT_MAX - 4, "xxx");
    err_set(&err, "%.*s", ERR_TEXT_MAX, fill);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_string_equal(err.text + ERR_TEXT_MAX - 4, "...");
    err_set(&err, "end");
    err_prefix(&err, "%s", fill);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_string_equal(err.text + ERR_TEXT_MAX - 4, "...");
    err_set(&err, "%.*s", ERR_TEXT_MAX - 4, fill);
    err_prefix(&err, "p");
    assert_memory_equal(err.text, "p: xxx", 6);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void a_character_is_never_halved(void **state)
{
    (void)state;
    char fill[2 * ERR_TEXT_MAX + 1];
    for (size_t i = 0; i + 1 < sizeof(fill); i += 2) {
        memcpy(fill + i, "\xc3\xa9", 2);
    }
    fill[sizeof(fill) - 1] = '\0';
    struct err err;
    err_set(&err, "%s", fill);
    size_t len = strlen(err.text);
    assert_string_equal(err.text + len - 3, "...");
    assert_int_equal((len - 3) % 2, 0);
    err_set(&err, "a%s", fill);
    len = strlen(err.text);
    assert_string_equal(err.text + len - 3, "...");
    assert_int_equal((len - 4) % 2, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_returns_false),          cmocka_unit_test(errno_is_said_in_words),
        cmocka_unit_test(prefix_goes_in_front),       cmocka_unit_test(own_text_may_be_an_argument),
        cmocka_unit_test(long_text_is_cut_with_dots), cmocka_unit_test(a_character_is_never_halved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
