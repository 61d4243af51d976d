/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc_tree: builds the tree of one document from libyaml's events.
 *
 * What is outside of the tree's own shape is refused here: what is nested too deep or too large
 * (an alias counts as all that it stands for), duplicate and unspeakable keys, unknown tags.
 */
#include "codec/doc_tree.h"

#include <string.h>
#include <yaml.h>

#include "base/map.h"
#include "base/vec.h"
#include "codec/doc_hint.h"

#define TEXT_BYTES_MAX (2 * (size_t)DOC_BYTES_MAX) /* of all scalars, aliases as often as used */
#define SMALL_MAPPING 16                           /* keys up to here are compared pairwise */

/* How much a subtree holds when its aliases are written out. */
struct extent {
    size_t nodes;
    size_t bytes;
    unsigned height; /* levels of mappings and sequences */
};

struct anchor {
    struct doc_node *node; /* NULL while it is being built: an alias to it would be a ring */
    struct extent extent;
};

struct tree {
    struct arena *arena;
    struct str text;
    uint32_t first_line;
    yaml_parser_t parser;
    struct map anchors; /* name -> struct anchor */
    size_t nodes;       /* so far, for the limits */
    size_t bytes;
    VEC(struct doc_entry) entries; /* of the mappings that are being built, as a stack */
    VEC(struct doc_node *) items;  /* the same for sequences */
    struct doc_error *error;
};

static uint32_t line_of(const struct tree *tree, yaml_mark_t mark)
{
    return tree->first_line + (uint32_t)mark.line;
}

static struct str text_of(const yaml_char_t *text, size_t len)
{
    return str_span((const char *)text, len);
}

static bool fail(struct tree *tree, yaml_mark_t mark, struct str text, const char *hint)
{
    *tree->error = (struct doc_error){
        .line = line_of(tree, mark),
        .column = 1 + (uint32_t)mark.column,
        .text = text,
        .hint = str_from(hint),
    };
    return false;
}

/* libyaml's reader says only how many bytes it had read. */
static void place_offset(struct str text, size_t offset, size_t *ret_line, size_t *ret_column)
{
    struct str before = str_sub(text, 0, offset);
    size_t line = 0;
    for (size_t i = 0; i < before.len; i++) {
        line += before.ptr[i] == '\n';
    }
    size_t feed = str_rindex(before, '\n');
    *ret_line = line;
    *ret_column = feed < before.len ? before.len - feed - 1 : before.len;
}

/* The next event, to be deleted by the caller; false when libyaml has stopped. */
static bool next_event(struct tree *tree, yaml_event_t *ret_event)
{
    yaml_parser_t *parser = &tree->parser;
    if (yaml_parser_parse(parser, ret_event)) {
        return true;
    }
    struct doc_trouble trouble = {
        .problem = parser->problem != NULL ? parser->problem : "the parser stopped",
        .context = parser->context,
        .line = parser->problem_mark.line,
        .column = parser->problem_mark.column,
        .context_line = parser->context_mark.line,
        .context_column = parser->context_mark.column,
    };
    if (parser->error == YAML_READER_ERROR) {
        place_offset(tree->text, parser->problem_offset, &trouble.line, &trouble.column);
    }
    doc_explain(tree->arena, tree->text, tree->first_line, &trouble, tree->error);
    return false;
}

static bool charge(struct tree *tree, yaml_mark_t mark, const struct extent *extent)
{
    tree->nodes += extent->nodes;
    tree->bytes += extent->bytes;
    if (tree->nodes > DOC_NODES_MAX) {
        return fail(
            tree, mark,
            arena_printf(tree->arena, "the document has more than %d values", DOC_NODES_MAX),
            "split it; an alias counts as all that it stands for");
    }
    if (tree->bytes > TEXT_BYTES_MAX) {
        return fail(tree, mark,
                    arena_printf(tree->arena, "the document holds more than %zu bytes of text",
                                 TEXT_BYTES_MAX),
                    "split it; an alias counts as all that it stands for");
    }
    return true;
}

