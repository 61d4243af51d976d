/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_set_state: last good objects as text and back.
 *
 *   {"apiVersion":…,"kind":"Service",…}\n      one line for each object, in the file's order; a
 *   {"apiVersion":…,"kind":"HTTPRoute",…}\n    file without objects is one empty line
 *
 * Each line is a document of its own, so that the limits of a document hold for an object and not
 * for all that a file has.
 */
#include "codec/doc.h"
#include "codec/json.h"
#include "source/file_set_internal.h"

static void save_object(const struct object *object, struct buf *out)
{
    struct json json;
    json_init(&json, out, 0);
    object_dump(object, &json);
    buf_add_byte(out, '\n');
}

/* Of an object that stands in the file more than once, the first version is the last good one. */
void file_set_save(const struct file_set *set, struct str name, struct buf *out)
{
    const struct file *file = file_set_find(set, name);
    struct map seen = {.slots = NULL};
    size_t begin = out->len;
    for (size_t i = 0; file != NULL && i < file->claims.len; i++) {
        const struct claim *claim = file->claims.items[i];
        if (claim->object != NULL &&
            (set->claims.duplicates == 0 ||
             map_put(&seen, claim->entry->map_key, claim->entry) == NULL)) {
            save_object(claim->object, out);
        }
    }
    if (file != NULL && out->len == begin) {
        buf_add_byte(out, '\n');
    }
    map_release(&seen);
}

/* --- reading what was kept ----------------------------------------------------------------- */

/* Takes the object's reference. */
typedef void restore_fn(struct file_set *set, struct file *file, struct object *object,
                        enum kind_id kind, struct str key);

/* False when the line is not an object that this heddle accepts. */
static bool restore_line(struct file_set *set, struct file *file, struct str line,
                         struct arena *arena, restore_fn *restore)
{
    struct doc *docs;
    size_t len;
    doc_parse(arena, line, &docs, &len);
    if (len != 1 || docs[0].root == NULL) {
        return false;
    }
    struct problems problems;
    struct object_result result;
    problems_init(&problems, arena);
    object_read_node(docs[0].root, file != NULL ? file->name : STR_NULL, &problems, &result);
    if (result.object == NULL) {
        return false;
    }
    restore(set, file, result.object, result.kind, result.key);
    return true;
}

/* False when not all of it could be brought back. */
static bool restore_text(struct file_set *set, struct file *file, struct str text,
                         restore_fn *restore)
{
    struct arena arena;
    bool whole = text.len > 0;
    arena_init(&arena);
    while (text.len > 0) {
        struct str line = str_cut(&text, '\n');
        if (line.len > 0) {
            arena_reset(&arena);
            whole &= restore_line(set, file, line, &arena, restore);
        }
    }
    arena_release(&arena);
    return whole;
}

/* --- to the same file ---------------------------------------------------------------------- */

static struct claim *find_broken(const struct file *file, const struct claim_entry *entry)
{
    for (size_t i = 0; entry != NULL && i < entry->claims.len; i++) {
        struct claim *claim = entry->claims.items[i];
        if (claim->object == NULL && (file == NULL || str_eq(claim->file, file->name))) {
            return claim;
        }
    }
    return NULL;
}

static void restore_own(struct file_set *set, struct file *file, struct object *object,
                        enum kind_id kind, struct str key)
{
    struct claim_entry *entry = claims_find(&set->claims, kind, key);
    struct claim *broken = find_broken(file, entry);
    if (broken != NULL) {
        broken->object = object;
        claims_touch(&set->claims, entry);
    } else if (entry == NULL && file->blind) {
        file_hold(set, file, kind, key, object);
    } else {
        object_drop(object);
    }
}

void file_set_restore(struct file_set *set, struct str name, struct str state)
{
    struct file *file = file_set_find(set, name);
    if (file != NULL && (file->invalid > 0 || file->blind)) {
        file->known |= restore_text(set, file, state, restore_own);
    }
}

/* --- from one file to another -------------------------------------------------------------- */

static bool is_lacking(const struct claim_entry *entry)
{
    for (size_t i = 0; i < entry->claims.len; i++) {
        if (entry->claims.items[i]->object != NULL) {
            return false;
        }
    }
    return true;
}

/* file: the first blind one, or NULL. */
static void restore_moved(struct file_set *set, struct file *file, struct object *object,
                          enum kind_id kind, struct str key)
{
    struct claim_entry *entry = claims_find(&set->claims, kind, key);
    if (entry != NULL && is_lacking(entry)) {
        find_broken(NULL, entry)->object = object;
        claims_touch(&set->claims, entry);
    } else if (entry == NULL && file != NULL) {
        file_hold(set, file, kind, key, object);
    } else {
        object_drop(object);
    }
}

static struct file *first_blind(const struct file_set *set)
{
    for (size_t i = 0; i < set->files.len; i++) {
        if (set->files.items[i]->blind) {
            return set->files.items[i];
        }
    }
    return NULL;
}

void file_set_restore_moved(struct file_set *set, struct str state)
{
    restore_text(set, first_blind(set), state, restore_moved);
}

bool file_set_lacks(const struct file_set *set)
{
    for (size_t i = 0; i < set->files.len; i++) {
        const struct file *file = set->files.items[i];
        if (file->blind) {
            return true;
        }
        for (size_t j = 0; file->invalid > 0 && j < file->claims.len; j++) {
            if (file->claims.items[j]->entry->in_force == NULL) {
                return true;
            }
        }
    }
    return false;
}
