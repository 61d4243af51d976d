/* SPDX-License-Identifier: Apache-2.0 */
/* merge: lists of a status, those of others kept, heddle's own renewed. */
#include "status/merge.h"

#include "ir/attachment.h"
#include "status/merge_internal.h"

/* One member of a status. */
struct list_rule {
    struct str key;
    struct str ref; /* of entries that name an object and a controller; empty: plain conditions */
    unsigned max;
    struct str place; /* of its conditions, as condition.def names it */
    void (*merge)(const struct list_rule *rule, const struct doc_node *seen,
                  const struct doc_node *wanted, struct json *out, struct merge *merge);
};

uint32_t merge_len(const struct doc_node *list)
{
    return list != NULL && list->type == DOC_SEQUENCE ? list->len : 0;
}

struct str merge_text(const struct doc_node *mapping, struct str key)
{
    const struct doc_node *node = doc_get(mapping, key);
    return node != NULL ? node->text : STR_NULL;
}

void merge_verbatim(const struct doc_node *node, struct json *out)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    doc_to_json(node, &text);
    json_raw(out, buf_str(&text));
    buf_release(&text);
}

void merge_changed(struct merge *merge)
{
    merge->differs = true;
    merge->urgent = true;
}

/* --- conditions of the object itself ------------------------------------------------------- */

/* A Gateway or ListenerSet has one controller: that which tells of its listeners. Of other objects
 * heddle's are the conditions with its domain, and what it says now. */
static struct str place_of(const struct doc_node *wanted)
{
    bool listens = doc_get(wanted, STR("listeners")) != NULL;
    bool gateway = doc_get(wanted, STR("addresses")) != NULL;
    return gateway ? STR("Gateway") : listens ? STR("ListenerSet") : STR_NULL;
}

static void merge_own_conditions(const struct list_rule *rule, const struct doc_node *seen,
                                 const struct doc_node *wanted, struct json *out,
                                 struct merge *merge)
{
    merge_conditions(seen, wanted, rule->place, out, merge);
}

/* --- entries with a controllerName --------------------------------------------------------- */

static bool is_ours(const struct doc_node *entry)
{
    return str_eq(merge_text(entry, STR("controllerName")), STR(CONTROLLER_NAME));
}

/* The members of a ParentReference. */
static bool same_ref(const struct doc_node *a, const struct doc_node *b)
{
    static const struct str members[] = {
        STR("group"), STR("kind"), STR("namespace"), STR("name"), STR("sectionName"), STR("port"),
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (!str_eq(merge_text(a, members[i]), merge_text(b, members[i]))) {
            return false;
        }
    }
    return true;
}

static bool has_trouble(const struct doc_node *entry)
{
    const struct doc_node *conditions = doc_get(entry, STR("conditions"));
    for (uint32_t i = 0; i < merge_len(conditions); i++) {
        if (str_eq(merge_text(conditions->items[i], STR("status")), STR("False"))) {
            return true;
        }
    }
    return false;
}

/* Those of `wanted` for which there is room: first what tells of trouble, then in order. */
static item_set choose(const struct doc_node *wanted, uint32_t room)
{
    item_set chosen = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < merge_len(wanted) && i < ITEMS_MAX && room > 0; i++) {
            if ((pass == 0) == has_trouble(wanted->items[i])) {
                chosen |= item_bit(i);
                room--;
            }
        }
    }
    return chosen;
}

static void put_entry(const struct list_rule *rule, const struct doc_node *seen,
                      const struct doc_node *wanted, struct json *out, struct merge *merge)
{
    json_open(out, '{');
    json_key_str(out, rule->ref);
    merge_verbatim(doc_get(wanted, rule->ref), out);
    json_member_text(out, "controllerName", CONTROLLER_NAME);
    json_key(out, "conditions");
    merge_conditions(doc_get(seen, STR("conditions")), doc_get(wanted, STR("conditions")),
                     rule->place, out, merge);
    json_close(out, '}');
}

/* The chosen item about the same object that is not yet done; merge_len() when there is none. */
static uint32_t find_entry(const struct list_rule *rule, const struct doc_node *wanted,
                           item_set open, const struct doc_node *seen)
{
    uint32_t i = 0;
    while (i < merge_len(wanted) &&
           ((open & item_bit(i)) == 0 ||
            !same_ref(doc_get(wanted->items[i], rule->ref), doc_get(seen, rule->ref)))) {
        i++;
    }
    return i;
}

