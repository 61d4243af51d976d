/* SPDX-License-Identifier: Apache-2.0 */
/* store_render: status rows as the API has them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/panic.h"
#include "status/store_internal.h"

#define MESSAGE_MAX 32768 /* maxLength of metav1.Condition's */
#define PROGRESS_MAX 128  /* of a message that counts clients */

struct rendering {
    const struct status_entry *entry;
    bool times;
    struct json *json;
    /* heddle.dev/Propagated, the same for all parents. */
    bool counted;
    struct propagated propagated;
};

static struct rendering begin(const struct status_store *store, const struct status_entry *entry,
                              bool times, struct json *json)
{
    const struct status *row = entry->row;
    struct rendering r = {.entry = entry, .times = times, .json = json};
    r.counted = store->propagation.of != NULL &&
                store->propagation.of(store->propagation.user, (enum kind_id)row->kind, row->ns,
                                      row->name, row->generation, &r.propagated);
    return r;
}

static void render_condition(const struct rendering *r, enum condition_id id, struct str message,
                             uint64_t since_ms)
{
    const struct condition_info *info = condition_info(id);
    char time[CLOCK_RFC3339_LEN];
    json_open(r->json, '{');
    json_member_text(r->json, "type", info->type);
    json_member_text(r->json, "status", info->status ? "True" : "False");
    json_member_int(r->json, "observedGeneration", r->entry->row->generation);
    if (r->times) {
        clock_rfc3339(since_ms, time);
        memcpy(time + 19, "Z", 2); /* metav1.Time has whole seconds */
        json_member_text(r->json, "lastTransitionTime", time);
    }
    json_member_text(r->json, "reason", info->reason);
    json_member_str(r->json, "message", str_sub(message, 0, MESSAGE_MAX));
    json_close(r->json, '}');
}

static void render_propagated(const struct rendering *r)
{
    const struct propagated *propagated = &r->propagated;
    bool nobody = propagated->clients == 0 && propagated->settled;
    char message[PROGRESS_MAX];
    (void)snprintf(message, sizeof(message), "%llu of %llu clients acknowledged generation %lld",
                   (unsigned long long)propagated->acknowledged,
                   (unsigned long long)propagated->clients, (long long)r->entry->row->generation);
    enum condition_id id = propagated->settled ? C_propagated : C_propagating;
    render_condition(r, nobody ? C_no_clients : id,
                     nobody ? STR("no client is connected that it concerns") : str_from(message),
                     propagated->since_ms != 0 ? propagated->since_ms : clock_wall_ms());
}

static void render_conditions(const struct rendering *r, size_t parent,
                              const struct condition *conditions, size_t len)
{
    json_key(r->json, "conditions");
    json_open(r->json, '[');
    for (size_t i = 0; i < len; i++) {
        enum condition_id id = (enum condition_id)conditions[i].id;
        const struct transition *since =
            status_entry_find(r->entry, parent, condition_info(id)->type);
        render_condition(r, id, conditions[i].message, since != NULL ? since->since_ms : 0);
    }
    if (r->counted) {
        render_propagated(r);
    }
    json_close(r->json, ']');
}

static void render_text(struct json *json, const char *key, struct str value)
{
    if (value.len > 0) {
        json_member_str(json, key, value);
    }
}

static void render_ref(const struct parent_ref *ref, const char *key, struct json *json)
{
    json_key(json, key);
    json_open(json, '{');
    json_key(json, "group"); /* always, also when empty: core */
    json_str(json, ref->group);
    json_member_str(json, "kind", ref->kind);
    render_text(json, "namespace", ref->ns);
    render_text(json, "name", ref->name);
    render_text(json, "sectionName", ref->section_name);
    if (ref->port != 0) {
        json_member_int(json, "port", ref->port);
    }
    json_close(json, '}');
}

static void render_parents(const struct rendering *r)
{
    const struct status *row = r->entry->row;
    json_key(r->json, row->ancestors ? "ancestors" : "parents");
    json_open(r->json, '[');
    for (size_t i = 0; i < row->parents.len; i++) {
        const struct status_parent *parent = &row->parents.items[i];
        json_open(r->json, '{');
        render_ref(&parent->ref, row->ancestors ? "ancestorRef" : "parentRef", r->json);
        json_member_text(r->json, "controllerName", CONTROLLER_NAME);
        render_conditions(r, i, parent->conditions.items, parent->conditions.len);
        json_close(r->json, '}');
    }
    json_close(r->json, ']');
}

