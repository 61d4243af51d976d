/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_set: texts of files in, objects in force and problems out.
 *
 * A file's documents become claims (source/claims.h). The order of events never matters: what is
 * in force follows from the present texts and from the last good versions alone.
 */
#include "source/file_set.h"

#include <inttypes.h>
#include <stdlib.h>

#include "codec/doc.h"
#include "codec/json.h"
#include "source/claims.h"

/* Few files have problems to tell, and there may be thousands of files. */
#define FILE_ARENA_FIRST 256

/* What one file says. */
struct file {
    struct str name;              /* owned */
    struct arena arena;           /* of the problems */
    VEC(struct claim *) claims;   /* owned by set->claims */
    VEC(struct problem) problems; /* of all documents */
    size_t invalid;               /* documents with an error */
    bool nameless;                /* one of them could be any object */
    bool unreadable;
    bool known; /* its last good objects are known: it was once without errors, or restored */
};

struct file_set {
    VEC(struct file *) files; /* by name */
    struct claims claims;
    size_t invalid;  /* of all files, without duplicates */
    size_t problems; /* of all files, without duplicates */
};

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
    free(set);
}

/* --- files by name ------------------------------------------------------------------------- */

/* Where the file is, or would be. */
static size_t find_place(const struct file_set *set, struct str name, bool *ret_found)
{
    size_t low = 0, high = set->files.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(set->files.items[middle]->name, name);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    *ret_found = false;
    return low;
}

static struct file *find_file(const struct file_set *set, struct str name)
{
    bool found;
    size_t at = find_place(set, name, &found);
    return found ? set->files.items[at] : NULL;
}

static struct file *find_or_make_file(struct file_set *set, struct str name)
{
    bool found;
    size_t at = find_place(set, name, &found);
    if (found) {
        return set->files.items[at];
    }
    struct file *file = xcalloc(1, sizeof(*file));
    file->name = str_span(str_dup(name), name.len);
    arena_init_sized(&file->arena, FILE_ARENA_FIRST);
    vec_reserve(&set->files, set->files.len + 1);
    for (size_t i = set->files.len++; i > at; i--) {
        set->files.items[i] = set->files.items[i - 1];
    }
    set->files.items[at] = file;
    return file;
}

/* --- reading documents --------------------------------------------------------------------- */

struct reading {
    struct file_set *set;
    struct file *file;
    VEC(struct claim *) old; /* what the file claimed before */
    struct map by_entry;     /* map_key -> one of old */
    uint32_t nth;
};

static bool is_known_problem(const struct file *file, const struct problem *problem)
{
    for (size_t i = 0; i < file->problems.len; i++) {
        const struct problem *other = &file->problems.items[i];
        if (other->code == problem->code && str_eq(other->text, problem->text)) {
            return true;
        }
    }
    return false;
}

/* A kind that is not served is named once in a file: on the first of its documents. */
static void take_problems(struct file *file, const struct problems *problems)
{
    for (size_t i = 0; i < problems->len; i++) {
        const struct problem *problem = &problems->items[i];
        if (problem->code != PROBLEM_unknown_kind || !is_known_problem(file, problem)) {
            vec_push(&file->problems, *problem);
        }
    }
}

/* The version that a broken document stands for: the one its file had. */
static struct object *last_good(struct reading *reading, enum kind_id kind, struct str key)
{
    const struct claim_entry *entry = claims_find(&reading->set->claims, kind, key);
    struct claim *old = entry != NULL ? map_get(&reading->by_entry, entry->map_key) : NULL;
    if (old == NULL || old->object == NULL) {
        return NULL;
    }
    struct object *object = old->object;
    old->object = NULL; /* moved: the old claim is dropped soon */
    return object;
}

static void take_result(struct reading *reading, const struct doc_node *node,
                        const struct object_result *result, const struct problems *problems)
{
    struct file *file = reading->file;
    take_problems(file, problems);
    bool broken = problems->errors > 0;
    file->invalid += broken ? 1 : 0;
    if (result->key.len == 0) {
        file->nameless |= broken;
        return;
    }
    struct claim *claim = xcalloc(1, sizeof(*claim));
    claim->file = file->name;
    claim->line = node != NULL ? node->line : 0;
    claim->column = node != NULL ? node->column : 0;
    claim->nth = reading->nth++;
    claim->broken = broken;
    claim->object =
        result->object != NULL ? result->object : last_good(reading, result->kind, result->key);
    claims_add(&reading->set->claims, result->kind, result->key, claim);
    vec_push(&file->claims, claim);
}