static struct doc_node *node_new(struct tree *tree, enum doc_type type, yaml_mark_t mark)
{
    struct doc_node *node = ARENA_NEW(tree->arena, struct doc_node);
    node->type = type;
    node->line = line_of(tree, mark);
    node->column = 1 + (uint32_t)mark.column;
    return node;
}

static bool is_tag(const yaml_char_t *tag, const char *name)
{
    return strcmp((const char *)tag, name) == 0;
}

static bool fail_tag(struct tree *tree, yaml_mark_t mark, const yaml_char_t *tag)
{
    struct str name = str_from((const char *)tag);
    return fail(
        tree, mark,
        arena_printf(tree->arena, "the tag '%.*s' is not understood", STR_FMT(doc_excerpt(name))),
        "leave the tag out");
}

static bool build_scalar(struct tree *tree, const yaml_event_t *event, struct doc_node **ret_node,
                         struct extent *ret_extent)
{
    const yaml_char_t *tag = event->data.scalar.tag;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (tag != NULL && (is_tag(tag, "!") || is_tag(tag, YAML_STR_TAG))) {
        plain = false;
    } else if (tag != NULL && (is_tag(tag, YAML_NULL_TAG) || is_tag(tag, YAML_BOOL_TAG) ||
                               is_tag(tag, YAML_INT_TAG) || is_tag(tag, YAML_FLOAT_TAG))) {
        plain = true;
    } else if (tag != NULL) {
        return fail_tag(tree, event->start_mark, tag);
    }
    struct str text = text_of(event->data.scalar.value, event->data.scalar.length);
    *ret_extent = (struct extent){.nodes = 1, .bytes = text.len};
    if (!charge(tree, event->start_mark, ret_extent)) {
        return false;
    }
    struct doc_node *node = node_new(tree, DOC_STRING, event->start_mark);
    node->text = arena_str(tree->arena, text);
    if (plain) {
        doc_scalar_resolve(node);
    }
    *ret_node = node;
    return true;
}

static bool build_alias(struct tree *tree, const yaml_event_t *event, unsigned depth,
                        struct doc_node **ret_node, struct extent *ret_extent)
{
    struct str name = str_from((const char *)event->data.alias.anchor);
    struct str shown = doc_excerpt(name);
    const struct anchor *anchor = map_get(&tree->anchors, name);
    if (anchor == NULL) {
        return fail(tree, event->start_mark,
                    arena_printf(tree->arena, "there is no anchor '&%.*s' before this alias",
                                 STR_FMT(shown)),
                    "put a value that begins with '*' in quotes");
    }
    if (anchor->node == NULL) {
        return fail(tree, event->start_mark,
                    arena_printf(tree->arena, "the alias '*%.*s' stands inside of its own anchor",
                                 STR_FMT(shown)),
                    "write the value out");
    }
    if (depth + anchor->extent.height > DOC_DEPTH_MAX) {
        return fail(
            tree, event->start_mark,
            arena_printf(tree->arena, "nested too deep (more than %d levels)", DOC_DEPTH_MAX), "");
    }
    if (!charge(tree, event->start_mark, &anchor->extent)) {
        return false;
    }
    *ret_node = anchor->node;
    *ret_extent = anchor->extent;
    return true;
}

static bool fail_key(struct tree *tree, const yaml_event_t *event)
{
    if (event->type == YAML_MAPPING_START_EVENT &&
        event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE) {
        return fail(tree, event->start_mark, STR("'{' where a key should be"),
                    "a template '{{ … }}' must be rendered before heddle can read the file");
    }
    return fail(tree, event->start_mark, STR("a key must be a single word or text"),
                "write 'key: value'");
}

static bool build_key(struct tree *tree, const yaml_event_t *event, struct doc_entry *ret_entry)
{
    if (event->type != YAML_SCALAR_EVENT) {
        return fail_key(tree, event);
    }
    struct str key = text_of(event->data.scalar.value, event->data.scalar.length);
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && str_eq(key, STR("<<"))) {
        return fail(tree, event->start_mark, STR("the merge key '<<' is not supported"),
                    "write the fields out where they are needed");
    }
    if (plain && key.len == 0) {
        return fail(tree, event->start_mark, STR("a key is missing before ':'"),
                    "write 'key: value'");
    }
    const struct extent extent = {.bytes = key.len};
    if (!charge(tree, event->start_mark, &extent)) {
        return false;
    }
    *ret_entry = (struct doc_entry){
        .key = arena_str(tree->arena, key),
        .line = line_of(tree, event->start_mark),
        .column = 1 + (uint32_t)event->start_mark.column,
    };
    return true;
}

