/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_set_reading: what does the text of a file claim, compared with what it claimed before?
 *
 * Each document, and each item of a List, becomes one claim. A broken one is given the version that
 * the file had: the first of them, which is the one in force if any is. What the file had and does
 * not claim again goes, unless the file is blind: a document of it has no identity, or not all of
 * it was read.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "codec/doc.h"
#include "source/file_set_internal.h"

/* --- problems ------------------------------------------------------------------------------ */

static bool is_known_kind(struct reading *reading, const struct problem *problem)
{
    if (map_get(&reading->kinds, problem->text) != NULL) {
        return true;
    }
    char *copy = str_dup(problem->text);
    map_put(&reading->kinds, str_span(copy, problem->text.len), copy);
    return false;
}

static void list_problem(struct file *file, const struct problem *problem)
{
    struct problem copy = *problem;
    copy.path = arena_str(&file->arena, problem->path);
    copy.object = arena_str(&file->arena, problem->object);
    copy.text = arena_str(&file->arena, problem->text);
    copy.remedy = arena_str(&file->arena, problem->remedy);
    vec_push(&file->problems, copy);
}

/* A kind that is not served is named once in a file: on the first of its documents. */
static void take_problems(struct reading *reading, const struct problems *problems)
{
    for (size_t i = 0; i < problems->len; i++) {
        const struct problem *problem = &problems->items[i];
        if (problem->code == PROBLEM_unknown_kind && is_known_kind(reading, problem)) {
            continue;
        }
        if (reading->file->problems.len < FILE_PROBLEMS_MAX) {
            list_problem(reading->file, problem);
            continue;
        }
        const struct problem *first = &reading->first_beyond;
        if (reading->unlisted++ == 0 || (problem_is_error(problem) && !problem_is_error(first))) {
            reading->first_beyond = (struct problem){
                .code = problem->code, .line = problem->line, .column = problem->column};
        }
    }
}

/* One problem stands for all that are not listed. */
static void count_unlisted(struct reading *reading)
{
    if (reading->unlisted > 0) {
        struct problem *problem = &reading->first_beyond;
        problem->text =
            arena_printf(&reading->scratch, "there are %zu more problems in this file, not listed",
                         reading->unlisted);
        list_problem(reading->file, problem);
    }
}

/* --- claims -------------------------------------------------------------------------------- */

/* The entry's part for this reading. */
static void look_at(const struct reading *reading, struct claim_entry *entry)
{
    if (entry->reading.number != reading->set->readings) {
        entry->reading.number = reading->set->readings;
        entry->reading.old = NULL;
        entry->reading.again = false;
    }
}

/* The version that a broken document stands for: the first that its file had and that no other
 * document before it stands for. So of an object that is written twice and breaks twice, what was
 * in force stays. */
static struct object *last_good(struct claim_entry *entry)
{
    struct claim *old = entry->reading.old;
    if (old == NULL) {
        return NULL;
    }
    entry->reading.old = old->next_old;
    struct object *object = old->object;
    old->object = NULL; /* moved: the old claim is past */
    return object;
}

static struct claim *make_claim(struct file *file, uint32_t nth)
{
    struct claim *claim = xcalloc(1, sizeof(*claim));
    claim->file = file->name;
    claim->nth = nth;
    return claim;
}

static void take_result(struct reading *reading, const struct doc_node *node,
                        const struct object_result *result, const struct problems *problems)
{
    struct file *file = reading->file;
    take_problems(reading, problems);
    bool broken = problems->errors > 0;
    file->invalid += broken ? 1 : 0;
    if (result->key.len == 0) {
        file->blind |= broken;
        return;
    }
    struct claim *claim = make_claim(file, reading->nth++);
    claim->line = node != NULL ? node->line : 0;
    claim->column = node != NULL ? node->column : 0;
    claim->broken = broken;
    claims_add(&reading->set->claims, result->kind, result->key, claim);
    look_at(reading, claim->entry);
    claim->entry->reading.again = true;
    claim->object = result->object != NULL ? result->object : last_good(claim->entry);
    vec_push(&file->claims, claim);
}

void file_hold(struct file_set *set, struct file *file, enum kind_id kind, struct str key,
               struct object *object)
{
    struct claim *claim = make_claim(file, (uint32_t)file->claims.len);
    claim->held = true;
    claim->object = object;
    claims_add(&set->claims, kind, key, claim);
    vec_push(&file->claims, claim);
}

/* --- documents ----------------------------------------------------------------------------- */

static void begin_object(struct reading *reading, struct problems *problems)
{
    arena_reset(&reading->scratch);
    problems_init(problems, &reading->scratch);
}

