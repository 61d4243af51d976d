/* SPDX-License-Identifier: Apache-2.0 */
/* test_engine: what the engine promises, one promise per test, with evaluations counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine_toy.h"

static struct engine *engine;

static int set_up(void **state)
{
    (void)state;
    engine = engine_new(&toy_graph);
    engine_set_paranoid(engine, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    engine_free(engine);
    return 0;
}

/* One run with the oracle after it. */
static size_t turn(void)
{
    size_t evaluations = engine_run(engine);
    toy_check(engine);
    return evaluations;
}

static void assert_text(unsigned table, const char *key, const char *text)
{
    const struct row *row = engine_get(engine, table, str_from(key));
    if (text == NULL) {
        assert_null(row);
        return;
    }
    assert_non_null(row);
    char have[512];
    snprintf(have, sizeof(have), "%.*s", STR_FMT(toy_of(row)->text));
    assert_string_equal(have, text);
}

/* Runs `act` in a child and expects it to panic. */
static void assert_panics(void (*act)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(2);
        }
        act();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* --- rows ------------------------------------------------------------------------------------ */

static void test_empty(void **state)
{
    (void)state;
    assert_int_equal(turn(), 0);
    assert_int_equal(engine_count(engine, TOY_VHOST), 0);
    assert_int_equal(engine_changes(engine, TOY_RESOURCE).len, 0);
    assert_int_equal(engine_group(engine, TOY_HOST, STR("nobody")).len, 0);
    assert_null(engine_get(engine, TOY_SERVICE, STR("nobody")));
    assert_ptr_equal(engine_graph(engine), &toy_graph);
}

static void test_computes_through_the_ranks(void **state)
{
    (void)state;
    toy_put_service(engine, STR("web"), 80, STR(""));
    toy_put_route(engine, STR("r"), STR("web"), STR("web"), 1);
    assert_null(engine_get(engine, TOY_SERVICE, STR("web"))); /* not before the run */
    assert_int_equal(turn(), 4);                              /* cluster, attach, vhost, resource */
    assert_text(TOY_VHOST, "web", "[1 web:80 resolved][default :80]");
    assert_text(TOY_RESOURCE, "web", "<[1 web:80 resolved][default :80]>");
    assert_int_equal(engine_evaluations(engine), 4);
    assert_int_equal(turn(), 0);
}

static void test_last_put_wins(void **state)
{
    (void)state;
    toy_put_service(engine, STR("web"), 80, STR(""));
    toy_put_service(engine, STR("web"), 81, STR(""));
    engine_delete(engine, TOY_SERVICE, STR("web"));
    toy_put_service(engine, STR("web"), 82, STR(""));
    toy_put_service(engine, STR("gone"), 1, STR(""));
    engine_delete(engine, TOY_SERVICE, STR("gone"));
    engine_delete(engine, TOY_SERVICE, STR("never"));
    assert_int_equal(turn(), 3);
    assert_int_equal(engine_count(engine, TOY_SERVICE), 1);
    assert_text(TOY_VHOST, "web", "[default :82]");
    assert_int_equal(turn(), 0);
}

static void test_equal_input_wakes_nobody(void **state)
{
    (void)state;
    toy_put_service(engine, STR("web"), 80, STR("note"));
    turn();
    const struct row *row = engine_get(engine, TOY_SERVICE, STR("web"));
    toy_put_service(engine, STR("web"), 80, STR("note"));
    assert_int_equal(turn(), 0);
    assert_ptr_equal(engine_get(engine, TOY_SERVICE, STR("web")), row);
    engine_delete(engine, TOY_SERVICE, STR("web"));
    toy_put_service(engine, STR("web"), 80, STR("note"));
    assert_int_equal(turn(), 0);
    assert_ptr_equal(engine_get(engine, TOY_SERVICE, STR("web")), row);
}

static void test_equal_result_stops_the_wave(void **state)
{
    (void)state;
    toy_put_service(engine, STR("web"), 80, STR("one"));
    turn();
    const struct row *cluster = engine_get(engine, TOY_CLUSTER, STR("web"));
    toy_put_service(engine, STR("web"), 80, STR("two"));
    assert_int_equal(turn(), 1); /* the cluster, with an equal result */
    assert_ptr_equal(engine_get(engine, TOY_CLUSTER, STR("web")), cluster);
    assert_int_equal(engine_stats(engine, TOY_CLUSTER).cutoffs, 1);
    assert_int_equal(engine_changes(engine, TOY_RESOURCE).len, 0);
}

