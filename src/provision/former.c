/* SPDX-License-Identifier: Apache-2.0 */
/*
 * former: what a Gateway has of the class that it had before, when both classes are heddle's. All
 * is made anew then, since the class is in the objects' names and in their immutable selectors.
 *
 *   web-old: Service, Deployment, …  ──serves──────────────────────► deleted
 *   web-new: Service, Deployment, …  ──made──► stands ──linger──────┘
 *
 * It stands when all its Envoys are available and its Service has the addresses that are asked for,
 * unless the former Service has none either. Until then the former objects stay as they are, are
 * nobody's to mend, and are where the Gateway is; afterwards they linger for those who have looked
 * up the old address.
 *
 * An address that both Services want cannot be had twice: then the former Service goes as soon as
 * the new Envoys are available, and the new one is made when it is gone.
 */
#include "base/log.h"
#include "provision/provision_internal.h"

/* --- which they are -------------------------------------------------------------------------- */

struct site *site_of_owner(const struct thing *thing)
{
    const struct seen *seen = &thing->seen;
    struct arena scratch;
    arena_init(&scratch);
    struct str key = arena_printf(&scratch, "%.*s/%.*s", STR_FMT(thing->ns), STR_FMT(seen->owner));
    struct site *site = seen->there ? site_find(thing->provision, key) : NULL;
    arena_release(&scratch);
    return site != NULL && str_eq(seen->owner_uid, str_from(site->uid)) ? site : NULL;
}

static struct site *site_left_by(const struct thing *thing)
{
    struct site *site = thing->text == NULL ? site_of_owner(thing) : NULL;
    bool other = site != NULL && site->drafted && thing->seen.class.len > 0 &&
                 !str_eq(thing->seen.class, site->class_label);
    return other ? site : NULL;
}

void former_look(struct thing *thing)
{
    struct site *site = site_left_by(thing);
    if (site == thing->former_of) {
        return;
    }
    list_remove(&thing->former_link);
    thing->former_of = site;
    if (site != NULL) {
        list_append(&site->formers, &thing->former_link);
    }
}

void site_review_formers(struct site *site)
{
    list_for_each_safe (it, &site->formers) {
        struct thing *thing = list_entry(it, struct thing, former_link);
        former_look(thing);
        thing_queue(thing);
    }
}

void site_moved(struct site *site)
{
    struct thing *service = site->things[PART_SERVICE];
    list_for_each_safe (it, &site->formers) {
        thing_queue(list_entry(it, struct thing, former_link));
    }
    if (service != NULL && !service->seen.there) {
        thing_queue(service); /* it may have waited for an address */
    }
}

/* --- how far the new ones are ------------------------------------------------------------------
 */

bool service_has(const struct thing *service, struct str address)
{
    for (size_t i = 0; service != NULL && i < service->seen.addresses.len; i++) {
        if (str_eq_nocase(service->seen.addresses.items[i].value, address)) {
            return true;
        }
    }
    return false;
}

static bool envoys_stand(const struct site *site)
{
    const struct thing *deployment = site->things[PART_DEPLOYMENT];
    return deployment != NULL && deployment->seen.available > 0 &&
           deployment->seen.available >= deployment->seen.replicas;
}

static bool former_is_reached(const struct site *site)
{
    list_for_each (it, &site->formers) {
        const struct thing *former = list_entry(it, struct thing, former_link);
        if (former->part == PART_SERVICE && former->seen.addresses.len > 0) {
            return true;
        }
    }
    return false;
}

bool site_stands(const struct site *site)
{
    const struct thing *service = site->things[PART_SERVICE];
    if (!envoys_stand(site) || service == NULL || !service->seen.there) {
        return false;
    }
    if (!former_is_reached(site)) {
        return true; /* no load balancer is there, say: nobody would ever give it one */
    }
    if (service->seen.addresses.len == 0) {
        return false;
    }
    for (size_t i = 0; i < site->wanted.len; i++) {
        if (!service_has(service, site->wanted.items[i].value)) {
            return false;
        }
    }
    return true;
}

static bool is_in_the_way(const struct thing *former, const struct site *site)
{
    return former->part == PART_SERVICE && site->address.len > 0 &&
           service_has(former, site->address) &&
           !service_has(site->things[PART_SERVICE], site->address);
}

bool site_waits_for_address(const struct site *site)
{
    list_for_each (it, &site->formers) {
        if (is_in_the_way(list_entry(it, struct thing, former_link), site)) {
            return true;
        }
    }
    return false;
}

/* --- when they go ---------------------------------------------------------------------------- */

/* Of its class; nobody lingers at what never served. */
static bool has_envoys(const struct thing *former)
{
    list_for_each (it, &former->former_of->formers) {
        const struct thing *other = list_entry(it, struct thing, former_link);
        if (other->part == PART_DEPLOYMENT && str_eq(other->seen.class, former->seen.class) &&
            other->seen.available > 0) {
            return true;
        }
    }
    return false;
}

uint64_t former_due_ms(const struct thing *former)
{
    const struct site *site = former->former_of;
    if (envoys_stand(site) && is_in_the_way(former, site)) {
        log_at(LOG_INFO, "provision", "an address goes over to another Service",
               KV("address", site->address), KV_TEXT("from", former->key));
        return 0;
    }
    if (site->stands_ms == 0) {
        return UINT64_MAX;
    }
    return site->stands_ms + (has_envoys(former) ? former->provision->config.linger_ms : 0);
}

int32_t site_replicas_before(const struct site *site)
{
    int32_t replicas = 0;
    list_for_each (it, &site->formers) {
        const struct thing *former = list_entry(it, struct thing, former_link);
        if (former->part == PART_DEPLOYMENT && former->seen.replicas > replicas) {
            replicas = former->seen.replicas;
        }
    }
    return replicas;
}

/* --- where the Gateway is meanwhile ------------------------------------------------------------
 */

static const struct thing *former_deployment(const struct site *site, const struct thing *service)
{
    list_for_each (it, &site->formers) {
        const struct thing *former = list_entry(it, struct thing, former_link);
        if (former->part == PART_DEPLOYMENT && str_eq(former->name, service->name) &&
            former->seen.available > 0) {
            return former;
        }
    }
    return NULL;
}

struct place site_place(const struct site *site)
{
    struct place place = {site->things[PART_SERVICE], site->things[PART_DEPLOYMENT], false};
    if (site_stands(site)) {
        return place;
    }
    list_for_each (it, &site->formers) { /* the last one that serves */
        const struct thing *former = list_entry(it, struct thing, former_link);
        bool reached = former->part == PART_SERVICE && former->seen.addresses.len > 0;
        const struct thing *deployment = reached ? former_deployment(site, former) : NULL;
        if (deployment != NULL) {
            place = (struct place){former, deployment, true};
        }
    }
    return place;
}
