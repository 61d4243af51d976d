/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object_list: which objects does a List hold?
 *
 * As kubectl has it, whatever is called XxxList and has a list of `items` is one. What heddle knows
 * to be a List (of Kubernetes, or of a kind that it reads) must have them: otherwise a slip in
 * that one word would hide all its objects.
 */
#include "model/object.h"

static void check_head(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct doc_node *items = doc_get(node, STR("items"));
    (void)obj;
    (void)path;
    if (items == NULL) {
        problems_report(problems, PROBLEM_required, node->line, node->column, STR("items"),
                        STR("add 'items'"), "a List lacks 'items'");
    } else if (items->type != DOC_SEQUENCE && items->type != DOC_NULL) {
        problems_report(problems, PROBLEM_wrong_type, items->line, items->column, STR("items"),
                        STR("begin each item of a list with '- '"), "'items' is %s, not a list",
                        doc_type_name(items->type));
    }
}

static const struct field head_fields[] = {
    FIELD_KNOWN("apiVersion"), FIELD_KNOWN("kind"), FIELD_KNOWN("metadata"),
    FIELD_KNOWN("items"),      FIELD_END,
};

static const struct schema head_schema = {
    .name = "a List",
    .size = 1,
    .fields = head_fields,
    .check = check_head,
};

/* Whether the word before "List" makes it a List beyond doubt. */
static bool is_known_list(struct str kind)
{
    struct str of = str_sub(kind, 0, kind.len - STR("List").len);
    return of.len == 0 || kind_find_any_group(of) != NULL;
}

bool object_list_read(const struct doc_node *node, struct problems *problems,
                      const struct doc_node **ret_items)
{
    const struct doc_node *kind = doc_get(node, STR("kind"));
    const struct doc_node *items = doc_get(node, STR("items"));
    if (kind == NULL || kind->type != DOC_STRING || !str_ends_with(kind->text, STR("List"))) {
        return false;
    }
    bool has_items = items != NULL && (items->type == DOC_SEQUENCE || items->type == DOC_NULL);
    if (is_known_list(kind->text)) {
        char nothing = 0; /* of the head nothing is kept */
        field_read(&head_schema, &nothing, node, problems->arena, problems, STR_NULL);
    } else if (!has_items) {
        return false;
    }
    *ret_items = has_items ? items : NULL;
    return true;
}
