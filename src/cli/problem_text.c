/* SPDX-License-Identifier: Apache-2.0 */
/* problem_text: where, how bad, which code, what, and what to do. */
#include "cli/problem_text.h"

#include <stdio.h>

void problem_print(struct str file, const struct problem *problem)
{
    const struct problem_info *info = problem_info(problem->code);
    printf("%.*s", STR_FMT(file));
    if (problem->line > 0) {
        printf(":%u", problem->line);
    }
    if (problem->column > 0) {
        printf(":%u", problem->column);
    }
    printf("%s%s %s: ", file.len > 0 ? ": " : "", severity_name(info->severity), info->code);
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
