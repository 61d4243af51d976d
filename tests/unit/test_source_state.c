/* SPDX-License-Identifier: Apache-2.0 */
/* What does a source know after a restart? */
#include <signal.h>
#include <sys/resource.h>

#include "base/metric.h"
#include "source_rig.h"

#define BROKEN(name) "{apiVersion: v1, kind: Namespace, metadata: {name: " name "}, x: y}\n"

static void a_restart_knows_the_last_good(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    write_namespace(fixture, "conf/b.yaml", "b", "1");
    start(fixture, "conf", "some/state");
    expect_events(fixture, "+a=1 +b=1 ");
    write_namespace(fixture, "conf/a.yaml", "a", "2");
    expect(fixture, "+a=2 ");
    write_file(fixture, "conf/a.yaml", "{\n");
    expect_nothing(fixture);
    stop(fixture);

    start(fixture, "conf", "some/state");
    assert_true(source_file_synced(fixture->source));
    assert_int_equal(fixture->turns, 1);
    expect_events(fixture, "+b=1 +a=2 ");
    unlink(at(fixture, "conf/a.yaml"));
    expect(fixture, "-a ");
    write_file(fixture, "conf/a.yaml", "{\n"); /* a new file: nothing of it was ever good */
    expect_nothing(fixture);
    stop(fixture);

    start(fixture, "conf", "some/state");
    assert_true(source_file_synced(fixture->source));
    expect_events(fixture, "+b=1 ");
}

static void what_went_while_nobody_looked_is_not_known(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    write_namespace(fixture, "conf/b.yaml", "b", "1");
    start(fixture, "conf", "state");
    expect_events(fixture, "+a=1 +b=1 ");
    stop(fixture);
    unlink(at(fixture, "conf/a.yaml"));
    start(fixture, "conf", "state");
    expect_events(fixture, "+b=1 ");
    stop(fixture);
    write_file(fixture, "conf/a.yaml", "{\n"); /* another file of that name */
    start(fixture, "conf", "state");
    assert_false(source_file_synced(fixture->source));
    expect_events(fixture, "+b=1 ");
}

static void a_damaged_state_is_as_good_as_none(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    start(fixture, "conf", "state");
    expect_events(fixture, "+a=1 ");
    stop(fixture);
    char name[STATE_FILE_LEN], path[64];
    state_file_name(at(fixture, "conf"), name);
    snprintf(path, sizeof(path), "state/%s", name);
    assert_int_equal(access(at(fixture, path), R_OK), 0);
    write_file(fixture, path, STATE_MAGIC "no record");
    write_file(fixture, "conf/a.yaml", "{\n");
    start(fixture, "conf", "state");
    assert_false(source_file_synced(fixture->source));
    write_namespace(fixture, "conf/a.yaml", "a", "2");
    expect(fixture, "+a=2 ");
    stop(fixture);
    write_file(fixture, "conf/a.yaml", "{\n");
    start(fixture, "conf", "state");
    assert_true(source_file_synced(fixture->source));
    expect_events(fixture, "+a=2 ");
}

static void a_second_heddle_keeps_no_state(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    start(fixture, "conf", "state");
    struct source_file *first = fixture->source;
    start(fixture, "conf", "state");
    assert_true(source_file_synced(fixture->source));
    buf_clear(&fixture->events);
    write_namespace(fixture, "conf/a.yaml", "a", "2");
    run_for(fixture, QUIET_MS, NULL);
    expect_events(fixture, "+a=2 +a=2 ");
    stop(fixture);
    write_namespace(fixture, "conf/a.yaml", "a", "3");
    expect(fixture, "+a=3 ");
    fixture->source = first;
    stop(fixture);
    write_file(fixture, "conf/a.yaml", "{\n");
    start(fixture, "conf", "state");
    assert_true(source_file_synced(fixture->source));
    expect_events(fixture, "+a=3 ");
}

/* An object that moves to another file in one turn, and breaks on the way, stays; also across a
 * restart, and when it moved while nobody looked. */
