/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stand_in: how a Service comes to another clusterIP, which cannot be changed.
 *
 *   web ──────────────────────────────► deleted        made, with the new address
 *   web-x7k2p   made, with the new address ──────────► deleted
 *
 * Whether an address is free only the API server knows, and it says so to who makes a Service with
 * it (a dry run takes any address of the range: "racy and not worth the effort", ipallocator). So
 * one of another name has it first. When that is refused, the Service stays as it is; when it is
 * not, the address is kept, and already served, until the Service can have it.
 *
 * One that is left over, of a leader that ended, is a stray: nobody wants it.
 */
#include <stdlib.h>

#include <jansson.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "codec/doc_json.h"
#include "provision/provision_internal.h"

/* --- what is asked for ----------------------------------------------------------------------- */

static json_t *whole_of(const struct thing *thing)
{
    json_t *object = json_loads(thing->text, 0, NULL);
    ASSERT(object != NULL); /* the blueprint's */
    return object;
}

bool stand_in_is_due(const struct thing *thing)
{
    if (thing->part != PART_SERVICE || thing->stand_in != NULL) {
        return false;
    }
    json_t *object = whole_of(thing);
    const char *asked =
        json_string_value(json_object_get(json_object_get(object, "spec"), "clusterIP"));
    bool due = asked != NULL;
    for (size_t i = 0; due && i < thing->seen.addresses.len; i++) {
        due = !str_eq(thing->seen.addresses.items[i].value, str_from(asked));
    }
    json_decref(object);
    return due;
}

/* As the Service, but that no load balancer and no port of the nodes is asked for. */
static char *write_stand_in(const struct thing *thing)
{
    json_t *object = whole_of(thing);
    json_t *meta = json_object_get(object, "metadata"), *spec = json_object_get(object, "spec");
    struct str stem = str_sub(thing->name, 0, PART_NAME_MAX - PART_RANDOM_MAX);
    json_object_set_new(meta, "generateName", json_sprintf("%.*s-", STR_FMT(stem)));
    json_object_del(meta, "name");
    json_object_set_new(spec, "type", json_string("ClusterIP"));
    json_object_del(spec, "externalTrafficPolicy");
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    ASSERT(text != NULL);
    json_decref(object);
    return text;
}

/* Those of whom it was not known whether they are needed. */
static void stand_in_queue_strays(const struct thing *thing)
{
    struct map *things = &thing->provision->things;
    for (size_t i = map_next(things, 0); i < things->cap; i = map_next(things, i + 1)) {
        struct thing *stray = things->slots[i].value;
        if (stray->part == thing->part && stray->text == NULL && str_eq(stray->ns, thing->ns)) {
            thing_queue(stray);
        }
    }
}

/* --- making it ------------------------------------------------------------------------------- */

static void note_name(struct thing *thing, struct str body)
{
    struct arena arena;
    struct doc_node *object;
    arena_init(&arena);
    if (doc_json_parse(&arena, body, DOC_NODES_MAX, &object, NULL)) {
        const struct doc_node *meta = doc_get(object, STR("metadata"));
        thing->stand_in = str_dup(doc_text(meta, STR("name")));
        thing->stand_in_uid = str_dup(doc_text(meta, STR("uid")));
    }
    arena_release(&arena);
}

static void made(void *user, const struct kube_result *result)
{
    struct thing *thing = user;
    struct provision *provision = thing->provision;
    thing_landed(thing);
    thing->asks_stand_in = false;
    if (result->status / 100 == 2) {
        note_name(thing, result->body);
        thing_queue(thing);
    } else {
        thing_failed(thing, "a Service cannot have another address", result);
    }
    stand_in_queue_strays(thing);
    provision_pump(provision);
}

void stand_in_make(struct thing *thing)
{
    struct arena scratch;
    arena_init(&scratch);
    char *body = write_stand_in(thing);
    thing->asks_stand_in = true;
    thing_send(thing, "POST",
               arena_printf(&scratch, "%.*s?fieldManager=" PART_MANAGER,
                            STR_FMT(part_path(&scratch, thing->part, thing->ns, STR_NULL))),
               str_from(body), made);
    free(body);
    arena_release(&scratch);
}

/* --- and letting it go ----------------------------------------------------------------------- */

void stand_in_forget(struct thing *thing)
{
    if (thing->stand_in != NULL) {
        free(thing->stand_in);
        free(thing->stand_in_uid);
        thing->stand_in = thing->stand_in_uid = NULL;
        stand_in_queue_strays(thing);
    }
}

static void released(void *user, const struct kube_result *result)
{
    struct thing *thing = user;
    struct provision *provision = thing->provision;
    thing_landed(thing);
    if (result->status / 100 == 2 || result->status == 404 || result->status == 409) {
        struct thing *stray =
            thing_get(provision, thing->part, thing->ns, str_from(thing->stand_in));
        if (stray != NULL) {
            stray->seen.deleting = true;
        }
        stand_in_forget(thing);
        thing_queue(thing);
    } else {
        thing_failed(thing, "an object cannot be deleted", result);
    }
    provision_pump(provision);
}

void stand_in_release(struct thing *thing)
{
    struct arena scratch;
    arena_init(&scratch);
    struct str path = part_path(&scratch, thing->part, thing->ns, str_from(thing->stand_in));
    struct str body =
        arena_printf(&scratch, "{\"preconditions\":{\"uid\":\"%s\"}}", thing->stand_in_uid);
    thing_send(thing, "DELETE",
               arena_printf(&scratch, "%.*s?propagationPolicy=Background", STR_FMT(path)), body,
               released);
    arena_release(&scratch);
}

/* Which of a Gateway's Services a stray is may not be known before the answer: the watch is faster.
 */
bool stand_in_is_needed(const struct thing *stray, const struct site *site)
{
    const struct thing *service = site->things[PART_SERVICE];
    return stray->part == PART_SERVICE && service != NULL &&
           (service->asks_stand_in ||
            (service->stand_in != NULL && str_eq(stray->name, str_from(service->stand_in))));
}