static void read_items(struct reading *reading, const struct doc_node *items)
{
    for (uint32_t i = 0; i < items->len; i++) {
        struct problems problems;
        struct object_result result;
        problems_init(&problems, &reading->file->arena);
        object_read_node(items->items[i], reading->file->name, &problems, &result);
        take_result(reading, items->items[i], &result, &problems);
    }
}

static void read_doc(struct reading *reading, const struct doc *doc)
{
    const struct doc_node *items = doc->root != NULL ? object_list_items(doc->root) : NULL;
    if (items != NULL) {
        read_items(reading, items);
        return;
    }
    struct problems problems;
    struct object_result result;
    problems_init(&problems, &reading->file->arena);
    object_read(doc, reading->file->name, &problems, &result);
    take_result(reading, doc->root != NULL ? doc->root : doc->mended, &result, &problems);
}

/* --- exchanging what a file claims --------------------------------------------------------- */

/* Takes the present claims off the file, to be compared with the new ones. */
static void begin_reading(struct file_set *set, struct file *file, struct reading *reading)
{
    *reading = (struct reading){.set = set, .file = file};
    for (size_t i = 0; i < file->claims.len; i++) {
        struct claim *claim = file->claims.items[i];
        vec_push(&reading->old, claim);
        if (claim->object != NULL) {
            map_put(&reading->by_entry, claim->entry->map_key, claim);
        }
    }
    vec_clear(&file->claims);
    set->problems -= file->problems.len;
    vec_clear(&file->problems);
    arena_release(&file->arena);
    arena_init_sized(&file->arena, FILE_ARENA_FIRST);
    set->invalid -= file->invalid;
    file->invalid = 0;
    file->nameless = file->unreadable = false;
}

static bool is_claimed_again(const struct file *file, const struct claim *old)
{
    const struct claim_entry *entry = old->entry;
    for (size_t i = 0; i < entry->claims.len; i++) {
        const struct claim *claim = entry->claims.items[i];
        if (!claim->past && str_eq(claim->file, file->name) && !claim->held) {
            return true;
        }
    }
    return false;
}

static void hold(struct reading *reading, const struct claim *old)
{
    struct claim *claim = xcalloc(1, sizeof(*claim));
    *claim = *old;
    claim->held = true;
    claim->past = false;
    claim->broken = false;
    claim->nth = reading->nth++;
    row_ref(&claim->object->row);
    claims_add(&reading->set->claims, old->entry->kind, old->entry->key, claim);
    vec_push(&reading->file->claims, claim);
}

/* Lets the old claims go, but keeps the objects that a nameless document may be. */
static void end_reading(struct reading *reading)
{
    struct file *file = reading->file;
    struct claims *claims = &reading->set->claims;
    for (size_t i = 0; i < reading->old.len; i++) {
        reading->old.items[i]->past = true;
    }
    for (size_t i = 0; i < reading->old.len; i++) {
        struct claim *old = reading->old.items[i];
        bool vanished = old->object != NULL && !is_claimed_again(file, old);
        if (vanished && (file->nameless || file->unreadable)) {
            hold(reading, old);
        }
    }
    for (size_t i = 0; i < reading->old.len; i++) {
        claims_drop(claims, reading->old.items[i]);
    }
    vec_release(&reading->old);
    map_release(&reading->by_entry);
    reading->set->invalid += file->invalid;
    reading->set->problems += file->problems.len;
    file->known |= file->invalid == 0;
    claims_settle(claims);
}

void file_set_update(struct file_set *set, struct str name, struct str text)
{
    struct reading reading;
    begin_reading(set, find_or_make_file(set, name), &reading);
    struct arena arena;
    arena_init(&arena);
    struct doc *docs;
    size_t len;
    doc_parse(&arena, text, &docs, &len);
    for (size_t i = 0; i < len; i++) {
        read_doc(&reading, &docs[i]);
    }
    end_reading(&reading);
    arena_release(&arena);
}

void file_set_unreadable(struct file_set *set, struct str name, struct str reason)
{
    struct reading reading;
    struct file *file = find_or_make_file(set, name);
    begin_reading(set, file, &reading);
    struct problems problems;
    problems_init(&problems, &file->arena);
    problems_report(&problems, PROBLEM_file, 0, 0, STR_NULL,
                    STR("make it a readable UTF-8 file within the limits"), "%.*s",
                    STR_FMT(problem_quote(&file->arena, reason)));
    take_problems(file, &problems);
    file->unreadable = true;
    file->invalid = 1;
    end_reading(&reading);
}