static void merge_entries(const struct list_rule *rule, const struct doc_node *seen,
                          const struct doc_node *wanted, struct json *out, struct merge *merge)
{
    uint32_t foreign = 0;
    for (uint32_t i = 0; i < merge_len(seen); i++) {
        foreign += !is_ours(seen->items[i]);
    }
    item_set open = choose(wanted, foreign < rule->max ? rule->max - foreign : 0);
    merge->dropped += merge_len(wanted) - (unsigned)__builtin_popcountll(open);
    json_open(out, '[');
    for (uint32_t i = 0; i < merge_len(seen); i++) {
        const struct doc_node *entry = seen->items[i];
        uint32_t at = find_entry(rule, wanted, open, entry);
        if (!is_ours(entry)) {
            merge_verbatim(entry, out);
        } else if (at < merge_len(wanted)) {
            put_entry(rule, entry, wanted->items[at], out, merge);
            open &= ~item_bit(at);
        } else {
            merge_changed(merge); /* its parentRef is gone */
        }
    }
    for (uint32_t i = 0; i < merge_len(wanted); i++) {
        if ((open & item_bit(i)) != 0) {
            merge_changed(merge);
            put_entry(rule, NULL, wanted->items[i], out, merge);
        }
    }
    json_close(out, ']');
}

/* --- listeners ----------------------------------------------------------------------------- */

/* NULL: there is none of that name. */
static const struct doc_node *find_listener(const struct doc_node *list, struct str name)
{
    for (uint32_t i = 0; i < merge_len(list); i++) {
        if (str_eq(merge_text(list->items[i], STR("name")), name)) {
            return list->items[i];
        }
    }
    return NULL;
}

static bool same_node(const struct doc_node *a, const struct doc_node *b)
{
    struct buf text_a, text_b;
    buf_init(&text_a, BUF_UNLIMITED);
    buf_init(&text_b, BUF_UNLIMITED);
    if (a != NULL) {
        doc_to_json(a, &text_a);
    }
    if (b != NULL) {
        doc_to_json(b, &text_b);
    }
    bool same = str_eq(buf_str(&text_a), buf_str(&text_b));
    buf_release(&text_a);
    buf_release(&text_b);
    return same;
}

static bool same_kinds(const struct doc_node *a, const struct doc_node *b)
{
    bool same = merge_len(a) == merge_len(b);
    for (uint32_t i = 0; same && i < merge_len(a); i++) {
        same =
            str_eq(merge_text(a->items[i], STR("group")), merge_text(b->items[i], STR("group"))) &&
            str_eq(merge_text(a->items[i], STR("kind")), merge_text(b->items[i], STR("kind")));
    }
    return same;
}

/* The entry of one listener: all but foreign conditions is heddle's. */
static void put_listener(const struct list_rule *rule, const struct doc_node *seen,
                         const struct doc_node *wanted, struct json *out, struct merge *merge)
{
    if (seen == NULL ||
        !same_kinds(doc_get(seen, STR("supportedKinds")), doc_get(wanted, STR("supportedKinds"))) ||
        !same_node(doc_get(seen, STR("attachedRoutes")), doc_get(wanted, STR("attachedRoutes")))) {
        merge_changed(merge);
    }
    json_open(out, '{');
    for (uint32_t i = 0; i < wanted->len; i++) {
        const struct doc_entry *member = &wanted->entries[i];
        json_key_str(out, member->key);
        if (str_eq(member->key, STR("conditions"))) {
            merge_conditions(doc_get(seen, STR("conditions")), member->value, rule->place, out,
                             merge);
        } else {
            merge_verbatim(member->value, out);
        }
    }
    json_close(out, '}');
}

/* In the order of the spec; what is gone from there is gone from here. */
static void merge_listeners(const struct list_rule *rule, const struct doc_node *seen,
                            const struct doc_node *wanted, struct json *out, struct merge *merge)
{
    if (wanted == NULL) {
        return;
    }
    bool moved = merge_len(seen) != merge_len(wanted);
    json_open(out, '[');
    for (uint32_t i = 0; i < merge_len(wanted); i++) {
        struct str name = merge_text(wanted->items[i], STR("name"));
        moved = moved || !str_eq(merge_text(seen->items[i], STR("name")), name);
        put_listener(rule, find_listener(seen, name), wanted->items[i], out, merge);
    }
    json_close(out, ']');
    if (moved) {
        merge_changed(merge);
    }
}