/* False, and a problem the first time, when no more objects are read of this file. */
static bool has_room(struct reading *reading, const struct doc_node *node)
{
    if (reading->objects < FILE_OBJECTS_MAX) {
        reading->objects++;
        return true;
    }
    if (reading->objects++ == FILE_OBJECTS_MAX) {
        struct problems problems;
        begin_object(reading, &problems);
        problems_report(&problems, PROBLEM_file, node != NULL ? node->line : 0,
                        node != NULL ? node->column : 0, STR_NULL, STR("split it"),
                        "the file has more than %d objects; those from here on are not read",
                        FILE_OBJECTS_MAX);
        take_result(reading, node, &(struct object_result){.kind = KIND_COUNT}, &problems);
    }
    return false;
}

/* Returns false when the file is full. */
static bool read_node(struct reading *reading, const struct doc_node *node)
{
    struct problems problems;
    struct object_result result = {.kind = KIND_COUNT};
    const struct doc_node *items;
    begin_object(reading, &problems);
    if (object_list_read(node, &problems, &items)) {
        if (problems.errors > 0) {
            take_result(reading, node, &result, &problems);
        }
        bool room = true; /* Lists may hold Lists, DOC_DEPTH_MAX deep */
        for (uint32_t i = 0; room && items != NULL && i < items->len; i++) {
            room = read_node(reading, items->items[i]);
        }
        return room;
    }
    if (!has_room(reading, node)) {
        return false;
    }
    object_read_node(node, reading->file->name, &problems, &result);
    take_result(reading, node, &result, &problems);
    return true;
}

/* A document that is not well-formed: what it was to be is only made out. */
static bool read_wreck(struct reading *reading, const struct doc *doc)
{
    struct problems problems;
    struct object_result result;
    if (!has_room(reading, doc->mended)) {
        return false;
    }
    begin_object(reading, &problems);
    object_read(doc, reading->file->name, &problems, &result);
    take_result(reading, doc->mended, &result, &problems);
    return true;
}

void reading_text(struct reading *reading, struct str text)
{
    struct arena arena;
    arena_init(&arena);
    struct doc *docs;
    size_t len;
    bool room = true;
    doc_parse(&arena, text, &docs, &len);
    for (size_t i = 0; room && i < len; i++) {
        room =
            docs[i].root != NULL ? read_node(reading, docs[i].root) : read_wreck(reading, &docs[i]);
    }
    arena_release(&arena);
}

void reading_fail(struct reading *reading, enum problem_code code, struct str reason,
                  const char *remedy)
{
    struct problems problems;
    begin_object(reading, &problems);
    problems_report(&problems, code, 0, 0, STR_NULL, str_from(remedy), "%.*s", STR_FMT(reason));
    take_problems(reading, &problems);
    reading->file->blind = true;
}

/* --- begin and end ------------------------------------------------------------------------- */

static void forget_problems(struct file_set *set, struct file *file)
{
    set->problems -= file->problems.len;
    vec_clear(&file->problems);
    arena_release(&file->arena);
    arena_init_sized(&file->arena, FILE_ARENA_FIRST);
    set->invalid -= file->invalid;
    file->invalid = 0;
}

void reading_begin(struct file_set *set, struct file *file, struct reading *reading)
{
    *reading = (struct reading){.set = set, .file = file};
    arena_init(&reading->scratch);
    set->readings++;
    forget_problems(set, file);
    file->blind = false;
    reading->nold = file->claims.len;
    for (size_t i = reading->nold; i-- > 0;) { /* so that the first one comes first */
        struct claim *claim = file->claims.items[i];
        claim->past = true;
        look_at(reading, claim->entry);
        if (claim->object != NULL) {
            claim->next_old = claim->entry->reading.old;
            claim->entry->reading.old = claim;
        }
    }
}

static void set_fresh(struct file_set *set, struct file *file, bool fresh)
{
    set->fresh += fresh ? 1 : 0;
    set->fresh -= file->fresh ? 1 : 0;
    file->fresh = fresh;
}

static void free_texts(struct map *map)
{
    for (size_t i = map_next(map, 0); i < map->cap; i = map_next(map, i + 1)) {
        free(map->slots[i].value);
    }
    map_release(map);
}

void reading_end(struct reading *reading)
{
    struct file_set *set = reading->set;
    struct file *file = reading->file;
    for (size_t i = 0; i < reading->nold; i++) {
        struct claim *old = file->claims.items[i];
        struct claim_entry *entry = old->entry;
        if (file->blind && old->object != NULL && !entry->reading.again) {
            entry->reading.again = true;
            file_hold(set, file, entry->kind, entry->key, old->object);
            old->object = NULL; /* moved */
        }
        claims_touch(&set->claims, entry);
    }
    size_t kept = 0;
    for (size_t i = reading->nold; i < file->claims.len; i++) {
        file->claims.items[kept++] = file->claims.items[i];
    }
    file->claims.len = kept;
    count_unlisted(reading);
    set->problems += file->problems.len;
    set->invalid += file->invalid;
    file->known |= file->invalid == 0 && !file->blind;
    set_fresh(set, file, reading->hides);
    free_texts(&reading->kinds);
    arena_release(&reading->scratch);
}
