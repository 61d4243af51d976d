/* SPDX-License-Identifier: Apache-2.0 */
/* watch: resolving a path component by component, watching each directory on the way. */
#include "source/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/panic.h"

#define LINKS_MAX 40       /* as the kernel */
#define COMPONENTS_MAX 512 /* of a path with all its links */

/* IN_ATTRIB: what could not be read, or searched, may be readable now. */
#define NAME_EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB)
#define LOOKUP_EVENTS (NAME_EVENTS | IN_CLOSE_WRITE)
/* IN_EXCL_UNLINK: a file that was removed or replaced says nothing of its name any more. */
#define CONTENT_EVENTS                                                                             \
    (NAME_EVENTS | IN_OPEN | IN_CLOSE | IN_DELETE_SELF | IN_MOVE_SELF | IN_EXCL_UNLINK)

struct watched_name {
    unsigned round; /* the last one that wanted it */
    char key[];     /* "wd/name" */
};

bool watch_open(struct watch *watch, struct err *err)
{
    *watch = (struct watch){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .content_wd = -1};
    if (watch->fd < 0) {
        return err_set_errno(err, errno, "cannot start inotify");
    }
    return true;
}

static void clear_names(struct watch *watch)
{
    for (size_t i = map_next(&watch->names, 0); i < watch->names.cap;
         i = map_next(&watch->names, i + 1)) {
        free(watch->names.slots[i].value);
    }
    map_release(&watch->names);
}

void watch_close(struct watch *watch)
{
    clear_names(watch);
    vec_release(&watch->dirs);
    if (watch->fd >= 0) {
        close(watch->fd);
    }
    watch->fd = -1;
}

void watch_begin(struct watch *watch)
{
    watch->round++;
    watch->content_wd = -1;
    watch->missed = 0;
}

static void drop_old_names(struct watch *watch)
{
    struct map kept = {.slots = NULL};
    for (size_t i = map_next(&watch->names, 0); i < watch->names.cap;
         i = map_next(&watch->names, i + 1)) {
        struct watched_name *name = watch->names.slots[i].value;
        if (name->round == watch->round) {
            map_put(&kept, watch->names.slots[i].key, name);
        } else {
            free(name);
        }
    }
    map_release(&watch->names);
    watch->names = kept;
}

void watch_end(struct watch *watch)
{
    drop_old_names(watch);
    size_t kept = 0;
    for (size_t i = 0; i < watch->dirs.len; i++) {
        struct watched_dir dir = watch->dirs.items[i];
        if (dir.round == watch->round) {
            watch->dirs.items[kept++] = dir;
        } else {
            inotify_rm_watch(watch->fd, dir.wd); /* fails when the directory is gone: as well */
        }
    }
    watch->dirs.len = kept;
}

/* Returns the watch's number, or -1 with errno. */
static int watch_dir(struct watch *watch, const char *path, uint32_t events)
{
    int wd = inotify_add_watch(watch->fd, path, events | IN_ONLYDIR | IN_MASK_ADD);
    if (wd < 0) {
        watch->missed += errno == ENOSPC ? 1 : 0;
        return -1;
    }
    for (size_t i = 0; i < watch->dirs.len; i++) {
        if (watch->dirs.items[i].wd == wd) {
            watch->dirs.items[i].round = watch->round;
            return wd;
        }
    }
    if (watch->dirs.len == WATCH_DIRS_MAX) {
        inotify_rm_watch(watch->fd, wd);
        watch->missed++;
        errno = ENOSPC;
        return -1;
    }
    vec_push(&watch->dirs, ((struct watched_dir){wd, watch->round}));
    return wd;
}

bool watch_content(struct watch *watch, const char *path, struct err *err)
{
    watch->content_wd = watch_dir(watch, path, CONTENT_EVENTS);
    return watch->content_wd >= 0 || err_set_errno(err, errno, "cannot watch '%s'", path);
}

static struct str name_key(char buffer[NAME_MAX + 16], int wd, struct str name)
{
    int len = snprintf(buffer, NAME_MAX + 16, "%d/%.*s", wd, STR_FMT(name));
    return str_span(buffer, (size_t)len);
}

static void add_lookup(struct watch *watch, const char *dir, struct str name, bool written)
{
    char buffer[NAME_MAX + 16];
    int wd = watch_dir(watch, dir, NAME_EVENTS | (written ? IN_CLOSE_WRITE : 0));
    if (wd < 0) {
        return;
    }
    struct str key = name_key(buffer, wd, name);
    struct watched_name *watched = map_get(&watch->names, key);
    if (watched == NULL) {
        watched = xcalloc(1, sizeof(*watched) + key.len + 1);
        memcpy(watched->key, key.ptr, key.len);
        map_put(&watch->names, str_span(watched->key, key.len), watched);
    }
    watched->round = watch->round;
}

bool watch_is_lookup(const struct watch *watch, const struct inotify_event *event)
{
    char buffer[NAME_MAX + 16];
    struct str name = event->len > 0 ? str_from(event->name) : STR_NULL;
    return name.len > 0 && (event->mask & LOOKUP_EVENTS) != 0 &&
           map_get(&watch->names, name_key(buffer, event->wd, name)) != NULL;
}

/* The parent of a path that has no links and no final '/'. */
static struct str parent_of(struct str path)
{
    size_t slash = str_rindex(path, '/');
    return slash == 0 || slash == path.len ? STR("/") : str_sub(path, 0, slash);
}

/* Takes one component off `rest` and follows it: `at` is the real path so far. False: the path
 * ends here, because it is complete or leads nowhere. */
static bool follow_component(struct watch *watch, struct arena *arena, struct str *at,
                             struct str *rest, unsigned *links, bool written)
{
    char target[PATH_MAX];
    struct str name = str_cut(rest, '/');
    if (name.len == 0 || str_eq(name, STR("."))) {
        return rest->ptr != NULL;
    }
    if (str_eq(name, STR(".."))) {
        *at = parent_of(*at);
        return rest->ptr != NULL;
    }
    if (name.len > NAME_MAX) {
        return false;
    }
    struct str dir = arena_str(arena, *at);
    add_lookup(watch, dir.ptr, name, written && rest->ptr == NULL);
    struct str path =
        arena_printf(arena, "%.*s/%.*s", (int)(at->len > 1 ? at->len : 0), at->ptr, STR_FMT(name));
    ssize_t len = readlink(path.ptr, target, sizeof(target));
    if (len < 0) {
        *at = path;
        return errno == EINVAL && rest->ptr != NULL; /* EINVAL: there, and no link */
    }
    if (len == 0 || (size_t)len == sizeof(target) || ++*links > LINKS_MAX) {
        return false;
    }
    struct str link = arena_str(arena, str_span(target, (size_t)len));
    *at = link.ptr[0] == '/' ? STR("/") : *at;
    *rest =
        rest->ptr == NULL ? link : arena_printf(arena, "%.*s/%.*s", STR_FMT(link), STR_FMT(*rest));
    return true;
}

void watch_follow(struct watch *watch, const char *path, bool written)
{
    ASSERT(path[0] == '/');
    struct arena arena;
    arena_init(&arena);
    struct str at = STR("/"), rest = str_from(path + 1);
    unsigned links = 0;
    for (unsigned i = 0; i < COMPONENTS_MAX; i++) {
        if (!follow_component(watch, &arena, &at, &rest, &links, written)) {
            break;
        }
    }
    arena_release(&arena);
}