static bool fail_duplicate(struct tree *tree, const struct doc_entry *first,
                           const struct doc_entry *again)
{
    *tree->error = (struct doc_error){
        .line = again->line,
        .column = again->column,
        .text = arena_printf(tree->arena, "the key '%.*s' is given twice, in lines %u and %u",
                             STR_FMT(doc_excerpt(again->key)), first->line, again->line),
        .hint = STR("keep one of the two"),
    };
    return false;
}

static bool check_unique(struct tree *tree, struct doc_entry *entries, size_t len)
{
    struct map seen = {0};
    bool unique = true;
    for (size_t i = 0; i < len && unique; i++) {
        const struct doc_entry *first = NULL;
        if (len > SMALL_MAPPING) {
            first = map_put(&seen, entries[i].key, &entries[i]);
        }
        for (size_t k = 0; k < i && first == NULL && len <= SMALL_MAPPING; k++) {
            first = str_eq(entries[k].key, entries[i].key) ? &entries[k] : NULL;
        }
        unique = first == NULL || fail_duplicate(tree, first, &entries[i]);
    }
    map_release(&seen);
    return unique;
}

static bool build_node(struct tree *tree, const yaml_event_t *event, unsigned depth,
                       struct doc_node **ret_node, struct extent *ret_extent);

/* The node that the next event begins. *ret_end, when asked for: the collection ends instead. */
static bool build_next(struct tree *tree, unsigned depth, bool *ret_end, struct doc_node **ret_node,
                       struct extent *ret_extent)
{
    yaml_event_t event;
    if (!next_event(tree, &event)) {
        return false;
    }
    bool end = event.type == YAML_SEQUENCE_END_EVENT;
    bool good = end || build_node(tree, &event, depth, ret_node, ret_extent);
    yaml_event_delete(&event);
    if (ret_end != NULL) {
        *ret_end = end;
    }
    return good;
}

static void extent_add(struct extent *sum, const struct extent *part)
{
    sum->nodes += part->nodes;
    sum->bytes += part->bytes;
    sum->height = part->height + 1 > sum->height ? part->height + 1 : sum->height;
}

static bool build_sequence(struct tree *tree, unsigned depth, struct doc_node *node,
                           struct extent *extent)
{
    size_t base = tree->items.len;
    for (;;) {
        struct doc_node *item = NULL;
        struct extent part;
        bool end;
        if (!build_next(tree, depth, &end, &item, &part)) {
            return false;
        }
        if (end) {
            break;
        }
        extent_add(extent, &part);
        vec_push(&tree->items, item);
    }
    size_t len = tree->items.len - base;
    node->items = ARENA_ARRAY(tree->arena, len, struct doc_node *);
    if (len != 0) {
        memcpy(node->items, tree->items.items + base, len * sizeof(*node->items));
    }
    node->len = (uint32_t)len;
    tree->items.len = base;
    return true;
}

static bool build_mapping(struct tree *tree, unsigned depth, struct doc_node *node,
                          struct extent *extent)
{
    size_t base = tree->entries.len;
    for (;;) {
        yaml_event_t event;
        if (!next_event(tree, &event)) {
            return false;
        }
        struct doc_entry entry;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        bool good = end || build_key(tree, &event, &entry);
        yaml_event_delete(&event);
        if (!good) {
            return false;
        }
        if (end) {
            break;
        }
        struct extent part;
        if (!build_next(tree, depth, NULL, &entry.value, &part)) {
            return false;
        }
        part.bytes += entry.key.len;
        extent_add(extent, &part);
        vec_push(&tree->entries, entry);
    }
    size_t len = tree->entries.len - base;
    node->entries = ARENA_ARRAY(tree->arena, len, struct doc_entry);
    if (len != 0) {
        memcpy(node->entries, tree->entries.items + base, len * sizeof(*node->entries));
    }
    node->len = (uint32_t)len;
    tree->entries.len = base;
    return check_unique(tree, node->entries, len);
}

