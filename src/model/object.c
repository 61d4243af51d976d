/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object: how does a document become an object of a kind that heddle reads?
 *
 * First its identity is made out (as far as it can be), then the kind's field table reads the
 * rest, so that a document with a wrong apiVersion still shows its other problems and keeps the
 * last good version of the object that it means.
 */
#include "model/object.h"

#include "model/ignored.h"
#include "model/membership.h"

#define BODY_HINT_NODE 20 /* bytes of texts and lists for each node of the document */

struct str object_key_of(struct arena *arena, enum kind_id kind, struct str ns, struct str name)
{
    const struct kind_info *info = kind_info(kind);
    if (!info->namespaced) {
        return arena_str(arena, name);
    }
    if (info->route) {
        return arena_printf(arena, "%s/%.*s/%.*s", info->kind, STR_FMT(ns), STR_FMT(name));
    }
    return arena_printf(arena, "%.*s/%.*s", STR_FMT(ns), STR_FMT(name));
}

struct str object_key(struct arena *arena, const struct object *object)
{
    return object_key_of(arena, object->kind, object->meta.ns, object->meta.name);
}

/* "HTTPRoute 'default/echo'" with quotes, "HTTPRoute default/echo" without. */
static struct str ident_text(struct arena *arena, struct str kind, struct str ns, struct str name,
                             const char *quote)
{
    return arena_printf(arena, "%.*s %s%.*s%s%.*s%s", STR_FMT(kind), quote, STR_FMT(ns),
                        ns.len > 0 ? "/" : "", STR_FMT(name), quote);
}

struct str object_name(struct arena *arena, const struct object *object)
{
    return ident_text(arena, str_from(kind_info(object->kind)->kind), object->meta.ns,
                      object->meta.name, "'");
}

bool object_equal(const struct row *row_a, const struct row *row_b)
{
    const struct object *a = (const struct object *)row_a, *b = (const struct object *)row_b;
    return a->kind == b->kind && field_equal(kind_info(a->kind)->schema, a, b);
}

/* The version to write when there is no other: the first of the list. */
static struct str preferred_version(const struct kind_info *info)
{
    struct str versions = str_from(info->versions);
    return str_cut(&versions, ' ');
}

static struct str api_version(struct arena *arena, const struct kind_info *info)
{
    struct str version = preferred_version(info);
    return arena_printf(arena, "%s%s%.*s", info->group, info->group[0] != '\0' ? "/" : "",
                        STR_FMT(version));
}

void object_dump(const struct object *object, struct json *json)
{
    const struct kind_info *info = kind_info(object->kind);
    struct arena arena;
    arena_init(&arena);
    json_open(json, '{');
    json_key(json, "apiVersion");
    json_str(json, api_version(&arena, info));
    json_key(json, "kind");
    json_text(json, info->kind);
    field_dump_members(info->schema, object, json);
    json_close(json, '}');
    arena_release(&arena);
}

/* --- identity ------------------------------------------------------------------------------ */

struct ident {
    const struct kind_info *info; /* NULL: not made out, or a kind that heddle does not read */
    struct str api_version;
    struct str kind;
    struct str ns; /* "default" when a namespaced object has none */
    struct str name;
    bool named;  /* name and ns are well-formed */
    bool unread; /* of a kind that heddle reads, but none of those of it; info is NULL */
};

/* The text at key of the document, or empty and a problem. */
static struct str head_text(const struct doc_node *node, struct str key, const char *remedy,
                            struct problems *problems)
{
    struct str text = doc_text(node, key);
    if (text.len > 0) {
        return text;
    }
    const struct doc_node *value = doc_get(node, key);
    if (value == NULL || value->type == DOC_NULL) {
        problems_report(problems, PROBLEM_no_kind, node->line, node->column, key, str_from(remedy),
                        "the document has no '%.*s'", STR_FMT(key));
    } else {
        problems_report(problems, PROBLEM_no_kind, value->line, value->column, key,
                        str_from(remedy), "'%.*s' is %s, not a name", STR_FMT(key),
                        value->type == DOC_STRING ? "empty" : doc_type_name(value->type));
    }
    return STR_NULL;
}

