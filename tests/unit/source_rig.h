/* SPDX-License-Identifier: Apache-2.0 */
/* source_rig: a real directory below /tmp, a source that follows it, and what it tells as one text:
 * "+a=1 " for a Namespace with its label, "-a " for a removal. */
#ifndef HEDDLE_TESTS_SOURCE_RIG_H
#define HEDDLE_TESTS_SOURCE_RIG_H

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
    size_t files_max, bytes_max; /* for start() */
};

static inline void on_put(void *user, struct object *object, struct str key)
{
    struct fixture *fixture = user;
    struct str label = object->meta.labels.len > 0 ? object->meta.labels.items[0].value : STR("");
    buf_printf(&fixture->events, "+%.*s=%.*s ", STR_FMT(key), STR_FMT(label));
    row_unref(&object->row, NULL);
}

static inline void on_removed(void *user, enum kind_id kind, struct str key)
{
    struct fixture *fixture = user;
    assert_int_equal(kind, KIND_NAMESPACE);
    buf_printf(&fixture->events, "-%.*s ", STR_FMT(key));
}

static inline void on_turn(void *user)
{
    ((struct fixture *)user)->turns++;
}

static inline void on_problems(void *user, struct file_set *set)
{
    (void)set;
    ((struct fixture *)user)->problem_calls++;
}

static inline void on_timer(uv_timer_t *timer)
{
    ((struct fixture *)timer->data)->timed_out = true;
}

static inline void on_stopped(void *user)
{
    ((struct fixture *)user)->stopped = true;
}

/* A path below the root; valid until the fourth call after. */
static inline const char *at(const struct fixture *fixture, const char *path)
{
    static char buffers[4][512];
    static unsigned next;
    char *buffer = buffers[next++ % 4];
    snprintf(buffer, sizeof(buffers[0]), "%s/%s", fixture->root, path);
    return buffer;
}

static inline void write_file(const struct fixture *fixture, const char *path, const char *text)
{
    int fd = open(at(fixture, path), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline void write_namespace(const struct fixture *fixture, const char *path,
                                   const char *name, const char *label)
{
    char text[256];
    snprintf(text, sizeof(text),
             "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {l: %s}}\n", name,
             label);
    write_file(fixture, path, text);
}

static inline void move(const struct fixture *fixture, const char *from, const char *to)
{
    assert_int_equal(rename(at(fixture, from), at(fixture, to)), 0);
}

static inline void link_to(const struct fixture *fixture, const char *target, const char *path)
{
    assert_int_equal(symlink(target, at(fixture, path)), 0);
}

static inline void make_dir(const struct fixture *fixture, const char *path)
{
    assert_int_equal(mkdir(at(fixture, path), 0700), 0);
}

static inline int setup(void **state)
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

static inline void start(struct fixture *fixture, const char *dir, const char *state_dir)
{
    struct source_file_config config = {
        .loop = &fixture->loop,
        .dir = str_from(at(fixture, dir)),
        .events = {.user = fixture, .put = on_put, .removed = on_removed},
        .user = fixture,
        .turn = on_turn,
        .problems = on_problems,
        .files_max = fixture->files_max,
        .bytes_max = fixture->bytes_max,
    };
    if (state_dir != NULL) {
        config.state_dir = str_from(at(fixture, state_dir));
    }
    struct err err;
    if (!source_file_start(&config, &fixture->source, &err)) {
        fail_msg("%s", err.text);
    }
}

static inline void stop(struct fixture *fixture)
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

static inline int teardown(void **state)
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

static inline void run_for(struct fixture *fixture, unsigned ms, const struct buf *until)
{
    fixture->timed_out = false;
    uv_timer_start(&fixture->timer, on_timer, ms, 0);
    while (!fixture->timed_out && (until == NULL || until->len == 0)) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&fixture->timer);
}

static inline void expect_events(struct fixture *fixture, const char *events)
{
    buf_add_byte(&fixture->events, '\0');
    assert_string_equal((const char *)fixture->events.data, events);
    buf_clear(&fixture->events);
    fixture->turns = 0;
}

/* Waits until something happens, which must be this, in one turn. */
static inline void expect(struct fixture *fixture, const char *events)
{
    run_for(fixture, WAIT_MS, &fixture->events);
    assert_int_equal(fixture->turns, 1);
    expect_events(fixture, events);
}

static inline void expect_nothing(struct fixture *fixture)
{
    run_for(fixture, QUIET_MS, NULL);
    expect_events(fixture, "");
}

/* The problems now, as "file:code ". */
static inline void visit_problem(void *user, struct str file, const struct problem *problem)
{
    buf_printf(user, "%.*s:%s ", STR_FMT(file), problem_info(problem->code)->code);
}

static inline void expect_problems(const struct fixture *fixture, const char *problems)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    file_set_problems(source_file_set(fixture->source), visit_problem, &text);
    buf_add_byte(&text, '\0');
    assert_string_equal((const char *)text.data, problems);
    buf_release(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
