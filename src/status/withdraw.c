/* SPDX-License-Identifier: Apache-2.0 */
/* withdraw: finds out which parts of a status are heddle's alone. */
#include "status/withdraw.h"

#include "kube/kube.h"

/* What was set, by one or several writers: one tree, {"f:conditions": {"k:{\"type\":\"X\"}": …}},
 * for each entry of managedFields. */
#define TREES_MAX 32 /* more writers than that: nothing is heddle's alone */

struct owned {
    const struct doc_node *ours[TREES_MAX], *theirs[TREES_MAX];
    size_t nours, ntheirs;
};

static uint32_t items_of(const struct doc_node *list)
{
    return list != NULL && list->type == DOC_SEQUENCE ? list->len : 0;
}

static bool read_owned(const struct doc_node *entries, struct owned *ret_owned)
{
    struct owned owned = {.nours = 0};
    for (uint32_t i = 0; i < items_of(entries); i++) {
        const struct doc_node *entry = entries->items[i];
        const struct doc_node *tree = doc_get(doc_get(entry, STR("fieldsV1")), STR("f:status"));
        if (tree == NULL) {
            continue;
        }
        if (owned.nours == TREES_MAX || owned.ntheirs == TREES_MAX) {
            return false;
        }
        if (str_eq(doc_text(entry, STR("manager")), STR(KUBE_MANAGER))) {
            owned.ours[owned.nours++] = tree;
        } else {
            owned.theirs[owned.ntheirs++] = tree;
        }
    }
    *ret_owned = owned;
    return owned.nours > 0;
}

/* The same, of a member of each. */
static struct owned inside(const struct owned *owned, struct str member)
{
    struct owned inner = {.nours = 0};
    for (size_t i = 0; i < owned->nours; i++) {
        const struct doc_node *tree = doc_get(owned->ours[i], member);
        if (tree != NULL) {
            inner.ours[inner.nours++] = tree;
        }
    }
    for (size_t i = 0; i < owned->ntheirs; i++) {
        const struct doc_node *tree = doc_get(owned->theirs[i], member);
        if (tree != NULL) {
            inner.theirs[inner.ntheirs++] = tree;
        }
    }
    return inner;
}

/* The item of a list whose items are told apart by `key`. */
static struct owned item(const struct owned *list, const char *key, const struct doc_node *value)
{
    struct buf member;
    buf_init(&member, BUF_UNLIMITED);
    buf_printf(&member, "k:{\"%s\":\"%.*s\"}", key, STR_FMT(doc_text(value, str_from(key))));
    struct owned inner = inside(list, buf_str(&member));
    buf_release(&member);
    return inner;
}

static bool is_heddles(const struct owned *owned)
{
    return owned->nours > 0 && owned->ntheirs == 0;
}

/* --- the parts ------------------------------------------------------------------------------- */

static void keep(const struct doc_node *node, struct json *out)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    doc_to_json(node, &text);
    json_raw(out, buf_str(&text));
    buf_release(&text);
}

/* heddle says no Unknown: that one was the API server's. */
static bool goes(const struct owned *conditions, const struct doc_node *condition)
{
    struct owned owned = item(conditions, "type", condition);
    return is_heddles(&owned) && !str_eq(doc_text(condition, STR("status")), STR("Unknown"));
}

/* The number of those that go. `out` gets the others. */
static uint32_t drop_conditions(const struct owned *owned, const struct doc_node *conditions,
                                struct json *out)
{
    struct owned list = inside(owned, STR("f:conditions"));
    uint32_t gone = 0;
    json_open(out, '[');
    for (uint32_t i = 0; i < items_of(conditions); i++) {
        if (goes(&list, conditions->items[i])) {
            gone++;
        } else {
            keep(conditions->items[i], out);
        }
    }
    json_close(out, ']');
    return gone;
}

static bool take_conditions(const struct owned *owned, const struct doc_node *list,
                            struct json *patch)
{
    struct buf text;
    struct json json;
    buf_init(&text, BUF_UNLIMITED);
    json_init(&json, &text, 0);
    uint32_t gone = drop_conditions(owned, list, &json);
    if (gone > 0) {
        json_key(patch, "conditions");
        json_raw(patch, gone == items_of(list) ? STR("null") : buf_str(&text));
    }
    buf_release(&text);
    return gone > 0;
}

/* Of an entry that others have touched, only the conditions can be heddle's. */
static bool drop_in_listener(const struct owned *owned, const struct doc_node *listener,
                             struct json *out)
{
    bool any = false;
    json_open(out, '{');
    for (uint32_t i = 0; i < listener->len; i++) {
        const struct doc_entry *member = &listener->entries[i];
        json_key_str(out, member->key);
        if (str_eq(member->key, STR("conditions"))) {
            any = drop_conditions(owned, member->value, out) > 0;
        } else {
            keep(member->value, out);
        }
    }
    json_close(out, '}');
    return any;
}

static bool take_listeners(const struct owned *owned, const struct doc_node *list,
                           struct json *patch)
{
    struct owned listeners = inside(owned, STR("f:listeners"));
    struct buf text;
    struct json json;
    uint32_t gone = 0;
    bool any = false;
    buf_init(&text, BUF_UNLIMITED);
    json_init(&json, &text, 0);
    json_open(&json, '[');
    for (uint32_t i = 0; i < items_of(list); i++) {
        struct owned one = item(&listeners, "name", list->items[i]);
        if (is_heddles(&one)) {
            gone++;
        } else {
            any = drop_in_listener(&one, list->items[i], &json) || any;
        }
    }
    json_close(&json, ']');
    if (gone > 0 || any) {
        json_key(patch, "listeners");
        json_raw(patch, gone == items_of(list) ? STR("null") : buf_str(&text));
    }
    buf_release(&text);
    return gone > 0 || any;
}

static bool take_whole(const struct owned *owned, const struct doc_node *status, struct str member,
                       struct str field, struct json *patch)
{
    struct owned one = inside(owned, field);
    if (doc_get(status, member) == NULL || !is_heddles(&one)) {
        return false;
    }
    json_key_str(patch, member);
    json_raw(patch, STR("null"));
    return true;
}

bool status_withdraw(const struct doc_node *object, struct json *patch)
{
    const struct doc_node *status = doc_get(object, STR("status"));
    struct owned owned;
    if (!read_owned(doc_get(doc_get(object, STR("metadata")), STR("managedFields")), &owned)) {
        return false;
    }
    bool any = take_conditions(&owned, doc_get(status, STR("conditions")), patch);
    any = take_listeners(&owned, doc_get(status, STR("listeners")), patch) || any;
    any = take_whole(&owned, status, STR("addresses"), STR("f:addresses"), patch) || any;
    return take_whole(&owned, status, STR("attachedListenerSets"), STR("f:attachedListenerSets"),
                      patch) ||
           any;
}
