/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admit: see admit.h. "Each ReferenceGrant can be used to represent a unique trust relationship.
 * Additional Reference Grants can be used to add to the set" (ReferenceGrant): that any of them
 * allows it is enough.
 *
 * A grant is indexed by each pair of its `from` and `to`, so that one that comes or goes wakes only
 * those whose references it could be about.
 */
#include "resolve/admit.h"

#include <stdlib.h>

#include "ir/graph.h"
#include "model/grant.h"
#include "resolve/resolve.h"

#define NAME_LABEL "kubernetes.io/metadata.name" /* which every Namespace has, with its name */

static int pair_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct str_pair *)a)->key, ((const struct str_pair *)b)->key);
}

/* An API server sets the label with the name (KEP-2161); who writes files may leave it out, and the
 * Namespace, too. */
static bool meets(struct eval *ev, const struct label_selector *selector, struct str ns)
{
    const struct object *object = (const struct object *)eval_get(ev, T_NAMESPACE, ns);
    size_t len = object != NULL ? object->meta.labels.len : 0;
    struct str_pair *labels = ARENA_ARRAY(eval_scratch(ev), len + 1, struct str_pair);
    bool named = false;
    for (size_t i = 0; i < len; i++) {
        labels[i] = object->meta.labels.items[i];
        named = named || str_eq(labels[i].key, STR(NAME_LABEL));
    }
    if (!named) {
        labels[len++] = (struct str_pair){.key = STR(NAME_LABEL), .value = ns};
        qsort(labels, len, sizeof(*labels), pair_cmp);
    }
    return selector_meets(selector, labels, len);
}

bool admit_namespace(struct eval *ev, int from, const struct label_selector *selector,
                     struct str home, struct str ns)
{
    switch ((enum from_namespaces)from) {
    case FROM_ALL:
        return true;
    case FROM_SAME:
        return str_eq(home, ns);
    case FROM_SELECTOR:
        return meets(ev, selector, ns);
    case FROM_NONE:
        return false;
    }
    return false;
}

/* "TO-NS|FROM-GROUP/FROM-KIND/FROM-NS|TO-GROUP/TO-KIND" */
static struct str group_key(struct arena *arena, const struct reference *reference)
{
    return arena_printf(arena, "%.*s|%.*s/%.*s/%.*s|%.*s/%.*s", STR_FMT(reference->ns),
                        STR_FMT(reference->from_group), STR_FMT(reference->from_kind),
                        STR_FMT(reference->from_ns), STR_FMT(reference->group),
                        STR_FMT(reference->kind));
}

void resolve_grants(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct reference_grant *grant = (const struct reference_grant *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    (void)key;
    for (size_t i = 0; i < grant->from.len; i++) {
        const struct grant_from *from = &grant->from.items[i];
        for (size_t j = 0; j < grant->to.len; j++) {
            const struct grant_to *to = &grant->to.items[j];
            struct reference reference = {from->group, from->kind, from->ns,
                                          to->group,   to->kind,   grant->object.meta.ns,
                                          to->name};
            group_emit(emit, group_key(&scratch, &reference));
        }
    }
    arena_release(&scratch);
}

/* Of a grant that is about the two kinds and the namespace that refers. */
static bool names(const struct reference_grant *grant, const struct reference *reference)
{
    for (size_t i = 0; i < grant->to.len; i++) {
        const struct grant_to *to = &grant->to.items[i];
        if (str_eq(to->group, reference->group) && str_eq(to->kind, reference->kind) &&
            (to->name.len == 0 || str_eq(to->name, reference->name))) {
            return true;
        }
    }
    return false;
}

bool admit_reference(struct eval *ev, const struct reference *reference)
{
    if (str_eq(reference->ns, reference->from_ns)) {
        return true;
    }
    struct row_span grants = eval_group(ev, X_GRANTS, group_key(eval_scratch(ev), reference));
    for (size_t i = 0; i < grants.len; i++) {
        if (names((const struct reference_grant *)grants.rows[i], reference)) {
            return true;
        }
    }
    return false;
}