static bool is_version(const struct kind_info *info, struct str version)
{
    struct str versions = str_from(info->versions);
    while (versions.ptr != NULL) {
        if (str_eq(str_cut(&versions, ' '), version)) {
            return true;
        }
    }
    return false;
}

/* Whether a group is that of some other API which happens to have a kind of the same name
 * (serving.knative.dev has a Service), rather than a slip: heddle's groups are Kubernetes' own. */
static bool is_foreign_group(const struct kind_info *info, struct str group)
{
    bool kubernetes = str_index(group, '.') == group.len || str_ends_with(group, STR(".k8s.io"));
    return !kubernetes && str_distance(group, str_from(info->group), 3) > 3;
}

static void report_version(const struct doc_node *node, const struct kind_info *info,
                           const struct ident *ident, const char *what, struct problems *problems)
{
    struct arena *arena = problems->arena;
    struct str right = api_version(arena, info), written = problem_quote(arena, ident->api_version);
    const struct doc_node *at = doc_get(node, STR("apiVersion"));
    problems_report(problems, PROBLEM_unknown_version, at->line, at->column, STR("apiVersion"),
                    arena_printf(arena, "write '%.*s'", STR_FMT(right)), "apiVersion '%.*s' %s",
                    STR_FMT(written), what);
}

/* Finds the kind's table. Reports an apiVersion that is not right for a kind that heddle reads. */
static void find_kind(const struct doc_node *node, struct ident *ident, struct problems *problems)
{
    const struct kind_info *info = kind_find_any_group(ident->kind);
    struct str version = ident->api_version;
    if (info == NULL || version.len == 0) {
        ident->info = info;
        return;
    }
    struct str group = str_cut(&version, '/');
    if (version.ptr == NULL && info->group[0] == '\0') { /* the core group has no name */
        version = group;
        group = STR_NULL;
    }
    if (is_foreign_group(info, group)) {
        return;
    }
    ident->info = info;
    if (!str_eq(group, str_from(info->group))) {
        report_version(node, info, ident, "does not have this kind", problems);
    } else if (version.len == 0) {
        report_version(node, info, ident, "has no version", problems);
    } else if (!is_version(info, version)) {
        report_version(node, info, ident, "is not a version that heddle knows", problems);
    }
}

static bool check_name(const struct doc_node *meta, const char *key, struct str text,
                       const struct format *format, struct problems *problems)
{
    if (text.len <= format->max && format->matches(text)) {
        return true;
    }
    const struct doc_node *at = doc_get(meta, str_from(key));
    problems_report(problems, PROBLEM_no_kind, at->line, at->column,
                    arena_printf(problems->arena, "metadata.%s", key), str_from(format->remedy),
                    "'%.*s' is not %s", STR_FMT(problem_quote(problems->arena, text)),
                    format->name);
    return false;
}

/* Names of another type are left to the field table. */
static void find_name(const struct doc_node *node, struct ident *ident, struct problems *problems)
{
    const struct doc_node *meta = doc_get(node, STR("metadata"));
    const struct doc_node *name = doc_get(meta, STR("name"));
    ident->name = doc_text(meta, STR("name"));
    ident->ns = doc_text(meta, STR("namespace"));
    if (name == NULL || name->type == DOC_NULL ||
        (name->type == DOC_STRING && name->text.len == 0)) {
        const struct doc_node *at = name != NULL ? name : meta != NULL ? meta : node;
        problems_report(problems, PROBLEM_no_kind, at->line, at->column, STR("metadata.name"),
                        STR("write the object's name"), "the document has no 'metadata.name'");
    }
    if (ident->info == NULL || ident->name.len == 0) {
        return;
    }
    ident->named = check_name(meta, "name", ident->name, ident->info->name_format, problems);
    if (!ident->info->namespaced) {
        if (ident->ns.len > 0) {
            const struct doc_node *at = doc_get(meta, STR("namespace"));
            problems_report(problems, PROBLEM_union, at->line, at->column,
                            STR("metadata.namespace"), STR("remove it"),
                            "a %s lies in no namespace", ident->info->kind);
        }
        ident->ns = STR_NULL;
    } else if (ident->ns.len == 0) {
        const struct doc_node *ns = doc_get(meta, STR("namespace"));
        ident->named &= ns == NULL || ns->type == DOC_NULL || ns->type == DOC_STRING;
        ident->ns = STR("default");
    } else {
        ident->named &= check_name(meta, "namespace", ident->ns, &format_label, problems);
    }
}