static bool build_collection(struct tree *tree, const yaml_event_t *event, unsigned depth,
                             struct doc_node **ret_node, struct extent *ret_extent)
{
    bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *tag =
        is_mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    if (tag != NULL && !is_tag(tag, is_mapping ? YAML_MAP_TAG : YAML_SEQ_TAG)) {
        return fail_tag(tree, event->start_mark, tag);
    }
    if (depth >= DOC_DEPTH_MAX) {
        return fail(
            tree, event->start_mark,
            arena_printf(tree->arena, "nested too deep (more than %d levels)", DOC_DEPTH_MAX), "");
    }
    *ret_extent = (struct extent){.nodes = 1, .height = 1};
    if (!charge(tree, event->start_mark, ret_extent)) {
        return false;
    }
    *ret_node = node_new(tree, is_mapping ? DOC_MAPPING : DOC_SEQUENCE, event->start_mark);
    return is_mapping ? build_mapping(tree, depth + 1, *ret_node, ret_extent)
                      : build_sequence(tree, depth + 1, *ret_node, ret_extent);
}

static struct anchor *anchor_open(struct tree *tree, const yaml_char_t *name)
{
    if (name == NULL) {
        return NULL;
    }
    struct anchor *anchor = ARENA_NEW(tree->arena, struct anchor);
    map_put(&tree->anchors, arena_str(tree->arena, str_from((const char *)name)), anchor);
    return anchor;
}

/* The node that the event begins, with all below it. depth: collections around it. */
static bool build_node(struct tree *tree, const yaml_event_t *event, unsigned depth,
                       struct doc_node **ret_node, struct extent *ret_extent)
{
    struct anchor *anchor = NULL;
    bool good;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return build_alias(tree, event, depth, ret_node, ret_extent);
    case YAML_SCALAR_EVENT:
        anchor = anchor_open(tree, event->data.scalar.anchor);
        good = build_scalar(tree, event, ret_node, ret_extent);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = anchor_open(tree, event->data.sequence_start.anchor);
        good = build_collection(tree, event, depth, ret_node, ret_extent);
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = anchor_open(tree, event->data.mapping_start.anchor);
        good = build_collection(tree, event, depth, ret_node, ret_extent);
        break;
    default:
        return fail(tree, event->start_mark, STR("a value is missing"), "");
    }
    if (good && anchor != NULL) {
        *anchor = (struct anchor){.node = *ret_node, .extent = *ret_extent};
    }
    return good;
}

/* Takes the events around and of the one document: STREAM-START DOCUMENT-START node … */
static bool build_document(struct tree *tree, struct doc_node **ret_root)
{
    struct doc_node *root = NULL;
    for (;;) {
        yaml_event_t event;
        if (!next_event(tree, &event)) {
            return false;
        }
        yaml_event_type_t type = event.type;
        bool good = true;
        if (type == YAML_DOCUMENT_START_EVENT && root != NULL) {
            good = fail(tree, event.start_mark, STR("this line is outside of the document"),
                        "separate documents with a line '---'");
        }
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT) {
            break;
        }
        struct extent extent;
        if (!good ||
            (type == YAML_DOCUMENT_START_EVENT && !build_next(tree, 0, NULL, &root, &extent))) {
            return false;
        }
    }
    *ret_root = root;
    return true;
}

bool doc_tree_parse(struct arena *arena, struct str text, uint32_t line, struct doc_weight *weight,
                    struct doc_node **ret_root, struct doc_error *ret_error)
{
    struct tree tree = {.arena = arena, .text = text, .first_line = line, .error = ret_error};
    if (!yaml_parser_initialize(&tree.parser)) {
        panic("out of memory: libyaml");
    }
    yaml_parser_set_encoding(&tree.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&tree.parser, (const unsigned char *)text.ptr, text.len);
    bool good = build_document(&tree, ret_root);
    weight->nodes += tree.nodes;
    weight->bytes += tree.bytes;
    yaml_parser_delete(&tree.parser);
    map_release(&tree.anchors);
    vec_release(&tree.entries);
    vec_release(&tree.items);
    return good;
}