static void test_absent_read_wakes(void **state)
{
    (void)state;
    toy_put_route(engine, STR("r"), STR("shop"), STR("cart"), 1);
    assert_int_equal(turn(), 3);
    assert_text(TOY_VHOST, "shop", "[1 cart:0 missing]");
    toy_put_service(engine, STR("cart"), 90, STR(""));
    /* cluster cart, attach r, vhost shop and cart, resource shop and cart */
    assert_int_equal(turn(), 6);
    assert_text(TOY_VHOST, "shop", "[1 cart:90 resolved]");
    engine_delete(engine, TOY_SERVICE, STR("cart"));
    /* attach r, vhost shop, resource shop; the rows of cart go without being computed */
    assert_int_equal(turn(), 3);
    assert_text(TOY_VHOST, "shop", "[1 cart:0 missing]");
    assert_text(TOY_VHOST, "cart", NULL);
}

static void test_null_result_is_no_row(void **state)
{
    (void)state;
    toy_put_service(engine, STR("headless"), 0, STR(""));
    assert_int_equal(turn(), 3);
    assert_text(TOY_CLUSTER, "headless", NULL);
    assert_text(TOY_VHOST, "headless", "");
    assert_text(TOY_RESOURCE, "headless", NULL);
    assert_int_equal(engine_count(engine, TOY_RESOURCE), 0);
    toy_put_service(engine, STR("headless"), 5, STR(""));
    assert_int_equal(turn(), 3);
    assert_text(TOY_RESOURCE, "headless", "<[default :5]>");
    toy_put_service(engine, STR("headless"), 0, STR(""));
    assert_int_equal(turn(), 3);
    assert_text(TOY_RESOURCE, "headless", NULL);
}

/* --- keys ------------------------------------------------------------------------------------ */

static void test_keys_are_the_union_of_sources(void **state)
{
    (void)state;
    toy_put_service(engine, STR("a"), 1, STR(""));
    toy_put_route(engine, STR("r"), STR("a,b"), STR("a"), 1);
    turn();
    assert_int_equal(engine_count(engine, TOY_VHOST), 2);
    engine_delete(engine, TOY_SERVICE, STR("a"));
    turn();
    assert_int_equal(engine_count(engine, TOY_VHOST), 2); /* the route still names both */
    engine_delete(engine, TOY_ROUTE, STR("r"));
    assert_int_equal(turn(), 0); /* emptied groups delete rows without computing them */
    assert_int_equal(engine_count(engine, TOY_VHOST), 0);
    assert_int_equal(engine_count(engine, TOY_RESOURCE), 0);
}

static void test_group_handed_over_within_a_run(void **state)
{
    (void)state;
    toy_put_route(engine, STR("old"), STR("shop"), STR("x"), 1);
    turn();
    engine_delete(engine, TOY_ROUTE, STR("old"));
    toy_put_route(engine, STR("new"), STR("shop"), STR("x"), 2);
    assert_int_equal(turn(), 3); /* attach new, vhost and resource shop, each once */
    struct row_changes changes = engine_changes(engine, TOY_RESOURCE);
    assert_int_equal(changes.len, 1);
    assert_non_null(changes.items[0].before);
    assert_non_null(changes.items[0].after);
    assert_text(TOY_VHOST, "shop", "[2 x:0 missing]");
}

static void test_key_that_came_back_is_computed_anew(void **state)
{
    (void)state;
    toy_put_service(engine, STR("a"), 1, STR(""));
    turn();
    engine_delete(engine, TOY_SERVICE, STR("a"));
    turn();
    toy_put_service(engine, STR("a"), 2, STR(""));
    assert_int_equal(turn(), 3);
    assert_text(TOY_RESOURCE, "a", "<[default :2]>");
}

static const struct row *says_its_key(struct eval *ev, struct str key)
{
    (void)ev;
    return &toy_new(0, STR_NULL, STR_NULL, key)->head;
}

