/* SPDX-License-Identifier: Apache-2.0 */
/* thing: the objects: what is there of each and what should be. How that is made so: look.c. */
#include <stdlib.h>

#include "base/log.h"
#include "base/panic.h"
#include "provision/provision_internal.h"

static char *thing_key(enum part part, struct str ns, struct str name)
{
    struct buf key;
    buf_init(&key, BUF_UNLIMITED);
    buf_printf(&key, "%s/%.*s/%.*s", part_info(part)->kind, STR_FMT(ns), STR_FMT(name));
    return buf_steal(&key, NULL);
}

struct thing *thing_get(struct provision *provision, enum part part, struct str ns, struct str name)
{
    char *key = thing_key(part, ns, name);
    struct thing *thing = map_get(&provision->things, str_from(key));
    free(key);
    return thing;
}

struct thing *thing_add(struct provision *provision, enum part part, struct str ns, struct str name)
{
    struct thing *thing = thing_get(provision, part, ns, name);
    if (thing != NULL) {
        return thing;
    }
    thing = xcalloc(1, sizeof(*thing));
    list_init(&thing->link);
    list_init(&thing->former_link);
    thing->provision = provision;
    thing->part = part;
    thing->key = thing_key(part, ns, name);
    struct str rest = str_from(thing->key);
    (void)str_cut(&rest, '/');
    thing->ns = str_cut(&rest, '/');
    thing->name = rest;
    thing->backoff = (struct backoff){PROVISION_BACKOFF_MS, PROVISION_BACKOFF_MAX_MS, 0};
    thing->mends = thing->backoff;
    map_put(&provision->things, str_from(thing->key), thing);
    return thing;
}

void thing_free(struct thing *thing)
{
    thing_rest(thing);
    map_remove(&thing->provision->things, str_from(thing->key));
    list_remove(&thing->former_link);
    seen_release(&thing->seen);
    free(thing->stand_in);
    free(thing->stand_in_uid);
    free(thing->text);
    free(thing->error);
    free(thing->key);
    free(thing);
}

void thing_drop(struct thing *thing)
{
    if (!thing->seen.there && thing->text == NULL) {
        thing_free(thing);
    }
}

/* --- what should be -------------------------------------------------------------------------- */

void thing_want(struct thing *thing, struct site *site, struct str text)
{
    bool same = thing->site == site && str_eq(str_from(thing->text), text);
    if (same) {
        return;
    }
    free(thing->text);
    thing->text = site != NULL ? str_dup(text) : NULL;
    thing->site = site;
    thing->remake = false;
    backoff_reset(&thing->backoff);
    if (site == NULL) {
        thing->looked = thing->applied = thing->followed = false;
        stand_in_forget(thing);
        rollout_end(thing);
        thing_set_error(thing, false, STR_NULL);
    }
    former_look(thing);
    thing_queue(thing);
}

/* --- what is there --------------------------------------------------------------------------- */

bool thing_is_of(const struct seen *seen, const struct site *site)
{
    struct arena scratch;
    arena_init_sized(&scratch, PART_NAME_MAX + 1);
    bool labelled = str_eq(seen->manager, STR(PART_MANAGER)) &&
                    str_eq(seen->gateway, part_label(&scratch, site->name)) &&
                    (seen->owner.len == 0 || str_eq(seen->owner, site->name));
    arena_release(&scratch);
    return labelled || (seen->owner_uid.len > 0 && str_eq(seen->owner_uid, str_from(site->uid)));
}

/* Watch and answers to writes overtake each other. resourceVersions of one kind are ordered numbers
 * (KEP-5504). */
static bool is_older(struct str version, struct str known)
{
    uint64_t a, b;
    return str_to_u64(version, &a) && str_to_u64(known, &b) && a < b;
}

void thing_take(struct thing *thing, struct seen *fresh)
{
    if (!fresh->there || (thing->seen.there && is_older(fresh->version, thing->seen.version))) {
        seen_release(fresh);
        return;
    }
    seen_release(&thing->seen);
    thing->seen = *fresh;
    *fresh = (struct seen){.there = false};
    former_look(thing);
    rollout_look(thing);
}

void thing_learn(struct thing *thing, const struct doc_node *object)
{
    struct seen fresh;
    seen_read(thing->part, object, &fresh);
    thing_take(thing, &fresh);
}

void thing_lost(struct thing *thing)
{
    seen_release(&thing->seen);
    thing->looked = thing->remake = thing->applied = thing->followed = false;
    former_look(thing);
    rollout_end(thing);
}

void thing_told(struct thing *thing)
{
    struct site *site = thing->site != NULL ? thing->site : thing->former_of;
    if (site == NULL) {
        return;
    }
    site_tell(site);
    site_moved(site);
    if (site->things[PART_DEPLOYMENT] != NULL && thing->part < PART_DEPLOYMENT) {
        thing_queue(site->things[PART_DEPLOYMENT]); /* it may have waited for this */
    }
}

void thing_set_error(struct thing *thing, bool invalid, struct str text)
{
    struct buf error;
    buf_init(&error, BUF_UNLIMITED);
    if (text.len > 0) {
        buf_printf(&error, "%s '%.*s/%.*s': %.*s", part_info(thing->part)->kind, STR_FMT(thing->ns),
                   STR_FMT(thing->name), STR_FMT(text));
    }
    free(thing->error);
    thing->error = error.len > 0 ? buf_steal(&error, NULL) : NULL;
    buf_release(&error);
    thing->invalid = invalid;
    if (thing->site != NULL) {
        site_tell(thing->site);
    }
}
