/* SPDX-License-Identifier: Apache-2.0 */
/* findings_list: problems of several files, collected and put into order. */
#include <stdlib.h>

#include "pipeline/findings.h"

void findings_add(void *user, struct str file, const struct problem *problem)
{
    struct findings *findings = user;
    struct arena *arena = &findings->arena;
    struct finding finding = {arena_str(arena, file), *problem, findings->items.len};
    finding.problem.path = arena_str(arena, problem->path);
    finding.problem.object = arena_str(arena, problem->object);
    finding.problem.text = arena_str(arena, problem->text);
    finding.problem.remedy = arena_str(arena, problem->remedy);
    vec_push(&findings->items, finding);
    size_t *counts[] = {[SEVERITY_NOTE] = &findings->notes,
                        [SEVERITY_WARNING] = &findings->warnings,
                        [SEVERITY_ERROR] = &findings->errors};
    ++*counts[problem_info(problem->code)->severity];
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

void findings_sort(struct findings *findings)
{
    if (findings->items.len > 0) {
        qsort(findings->items.items, findings->items.len, sizeof(struct finding), finding_cmp);
    }
}

void findings_dump(const struct findings *findings, struct json *json)
{
    json_key(json, "problems");
    json_open(json, '[');
    for (size_t i = 0; i < findings->items.len; i++) {
        problem_dump(&findings->items.items[i].problem, findings->items.items[i].file, json);
    }
    json_close(json, ']');
    json_member_uint(json, "errors", findings->errors);
    json_member_uint(json, "warnings", findings->warnings);
    json_member_uint(json, "notes", findings->notes);
}

void findings_release(struct findings *findings)
{
    vec_release(&findings->items);
    arena_release(&findings->arena);
}