static const struct row *copies_x(struct eval *ev, struct str key)
{
    (void)key;
    const struct row *row = eval_get(ev, 2, STR("x"));
    return row != NULL ? &toy_new(0, STR_NULL, STR_NULL, toy_of(row)->text)->head : NULL;
}

/* A compute need not read its source, and an empty slot may be kept by its readers. */
static void test_key_comes_back_to_a_slot_that_stayed(void **state)
{
    (void)state;
    const struct table_spec tables[] = {
        {.name = "keys", .equal = toy_equal},
        {.name = "wishes", .equal = toy_equal},
        {.name = "echo",
         .rank = 1,
         .compute = says_its_key,
         .equal = toy_equal,
         .sources = {{KEYS_OF_TABLE, 0}}},
        {.name = "reader",
         .rank = 2,
         .compute = copies_x,
         .equal = toy_equal,
         .sources = {{KEYS_OF_TABLE, 1}}},
    };
    const struct graph graph = {.tables = tables, .ntables = 4};
    struct engine *small = engine_new(&graph);
    engine_put(small, 1, STR("w"), &toy_new(0, STR_NULL, STR_NULL, STR_NULL)->head);
    assert_int_equal(engine_run(small), 1);
    for (unsigned i = 0; i < 3; i++) {
        engine_put(small, 0, STR("x"), &toy_new(i, STR_NULL, STR_NULL, STR_NULL)->head);
        assert_int_equal(engine_run(small), 2);
        toy_check(small);
        assert_int_equal(engine_count(small, 3), 1);
        engine_put(small, 0, STR("x"), &toy_new(i + 9, STR_NULL, STR_NULL, STR_NULL)->head);
        assert_int_equal(engine_run(small), 0); /* nobody looks at what the row says */
        engine_delete(small, 0, STR("x"));
        assert_int_equal(engine_run(small), 1);
        toy_check(small);
        assert_int_equal(engine_count(small, 3), 0);
    }
    engine_free(small);
}

/* --- groups ---------------------------------------------------------------------------------- */

static void test_order_in_groups(void **state)
{
    (void)state;
    toy_put_route(engine, STR("c"), STR("h"), STR("c"), 5);
    toy_put_route(engine, STR("a"), STR("h,h,,h"), STR("a"), 5);
    toy_put_route(engine, STR("b"), STR("h"), STR("b"), 9);
    toy_put_route(engine, STR("d"), STR("h"), STR("d"), 1);
    turn();
    assert_int_equal(engine_group(engine, TOY_HOST, STR("h")).len, 4);
    assert_text(TOY_VHOST, "h", "[9 b:0 missing][5 a:0 missing][5 c:0 missing][1 d:0 missing]");
    toy_put_route(engine, STR("d"), STR("h"), STR("d"), 7); /* moves */
    toy_put_route(engine, STR("a"), STR("h"), STR("A"), 5); /* stays where it is */
    turn();
    assert_text(TOY_VHOST, "h", "[9 b:0 missing][7 d:0 missing][5 A:0 missing][5 c:0 missing]");
    toy_put_route(engine, STR("b"), STR("other"), STR("b"), 9); /* leaves */
    turn();
    assert_text(TOY_VHOST, "h", "[7 d:0 missing][5 A:0 missing][5 c:0 missing]");
    assert_text(TOY_VHOST, "other", "[9 b:0 missing]");
}

static void test_many_readers_of_one_row(void **state)
{
    (void)state;
    engine_set_paranoid(engine, false);
    for (unsigned i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof(name), "r%u", i);
        toy_put_route(engine, str_from(name), str_from(name), STR("s"), i);
    }
    turn();
    toy_put_service(engine, STR("s"), 1, STR(""));
    assert_int_equal(turn(), 1000 * 3 + 3);
    toy_put_service(engine, STR("s"), 1, STR("note"));
    assert_int_equal(turn(), 1 + 1000); /* the cluster and the attachments, all cut off */
    toy_put_route(engine, STR("r7"), STR("r7"), STR("s"), 2000);
    assert_int_equal(turn(), 3);
    toy_put_route(engine, STR("r8"), STR("r8"), STR("other"), 8); /* one reader of s less */
    assert_int_equal(turn(), 3);
    toy_put_service(engine, STR("s"), 2, STR(""));
    assert_int_equal(turn(), 1 + 999 + 999 + 1 + 999 + 1);
}

