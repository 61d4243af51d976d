/* SPDX-License-Identifier: Apache-2.0 */
/* saver: from names of changed files to batches of the state file. */
#include "source/saver.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"

#define STEP_NS 500000 /* of work between two looks at the loop */
/* Between a failure to write and the next try; doubled each time. */
#define WAIT_MIN_MS 250
#define WAIT_MAX_MS 60000

void saver_init(struct saver *saver, const struct file_set *set)
{
    *saver = (struct saver){.set = set};
    state_init(&saver->state);
}

void saver_release(struct saver *saver)
{
    state_close(&saver->state);
    name_list_release(&saver->names);
    name_list_release(&saver->batch);
    saver->wait_ms = 0;
}

static void keep_nothing(struct saver *saver, const struct err *err)
{
    log_at(LOG_WARN, "source", "no state is kept: a restart will not know the last good objects",
           KV_TEXT("err", err->text));
    saver_release(saver);
}

bool saver_open(struct saver *saver, struct str dir, const char *config_path, struct err *err)
{
    char *path = str_dup(dir);
    enum state_opened opened = state_open(&saver->state, path, config_path, err);
    free(path);
    if (opened == STATE_LOCKED) {
        keep_nothing(saver, err);
    }
    return opened != STATE_FAILED;
}

static void read_piece(struct saver *saver)
{
    struct state *state = &saver->state;
    struct err err;
    if (!state_read(state, &err)) {
        keep_nothing(saver, &err);
    } else if (state->is_read && state->ignored > 0) {
        log_at(LOG_WARN, "source", "a part of the state file cannot be read and is dropped",
               KV_TEXT("file", state->file), KV_INT("bytes", state->ignored));
    }
}

void saver_names(struct saver *saver, struct name_list *ret_names)
{
    while (saver->state.fd >= 0 && !saver->state.is_read) {
        read_piece(saver);
    }
    state_names(&saver->state, ret_names);
    name_list_sort(ret_names);
}

bool saver_load(struct saver *saver, struct str name, struct buf *ret_text)
{
    return state_load(&saver->state, name, ret_text);
}

void saver_add(struct saver *saver, struct str name)
{
    if (saver->state.fd >= 0) {
        name_list_add(&saver->names, name);
    }
}

static bool has_to_save(const struct saver *saver)
{
    return saver->state.fd >= 0 && (saver->names.names.len > 0 || !saver->swept);
}

bool saver_begin(struct saver *saver)
{
    name_list_sort(&saver->names);
    return has_to_save(saver) && saver->wait_ms == 0;
}

static void put_file(struct saver *saver, struct str name)
{
    struct buf text;
    struct err err;
    buf_init(&text, RECORD_TEXT_MAX);
    file_set_save(saver->set, name, &text);
    bool kept = buf_ok(&text) ? state_put(&saver->state, name, buf_str(&text), &err)
                              : err_set(&err, "they are more than %u bytes", RECORD_TEXT_MAX);
    if (!kept) {
        log_at(LOG_WARN, "source", "a restart will not know the last good objects of a file",
               KV("file", name), KV_TEXT("err", err.text));
    }
    buf_release(&text);
}

static void count_unwritten(const struct saver *saver)
{
    bool failed = saver->wait_ms > 0;
    metric_set(M_state_unwritten, failed ? (int64_t)saver->names.names.len : 0);
}

/* What was not written is to be written again. */
static void put_off(struct saver *saver, const struct err *err)
{
    for (size_t i = 0; i < saver->batch.names.len; i++) {
        vec_push(&saver->names.names, saver->batch.names.items[i]);
    }
    vec_clear(&saver->batch.names);
    name_list_sort(&saver->names);
    if (saver->next_wait_ms == 0) {
        log_at(LOG_WARN, "source",
               "a restart would not know the last good objects of some files; writing them is "
               "tried again",
               KV_INT("files", saver->names.names.len), KV_TEXT("err", err->text));
        saver->next_wait_ms = WAIT_MIN_MS;
    }
    saver->wait_ms = saver->next_wait_ms;
    saver->next_wait_ms = 2 * saver->wait_ms < WAIT_MAX_MS ? 2 * saver->wait_ms : WAIT_MAX_MS;
    metric_add(M_state_write_failures, 1);
}

static void write_batch(struct saver *saver)
{
    struct err err;
    if (!state_flush(&saver->state, &err)) {
        put_off(saver, &err);
    } else {
        name_list_release(&saver->batch);
        if (saver->next_wait_ms > 0 && saver->names.names.len == 0) {
            log_at(LOG_INFO, "source", "the last good objects are all written again");
            saver->next_wait_ms = 0;
        }
    }
    count_unwritten(saver);
}

/* The batch is written when it is complete, or large. */
static void save_piece(struct saver *saver)
{
    struct name_list *list = &saver->names;
    uint64_t end = clock_mono_ns() + STEP_NS;
    if (!saver->swept) {
        saver->swept = true;
        state_names(&saver->state, list);
        name_list_sort(list);
    }
    while (list->names.len > 0 && saver->state.batch.bytes.len < STATE_BATCH_MAX) {
        char *name = vec_pop(&list->names);
        put_file(saver, str_from(name));
        vec_push(&saver->batch.names, name);
        if (clock_mono_ns() > end && list->names.len > 0) {
            return;
        }
    }
    write_batch(saver);
}

/* Makes the file smaller when that pays. Returns whether there is more to do. */
static bool compact_piece(struct saver *saver)
{
    struct err err;
    bool more;
    if (!state_compact(&saver->state, &more, &err)) {
        log_at(LOG_WARN, "source", "the state file stays larger than it need be",
               KV_TEXT("err", err.text));
    }
    return more;
}

bool saver_step(struct saver *saver)
{
    if (saver->state.fd < 0 || saver->wait_ms > 0) {
        return false;
    }
    if (!has_to_save(saver)) {
        return compact_piece(saver);
    }
    if (saver->state.is_read) {
        save_piece(saver);
    } else {
        read_piece(saver);
    }
    return saver->state.fd >= 0 && saver->wait_ms == 0;
}

void saver_resume(struct saver *saver)
{
    saver->wait_ms = 0;
}

void saver_finish(struct saver *saver)
{
    saver_resume(saver);
    while (has_to_save(saver) && saver->wait_ms == 0) {
        saver_step(saver);
    }
}
