/* SPDX-License-Identifier: Apache-2.0 */
/* Is a real directory followed through all the ways in which people change one? */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/panic.h"
#include "model_rig.h"
#include "source/source_file.h"
#include "source/state.h"

#define WAIT_MS 5000 /* for something that must come */
#define QUIET_MS 50  /* for something that must not */

struct fixture {
    uv_loop_t loop;
    uv_timer_t timer;
    char *root; /* a temporary directory; the config directory is below it */
    struct source_file *source;
    struct buf events; /* since the last expect() */
    unsigned turns;
    unsigned problem_calls;
    bool timed_out;
    bool stopped;
};

static void on_put(void *user, struct object *object, struct str key)
{
    struct fixture *fixture = user;
    struct str label = object->meta.labels.len > 0 ? object->meta.labels.items[0].value : STR("");
    buf_printf(&fixture->events, "+%.*s=%.*s ", STR_FMT(key), STR_FMT(label));
    row_unref(&object->row, NULL);
}

static void on_removed(void *user, enum kind_id kind, struct str key)
{
    struct fixture *fixture = user;
    assert_int_equal(kind, KIND_NAMESPACE);
    buf_printf(&fixture->events, "-%.*s ", STR_FMT(key));
}

static void on_turn(void *user)
{
    ((struct fixture *)user)->turns++;
}

static void on_problems(void *user, struct file_set *set)
{
    (void)set;
    ((struct fixture *)user)->problem_calls++;
}

static void on_timer(uv_timer_t *timer)
{
    ((struct fixture *)timer->data)->timed_out = true;
}

static void on_stopped(void *user)
{
    ((struct fixture *)user)->stopped = true;
}

/* A path below the root; valid until the fourth call after. */
static const char *at(const struct fixture *fixture, const char *path)
{
    static char buffers[4][512];
    static unsigned next;
    char *buffer = buffers[next++ % 4];
    snprintf(buffer, sizeof(buffers[0]), "%s/%s", fixture->root, path);
    return buffer;
}

static void write_file(const struct fixture *fixture, const char *path, const char *text)
{
    int fd = open(at(fixture, path), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void write_namespace(const struct fixture *fixture, const char *path, const char *name,
                            const char *label)
{
    char text[256];
    snprintf(text, sizeof(text),
             "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {l: %s}}\n", name,
             label);
    write_file(fixture, path, text);
}

static void move(const struct fixture *fixture, const char *from, const char *to)
{
    assert_int_equal(rename(at(fixture, from), at(fixture, to)), 0);
}

static void link_to(const struct fixture *fixture, const char *target, const char *path)
{
    assert_int_equal(symlink(target, at(fixture, path)), 0);
}

static void make_dir(const struct fixture *fixture, const char *path)
{
    assert_int_equal(mkdir(at(fixture, path), 0700), 0);
}

static int setup(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof(*fixture));
    char root[] = "/tmp/heddle-source-XXXXXX";
    assert_non_null(mkdtemp(root));
    fixture->root = xstrdup(root);
    uv_loop_init(&fixture->loop);
    uv_timer_init(&fixture->loop, &fixture->timer);
    fixture->timer.data = fixture;
    buf_init(&fixture->events, BUF_UNLIMITED);
    make_dir(fixture, "conf");
    log_set_level(LOG_ERROR + 1);
    *state = fixture;
    return 0;
}

static void start(struct fixture *fixture, const char *dir, const char *state_dir)
{
    struct source_file_config config = {
        .loop = &fixture->loop,
        .dir = str_from(at(fixture, dir)),
        .events = {.user = fixture, .put = on_put, .removed = on_removed},
        .user = fixture,
        .turn = on_turn,
        .problems = on_problems,
    };
    if (state_dir != NULL) {
        config.state_dir = str_from(at(fixture, state_dir));
    }
    struct err err;
    if (!source_file_start(&config, &fixture->source, &err)) {
        fail_msg("%s", err.text);
    }
}

static void stop(struct fixture *fixture)
{
    if (fixture->source == NULL) {
        return;
    }
    fixture->stopped = false;
    source_file_stop(fixture->source, on_stopped, fixture);
    while (!fixture->stopped) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    fixture->source = NULL;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    stop(fixture);
    uv_close((uv_handle_t *)&fixture->timer, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    char command[600];
    snprintf(command, sizeof(command), "rm -rf '%s'", fixture->root);
    assert_int_equal(system(command), 0);
    buf_release(&fixture->events);
    free(fixture->root);
    free(fixture);
    return 0;
}

static void run_for(struct fixture *fixture, unsigned ms, const struct buf *until)
{
    fixture->timed_out = false;
    uv_timer_start(&fixture->timer, on_timer, ms, 0);
    while (!fixture->timed_out && (until == NULL || until->len == 0)) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&fixture->timer);
}

static void expect_events(struct fixture *fixture, const char *events)
{
    buf_add_byte(&fixture->events, '\0');
    assert_string_equal((const char *)fixture->events.data, events);
    buf_clear(&fixture->events);
    fixture->turns = 0;
}

/* Waits until something happens, which must be this, in one turn. */
static void expect(struct fixture *fixture, const char *events)
{
    run_for(fixture, WAIT_MS, &fixture->events);
    assert_int_equal(fixture->turns, 1);
    expect_events(fixture, events);
}

static void expect_nothing(struct fixture *fixture)
{
    run_for(fixture, QUIET_MS, NULL);
    expect_events(fixture, "");
}

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
    expect(fixture, "+a=2 +c=2 -b ");
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
    expect(fixture, "+b=1 -a ");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        TEST(a_restart_knows_the_last_good),
        TEST(what_went_while_nobody_looked_is_not_known),
        TEST(a_damaged_state_is_as_good_as_none),
        TEST(a_second_heddle_keeps_no_state),
        TEST(wrong_directories),
        TEST(paths_are_read_for_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