/* --- changes --------------------------------------------------------------------------------- */

static void test_changes(void **state)
{
    (void)state;
    toy_put_service(engine, STR("b"), 2, STR(""));
    toy_put_service(engine, STR("a"), 1, STR(""));
    toy_put_service(engine, STR("c"), 3, STR(""));
    turn();
    struct row_changes changes = engine_changes(engine, TOY_RESOURCE);
    assert_int_equal(changes.len, 3);
    for (size_t i = 0; i < changes.len; i++) {
        assert_true(str_eq(changes.items[i].key, str_sub(STR("abc"), i, 1)));
        assert_null(changes.items[i].before);
    }
    const struct row *old = engine_get(engine, TOY_RESOURCE, STR("c"));
    toy_put_service(engine, STR("c"), 4, STR(""));
    engine_delete(engine, TOY_SERVICE, STR("a"));
    turn();
    changes = engine_changes(engine, TOY_RESOURCE);
    assert_int_equal(changes.len, 2);
    assert_true(str_eq(changes.items[0].key, STR("a")));
    assert_null(changes.items[0].after);
    assert_true(str_eq(toy_of(changes.items[0].before)->text, STR("<[default :1]>")));
    assert_ptr_equal(changes.items[1].before, old); /* still readable */
    assert_true(str_eq(toy_of(old)->text, STR("<[default :3]>")));
    assert_ptr_equal(changes.items[1].after, engine_get(engine, TOY_RESOURCE, STR("c")));
    turn();
    assert_int_equal(engine_changes(engine, TOY_RESOURCE).len, 0);
}

static void collect(void *user, struct str key, const struct row *row)
{
    (void)row;
    buf_add_str(user, key);
}

static void test_each_is_sorted(void **state)
{
    (void)state;
    const char *keys[] = {"d", "b", "e", "a", "c"};
    for (unsigned i = 0; i < 5; i++) {
        toy_put_service(engine, str_from(keys[i]), i + 1, STR(""));
    }
    turn();
    struct buf seen;
    buf_init(&seen, 64);
    engine_each(engine, TOY_CLUSTER, collect, &seen);
    assert_true(str_eq(buf_str(&seen), STR("abcde")));
    buf_release(&seen);
}

/* --- accounts -------------------------------------------------------------------------------- */

static void test_stats_and_dot(void **state)
{
    (void)state;
    toy_put_service(engine, STR("a"), 1, STR(""));
    toy_put_route(engine, STR("r"), STR("a"), STR("a"), 1);
    turn();
    struct table_stats stats = engine_stats(engine, TOY_VHOST);
    assert_int_equal(stats.rows, 1);
    assert_int_equal(stats.evaluations, 1);
    assert_true(stats.bytes >= sizeof(struct toy));
    struct buf dot;
    buf_init(&dot, BUF_UNLIMITED);
    engine_dot(engine, &dot);
    assert_true(str_starts_with(buf_str(&dot), STR("digraph")));
    assert_true(str_contains(buf_str(&dot), STR("t1 -> t3;")));                /* keys */
    assert_true(str_contains(buf_str(&dot), STR("t0 -> t3 [style=dashed];"))); /* a read */
    assert_true(str_contains(buf_str(&dot), STR("i0 -> t4;")));
    buf_release(&dot);
    engine_delete(engine, TOY_SERVICE, STR("a"));
    engine_delete(engine, TOY_ROUTE, STR("r"));
    turn();
    for (unsigned i = 0; i < toy_graph.ntables; i++) {
        assert_int_equal(engine_stats(engine, i).rows, 0);
        assert_int_equal(engine_stats(engine, i).bytes, 0);
    }
}

static unsigned released;

static void count_release(struct row *row)
{
    (void)row;
    released++;
}

