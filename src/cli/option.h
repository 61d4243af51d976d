/* SPDX-License-Identifier: Apache-2.0 */
/* option: what a command was asked for. All options stand in option.def. Immutable once parsed. */
#ifndef HEDDLE_CLI_OPTION_H
#define HEDDLE_CLI_OPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define OPTION_ARGUMENTS_MAX 4096 /* positional arguments, and values of one list */

#define OPTION_NUMBER_MAX 2147483647u /* every number fits its limit, and sums of two do */

enum command_bit {
    CMD_SERVE = 1 << 0,
    CMD_CHECK = 1 << 1,
    CMD_TRANSLATE = 1 << 2,
    CMD_BOOTSTRAP = 1 << 3,
    CMD_PROXIES = 1 << 4,
    CMD_DUMP = 1 << 5,
    CMD_DOCS = 1 << 6,
    CMD_WHY = 1 << 7,
    CMD_PLAN = 1 << 8,
    CMD_INTERCEPT = 1 << 9,
    CMD_SIDECAR = 1 << 10,
    CMD_PROXYLESS = 1 << 11,
    CMD_INJECT = 1 << 12,
    CMD_CNI = 1 << 13,
    CMD_CNI_INSTALL = 1 << 14,
    CMD_CNI_CHECK = 1 << 15,
    CMD_GATEWAY = 1 << 16,
    CMD_ENVOY = CMD_SIDECAR | CMD_GATEWAY,
    CMD_AGENT = CMD_ENVOY | CMD_PROXYLESS
};

enum option_id {
#define OPTION(id, name, type, argument, fallback, commands, help) O_##id,
#include "cli/option.def"
#undef OPTION
    OPTION_COUNT
};

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_LIST, OPTION_NUMBER };

struct option_info {
    const char *name;
    enum option_type type;
    const char *argument;
    const char *fallback;
    unsigned commands;
    const char *help;
};
const struct option_info *option_info(enum option_id id);

struct option_values {
    const char **items;
    unsigned len;
};

struct options {
    const char *text[OPTION_COUNT]; /* NULL: not given and no default */
    bool given[OPTION_COUNT];
    uint64_t number[OPTION_COUNT];
    struct option_values lists[OPTION_COUNT];
    bool listed[OPTION_COUNT];      /* the command line's values, in place of the environment's */
    struct option_values arguments; /* positional */
    bool help;
};

/* argv without the command's own name. Texts point into argv and the environment. */
bool options_parse(struct options *options, enum command_bit command, int argc, char **argv,
                   struct err *err);
void options_release(struct options *options);

struct str option_text(const struct options *options, enum option_id id);
bool option_flag(const struct options *options, enum option_id id);
/* Whether the output is to be JSON. */
bool option_json(const struct options *options);
/* "  --config DIR    Directory of …", for each option of the command. */
void options_help(enum command_bit command, struct buf *out);

/* A command of the executable; run returns the exit code: 0 ok, 1 the input is wrong, 2 usage,
 * 3 the environment failed. */
#define EXIT_INPUT 1
#define EXIT_USAGE 2
#define EXIT_ENVIRONMENT 3
struct command {
    const char *name;
    enum command_bit bit;
    const char *arguments; /* of the usage line */
    const char *summary;
    const char *details;
    int (*run)(const struct options *options);
};
/* Says "heddle: TEXT" on standard error and returns the code. */
int command_fail(int code, const struct err *err);

#endif
