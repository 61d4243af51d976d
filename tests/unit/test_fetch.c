/* SPDX-License-Identifier: Apache-2.0 */
/* fetch: what goes into a URL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/fetch.h"

static void test_escape(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena);
    struct str text = fetch_escape(&arena, STR("sidecar/ns/a b&c=d"));
    assert_true(str_eq(text, STR("sidecar%2Fns%2Fa%20b%26c%3Dd")));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
