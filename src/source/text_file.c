/* SPDX-License-Identifier: Apache-2.0 */
/* text_file: which files does a directory hold for us, and what is in one? */
#include "source/text_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/doc.h"

#define READ_CHUNK 65536

bool text_file_is_config(struct str name)
{
    return !str_starts_with(name, STR(".")) &&
           (str_ends_with(name, STR(".yaml")) || str_ends_with(name, STR(".yml")) ||
            str_ends_with(name, STR(".json")));
}

static enum text_file_result read_all(int fd, struct buf *out, struct err *err)
{
    size_t begin = out->len;
    for (;;) {
        uint8_t *room = buf_reserve(out, READ_CHUNK);
        if (room == NULL || out->len - begin > DOC_BYTES_MAX) {
            err_set(err, "the file is larger than %u bytes", DOC_BYTES_MAX);
            return TEXT_FILE_UNREADABLE;
        }
        ssize_t got = read(fd, room, READ_CHUNK);
        if (got < 0 && errno != EINTR) {
            err_set_errno(err, errno, "the file cannot be read");
            return TEXT_FILE_FAILED;
        }
        if (got == 0) {
            return TEXT_FILE_OK;
        }
        buf_commit(out, got > 0 ? (size_t)got : 0);
    }
}

enum text_file_result text_file_read(int dir_fd, const char *name, bool follow, struct buf *out,
                                     struct err *err)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW);
    int fd = openat(dir_fd, name, flags);
    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ENXIO) {
            return TEXT_FILE_GONE;
        }
        if (errno == ELOOP && !follow) {
            return TEXT_FILE_LINK;
        }
        bool lasting = errno == EACCES || errno == EPERM || errno == ELOOP;
        err_set_errno(err, errno, "the file cannot be opened");
        return lasting ? TEXT_FILE_UNREADABLE : TEXT_FILE_FAILED;
    }
    struct stat info;
    enum text_file_result result = TEXT_FILE_GONE;
    if (fstat(fd, &info) != 0) {
        err_set_errno(err, errno, "the file cannot be looked at");
        result = TEXT_FILE_FAILED;
    } else if (S_ISREG(info.st_mode)) {
        result = read_all(fd, out, err);
    }
    close(fd);
    return result;
}

void name_list_add(struct name_list *list, struct str name)
{
    vec_push(&list->names, str_dup(name));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void name_list_sort(struct name_list *list)
{
    if (list->names.len < 2) {
        return;
    }
    char **names = list->names.items;
    qsort(names, list->names.len, sizeof(names[0]), compare_names);
    size_t kept = 1;
    for (size_t i = 1; i < list->names.len; i++) {
        if (strcmp(names[i], names[kept - 1]) == 0) {
            free(names[i]);
        } else {
            names[kept++] = names[i];
        }
    }
    list->names.len = kept;
}

static void cut_to(struct name_list *list, size_t max)
{
    name_list_sort(list);
    while (list->names.len > max) {
        list->cut = true;
        free(vec_pop(&list->names));
    }
}

/* More than `max` names are held at times, so that those that are kept in the end do not depend on
 * the order in which the file system has them. */
static bool read_names(struct name_list *list, DIR *dir, size_t max, struct err *err)
{
    for (;;) {
        errno = 0; /* the one way to tell a failure from the end */
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            break;
        }
        if (text_file_is_config(str_from(entry->d_name))) {
            name_list_add(list, str_from(entry->d_name));
        }
        if (list->names.len == 2 * max) {
            cut_to(list, max);
        }
    }
    if (errno != 0) {
        return err_set_errno(err, errno, "the directory cannot be read to its end");
    }
    cut_to(list, max);
    return true;
}

bool name_list_read(struct name_list *list, int dir_fd, size_t max, struct err *err)
{
    *list = (struct name_list){.cut = false};
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        err_set_errno(err, errno, "the directory cannot be read");
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    bool ok = read_names(list, dir, max, err);
    closedir(dir);
    return ok;
}

void name_list_release(struct name_list *list)
{
    for (size_t i = 0; i < list->names.len; i++) {
        free(list->names.items[i]);
    }
    vec_release(&list->names);
}
