/* SPDX-License-Identifier: Apache-2.0 */
/* Does the state file give back what was put into it last, whatever happened to it? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/panic.h"
#include "source/state.h"

#define CONFIG "/some/config"

struct fixture {
    char dir[64];
    char path[128]; /* of the state file */
    struct state state;
};

static int setup(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof(*fixture));
    char name[STATE_FILE_LEN];
    snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/heddle-state-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    state_file_name(CONFIG, name);
    snprintf(fixture->path, sizeof(fixture->path), "%s/%s", fixture->dir, name);
    state_init(&fixture->state);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    state_close(&fixture->state);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", fixture->dir);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static void read_state(struct state *state)
{
    struct err err;
    while (!state->is_read) {
        if (!state_read(state, &err)) {
            fail_msg("%s", err.text);
        }
    }
}

static void reopen(struct fixture *fixture)
{
    struct err err;
    state_close(&fixture->state);
    assert_int_equal(state_open(&fixture->state, fixture->dir, CONFIG, &err), STATE_OPEN);
    read_state(&fixture->state);
}

static void put(struct fixture *fixture, const char *name, const char *text)
{
    struct err err;
    if (!state_put(&fixture->state, str_from(name), str_from(text), &err)) {
        fail_msg("%s", err.text);
    }
}

static void flush(struct fixture *fixture)
{
    struct err err;
    if (!state_flush(&fixture->state, &err)) {
        fail_msg("%s", err.text);
    }
}

static void compact(struct fixture *fixture)
{
    struct err err;
    for (bool more = true; more;) {
        if (!state_compact(&fixture->state, &more, &err)) {
            fail_msg("%s", err.text);
        }
    }
}

static size_t file_size(const struct fixture *fixture)
{
    struct stat info;
    assert_int_equal(stat(fixture->path, &info), 0);
    return (size_t)info.st_size;
}

/* NULL: nothing is kept. */
static void expect(const struct fixture *fixture, const char *name, const char *text)
{
    struct buf kept;
    buf_init(&kept, RECORD_TEXT_MAX);
    assert_int_equal(state_load(&fixture->state, str_from(name), &kept), text != NULL);
    if (text != NULL) {
        assert_true(str_eq(buf_str(&kept), str_from(text)));
    }
    buf_release(&kept);
}

static void write_file(const struct fixture *fixture, struct str bytes)
{
    int fd = open(fixture->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.ptr, bytes.len), bytes.len);
    close(fd);
}

static char *read_file(const struct fixture *fixture, size_t *ret_len)
{
    *ret_len = file_size(fixture);
    char *bytes = xmalloc(*ret_len);
    int fd = open(fixture->path, O_RDONLY);
    assert_int_equal(read(fd, bytes, *ret_len), *ret_len);
    close(fd);
    return bytes;
}

static void what_was_put_comes_back(void **state)
{
    struct fixture *fixture = *state;
    reopen(fixture);
    expect(fixture, "a.yaml", NULL);
    put(fixture, "a.yaml", "first");
    put(fixture, "b.yaml", "other");
    expect(fixture, "a.yaml", NULL); /* it is in the batch only */
    flush(fixture);
    expect(fixture, "a.yaml", "first");
    put(fixture, "a.yaml", "last");
    put(fixture, "c.yaml", "gone soon");
    flush(fixture);
    put(fixture, "c.yaml", "");
    put(fixture, "never.yaml", "");
    flush(fixture);
    for (unsigned i = 0; i < 2; i++) {
        expect(fixture, "a.yaml", "last");
        expect(fixture, "b.yaml", "other");
        expect(fixture, "c.yaml", NULL);
        expect(fixture, "never.yaml", NULL);
        assert_int_equal(fixture->state.entries.len, 2);
        reopen(fixture);
        assert_int_equal(fixture->state.ignored, 0);
    }
}

