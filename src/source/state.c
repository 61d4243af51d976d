/* SPDX-License-Identifier: Apache-2.0 */
/* state: files of last good objects, under names made from those of the config files. */
#include "source/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/panic.h"
#include "codec/hash.h"
#include "source/text_file.h"

#define NAME_SHOWN_MAX 200 /* bytes of the config file's name that the state file's begins with */
#define STATE_NAME_MAX 256
#define STATE_PATH_MAX 4096

/* mkdir -p */
static bool make_dirs(const char *dir)
{
    char path[STATE_PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s", dir);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            mkdir(path, 0700); /* what matters is whether the whole path exists in the end */
            *at = '/';
        }
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

bool state_open(struct state *state, const char *dir, const char *config_path, struct err *err)
{
    *state = (struct state){.fd = -1};
    if (!make_dirs(dir)) {
        return err_set_errno(
            err, errno, "cannot make the state directory '%s' (--state names another, or 'none')",
            dir);
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, errno, "cannot open the state directory '%s'", dir);
    }
    state->fd = fd;
    state->config_path = xstrdup(config_path);
    return true;
}

void state_close(struct state *state)
{
    if (state->fd >= 0) {
        close(state->fd);
        free(state->config_path);
    }
    *state = (struct state){.fd = -1};
}

/* "a.yaml-0123456789abcdef.json" */
static void state_name(const struct state *state, struct str name, const char *suffix,
                       char ret_name[STATE_NAME_MAX])
{
    char text[HASH_TEXT_LEN];
    struct hash hash = hash_mix(hash_bytes(str_from(state->config_path)), hash_bytes(name));
    hash_text(hash, text);
    snprintf(ret_name, STATE_NAME_MAX, "%.*s-%s%s",
             (int)(name.len < NAME_SHOWN_MAX ? name.len : NAME_SHOWN_MAX), name.ptr, text, suffix);
}

bool state_load(const struct state *state, struct str name, struct buf *ret_text)
{
    char path[STATE_NAME_MAX];
    if (state->fd < 0) {
        return false;
    }
    state_name(state, name, ".json", path);
    return text_file_read(state->fd, path, false, ret_text, NULL) == TEXT_FILE_OK;
}

static bool write_all(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t done = write(fd, text.ptr, text.len);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        text = str_sub(text, done > 0 ? (size_t)done : 0, text.len);
    }
    return true;
}

bool state_save(const struct state *state, struct str name, struct str text, struct err *err)
{
    char path[STATE_NAME_MAX], temporary[STATE_NAME_MAX];
    if (state->fd < 0) {
        return true;
    }
    state_name(state, name, ".json", path);
    state_name(state, name, ".new", temporary);
    int fd =
        openat(state->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return err_set_errno(err, errno, "cannot write the state of '%.*s'", STR_FMT(name));
    }
    bool written = write_all(fd, text);
    written = close(fd) == 0 && written;
    if (!written || renameat(state->fd, temporary, state->fd, path) != 0) {
        err_set_errno(err, errno, "cannot write the state of '%.*s'", STR_FMT(name));
        unlinkat(state->fd, temporary, 0);
        return false;
    }
    return true;
}

void state_remove(const struct state *state, struct str name)
{
    char path[STATE_NAME_MAX];
    if (state->fd >= 0) {
        state_name(state, name, ".json", path);
        unlinkat(state->fd, path, 0);
    }
}
