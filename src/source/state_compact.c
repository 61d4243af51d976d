/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_compact: copies what is in force to a new file, which takes the old one's place.
 *
 * The old file is read from its beginning to its end, wherever that is by then: what is appended
 * meanwhile is in both files, so nothing is lost whenever the copy is given up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "source/state_file.h"

#define COPY_FLAGS (O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW)
#define COPY_NAME_LEN (STATE_FILE_LEN + 4)

static void copy_name(const struct state *state, char ret_name[COPY_NAME_LEN])
{
    snprintf(ret_name, COPY_NAME_LEN, "%s.new", state->file);
}

static void forget_copy(struct state *state)
{
    state->copy.fd = -1;
    state->copy.size = 0;
    buf_release(&state->copy.bytes);
    state_rewind(state);
}

void state_drop_copy(struct state *state)
{
    char name[COPY_NAME_LEN];
    copy_name(state, name);
    unlinkat(state->dir_fd, name, 0);
    if (state->copy.fd >= 0) {
        close(state->copy.fd);
    }
    forget_copy(state);
}

static bool is_due(const struct state *state)
{
    uint64_t needed = STATE_MAGIC_LEN + state->live;
    uint64_t most = state->tidied ? 2 * needed + STATE_SLACK_MAX : needed;
    return state->size > most && state->size > state->copy.not_yet;
}

static bool begin_copy(struct state *state, struct err *err)
{
    char name[COPY_NAME_LEN];
    copy_name(state, name);
    state->copy.fd = openat(state->dir_fd, name, COPY_FLAGS, 0600);
    if (state->copy.fd < 0) {
        return err_set_errno(err, errno, "cannot make the state file '%s'", name);
    }
    struct map *entries = &state->entries;
    for (size_t i = map_next(entries, 0); i < entries->cap; i = map_next(entries, i + 1)) {
        ((struct state_entry *)entries->slots[i].value)->copied_at = 0;
    }
    state->copy.begin = state->size;
    state->copy.size = STATE_MAGIC_LEN;
    buf_add_str(&state->copy.bytes, STR(STATE_MAGIC));
    return true;
}

/* A name that went meanwhile may have been copied before: then the new file must say so too. */
static bool visit_live(struct state *state, const struct record *record, uint64_t at)
{
    struct state_entry *entry = map_get(&state->entries, record->name);
    bool live = entry != NULL && entry->at == at;
    bool went = record->text.len == 0 && at >= state->copy.begin;
    if (live) {
        entry->copied_at = state->copy.size;
    }
    if (live || went) {
        record_write(record->name, record->text, record->sum, &state->copy.bytes);
        state->copy.size += record->len;
    }
    return true;
}

static bool has_all(const struct state *state)
{
    const struct map *entries = &state->entries;
    for (size_t i = map_next(entries, 0); i < entries->cap; i = map_next(entries, i + 1)) {
        if (((const struct state_entry *)entries->slots[i].value)->copied_at == 0) {
            return false;
        }
    }
    return true;
}

static bool end_copy(struct state *state, struct err *err)
{
    char name[COPY_NAME_LEN];
    copy_name(state, name);
    if (!has_all(state)) {
        return err_set(err, "the state file '%s' was changed by someone else", state->file);
    }
    if (renameat(state->dir_fd, name, state->dir_fd, state->file) != 0) {
        return err_set_errno(err, errno, "cannot replace the state file '%s'", state->file);
    }
    close(state->fd);
    state->fd = state->copy.fd;
    state->size = state->copy.size;
    state->copy.not_yet = 0;
    state->tidied = true;
    struct map *entries = &state->entries;
    for (size_t i = map_next(entries, 0); i < entries->cap; i = map_next(entries, i + 1)) {
        struct state_entry *entry = entries->slots[i].value;
        entry->at = entry->copied_at;
    }
    forget_copy(state);
    return true;
}

/* Sets ret_more unless the copy has taken its place. */
static bool copy_piece(struct state *state, bool *ret_more, struct err *err)
{
    enum scan_result result = state_scan(state, visit_live, err);
    if (result == SCAN_FAILED) {
        return false;
    }
    if (result == SCAN_BAD) {
        return err_set(err, "the state file '%s' was changed by someone else", state->file);
    }
    if (!state_write(state->copy.fd, buf_str(&state->copy.bytes))) {
        return err_set_errno(err, errno, "cannot write the new state file '%s'", state->file);
    }
    buf_clear(&state->copy.bytes);
    *ret_more = result == SCAN_MORE;
    return *ret_more || end_copy(state, err);
}

bool state_compact(struct state *state, bool *ret_more, struct err *err)
{
    *ret_more = false;
    if (state->copy.fd < 0 && !is_due(state)) {
        state->tidied = true;
        return true;
    }
    if ((state->copy.fd < 0 && !begin_copy(state, err)) || !copy_piece(state, ret_more, err)) {
        state_drop_copy(state);
        state->copy.not_yet = 2 * state->size;
        return false;
    }
    return true;
}
