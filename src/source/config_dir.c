/* SPDX-License-Identifier: Apache-2.0 */
/* config_dir: which files are there, which of them are read, and when is that tried again? */
#include "source/config_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/panic.h"
#include "codec/doc.h"

#define ROUNDS_MAX 64 /* of reading events in one turn, so that a busy writer cannot starve it */
/* Files read between two looks at inotify. Each read makes two events, of 16,384 that the kernel
 * keeps by default. */
#define READS_MAX 1024
#define READ_BUFFER_MAX ((size_t)DOC_BYTES_MAX * 2)

struct known_file {
    size_t size;
    unsigned round; /* the last full reading that saw it */
    bool failed;    /* reading it failed, though it may be read */
    char name[];
};

/* --- reading a file ------------------------------------------------------------------------ */

static struct known_file *know(struct config_dir *dir, const char *name)
{
    struct known_file *known = map_get(&dir->known, str_from(name));
    if (known == NULL && dir->known.len < dir->files_max) {
        size_t len = strlen(name);
        known = xcalloc(1, sizeof(*known) + len + 1);
        memcpy(known->name, name, len);
        map_put(&dir->known, str_from(known->name), known);
    }
    return known;
}

static void forget(struct config_dir *dir, const char *name)
{
    struct known_file *known = map_get(&dir->known, str_from(name));
    if (known != NULL) {
        file_set_remove(dir->set, str_from(name));
        saver_add(dir->saver, str_from(name));
        dir->bytes -= known->size;
        map_remove(&dir->known, str_from(name));
        free(known);
    }
}

/* The directory has a file that nobody reads: what vanishes meanwhile may be in there. */
static void hide(struct config_dir *dir, const char *name)
{
    struct err err;
    err_set(&err, "the directory has more than %zu files; not all of them are read",
            dir->files_max);
    dir->hidden = true;
    file_set_directory(dir->set, str_from(err.text), "put more objects into one file",
                       !dir->retrying);
    if (name != NULL) {
        log_at(LOG_WARN, "source", "a file is not read", KV_TEXT("file", name));
    }
}

static enum text_file_result open_and_read(struct config_dir *dir, const char *name,
                                           struct buf *text, struct err *err)
{
    enum text_file_result result = text_file_read(dir->fd, name, false, text, err);
    if (result != TEXT_FILE_LINK) {
        return result;
    }
    struct buf path;
    buf_init(&path, PATH_MAX);
    buf_printf(&path, "%s/%s", dir->path, name);
    buf_add_byte(&path, '\0');
    if (buf_ok(&path)) { /* first watch, then read, so that no change is missed */
        watch_follow(&dir->watch, (const char *)path.data, true);
    }
    buf_release(&path);
    return text_file_read(dir->fd, name, true, text, err);
}

static void take_text(struct config_dir *dir, struct known_file *known,
                      enum text_file_result result, struct str text, struct err *err)
{
    struct str name = str_from(known->name);
    size_t others = dir->bytes - known->size;
    if (result == TEXT_FILE_OK && others + text.len > dir->bytes_max) {
        err_set(err, "the files of the directory have more than %zu bytes in all", dir->bytes_max);
        dir->heavy = true;
        result = TEXT_FILE_UNREADABLE;
    }
    known->failed = result == TEXT_FILE_FAILED;
    dir->failed |= known->failed;
    if (result == TEXT_FILE_OK) {
        known->size = text.len;
        dir->bytes = others + text.len;
        file_set_update(dir->set, name, text);
    } else {
        file_set_unreadable(dir->set, name, str_from(err->text));
    }
    saver_add(dir->saver, name);
}

/* Returns false when the file is not there. */
static bool read_file(struct config_dir *dir, const char *name)
{
    struct buf text;
    struct err err;
    buf_init(&text, READ_BUFFER_MAX);
    enum text_file_result result = open_and_read(dir, name, &text, &err);
    struct known_file *known = result == TEXT_FILE_GONE ? NULL : know(dir, name);
    if (known != NULL) {
        known->round = dir->round;
        take_text(dir, known, result, buf_str(&text), &err);
    } else if (result != TEXT_FILE_GONE) {
        hide(dir, name);
    }
    buf_release(&text);
    return result != TEXT_FILE_GONE;
}

/* A file that is being written is left as it was until it is complete. */
static void read_or_forget(struct config_dir *dir, const char *name)
{
    if (!changes_is_young(&dir->changes, str_from(name)) && !read_file(dir, name)) {
        forget(dir, name);
    }
}

/* --- reading all of them ------------------------------------------------------------------- */

/* Takes over the directory's present entries, wherever its path leads now. */
static bool open_dir(struct config_dir *dir, struct err *err)
{
    int before = dir->watch.content_wd;
    watch_begin(&dir->watch);
    watch_follow(&dir->watch, dir->path, false);
    bool watched = watch_content(&dir->watch, dir->path, err);
    int fd = watched ? open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (watched && fd < 0) {
        err_set_errno(err, errno, "cannot open '%s'", dir->path);
    }
    if (dir->fd >= 0) {
        close(dir->fd);
    }
    dir->fd = fd;
    if (dir->watch.content_wd != before) {
        changes_forget_young(&dir->changes);
    }
    return fd >= 0;
}