static void read_ident(const struct doc_node *node, struct ident *ret_ident,
                       struct problems *problems)
{
    struct ident ident = {.info = NULL};
    ident.kind = head_text(node, STR("kind"), "write a kind such as 'HTTPRoute'", problems);
    ident.api_version = head_text(
        node, STR("apiVersion"),
        "write the API's group and version, such as 'gateway.networking.k8s.io/v1'", problems);
    find_kind(node, &ident, problems);
    if (ident.info != NULL && ident.info->is_read != NULL && !ident.info->is_read(node)) {
        ident.unread = true;
        ident.info = NULL;
    }
    /* what heddle does not read needs no name, as long as it says what it is */
    struct problems ignored;
    problems_init(&ignored, problems->arena);
    bool skipped = ident.info == NULL && ident.kind.len > 0 && ident.api_version.len > 0;
    find_name(node, &ident, skipped ? &ignored : problems);
    *ret_ident = ident;
}

/* --- reading ------------------------------------------------------------------------------- */

static void fill_result(const struct ident *ident, struct arena *arena,
                        struct object_result *result)
{
    struct str kind = problem_quote(arena, ident->kind);
    if (ident->kind.len > 0 && ident->name.len > 0) {
        result->ident = ident_text(arena, kind, problem_quote(arena, ident->ns),
                                   problem_quote(arena, ident->name), "'");
    }
    if (ident->info == NULL) {
        return;
    }
    result->kind = ident->info->id;
    if (ident->named) {
        result->key = object_key_of(arena, ident->info->id, ident->ns, ident->name);
    }
}

static void report_skipped(const struct doc_node *node, const struct ident *ident,
                           struct problems *problems)
{
    const struct doc_node *at = doc_get(node, STR("kind"));
    problems_report(problems, PROBLEM_unknown_kind, at->line, at->column, STR("kind"), STR_NULL,
                    "heddle does not serve kind '%.*s' of '%.*s'",
                    STR_FMT(problem_quote(problems->arena, ident->kind)),
                    STR_FMT(problem_quote(problems->arena, ident->api_version)));
}

static size_t count_nodes(const struct doc_node *node)
{
    size_t count = 1; /* the depth is limited to DOC_DEPTH_MAX */
    for (uint32_t i = 0; i < node->len; i++) {
        count += count_nodes(node->type == DOC_MAPPING ? node->entries[i].value : node->items[i]);
    }
    return count;
}

/* The nodes of an object of the API server that heddle reads: not managedFields, nor the status. */
static size_t count_read(const struct doc_node *node)
{
    const struct doc_node *labels = doc_get(doc_get(node, STR("metadata")), STR("labels"));
    size_t count = labels != NULL ? count_nodes(labels) : 0;
    for (uint32_t i = 0; node->type == DOC_MAPPING && i < node->len; i++) {
        struct str key = node->entries[i].key;
        if (!str_eq(key, STR("metadata")) && !str_eq(key, STR("status"))) {
            count += count_nodes(node->entries[i].value);
        }
    }
    return count;
}

