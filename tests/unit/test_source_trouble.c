/* SPDX-License-Identifier: Apache-2.0 */
/* Does what heddle cannot see leave in force what it has seen, and does it say so? */
#include <dirent.h>
#include <dlfcn.h>
#include <sys/resource.h>

#include "source_rig.h"

/* --- a file system that fails -------------------------------------------------------------- */

static int readdir_errno;     /* 0: it works */
static unsigned readdir_left; /* entries before it fails */
static unsigned readdir_calls;

/* Takes the place of the C library's. */
struct dirent *readdir(DIR *dir)
{
    static struct dirent *(*real)(DIR *);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "readdir64");
        assert_non_null(real);
    }
    readdir_calls++;
    if (readdir_errno != 0 && readdir_left-- == 0) {
        errno = readdir_errno;
        return NULL;
    }
    return real(dir);
}

static void fail_readdir(int errnum, unsigned entries)
{
    readdir_errno = errnum;
    readdir_left = entries;
}

static void a_listing_that_fails_midway_is_no_end(void **state)
{
    struct fixture *fixture = *state;
    make_dir(fixture, "v2");
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    write_namespace(fixture, "conf/b.yaml", "b", "1");
    write_namespace(fixture, "v2/a.yaml", "a", "2");
    write_namespace(fixture, "v2/b.yaml", "b", "2");
    link_to(fixture, "conf", "current");
    link_to(fixture, "v2", "next");
    start(fixture, "current", NULL);
    expect_events(fixture, "+a=1 +b=1 ");

    fail_readdir(EIO, 3);
    move(fixture, "next", "current");
    expect_nothing(fixture);
    expect_problems(fixture, ".:HED013 ");
    assert_int_equal(fixture->problem_calls, 1);
    assert_int_equal(file_set_invalid(source_file_set(fixture->source)), 0);
    /* it is tried again with the next event, whatever that is */
    fail_readdir(EIO, 0);
    write_namespace(fixture, "v2/c.yaml", "c", "2");
    expect_nothing(fixture);
    fail_readdir(0, 0);
    write_namespace(fixture, "v2/d.yaml", "d", "2");
    expect(fixture, "+a=2 +b=2 +c=2 +d=2 ");
    expect_problems(fixture, "");
    assert_int_equal(fixture->problem_calls, 2);
}

static void a_listing_that_fails_is_no_start(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    struct source_file_config config = {.loop = &fixture->loop,
                                        .dir = str_from(at(fixture, "conf"))};
    struct err err;
    fail_readdir(EIO, 1);
    assert_false(source_file_start(&config, &fixture->source, &err));
    assert_non_null(strstr(err.text, "cannot be read to its end"));
    const char *paths[] = {at(fixture, "conf")};
    struct file_set *set = file_set_new(NULL);
    fail_readdir(EIO, 1);
    assert_false(source_file_read_paths(set, paths, 1, &err));
    file_set_free(set);
    fail_readdir(0, 0);
    fixture->source = NULL;
}

/* A full reading of many files makes more events than the kernel keeps: it must not ask for
 * another one. */
static void reading_is_no_change(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 9000; i++) {
        char path[64];
        snprintf(path, sizeof(path), "conf/f%u.yaml", i);
        write_file(fixture, path, "");
    }
    start(fixture, "conf", NULL);
    expect_nothing(fixture);
    unsigned calls = readdir_calls;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    expect(fixture, "+a=1 ");
    expect_nothing(fixture);
    assert_int_equal(readdir_calls, calls); /* the directory was not listed again */
}

