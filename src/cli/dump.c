/* SPDX-License-Identifier: Apache-2.0 */
/* dump: `heddle dump NODE`, everything a connected client has been sent. */
#include <stdio.h>

#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/fetch.h"

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "-";
}

/* For people: one line for each resource; the whole is in -o json. */
static void print_text(const json_t *answer)
{
    size_t i;
    const json_t *proxy;
    json_array_foreach(json_object_get(answer, "proxies"), i, proxy)
    {
        printf("%s  %s  %s  since %s\n", text(proxy, "node"), text(proxy, "protocol"),
               text(proxy, "peer"), text(proxy, "opened"));
        const char *type;
        json_t *list;
        json_object_foreach(json_object_get(proxy, "resources"), type, list)
        {
            size_t j;
            const json_t *resource;
            json_array_foreach(list, j, resource)
            {
                printf("  %s  %s  %s  (%s)\n", type, text(resource, "version"),
                       text(resource, "name"), text(resource, "scope"));
            }
        }
    }
}

static int run(const struct options *options)
{
    struct err err;
    struct buf body;
    struct arena scratch;
    if (options->arguments.len != 1) {
        err_set(&err, "say which: heddle dump ROLE/NAMESPACE/NAME; heddle proxies lists them");
        return command_fail(EXIT_USAGE, &err);
    }
    arena_init(&scratch);
    struct str node = fetch_escape(&scratch, str_from(options->arguments.items[0]));
    struct str path = arena_printf(&scratch, "/api/dump?node=%.*s", STR_FMT(node));
    int code = fetch(options, path.ptr, &body, &err);
    arena_release(&scratch);
    if (code != 0) {
        return command_fail(code, &err);
    }
    answer_print(options, &body, print_text);
    buf_release(&body);
    return 0;
}

const struct command command_dump = {
    .name = "dump",
    .bit = CMD_DUMP,
    .arguments = "NODE [options]",
    .summary = "everything that a connected client has been sent",
    .details = "NODE is the id that heddle proxies shows. The text form has a line for each\n"
               "resource: type, version, name, scope; -o json has the resources themselves.\n",
    .run = run,
};
