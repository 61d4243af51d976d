/* SPDX-License-Identifier: Apache-2.0 */
/*
 * closure: see closure.h.
 *
 * The dynamic linker itself is asked, as ldd does: with LD_TRACE_LOADED_OBJECTS it tells what it
 * loads in place of starting the program (ld.so(8)).
 *
 *     libuv.so.1 => /lib/x86_64-linux-gnu/libuv.so.1 (0x00007f…)
 *     /lib64/ld-linux-x86-64.so.2 (0x00007f…)
 */
#include "agent/closure.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/panic.h"
#include "kube/file.h"

#define LISTING_MAX 65536

static bool run_to(int fd, const char *program, struct err *err)
{
    char *const argv[] = {(char *)(uintptr_t)program, NULL};
    char trace[] = "LD_TRACE_LOADED_OBJECTS=1";
    char *const environment[] = {trace, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = 0;
    ASSERT(posix_spawn_file_actions_init(&actions) == 0);
    ASSERT(posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO) == 0);
    int failed = posix_spawn(&pid, program, &actions, NULL, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        return err_set_errno(err, failed, "ask for the libraries of '%s'", program);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           err_set(err, "the dynamic linker does not tell the libraries of '%s'", program);
}

static bool list(const char *program, struct buf *ret_text, struct err *err)
{
    char path[64];
    int fd = memfd_create("libraries", MFD_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, errno, "hold a list of libraries in memory");
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    bool ok = run_to(fd, program, err) && kube_file_read(path, ret_text, err);
    close(fd);
    return ok;
}

static bool visit_line(struct str line, closure_visit *visit, void *user, struct err *err)
{
    char path[PATH_MAX];
    struct str rest = str_trim(line);
    struct str name = str_cut(&rest, ' ');
    bool linker = name.len > 0 && name.ptr[0] == '/';
    if (str_cut_start(&rest, STR("=> "))) {
        struct str where = str_cut(&rest, ' ');
        if (where.len == 0 || where.ptr[0] != '/') {
            return err_set(err, "library '%.*s' is missing", STR_FMT(name));
        }
        snprintf(path, sizeof(path), "%.*s", STR_FMT(where));
    } else if (linker) {
        snprintf(path, sizeof(path), "%.*s", STR_FMT(name));
    } else {
        return true; /* the kernel's own, which is no file */
    }
    return visit(user, name, path, linker, err);
}

bool closure_walk(const char *program, closure_visit *visit, void *user, struct err *err)
{
    struct buf text;
    buf_init(&text, LISTING_MAX);
    bool ok = list(program, &text, err);
    struct str rest = buf_str(&text);
    while (ok && rest.len > 0) {
        ok = visit_line(str_cut(&rest, '\n'), visit, user, err);
    }
    buf_release(&text);
    return ok;
}