static void the_last_in_a_batch_wins(void **state)
{
    struct fixture *fixture = *state;
    reopen(fixture);
    put(fixture, "a", "1");
    put(fixture, "b", "1");
    flush(fixture);
    put(fixture, "a", "2");
    put(fixture, "a", "1"); /* as it is kept, but not as the batch has it */
    put(fixture, "b", "");
    put(fixture, "b", "3");
    put(fixture, "c", "1");
    put(fixture, "c", "");
    flush(fixture);
    for (unsigned i = 0; i < 2; i++) {
        expect(fixture, "a", "1");
        expect(fixture, "b", "3");
        expect(fixture, "c", NULL);
        reopen(fixture);
    }
}

static void what_is_kept_already_is_not_written(void **state)
{
    struct fixture *fixture = *state;
    reopen(fixture);
    put(fixture, "a", "1");
    flush(fixture);
    size_t size = file_size(fixture);
    put(fixture, "a", "1");
    flush(fixture);
    reopen(fixture);
    put(fixture, "a", "1");
    flush(fixture);
    compact(fixture);
    assert_int_equal(file_size(fixture), size);
}

/* A crash in the middle of a write, at every byte of it. */
static void a_torn_tail_is_cut_off(void **state)
{
    struct fixture *fixture = *state;
    reopen(fixture);
    put(fixture, "a", "before");
    flush(fixture);
    size_t good = file_size(fixture), len;
    put(fixture, "a", "after");
    flush(fixture);
    state_close(&fixture->state);
    char *bytes = read_file(fixture, &len);
    for (size_t cut = 0; cut <= len; cut++) {
        bool magic = cut >= strlen(STATE_MAGIC), first = cut >= good, second = cut == len;
        size_t kept = second ? len : first ? good : magic ? strlen(STATE_MAGIC) : 0;
        write_file(fixture, str_span(bytes, cut));
        reopen(fixture);
        expect(fixture, "a", second ? "after" : first ? "before" : NULL);
        assert_int_equal(fixture->state.ignored, cut - kept);
        put(fixture, "b", "new"); /* what is appended to it can be read again */
        flush(fixture);
        reopen(fixture);
        assert_int_equal(fixture->state.ignored, 0);
        expect(fixture, "a", second ? "after" : first ? "before" : NULL);
        expect(fixture, "b", "new");
        state_close(&fixture->state);
    }
    free(bytes);
}

/* One byte is wrong, anywhere: nothing is believed from that record on. */
static void damage_is_found(void **state)
{
    struct fixture *fixture = *state;
    size_t ends[3], len;
    reopen(fixture);
    for (unsigned i = 0; i < 3; i++) {
        put(fixture, (const char *[]){"a", "b", "c"}[i], "text");
        flush(fixture);
        ends[i] = file_size(fixture);
    }
    state_close(&fixture->state);
    char *bytes = read_file(fixture, &len);
    for (size_t i = 0; i < len; i++) {
        bytes[i] ^= 0x20;
        write_file(fixture, str_span(bytes, len));
        reopen(fixture);
        assert_true(fixture->state.ignored > 0);
        expect(fixture, "a", i >= ends[0] ? "text" : NULL);
        expect(fixture, "b", i >= ends[1] ? "text" : NULL);
        expect(fixture, "c", NULL);
        state_close(&fixture->state);
        bytes[i] ^= 0x20;
    }
    free(bytes);
}

static void put_large(struct fixture *fixture, const char *name, char filling, size_t len)
{
    struct err err;
    char *text = xmalloc(len);
    memset(text, filling, len);
    assert_true(state_put(&fixture->state, str_from(name), str_span(text, len), &err));
    flush(fixture);
    free(text);
}

static void the_first_compaction_leaves_nothing_dead(void **state)
{
    struct fixture *fixture = *state;
    reopen(fixture);
    put(fixture, "a", "1");
    flush(fixture);
    size_t size = file_size(fixture);
    compact(fixture);
    put(fixture, "a", "2");
    put(fixture, "b", "2");
    flush(fixture);
    put(fixture, "b", "");
    flush(fixture);
    size_t large = file_size(fixture);
    compact(fixture);
    assert_int_equal(file_size(fixture), large); /* not enough to pay */
    reopen(fixture);
    compact(fixture);
    assert_int_equal(file_size(fixture), size);
    expect(fixture, "a", "2");
    put(fixture, "c", "3");
    flush(fixture);
    reopen(fixture);
    expect(fixture, "a", "2");
    expect(fixture, "b", NULL);
    expect(fixture, "c", "3");
}

