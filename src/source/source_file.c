/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_file: turns of a directory.
 *
 *   directory ──► file_set, until inotify runs dry ──► one turn is told ──► state is written
 *
 * State is written after the turn, in pieces: first what is in force of the files that changed,
 * with one write(2), then what is dead in it is cleared away.
 */
#include "source/source_file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/panic.h"
#include "source/config_dir.h"
#include "source/report.h"

struct source_file {
    struct source_file_config config;
    struct config_dir dir;
    struct saver saver;
    struct report report;
    struct file_set *set;
    bool changed; /* an object came, changed or went since the last turn */
    bool synced;
    uv_poll_t poll;
    uv_idle_t idle;   /* runs the saver */
    uv_timer_t retry; /* and does so again when it could not write */
    unsigned open_handles;
    void (*stopped)(void *user);
    void *stopped_user;
};

/* --- between the set and whoever asked ----------------------------------------------------- */

static void on_put(void *user, struct object *object, struct str key)
{
    struct source_file *source = user;
    source->changed = true;
    source->config.events.put(source->config.events.user, object, key);
}

static void on_removed(void *user, enum kind_id kind, struct str key)
{
    struct source_file *source = user;
    source->changed = true;
    source->config.events.removed(source->config.events.user, kind, key);
}

static void on_kept(void *user, struct str name)
{
    struct source_file *source = user;
    saver_add(&source->saver, name);
}

/* --- turns --------------------------------------------------------------------------------- */

static void on_idle(uv_idle_t *idle);

static void on_retry(uv_timer_t *timer)
{
    struct source_file *source = timer->data;
    saver_resume(&source->saver);
    uv_idle_start(&source->idle, on_idle);
}

static void on_idle(uv_idle_t *idle)
{
    struct source_file *source = idle->data;
    if (!saver_step(&source->saver)) {
        uv_idle_stop(idle);
        if (source->saver.wait_ms > 0) {
            uv_timer_start(&source->retry, on_retry, source->saver.wait_ms, 0);
        }
    }
}

