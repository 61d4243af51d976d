/* SPDX-License-Identifier: Apache-2.0 */
/* fault: what can be told of an object that cannot be read? */
#include "model/fault.h"

#include "base/panic.h"
#include "model/route_schema.h"

static const struct field fault_fields[] = {
    FIELD(INT, "kind", struct fault, kind),
    FIELD(STR, "namespace", struct fault, ns),
    FIELD(STR, "name", struct fault, name),
    FIELD(INT64, "generation", struct fault, generation),
    FIELD(STR, "path", struct fault, path),
    FIELD(STR, "text", struct fault, text),
    FIELD(STR, "remedy", struct fault, remedy),
    FIELD(LIST, "parents", struct fault, parents, .schema = &parent_ref_schema),
    FIELD_END,
};
static const struct schema fault_schema = {
    .name = "a fault", .size = sizeof(struct fault), .fields = fault_fields};

bool fault_equal(const struct row *a, const struct row *b)
{
    return field_equal(&fault_schema, a, b);
}

struct str fault_key(struct arena *arena, enum kind_id kind, struct str key)
{
    const struct kind_info *info = kind_info(kind);
    return info->route ? key : arena_printf(arena, "%s/%.*s", info->kind, STR_FMT(key));
}

/* A targetRef has the fields of a parentRef, as far as they are read. */
static void read_parents(struct fault *fault, const struct doc_node *object)
{
    const struct doc_node *spec = doc_get(object, STR("spec"));
    const struct doc_node *list = doc_get(spec, STR("parentRefs"));
    list = list != NULL ? list : doc_get(spec, STR("targetRefs"));
    if (list == NULL || list->type != DOC_SEQUENCE || list->len > ROUTE_PARENTS_MAX) {
        return;
    }
    struct arena scratch;
    arena_init(&scratch);
    fault->parents.items = ARENA_ARRAY(&fault->row.arena, list->len, struct parent_ref);
    for (uint32_t i = 0; i < list->len; i++) {
        struct problems ignored;
        struct parent_ref ref = {.line = 0};
        problems_init(&ignored, &scratch);
        if (field_read_stored(&parent_ref_schema, &ref, list->items[i], &fault->row.arena,
                              &ignored)) {
            fault->parents.items[fault->parents.len++] = ref;
        }
    }
    arena_release(&scratch);
}

static const struct problem *first_error(const struct problems *problems)
{
    size_t i = 0;
    ASSERT(problems->errors > 0);
    while (!problem_is_error(&problems->items[i])) {
        i++;
    }
    return &problems->items[i];
}

struct fault *fault_new(enum kind_id kind, const struct doc_node *object,
                        const struct problems *problems)
{
    const struct problem *problem = first_error(problems);
    const struct doc_node *meta = doc_get(object, STR("metadata"));
    const struct doc_node *generation = doc_get(meta, STR("generation"));
    struct fault *fault = row_new(sizeof(*fault), 512);
    struct arena *arena = &fault->row.arena;
    fault->kind = (int)kind;
    fault->ns = arena_str(arena, doc_text(meta, STR("namespace")));
    fault->name = arena_str(arena, doc_text(meta, STR("name")));
    fault->generation = generation != NULL && generation->type == DOC_INT ? generation->integer : 1;
    fault->path = arena_str(arena, problem->path);
    fault->text = arena_str(arena, problem->text);
    fault->remedy = arena_str(arena, problem->remedy);
    read_parents(fault, object);
    return fault;
}

struct problem fault_problem(const struct fault *fault, struct arena *arena)
{
    bool namespaced = fault->ns.len > 0;
    return (struct problem){
        .code = PROBLEM_unreadable,
        .path = fault->path,
        .object = arena_printf(arena, "%s %.*s%s%.*s", kind_info((enum kind_id)fault->kind)->kind,
                               STR_FMT(fault->ns), namespaced ? "/" : "", STR_FMT(fault->name)),
        .text = fault->text,
        .remedy = fault->remedy,
    };
}

struct str fault_words(const struct fault *fault, struct arena *arena)
{
    struct problem problem = fault_problem(fault, arena);
    return problem_words(arena, &problem);
}
