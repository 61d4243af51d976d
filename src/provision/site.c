/* SPDX-License-Identifier: Apache-2.0 */
/* site: the Gateways, and which objects each is to have. */
#include <stdlib.h>

#include "base/panic.h"
#include "provision/provision_internal.h"

struct site *site_find(const struct provision *provision, struct str key)
{
    return map_get(&provision->sites, key);
}

struct site *site_add(struct provision *provision, struct str ns, struct str name)
{
    struct site *site = xcalloc(1, sizeof(*site));
    struct buf key;
    buf_init(&key, BUF_UNLIMITED);
    buf_printf(&key, "%.*s/%.*s", STR_FMT(ns), STR_FMT(name));
    site->provision = provision;
    site->key = buf_steal(&key, NULL);
    struct str rest = str_from(site->key);
    site->ns = str_cut(&rest, '/');
    site->name = rest;
    arena_init(&site->arena);
    list_init(&site->asking);
    list_init(&site->formers);
    map_put(&provision->sites, str_from(site->key), site);
    return site;
}

/* A name that was taken may be free now. */
static void draft_those_that_lacked(struct provision *provision)
{
    struct map *sites = &provision->sites;
    for (size_t i = map_next(sites, 0); i < sites->cap; i = map_next(sites, i + 1)) {
        struct site *site = sites->slots[i].value;
        if (site->taken) {
            site->taken = false;
            site_draft(site);
        }
    }
}

static void unwant(struct site *site, enum part part)
{
    struct thing *thing = site->things[part];
    site->things[part] = NULL;
    if (thing != NULL) {
        thing_want(thing, NULL, STR_NULL);
        thing_drop(thing);
    }
}

/* Whether its things, if it has any, are to go is found when they are looked at. */
static void undraft(struct site *site)
{
    bool had = site->drafted;
    site->drafted = false;
    site->taken = false;
    for (unsigned i = 0; i < PART_COUNT; i++) {
        unwant(site, (enum part)i);
    }
    site_review_formers(site);
    if (had) {
        draft_those_that_lacked(site->provision);
    }
}

void site_free(struct site *site)
{
    map_remove(&site->provision->sites, str_from(site->key));
    undraft(site);
    site_tell(site);
    list_remove(&site->asking);
    arena_release(&site->arena);
    free(site->uid);
    free(site->key);
    free(site);
}

/* --- the draft ------------------------------------------------------------------------------- */

static void want(struct site *site, enum part part)
{
    struct str text = site->blueprint.part[part];
    struct str name = part_name(&site->arena, part, site->blueprint.stem);
    struct thing *before = site->things[part];
    if (before != NULL && (text.len == 0 || !str_eq(before->name, name))) {
        unwant(site, part);
    }
    if (text.len == 0) {
        return;
    }
    struct thing *thing = thing_add(site->provision, part, site->ns, name);
    if (thing->site != NULL && thing->site != site) {
        site->taken = true;
        return;
    }
    site->things[part] = thing;
    thing_want(thing, site, text);
}

static void copy_wanted(struct site *site, const struct ir_gateway *ir)
{
    site->wanted.items = ARENA_ARRAY(&site->arena, ir->wanted.len, struct ir_address);
    site->wanted.len = ir->wanted.len;
    for (size_t i = 0; i < ir->wanted.len; i++) {
        site->wanted.items[i].type = arena_str(&site->arena, ir->wanted.items[i].type);
        site->wanted.items[i].value = arena_str(&site->arena, ir->wanted.items[i].value);
    }
}

static void draft(struct site *site, const struct provision_gateway *found)
{
    struct arena before = site->arena; /* things know texts of it until they are told others */
    struct str called = site->blueprint.stem;
    bool had = site->drafted;
    arena_init(&site->arena);
    const struct blueprint_question question = {
        .settings = &site->provision->config.settings,
        .gateway = found->gateway,
        .ir = found->ir,
        .uid = str_from(site->uid),
        .stem = site_stem(site, &site->arena, found->gateway->class),
    };
    blueprint_make(&site->arena, &question, &site->blueprint);
    struct str label = part_label(&site->arena, found->gateway->class);
    site->of_class = arena_str(&site->arena, found->gateway->class);
    copy_wanted(site, found->ir);
    site->address = arena_str(&site->arena, blueprint_address(found->ir));
    if (!str_eq(label, site->class_label)) {
        site->stands_ms = 0;
    }
    site->class_label = label;
    site->autoscaled = site->blueprint.part[PART_AUTOSCALER].len > 0;
    site->drafted = true;
    site->taken = false;
    site->asked_ms = 0;
    for (unsigned i = 0; i < PART_COUNT; i++) {
        want(site, (enum part)i);
    }
    site_review_formers(site);
    bool frees = had && !str_eq(called, site->blueprint.stem);
    arena_release(&before);
    if (frees) {
        draft_those_that_lacked(site->provision);
    }
}

/* Those of its objects that are there and of which it was not known whether it wants them. */
static void look_for_strays(const struct site *site)
{
    struct map *things = &site->provision->things;
    for (size_t i = map_next(things, 0); i < things->cap; i = map_next(things, i + 1)) {
        struct thing *thing = things->slots[i].value;
        if (thing->text == NULL && str_eq(thing->seen.owner_uid, str_from(site->uid))) {
            former_look(thing);
            thing_queue(thing);
        }
    }
}

void site_draft(struct site *site)
{
    struct provision_config *config = &site->provision->config;
    struct provision_gateway found;
    if (!config->find(config->user, str_from(site->key), &found)) {
        return;
    }
    bool knew = site->drafted || site->class == PROVISION_OTHERS;
    site->class = found.class;
    if (found.class == PROVISION_OURS && found.ir->accepted) {
        draft(site, &found);
    } else if (found.class == PROVISION_OTHERS) {
        undraft(site);
    }
    if (!knew) {
        look_for_strays(site);
    }
    site_tell(site);
}
