/* SPDX-License-Identifier: Apache-2.0 */
/* check: `heddle check FILE|DIR…`, what is wrong with the files, where, and what to do. */
#include <stdio.h>

#include "base/clock.h"
#include "base/panic.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "cli/problem_text.h"
#include "pipeline/findings.h"

/* One client of each kind that differs in what it can do. */
static void open_clients(struct mesh *mesh)
{
    static const struct {
        struct str id, user_agent;
    } clients[] = {
        {STR("sidecar/default/check"), STR("envoy")},
        {STR("proxyless/default/check"), STR("gRPC C-core")},
        {STR("proxyless/default/check"), STR("gRPC Go")},
    };
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        struct node *node = xcalloc(1, sizeof(*node));
        const struct mesh_client *client;
        arena_init(&node->arena);
        node->id = clients[i].id;
        node->user_agent = clients[i].user_agent;
        ASSERT(mesh_open(mesh, i + 1, node, &client, NULL));
    }
}

static void print_text(const struct findings *findings)
{
    for (size_t i = 0; i < findings->items.len; i++) {
        problem_print(findings->items.items[i].file, &findings->items.items[i].problem);
    }
    printf("%zu errors, %zu warnings", findings->errors, findings->warnings);
    if (findings->notes > 0) {
        printf(", %zu notes", findings->notes);
    }
    printf("\n");
}

static void print_json(const struct findings *findings)
{
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 2);
    json_open(&json, '{');
    findings_dump(findings, &json);
    json_close(&json, '}');
    printf("%.*s\n", STR_FMT(buf_str(&out)));
    buf_release(&out);
}

static int run(const struct options *options)
{
    struct err err;
    struct loaded loaded;
    if (options->arguments.len == 0) {
        err_set(&err, "say what to check: heddle check FILE|DIR…");
        return command_fail(EXIT_USAGE, &err);
    }
    if (!load_paths(options, options->arguments.items, options->arguments.len, &loaded, &err)) {
        return command_fail(EXIT_ENVIRONMENT, &err);
    }
    open_clients(loaded.mesh);
    changeset_unref(mesh_turn(loaded.mesh));
    struct findings findings = {.errors = 0};
    file_set_problems(loaded.files, findings_add, &findings);
    findings_each(mesh_engine(loaded.mesh), findings_add, &findings);
    findings_expired(mesh_engine(loaded.mesh), clock_wall_ms(), findings_add, &findings);
    findings_sort(&findings);
    if (option_json(options)) {
        print_json(&findings);
    } else {
        print_text(&findings);
    }
    bool bad = findings.errors > 0 || (option_flag(options, O_strict) && findings.warnings > 0);
    findings_release(&findings);
    loaded_release(&loaded);
    return bad ? EXIT_INPUT : 0;
}

const struct command command_check = {
    .name = "check",
    .bit = CMD_CHECK,
    .arguments = "FILE|DIR… [options]",
    .summary = "say what is wrong with files of Kubernetes YAML, where, and what to do",
    .details =
        "Errors are what does not parse or what the API forbids (exit code 1). Warnings are\n"
        "rules that can never match, references that do not resolve in the given files,\n"
        "and what heddle does not serve (exit code 0, with --strict 1). Notes say what some\n"
        "kind of client does not do. Every code is explained in docs/reference.md.\n",
    .run = run,
};