/* GatewayClassStatus, MeshStatus: {"name": …} each. */
static void render_features(const struct status *row, struct json *json)
{
    json_key(json, "supportedFeatures");
    json_open(json, '[');
    for (size_t i = 0; i < row->features.len; i++) {
        json_open(json, '{');
        json_member_str(json, "name", row->features.items[i]);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void render_kinds(const struct status_listener *listener, struct json *json)
{
    json_key(json, "supportedKinds");
    json_open(json, '[');
    for (size_t i = 0; i < listener->kinds.len; i++) {
        json_open(json, '{');
        json_member_str(json, "group", listener->kinds.items[i].group);
        json_member_str(json, "kind", listener->kinds.items[i].kind);
        json_close(json, '}');
    }
    json_close(json, ']');
}

/* ListenerStatus, ListenerEntryStatus. */
static void render_listeners(const struct rendering *r)
{
    const struct status *row = r->entry->row;
    json_key(r->json, "listeners");
    json_open(r->json, '[');
    for (size_t i = 0; i < row->listeners.len; i++) {
        const struct status_listener *listener = &row->listeners.items[i];
        json_open(r->json, '{');
        json_member_str(r->json, "name", listener->name);
        render_kinds(listener, r->json);
        json_member_int(r->json, "attachedRoutes", listener->attached);
        render_conditions(r, OF_LISTENER(i), listener->conditions.items, listener->conditions.len);
        json_close(r->json, '}');
    }
    json_close(r->json, ']');
}

/* What of a Gateway is there at all times, also when it is empty: else it would not be taken away.
 */
static void render_gateway(const struct status *row, struct json *json)
{
    json_key(json, "addresses");
    json_open(json, '[');
    for (size_t i = 0; i < row->addresses.len; i++) {
        json_open(json, '{');
        json_member_str(json, "type", row->addresses.items[i].type);
        json_member_str(json, "value", row->addresses.items[i].value);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_member_int(json, "attachedListenerSets", row->attached_sets);
}

static void render_status(const struct rendering *r)
{
    const struct status *row = r->entry->row;
    json_open(r->json, '{');
    if (row->conditions.len > 0) {
        render_conditions(r, 0, row->conditions.items, row->conditions.len);
    }
    if (row->parents.len > 0) {
        render_parents(r);
    }
    if (row->features.len > 0) {
        render_features(row, r->json);
    }
    if (row->kind == KIND_GATEWAY || row->kind == KIND_LISTENERSET) {
        render_listeners(r);
    }
    if (row->kind == KIND_GATEWAY) {
        render_gateway(row, r->json);
    }
    json_close(r->json, '}');
}

static void render_entry(const struct rendering *r)
{
    const struct status *row = r->entry->row;
    const struct kind_info *kind = kind_info((enum kind_id)row->kind);
    struct json *json = r->json;
    struct buf version;
    buf_init(&version, 256);
    struct str versions = str_from(kind->versions);
    struct str preferred = str_sub(versions, 0, str_index(versions, ' '));
    buf_printf(&version, "%s%s%.*s", kind->group, kind->group[0] != '\0' ? "/" : "",
               STR_FMT(preferred));
    json_open(json, '{');
    json_member_str(json, "apiVersion", buf_str(&version));
    json_member_text(json, "kind", kind->kind);
    json_key(json, "metadata");
    json_open(json, '{');
    json_member_str(json, "name", row->name);
    render_text(json, "namespace", row->ns);
    json_member_int(json, "generation", row->generation);
    json_close(json, '}');
    json_key(json, "status");
    render_status(r);
    json_close(json, '}');
    buf_release(&version);
}

static int entry_cmp(const void *a, const void *b)
{
    const struct status_entry *const *ea = a;
    const struct status_entry *const *eb = b;
    return strcmp((*ea)->key, (*eb)->key);
}

void status_store_render(const struct status_store *store, bool times, struct json *json)
{
    const struct map *entries = &store->entries;
    const struct status_entry **sorted = xcalloc(entries->len, sizeof(*sorted));
    size_t len = 0;
    for (size_t i = map_next(entries, 0); i < entries->cap; i = map_next(entries, i + 1)) {
        sorted[len++] = entries->slots[i].value;
    }
    qsort(sorted, len, sizeof(*sorted), entry_cmp);
    json_open(json, '{');
    json_key(json, "items");
    json_open(json, '[');
    for (size_t i = 0; i < len; i++) {
        struct rendering r = begin(store, sorted[i], times, json);
        render_entry(&r);
    }
    json_close(json, ']');
    json_close(json, '}');
    free(sorted);
}

static const struct status_entry *find(const struct status_store *store, enum kind_id kind,
                                       struct str ns, struct str name)
{
    char *key = status_key(kind, ns, name);
    const struct status_entry *entry = map_get(&store->entries, str_from(key));
    free(key);
    return entry;
}

bool status_store_unsettled(const struct status_store *store, enum kind_id kind, struct str ns,
                            struct str name)
{
    const struct status_entry *entry = find(store, kind, ns, name);
    if (entry == NULL) {
        return false;
    }
    struct rendering r = begin(store, entry, true, NULL);
    return r.counted && !r.propagated.settled;
}

bool status_store_render_one(const struct status_store *store, enum kind_id kind, struct str ns,
                             struct str name, struct json *json)
{
    const struct status_entry *entry = find(store, kind, ns, name);
    if (entry == NULL) {
        return false;
    }
    struct rendering r = begin(store, entry, true, json);
    render_status(&r);
    return true;
}
