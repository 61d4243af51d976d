/* SPDX-License-Identifier: Apache-2.0 */
/* objects: YAML of a scenario into the mesh. */
#include "objects.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/panic.h"
#include "codec/doc.h"
#include "model/problem.h"

char *read_beside(const char *beside, struct str name)
{
    struct str folder = str_from(beside);
    size_t slash = str_rindex(folder, '/');
    struct buf path, text;
    buf_init(&path, BUF_UNLIMITED);
    buf_init(&text, DOC_BYTES_MAX);
    buf_printf(&path, "%.*s%.*s", STR_FMT(str_sub(folder, 0, slash < folder.len ? slash + 1 : 0)),
               STR_FMT(name));
    char *file_name = buf_steal(&path, NULL);
    FILE *file = fopen(file_name, "r");
    free(file_name);
    if (file == NULL) {
        return NULL;
    }
    char chunk[4096];
    for (size_t len = fread(chunk, 1, sizeof(chunk), file); len > 0;
         len = fread(chunk, 1, sizeof(chunk), file)) {
        buf_add(&text, chunk, len);
    }
    (void)fclose(file);
    return buf_steal(&text, NULL);
}

/* NULL and the reason when the document is not valid. */
static struct object *read_object(const struct doc *doc, struct arena *arena, char *why, size_t max)
{
    struct problems problems;
    struct object_result result;
    problems_init(&problems, arena);
    object_read(doc, STR("script"), &problems, &result);
    if (result.object == NULL) {
        struct str text = problems.len > 0 ? problems.items[0].text : STR("it is no object");
        (void)snprintf(why, max, "%.*s: %.*s", STR_FMT(result.ident), STR_FMT(text));
    }
    return result.object;
}

void objects_put(struct mesh *mesh, struct str yaml, char *why, size_t max)
{
    struct arena arena;
    struct doc *docs;
    size_t len;
    arena_init(&arena);
    doc_parse(&arena, yaml, &docs, &len);
    for (size_t i = 0; i < len; i++) {
        struct object *object = read_object(&docs[i], &arena, why, max);
        if (object != NULL) {
            mesh_put(mesh, object, object_key(&arena, object));
        }
    }
    arena_release(&arena);
}

static struct str table_key(struct arena *arena, enum kind_id kind, struct str key)
{
    return kind_info(kind)->route
               ? arena_printf(arena, "%s/%.*s", kind_info(kind)->kind, STR_FMT(key))
               : key;
}

bool objects_remove(struct mesh *mesh, struct str kind, struct str key)
{
    const struct kind_info *info = kind_find_any_group(kind);
    if (info == NULL) {
        return false;
    }
    struct arena arena;
    arena_init(&arena);
    mesh_remove(mesh, info->id, table_key(&arena, info->id, key));
    arena_release(&arena);
    return true;
}

void objects_each_step(struct mesh *mesh, struct str yaml, char *why, size_t max,
                       void (*settle)(void *user), void *user)
{
    struct arena arena;
    struct doc *docs;
    size_t len;
    arena_init(&arena);
    doc_parse(&arena, yaml, &docs, &len);
    struct str *keys = ARENA_ARRAY(&arena, len, struct str);
    enum kind_id *kinds = ARENA_ARRAY(&arena, len, enum kind_id);
    for (size_t i = len; i > 0; i--) {
        struct object *object = read_object(&docs[i - 1], &arena, why, max);
        if (object == NULL) {
            break;
        }
        keys[i - 1] = object_key(&arena, object);
        kinds[i - 1] = object->kind;
        mesh_put(mesh, object, keys[i - 1]);
        settle(user);
    }
    for (size_t i = 0; i < len && why[0] == '\0'; i++) {
        mesh_remove(mesh, kinds[i], keys[i]);
        settle(user);
    }
    arena_release(&arena);
}
