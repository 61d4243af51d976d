/* SPDX-License-Identifier: Apache-2.0 */
/* plan_text: a line for each thing that would change, and one that sums up. */
#include "cli/plan_text.h"

#include <stdio.h>
#include <string.h>

#include "cli/problem_text.h"

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *plural(long long count)
{
    return count == 1 ? "" : "s";
}

/* --- problems ------------------------------------------------------------------------------- */

static enum problem_code code_of(const char *text)
{
    unsigned code = 0;
    while (code + 1 < PROBLEM_COUNT && strcmp(problem_info(code)->code, text) != 0) {
        code++;
    }
    return (enum problem_code)code;
}

static void print_problems(const json_t *plan)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(plan, "problems"), i, item)
    {
        const struct problem problem = {
            .code = code_of(text(item, "code")),
            .line = (uint32_t)number(item, "line"),
            .column = (uint32_t)number(item, "column"),
            .path = str_from(text(item, "path")),
            .object = str_from(text(item, "object")),
            .text = str_from(text(item, "text")),
            .remedy = str_from(text(item, "remedy")),
        };
        problem_print(str_from(text(item, "file")), &problem);
    }
}

/* --- sections ------------------------------------------------------------------------------- */

typedef void print_fn(const json_t *item);

/* Returns how many there are. */
static size_t print_section(const json_t *plan, const char *key, print_fn *print)
{
    const json_t *items = json_object_get(plan, key);
    size_t len = json_array_size(items);
    size_t i;
    const json_t *item;
    if (len > 0) {
        printf("%s:\n", key);
    }
    json_array_foreach(items, i, item)
    {
        if (i == PLAN_LINES_MAX) {
            printf("  … and %zu more (-o json)\n", len - i);
            break;
        }
        print(item);
    }
    return len;
}

static void print_object(const json_t *object)
{
    printf("  %-9s %s", text(object, "change"), text(object, "object"));
    if (text(object, "file")[0] != '\0') {
        printf(" (%s:%lld)", text(object, "file"), number(object, "line"));
    }
    printf("\n");
}

static void print_resource(const json_t *resource)
{
    const char *change = text(resource, "change");
    printf("  %-9s %s %s in %s: ", change, text(resource, "type"), text(resource, "name"),
           text(resource, "scope"));
    if (strcmp(change, "changed") == 0) {
        printf("%lld, becomes ", number(resource, "before"));
    }
    long long bytes = number(resource, strcmp(change, "removed") == 0 ? "before" : "after");
    printf("%lld byte%s\n", bytes, plural(bytes));
}

static void print_client(const json_t *client)
{
    long long resources = number(client, "resources");
    long long bytes = number(client, "bytes");
    long long removed = number(client, "removed");
    printf("  %s: %lld resource%s, %lld byte%s", text(client, "node"), resources, plural(resources),
           bytes, plural(bytes));
    if (removed > 0) {
        printf("; %lld taken away", removed);
    }
    printf("\n");
}

static void print_condition(const char *when, const json_t *condition)
{
    if (condition == NULL) {
        printf("    %-8s absent\n", when);
    } else {
        printf("    %-8s %s %s: %s\n", when, text(condition, "status"), text(condition, "reason"),
               text(condition, "message"));
    }
}

static void print_status(const json_t *change)
{
    printf("  %s", text(change, "object"));
    if (text(change, "parent")[0] != '\0') {
        printf(", %s", text(change, "parent"));
    }
    printf(": %s\n", text(change, "type"));
    print_condition("was", json_object_get(change, "before"));
    print_condition("becomes", json_object_get(change, "after"));
}

static void print_backends(const json_t *backends)
{
    size_t i;
    const json_t *backend;
    json_array_foreach(backends, i, backend)
    {
        const char *name = text(backend, "backend");
        const char *outcome = text(backend, "outcome");
        printf("%s%s %.4g %%", i > 0 ? " + " : "", name[0] != '\0' ? name : outcome,
               100.0 * json_number_value(json_object_get(backend, "share")));
        if (name[0] != '\0' && outcome[0] != '\0') {
            printf(" (%s)", outcome);
        }
    }
}

