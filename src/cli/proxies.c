/* SPDX-License-Identifier: Apache-2.0 */
/* proxies: `heddle proxies`, who is connected, and what each has acknowledged or rejected. */
#include <stdio.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/fetch.h"

static const struct {
    const char *type, *title;
} columns[] = {
    {"cds", "CDS"}, {"eds", "EDS"},   {"lds", "LDS"},
    {"rds", "RDS"}, {"ecds", "ECDS"}, {"sds", "SDS"},
};
#define TYPES (sizeof(columns) / sizeof(columns[0]))

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "-";
}

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* "12 ok", "12 +3" (three to come), "REJECTED", or "-". */
static void print_cell(const json_t *type)
{
    char text[32];
    if (type == NULL) {
        snprintf(text, sizeof(text), "-");
    } else if (json_object_get(type, "rejection") != NULL) {
        snprintf(text, sizeof(text), "REJECTED");
    } else if (number(type, "pending") > 0 || json_is_true(json_object_get(type, "inFlight"))) {
        snprintf(text, sizeof(text), "%lld +%lld", (long long)number(type, "known"),
                 (long long)number(type, "pending"));
    } else {
        snprintf(text, sizeof(text), "%lld ok", (long long)number(type, "known"));
    }
    printf(" %-10s", text);
}

/* A proxyless client has a stream for each channel, and one for its servers: which is this? An
 * Envoy of a Gateway is called after its pod: whose is it? */
static void print_purpose(const json_t *proxy)
{
    size_t index;
    const json_t *asked;
    if (json_object_get(proxy, "gateway") != NULL) {
        printf("    of Gateway %s\n", text(proxy, "gateway"));
    }
    json_array_foreach(json_object_get(proxy, "asks"), index, asked)
    {
        if (json_object_get(asked, "listens") != NULL) {
            printf("    listens on %s\n", text(asked, "listens"));
        } else if (json_object_get(asked, "dials") != NULL) {
            printf("    dials %s\n", text(asked, "dials"));
        } else {
            printf("    asks for '%s': %s\n", text(asked, "name"), text(asked, "reason"));
        }
    }
}

static void print_rejections(const json_t *proxy)
{
    for (size_t i = 0; i < TYPES; i++) {
        const json_t *type = json_object_get(json_object_get(proxy, "types"), columns[i].type);
        if (type != NULL && json_object_get(type, "rejection") != NULL) {
            printf("    %s rejected: %s\n", columns[i].type, text(type, "rejection"));
        }
    }
}

static void print_table(const json_t *answer)
{
    size_t index;
    const json_t *proxy;
    printf("%-40s %-6s %-10s", "NODE", "PROTO", "DIALECT");
    for (size_t i = 0; i < TYPES; i++) {
        printf(" %-10s", columns[i].title);
    }
    printf(" PEER\n");
    json_array_foreach(json_object_get(answer, "proxies"), index, proxy)
    {
        printf("%-40s %-6s %-10s", text(proxy, "node"), text(proxy, "protocol"),
               text(proxy, "dialect"));
        for (size_t i = 0; i < TYPES; i++) {
            print_cell(json_object_get(json_object_get(proxy, "types"), columns[i].type));
        }
        printf(" %s%s\n", text(proxy, "peer"),
               json_is_true(json_object_get(proxy, "foreign")) ? " (foreign)" : "");
        print_purpose(proxy);
        print_rejections(proxy);
    }
}

static int run(const struct options *options)
{
    struct err err;
    struct buf body;
    int code = fetch(options, "/api/proxies", &body, &err);
    if (code != 0) {
        return command_fail(code, &err);
    }
    answer_print(options, &body, print_table);
    buf_release(&body);
    return 0;
}

const struct command command_proxies = {
    .name = "proxies",
    .bit = CMD_PROXIES,
    .arguments = "[options]",
    .summary = "who is connected, and what each client acknowledged or rejected",
    .details =
        "A column for each resource type: '12 ok' (has 12 resources, all acknowledged),\n"
        "'12 +3' (3 are to be sent or not yet acknowledged), REJECTED (the client's words\n"
        "stand below), '-' (never asked for). Below a proxyless client stands what the\n"
        "stream is for: what it dials, where it listens; below one of a Gateway, of which.\n",
    .run = run,
};
