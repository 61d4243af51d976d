/* SPDX-License-Identifier: Apache-2.0 */
/* Whose silence counts among other replicas, and when are their clients on the way? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/replicas.h"
#include "net_fixture.h"

#define NOBODY "127.0.0.1:1" /* refuses connections */
#define OTHER "127.0.0.1:2"
#define LONG_MS 60000

struct asking {
    unsigned silent, done;
};

static void each(void *user, struct str address, const struct httpc_result *result)
{
    struct asking *asking = user;
    (void)address;
    asking->silent += result->status == 0;
}

static void done(void *user)
{
    ((struct asking *)user)->done++;
}

static void set(struct replicas *replicas, bool ready, size_t len)
{
    const struct replicas_peer peers[] = {{STR(OTHER), true}, {STR(NOBODY), ready}};
    replicas_set(replicas, peers, len);
}

static void who_is_gone_or_not_ready_is_not_missed(void **state)
{
    (void)state;
    struct loop loop;
    struct err err;
    assert_true(loop_init(&loop, "test", &err));
    struct replicas *replicas = replicas_new(&loop);
    set(replicas, true, 2);
    assert_true(replicas_silence_counts(replicas, STR(NOBODY)));
    set(replicas, false, 2);
    assert_false(replicas_silence_counts(replicas, STR(NOBODY)));
    assert_false(replicas_lost_within(replicas, LONG_MS));
    set(replicas, true, 1);
    assert_false(replicas_silence_counts(replicas, STR(NOBODY)));
    assert_true(replicas_silence_counts(replicas, STR(OTHER)));
    assert_true(replicas_lost_within(replicas, LONG_MS)); /* its clients are coming here */
    until(&loop, !replicas_lost_within(replicas, 5));
    replicas_free(replicas);
    loop_release(&loop);
}

static void who_falls_silent_is_lost_once(void **state)
{
    (void)state;
    struct loop loop;
    struct err err;
    struct asking asking = {.done = 0};
    const struct replicas_question question = {.method = "GET",
                                               .path = STR("/"),
                                               .timeout_ms = 1000,
                                               .each = each,
                                               .done = done,
                                               .user = &asking};
    assert_true(loop_init(&loop, "test", &err));
    struct replicas *replicas = replicas_new(&loop);
    const struct replicas_access access = {.token = STR("t")};
    replicas_set_access(replicas, &access);
    set(replicas, true, 2);
    assert_non_null(replicas_ask(replicas, &question));
    until(&loop, asking.done == 1);
    assert_int_equal(asking.silent, 2);
    assert_true(replicas_lost_within(replicas, LONG_MS));
    until(&loop, !replicas_lost_within(replicas, 5));
    assert_non_null(replicas_ask(replicas, &question));
    until(&loop, asking.done == 2);
    assert_false(replicas_lost_within(replicas, 5)); /* that is known already */
    replicas_free(replicas);
    loop_release(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_gone_or_not_ready_is_not_missed),
        cmocka_unit_test(who_falls_silent_is_lost_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