static void a_large_file_is_compacted(void **state)
{
    struct fixture *fixture = *state;
    reopen(fixture);
    compact(fixture);
    put(fixture, "small", "s");
    unsigned shrunk = 0;
    for (unsigned i = 0; i < 40; i++) {
        put_large(fixture, "large", (char)('a' + i % 26), (200 << 10) + i);
        size_t before = file_size(fixture);
        compact(fixture);
        shrunk += file_size(fixture) < before ? 1 : 0;
        assert_true(file_size(fixture) <= 2 * (fixture->state.live + 64) + STATE_SLACK_MAX);
        assert_int_equal(file_size(fixture), fixture->state.size);
    }
    assert_in_range(shrunk, 4, 10);
    reopen(fixture);
    expect(fixture, "small", "s");
    struct buf kept;
    buf_init(&kept, RECORD_TEXT_MAX);
    assert_true(state_load(&fixture->state, STR("large"), &kept));
    assert_int_equal(kept.len, (200 << 10) + 39);
    assert_int_equal(kept.data[0], 'a' + 39 % 26);
    buf_release(&kept);
}

/* Between two pieces of a compaction everything may change, heddle may crash, or just go on. */
static void changes_during_a_compaction_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    bool more;
    for (unsigned crash = 0; crash < 2; crash++) {
        reopen(fixture);
        put(fixture, "stays", "1");
        put(fixture, "changes", "1");
        put(fixture, "goes", "1");
        put(fixture, "returns", "1");
        put(fixture, "new", "");
        flush(fixture);
        put_large(fixture, "large", 'x', STATE_PIECE_MAX * 2);
        put_large(fixture, "large", 'y', STATE_PIECE_MAX * 2);
        assert_true(state_compact(&fixture->state, &more, &err) && more);
        put(fixture, "changes", "2");
        put(fixture, "goes", "");
        put(fixture, "returns", "");
        put(fixture, "new", "2");
        flush(fixture);
        assert_true(state_compact(&fixture->state, &more, &err) && more);
        put(fixture, "returns", "2");
        if (crash == 0) {
            flush(fixture);
            state_close(&fixture->state);
        } else {
            put(fixture, "unflushed", "3"); /* the batch outlives the old file */
            compact(fixture);
            flush(fixture);
            expect(fixture, "unflushed", "3");
        }
        for (unsigned i = 0; i < 2; i++) {
            reopen(fixture);
            assert_int_equal(fixture->state.ignored, 0);
            expect(fixture, "stays", "1");
            expect(fixture, "changes", "2");
            expect(fixture, "goes", NULL);
            expect(fixture, "returns", "2");
            expect(fixture, "new", "2");
            compact(fixture);
        }
    }
}

static void one_heddle_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    struct state second;
    struct err err;
    reopen(fixture);
    state_init(&second);
    assert_int_equal(state_open(&second, fixture->dir, CONFIG, &err), STATE_LOCKED);
    assert_non_null(strstr(err.text, "another heddle"));
    assert_int_equal(second.fd, -1);
    put(fixture, "a", "1");
    flush(fixture);
    state_close(&fixture->state);
    /* another directory has a file of its own */
    assert_int_equal(state_open(&second, fixture->dir, "/other/config", &err), STATE_OPEN);
    read_state(&second);
    assert_int_equal(second.entries.len, 0);
    state_close(&second);
    reopen(fixture);
    expect(fixture, "a", "1");
}

