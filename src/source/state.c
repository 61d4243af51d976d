/* SPDX-License-Identifier: Apache-2.0 */
/* state: the file of last good objects: how it is opened, read and appended to. */
#include "source/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/panic.h"
#include "source/state_file.h"

#define STATE_PATH_MAX 4096
#define FILE_FLAGS (O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW)

/* --- opening ------------------------------------------------------------------------------- */

void state_init(struct state *state)
{
    *state = (struct state){.fd = -1, .dir_fd = -1, .lock_fd = -1, .max = STATE_BYTES_MAX};
    state->copy.fd = -1;
    buf_init(&state->scan.bytes, RECORD_LEN_MAX + STATE_PIECE_MAX);
    buf_init(&state->batch.bytes, STATE_BATCH_MAX + RECORD_LEN_MAX + sizeof(STATE_MAGIC));
    buf_init(&state->copy.bytes, RECORD_LEN_MAX + 2 * STATE_PIECE_MAX);
}

/* mkdir -p */
static bool make_dirs(const char *dir)
{
    char path[STATE_PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s", dir);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            mkdir(path, 0700); /* what matters is whether the whole path exists in the end */
            *at = '/';
        }
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

void state_file_name(const char *config_path, char ret_name[STATE_FILE_LEN])
{
    char text[HASH_TEXT_LEN];
    hash_text(hash_bytes(str_from(config_path)), text);
    snprintf(ret_name, STATE_FILE_LEN, "objects-%s", text);
}

/* The lock is on a file of its own, because the other one is replaced now and then. */
static bool lock(struct state *state, const char *dir, struct err *err)
{
    state->lock_fd = openat(state->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (state->lock_fd >= 0 && flock(state->lock_fd, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    if (errno == EWOULDBLOCK) {
        return err_set(err, "another heddle uses the state directory '%s' (--state names another)",
                       dir);
    }
    return err_set_errno(err, errno, "cannot lock the state directory '%s'", dir);
}

static bool open_file(struct state *state, struct err *err)
{
    struct stat info;
    state->fd = openat(state->dir_fd, state->file, FILE_FLAGS, 0600);
    if (state->fd < 0 || fstat(state->fd, &info) != 0) {
        return err_set_errno(err, errno, "cannot open the state file '%s'", state->file);
    }
    if (!S_ISREG(info.st_mode)) {
        return err_set(err, "the state file '%s' is no regular file", state->file);
    }
    state->size = (uint64_t)info.st_size;
    if (state->size > state->max) {
        state->ignored = state->size - state->max;
        state->size = state->max;
        if (ftruncate(state->fd, (off_t)state->size) != 0) {
            return err_set_errno(err, errno, "cannot cut the state file '%s'", state->file);
        }
    }
    return true;
}

enum state_opened state_open(struct state *state, const char *dir, const char *config_path,
                             struct err *err)
{
    if (!make_dirs(dir)) {
        err_set_errno(err, errno,
                      "cannot make the state directory '%s' (--state names another, or 'none')",
                      dir);
        return STATE_FAILED;
    }
    state->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state->dir_fd < 0) {
        err_set_errno(err, errno, "cannot open the state directory '%s'", dir);
        return STATE_FAILED;
    }
    if (!lock(state, dir, err)) {
        state_close(state);
        return STATE_LOCKED;
    }
    state_file_name(config_path, state->file);
    if (!open_file(state, err)) {
        state_close(state);
        return STATE_FAILED;
    }
    state_drop_copy(state); /* what a crash may have left */
    return STATE_OPEN;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static void free_entries(struct map *entries)
{
    for (size_t i = map_next(entries, 0); i < entries->cap; i = map_next(entries, i + 1)) {
        free(entries->slots[i].value);
    }
    map_release(entries);
}

void state_close(struct state *state)
{
    if (state->copy.fd >= 0) {
        state_drop_copy(state);
    }
    close_fd(&state->fd);
    close_fd(&state->lock_fd);
    close_fd(&state->dir_fd);
    free_entries(&state->entries);
    free_entries(&state->batch.entries);
    buf_release(&state->scan.bytes);
    buf_release(&state->batch.bytes);
    buf_release(&state->copy.bytes);
    state_init(state);
}

/* --- what is in force ---------------------------------------------------------------------- */

static struct state_entry *new_entry(const struct record *record, uint64_t at)
{
    struct state_entry *entry = xcalloc(1, sizeof(*entry) + record->name.len);
    entry->at = at;
    entry->sum = record->sum;
    entry->len = record->len;
    entry->gone = record->text.len == 0;
    entry->name_len = record->name.len;
    memcpy(entry->name, record->name.ptr, record->name.len);
    return entry;
}

static struct str entry_name(const struct state_entry *entry)
{
    return str_span(entry->name, entry->name_len);
}

/* Takes the entry. */
static void put_in_force(struct state *state, struct state_entry *entry)
{
    struct state_entry *old = entry->gone ? map_remove(&state->entries, entry_name(entry))
                                          : map_put(&state->entries, entry_name(entry), entry);
    state->live -= old != NULL ? old->len : 0;
    free(old);
    if (entry->gone) {
        free(entry);
    } else {
        state->live += entry->len;
    }
}

void state_names(const struct state *state, struct name_list *names)
{
    const struct map *entries = &state->entries;
    for (size_t i = map_next(entries, 0); i < entries->cap; i = map_next(entries, i + 1)) {
        name_list_add(names, entries->slots[i].key);
    }
}

/* --- reading ------------------------------------------------------------------------------- */

enum scan_result state_scan(struct state *state, scan_visit_fn *visit, struct err *err)
{
    struct buf *bytes = &state->scan.bytes;
    uint64_t end = state->scan.at + bytes->len;
    uint64_t left = state->size - end;
    uint8_t *room = buf_reserve(bytes, STATE_PIECE_MAX);
    ASSERT(room != NULL);
    ssize_t got =
        pread(state->fd, room, left < STATE_PIECE_MAX ? left : STATE_PIECE_MAX, (off_t)end);
    if (got < 0 && errno == EINTR) {
        return SCAN_MORE;
    }
    if (got < 0) {
        err_set_errno(err, errno, "cannot read the state file '%s'", state->file);
        return SCAN_FAILED;
    }
    buf_commit(bytes, (size_t)got);
    size_t used = 0;
    bool bad = false;
    if (state->scan.at == 0 && bytes->len > 0) {
        bad = !str_starts_with(buf_str(bytes), STR(STATE_MAGIC));
        used = bad ? 0 : STATE_MAGIC_LEN;
    }
    while (!bad && used < bytes->len) {
        struct record record;
        enum record_result result = record_read(str_sub(buf_str(bytes), used, bytes->len), &record);
        if (result == RECORD_CUT) {
            break;
        }
        bad = result == RECORD_BAD || !visit(state, &record, state->scan.at + used);
        used += bad ? 0 : record.len;
    }
    buf_consume(bytes, used);
    state->scan.at += used;
    bool last = got == 0 || end + (uint64_t)got == state->size;
    if (!bad && !last) {
        return SCAN_MORE;
    }
    return bad || state->scan.at < state->size ? SCAN_BAD : SCAN_END;
}

void state_rewind(struct state *state)
{
    state->scan.at = 0;
    buf_release(&state->scan.bytes);
}

static bool visit_kept(struct state *state, const struct record *record, uint64_t at)
{
    if (state->entries.len >= STATE_NAMES_MAX && record->text.len > 0 &&
        map_get(&state->entries, record->name) == NULL) {
        return false;
    }
    put_in_force(state, new_entry(record, at));
    return true;
}

bool state_read(struct state *state, struct err *err)
{
    if (state->is_read) {
        return true;
    }
    enum scan_result result = state_scan(state, visit_kept, err);
    if (result == SCAN_MORE || result == SCAN_FAILED) {
        return result == SCAN_MORE;
    }
    uint64_t good = state->scan.at;
    state_rewind(state);
    if (result == SCAN_BAD) { /* or else nothing behind it could ever be read */
        state->ignored += state->size - good;
        state->size = good;
        if (ftruncate(state->fd, (off_t)good) != 0) {
            return err_set_errno(err, errno, "cannot cut the state file '%s'", state->file);
        }
    }
    state->is_read = true;
    return true;
}

bool state_load(const struct state *state, struct str name, struct buf *ret_text)
{
    const struct state_entry *entry = map_get(&state->entries, name);
    if (entry == NULL) {
        return false;
    }
    struct buf bytes;
    struct record record;
    buf_init(&bytes, RECORD_LEN_MAX);
    uint8_t *room = buf_reserve(&bytes, entry->len);
    ASSERT(room != NULL);
    ssize_t got = pread(state->fd, room, entry->len, (off_t)entry->at);
    buf_commit(&bytes, got > 0 ? (size_t)got : 0);
    bool ok = record_read(buf_str(&bytes), &record) == RECORD_OK && str_eq(record.name, name);
    if (ok) {
        buf_add_str(ret_text, record.text);
    }
    buf_release(&bytes);
    return ok && buf_ok(ret_text);
}

/* --- appending ----------------------------------------------------------------------------- */

bool state_put(struct state *state, struct str name, struct str text, struct err *err)
{
    ASSERT(state->is_read);
    struct buf *bytes = &state->batch.bytes;
    const struct state_entry *before = map_get(&state->batch.entries, name);
    before = before != NULL ? before : map_get(&state->entries, name);
    bool is_new = before == NULL || before->gone;
    if (is_new && text.len == 0) {
        return true;
    }
    if (name.len == 0 || name.len > RECORD_NAME_MAX || text.len > RECORD_TEXT_MAX) {
        return err_set(err, "more than %u bytes cannot be kept for a file", RECORD_TEXT_MAX);
    }
    if (is_new && state->entries.len + state->batch.entries.len >= STATE_NAMES_MAX) {
        return err_set(err, "more than %u files cannot be kept", STATE_NAMES_MAX);
    }
    struct record record = {.name = name,
                            .text = text,
                            .sum = record_sum(name, text),
                            .len = RECORD_HEAD_LEN + name.len + text.len};
    if (before != NULL && hash_eq(before->sum, record.sum)) {
        return true;
    }
    if (state->size + bytes->len + STATE_MAGIC_LEN + record.len > state->max) {
        return err_set(err, "the state file has %llu bytes, more is not kept",
                       (unsigned long long)state->size);
    }
    if (state->size == 0 && bytes->len == 0) {
        buf_add_str(bytes, STR(STATE_MAGIC));
    }
    struct state_entry *entry = new_entry(&record, bytes->len);
    record_write(name, text, record.sum, bytes);
    ASSERT(buf_ok(bytes));
    free(map_put(&state->batch.entries, entry_name(entry), entry));
    return true;
}

bool state_write(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t done = write(fd, bytes.ptr, bytes.len);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        bytes = str_sub(bytes, done > 0 ? (size_t)done : 0, bytes.len);
    }
    return true;
}

/* Cuts off what a failed write may have left. */
static bool cut_torn(struct state *state)
{
    state->torn = state->torn && ftruncate(state->fd, (off_t)state->size) != 0;
    return !state->torn;
}

bool state_flush(struct state *state, struct err *err)
{
    struct buf *bytes = &state->batch.bytes;
    struct map *fresh = &state->batch.entries;
    bool ok = cut_torn(state) && state_write(state->fd, buf_str(bytes));
    if (!ok) {
        err_set_errno(err, errno, "cannot write the state file '%s'", state->file);
        state->torn = true;
        cut_torn(state);
        free_entries(fresh);
    }
    for (size_t i = map_next(fresh, 0); i < fresh->cap; i = map_next(fresh, i + 1)) {
        struct state_entry *entry = fresh->slots[i].value;
        entry->at += state->size;
        put_in_force(state, entry);
    }
    map_release(fresh);
    state->size += ok ? bytes->len : 0;
    buf_release(bytes);
    return ok;
}
