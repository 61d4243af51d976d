/* SPDX-License-Identifier: Apache-2.0 */
/* option: parsing the command line by the table in option.def. */
#include "cli/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

#define HELP_WIDTH 96
#define HELP_INDENT 8
#define ENV_NAME_MAX 64

#define FLAG OPTION_FLAG
#define TEXT OPTION_TEXT
#define LIST OPTION_LIST
#define NUMBER OPTION_NUMBER
static const struct option_info infos[OPTION_COUNT] = {
#define OPTION(id, name, type, argument, fallback, commands, help)                                 \
    [O_##id] = {name, type, argument, fallback, commands, help},
#include "cli/option.def"
#undef OPTION
};
#undef FLAG
#undef TEXT
#undef LIST
#undef NUMBER

const struct option_info *option_info(enum option_id id)
{
    ASSERT((unsigned)id < OPTION_COUNT);
    return &infos[id];
}

static bool push(struct option_values *values, const char *text, struct err *err)
{
    if (values->len >= OPTION_ARGUMENTS_MAX) {
        return err_set(err, "more than %d arguments", OPTION_ARGUMENTS_MAX);
    }
    values->items = xrealloc(values->items, (values->len + 1) * sizeof(*values->items));
    values->items[values->len++] = text;
    return true;
}

static bool set(struct options *options, unsigned id, const char *text, struct err *err)
{
    const struct option_info *info = &infos[id];
    options->given[id] = true;
    options->text[id] = text;
    if (info->type == OPTION_LIST) {
        return push(&options->lists[id], text, err);
    }
    if (info->type == OPTION_NUMBER &&
        (!str_to_u64(str_from(text), &options->number[id]) || options->number[id] == 0 ||
         options->number[id] > OPTION_NUMBER_MAX)) {
        return err_set(err, "--%s wants a number from 1 to %u, not '%s'", info->name,
                       OPTION_NUMBER_MAX, text);
    }
    if (info->type == OPTION_FLAG && !str_eq(str_from(text), STR("true")) &&
        !str_eq(str_from(text), STR("false"))) {
        return err_set(err, "--%s is true or false, not '%s'", info->name, text);
    }
    return true;
}

/* HEDDLE_CLUSTER_DOMAIN for --cluster-domain; a flag's may be 1 or 0, too. */
static const char *from_environment(const struct option_info *info)
{
    char name[ENV_NAME_MAX];
    int len = snprintf(name, sizeof(name), "HEDDLE_%s", info->name);
    ASSERT(len > 0 && (size_t)len < sizeof(name));
    for (char *c = name; *c != '\0'; c++) {
        if (*c == '-') {
            *c = '_';
        } else if (*c >= 'a' && *c <= 'z') {
            *c = (char)(*c - 'a' + 'A');
        }
    }
    const char *value = getenv(name);
    if (value == NULL || value[0] == '\0') {
        return NULL;
    }
    if (info->type == OPTION_FLAG && value[1] == '\0' && (value[0] == '0' || value[0] == '1')) {
        return value[0] == '1' ? "true" : "false";
    }
    return value;
}

static bool set_defaults(struct options *options, enum command_bit command, struct err *err)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const char *environment = from_environment(&infos[i]);
        if ((infos[i].commands & command) == 0) {
            continue;
        }
        if (environment != NULL && !set(options, i, environment, err)) {
            return err_prefix(err, "environment, HEDDLE_…");
        }
        if (environment == NULL && infos[i].fallback != NULL) {
            ASSERT(set(options, i, infos[i].fallback, err));
            options->given[i] = false;
        }
    }
    return true;
}

static unsigned find(struct str name, enum command_bit command)
{
    unsigned i = 0;
    while (i < OPTION_COUNT &&
           ((infos[i].commands & command) == 0 || !str_eq(name, str_from(infos[i].name)))) {
        i++;
    }
    return i;
}

static bool unknown(struct str name, enum command_bit command, struct err *err)
{
    const char *near = NULL;
    unsigned best = 4;
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        unsigned distance = str_distance(name, str_from(infos[i].name), 3);
        if ((infos[i].commands & command) != 0 && distance < best) {
            best = distance;
            near = infos[i].name;
        }
    }
    if (near != NULL) {
        return err_set(err, "no option '--%.*s'; did you mean '--%s'?", STR_FMT(name), near);
    }
    return err_set(err, "no option '--%.*s'; see --help", STR_FMT(name));
}