/* The files that are known, but not in the list: in a fixed order. */
static void find_unlisted(struct config_dir *dir, const struct name_list *listed,
                          struct name_list *ret_names)
{
    for (size_t i = 0; i < listed->names.len; i++) {
        struct known_file *known = map_get(&dir->known, str_from(listed->names.items[i]));
        if (known != NULL) {
            known->round = dir->round;
        }
    }
    for (size_t i = map_next(&dir->known, 0); i < dir->known.cap;
         i = map_next(&dir->known, i + 1)) {
        const struct known_file *known = dir->known.slots[i].value;
        if (known->round != dir->round) {
            name_list_add(ret_names, str_from(known->name));
        }
    }
    name_list_sort(ret_names);
}

/* First makes room for new files. */
static void read_listed(struct config_dir *dir, const struct name_list *listed)
{
    struct name_list others = {.cut = false};
    dir->hidden = dir->heavy = false;
    find_unlisted(dir, listed, &others);
    for (size_t i = 0; i < others.names.len; i++) {
        const char *name = others.names.items[i];
        if (!listed->cut || !read_file(dir, name)) {
            forget(dir, name);
        }
    }
    for (size_t i = 0; i < listed->names.len; i++) {
        if (i % READS_MAX == 0) {
            changes_take(&dir->changes, &dir->watch, dir->fd);
        }
        read_or_forget(dir, listed->names.items[i]);
    }
    if (listed->cut && !dir->hidden) {
        hide(dir, NULL);
    }
    name_list_release(&others);
}

static void set_trouble(struct config_dir *dir, struct str reason, const char *remedy)
{
    if (reason.len > 0 || !file_set_directory_ok(dir->set)) {
        file_set_directory(dir->set, reason, remedy, false);
        saver_add(dir->saver, STR(FILE_SET_DIRECTORY));
    }
}

/* A directory that cannot be read leaves everything in force: it may be on its way back. */
bool config_dir_read_all(struct config_dir *dir, struct err *err)
{
    struct name_list names = {.cut = false};
    dir->round++;
    dir->changes.all = false;
    name_list_release(&dir->changes.names);
    bool ok = open_dir(dir, err) && name_list_read(&names, dir->fd, dir->files_max, err);
    dir->stale = !ok;
    if (ok) {
        read_listed(dir, &names);
        watch_end(&dir->watch);
    } else {
        set_trouble(dir, str_from(err->text),
                    "make it a directory that can be read; what was read before stays in force");
    }
    if (ok && !dir->hidden) {
        set_trouble(dir, STR_NULL, NULL);
    }
    if (dir->watch.missed > 0) {
        log_at(LOG_WARN, "source",
               "not everything that the config directory depends on can be watched: changes may "
               "be missed",
               KV_INT("directories", dir->watch.missed));
    }
    name_list_release(&names);
    return ok;
}

/* --- following ----------------------------------------------------------------------------- */

/* Has the files read again whose reading failed. */
static void add_failed(struct config_dir *dir)
{
    for (size_t i = map_next(&dir->known, 0); dir->failed && i < dir->known.cap;
         i = map_next(&dir->known, i + 1)) {
        const struct known_file *known = dir->known.slots[i].value;
        if (known->failed) {
            name_list_add(&dir->changes.names, str_from(known->name));
        }
    }
    dir->failed = false;
}

static void read_names(struct config_dir *dir)
{
    struct name_list names = dir->changes.names;
    struct err err;
    size_t files = dir->known.len, bytes = dir->bytes;
    dir->changes.names = (struct name_list){.cut = false};
    name_list_sort(&names);
    for (size_t i = 0; i < names.names.len; i++) {
        read_or_forget(dir, names.names.items[i]);
    }
    name_list_release(&names);
    if ((dir->hidden && dir->known.len < files) || (dir->heavy && dir->bytes < bytes)) {
        dir->retrying = true;
        config_dir_read_all(dir, &err);
        dir->retrying = false;
    }
}

bool config_dir_follow(struct config_dir *dir)
{
    struct err err;
    bool any = false;
    for (unsigned i = 0; i < ROUNDS_MAX && changes_take(&dir->changes, &dir->watch, dir->fd); i++) {
        if (!any) {
            add_failed(dir);
        }
        any = true;
        if (dir->changes.all || dir->stale) {
            config_dir_read_all(dir, &err);
        } else {
            read_names(dir);
        }
    }
    return any;
}

/* --- life ---------------------------------------------------------------------------------- */

bool config_dir_open(struct config_dir *dir, char *path, struct err *err)
{
    dir->path = path;
    dir->fd = -1;
    return watch_open(&dir->watch, err);
}

void config_dir_close(struct config_dir *dir)
{
    for (size_t i = map_next(&dir->known, 0); i < dir->known.cap;
         i = map_next(&dir->known, i + 1)) {
        free(dir->known.slots[i].value);
    }
    map_release(&dir->known);
    changes_release(&dir->changes);
    watch_close(&dir->watch);
    if (dir->fd >= 0) {
        close(dir->fd);
    }
    free(dir->path);
}
