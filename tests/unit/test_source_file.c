/* SPDX-License-Identifier: Apache-2.0 */
/* Is a real directory followed through all the ways in which people change one? */
#include "source_rig.h"

static void files_are_written_and_deleted(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    write_namespace(fixture, "conf/.hidden.yaml", "h", "1");
    write_namespace(fixture, "conf/note.txt", "t", "1");
    make_dir(fixture, "conf/sub.yaml");
    start(fixture, "conf", NULL);
    assert_true(source_file_synced(fixture->source));
    assert_int_equal(fixture->turns, 1);
    expect_events(fixture, "+a=1 ");

    write_namespace(fixture, "conf/a.yaml", "a", "2");
    expect(fixture, "+a=2 ");
    write_namespace(fixture, "conf/b.json", "b", "1");
    expect(fixture, "+b=1 ");
    write_namespace(fixture, "conf/new", "a", "3");
    expect_nothing(fixture);
    move(fixture, "conf/new", "conf/a.yaml");
    expect(fixture, "+a=3 ");
    move(fixture, "conf/a.yaml", "conf/c.yml"); /* the same object in another file */
    expect_nothing(fixture);
    unlink(at(fixture, "conf/c.yml"));
    expect(fixture, "-a ");
    write_namespace(fixture, "conf/.hidden.yaml", "h", "2");
    write_namespace(fixture, "conf/note.txt", "t", "2");
    expect_nothing(fixture);
    write_namespace(fixture, "outside.yaml", "o", "1");
    assert_int_equal(link(at(fixture, "outside.yaml"), at(fixture, "conf/o.yaml")), 0);
    expect(fixture, "+o=1 ");
}

static void an_open_file_is_read_when_it_is_closed(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, "conf", NULL);
    expect_events(fixture, "");
    int fd = open(at(fixture, "conf/a.yaml"), O_WRONLY | O_CREAT, 0600);
    expect_nothing(fixture);
    static const char text[] = "{apiVersion: v1, kind: Namespace, metadata: {name: a}}";
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    expect_nothing(fixture);
    close(fd);
    expect(fixture, "+a= ");
}

/* As the kubelet swaps what is mounted from a ConfigMap. */
static void the_data_link_is_swapped(void **state)
{
    struct fixture *fixture = *state;
    make_dir(fixture, "conf/..1");
    write_namespace(fixture, "conf/..1/a.yaml", "a", "1");
    write_namespace(fixture, "conf/..1/b.yaml", "b", "1");
    link_to(fixture, "..1", "conf/..data");
    link_to(fixture, "..data/a.yaml", "conf/a.yaml");
    link_to(fixture, "..data/b.yaml", "conf/b.yaml");
    start(fixture, "conf", NULL);
    expect_events(fixture, "+a=1 +b=1 ");

    make_dir(fixture, "conf/..2");
    write_namespace(fixture, "conf/..2/a.yaml", "a", "2");
    write_namespace(fixture, "conf/..2/b.yaml", "b", "2");
    link_to(fixture, "..2", "conf/..data_tmp");
    expect_nothing(fixture);
    move(fixture, "conf/..data_tmp", "conf/..data");
    expect(fixture, "+a=2 +b=2 ");
    /* the file behind the links is written in place */
    write_namespace(fixture, "conf/..2/b.yaml", "b", "3");
    expect(fixture, "+b=3 ");
    unlink(at(fixture, "conf/..2/b.yaml"));
    expect(fixture, "-b ");
}

static void the_directory_link_is_swapped(void **state)
{
    struct fixture *fixture = *state;
    make_dir(fixture, "v1");
    make_dir(fixture, "v2");
    write_namespace(fixture, "v1/a.yaml", "a", "1");
    write_namespace(fixture, "v1/b.yaml", "b", "1");
    write_namespace(fixture, "v1/same.yaml", "s", "1");
    write_namespace(fixture, "v2/a.yaml", "a", "2");
    write_namespace(fixture, "v2/c.yaml", "c", "2");
    write_namespace(fixture, "v2/same.yaml", "s", "1");
    link_to(fixture, "v1", "current");
    start(fixture, "current", NULL);
    expect_events(fixture, "+a=1 +b=1 +s=1 ");

    link_to(fixture, "v2", "next");
    move(fixture, "next", "current");
    expect(fixture, "-b +a=2 +c=2 ");
    write_namespace(fixture, "v1/a.yaml", "a", "9"); /* nobody looks there any more */
    expect_nothing(fixture);
    write_namespace(fixture, "v2/a.yaml", "a", "3");
    expect(fixture, "+a=3 ");
}