static void a_file_that_could_not_be_read_is_read_later(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before, none;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    start(fixture, "conf", NULL);
    expect_events(fixture, "+a=1 ");
    write_namespace(fixture, "conf/a.yaml", "a", "2");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0; /* what is open stays open */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    run_for(fixture, QUIET_MS, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    expect_events(fixture, "");
    expect_problems(fixture, "a.yaml:HED012 ");
    /* with the next event, whatever it is of */
    write_namespace(fixture, "conf/b.yaml", "b", "1");
    expect(fixture, "+a=2 +b=1 ");
    expect_problems(fixture, "");
}

/* --- a directory that goes ----------------------------------------------------------------- */

static void a_directory_that_is_gone_is_a_problem(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    start(fixture, "conf", NULL);
    expect_events(fixture, "+a=1 ");
    expect_problems(fixture, "");

    move(fixture, "conf", "away");
    expect_nothing(fixture);
    expect_problems(fixture, ".:HED013 ");
    assert_int_equal(fixture->problem_calls, 1);
    move(fixture, "away", "conf");
    expect_nothing(fixture);
    expect_problems(fixture, "");
    assert_int_equal(fixture->problem_calls, 2);

    unlink(at(fixture, "conf/a.yaml"));
    assert_int_equal(rmdir(at(fixture, "conf")), 0);
    run_for(fixture, QUIET_MS, NULL);
    buf_clear(&fixture->events); /* whether the file or the directory went first, nobody knows */
    expect_problems(fixture, ".:HED013 ");
    make_dir(fixture, "conf");
    run_for(fixture, QUIET_MS, NULL);
    buf_clear(&fixture->events);
    expect_problems(fixture, "");
    write_namespace(fixture, "conf/b.yaml", "b", "1");
    run_for(fixture, WAIT_MS, &fixture->events);
    expect_events(fixture, "+b=1 ");
}

static void a_directory_that_may_not_be_read_is_a_problem(void **state)
{
    struct fixture *fixture = *state;
    if (geteuid() == 0) {
        skip(); /* root may */
    }
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    start(fixture, "conf", NULL);
    expect_events(fixture, "+a=1 ");
    assert_int_equal(chmod(at(fixture, "conf"), 0), 0);
    expect_nothing(fixture);
    expect_problems(fixture, ".:HED013 ");
    assert_int_equal(chmod(at(fixture, "conf"), 0700), 0);
    expect_nothing(fixture);
    expect_problems(fixture, "");
    write_namespace(fixture, "conf/a.yaml", "a", "2");
    expect(fixture, "+a=2 ");
}

/* --- a directory with too many files ------------------------------------------------------- */

static void what_is_too_many_takes_nothing_away(void **state)
{
    struct fixture *fixture = *state;
    fixture->files_max = 3;
    write_namespace(fixture, "conf/c.yaml", "c", "1");
    write_namespace(fixture, "conf/d.yaml", "d", "1");
    write_namespace(fixture, "conf/e.yaml", "e", "1");
    start(fixture, "conf", NULL);
    expect_events(fixture, "+c=1 +d=1 +e=1 ");

    write_namespace(fixture, "conf/a.yaml", "a", "1");
    expect_nothing(fixture);
    expect_problems(fixture, ".:HED013 ");
    /* what is read again in full is the same, though "a" comes first */
    assert_int_equal(chmod(at(fixture, "conf"), 0750), 0);
    expect_nothing(fixture);
    write_namespace(fixture, "conf/e.yaml", "e", "2");
    expect(fixture, "+e=2 ");
    /* what moves to a file that is not read is not lost */
    write_file(fixture, "conf/e.yaml", "");
    write_namespace(fixture, "conf/f.yaml", "e", "3");
    expect_nothing(fixture);
    /* when there is room, it is taken: in order of name */
    unlink(at(fixture, "conf/d.yaml"));
    expect(fixture, "-d +a=1 ");
    expect_problems(fixture, ".:HED013 ");
    unlink(at(fixture, "conf/c.yaml"));
    expect(fixture, "-c +e=3 ");
    expect_problems(fixture, "");
    assert_int_equal(fixture->problem_calls, 2);
}

static void what_is_too_large_is_read_when_there_is_room(void **state)
{
    struct fixture *fixture = *state;
    fixture->bytes_max = 200;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    write_namespace(fixture, "conf/b.yaml", "b", "1");
    start(fixture, "conf", NULL);
    expect_events(fixture, "+a=1 +b=1 ");
    write_namespace(fixture, "conf/c.yaml", "c", "1");
    expect_nothing(fixture);
    expect_problems(fixture, "c.yaml:HED012 ");
    write_file(fixture, "conf/b.yaml", "");
    expect(fixture, "-b +c=1 ");
    expect_problems(fixture, "");
}

static void a_start_with_too_many_files_waits(void **state)
{
    struct fixture *fixture = *state;
    fixture->files_max = 2;
    write_namespace(fixture, "conf/c.yaml", "c", "1");
    write_namespace(fixture, "conf/b.yaml", "b", "1");
    start(fixture, "conf", "state");
    assert_true(source_file_synced(fixture->source));
    expect_events(fixture, "+b=1 +c=1 ");
    stop(fixture);
    /* what was in force is known from the state */
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    start(fixture, "conf", "state");
    assert_true(source_file_synced(fixture->source));
    expect_problems(fixture, ".:HED013 ");
    expect_events(fixture, "+a=1 +b=1 +c=1 ");
    stop(fixture);
    start(fixture, "conf", NULL);
    assert_false(source_file_synced(fixture->source));
    buf_clear(&fixture->events);
    unlink(at(fixture, "conf/a.yaml"));
    expect(fixture, "-a +c=1 ");
    assert_true(source_file_synced(fixture->source));
    expect_problems(fixture, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_listing_that_fails_midway_is_no_end),
        TEST(a_listing_that_fails_is_no_start),
        TEST(reading_is_no_change),
        TEST(a_file_that_could_not_be_read_is_read_later),
        TEST(a_directory_that_is_gone_is_a_problem),
        TEST(a_directory_that_may_not_be_read_is_a_problem),
        TEST(what_is_too_many_takes_nothing_away),
        TEST(what_is_too_large_is_read_when_there_is_room),
        TEST(a_start_with_too_many_files_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