/* Once everything that was delivered is in the set. */
static void end_batch(struct source_file *source)
{
    file_set_settle(source->set);
    bool first = !source->synced;
    if (first && (source->config.partial || !file_set_incomplete(source->set))) {
        source->synced = true;
    }
    if (source->synced && (first || source->changed)) {
        source->changed = false;
        source->config.turn(source->config.user);
    }
    if (report_update(&source->report, source->set) && source->config.problems != NULL) {
        source->config.problems(source->config.user, source->set);
    }
    if (saver_begin(&source->saver) && source->synced) {
        uv_idle_start(&source->idle, on_idle);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct source_file *source = poll->data;
    (void)status;
    (void)events;
    if (config_dir_follow(&source->dir)) {
        end_batch(source);
    }
}

/* --- life ---------------------------------------------------------------------------------- */

/* Gives broken documents their last good versions: first each file its own, then what moved. */
static void restore(struct source_file *source)
{
    struct name_list names = {.cut = false};
    struct buf text;
    buf_init(&text, RECORD_TEXT_MAX);
    saver_names(&source->saver, &names);
    for (size_t i = 0; i < names.names.len; i++) {
        struct str name = str_from(names.names.items[i]);
        buf_clear(&text);
        if (file_set_has_errors(source->set, name) && saver_load(&source->saver, name, &text)) {
            file_set_restore(source->set, name, buf_str(&text));
        }
    }
    if (names.names.len > 0) { /* whatever was in force is among them, also of hidden files */
        file_set_restore(source->set, STR(FILE_SET_DIRECTORY), STR("\n"));
    }
    file_set_settle(source->set);
    bool lacks = file_set_lacks(source->set);
    for (size_t i = 0; lacks && i < names.names.len; i++) {
        buf_clear(&text);
        if (saver_load(&source->saver, str_from(names.names.items[i]), &text)) {
            file_set_restore_moved(source->set, buf_str(&text));
        }
    }
    file_set_settle(source->set);
    name_list_release(&names);
    buf_release(&text);
}

static char *absolute_path(struct str dir, struct err *err)
{
    char cwd[PATH_MAX];
    struct buf path;
    buf_init(&path, PATH_MAX);
    if (!str_starts_with(dir, STR("/"))) {
        if (getcwd(cwd, sizeof(cwd)) == NULL) {
            err_set_errno(err, errno, "cannot find the working directory");
            return NULL;
        }
        buf_printf(&path, "%s/", cwd);
    }
    buf_add_str(&path, dir);
    if (!buf_ok(&path)) {
        err_set(err, "the path '%.*s' is too long", STR_FMT(dir));
        buf_release(&path);
        return NULL;
    }
    return buf_steal(&path, NULL);
}

static void free_source(struct source_file *source)
{
    config_dir_close(&source->dir);
    saver_release(&source->saver);
    report_release(&source->report);
    file_set_free(source->set);
    free(source);
}

static struct source_file *new_source(const struct source_file_config *config)
{
    struct source_file *source = xcalloc(1, sizeof(*source));
    source->config = *config;
    struct file_set_events events = {
        .user = source, .put = on_put, .removed = on_removed, .kept = on_kept};
    source->set = file_set_new(&events);
    saver_init(&source->saver, source->set);
    source->dir = (struct config_dir){
        .fd = -1,
        .files_max = config->files_max > 0 ? config->files_max : SOURCE_FILES_MAX,
        .bytes_max = config->bytes_max > 0 ? config->bytes_max : SOURCE_BYTES_MAX,
        .watch = {.fd = -1},
        .set = source->set,
        .saver = &source->saver,
    };
    return source;
}

/* Everything that can fail; no handle is open yet. */
static bool prepare(struct source_file *source, struct err *err)
{
    char *path = absolute_path(source->config.dir, err);
    if (path == NULL || !config_dir_open(&source->dir, path, err)) {
        return false;
    }
    if (source->config.state_dir.len > 0 &&
        !saver_open(&source->saver, source->config.state_dir, path, err)) {
        return false;
    }
    if (!config_dir_read_all(&source->dir, err)) {
        return err_prefix(err, "config directory '%s'", path);
    }
    return true;
}

bool source_file_start(const struct source_file_config *config, struct source_file **ret_source,
                       struct err *err)
{
    struct source_file *source = new_source(config);
    if (!prepare(source, err)) {
        free_source(source);
        return false;
    }
    file_set_settle(source->set);
    if (file_set_invalid(source->set) > 0 || !file_set_directory_ok(source->set)) {
        restore(source);
    }
    uv_poll_init(config->loop, &source->poll, source->dir.watch.fd);
    uv_idle_init(config->loop, &source->idle);
    uv_timer_init(config->loop, &source->retry);
    source->poll.data = source->idle.data = source->retry.data = source;
    source->open_handles = 3;
    uv_poll_start(&source->poll, UV_READABLE, on_readable);
    *ret_source = source;
    end_batch(source);
    if (!source->synced) {
        log_at(LOG_ERROR, "source",
               "not serving: documents are broken and their last good versions are not known; "
               "mend them, or start with --partial",
               KV_TEXT("dir", source->dir.path), KV_INT("invalid", file_set_invalid(source->set)));
    }
    return true;
}

bool source_file_synced(const struct source_file *source)
{
    return source->synced;
}

const struct file_set *source_file_set(const struct source_file *source)
{
    return source->set;
}

static void on_closed(uv_handle_t *handle)
{
    struct source_file *source = handle->data;
    if (--source->open_handles > 0) {
        return;
    }
    void (*stopped)(void *user) = source->stopped;
    void *user = source->stopped_user;
    free_source(source);
    if (stopped != NULL) {
        stopped(user);
    }
}

void source_file_stop(struct source_file *source, void (*done)(void *user), void *user)
{
    if (source->synced) {
        saver_finish(&source->saver);
    }
    source->stopped = done;
    source->stopped_user = user;
    uv_close((uv_handle_t *)&source->poll, on_closed);
    uv_close((uv_handle_t *)&source->idle, on_closed);
    uv_close((uv_handle_t *)&source->retry, on_closed);
}