/* One reference, or NULL when there is an error in the body. */
static struct object *read_body(const struct doc_node *node, const struct ident *ident,
                                struct str file, struct problems *problems)
{
    const struct schema *schema = ident->info->schema;
    struct object *object = row_new(schema->size, count_nodes(node) * BODY_HINT_NODE);
    struct arena *arena = &object->row.arena;
    object->kind = ident->info->id;
    arena->wiped = ident->info->secret;
    if (!field_read(schema, object, node, arena, problems, STR(""))) {
        row_unref(&object->row, NULL);
        return NULL;
    }
    object->meta.ns = arena_str(arena, ident->ns);
    object->origin.file = arena_str(arena, file);
    object->origin.line = node->line;
    if (ident->info->review != NULL) {
        ident->info->review(object, node, problems);
    }
    ignored_report(ident->info->id, node, problems);
    return object;
}

struct object *object_read_stored(enum kind_id kind, const struct doc_node *node,
                                  struct problems *problems)
{
    const struct schema *schema = kind_info(kind)->schema;
    struct object *object = row_new(schema->size, count_read(node) * BODY_HINT_NODE);
    object->kind = kind;
    object->row.arena.wiped = kind_info(kind)->secret;
    if (!field_read_stored(schema, object, node, &object->row.arena, problems)) {
        row_unref(&object->row, NULL);
        return NULL;
    }
    return object;
}

/* Says on all problems from `first` on which object they are of. */
static void name_problems(struct problems *problems, size_t first, const struct ident *ident)
{
    if (ident->kind.len == 0 || ident->name.len == 0) {
        return;
    }
    struct arena *arena = problems->arena;
    struct str text =
        ident_text(arena, problem_quote(arena, ident->kind), problem_quote(arena, ident->ns),
                   problem_quote(arena, ident->name), "");
    for (size_t i = first; i < problems->len; i++) {
        problems->items[i].object = text;
    }
}

void object_read_node(const struct doc_node *node, struct str file, struct problems *problems,
                      struct object_result *ret_result)
{
    struct object_result result = {.kind = KIND_COUNT};
    size_t errors = problems->errors, first = problems->len;
    if (node->type != DOC_MAPPING) {
        problems_report(problems, PROBLEM_no_kind, node->line, node->column, STR_NULL,
                        STR("begin with 'apiVersion', 'kind' and 'metadata'"),
                        "the document is %s, not an object", doc_type_name(node->type));
        *ret_result = result;
        return;
    }
    struct ident ident;
    read_ident(node, &ident, problems);
    fill_result(&ident, problems->arena, &result);
    if (ident.info != NULL) {
        result.object = read_body(node, &ident, file, problems);
    } else if (problems->errors == errors) {
        if (!ident.unread) {
            report_skipped(node, &ident, problems);
        }
        membership_review(node, problems);
        result.skipped = true;
    }
    if (result.object != NULL && problems->errors != errors) {
        row_unref(&result.object->row, NULL);
        result.object = NULL;
    }
    name_problems(problems, first, &ident);
    *ret_result = result;
}

void object_read(const struct doc *doc, struct str file, struct problems *problems,
                 struct object_result *ret_result)
{
    if (doc->root != NULL) {
        object_read_node(doc->root, file, problems, ret_result);
        return;
    }
    size_t first = problems->len;
    problems_report(problems, PROBLEM_syntax, doc->error.line, doc->error.column, STR_NULL,
                    doc->error.hint, "%.*s", STR_FMT(doc->error.text));
    *ret_result = (struct object_result){.kind = KIND_COUNT};
    const struct doc_node *items;
    if (doc->mended == NULL || object_list_read(doc->mended, problems, &items)) {
        return;
    }
    object_read_node(doc->mended, file, problems, ret_result);
    if (ret_result->object != NULL) { /* what was probably meant is never put in force */
        row_unref(&ret_result->object->row, NULL);
        ret_result->object = NULL;
    }
    ret_result->skipped = false;
    if (problems->len > first + 1) {
        problems->items[first].object = problems->items[first + 1].object;
    }
}
