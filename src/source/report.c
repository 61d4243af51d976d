/* SPDX-License-Identifier: Apache-2.0 */
/* report: the problems of a set against those that were already said. */
#include "source/report.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"

#define KEY_MAX 8192
#define KINDS_MAX 1000 /* that are not served are named in the log; others in problems only */

struct comparison {
    struct report *report;
    struct map problems, files; /* the present ones */
    bool changed;
};

static void release_texts(struct map *map)
{
    for (size_t i = map_next(map, 0); i < map->cap; i = map_next(map, i + 1)) {
        free(map->slots[i].value);
    }
    map_release(map);
}

void report_release(struct report *report)
{
    release_texts(&report->problems);
    release_texts(&report->files);
    release_texts(&report->kinds);
}

/* False when it stood there already. */
static bool add_text(struct map *map, struct str text)
{
    if (map_get(map, text) != NULL) {
        return false;
    }
    char *copy = str_dup(text);
    map_put(map, str_span(copy, text.len), copy);
    return true;
}

static void say(struct str file, const struct problem *problem)
{
    const struct problem_info *info = problem_info(problem->code);
    enum log_level level = problem_is_error(problem) ? LOG_ERROR : LOG_WARN;
    log_at(level, "source", "the configuration has a problem", KV_TEXT("code", info->code),
           KV("file", file), KV_INT("line", problem->line), KV("object", problem->object),
           KV("path", problem->path), KV("text", problem->text), KV("remedy", problem->remedy));
}

static void visit(void *user, struct str file, const struct problem *problem)
{
    struct comparison *comparison = user;
    struct report *report = comparison->report;
    struct buf key;
    buf_init(&key, KEY_MAX);
    buf_printf(&key, "%s %.*s %.*s %.*s: %.*s", problem_info(problem->code)->code, STR_FMT(file),
               STR_FMT(problem->object), STR_FMT(problem->path), STR_FMT(problem->text));
    bool fresh = map_get(&report->problems, buf_str(&key)) == NULL;
    if (add_text(&comparison->problems, buf_str(&key)) && fresh) {
        comparison->changed = true;
        if (problem->code != PROBLEM_unknown_kind ||
            (report->kinds.len < KINDS_MAX && add_text(&report->kinds, problem->text))) {
            say(file, problem);
        }
    }
    buf_release(&key);
    if (problem_is_error(problem)) {
        add_text(&comparison->files, file);
    }
}

bool report_update(struct report *report, const struct file_set *set)
{
    struct comparison comparison = {.report = report};
    file_set_problems(set, visit, &comparison);
    comparison.changed |= comparison.problems.len != report->problems.len;
    for (size_t i = map_next(&report->files, 0); i < report->files.cap;
         i = map_next(&report->files, i + 1)) {
        struct str file = report->files.slots[i].key;
        if (map_get(&comparison.files, file) == NULL) {
            log_at(LOG_INFO, "source", "the file has no errors any more", KV("file", file));
        }
    }
    release_texts(&report->problems);
    release_texts(&report->files);
    report->problems = comparison.problems;
    report->files = comparison.files;
    return comparison.changed;
}