static void what_moves_and_breaks_is_kept(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "n", "1");
    write_namespace(fixture, "conf/b.yaml", "m", "1");
    start(fixture, "conf", "state");
    expect_events(fixture, "+n=1 +m=1 ");
    write_file(fixture, "conf/a.yaml", BROKEN("m"));
    write_file(fixture, "conf/b.yaml", BROKEN("n"));
    expect_nothing(fixture);
    /* what another file left is written too */
    write_namespace(fixture, "conf/c.yaml", "x", "1");
    expect(fixture, "+x=1 ");
    write_file(fixture, "conf/d.yaml", BROKEN("x"));
    expect_nothing(fixture);
    unlink(at(fixture, "conf/c.yaml"));
    expect_nothing(fixture);
    stop(fixture);

    start(fixture, "conf", "state");
    assert_true(source_file_synced(fixture->source));
    expect_events(fixture, "+m=1 +n=1 +x=1 ");
    stop(fixture);
    move(fixture, "conf/a.yaml", "conf/z.yaml");
    start(fixture, "conf", "state");
    assert_true(source_file_synced(fixture->source));
    expect_events(fixture, "+n=1 +x=1 +m=1 ");
}

/* --- a disk that is full ------------------------------------------------------------------- */

static struct rlimit unlimited;

static off_t state_size(const struct fixture *fixture)
{
    char name[STATE_FILE_LEN], path[64];
    struct stat info;
    state_file_name(at(fixture, "conf"), name);
    snprintf(path, sizeof(path), "state/%s", name);
    return stat(at(fixture, path), &info) == 0 ? info.st_size : 0;
}

/* Once the state is written, no file may become much larger than that. */
static void fill_disk(struct fixture *fixture)
{
    for (unsigned i = 0; i < WAIT_MS / QUIET_MS && state_size(fixture) == 0; i++) {
        run_for(fixture, QUIET_MS, NULL);
    }
    assert_int_not_equal(state_size(fixture), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    struct rlimit full = {.rlim_cur = (rlim_t)state_size(fixture) + 10,
                          .rlim_max = unlimited.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
}

static void free_disk(void)
{
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
}

static void wait_unwritten(struct fixture *fixture, int64_t files)
{
    for (unsigned i = 0; i < WAIT_MS / QUIET_MS && metric_get(M_state_unwritten) != files; i++) {
        run_for(fixture, QUIET_MS, NULL);
    }
    assert_int_equal(metric_get(M_state_unwritten), files);
}

static void what_could_not_be_written_is_tried_again(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    write_namespace(fixture, "conf/b.yaml", "b", "1");
    start(fixture, "conf", "state");
    expect_events(fixture, "+a=1 +b=1 ");
    fill_disk(fixture);
    int64_t failures = metric_get(M_state_write_failures);
    write_namespace(fixture, "conf/a.yaml", "a", "2");
    write_namespace(fixture, "conf/b.yaml", "b", "2");
    expect(fixture, "+a=2 +b=2 ");
    wait_unwritten(fixture, 2);
    assert_true(metric_get(M_state_write_failures) > failures);
    free_disk();
    wait_unwritten(fixture, 0);
    /* a crash: nothing is written at the end */
    fill_disk(fixture);
    stop(fixture);
    free_disk();
    write_file(fixture, "conf/a.yaml", "{\n");
    write_file(fixture, "conf/b.yaml", "{\n");
    start(fixture, "conf", "state");
    assert_true(source_file_synced(fixture->source));
    expect_events(fixture, "+a=2 +b=2 ");
}

/* A stop is another try, and comes to an end. */
static void a_stop_tries_once_more(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    start(fixture, "conf", "state");
    expect_events(fixture, "+a=1 ");
    fill_disk(fixture);
    write_namespace(fixture, "conf/a.yaml", "a", "2");
    expect(fixture, "+a=2 ");
    wait_unwritten(fixture, 1);
    int64_t failures = metric_get(M_state_write_failures);
    stop(fixture);
    assert_int_equal(metric_get(M_state_write_failures), failures + 1);
    free_disk();
    write_file(fixture, "conf/a.yaml", "{\n");
    start(fixture, "conf", "state");
    expect_events(fixture, "+a=1 "); /* the version before, as the log and the metric said */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_restart_knows_the_last_good),
        TEST(what_went_while_nobody_looked_is_not_known),
        TEST(a_damaged_state_is_as_good_as_none),
        TEST(a_second_heddle_keeps_no_state),
        TEST(what_moves_and_breaks_is_kept),
        TEST(what_could_not_be_written_is_tried_again),
        TEST(a_stop_tries_once_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
