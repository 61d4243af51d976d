/* SPDX-License-Identifier: Apache-2.0 */
/* provision: its life, its watches and its timer. What is done: site.c, look.c, apply.c. */
#include "provision/provision.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/panic.h"
#include "net/loop.h"
#include "provision/provision_internal.h"

#define OWN_LABELS PART_MANAGER_LABEL "=" PART_MANAGER "," PART_GATEWAY_LABEL

uint64_t provision_now_ms(const struct provision *provision)
{
    return loop_now_ms(kube_loop(provision->config.kube));
}

int64_t provision_now_s(const struct provision *provision)
{
    int64_t (*clock)(void) = provision->config.now_s;
    return clock != NULL ? clock() : (int64_t)(clock_wall_ms() / 1000);
}

static struct str key_of(struct arena *arena, struct str ns, struct str name)
{
    return arena_printf(arena, "%.*s/%.*s", STR_FMT(ns), STR_FMT(name));
}

/* --- the timer ------------------------------------------------------------------------------- */

/* Things whose time has come; returns when the next one's does. */
static uint64_t wake_things(struct provision *provision)
{
    uint64_t next = UINT64_MAX;
    list_for_each_safe (it, &provision->waiting) {
        struct thing *thing = list_entry(it, struct thing, link);
        if (thing->due_ms <= provision_now_ms(provision)) {
            thing_wake(thing);
        } else if (thing->due_ms < next) {
            next = thing->due_ms;
        }
    }
    return next;
}

static uint64_t wake_sites(struct provision *provision)
{
    uint64_t next = UINT64_MAX;
    list_for_each_safe (it, &provision->asking) {
        struct site *site = list_entry(it, struct site, asking);
        uint64_t due_ms = site->asked_ms + provision->config.address_ms;
        if (due_ms <= provision_now_ms(provision)) {
            site_tell(site);
        } else if (due_ms < next) {
            next = due_ms;
        }
    }
    return next;
}

static void on_timer(uv_timer_t *timer)
{
    struct provision *provision = timer->data;
    uint64_t things = wake_things(provision);
    uint64_t sites = wake_sites(provision);
    uint64_t next = things < sites ? things : sites;
    provision_pump(provision);
    if (next != UINT64_MAX) {
        provision_wake(provision, next);
    }
}

void provision_wake(struct provision *provision, uint64_t due_ms)
{
    uint64_t now = provision_now_ms(provision);
    uint64_t wait = due_ms > now ? due_ms - now : 0;
    if (!uv_is_active((uv_handle_t *)&provision->timer) ||
        uv_timer_get_due_in(&provision->timer) > wait) {
        uv_timer_start(&provision->timer, on_timer, wait, 0);
    }
}

/* --- what the API server has ----------------------------------------------------------------- */

static void on_put(void *user, const struct doc_node *object, struct str raw)
{
    struct part_watch *watch = user;
    const struct doc_node *meta = doc_get(object, STR("metadata"));
    (void)raw;
    struct thing *thing = thing_add(watch->provision, watch->part, doc_text(meta, STR("namespace")),
                                    doc_text(meta, STR("name")));
    thing_learn(thing, object);
    thing_queue(thing);
    thing_told(thing);
    site_dispute(thing);
}

static void on_removed(void *user, struct str ns, struct str name)
{
    struct part_watch *watch = user;
    struct thing *thing = thing_get(watch->provision, watch->part, ns, name);
    if (thing == NULL) {
        return;
    }
    struct site *left = thing->former_of;
    thing_lost(thing);
    thing_queue(thing);
    thing_told(thing);
    if (left != NULL) {
        site_tell(left);
        site_moved(left);
    }
    thing_drop(thing);
}

static void queue_all(struct provision *provision)
{
    struct map *things = &provision->things;
    for (size_t i = map_next(things, 0); i < things->cap; i = map_next(things, i + 1)) {
        thing_queue(things->slots[i].value);
    }
}

static void tell_all(struct provision *provision)
{
    struct map *sites = &provision->sites;
    for (size_t i = map_next(sites, 0); i < sites->cap; i = map_next(sites, i + 1)) {
        site_tell(sites->slots[i].value);
    }
}

static bool all_listed(const struct provision *provision)
{
    for (unsigned i = 0; i < PART_COUNT; i++) {
        if (!kube_watch_synced(provision->watches[i].watch)) {
            return false;
        }
    }
    return true;
}

static void on_synced(void *user)
{
    struct provision *provision = ((struct part_watch *)user)->provision;
    queue_all(provision);
    if (provision->synced || !all_listed(provision)) {
        return;
    }
    provision->synced = true;
    tell_all(provision);
    if (provision->config.synced != NULL) {
        provision->config.synced(provision->config.user);
    }
}

