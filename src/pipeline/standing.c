/* SPDX-License-Identifier: Apache-2.0 */
/* standing: see standing.h. */
#include "pipeline/standing.h"

#include "base/log.h"
#include "codec/doc.h"
#include "codec/json.h"
#include "ir/graph.h"
#include "model/gateway.h"

/* The key of the object's own table, of which fault_key() made the fault's. */
static struct str own_key(struct str key, enum kind_id kind)
{
    return kind_info(kind)->route ? key : str_sub(key, str_index(key, '/') + 1, key.len);
}

static const struct object *object_of(const struct engine *engine, struct str key,
                                      const struct row *row)
{
    enum kind_id kind = (enum kind_id)((const struct fault *)row)->kind;
    return (const struct object *)engine_get(engine, mesh_table(kind), own_key(key, kind));
}

static bool is_unclear(const struct mesh *mesh, struct arena *scratch, enum kind_id kind,
                       struct str ns, struct str name)
{
    struct str key = object_key_of(scratch, kind, ns, name);
    const struct row *row = engine_get(mesh_engine(mesh), mesh_table(kind), key);
    if (mesh_fault(mesh, kind, key) != NULL) {
        return true;
    }
    if (kind == KIND_GATEWAY && row != NULL) {
        return is_unclear(mesh, scratch, KIND_GATEWAYCLASS, STR_NULL,
                          ((const struct gateway *)row)->class);
    }
    if (kind == KIND_LISTENERSET && row != NULL) {
        const struct named_ref *parent = &((const struct listener_set *)row)->parent;
        return is_unclear(mesh, scratch, KIND_GATEWAY, parent->ns.len > 0 ? parent->ns : ns,
                          parent->name);
    }
    return false;
}

bool standing_unclear(const struct mesh *mesh, enum kind_id kind, struct str ns, struct str name)
{
    struct arena scratch;
    arena_init_sized(&scratch, 3 * OBJECT_KEY_MAX);
    bool unclear = is_unclear(mesh, &scratch, kind, ns, name);
    arena_release(&scratch);
    return unclear;
}

struct walk {
    const struct engine *engine;
    size_t missing;
    struct buf *out;
};

static void count_missing(void *user, struct str key, const struct row *row)
{
    struct walk *walk = user;
    walk->missing += object_of(walk->engine, key, row) == NULL;
}

size_t standing_missing(const struct mesh *mesh)
{
    struct walk walk = {.engine = mesh_engine(mesh)};
    if (mesh_faults(mesh) > 0) {
        engine_each(walk.engine, T_FAULT, count_missing, &walk);
    }
    return walk.missing;
}

/* NULL: this is no such object, whoever wrote the line. One reference. */
static struct object *read_line(struct arena *arena, struct str line)
{
    struct doc *docs;
    size_t len;
    struct problems problems;
    doc_parse(arena, line, &docs, &len);
    const struct doc_node *root = len == 1 ? docs[0].root : NULL;
    struct str api = doc_text(root, STR("apiVersion"));
    size_t slash = str_index(api, '/');
    struct str group = slash < api.len ? str_sub(api, 0, slash) : STR_NULL;
    const struct kind_info *info = kind_find(group, doc_text(root, STR("kind")));
    problems_init(&problems, arena);
    return info != NULL ? object_read_stored(info->id, root, &problems) : NULL;
}

static void tell_one(void *user, struct str key, const struct row *row)
{
    struct walk *walk = user;
    const struct object *object = object_of(walk->engine, key, row);
    struct arena scratch;
    struct buf line;
    struct json json;
    if (object == NULL || kind_info(object->kind)->secret) {
        return;
    }
    arena_init(&scratch);
    buf_init(&line, BUF_UNLIMITED);
    json_init(&json, &line, 0);
    object_dump(object, &json);
    struct object *again = read_line(&scratch, buf_str(&line));
    if (again != NULL && object_equal(&again->row, &object->row)) {
        buf_add_str(walk->out, buf_str(&line));
        buf_add_byte(walk->out, '\n');
    }
    row_unref(again != NULL ? &again->row : NULL, NULL);
    buf_release(&line);
    arena_release(&scratch);
}

void standing_tell(const struct mesh *mesh, struct buf *out)
{
    struct walk walk = {.engine = mesh_engine(mesh), .out = out};
    engine_each(walk.engine, T_FAULT, tell_one, &walk);
}

/* Takes the reference. */
static bool take_one(struct mesh *mesh, struct object *object)
{
    struct arena scratch;
    arena_init_sized(&scratch, OBJECT_KEY_MAX);
    bool taken = mesh_put_standing(mesh, object, object_key(&scratch, object));
    if (taken) { /* then it is the mesh's, until the next turn at least */
        log_at(LOG_INFO, "source", "another replica tells what is in force of an object",
               KV_TEXT("kind", kind_info(object->kind)->kind), KV("ns", object->meta.ns),
               KV("name", object->meta.name), KV_INT("generation", object->meta.generation));
    }
    arena_release(&scratch);
    return taken;
}

size_t standing_take(struct mesh *mesh, struct str text)
{
    struct arena scratch;
    size_t taken = 0;
    arena_init(&scratch);
    while (text.len > 0) {
        struct str line = str_cut(&text, '\n');
        arena_reset(&scratch);
        struct object *object = line.len > 0 ? read_line(&scratch, line) : NULL;
        taken += object != NULL && take_one(mesh, object);
    }
    arena_release(&scratch);
    return taken;
}