static void test_release_is_called_once_a_row(void **state)
{
    (void)state;
    const struct table_spec tables[] = {
        {.name = "input", .equal = toy_equal, .release = count_release},
    };
    const struct graph graph = {.tables = tables, .ntables = 1};
    struct engine *small = engine_new(&graph);
    released = 0;
    toy_put_service(small, STR("a"), 1, STR(""));
    toy_put_service(small, STR("a"), 2, STR("")); /* replaces a row that was never taken */
    assert_int_equal(released, 1);
    engine_run(small);
    toy_put_service(small, STR("a"), 2, STR("")); /* equal: dropped */
    engine_run(small);
    assert_int_equal(released, 2);
    toy_check(small); /* shares the row and gives it back */
    assert_int_equal(released, 2);
    toy_put_service(small, STR("a"), 3, STR(""));
    engine_run(small); /* the row before stays until the next run */
    assert_int_equal(released, 2);
    engine_run(small);
    assert_int_equal(released, 3);
    toy_put_service(small, STR("a"), 4, STR(""));
    engine_free(small); /* the present one and the next one */
    assert_int_equal(released, 5);
}

/* --- what must not happen -------------------------------------------------------------------- */

static uint32_t calls;

static const struct row *impure(struct eval *ev, struct str key)
{
    (void)ev;
    return &toy_new(++calls, STR_NULL, STR_NULL, key)->head;
}

static const struct row *looks_at_itself(struct eval *ev, struct str key)
{
    eval_get(ev, 1, key);
    return NULL;
}

/* A graph of one input and one table with this compute, fed with one row. */
static void run_small(compute_fn *compute, bool paranoid)
{
    const struct table_spec tables[] = {
        {.name = "input", .equal = toy_equal},
        {.name = "derived",
         .rank = 1,
         .compute = compute,
         .equal = toy_equal,
         .sources = {{KEYS_OF_TABLE, 0}}},
    };
    const struct graph graph = {.tables = tables, .ntables = 2};
    struct engine *small = engine_new(&graph);
    engine_set_paranoid(small, paranoid);
    toy_put_service(small, STR("a"), 1, STR(""));
    engine_run(small);
    struct buf diff;
    buf_init(&diff, BUF_UNLIMITED);
    bool same = engine_check(small, &diff);
    assert_int_equal(same, diff.len == 0);
    assert_false(same);
    assert_true(str_contains(buf_str(&diff), STR("table 'derived', key 'a': differs")));
    buf_release(&diff);
    engine_free(small);
}

static void run_impure(void)
{
    run_small(impure, true);
}

static void run_looks_at_itself(void)
{
    run_small(looks_at_itself, false);
}

static void make_graph_without_sources(void)
{
    const struct table_spec tables[] = {
        {.name = "derived", .rank = 1, .compute = impure, .equal = toy_equal},
    };
    engine_free(engine_new(&(const struct graph){.tables = tables, .ntables = 1}));
}

static void make_graph_with_equal_ranks(void)
{
    const struct table_spec tables[] = {
        {.name = "derived",
         .rank = 1,
         .compute = impure,
         .equal = toy_equal,
         .sources = {{KEYS_OF_TABLE, 0}}},
    };
    engine_free(engine_new(&(const struct graph){.tables = tables, .ntables = 1}));
}

static void put_into_a_derived_table(void)
{
    engine_put(engine, TOY_VHOST, STR("a"), &toy_new(1, STR_NULL, STR_NULL, STR_NULL)->head);
}

static void test_oracle_sees_an_impure_compute(void **state)
{
    (void)state;
    run_small(impure, false);
}

static void test_bugs_panic(void **state)
{
    (void)state;
    assert_panics(run_impure);
    assert_panics(run_looks_at_itself);
    assert_panics(make_graph_without_sources);
    assert_panics(make_graph_with_equal_ranks);
    assert_panics(put_into_a_derived_table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_computes_through_the_ranks),
        TEST(test_last_put_wins),
        TEST(test_equal_input_wakes_nobody),
        TEST(test_equal_result_stops_the_wave),
        TEST(test_absent_read_wakes),
        TEST(test_null_result_is_no_row),
        TEST(test_keys_are_the_union_of_sources),
        TEST(test_group_handed_over_within_a_run),
        TEST(test_key_that_came_back_is_computed_anew),
        TEST(test_key_comes_back_to_a_slot_that_stayed),
        TEST(test_order_in_groups),
        TEST(test_many_readers_of_one_row),
        TEST(test_changes),
        TEST(test_each_is_sorted),
        TEST(test_stats_and_dot),
        TEST(test_release_is_called_once_a_row),
        TEST(test_oracle_sees_an_impure_compute),
        TEST(test_bugs_panic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
