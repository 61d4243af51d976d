/* SPDX-License-Identifier: Apache-2.0 */
/* manifest: finds the pods in documents of YAML, and writes those documents anew that change. */
#include "inject/manifest.h"

#include "base/panic.h"
#include "codec/doc.h"
#include "codec/json_tree.h"
#include "codec/yaml_write.h"
#include "inject/ask.h"

/* Where objects of a kind have their pod; "" ends the path. */
static const struct pod_kind {
    const char *kind;
    const char *path[4];
} pod_kinds[] = {
    {"Pod", {NULL}},
    {"Deployment", {"spec", "template", NULL}},
    {"StatefulSet", {"spec", "template", NULL}},
    {"DaemonSet", {"spec", "template", NULL}},
    {"ReplicaSet", {"spec", "template", NULL}},
    {"ReplicationController", {"spec", "template", NULL}},
    {"Job", {"spec", "template", NULL}},
    {"CronJob", {"spec", "jobTemplate", "spec", "template"}},
};
#define PATH_MAX_LEN 4

struct document {
    const struct manifest *manifest;
    struct arena arena;
    uint32_t line;
    bool changed;
};

static json_t *to_json(const struct doc_node *node)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    doc_to_json(node, &text);
    json_t *value =
        json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    buf_release(&text);
    return value; /* NULL: e.g. nested deeper than jansson reads */
}

static const struct pod_kind *find_kind(struct str kind)
{
    for (size_t i = 0; i < sizeof(pod_kinds) / sizeof(pod_kinds[0]); i++) {
        if (str_eq(kind, str_from(pod_kinds[i].kind))) {
            return &pod_kinds[i];
        }
    }
    return NULL;
}

/* The object that holds the pod, and the pod itself. */
static json_t *find_pod(json_t *object, const struct pod_kind *kind, json_t **ret_holder)
{
    json_t *pod = object;
    *ret_holder = NULL;
    for (size_t i = 0; i < PATH_MAX_LEN && kind->path[i] != NULL; i++) {
        *ret_holder = pod;
        pod = json_object_get(pod, kind->path[i]);
    }
    return json_is_object(pod) ? pod : NULL;
}

static void put_pod(json_t *object, const struct pod_kind *kind, json_t *holder, json_t *pod)
{
    if (holder == NULL) {
        json_object_update(object, pod);
        json_decref(pod);
        return;
    }
    const char *key = NULL;
    for (size_t i = 0; i < PATH_MAX_LEN && kind->path[i] != NULL; i++) {
        key = kind->path[i];
    }
    json_object_set_new(holder, key, pod);
}

static void inject_object(struct document *document, json_t *object);

static void inject_items(struct document *document, json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        inject_object(document, item);
    }
}

static void inject_object(struct document *document, json_t *object)
{
    const struct manifest *manifest = document->manifest;
    struct str kind = json_tree_text_at(object, "kind");
    struct str ns = json_tree_text(inject_at(object, "metadata", "namespace", NULL));
    const struct pod_kind *pods = find_kind(kind);
    json_t *holder;
    if (pods == NULL) {
        if (str_ends_with(kind, STR("List"))) {
            inject_items(document, object);
        }
        return;
    }
    ns = ns.len > 0 ? ns : STR("default");
    const struct inject_question question = {
        .pod = find_pod(object, pods, &holder),
        .ns = ns,
        .ns_label = manifest->ns_label(manifest->user, ns),
    };
    struct inject_answer answer;
    inject_pod(manifest->settings, &question, &document->arena, &answer);
    manifest->told(manifest->user, document->line, kind, ns,
                   json_tree_text(inject_at(object, "metadata", "name", NULL)), &answer);
    if (answer.outcome == INJECT_DONE) {
        put_pod(object, pods, holder, answer.pod);
        document->changed = true;
    }
}

static void unreadable(struct document *document, struct str reason)
{
    const struct manifest *manifest = document->manifest;
    const struct inject_answer answer = {.outcome = INJECT_REFUSED, .reason = reason};
    manifest->told(manifest->user, document->line, STR_NULL, STR_NULL, STR_NULL, &answer);
}

/* Whether the document was changed; then *ret_object is what it is now, else NULL. */
static bool inject_document(struct document *document, const struct doc *doc, json_t **ret_object)
{
    if (doc->root == NULL) {
        document->line += doc->error.line - 1;
        unreadable(document, doc->error.text);
        return false;
    }
    document->line += doc->line - 1;
    json_t *object = to_json(doc->root);
    if (object == NULL) {
        unreadable(document, STR("nested too deep"));
        return false;
    }
    inject_object(document, object);
    *ret_object = object;
    return document->changed;
}

static void write_document(struct str bytes, const json_t *object, struct buf *out)
{
    if (str_starts_with(bytes, STR("---"))) {
        buf_add_text(out, "---\n");
    }
    yaml_write(object, out);
}

static uint32_t count_lines(struct str text)
{
    uint32_t lines = 0;
    for (size_t i = 0; i < text.len; i++) {
        lines += text.ptr[i] == '\n';
    }
    return lines;
}

void manifest_inject(const struct manifest *manifest, struct str text, struct buf *out)
{
    struct str rest = text;
    uint32_t line = 1;
    while (rest.ptr != NULL && rest.len > 0) {
        struct str bytes = doc_cut(&rest);
        struct document document = {.manifest = manifest, .line = line};
        struct doc *docs;
        size_t len;
        json_t *object = NULL;
        arena_init(&document.arena);
        doc_parse(&document.arena, bytes, &docs, &len);
        if (len > 0 && inject_document(&document, &docs[0], &object)) {
            write_document(bytes, object, out);
        } else {
            buf_add_str(out, bytes);
        }
        json_decref(object);
        arena_release(&document.arena);
        line += count_lines(bytes);
    }
}

/* --- Namespaces ------------------------------------------------------------------------------ */

static void find_namespace(const struct manifest *manifest, const struct doc_node *object)
{
    static const struct str labels[] = {STR(INJECT_LABEL), STR(INJECT_CSM_LABEL)};
    const struct doc_node *kind = doc_get(object, STR("kind"));
    const struct doc_node *metadata = doc_get(object, STR("metadata"));
    const struct doc_node *name = doc_get(metadata, STR("name"));
    const struct doc_node *label = NULL;
    const struct doc_node *items = doc_get(object, STR("items"));
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]) && label == NULL; i++) {
        label = doc_get(doc_get(metadata, STR("labels")), labels[i]);
    }
    if (kind != NULL && name != NULL && label != NULL && str_eq(kind->text, STR("Namespace"))) {
        manifest->found(manifest->user, name->text, label->text);
    }
    for (uint32_t i = 0; items != NULL && items->type == DOC_SEQUENCE && i < items->len; i++) {
        find_namespace(manifest, items->items[i]);
    }
}

void manifest_namespaces(const struct manifest *manifest, struct str text)
{
    struct arena arena;
    struct doc *docs;
    size_t len;
    arena_init(&arena);
    doc_parse(&arena, text, &docs, &len);
    for (size_t i = 0; i < len; i++) {
        if (docs[i].root != NULL) {
            find_namespace(manifest, docs[i].root);
        }
    }
    arena_release(&arena);
}
