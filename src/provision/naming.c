/* SPDX-License-Identifier: Apache-2.0 */
/*
 * naming: what the objects of a Gateway are called, where two would be called the same.
 *
 *   Gateway a    of class b-c ─┐
 *                              ├─► a-b-c    one has it, the other a-b-c-HASH
 *   Gateway a-b  of class c ───┘
 *
 * Whoever has objects keeps their names: those of a running Gateway, its address with them, never
 * change because another one comes or goes. So the cluster says who has which, and all replicas
 * find the same once they have seen it. Of two that have no objects yet it is the first of which
 * heddle hears. Source: GEP-1762, "Automated Deployments": <NAME>-<GATEWAY CLASS>.
 */
#include "provision/provision_internal.h"

static struct thing *thing_called(const struct site *site, enum part part, struct str stem)
{
    struct arena scratch;
    arena_init_sized(&scratch, 2 * PART_NAME_MAX);
    struct thing *thing =
        thing_get(site->provision, part, site->ns, part_name(&scratch, part, stem));
    arena_release(&scratch);
    return thing;
}

/* The first object that is there and called so: whose that is has the names. NULL: none is. */
static const struct thing *first_there(const struct site *site, struct str stem)
{
    for (unsigned i = 0; i < PART_COUNT; i++) {
        const struct thing *thing = thing_called(site, (enum part)i, stem);
        if (thing != NULL && thing->seen.there) {
            return thing;
        }
    }
    return NULL;
}

static bool is_wanted_by_another(const struct site *site, struct str stem)
{
    for (unsigned i = 0; i < PART_COUNT; i++) {
        const struct thing *thing = thing_called(site, (enum part)i, stem);
        if (thing != NULL && thing->site != NULL && thing->site != site) {
            return true;
        }
    }
    return false;
}

struct str site_stem(const struct site *site, struct arena *arena, struct str class)
{
    struct str plain = part_stem(arena, site->name, class);
    struct str apart = part_stem_apart(arena, site->name, class);
    const struct thing *there = first_there(site, plain);
    const struct thing *there_apart = first_there(site, apart);
    if (there != NULL && thing_is_of(&there->seen, site)) {
        return plain;
    }
    if (there != NULL || (there_apart != NULL && thing_is_of(&there_apart->seen, site))) {
        return apart;
    }
    return is_wanted_by_another(site, plain) ? apart : plain;
}

/* --- when it turns --------------------------------------------------------------------------- */

static void look_again(struct site *site)
{
    struct arena scratch;
    if (site == NULL || !site->drafted) {
        return;
    }
    arena_init(&scratch);
    if (!str_eq(site_stem(site, &scratch, site->of_class), site->blueprint.stem)) {
        site_draft(site);
    }
    arena_release(&scratch);
}

void site_dispute(const struct thing *thing)
{
    if (!thing->seen.there || (thing->site != NULL && thing_is_of(&thing->seen, thing->site))) {
        return;
    }
    look_again(thing->site); /* first: then the name is free for its owner */
    look_again(site_of_owner(thing));
}
