/* SPDX-License-Identifier: Apache-2.0 */
/* main: which command. */
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "app/daemon.h"
#include "cli/commands.h"

static const struct command *const commands[] = {
    &command_serve,       &command_bootstrap, &command_check,   &command_translate,
    &command_proxies,     &command_dump,      &command_why,     &command_plan,
    &command_intercept,   &command_sidecar,   &command_gateway, &command_proxyless,
    &command_cni_install, &command_cni_check, &command_cni,     &command_inject,
    &command_docs,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *to, int code)
{
    fprintf(to, "heddle %s: a service mesh control plane for the Kubernetes Gateway API\n\n",
            HEDDLE_VERSION);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(to, "    heddle %-16s %s\n", commands[i]->name, commands[i]->summary);
    }
    fprintf(to, "\nheddle COMMAND --help tells more.\n");
    return code;
}

static int help(const struct command *command)
{
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    options_help(command->bit, &out);
    printf("heddle %s %s\n\n%s\n\n%s\noptions:\n%.*s", command->name, command->arguments,
           command->summary, command->details, STR_FMT(buf_str(&out)));
    buf_release(&out);
    return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct err err;
    struct options options;
    int code;
    if (!options_parse(&options, command->bit, argc, argv, &err)) {
        err_prefix(&err, "%s", command->name);
        code = command_fail(EXIT_USAGE, &err);
    } else if (options.help) {
        code = help(command);
    } else {
        code = command->run(&options);
    }
    options_release(&options);
    return code;
}

/* How many of the arguments are the command's name, which may be of two words; 0: another's. */
static int named(const struct command *command, int argc, char **argv)
{
    struct str rest = str_from(command->name);
    int used = 0;
    while (rest.len > 0) {
        struct str word = str_cut(&rest, ' ');
        if (used >= argc || !str_eq(word, str_from(argv[used]))) {
            return 0;
        }
        used++;
    }
    return used;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        return usage(stdout, argc > 1 ? 0 : EXIT_USAGE);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        printf("heddle %s\n", HEDDLE_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        int used = named(commands[i], argc - 1, argv + 1);
        if (used > 0) {
            return run(commands[i], argc - 1 - used, argv + 1 + used);
        }
    }
    fprintf(stderr, "heddle: no command '%s'\n\n", name);
    return usage(stderr, EXIT_USAGE);
}
