/* SPDX-License-Identifier: Apache-2.0 */
/* answer: what reaches a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/answer.h"

static void test_no_control_characters(void **state)
{
    struct buf body;
    (void)state;
    buf_init(&body, BUF_UNLIMITED);
    buf_add_str(&body, STR("{\"a\": \"x\\u001b[2J\\n\\\\n\\\"\\u00e9\\u20ac\\"));
    answer_clean(&body);
    assert_true(str_eq(buf_str(&body), STR("{\"a\": \"x\\u003f[2J\\/\\\\n\\\"\\u003f\\u20ac\\")));
    buf_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
