/* SPDX-License-Identifier: Apache-2.0 */
/* Does a loop run its tasks once, in order and in the same turn, and end when it is told? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "net/loop.h"

struct side {
    struct loop loop;
    struct loop_task first;
    struct loop_task second;
    char order[16];
    bool ask_again;
};

static struct side side;

static void run_first(struct loop_task *task)
{
    (void)task;
    strncat(side.order, "1", sizeof(side.order) - strlen(side.order) - 1);
    if (side.ask_again) {
        side.ask_again = false;
        loop_task_soon(&side.loop, &side.first);
        loop_task_soon(&side.loop, &side.second);
    }
}

static void run_second(struct loop_task *task)
{
    (void)task;
    strncat(side.order, "2", sizeof(side.order) - strlen(side.order) - 1);
}

static void start(const char *name)
{
    memset(&side, 0, sizeof(side));
    assert_true(loop_init(&side.loop, name, NULL));
    loop_task_init(&side.first, run_first);
    loop_task_init(&side.second, run_second);
}

static void tasks_run_once_a_turn(void **state)
{
    (void)state;
    start("test");
    loop_task_soon(&side.loop, &side.second);
    loop_task_soon(&side.loop, &side.first);
    loop_task_soon(&side.loop, &side.second);
    uv_run(&side.loop.uv, UV_RUN_NOWAIT);
    assert_string_equal(side.order, "21");
    uv_run(&side.loop.uv, UV_RUN_NOWAIT);
    assert_string_equal(side.order, "21");
    loop_release(&side.loop);
}

static void what_a_task_asks_for_is_done_in_the_same_turn(void **state)
{
    (void)state;
    start("test");
    side.ask_again = true;
    loop_task_soon(&side.loop, &side.first);
    uv_run(&side.loop.uv, UV_RUN_NOWAIT);
    assert_string_equal(side.order, "112");
    loop_release(&side.loop);
}

static void a_task_may_be_cancelled(void **state)
{
    (void)state;
    start("test");
    loop_task_cancel(&side.first); /* was not waiting */
    loop_task_soon(&side.loop, &side.first);
    loop_task_soon(&side.loop, &side.second);
    loop_task_cancel(&side.first);
    loop_task_cancel(&side.first);
    uv_run(&side.loop.uv, UV_RUN_NOWAIT);
    assert_string_equal(side.order, "2");
    loop_release(&side.loop);
}

static void stopping_may_come_first(void **state)
{
    (void)state;
    start("a name that is longer than a thread's may be");
    assert_string_equal(side.loop.name, "a name that is ");
    loop_stop(&side.loop);
    loop_run(&side.loop); /* returns */
    loop_task_soon(&side.loop, &side.first);
    loop_release(&side.loop); /* what still waits is done */
    assert_string_equal(side.order, "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_once_a_turn),
        cmocka_unit_test(what_a_task_asks_for_is_done_in_the_same_turn),
        cmocka_unit_test(a_task_may_be_cancelled),
        cmocka_unit_test(stopping_may_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