void file_set_remove(struct file_set *set, struct str name)
{
    bool found;
    size_t at = find_place(set, name, &found);
    if (!found) {
        return;
    }
    struct file *file = set->files.items[at];
    for (size_t i = 0; i < file->claims.len; i++) {
        claims_drop(&set->claims, file->claims.items[i]);
    }
    claims_settle(&set->claims);
    set->invalid -= file->invalid;
    set->problems -= file->problems.len;
    set->files.len--;
    for (; at < set->files.len; at++) {
        set->files.items[at] = set->files.items[at + 1];
    }
    free_file(file);
}

/* --- state --------------------------------------------------------------------------------- */

static struct claim *find_broken(const struct file *file, const struct claim_entry *entry)
{
    for (size_t i = 0; entry != NULL && i < entry->claims.len; i++) {
        struct claim *claim = entry->claims.items[i];
        if (claim->object == NULL && str_eq(claim->file, file->name)) {
            return claim;
        }
    }
    return NULL;
}

/* Takes the object's reference. */
static void restore_object(struct file_set *set, struct file *file, struct object *object,
                           enum kind_id kind, struct str key)
{
    struct claim_entry *entry = claims_find(&set->claims, kind, key);
    struct claim *broken = find_broken(file, entry);
    if (broken != NULL) {
        broken->object = object;
        claims_touch(&set->claims, entry);
    } else if (entry == NULL && (file->nameless || file->unreadable)) {
        struct claim *claim = xcalloc(1, sizeof(*claim));
        *claim = (struct claim){.file = file->name, .held = true, .object = object};
        claim->nth = (uint32_t)file->claims.len;
        claims_add(&set->claims, kind, key, claim);
        vec_push(&file->claims, claim);
    } else {
        object_drop(object);
    }
}

void file_set_restore(struct file_set *set, struct str name, struct str state_json)
{
    struct file *file = find_file(set, name);
    if (file == NULL || file->invalid == 0) {
        return;
    }
    struct arena arena;
    arena_init(&arena);
    struct doc *docs;
    size_t len;
    doc_parse(&arena, state_json, &docs, &len);
    const struct doc_node *items =
        len == 1 && docs[0].root != NULL ? object_list_items(docs[0].root) : NULL;
    for (uint32_t i = 0; items != NULL && i < items->len; i++) {
        struct problems problems;
        struct object_result result;
        problems_init(&problems, &arena);
        object_read_node(items->items[i], name, &problems, &result);
        if (result.object != NULL) {
            restore_object(set, file, result.object, result.kind, result.key);
        }
    }
    file->known |= items != NULL;
    claims_settle(&set->claims);
    arena_release(&arena);
}

void file_set_save(const struct file_set *set, struct str name, struct buf *out)
{
    const struct file *file = find_file(set, name);
    if (file == NULL) {
        return;
    }
    struct json json;
    json_init(&json, out, 0);
    json_open(&json, '{');
    json_key(&json, "apiVersion");
    json_text(&json, "v1");
    json_key(&json, "kind");
    json_text(&json, "List");
    json_key(&json, "items");
    json_open(&json, '[');
    for (size_t i = 0; i < file->claims.len; i++) {
        const struct claim *claim = file->claims.items[i];
        if (claim->object != NULL && claim->object == claim->entry->in_force) {
            object_dump(claim->object, &json);
        }
    }
    json_close(&json, ']');
    json_close(&json, '}');
}

/* --- problems ------------------------------------------------------------------------------ */

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
                        ", which comes first and is in force",
                        kind, STR_FMT(name), STR_FMT(first->file), first->line);
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
            visit_file(file, &arena, visit, user);
        }
    }
    arena_release(&arena);
}

bool file_set_has_errors(const struct file_set *set, struct str name)
{
    const struct file *file = find_file(set, name);
    return file != NULL && file->invalid > 0;
}

size_t file_set_invalid(const struct file_set *set)
{
    return set->invalid + set->claims.duplicates;
}

static bool is_incomplete(const struct file *file)
{
    if (file->known || file->invalid == 0) {
        return false;
    }
    if (file->nameless || file->unreadable) {
        return true;
    }
    for (size_t i = 0; i < file->claims.len; i++) {
        if (file->claims.items[i]->entry->in_force == NULL) {
            return true;
        }
    }
    return false;
}

bool file_set_incomplete(const struct file_set *set)
{
    for (size_t i = 0; i < set->files.len && set->invalid > 0; i++) {
        if (is_incomplete(set->files.items[i])) {
            return true;
        }
    }
    return false;
}