static void on_batch(void *user)
{
    (void)user;
}

static void watch_part(struct provision *provision, enum part part)
{
    const struct part_info *info = part_info(part);
    struct part_watch *watch = &provision->watches[part];
    *watch = (struct part_watch){.provision = provision, .part = part};
    watch->watch = kube_watch_start(&(struct kube_watch_config){
        .kube = provision->config.kube,
        .group = info->group,
        .versions = info->version,
        .plural = info->plural,
        .label_selector = OWN_LABELS,
        .events = {watch, on_put, on_removed, on_synced, on_synced, on_batch},
    });
}

/* --- Gateways -------------------------------------------------------------------------------- */

void provision_seen(struct provision *provision, struct str ns, struct str name, struct str uid)
{
    struct arena scratch;
    arena_init(&scratch);
    struct site *site = site_find(provision, key_of(&scratch, ns, name));
    arena_release(&scratch);
    if (site == NULL) {
        site = site_add(provision, ns, name);
    }
    if (str_eq(str_from(site->uid), uid)) {
        return;
    }
    bool another = site->uid != NULL; /* deleted, and made again */
    free(site->uid);
    site->uid = str_dup(uid);
    if (another) {
        site_draft(site);
    }
}

void provision_gone(struct provision *provision, struct str ns, struct str name)
{
    struct arena scratch;
    arena_init(&scratch);
    struct site *site = site_find(provision, key_of(&scratch, ns, name));
    arena_release(&scratch);
    if (site != NULL) {
        site_free(site);
    }
}

void provision_changed(struct provision *provision, struct str key)
{
    struct site *site = site_find(provision, key);
    if (site != NULL) {
        site_draft(site);
    }
}

/* --- start and stop -------------------------------------------------------------------------- */

bool provision_synced(const struct provision *provision)
{
    return provision->synced;
}

void provision_keyring(struct provision *provision, const struct keyring *ring)
{
    provision->ring = ring;
    queue_all(provision);
    tell_all(provision);
}

static void forget_what_was_done(struct thing *thing)
{
    thing_rest(thing);
    stand_in_forget(thing);
    thing->looked = thing->remake = thing->applied = thing->followed = false;
    thing->written_ms = 0;
    thing_set_error(thing, false, STR_NULL);
}

void provision_lead(struct provision *provision, bool leads)
{
    struct map *things = &provision->things;
    if (leads == provision->leads) {
        return;
    }
    provision->leads = leads;
    for (size_t i = map_next(things, 0); i < things->cap; i = map_next(things, i + 1)) {
        forget_what_was_done(things->slots[i].value);
    }
    queue_all(provision);
}

static void copy_settings(struct provision *provision)
{
    struct provision_settings *settings = &provision->config.settings;
    struct str *texts[] = {&settings->image, &settings->ns, &settings->cluster_domain,
                           &settings->trust_domain};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i] = arena_str(&provision->arena, *texts[i]);
    }
}

struct provision *provision_new(const struct provision_config *config)
{
    struct provision *provision = xcalloc(1, sizeof(*provision));
    provision->config = *config;
    if (provision->config.address_ms == 0) {
        provision->config.address_ms = PROVISION_ADDRESS_MS;
    }
    if (provision->config.linger_ms == 0) {
        provision->config.linger_ms = PROVISION_LINGER_MS;
    }
    if (provision->config.rollouts_max == 0) {
        provision->config.rollouts_max = PROVISION_ROLLOUTS_MAX;
    }
    arena_init(&provision->arena);
    copy_settings(provision);
    list_init(&provision->waiting);
    list_init(&provision->ready);
    list_init(&provision->held);
    list_init(&provision->asking);
    uv_timer_init(&kube_loop(config->kube)->uv, &provision->timer);
    provision->timer.data = provision;
    for (unsigned i = 0; i < PART_COUNT; i++) {
        watch_part(provision, (enum part)i);
    }
    return provision;
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

void provision_free(struct provision *provision)
{
    if (provision == NULL) {
        return;
    }
    struct map *sites = &provision->sites, *things = &provision->things;
    provision->leads = false;
    for (unsigned i = 0; i < PART_COUNT; i++) {
        kube_watch_stop(provision->watches[i].watch);
    }
    for (size_t i = map_next(sites, 0); i < sites->cap; i = map_next(sites, 0)) {
        site_free(sites->slots[i].value);
    }
    for (size_t i = map_next(things, 0); i < things->cap; i = map_next(things, 0)) {
        thing_free(things->slots[i].value);
    }
    map_release(sites);
    map_release(things);
    arena_release(&provision->arena);
    uv_close((uv_handle_t *)&provision->timer, closed);
}
