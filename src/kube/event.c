/* SPDX-License-Identifier: Apache-2.0 */
/* event: reading pages of lists, and lines of watches. */
#include "kube/event.h"

#include <string.h>

#include "kube/known.h"

/* --- objects --- */

static struct doc_entry entry_of(struct arena *arena, struct str key, struct str text)
{
    struct doc_node *value = ARENA_NEW(arena, struct doc_node);
    value->type = DOC_STRING;
    value->text = arena_str(arena, text);
    return (struct doc_entry){.key = key, .value = value};
}

/* Lists leave out what all their objects have in common. */
static void add_type(struct arena *arena, const struct kube_page *page, struct doc_node *node)
{
    if (page == NULL || doc_find(node, STR("kind")) != NULL || page->kind.len == 0) {
        return;
    }
    struct doc_entry *entries = ARENA_ARRAY(arena, (size_t)node->len + 2, struct doc_entry);
    entries[0] = entry_of(arena, STR("apiVersion"), page->api_version);
    entries[1] = entry_of(arena, STR("kind"), page->kind);
    if (node->len != 0) {
        memcpy(entries + 2, node->entries, node->len * sizeof(*entries));
    }
    node->entries = entries;
    node->len += 2;
}

static bool read_object(struct arena *arena, struct str raw, const struct kube_page *page,
                        struct kube_object *ret_object, struct err *err)
{
    struct doc_node *node;
    if (!doc_json_parse(arena, raw, DOC_NODES_MAX, &node, err)) {
        return false;
    }
    if (node->type != DOC_MAPPING) {
        return err_set(err, "an object is %s", doc_type_name(node->type));
    }
    add_type(arena, page, node);
    const struct doc_node *metadata = doc_get(node, STR("metadata"));
    struct kube_object object = {
        .node = node,
        .raw = raw,
        .ns = doc_text(metadata, STR("namespace")),
        .name = doc_text(metadata, STR("name")),
        .version = doc_text(metadata, STR("resourceVersion")),
    };
    if (object.ns.len + object.name.len > KNOWN_NAME_MAX) {
        return err_set(err, "the name of an object is too long");
    }
    *ret_object = object;
    return true;
}

static bool need_name(const struct kube_object *object, struct err *err)
{
    return object->name.len != 0 || err_set(err, "an object has no name");
}

bool kube_object_read(struct arena *arena, struct str raw, const struct kube_page *page,
                      struct kube_object *ret_object, struct err *err)
{
    struct kube_object object;
    if (!read_object(arena, raw, page, &object, err) || !need_name(&object, err)) {
        return false;
    }
    *ret_object = object;
    return true;
}

/* --- pages --- */

static bool read_metadata(struct arena *arena, struct str text, struct kube_page *page,
                          struct err *err)
{
    struct doc_node *metadata;
    if (!doc_json_parse(arena, text, DOC_NODES_MAX, &metadata, err)) {
        return err_prefix(err, "metadata of the list");
    }
    page->version = doc_text(metadata, STR("resourceVersion"));
    page->next = doc_text(metadata, STR("continue"));
    return true;
}

static bool read_text(struct arena *arena, struct str text, struct str *ret_text, struct err *err)
{
    struct doc_node *node;
    if (!doc_json_parse(arena, text, 1, &node, err)) {
        return err_prefix(err, "apiVersion or kind of the list");
    }
    *ret_text = node->text;
    return true;
}

bool kube_page_read(struct arena *arena, struct str body, struct kube_page *ret_page,
                    struct err *err)
{
    struct kube_page page = {.items = STR("null")};
    struct doc_json_walk walk;
    bool good = true;
    for (bool more = doc_json_walk(body, &walk); more && good; more = doc_json_step(&walk)) {
        if (str_eq(walk.key, STR("metadata"))) {
            good = read_metadata(arena, walk.value, &page, err);
        } else if (str_eq(walk.key, STR("apiVersion"))) {
            good = read_text(arena, walk.value, &page.api_version, err);
        } else if (str_eq(walk.key, STR("kind"))) {
            good = read_text(arena, walk.value, &page.kind, err);
        } else if (str_eq(walk.key, STR("items"))) {
            page.items = walk.value;
        }
    }
    if (!good) {
        return false;
    }
    if (!doc_json_walked(&walk) || !str_ends_with(page.kind, STR("List"))) {
        return err_set(err, "the answer is no list");
    }
    if (page.version.len == 0 && page.next.len == 0) {
        return err_set(err, "the list has no resourceVersion");
    }
    page.kind.len -= sizeof("List") - 1;
    *ret_page = page;
    return true;
}

/* --- lines --- */

static const struct {
    const char *name;
    enum kube_event_type type;
} types[] = {
    {"\"ADDED\"", KUBE_PUT},         {"\"MODIFIED\"", KUBE_PUT}, {"\"DELETED\"", KUBE_REMOVED},
    {"\"BOOKMARK\"", KUBE_BOOKMARK}, {"\"ERROR\"", KUBE_ERROR},
};

static bool find_type(struct str text, enum kube_event_type *ret_type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (str_eq(text, str_from(types[i].name))) {
            *ret_type = types[i].type;
            return true;
        }
    }
    return false;
}

bool kube_event_read(struct arena *arena, struct str line, struct kube_event *ret_event,
                     struct err *err)
{
    struct kube_event event = {.type = KUBE_ERROR};
    struct doc_json_walk walk;
    struct str type = STR_NULL, object = STR_NULL;
    for (bool more = doc_json_walk(line, &walk); more; more = doc_json_step(&walk)) {
        type = str_eq(walk.key, STR("type")) ? walk.value : type;
        object = str_eq(walk.key, STR("object")) ? walk.value : object;
    }
    if (!doc_json_walked(&walk) || object.len == 0 || !find_type(type, &event.type)) {
        return err_set(err, "a line is no watch event");
    }
    if (!read_object(arena, object, NULL, &event.object, err)) {
        return false;
    }
    if (event.type == KUBE_ERROR) {
        event.status = kube_status_of(arena, event.object.node);
    } else if (event.type != KUBE_BOOKMARK && !need_name(&event.object, err)) {
        return false;
    } else if (event.object.version.len == 0) {
        return err_set(err, "an event has no resourceVersion");
    }
    *ret_event = event;
    return true;
}