/* The long name of "-o", "-H" or "-f"; empty when arg is no such thing. */
static struct str short_option(const char *arg)
{
    static const struct {
        const char *text;
        struct str name;
    } shorts[] = {{"-o", STR("output")}, {"-H", STR("header")}, {"-f", STR("file")}};
    for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++) {
        if (strcmp(arg, shorts[i].text) == 0) {
            return shorts[i].name;
        }
    }
    return STR_NULL;
}

/* One "--name", "--name=value" or "--name value"; advances *at past what was used. */
static bool parse_option(struct options *options, enum command_bit command, int argc, char **argv,
                         int *at, struct err *err)
{
    const char *given = argv[*at];
    struct str name = short_option(given);
    if (name.len == 0) {
        name = str_from(given + 2);
    }
    size_t equals = str_index(name, '=');
    const char *value = equals < name.len ? name.ptr + equals + 1 : NULL;
    name = str_sub(name, 0, equals);
    unsigned id = find(name, command);
    if (id == OPTION_COUNT) {
        return unknown(name, command, err);
    }
    (*at)++;
    if (infos[id].type == OPTION_LIST && !options->listed[id]) {
        options->listed[id] = true;
        options->lists[id].len = 0;
    }
    if (infos[id].type == OPTION_FLAG) {
        return value == NULL ? set(options, id, "true", err)
                             : err_set(err, "--%s takes no value", infos[id].name);
    }
    if (value == NULL) {
        if (*at >= argc) {
            return err_set(err, "--%s wants %s", infos[id].name, infos[id].argument);
        }
        value = argv[(*at)++];
    }
    return set(options, id, value, err);
}

bool options_parse(struct options *options, enum command_bit command, int argc, char **argv,
                   struct err *err)
{
    memset(options, 0, sizeof(*options));
    if (!set_defaults(options, command, err)) {
        return false;
    }
    bool only_arguments = false;
    for (int i = 0; i < argc;) {
        const char *arg = argv[i];
        if (!only_arguments && (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
            options->help = true;
            i++;
        } else if (!only_arguments && strcmp(arg, "--") == 0) {
            only_arguments = true;
            i++;
        } else if (!only_arguments && (strncmp(arg, "--", 2) == 0 || short_option(arg).len > 0)) {
            if (!parse_option(options, command, argc, argv, &i, err)) {
                return false;
            }
        } else if (!only_arguments && arg[0] == '-' && arg[1] != '\0') {
            return err_set(err, "no option '%s'; see --help", arg);
        } else {
            if (!push(&options->arguments, arg, err)) {
                return false;
            }
            i++;
        }
    }
    struct str output = option_text(options, O_output);
    if (output.len > 0 && !str_eq(output, STR("text")) && !str_eq(output, STR("json"))) {
        return err_set(err, "--output is text or json, not '%.*s'", STR_FMT(output));
    }
    return true;
}

void options_release(struct options *options)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        free(options->lists[i].items);
    }
    free(options->arguments.items);
    memset(options, 0, sizeof(*options));
}

struct str option_text(const struct options *options, enum option_id id)
{
    return str_from(options->text[id]);
}

bool option_flag(const struct options *options, enum option_id id)
{
    return options->given[id] && !str_eq(str_from(options->text[id]), STR("false"));
}

bool option_json(const struct options *options)
{
    return str_eq(option_text(options, O_output), STR("json"));
}

/* Breaks a text at spaces. */
static void wrap(struct str text, struct buf *out)
{
    size_t column = 0;
    while (text.len > 0) {
        struct str word = str_cut(&text, ' ');
        if (column == 0 || column + 1 + word.len > HELP_WIDTH - HELP_INDENT) {
            buf_printf(out, "%s%*s", column == 0 ? "" : "\n", HELP_INDENT, "");
            column = 0;
        } else {
            buf_add_byte(out, ' ');
            column++;
        }
        buf_add_str(out, word);
        column += word.len;
    }
    buf_add_byte(out, '\n');
}

void options_help(enum command_bit command, struct buf *out)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *info = &infos[i];
        if ((info->commands & command) == 0) {
            continue;
        }
        buf_printf(out, "    --%s%s%s", info->name, info->argument != NULL ? " " : "",
                   info->argument != NULL ? info->argument : "");
        if (info->fallback != NULL) {
            buf_printf(out, "  [%s]", info->fallback);
        }
        buf_add_byte(out, '\n');
        wrap(str_from(info->help), out);
    }
}

int command_fail(int code, const struct err *err)
{
    fprintf(stderr, "heddle: %s\n", err->text);
    return code;
}
