/* SPDX-License-Identifier: Apache-2.0 */
/* nft: see nft.h. */
#include "agent/nft.h"

#include <errno.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/panic.h"

extern char **environ;

/* A file without a name: unlike a pipe it holds all of the text before anybody reads. */
static int file_of(struct str text, struct err *err)
{
    int fd = memfd_create("ruleset", MFD_CLOEXEC);
    if (fd < 0 || write(fd, text.ptr, text.len) != (ssize_t)text.len ||
        lseek(fd, 0, SEEK_SET) != 0) {
        err_set_errno(err, errno, "hold the rules in memory");
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

bool nft_apply(const char *nft, struct str rules, struct err *err)
{
    char file[] = "-f", from[] = "-";
    char *const argv[] = {(char *)(uintptr_t)nft, file, from, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = 0;
    int fd = file_of(rules, err);
    if (fd < 0) {
        return false;
    }
    ASSERT(posix_spawn_file_actions_init(&actions) == 0);
    ASSERT(posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO) == 0);
    int failed = posix_spawnp(&pid, nft, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fd);
    if (failed != 0) {
        return err_set_errno(err, failed,
                             "run '%s' (Debian's package nftables; the image of heddle's proxy has "
                             "it; --nft names another)",
                             nft);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return err_set(err,
                       "'%s' did not take the rules, and nothing has changed; it needs the "
                       "capability NET_ADMIN and a kernel with nf_tables",
                       nft);
    }
    return true;
}
