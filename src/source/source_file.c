/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_file: what inotify tells of a directory, as updates of a file_set.
 *
 *   event of a name in the directory ──► that file is read again      ┐ until inotify runs dry,
 *   event of a name the path depends on, overflow ──► all are read    ┘ then one turn is told
 *
 * In a batch, files are read before the vanished ones are removed, so that an object that moved
 * from one file to another never goes. State is written after the turn, in pieces: first what is in
 * force of the files that changed, with one write(2), then what is dead in it is cleared away.
 */
#include "source/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/panic.h"
#include "codec/doc.h"
#include "source/report.h"
#include "source/saver.h"
#include "source/text_file.h"
#include "source/watch.h"

#define EVENTS_BYTES 65536
#define ROUNDS_MAX 64 /* of reading events in one turn, so that a busy writer cannot starve it */
#define READ_BUFFER_MAX ((size_t)DOC_BYTES_MAX * 2)

struct known_file {
    size_t size;
    unsigned round; /* the last full reading that saw it */
    char name[];
};

struct source_file {
    struct source_file_config config;
    char *dir; /* absolute, links not resolved */
    int dir_fd;
    struct watch watch;
    struct saver saver;
    struct report report;
    struct file_set *set;
    struct map known; /* name -> struct known_file */
    size_t bytes;     /* of all known files */
    unsigned round;
    struct name_list pending; /* names that had an event */
    bool read_all;            /* everything must be read again */
    bool changed;             /* an object came, changed or went since the last turn */
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

/* --- reading files ------------------------------------------------------------------------- */

static struct known_file *know(struct source_file *source, const char *name)
{
    struct known_file *known = map_get(&source->known, str_from(name));
    if (known == NULL && source->known.len < SOURCE_FILES_MAX) {
        size_t len = strlen(name);
        known = xcalloc(1, sizeof(*known) + len + 1);
        memcpy(known->name, name, len);
        map_put(&source->known, str_from(known->name), known);
    }
    return known;
}

static void forget(struct source_file *source, struct known_file *known)
{
    struct str name = str_from(known->name);
    file_set_remove(source->set, name);
    saver_add(&source->saver, name);
    source->bytes -= known->size;
    map_remove(&source->known, name);
    free(known);
}

static enum text_file_result open_and_read(struct source_file *source, const char *name,
                                           struct buf *text, struct err *err)
{
    enum text_file_result result = text_file_read(source->dir_fd, name, false, text, err);
    if (result != TEXT_FILE_LINK) {
        return result;
    }
    struct buf path;
    buf_init(&path, PATH_MAX);
    buf_printf(&path, "%s/%s", source->dir, name);
    buf_add_byte(&path, '\0');
    if (buf_ok(&path)) { /* first watch, then read, so that no change is missed */
        watch_follow(&source->watch, (const char *)path.data, true);
    }
    buf_release(&path);
    return text_file_read(source->dir_fd, name, true, text, err);
}

/* Returns false when the file is not there. */
static bool read_file(struct source_file *source, const char *name)
{
    struct buf text;
    struct err err;
    buf_init(&text, READ_BUFFER_MAX);
    enum text_file_result result = open_and_read(source, name, &text, &err);
    struct known_file *known = result == TEXT_FILE_GONE ? NULL : know(source, name);
    if (known != NULL) {
        known->round = source->round;
        size_t others = source->bytes - known->size;
        if (result == TEXT_FILE_OK && others + text.len > SOURCE_BYTES_MAX) {
            err_set(&err, "the files of the directory have more than %u bytes in all",
                    SOURCE_BYTES_MAX);
            result = TEXT_FILE_UNREADABLE;
        }
        if (result == TEXT_FILE_OK) {
            known->size = text.len;
            source->bytes = others + text.len;
            file_set_update(source->set, str_from(name), buf_str(&text));
        } else {
            file_set_unreadable(source->set, str_from(name), str_from(err.text));
        }
        saver_add(&source->saver, str_from(name));
    } else if (result != TEXT_FILE_GONE) {
        log_at(LOG_ERROR, "source", "the directory has too many files: one is ignored",
               KV_TEXT("file", name), KV_INT("limit", SOURCE_FILES_MAX));
    }
    buf_release(&text);
    return result != TEXT_FILE_GONE;
}

/* Takes over the directory's present entries, wherever its path leads now. */
static bool open_dir(struct source_file *source, struct err *err)
{
    watch_follow(&source->watch, source->dir, false);
    bool watched = watch_content(&source->watch, source->dir, err);
    int fd = watched ? open(source->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (watched && fd < 0) {
        err_set_errno(err, errno, "cannot open '%s'", source->dir);
    }
    if (source->dir_fd >= 0) {
        close(source->dir_fd);
    }
    source->dir_fd = fd;
    return fd >= 0;
}

static void forget_unseen(struct source_file *source)
{
    struct name_list gone = {.cut = false};
    for (size_t i = map_next(&source->known, 0); i < source->known.cap;
         i = map_next(&source->known, i + 1)) {
        const struct known_file *known = source->known.slots[i].value;
        if (known->round != source->round) {
            name_list_add(&gone, str_from(known->name));
        }
    }
    name_list_sort(&gone); /* a fixed order of events */
    for (size_t i = 0; i < gone.names.len; i++) {
        forget(source, map_get(&source->known, str_from(gone.names.items[i])));
    }
    name_list_release(&gone);
}

/* A directory that cannot be read leaves everything in force: it may be on its way back. */
static bool read_everything(struct source_file *source, struct err *err)
{
    struct name_list names = {.cut = false};
    source->round++;
    watch_begin(&source->watch);
    bool ok = open_dir(source, err) && name_list_read(&names, source->dir_fd, err);
    for (size_t i = 0; ok && i < names.names.len; i++) {
        read_file(source, names.names.items[i]);
    }
    if (ok) {
        forget_unseen(source);
    }
    if (names.cut) {
        log_at(LOG_ERROR, "source", "the directory has too many files: some are ignored",
               KV_INT("limit", SOURCE_FILES_MAX));
    }
    watch_end(&source->watch);
    name_list_release(&names);
    return ok;
}

static void read_pending(struct source_file *source)
{
    struct name_list *pending = &source->pending;
    struct name_list gone = {.cut = false};
    name_list_sort(pending);
    for (size_t i = 0; i < pending->names.len; i++) {
        if (!read_file(source, pending->names.items[i])) {
            name_list_add(&gone, str_from(pending->names.items[i]));
        }
    }
    for (size_t i = 0; i < gone.names.len; i++) {
        struct known_file *known = map_get(&source->known, str_from(gone.names.items[i]));
        if (known != NULL) {
            forget(source, known);
        }
    }
    name_list_release(&gone);
    name_list_release(pending);
}

/* --- events -------------------------------------------------------------------------------- */

/* A file that was just created is read when its writer closes it; a link is complete at once. */
static bool is_complete(const struct source_file *source, const struct inotify_event *event)
{
    struct stat info;
    if ((event->mask & IN_CREATE) == 0) {
        return true;
    }
    return fstatat(source->dir_fd, event->name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           (S_ISLNK(info.st_mode) || info.st_nlink > 1);
}

static void take_event(struct source_file *source, const struct inotify_event *event)
{
    const struct watch *watch = &source->watch;
    if ((event->mask & IN_Q_OVERFLOW) != 0 || watch_is_lookup(watch, event)) {
        source->read_all = true;
        return;
    }
    if (event->wd != watch->content_wd) {
        return;
    }
    if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) {
        source->read_all = true;
    } else if (event->len > 0 && (event->mask & IN_ISDIR) == 0 &&
               text_file_is_config(str_from(event->name)) && is_complete(source, event)) {
        name_list_add(&source->pending, str_from(event->name));
    }
}

/* Reads all events there are. Returns whether they ask for something. */
static bool drain(struct source_file *source)
{
    _Alignas(struct inotify_event) char buffer[EVENTS_BYTES];
    for (;;) {
        ssize_t len = read(source->watch.fd, buffer, sizeof(buffer));
        if (len <= 0) {
            if (len < 0 && errno == EINTR) {
                continue;
            }
            return source->read_all || source->pending.names.len > 0;
        }
        for (ssize_t at = 0; at < len;) {
            const struct inotify_event *event = (const void *)(buffer + at);
            take_event(source, event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
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
    struct err err;
    bool any = false;
    (void)status;
    (void)events;
    for (unsigned i = 0; i < ROUNDS_MAX && drain(source); i++) {
        any = true;
        if (source->read_all) {
            source->read_all = false;
            name_list_release(&source->pending);
            if (!read_everything(source, &err)) {
                log_at(LOG_ERROR, "source", "what was read before stays in force",
                       KV_TEXT("err", err.text));
            }
        } else {
            read_pending(source);
        }
    }
    if (any) {
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
    for (size_t i = map_next(&source->known, 0); i < source->known.cap;
         i = map_next(&source->known, i + 1)) {
        free(source->known.slots[i].value);
    }
    map_release(&source->known);
    name_list_release(&source->pending);
    watch_close(&source->watch);
    saver_release(&source->saver);
    report_release(&source->report);
    file_set_free(source->set);
    if (source->dir_fd >= 0) {
        close(source->dir_fd);
    }
    free(source->dir);
    free(source);
}

static struct source_file *new_source(const struct source_file_config *config)
{
    struct source_file *source = xcalloc(1, sizeof(*source));
    source->config = *config;
    source->dir_fd = -1;
    source->watch.fd = -1;
    struct file_set_events events = {
        .user = source, .put = on_put, .removed = on_removed, .kept = on_kept};
    source->set = file_set_new(&events);
    saver_init(&source->saver, source->set);
    return source;
}

/* Everything that can fail; no handle is open yet. */
static bool prepare(struct source_file *source, struct err *err)
{
    source->dir = absolute_path(source->config.dir, err);
    if (source->dir == NULL || !watch_open(&source->watch, err)) {
        return false;
    }
    if (source->config.state_dir.len > 0 &&
        !saver_open(&source->saver, source->config.state_dir, source->dir, err)) {
        return false;
    }
    if (!read_everything(source, err)) {
        return err_prefix(err, "config directory '%s'", source->dir);
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
    if (file_set_invalid(source->set) > 0) {
        restore(source);
    }
    uv_poll_init(config->loop, &source->poll, source->watch.fd);
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
               KV_TEXT("dir", source->dir), KV_INT("invalid", file_set_invalid(source->set)));
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
