/* SPDX-License-Identifier: Apache-2.0 */
/* intercept: `heddle agent intercept`: makes or removes the rules of interception, and ends. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/ruleset.h"
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

/* Runs nft -f -; what nft has to say goes to standard error. */
static bool run_nft(const char *nft, struct str rules, struct err *err)
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

static bool write_rules(const struct options *options, struct buf *out, struct err *err)
{
    const struct ruleset ruleset = {
        .http_port = (uint32_t)options->number[O_http_port],
        .proxy_uid = (uint32_t)options->number[O_proxy_uid],
        .outbound_ports = option_text(options, O_exclude_outbound_ports),
        .outbound_cidrs = option_text(options, O_exclude_outbound_cidrs),
        .inbound_ports = option_text(options, O_exclude_inbound_ports),
        .uids = option_text(options, O_exclude_uids),
    };
    if (options->arguments.len > 0) {
        return err_set(err, "'%s' is no option; there are no other arguments",
                       options->arguments.items[0]);
    }
    if (ruleset.http_port > UINT16_MAX) {
        return err_set(err, "--http-port %u is no port", ruleset.http_port);
    }
    if (option_flag(options, O_remove)) {
        ruleset_write_removal(out);
        return true;
    }
    return ruleset_write(&ruleset, out, err);
}

static int run(const struct options *options)
{
    struct err err;
    struct buf rules;
    int code = 0;
    buf_init(&rules, RULESET_MAX);
    if (!write_rules(options, &rules, &err)) {
        code = command_fail(EXIT_USAGE, &err);
    } else if (option_flag(options, O_dry_run)) {
        printf("%.*s", STR_FMT(buf_str(&rules)));
    } else if (!run_nft(options->text[O_nft], buf_str(&rules), &err)) {
        code = command_fail(EXIT_ENVIRONMENT, &err);
    }
    buf_release(&rules);
    return code;
}

const struct command command_intercept = {
    .name = "agent intercept",
    .bit = CMD_INTERCEPT,
    .arguments = "[options]",
    .summary = "make the rules by which a pod's connections go through its sidecar",
    .details =
        "Needs the capability NET_ADMIN in the pod's network namespace, and the program nft.\n"
        "Replaces rules that are there; --remove takes them away.\n",
    .run = run,
};
