/* SPDX-License-Identifier: Apache-2.0 */
/* file: reading a small file, and again when it changed. */
#include "kube/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool read_all(int fd, struct buf *text)
{
    for (;;) {
        size_t left = text->max - text->len, step = left < 16384 ? left : 16384;
        uint8_t *room = buf_reserve(text, step != 0 ? step : 1);
        if (room == NULL) {
            errno = EFBIG;
            return false;
        }
        ssize_t len = read(fd, room, step);
        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len <= 0) {
            return len == 0;
        }
        buf_commit(text, (size_t)len);
    }
}

bool kube_file_read(const char *path, struct buf *ret_text, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, errno, "cannot read '%s'", path);
    }
    bool good = read_all(fd, ret_text);
    int why = errno;
    close(fd);
    errno = why;
    return good || err_set_errno(err, why, "cannot read '%s'", path);
}

void kube_file_init(struct kube_file *file, const char *path)
{
    *file = (struct kube_file){.path = path};
    buf_init(&file->text, KUBE_FILE_MAX);
}

void kube_file_release(struct kube_file *file)
{
    if (file->text.data != NULL) {
        explicit_bzero(file->text.data, file->text.len);
    }
    buf_release(&file->text);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

bool kube_file_refresh(struct kube_file *file, bool *ret_changed, struct err *err)
{
    struct stat now;
    *ret_changed = false;
    if (stat(file->path, &now) != 0) {
        return err_set_errno(err, errno, "cannot read '%s'", file->path);
    }
    if (same_file(&now, &file->seen)) {
        return true;
    }
    struct buf text;
    buf_init(&text, KUBE_FILE_MAX);
    if (!kube_file_read(file->path, &text, err)) {
        buf_release(&text);
        return false;
    }
    *ret_changed = !str_eq(buf_str(&text), buf_str(&file->text));
    kube_file_release(file);
    file->text = text;
    file->seen = now;
    return true;
}
