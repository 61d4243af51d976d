/* SPDX-License-Identifier: Apache-2.0 */
/* Are metrics counted, and rendered in Prometheus's text format? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/metric.h"

static void values_add_up(void **state)
{
    (void)state;
    metric_set(M_ready, 0);
    assert_int_equal(metric_get(M_turns), 0);
    metric_add(M_turns, 2);
    metric_add(M_turns, 3);
    assert_int_equal(metric_get(M_turns), 5);
    metric_set(M_ready, 1);
    assert_int_equal(metric_get(M_ready), 1);
    metric_add(M_ready, -1);
    assert_int_equal(metric_get(M_ready), 0);
    assert_string_equal(metric_info(M_turns)->name, "heddle_turns_total");
    assert_int_equal(metric_info(M_ready)->type, METRIC_GAUGE);
}

static void help_and_type_stand_once_per_name(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    metric_render(&out);
    assert_false(str_contains(buf_str(&out), STR(METRIC_AGENT_PREFIX)));
    metric_render_agent(&out);
    buf_add_byte(&out, '\0');
    const char *text = (const char *)out.data;
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const struct metric_info *info = metric_info(i);
        char head[256];
        snprintf(head, sizeof(head), "# TYPE %s %s\n", info->name,
                 info->type == METRIC_COUNTER ? "counter" : "gauge");
        const char *at = strstr(text, head);
        assert_non_null(at);
        assert_null(strstr(at + 1, head));
        char value[256];
        snprintf(value, sizeof(value), info->labels[0] != '\0' ? "\n%s{%s} " : "\n%s%s ",
                 info->name, info->labels);
        assert_non_null(strstr(at, value));
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_add_up),
        cmocka_unit_test(help_and_type_stand_once_per_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