static void the_directory_goes_and_comes_back(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    start(fixture, "conf", NULL);
    expect_events(fixture, "+a=1 ");

    move(fixture, "conf", "away");
    expect_nothing(fixture); /* what was read stays in force */
    write_namespace(fixture, "away/a.yaml", "a", "2");
    expect_nothing(fixture);
    move(fixture, "away", "conf");
    expect(fixture, "+a=2 ");
    write_namespace(fixture, "conf/a.yaml", "a", "3");
    expect(fixture, "+a=3 ");

    make_dir(fixture, "other"); /* a whole directory put in its place */
    write_namespace(fixture, "other/b.yaml", "b", "1");
    assert_int_equal(renameat2(AT_FDCWD, at(fixture, "other"), AT_FDCWD, at(fixture, "conf"),
                               2 /* RENAME_EXCHANGE */),
                     0);
    expect(fixture, "-a +b=1 ");
}

static void a_burst_is_few_turns(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, "conf", NULL);
    expect_events(fixture, "");
    for (unsigned i = 0; i < 500; i++) {
        char path[64], name[16];
        snprintf(path, sizeof(path), "conf/f%u.yaml", i);
        snprintf(name, sizeof(name), "n%u", i);
        write_namespace(fixture, path, name, "1");
    }
    run_for(fixture, WAIT_MS, &fixture->events);
    run_for(fixture, QUIET_MS, NULL);
    assert_in_range(fixture->turns, 1, 3);
    unsigned puts = 0;
    for (size_t i = 0; i < fixture->events.len; i++) {
        puts += fixture->events.data[i] == '+' ? 1 : 0;
    }
    assert_int_equal(puts, 500);
    buf_clear(&fixture->events);
}

static void broken_documents_keep_the_last_good(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    start(fixture, "conf", NULL);
    expect_events(fixture, "+a=1 ");
    assert_int_equal(fixture->problem_calls, 0);
    write_file(fixture, "conf/a.yaml", "{\n");
    expect_nothing(fixture);
    assert_int_equal(fixture->problem_calls, 1);
    assert_int_equal(file_set_invalid(source_file_set(fixture->source)), 1);
    write_namespace(fixture, "conf/a.yaml", "a", "2");
    expect(fixture, "+a=2 ");
    assert_int_equal(fixture->problem_calls, 2);
    /* a file that may not be read, until it may */
    if (geteuid() != 0) {
        assert_int_equal(chmod(at(fixture, "conf/a.yaml"), 0), 0);
        expect_nothing(fixture);
        assert_int_equal(file_set_invalid(source_file_set(fixture->source)), 1);
        assert_int_equal(chmod(at(fixture, "conf/a.yaml"), 0600), 0);
        expect_nothing(fixture);
        assert_int_equal(file_set_invalid(source_file_set(fixture->source)), 0);
    }
}

static void a_broken_start_waits(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    write_file(fixture, "conf/b.yaml", "{\n");
    start(fixture, "conf", "state");
    assert_false(source_file_synced(fixture->source));
    assert_int_equal(fixture->turns, 0);
    write_namespace(fixture, "conf/a.yaml", "a", "2");
    run_for(fixture, QUIET_MS, NULL);
    assert_int_equal(fixture->turns, 0);
    write_namespace(fixture, "conf/b.yaml", "b", "1");
    run_for(fixture, QUIET_MS, NULL);
    assert_true(source_file_synced(fixture->source));
    assert_int_equal(fixture->turns, 1);
    expect_events(fixture, "+a=1 +a=2 +b=1 ");
}

static void wrong_directories(void **state)
{
    struct fixture *fixture = *state;
    struct source_file_config config = {.loop = &fixture->loop,
                                        .dir = str_from(at(fixture, "none"))};
    struct err err;
    assert_false(source_file_start(&config, &fixture->source, &err));
    assert_non_null(strstr(err.text, "none"));
    config.dir = str_from(at(fixture, "conf"));
    config.state_dir = STR("/proc/no");
    assert_false(source_file_start(&config, &fixture->source, &err));
    fixture->source = NULL;
}

static void paths_are_read_for_commands(void **state)
{
    struct fixture *fixture = *state;
    write_namespace(fixture, "conf/b.yaml", "b", "1");
    write_namespace(fixture, "conf/a.yaml", "a", "1");
    write_namespace(fixture, "other.txt", "o", "1");
    struct file_set_events events = {.user = fixture, .put = on_put, .removed = on_removed};
    struct file_set *set = file_set_new(&events);
    const char *paths[] = {at(fixture, "conf"), at(fixture, "other.txt"), at(fixture, "none")};
    struct err err;
    assert_true(source_file_read_paths(set, paths, 2, &err));
    expect_events(fixture, "+a=1 +b=1 +o=1 ");
    assert_false(source_file_read_paths(set, paths, 3, &err));
    assert_non_null(strstr(err.text, "none"));
    file_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_written_and_deleted),
        TEST(an_open_file_is_read_when_it_is_closed),
        TEST(the_data_link_is_swapped),
        TEST(the_directory_link_is_swapped),
        TEST(the_directory_goes_and_comes_back),
        TEST(a_burst_is_few_turns),
        TEST(broken_documents_keep_the_last_good),
        TEST(a_broken_start_waits),
        TEST(wrong_directories),
        TEST(paths_are_read_for_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
