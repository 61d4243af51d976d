/* SPDX-License-Identifier: Apache-2.0 */
/* source_paths: the files that a command was given, read once. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/doc.h"
#include "source/source_file.h"
#include "source/text_file.h"

#define READ_BUFFER_MAX ((size_t)DOC_BYTES_MAX * 2)

/* A file that is there but cannot be taken is said to be unreadable; that is no failure. */
static bool read_one(const struct source_reader *reader, int dir_fd, const char *name,
                     const char *shown, struct err *err)
{
    struct buf text;
    buf_init(&text, READ_BUFFER_MAX);
    enum text_file_result result = text_file_read(dir_fd, name, true, &text, err);
    if (result == TEXT_FILE_OK) {
        reader->text(reader->user, str_from(shown), buf_str(&text));
    } else if (result != TEXT_FILE_GONE) {
        reader->unreadable(reader->user, str_from(shown), str_from(err->text));
    }
    buf_release(&text);
    return result != TEXT_FILE_GONE || err_set(err, "there is no file '%s'", shown);
}

static bool read_dir(const struct source_reader *reader, int dir_fd, const char *path,
                     struct err *err)
{
    struct name_list names;
    bool ok = name_list_read(&names, dir_fd, SOURCE_FILES_MAX, err);
    size_t len = strlen(path);
    const char *slash = len > 0 && path[len - 1] == '/' ? "" : "/";
    for (size_t i = 0; ok && i < names.names.len; i++) {
        char shown[PATH_MAX];
        int written = snprintf(shown, sizeof(shown), "%s%s%s", path, slash, names.names.items[i]);
        if (written < 0 || (size_t)written >= sizeof(shown)) {
            ok = err_set(err, "the path is too long");
            break;
        }
        struct err ignored; /* a directory named like a file, or one that is gone already */
        read_one(reader, dir_fd, names.names.items[i], shown, &ignored);
    }
    if (ok && names.cut) {
        ok = err_set(err, "there are more than %d files", SOURCE_FILES_MAX);
    }
    name_list_release(&names);
    return ok || err_prefix(err, "directory '%s'", path);
}

bool source_file_read_each(const struct source_reader *reader, const char *const *paths,
                           unsigned npaths, struct err *err)
{
    for (unsigned i = 0; i < npaths; i++) {
        int fd = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool ok;
        if (fd >= 0) {
            ok = read_dir(reader, fd, paths[i], err);
            close(fd);
        } else if (errno == ENOTDIR) {
            ok = read_one(reader, AT_FDCWD, paths[i], paths[i], err);
        } else {
            ok = err_set_errno(err, errno, "cannot open '%s'", paths[i]);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static void set_text(void *user, struct str name, struct str text)
{
    file_set_update(user, name, text);
}

static void set_unreadable(void *user, struct str name, struct str reason)
{
    file_set_unreadable(user, name, reason);
}

bool source_file_read_paths(struct file_set *set, const char *const *paths, unsigned npaths,
                            struct err *err)
{
    const struct source_reader reader = {set, set_text, set_unreadable};
    if (!source_file_read_each(&reader, paths, npaths, err)) {
        return false;
    }
    file_set_settle(set);
    return true;
}
