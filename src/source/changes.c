/* SPDX-License-Identifier: Apache-2.0 */
/* changes: from events to names; which new files are complete. */
#include "source/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/panic.h"

#define EVENTS_BYTES 65536

struct young {
    unsigned opens; /* by how many it is open now, as far as events tell */
    bool filled;    /* it has contents that nobody writes, unless an IN_OPEN is on its way */
    char name[];
};

/* --- young files --------------------------------------------------------------------------- */

void changes_forget_young(struct changes *changes)
{
    for (size_t i = map_next(&changes->young, 0); i < changes->young.cap;
         i = map_next(&changes->young, i + 1)) {
        free(changes->young.slots[i].value);
    }
    map_release(&changes->young);
}

void changes_release(struct changes *changes)
{
    changes_forget_young(changes);
    name_list_release(&changes->names);
}

bool changes_is_young(const struct changes *changes, struct str name)
{
    return map_get(&changes->young, name) != NULL;
}

static void appear(struct changes *changes, struct str name)
{
    if (changes->young.len >= YOUNG_MAX) {
        name_list_add(&changes->names, name);
        return;
    }
    struct young *young = xcalloc(1, sizeof(*young) + name.len + 1);
    memcpy(young->name, name.ptr, name.len);
    free(map_put(&changes->young, str_span(young->name, name.len), young));
}

/* It is to be read, whatever it was before. */
static void complete(struct changes *changes, struct str name)
{
    name_list_add(&changes->names, name);
    free(map_remove(&changes->young, name));
}

static void open_or_close(struct changes *changes, uint32_t mask, struct str name)
{
    struct young *young = map_get(&changes->young, name);
    if (young == NULL) {
        return;
    }
    if ((mask & IN_OPEN) != 0) {
        young->opens++;
    } else if (young->opens > 0 && --young->opens == 0) {
        complete(changes, name); /* whoever had it open only read it */
    }
}

/* Links are complete; so is a file with contents that has not been opened since it appeared, for
 * who wrote them here must have opened it before. What is empty says nothing: no need to know. */
static bool is_filled(int dir_fd, const char *name)
{
    struct stat info;
    return fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           (!S_ISREG(info.st_mode) || info.st_size > 0 || info.st_nlink > 1);
}

static bool find_filled(struct changes *changes, int dir_fd)
{
    bool any = false;
    for (size_t i = map_next(&changes->young, 0); i < changes->young.cap;
         i = map_next(&changes->young, i + 1)) {
        struct young *young = changes->young.slots[i].value;
        young->filled = young->opens == 0 && is_filled(dir_fd, young->name);
        any |= young->filled;
    }
    return any;
}

static void complete_filled(struct changes *changes)
{
    struct name_list filled = {.cut = false};
    for (size_t i = map_next(&changes->young, 0); i < changes->young.cap;
         i = map_next(&changes->young, i + 1)) {
        const struct young *young = changes->young.slots[i].value;
        if (young->filled && young->opens == 0) {
            name_list_add(&filled, str_from(young->name));
        }
    }
    for (size_t i = 0; i < filled.names.len; i++) {
        complete(changes, str_from(filled.names.items[i]));
    }
    name_list_release(&filled);
}

/* --- events -------------------------------------------------------------------------------- */

static void take_name(struct changes *changes, uint32_t mask, struct str name)
{
    if ((mask & (IN_OPEN | IN_CLOSE_NOWRITE)) != 0) {
        open_or_close(changes, mask, name);
    } else if ((mask & IN_CREATE) != 0) {
        appear(changes, name);
    } else if ((mask & IN_ATTRIB) == 0 || !changes_is_young(changes, name)) {
        complete(changes, name);
    }
}

static void take_event(struct changes *changes, const struct watch *watch,
                       const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        changes->all = true;
        changes_forget_young(changes); /* nobody knows who has closed what */
        return;
    }
    changes->all |= watch_is_lookup(watch, event);
    if (event->wd != watch->content_wd) {
        return;
    }
    struct str name = event->len > 0 ? str_from(event->name) : STR_NULL;
    if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0 ||
        (name.len == 0 && (event->mask & IN_ATTRIB) != 0)) {
        changes->all = true;
    } else if (name.len > 0 && (event->mask & IN_ISDIR) == 0 && text_file_is_config(name)) {
        take_name(changes, event->mask, name);
    }
}

static void drain(struct changes *changes, const struct watch *watch)
{
    _Alignas(struct inotify_event) char buffer[EVENTS_BYTES];
    for (;;) {
        ssize_t len = read(watch->fd, buffer, sizeof(buffer));
        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len <= 0) {
            return;
        }
        for (ssize_t at = 0; at < len;) {
            const struct inotify_event *event = (const void *)(buffer + at);
            take_event(changes, watch, event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
}

bool changes_take(struct changes *changes, const struct watch *watch, int dir_fd)
{
    drain(changes, watch);
    if (changes->young.len > 0 && find_filled(changes, dir_fd)) {
        drain(changes, watch); /* an IN_OPEN that came before the contents is there by now */
        complete_filled(changes);
    }
    return changes->all || changes->names.names.len > 0;
}
