/* SPDX-License-Identifier: Apache-2.0 */
/* file_set_problems: what is wrong with the files, and may what is in force be served? */
#include <inttypes.h>
#include <stdlib.h>

#include "source/file_set_internal.h"

static void find_duplicates(const struct file *file, struct problems *problems)
{
    for (size_t i = 0; i < file->claims.len; i++) {
        const struct claim *claim = file->claims.items[i];
        const struct claim *first = claims_first(claim->entry);
        if (claim->held || first == claim) {
            continue;
        }
        const char *kind = kind_info(claim->entry->kind)->kind;
        struct str name = claim->entry->key;
        if (str_starts_with(name, str_from(kind))) { /* keys of routes begin with the kind */
            name = str_sub(name, str_index(name, '/') + 1, name.len);
        }
        problems_report(problems, PROBLEM_duplicate_object, claim->line, claim->column, STR_NULL,
                        STR("remove one of them"),
                        "%s '%.*s' is also written in '%.*s' on line %" PRIu32
                        ", which comes first%s",
                        kind, STR_FMT(name), STR_FMT(first->file), first->line,
                        first->object == claim->entry->in_force ? " and is in force" : "");
    }
}

static int compare_problems(const void *left, const void *right)
{
    const struct problem *a = *(const struct problem *const *)left;
    const struct problem *b = *(const struct problem *const *)right;
    if (a->line != b->line) {
        return a->line < b->line ? -1 : 1;
    }
    if (a->column != b->column) {
        return a->column < b->column ? -1 : 1;
    }
    return a->code != b->code ? (a->code < b->code ? -1 : 1) : str_cmp(a->text, b->text);
}

static void visit_file(const struct file *file, struct arena *arena, problem_visit_fn *visit,
                       void *user)
{
    struct problems extra;
    problems_init(&extra, arena);
    find_duplicates(file, &extra);
    size_t len = file->problems.len + extra.len;
    const struct problem **all = ARENA_ARRAY(arena, len, const struct problem *);
    for (size_t i = 0; i < len; i++) {
        all[i] = i < file->problems.len ? &file->problems.items[i]
                                        : &extra.items[i - file->problems.len];
    }
    if (len > 1) {
        qsort(all, len, sizeof(all[0]), compare_problems);
    }
    for (size_t i = 0; i < len; i++) {
        visit(user, file->name, all[i]);
    }
}

void file_set_problems(const struct file_set *set, problem_visit_fn *visit, void *user)
{
    if (set->problems == 0 && set->claims.duplicates == 0) {
        return;
    }
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < set->files.len; i++) {
        const struct file *file = set->files.items[i];
        if (file->problems.len > 0 || set->claims.duplicates > 0) {
            arena_reset(&arena);
            visit_file(file, &arena, visit, user);
        }
    }
    arena_release(&arena);
}

bool file_set_has_errors(const struct file_set *set, struct str name)
{
    const struct file *file = file_set_find(set, name);
    return file != NULL && (file->invalid > 0 || file->blind);
}

bool file_set_directory_ok(const struct file_set *set)
{
    return file_set_find(set, STR(FILE_SET_DIRECTORY)) == NULL;
}

size_t file_set_invalid(const struct file_set *set)
{
    return set->invalid + set->claims.duplicates;
}

static bool is_incomplete(const struct file *file)
{
    if (file->known || file->blind) {
        return !file->known;
    }
    for (size_t i = 0; file->invalid > 0 && i < file->claims.len; i++) {
        if (file->claims.items[i]->entry->in_force == NULL) {
            return true;
        }
    }
    return false;
}

bool file_set_incomplete(const struct file_set *set)
{
    for (size_t i = 0; i < set->files.len; i++) {
        if (is_incomplete(set->files.items[i])) {
            return true;
        }
    }
    return false;
}
