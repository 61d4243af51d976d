/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_set: files by name, and batches of changes to them.
 *
 * A file's documents become claims (source/claims.h). What is in force after a batch follows from
 * the texts and the last good versions at its end alone.
 */
#include "source/file_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "source/file_set_internal.h"

struct file_set *file_set_new(const struct file_set_events *events)
{
    struct file_set *set = xcalloc(1, sizeof(*set));
    if (events != NULL) {
        set->claims.events = *events;
    }
    return set;
}

static void free_file(struct file *file)
{
    arena_release(&file->arena);
    vec_release(&file->claims);
    vec_release(&file->problems);
    free((char *)(uintptr_t)file->name.ptr);
    free(file);
}

void file_set_free(struct file_set *set)
{
    if (set == NULL) {
        return;
    }
    claims_release(&set->claims);
    for (size_t i = 0; i < set->files.len; i++) {
        free_file(set->files.items[i]);
    }
    vec_release(&set->files);
    map_release(&set->by_name);
    free(set);
}

/* --- files by name ------------------------------------------------------------------------- */

struct file *file_set_find(const struct file_set *set, struct str name)
{
    struct file *file = map_get(&set->by_name, name);
    return file != NULL && !file->gone ? file : NULL;
}

static struct file *find_or_make(struct file_set *set, struct str name)
{
    struct file *file = map_get(&set->by_name, name);
    if (file == NULL) {
        file = xcalloc(1, sizeof(*file));
        file->name = str_span(str_dup(name), name.len);
        arena_init_sized(&file->arena, FILE_ARENA_FIRST);
        map_put(&set->by_name, file->name, file);
        set->unsorted |=
            set->files.len > 0 && str_cmp(set->files.items[set->files.len - 1]->name, name) > 0;
        vec_push(&set->files, file);
    }
    set->gone -= file->gone ? 1 : 0;
    file->gone = false;
    return file;
}

static int compare_files(const void *a, const void *b)
{
    return str_cmp((*(struct file *const *)a)->name, (*(struct file *const *)b)->name);
}

static void order_files(struct file_set *set)
{
    if (set->gone > 0) {
        size_t kept = 0;
        for (size_t i = 0; i < set->files.len; i++) {
            struct file *file = set->files.items[i];
            if (file->gone) {
                map_remove(&set->by_name, file->name);
                free_file(file);
            } else {
                set->files.items[kept++] = file;
            }
        }
        set->files.len = kept;
        set->gone = 0;
    }
    if (set->unsorted) {
        qsort(set->files.items, set->files.len, sizeof(struct file *), compare_files);
        set->unsorted = false;
    }
}

/* --- changes ------------------------------------------------------------------------------- */

void file_set_update(struct file_set *set, struct str name, struct str text)
{
    struct hash sum = hash_bytes(text);
    struct file *file = find_or_make(set, name);
    if (file->readable && hash_eq(file->sum, sum)) {
        return;
    }
    struct reading reading;
    reading_begin(set, file, &reading);
    reading_text(&reading, text);
    reading.hides = file->blind;
    file->readable = true;
    file->sum = sum;
    reading_end(&reading);
}

void file_set_unreadable(struct file_set *set, struct str name, struct str reason)
{
    struct hash sum = hash_bytes(reason);
    struct file *file = find_or_make(set, name);
    if (file->blind && !file->readable && hash_eq(file->sum, sum)) {
        return;
    }
    struct reading reading;
    reading_begin(set, file, &reading);
    reading_fail(&reading, PROBLEM_file, reason, "make it a readable UTF-8 file within the limits");
    reading.hides = true;
    file->readable = false;
    file->sum = sum;
    file->invalid = 1;
    reading_end(&reading);
}

void file_set_directory(struct file_set *set, struct str reason, const char *remedy, bool hides)
{
    struct str name = STR(FILE_SET_DIRECTORY);
    if (reason.len == 0) {
        file_set_remove(set, name);
        return;
    }
    struct reading reading;
    struct file *file = find_or_make(set, name);
    reading_begin(set, file, &reading);
    reading_fail(&reading, PROBLEM_directory, reason, remedy);
    reading.hides = hides || file->fresh;
    reading_end(&reading);
}

void file_set_remove(struct file_set *set, struct str name)
{
    struct file *file = file_set_find(set, name);
    if (file == NULL) {
        return;
    }
    struct reading reading;
    reading_begin(set, file, &reading); /* and nothing is read */
    reading_end(&reading);
    file->readable = false;
    file->gone = true;
    set->gone++;
}

/* --- the end of a batch -------------------------------------------------------------------- */

static struct file *first_fresh(const struct file_set *set)
{
    for (size_t i = 0; i < set->files.len; i++) {
        if (set->files.items[i]->fresh) {
            return set->files.items[i];
        }
    }
    panic("no file is fresh");
}

static int compare_entries(const void *a, const void *b)
{
    return str_cmp((*(struct claim_entry *const *)a)->map_key,
                   (*(struct claim_entry *const *)b)->map_key);
}

/* What vanished may have moved to where nobody can see it. */
static void keep_vanished(struct file_set *set)
{
    VEC(struct claim_entry *) vanished = {.items = NULL};
    for (size_t i = 0; i < set->claims.touched.len; i++) {
        struct claim_entry *entry = set->claims.touched.items[i];
        if (entry->claims.len == 0 && entry->in_force != NULL) {
            vec_push(&vanished, entry);
        }
    }
    if (vanished.len > 0) { /* in an order that does not depend on who told what first */
        qsort(vanished.items, vanished.len, sizeof(vanished.items[0]), compare_entries);
        struct file *keeper = first_fresh(set);
        for (size_t i = 0; i < vanished.len; i++) {
            struct claim_entry *entry = vanished.items[i];
            file_hold(set, keeper, entry->kind, entry->key, object_keep(entry->in_force));
        }
        if (set->claims.events.kept != NULL) {
            set->claims.events.kept(set->claims.events.user, keeper->name);
        }
    }
    vec_release(&vanished);
}

static void end_freshness(struct file_set *set)
{
    for (size_t i = 0; i < set->files.len; i++) {
        set->files.items[i]->fresh = false;
    }
    set->fresh = 0;
}

void file_set_settle(struct file_set *set)
{
    claims_gather(&set->claims);
    order_files(set);
    if (set->fresh > 0) {
        keep_vanished(set);
        end_freshness(set);
    }
    claims_settle(&set->claims);
}
