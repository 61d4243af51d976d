/* SPDX-License-Identifier: Apache-2.0 */
/* check: `heddle check FILE|DIR…`, what is wrong with the files, where, and what to do. */
#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "codec/json.h"
#include "pipeline/findings.h"

struct finding {
    struct str file;
    struct problem problem;
    size_t order; /* as found, for a stable sort */
};

struct findings {
    struct arena arena;
    VEC(struct finding) items;
    size_t errors;
    size_t warnings;
};

static void add(void *user, struct str file, const struct problem *problem)
{
    struct findings *findings = user;
    struct arena *arena = &findings->arena;
    struct finding finding = {arena_str(arena, file), *problem, findings->items.len};
    finding.problem.path = arena_str(arena, problem->path);
    finding.problem.object = arena_str(arena, problem->object);
    finding.problem.text = arena_str(arena, problem->text);
    finding.problem.remedy = arena_str(arena, problem->remedy);
    vec_push(&findings->items, finding);
    if (problem_info(problem->code)->severity == SEVERITY_ERROR) {
        findings->errors++;
    } else {
        findings->warnings++;
    }
}

static int finding_cmp(const void *a, const void *b)
{
    const struct finding *fa = a;
    const struct finding *fb = b;
    int order = str_cmp(fa->file, fb->file);
    if (order == 0) {
        order = (fa->problem.line > fb->problem.line) - (fa->problem.line < fb->problem.line);
    }
    return order != 0 ? order : (fa->order > fb->order) - (fa->order < fb->order);
}

/* file:line:column: error HED008: object: path: text
 *     remedy */
static void print_text(const struct findings *findings)
{
    for (size_t i = 0; i < findings->items.len; i++) {
        const struct finding *finding = &findings->items.items[i];
        const struct problem *problem = &finding->problem;
        printf("%.*s", STR_FMT(finding->file));
        if (problem->line > 0) {
            printf(":%u", problem->line);
        }
        if (problem->column > 0) {
            printf(":%u", problem->column);
        }
        printf(": %s %s: ", severity_name(problem_info(problem->code)->severity),
               problem_info(problem->code)->code);
        if (problem->object.len > 0) {
            printf("%.*s: ", STR_FMT(problem->object));
        }
        if (problem->path.len > 0) {
            printf("%.*s: ", STR_FMT(problem->path));
        }
        printf("%.*s\n", STR_FMT(problem->text));
        if (problem->remedy.len > 0) {
            printf("    %.*s\n", STR_FMT(problem->remedy));
        }
    }
    printf("%zu errors, %zu warnings\n", findings->errors, findings->warnings);
}

static void print_json(const struct findings *findings)
{
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 2);
    json_open(&json, '{');
    json_key(&json, "problems");
    json_open(&json, '[');
    for (size_t i = 0; i < findings->items.len; i++) {
        const struct finding *finding = &findings->items.items[i];
        problem_dump(&finding->problem, finding->file, &json);
    }
    json_close(&json, ']');
    json_key(&json, "errors");
    json_uint(&json, findings->errors);
    json_key(&json, "warnings");
    json_uint(&json, findings->warnings);
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
    if (!load_paths(options, &loaded, &err)) {
        return command_fail(EXIT_ENVIRONMENT, &err);
    }
    changeset_unref(mesh_turn(loaded.mesh));
    struct findings findings = {.items = {.items = NULL}};
    arena_init(&findings.arena);
    file_set_problems(loaded.files, add, &findings);
    mesh_findings(loaded.mesh, add, &findings);
    if (findings.items.len > 0) {
        qsort(findings.items.items, findings.items.len, sizeof(struct finding), finding_cmp);
    }
    if (option_json(options)) {
        print_json(&findings);
    } else {
        print_text(&findings);
    }
    bool bad = findings.errors > 0 || (option_flag(options, O_strict) && findings.warnings > 0);
    vec_release(&findings.items);
    arena_release(&findings.arena);
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
        "and what heddle does not serve (exit code 0, with --strict 1). Every code is\n"
        "explained in docs/reference.md.\n",
    .run = run,
};