/* Whether two lists have the same items, by one or two of their texts. */
static bool same_items(const struct doc_node *a, const struct doc_node *b, const char *key,
                       const char *other)
{
    bool same = merge_len(a) == merge_len(b);
    for (uint32_t i = 0; same && i < merge_len(b); i++) {
        const struct doc_node *x = a->items[i], *y = b->items[i];
        same = str_eq(merge_text(x, str_from(key)), merge_text(y, str_from(key))) &&
               (other == NULL ||
                str_eq(merge_text(x, str_from(other)), merge_text(y, str_from(other))));
    }
    return same;
}

/* --- what is heddle's as a whole ------------------------------------------------------------- */

/* Whoever accepts the object lists its features: all of the list is heddle's, or nothing. */
static void merge_features(const struct list_rule *rule, const struct doc_node *seen,
                           const struct doc_node *wanted, struct json *out, struct merge *merge)
{
    (void)rule;
    if (wanted == NULL) {
        return;
    }
    if (!same_items(seen, wanted, "name", NULL)) {
        merge_changed(merge);
    }
    merge_verbatim(wanted, out);
}

static void merge_addresses(const struct list_rule *rule, const struct doc_node *seen,
                            const struct doc_node *wanted, struct json *out, struct merge *merge)
{
    (void)rule;
    if (wanted == NULL) {
        return;
    }
    if (!same_items(seen, wanted, "type", "value")) {
        merge_changed(merge);
    }
    merge_verbatim(wanted, out);
}

static void merge_number(const struct list_rule *rule, const struct doc_node *seen,
                         const struct doc_node *wanted, struct json *out, struct merge *merge)
{
    (void)rule;
    if (wanted == NULL) {
        return;
    }
    if (!same_node(seen, wanted)) {
        merge_changed(merge);
    }
    merge_verbatim(wanted, out);
}

/* --- all of it ----------------------------------------------------------------------------- */

static const struct list_rule rules[] = {
    {.key = STR("conditions"), .merge = merge_own_conditions},
    {.key = STR("parents"),
     .ref = STR("parentRef"),
     .max = STATUS_PARENTS_MAX,
     .place = STR("per parentRef"),
     .merge = merge_entries},
    {.key = STR("ancestors"),
     .ref = STR("ancestorRef"),
     .max = STATUS_ANCESTORS_MAX,
     .place = STR("per ancestor"),
     .merge = merge_entries},
    {.key = STR("supportedFeatures"), .merge = merge_features},
    {.key = STR("listeners"), .place = STR("listener"), .merge = merge_listeners},
    {.key = STR("addresses"), .merge = merge_addresses},
    {.key = STR("attachedListenerSets"), .merge = merge_number},
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

void status_merge(const struct doc_node *seen, const struct doc_node *wanted, struct json *patch,
                  struct merge *ret_merge)
{
    *ret_merge = (struct merge){.differs = false};
    for (size_t i = 0; i < RULES; i++) {
        struct merge one = *ret_merge;
        struct buf list;
        struct json json;
        buf_init(&list, BUF_UNLIMITED);
        json_init(&json, &list, 0);
        one.differs = false;
        struct list_rule rule = rules[i];
        if (rule.merge == merge_own_conditions) {
            rule.place = place_of(wanted);
        }
        rule.merge(&rule, doc_get(seen, rule.key), doc_get(wanted, rule.key), &json, &one);
        if (one.differs) {
            json_key_str(patch, rules[i].key);
            json_raw(patch, buf_str(&list));
        }
        one.differs = one.differs || ret_merge->differs;
        *ret_merge = one;
        buf_release(&list);
    }
}

bool status_merge_part(const struct doc_node *status, struct json *json)
{
    bool any = false;
    for (size_t i = 0; i < RULES; i++) {
        const struct doc_node *member = doc_get(status, rules[i].key);
        if (member != NULL && (member->type != DOC_SEQUENCE || member->len > 0)) {
            json_key_str(json, rules[i].key);
            merge_verbatim(member, json);
            any = true;
        }
    }
    return any;
}