static void limits(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    char name[RECORD_NAME_MAX + 2];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    char *text = xcalloc(1, RECORD_TEXT_MAX + 1);
    memset(text, 't', RECORD_TEXT_MAX + 1);
    reopen(fixture);
    assert_false(state_put(&fixture->state, str_from(name), STR("x"), &err));
    assert_false(state_put(&fixture->state, STR_NULL, STR("x"), &err));
    assert_false(state_put(&fixture->state, STR("a"), str_span(text, RECORD_TEXT_MAX + 1), &err));
    assert_true(
        state_put(&fixture->state, str_from(name + 1), str_span(text, RECORD_TEXT_MAX), &err));
    flush(fixture);
    free(text);
    reopen(fixture);
    assert_int_equal(fixture->state.entries.len, 1);
    assert_int_equal(fixture->state.live, RECORD_LEN_MAX);
    put(fixture, name + 1, "");
    flush(fixture);
    compact(fixture);

    fixture->state.max = file_size(fixture) + RECORD_HEAD_LEN + 20 + strlen(STATE_MAGIC);
    put(fixture, "a", "0123456789");
    assert_false(state_put(&fixture->state, STR("b"), STR("0123456789"), &err));
    assert_non_null(strstr(err.text, "bytes"));
    flush(fixture);
    expect(fixture, "a", "0123456789");

    state_close(&fixture->state); /* what is larger than it may be is cut like a torn one */
    fixture->state.max = strlen(STATE_MAGIC) + RECORD_HEAD_LEN;
    assert_int_equal(state_open(&fixture->state, fixture->dir, CONFIG, &err), STATE_OPEN);
    read_state(&fixture->state);
    assert_int_equal(fixture->state.entries.len, 0);
    assert_int_equal(file_size(fixture), strlen(STATE_MAGIC));
}

static void as_many_names_as_files(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    char name[16];
    reopen(fixture);
    for (unsigned i = 0; i < STATE_NAMES_MAX; i++) {
        snprintf(name, sizeof(name), "%u", i);
        put(fixture, name, "x");
    }
    assert_false(state_put(&fixture->state, STR("more"), STR("x"), &err));
    put(fixture, "0", "y"); /* an old one may change */
    flush(fixture);
    reopen(fixture);
    assert_int_equal(fixture->state.entries.len, STATE_NAMES_MAX);
    expect(fixture, "0", "y");
}

/* A full disk, as far as a test can have one: files may not grow beyond a limit. */
static void what_cannot_be_written_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    struct rlimit before, low;
    reopen(fixture);
    put(fixture, "a", "1");
    flush(fixture);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = before;
    low.rlim_cur = file_size(fixture) + 10;
    put(fixture, "a", "2");
    put(fixture, "b", "2");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    bool flushed = state_flush(&fixture->state, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(flushed);
    expect(fixture, "a", "1");
    expect(fixture, "b", NULL);
    put(fixture, "b", "3");
    flush(fixture);
    reopen(fixture);
    assert_int_equal(fixture->state.ignored, 0);
    expect(fixture, "a", "1");
    expect(fixture, "b", "3");
}

static bool ftruncate_fails;

/* Takes the place of the C library's. */
int ftruncate(int fd, off_t length)
{
    static int (*real)(int, off_t);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "ftruncate64");
        assert_non_null(real);
    }
    if (ftruncate_fails) {
        errno = EIO;
        return -1;
    }
    return real(fd, length);
}

/* What a failed write left must go before something else is written behind it. */
static void what_a_failed_write_left_is_cut_off_later(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    struct rlimit before, low;
    reopen(fixture);
    put(fixture, "a", "1");
    flush(fixture);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = before;
    low.rlim_cur = file_size(fixture) + 10;
    put(fixture, "b", "2");
    ftruncate_fails = true;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    assert_false(state_flush(&fixture->state, &err));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    put(fixture, "b", "3");
    assert_false(state_flush(&fixture->state, &err)); /* it would stand behind half a record */
    assert_non_null(strstr(err.text, "Input/output error"));
    ftruncate_fails = false;
    put(fixture, "b", "4");
    flush(fixture);
    reopen(fixture);
    assert_int_equal(fixture->state.ignored, 0);
    expect(fixture, "a", "1");
    expect(fixture, "b", "4");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_comes_back),
        TEST(the_last_in_a_batch_wins),
        TEST(what_is_kept_already_is_not_written),
        TEST(a_torn_tail_is_cut_off),
        TEST(damage_is_found),
        TEST(the_first_compaction_leaves_nothing_dead),
        TEST(a_large_file_is_compacted),
        TEST(changes_during_a_compaction_are_kept),
        TEST(one_heddle_at_a_time),
        TEST(limits),
        TEST(as_many_names_as_files),
        TEST(what_cannot_be_written_changes_nothing),
        TEST(what_a_failed_write_left_is_cut_off_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
