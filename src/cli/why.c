/* SPDX-License-Identifier: Apache-2.0 */
/* why: `heddle why NODE METHOD URL`, which rule, backend and endpoints a request takes, and why. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/fetch.h"

#define TAKES "takes the " /* request or connection: the verdict on the rule that does */

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

static void print_place(const json_t *object)
{
    printf("%s", text(object, "rule"));
    if (text(object, "file")[0] != '\0') {
        printf(" (%s:%lld)", text(object, "file"),
               (long long)json_integer_value(json_object_get(object, "line")));
    }
}

static void print_rules(const json_t *answer)
{
    const json_t *rules = json_object_get(answer, "rules");
    size_t index;
    const json_t *rule;
    printf("rules, in the order in which they are tried:\n");
    json_array_foreach(rules, index, rule)
    {
        printf("  %s ",
               strncmp(text(rule, "verdict"), TAKES, sizeof(TAKES) - 1) == 0 ? "=>" : "  ");
        print_place(rule);
        printf("\n       %s\n       %s\n", text(rule, "match"), text(rule, "verdict"));
    }
    json_int_t more = json_integer_value(json_object_get(answer, "more_rules"));
    if (more > 0) {
        printf("     and %lld more\n", (long long)more);
    }
}

static void print_endpoints(const json_t *backend)
{
    size_t index;
    const json_t *endpoint;
    json_array_foreach(json_object_get(backend, "endpoints"), index, endpoint)
    {
        json_int_t priority = json_integer_value(json_object_get(endpoint, "priority"));
        printf("         %s %s", text(endpoint, "address"), text(endpoint, "zone"));
        if (priority > 0) {
            printf(" priority %lld", (long long)priority);
        }
        printf("%s\n", json_is_true(json_object_get(endpoint, "draining")) ? " draining" : "");
    }
    if (text(backend, "outcome")[0] != '\0') {
        printf("         %s\n", text(backend, "outcome"));
    }
}

static void print_list(const json_t *object, const char *key, const char *title)
{
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(object, key), index, item)
    {
        printf("%-9s %s\n", index == 0 ? title : "", json_string_value(item));
    }
}

/* Of many objects at once, as at the start, none is the one that counts. */
static void print_since(const json_t *since)
{
    const json_t *objects = json_object_get(since, "objects");
    json_int_t more = json_integer_value(json_object_get(since, "more_objects"));
    size_t index;
    const json_t *object;
    printf("since:    %s, by", text(since, "at"));
    if (more > 0) {
        printf(" a change of %lld objects at once\n",
               (long long)json_array_size(objects) + (long long)more);
        return;
    }
    json_array_foreach(objects, index, object)
    {
        printf("%s %s", index > 0 ? "," : "", json_string_value(object));
    }
    printf("\n");
}

static void print_decision(const json_t *decision)
{
    size_t index;
    const json_t *backend;
    printf("decision: %s", text(decision, "action"));
    if (text(decision, "rule")[0] != '\0') {
        printf(" by ");
        print_place(decision);
    }
    printf("\n");
    json_array_foreach(json_object_get(decision, "backends"), index, backend)
    {
        printf("  %5.1f %% %s\n", 100.0 * json_number_value(json_object_get(backend, "share")),
               text(backend, text(backend, "backend")[0] != '\0' ? "backend" : "outcome"));
        if (text(backend, "backend")[0] != '\0') {
            print_endpoints(backend);
        }
    }
    print_endpoints(decision);
    print_list(decision, "in_force", "in force:");
    print_list(decision, "ignored", "ignored:");
    print_list(decision, "notes", "note:");
}

static void print_text(const json_t *answer)
{
    printf("client:   %s\n", text(answer, "client"));
    if (text(answer, "service")[0] != '\0') {
        printf("service:  %s\n", text(answer, "service"));
    }
    printf("routing:  %s\n", text(answer, "routing"));
    if (json_object_get(answer, "since") != NULL) {
        print_since(json_object_get(answer, "since"));
    }
    if (json_object_get(answer, "rules") != NULL) {
        print_rules(answer);
    }
    if (json_object_get(answer, "decision") != NULL) {
        print_decision(json_object_get(answer, "decision"));
    }
    if (text(answer, "acknowledged")[0] != '\0') {
        printf("the client %s\n", text(answer, "acknowledged"));
    }
}

static void add_word(struct buf *path, struct arena *arena, const char *name, struct str value)
{
    buf_add_text(path, name);
    buf_add_str(path, fetch_escape(arena, value));
}

static int ask(const struct options *options, struct buf *ret_body, struct err *err)
{
    bool connection = options->arguments.len == 2; /* it has no method */
    struct arena arena;
    struct buf path;
    const char **arguments = options->arguments.items;
    arena_init(&arena);
    buf_init(&path, 1u << 20);
    add_word(&path, &arena, "/api/why?node=", str_from(arguments[0]));
    add_word(&path, &arena, "&method=", connection ? STR("") : str_from(arguments[1]));
    add_word(&path, &arena, "&url=", str_from(arguments[connection ? 1 : 2]));
    add_word(&path, &arena, "&sni=", option_text(options, O_sni));
    const struct option_values *headers = &options->lists[O_header];
    for (unsigned i = 0; i < headers->len; i++) {
        add_word(&path, &arena, "&header=", str_from(headers->items[i]));
    }
    buf_add_byte(&path, '\0');
    int code = fetch(options, (const char *)path.data, ret_body, err);
    buf_release(&path);
    arena_release(&arena);
    return code;
}

static int run(const struct options *options)
{
    struct err err;
    struct buf body;
    if (options->arguments.len != 2 && options->arguments.len != 3) {
        err_set(&err, "say who asks what: heddle why ROLE/NAMESPACE/NAME GET "
                      "http://HOST:PORT/PATH, or tcp://HOST:PORT without a method");
        return command_fail(EXIT_USAGE, &err);
    }
    int code = ask(options, &body, &err);
    if (code != 0) {
        return command_fail(code, &err);
    }
    if (option_json(options)) {
        fetch_print(&body);
    } else {
        json_t *answer = json_loadb((const char *)body.data, body.len, 0, NULL);
        print_text(answer);
        json_decref(answer);
    }
    buf_release(&body);
    return 0;
}

const struct command command_why = {
    .name = "why",
    .bit = CMD_WHY,
    .arguments = "NODE [METHOD] URL [-H 'name: value'] [options]",
    .summary = "which rule, backend and endpoints a request or connection takes, and why",
    .details =
        "NODE is a connected client (heddle proxies), or sidecar/NAMESPACE/NAME or\n"
        "proxyless/NAMESPACE/NAME for one that might be. The host of URL is a Service's name or\n"
        "ClusterIP. For gRPC the method is POST and the path /package.Service/Method.\n"
        "\n"
        "    heddle why sidecar/default/app GET http://echo-service.default:8000/path\n"
        "    heddle why proxyless/default/app POST \\\n"
        "        xds:///echo-service.default:8080/echo_basic.grpcecho.GrpcEcho/Echo\n"
        "\n"
        "A connection that nobody looks into has no method, and with TLS a server name:\n"
        "\n"
        "    heddle why sidecar/default/app tcp://db.default:5432\n"
        "    heddle why sidecar/default/app tls://mail.default:465 --sni mail.example.com\n",
    .run = run,
};
