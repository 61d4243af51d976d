/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the state survive any file, and is what it reads of one still there after a compaction and
 * another start?
 *
 * The first byte says whether the rest is taken as it is or gets checksums that hold, which no
 * fuzzer would find. Seeds: tests/fuzz/corpus/state/.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/panic.h"
#include "source/state.h"

#define CONFIG "/config"
#define SUM_LEN 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/dev/shm/heddle-fuzz-XXXXXX"; /* memory: no disk to wait for */

static const char *path_of(const char *name)
{
    static char path[64];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void remove_dir(void)
{
    char name[STATE_FILE_LEN];
    state_file_name(CONFIG, name);
    unlink(path_of(name));
    unlink(path_of("lock"));
    rmdir(dir);
}

static size_t number_at(struct str bytes, size_t at)
{
    size_t number = 0;
    for (size_t i = 0; i < 4; i++) {
        number |= (size_t)(uint8_t)bytes.ptr[at + i] << (8 * i);
    }
    return number;
}

static void mend_checksums(struct str bytes, struct buf *out)
{
    buf_add_str(out, str_sub(bytes, 0, strlen(STATE_MAGIC)));
    bytes = str_sub(bytes, strlen(STATE_MAGIC), bytes.len);
    while (bytes.len >= RECORD_HEAD_LEN) {
        size_t name_len = number_at(bytes, SUM_LEN), text_len = number_at(bytes, SUM_LEN + 4);
        if (name_len == 0 || name_len > RECORD_NAME_MAX || text_len > RECORD_TEXT_MAX ||
            RECORD_HEAD_LEN + name_len + text_len > bytes.len) {
            break;
        }
        struct str name = str_sub(bytes, RECORD_HEAD_LEN, name_len);
        struct str text = str_sub(bytes, RECORD_HEAD_LEN + name_len, text_len);
        record_write(name, text, record_sum(name, text), out);
        bytes = str_sub(bytes, RECORD_HEAD_LEN + name_len + text_len, bytes.len);
    }
    buf_add_str(out, bytes);
}

static void write_file(struct str bytes)
{
    char name[STATE_FILE_LEN];
    state_file_name(CONFIG, name);
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ASSERT(fd >= 0);
    ASSERT(write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    close(fd);
}

static void start(struct state *state)
{
    struct err err;
    state_init(state);
    ASSERT(state_open(state, dir, CONFIG, &err) == STATE_OPEN);
    while (!state->is_read) {
        ASSERT(state_read(state, &err));
    }
}

/* All names and texts, in a fixed order. */
static void print(const struct state *state, struct buf *out)
{
    struct name_list names = {.cut = false};
    state_names(state, &names);
    name_list_sort(&names);
    for (size_t i = 0; i < names.names.len; i++) {
        buf_printf(out, "%s=", names.names.items[i]);
        /* a name with a NUL in it is not found: no file is called so */
        state_load(state, str_from(names.names.items[i]), out);
    }
    name_list_release(&names);
}

static void change(struct state *state)
{
    struct err err;
    ASSERT(state_put(state, STR("fuzz.yaml"), STR("{}"), &err));
    ASSERT(state_flush(state, &err));
}

static void check(void)
{
    struct state state;
    struct buf before, after;
    struct err err;
    bool more = true;
    buf_init(&before, BUF_UNLIMITED);
    buf_init(&after, BUF_UNLIMITED);
    start(&state);
    change(&state);
    print(&state, &before);
    while (more) {
        ASSERT(state_compact(&state, &more, &err));
    }
    state_close(&state);
    start(&state);
    print(&state, &after);
    ASSERT(state.ignored == 0 && state.size == strlen(STATE_MAGIC) + state.live);
    ASSERT(str_eq(buf_str(&before), buf_str(&after)));
    state_close(&state);
    buf_release(&before);
    buf_release(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    if (!made) {
        made = mkdtemp(dir) != NULL && atexit(remove_dir) == 0;
        ASSERT(made);
    }
    struct str bytes = str_span((const char *)data, size);
    struct buf mended;
    buf_init(&mended, BUF_UNLIMITED);
    if (size > 0 && data[0] == 'm') {
        mend_checksums(str_sub(bytes, 1, size), &mended);
    } else {
        buf_add_str(&mended, str_sub(bytes, 1, size));
    }
    write_file(buf_str(&mended));
    check();
    buf_release(&mended);
    return 0;
}
