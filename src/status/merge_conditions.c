/* SPDX-License-Identifier: Apache-2.0 */
/* merge_conditions: a list of conditions: whose each one is, and what of heddle's own is new. */
#include "ir/attachment.h"
#include "status/merge_internal.h"

#define OWN_DOMAIN "heddle.dev/"

static int64_t integer_of(const struct doc_node *mapping, struct str key)
{
    const struct doc_node *node = doc_get(mapping, key);
    return node != NULL && node->type == DOC_INT ? node->integer : 0;
}

/* Whether heddle sets conditions of the type at the place, where it alone does: in entries with its
 * controllerName, on what has no other controller. 'Programmed' of a Gateway is heddle's, of a
 * route's parent another's. Nowhere (empty): only its own domain is. */
static bool is_own_type(struct str place, struct str type)
{
    for (unsigned i = 0; place.len > 0 && i < CONDITION_COUNT; i++) {
        const struct condition_info *info = condition_info((enum condition_id)i);
        if (str_ends_with(str_from(info->object), place) && str_eq(type, str_from(info->type))) {
            return true;
        }
    }
    return str_starts_with(type, STR(OWN_DOMAIN));
}

/* The item with this type; merge_len() when there is none. */
static uint32_t find_condition(const struct doc_node *list, struct str type)
{
    uint32_t i = 0;
    while (i < merge_len(list) && !str_eq(merge_text(list->items[i], STR("type")), type)) {
        i++;
    }
    return i;
}

static void note_turn(struct merge *merge, const struct doc_node *wanted, bool words)
{
    if (merge->nturns < STATUS_TURNS_MAX) {
        merge->turns[merge->nturns++] = (struct merge_turn){
            .type = merge_text(wanted, STR("type")),
            .status = merge_text(wanted, STR("status")),
            .reason = merge_text(wanted, STR("reason")),
            .message = merge_text(wanted, STR("message")),
            .words = words,
        };
    }
}

/* Propagated, once True, is so for that generation, and tells the numbers of that moment: a
 * restart, which counts anew while clients come back, changes nothing. */
static bool is_settled(const struct doc_node *seen, const struct doc_node *wanted)
{
    const struct condition_info *all = condition_info(C_propagated);
    return str_eq(merge_text(wanted, STR("type")), str_from(all->type)) &&
           str_eq(merge_text(seen, STR("status")), STR("True")) &&
           integer_of(seen, STR("observedGeneration")) ==
               integer_of(wanted, STR("observedGeneration")) &&
           (str_eq(merge_text(seen, STR("reason")), str_from(all->reason)) ||
            !str_eq(merge_text(wanted, STR("reason")), str_from(all->reason)));
}

/* What is new in a condition; seen: NULL when all of it is. */
static void compare_condition(const struct doc_node *seen, const struct doc_node *wanted,
                              struct merge *merge)
{
    static const struct str turning[] = {STR("status"), STR("reason")};
    bool turned = seen == NULL;
    for (size_t i = 0; i < sizeof(turning) / sizeof(turning[0]); i++) {
        turned = turned || !str_eq(merge_text(seen, turning[i]), merge_text(wanted, turning[i]));
    }
    bool words = seen != NULL &&
                 !str_eq(merge_text(seen, STR("message")), merge_text(wanted, STR("message")));
    int64_t before = integer_of(seen, STR("observedGeneration"));
    int64_t after = integer_of(wanted, STR("observedGeneration"));
    if (turned || words) {
        note_turn(merge, wanted, !turned);
    }
    merge->newer = merge->newer || before > after;
    merge->differs = merge->differs || turned || words || before != after;
    merge->urgent = merge->urgent || turned || before != after;
}

static void put_condition(const struct doc_node *seen, const struct doc_node *wanted,
                          struct json *out)
{
    struct str since = merge_text(seen, STR("lastTransitionTime"));
    bool same =
        since.len > 0 && str_eq(merge_text(seen, STR("status")), merge_text(wanted, STR("status")));
    json_open(out, '{');
    for (uint32_t i = 0; i < wanted->len; i++) {
        const struct doc_entry *member = &wanted->entries[i];
        json_key_str(out, member->key);
        if (same && str_eq(member->key, STR("lastTransitionTime"))) {
            json_str(out, since);
        } else {
            merge_verbatim(member->value, out);
        }
    }
    json_close(out, '}');
}

void merge_conditions(const struct doc_node *seen, const struct doc_node *wanted, struct str place,
                      struct json *out, struct merge *merge)
{
    uint32_t foreign = 0;
    item_set done = 0;
    for (uint32_t i = 0; i < merge_len(seen); i++) {
        struct str type = merge_text(seen->items[i], STR("type"));
        foreign += find_condition(wanted, type) == merge_len(wanted) && !is_own_type(place, type);
    }
    /* The first ones are what the API asks for, the last ones progress: those go without. */
    uint32_t room = foreign < STATUS_CONDITIONS_MAX ? STATUS_CONDITIONS_MAX - foreign : 0;
    uint32_t len = merge_len(wanted) < room ? merge_len(wanted) : room;
    merge->dropped += merge_len(wanted) - len;
    json_open(out, '[');
    for (uint32_t i = 0; i < merge_len(seen); i++) {
        struct str type = merge_text(seen->items[i], STR("type"));
        uint32_t at = find_condition(wanted, type);
        bool foreign_type = at == merge_len(wanted) && !is_own_type(place, type);
        bool first = at < len && (done & item_bit(at)) == 0;
        if (foreign_type || (first && is_settled(seen->items[i], wanted->items[at]))) {
            merge_verbatim(seen->items[i], out);
            done |= foreign_type ? 0 : item_bit(at);
        } else if (first) {
            compare_condition(seen->items[i], wanted->items[at], merge);
            put_condition(seen->items[i], wanted->items[at], out);
            done |= item_bit(at);
        } else {
            merge_changed(merge);
        }
    }
    for (uint32_t i = 0; i < len; i++) {
        if ((done & item_bit(i)) == 0) {
            merge_changed(merge);
            compare_condition(NULL, wanted->items[i], merge);
            put_condition(NULL, wanted->items[i], out);
        }
    }
    json_close(out, ']');
}
