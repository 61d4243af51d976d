/* SPDX-License-Identifier: Apache-2.0 */
/* file: see file.h. */
#include "agent/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0755

static void make_folder(const char *path)
{
    struct str whole = str_from(path);
    size_t slash = str_rindex(whole, '/');
    char folder[PATH_MAX];
    if (slash > 0 && slash < whole.len && slash < sizeof(folder)) {
        snprintf(folder, sizeof(folder), "%.*s", (int)slash, path);
        (void)mkdir(folder, FOLDER_MODE); /* what is wrong with it, the file tells */
    }
}

static bool write_all(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t done = write(fd, text.ptr, text.len);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        text = str_sub(text, done < 0 ? 0 : (size_t)done, text.len);
    }
    return true;
}

bool file_replace(const char *path, mode_t mode, struct str text, struct err *err)
{
    char fresh[PATH_MAX];
    if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh)) {
        return err_set(err, "write '%s': the name is too long", path);
    }
    make_folder(path);
    (void)unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return err_set_errno(err, errno, "write '%s'", path);
    }
    /* The mask of the process does not count: an application of another user reads the file. */
    bool ok = write_all(fd, text) && fchmod(fd, mode) == 0;
    ok = close(fd) == 0 && ok && rename(fresh, path) == 0;
    if (!ok) {
        err_set_errno(err, errno, "write '%s'", path);
        (void)unlink(fresh);
    }
    return ok;
}