static void print_answer(const json_t *answer)
{
    const json_t *decision = json_object_get(answer, "decision");
    const json_t *backends = json_object_get(decision, "backends");
    if (backends != NULL) {
        print_backends(backends);
    } else if (strcmp(text(decision, "action"), "passthrough") == 0) {
        printf("passed on untouched");
    } else {
        printf("%s", text(decision, "outcome"));
    }
}

/* Whether the client is a sidecar in the namespace of the Service, http://SERVICE.NAMESPACE:PORT/.
 */
static bool is_neighbour(const json_t *request)
{
    struct str url = str_from(text(request, "url"));
    struct str client = str_from(text(request, "client"));
    str_cut(&url, '.');
    return str_eq(str_cut(&client, '/'), STR("sidecar")) && str_eq(str_cut(&url, ':'), client);
}

static void print_request(const json_t *request)
{
    size_t i;
    const json_t *item;
    const json_t *also = json_object_get(request, "also");
    printf("  %s%s%s", text(request, "method"), text(request, "method")[0] != '\0' ? " " : "",
           text(request, "url"));
    if (text(request, "sni")[0] != '\0') {
        printf(" --sni %s", text(request, "sni"));
    }
    json_array_foreach(json_object_get(request, "headers"), i, item)
    {
        printf(" -H '%s'", json_string_value(item));
    }
    const char *client = text(request, "client");
    if (str_starts_with(str_from(client), STR("gateway/"))) {
        printf(" at %s", client);
    } else if (!is_neighbour(request)) {
        printf(" from %s", client);
    }
    printf(" : ");
    if (json_is_true(json_object_get(request, "moved"))) {
        printf("was ");
        print_answer(json_object_get(request, "before"));
        printf(", becomes ");
    } else {
        printf("still ");
    }
    print_answer(json_object_get(request, "after"));
    json_array_foreach(also, i, item)
    {
        printf("%s%s", i == 0 ? "; what changes: " : ", ", json_string_value(item));
    }
    printf("\n");
}

/* --- the sum -------------------------------------------------------------------------------- */

static size_t count_changed(const json_t *objects)
{
    size_t i;
    size_t count = 0;
    const json_t *object;
    json_array_foreach(objects, i, object)
    {
        count += strcmp(text(object, "change"), "unchanged") != 0 ? 1 : 0;
    }
    return count;
}

static long long sum(const json_t *items, const char *key)
{
    size_t i;
    long long bytes = 0;
    const json_t *item;
    json_array_foreach(items, i, item)
    {
        bytes += number(item, key);
    }
    return bytes;
}

void plan_print(const json_t *plan)
{
    print_problems(plan);
    if (number(plan, "errors") > 0) {
        printf("%lld errors, %lld warnings\n", number(plan, "errors"), number(plan, "warnings"));
        return;
    }
    size_t objects = count_changed(json_object_get(plan, "objects"));
    print_section(plan, "objects", print_object);
    size_t resources = print_section(plan, "resources", print_resource);
    size_t clients = print_section(plan, "clients", print_client);
    size_t status = print_section(plan, "status", print_status);
    size_t requests = print_section(plan, "requests", print_request);
    long long left_out = number(plan, "left_out");
    printf("changes %zu object%s, %zu resource%s, %zu condition%s, %zu of %lld sample requests",
           objects, plural((long long)objects), resources, plural((long long)resources), status,
           plural((long long)status), requests, number(plan, "asked"));
    if (left_out > 0) {
        printf(" (%lld matches without a sample)", left_out);
    }
    if (json_is_true(json_object_get(plan, "assumed"))) {
        printf("\nno client is connected: the resources are those of sidecars in all namespaces, "
               "and of all Gateways\n");
    } else {
        long long connected = number(plan, "connected");
        printf("\nsends %lld bytes to %zu of %lld client%s\n",
               sum(json_object_get(plan, "clients"), "bytes"), clients, connected,
               plural(connected));
    }
}
