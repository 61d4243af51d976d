/* SPDX-License-Identifier: Apache-2.0 */
/* why_text: the answer of `heddle why`, for people. */
#include "cli/why_text.h"

#include <stdio.h>
#include <string.h>

#define TAKES "takes the " /* request or connection: the verdict on the rule that does */

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

static void print_file(const json_t *object)
{
    if (text(object, "file")[0] != '\0') {
        printf(" (%s:%lld)", text(object, "file"),
               (long long)json_integer_value(json_object_get(object, "line")));
    }
}

static void print_place(const json_t *object)
{
    printf("%s", text(object, "rule"));
    print_file(object);
}

static const char *mark(const json_t *considered)
{
    return strncmp(text(considered, "verdict"), TAKES, sizeof(TAKES) - 1) == 0 ? "=>" : "  ";
}

static void print_listeners(const json_t *listeners)
{
    size_t index;
    const json_t *listener;
    printf("listeners, in the order in which they are looked at:\n");
    json_array_foreach(listeners, index, listener)
    {
        printf("  %s %s", mark(listener), text(listener, "listener"));
        print_file(listener);
        printf("\n       %s%s on port %lld, hostname %s%s%s\n       %s\n",
               text(listener, "protocol"),
               json_is_true(json_object_get(listener, "http3")) ? " and HTTP/3" : "",
               (long long)json_integer_value(json_object_get(listener, "port")),
               text(listener, "hostname"),
               text(listener, "client_certificate")[0] != '\0' ? ", certificate of clients " : "",
               text(listener, "client_certificate"), text(listener, "verdict"));
    }
}

static void print_unattached(const json_t *routes, json_int_t more)
{
    size_t index;
    const json_t *route;
    printf("not asked, though perhaps meant to be:\n");
    json_array_foreach(routes, index, route)
    {
        printf("     %s", text(route, "route"));
        print_file(route);
        printf("\n       %s\n", text(route, "why"));
    }
    if (more > 0) {
        printf("     and %lld more\n", (long long)more);
    }
}

static void print_rules(const json_t *answer)
{
    const json_t *rules = json_object_get(answer, "rules");
    size_t index;
    const json_t *rule;
    if (json_array_size(rules) == 0) {
        printf("rules:    none\n");
        return;
    }
    printf("rules, in the order in which they are tried:\n");
    json_array_foreach(rules, index, rule)
    {
        printf("  %s ", mark(rule));
        print_place(rule);
        if (text(rule, "hostname")[0] != '\0') {
            printf("\n       hostname %s", text(rule, "hostname"));
        }
        printf("\n       %s\n       %s\n", text(rule, "match"), text(rule, "verdict"));
    }
    json_int_t more = json_integer_value(json_object_get(answer, "more_rules"));
    if (more > 0) {
        printf("     and %lld more\n", (long long)more);
    }
}

static void print_remedy(const json_t *failing)
{
    if (text(failing, "remedy")[0] != '\0') {
        printf("         remedy: %s\n", text(failing, "remedy"));
    }
}

static void print_endpoints(const json_t *backend)
{
    size_t index;
    const json_t *endpoint;
    json_array_foreach(json_object_get(backend, "endpoints"), index, endpoint)
    {
        json_int_t priority = json_integer_value(json_object_get(endpoint, "priority"));
        const char *zone = text(endpoint, "zone");
        printf("         %s%s%s", text(endpoint, "address"), zone[0] != '\0' ? " " : "", zone);
        if (priority > 0) {
            printf(" priority %lld", (long long)priority);
        }
        printf("%s\n", json_is_true(json_object_get(endpoint, "draining")) ? " draining" : "");
    }
    if (text(backend, "outcome")[0] != '\0') {
        printf("         %s\n", text(backend, "outcome"));
    }
    print_remedy(backend);
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
        if (text(backend, "manner")[0] != '\0') {
            printf("         %s\n", text(backend, "manner"));
        }
        if (text(backend, "backend")[0] != '\0') {
            print_endpoints(backend);
        } else {
            print_remedy(backend);
        }
    }
    print_endpoints(decision);
    print_list(decision, "in_force", "in force:");
    print_list(decision, "ignored", "ignored:");
    print_list(decision, "notes", "note:");
}

/* What the routes of the backends' Services do with it, one after the other. */
static void print_then(const json_t *decision)
{
    size_t index;
    const json_t *backend;
    json_array_foreach(json_object_get(decision, "backends"), index, backend)
    {
        const json_t *then = json_object_get(backend, "then");
        const json_t *request = json_object_get(then, "request");
        if (then == NULL) {
            continue;
        }
        printf("\nthen, at %s:\n", text(backend, "backend"));
        printf("request:  %s %s, Host %s\n", text(request, "method"), text(request, "path"),
               text(request, "host"));
        printf("routing:  %s\n", text(then, "routing"));
        print_rules(then);
        print_decision(json_object_get(then, "decision"));
    }
}

static void print_replicas(const json_t *envoys)
{
    size_t index;
    const json_t *address;
    json_int_t counted = json_integer_value(json_object_get(envoys, "replicas"));
    if (counted > 1) {
        printf(" (of %lld replicas)", (long long)counted);
    }
    json_array_foreach(json_object_get(envoys, "silent"), index, address)
    {
        printf("%s %s", index == 0 ? "; not counted, replicas that do not tell:" : ",",
               json_string_value(address));
    }
    printf("\n");
}

static void print_envoys(const json_t *envoys)
{
    size_t index;
    const json_t *node;
    json_int_t connected = json_integer_value(json_object_get(envoys, "connected"));
    json_int_t rejected = json_integer_value(json_object_get(envoys, "rejected"));
    if (connected == 0) {
        printf("no Envoy of the Gateway is connected");
        print_replicas(envoys);
        return;
    }
    printf("%lld of %lld connected Envoys of the Gateway have acknowledged these routes",
           (long long)json_integer_value(json_object_get(envoys, "acknowledged")),
           (long long)connected);
    if (rejected > 0) {
        printf(", %lld have rejected them (heddle proxies tells their words)", (long long)rejected);
    }
    json_array_foreach(json_object_get(envoys, "behind"), index, node)
    {
        printf("%s %s", index == 0 ? "; behind:" : ",", json_string_value(node));
    }
    print_replicas(envoys);
}

void why_print(const json_t *answer)
{
    printf("client:   %s\n", text(answer, "client"));
    if (text(answer, "service")[0] != '\0') {
        printf("service:  %s\n", text(answer, "service"));
    }
    if (text(answer, "gateway")[0] != '\0') {
        printf("gateway:  %s\n", text(answer, "gateway"));
    }
    if (json_object_get(answer, "listeners") != NULL) {
        print_listeners(json_object_get(answer, "listeners"));
    }
    printf("routing:  %s\n", text(answer, "routing"));
    if (json_object_get(answer, "since") != NULL) {
        print_since(json_object_get(answer, "since"));
    }
    if (json_object_get(answer, "rules") != NULL) {
        print_rules(answer);
    }
    if (json_object_get(answer, "unattached") != NULL) {
        print_unattached(json_object_get(answer, "unattached"),
                         json_integer_value(json_object_get(answer, "more_unattached")));
    }
    if (json_object_get(answer, "decision") != NULL) {
        print_decision(json_object_get(answer, "decision"));
        print_then(json_object_get(answer, "decision"));
    }
    if (json_object_get(answer, "envoys") != NULL) {
        print_envoys(json_object_get(answer, "envoys"));
    }
    if (text(answer, "acknowledged")[0] != '\0') {
        printf("the client %s\n", text(answer, "acknowledged"));
    }
}
