/* SPDX-License-Identifier: Apache-2.0 */
/* clients: who is connected, counted into the engine's inputs. */
#include "pipeline/clients.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/panic.h"
#include "base/vec.h"
#include "ir/client.h"
#include "pipeline/graph.h"

#define REJECTIONS_PER_CLIENT_MAX 200

struct counter {
    char *key;
    size_t count;
};

struct interest {
    struct list idle; /* in clients->idle while count is 0 */
    char *key;
    size_t count;
};

struct client_entry {
    struct mesh_client client;
    VEC(char *) rejections; /* keys of T_REJECTION rows of this client */
};

void clients_init(struct clients *clients, struct engine *engine,
                  const struct settings_row *settings)
{
    memset(clients, 0, sizeof(*clients));
    clients->engine = engine;
    clients->settings = (struct settings_row *)(void *)row_ref(&settings->row);
    list_init(&clients->idle);
}

static struct str id_key(const stream_id *id)
{
    return str_span((const char *)id, sizeof(*id));
}

/* True when the count leaves or reaches zero. */
static bool count(struct map *map, struct str key, bool up)
{
    struct counter *counter = map_get(map, key);
    if (up) {
        if (counter == NULL) {
            counter = xcalloc(1, sizeof(*counter));
            counter->key = str_dup(key);
            map_put(map, str_span(counter->key, key.len), counter);
        }
        return counter->count++ == 0;
    }
    ASSERT(counter != NULL && counter->count > 0);
    if (--counter->count > 0) {
        return false;
    }
    map_remove(map, key);
    free(counter->key);
    free(counter);
    return true;
}

static void use_scope(struct clients *clients, struct str scope, bool up)
{
    if (!count(&clients->scopes, scope, up)) {
        return;
    }
    if (!up) {
        engine_delete(clients->engine, T_VIEW, scope);
        return;
    }
    struct view_row *row = row_new(sizeof(*row), scope.len + 1);
    row->scope = arena_str(&row->row.arena, scope);
    engine_put(clients->engine, T_VIEW, scope, &row->row);
}

static void use_scopes(struct clients *clients, const struct mesh_client *client, bool up)
{
    for (unsigned i = 0; i < client->view.nscopes; i++) {
        use_scope(clients, client->view.scopes[i], up);
    }
    if (client->class.machine.len == 0) {
        use_scope(clients, STR(VIEW_NODELESS), up);
    }
}

static void client_free(struct client_entry *entry)
{
    node_free(entry->client.node);
    arena_release(&entry->client.arena);
    free(entry);
}

bool clients_open(struct clients *clients, stream_id id, struct node *node,
                  const struct mesh_client **ret_client, struct err *err)
{
    struct client_entry *entry = xcalloc(1, sizeof(*entry));
    struct mesh_client *client = &entry->client;
    client->id = id;
    client->node = node;
    arena_init_sized(&client->arena, 256);
    if (!client_classify(node, &client->arena, &client->class, err) ||
        !client_prove(node, &client->class, clients->settings, err)) {
        client_free(entry);
        return false;
    }
    client_view(&client->class, &client->arena, &client->view);
    use_scopes(clients, client, true);
    ASSERT(map_put(&clients->by_id, id_key(&client->id), entry) == NULL);
    *ret_client = client;
    return true;
}

static void forget_rejections(struct clients *clients, struct client_entry *entry)
{
    for (size_t i = 0; i < entry->rejections.len; i++) {
        engine_delete(clients->engine, T_REJECTION, str_from(entry->rejections.items[i]));
        free(entry->rejections.items[i]);
    }
    vec_release(&entry->rejections);
}

void clients_close(struct clients *clients, stream_id id)
{
    struct client_entry *entry = map_remove(&clients->by_id, id_key(&id));
    if (entry == NULL) {
        return; /* refused when it opened */
    }
    use_scopes(clients, &entry->client, false);
    forget_rejections(clients, entry);
    client_free(entry);
}

static void free_scopes(struct map *map)
{
    for (size_t i = map_next(map, 0); i < map->cap; i = map_next(map, i + 1)) {
        struct counter *counter = map->slots[i].value;
        free(counter->key);
        free(counter);
    }
    map_release(map);
}

static void free_interests(struct map *map)
{
    for (size_t i = map_next(map, 0); i < map->cap; i = map_next(map, i + 1)) {
        struct interest *interest = map->slots[i].value;
        free(interest->key);
        free(interest);
    }
    map_release(map);
}

void clients_release(struct clients *clients)
{
    struct map *by_id = &clients->by_id;
    for (size_t i = map_next(by_id, 0); i < by_id->cap; i = map_next(by_id, i + 1)) {
        struct client_entry *entry = by_id->slots[i].value;
        for (size_t j = 0; j < entry->rejections.len; j++) {
            free(entry->rejections.items[j]);
        }
        vec_release(&entry->rejections);
        client_free(entry);
    }
    map_release(by_id);
    free_scopes(&clients->scopes);
    free_interests(&clients->interests);
    row_unref(&clients->settings->row, NULL);
}

const struct mesh_client *clients_get(const struct clients *clients, stream_id id)
{
    const struct client_entry *entry = map_get(&clients->by_id, id_key(&id));
    return entry != NULL ? &entry->client : NULL;
}

void clients_each(const struct clients *clients, mesh_client_fn *visit, void *user)
{
    const struct map *by_id = &clients->by_id;
    for (size_t i = map_next(by_id, 0); i < by_id->cap; i = map_next(by_id, i + 1)) {
        visit(user, &((const struct client_entry *)by_id->slots[i].value)->client);
    }
}

static struct interest *interest_new(struct clients *clients, struct str key, struct str scope,
                                     struct str name)
{
    struct interest *interest = xcalloc(1, sizeof(*interest));
    interest->key = str_dup(key);
    list_init(&interest->idle);
    map_put(&clients->interests, str_span(interest->key, key.len), interest);
    struct interest_row *row = row_new(sizeof(*row), key.len + 2);
    row->scope = arena_str(&row->row.arena, scope);
    row->name = arena_str(&row->row.arena, name);
    engine_put(clients->engine, T_INTEREST, key, &row->row);
    return interest;
}

static void forget_interest(struct clients *clients, struct interest *interest)
{
    struct str key = str_from(interest->key);
    engine_delete(clients->engine, T_INTEREST, key);
    map_remove(&clients->interests, key);
    free(interest->key);
    free(interest);
}

void clients_interest(struct clients *clients, struct str scope, struct str name, bool wanted)
{
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    struct str key = arena_printf(&scratch, "%.*s|%.*s", STR_FMT(scope), STR_FMT(name));
    struct interest *interest = map_get(&clients->interests, key);
    if (wanted) {
        if (interest == NULL) {
            interest = interest_new(clients, key, scope, name);
        } else if (interest->count == 0) {
            list_remove(&interest->idle);
            clients->nidle--;
        }
        interest->count++;
    } else {
        ASSERT(interest != NULL && interest->count > 0);
        if (--interest->count == 0) {
            list_append(&clients->idle, &interest->idle);
            if (clients->nidle++ == INTEREST_IDLE_MAX) {
                struct list *oldest = clients->idle.next;
                list_remove(oldest);
                clients->nidle--;
                forget_interest(clients, list_entry(oldest, struct interest, idle));
            }
        }
    }
    arena_release(&scratch);
}

/* "type|name|node|stream": a node may have several streams. */
static char *rejection_key(const struct mesh_client *client, enum xds_type type, struct str name)
{
    struct buf key;
    buf_init(&key, BUF_UNLIMITED);
    buf_printf(&key, "%s|%.*s|%.*s|%llu", xds_type_info(type)->name, STR_FMT(name),
               STR_FMT(client->node->id), (unsigned long long)client->id);
    return buf_steal(&key, NULL);
}

static size_t find_rejection(const struct client_entry *entry, const char *key)
{
    size_t i = 0;
    while (i < entry->rejections.len && strcmp(entry->rejections.items[i], key) != 0) {
        i++;
    }
    return i;
}

void clients_rejected(struct clients *clients, stream_id id, enum xds_type type,
                      const struct resource *const *of, size_t nof, struct str text)
{
    struct client_entry *entry = map_get(&clients->by_id, id_key(&id));
    for (size_t i = 0; entry != NULL && i < nof; i++) {
        if (entry->rejections.len >= REJECTIONS_PER_CLIENT_MAX) {
            return;
        }
        char *key = rejection_key(&entry->client, type, of[i]->name);
        struct rejection_row *row = row_new(sizeof(*row), 256 + text.len);
        struct arena *arena = &row->row.arena;
        row->type = (int)type;
        row->name = arena_str(arena, of[i]->name);
        row->scope = arena_str(arena, of[i]->scope);
        row->version = arena_str(arena, str_from(of[i]->version));
        row->node = arena_str(arena, entry->client.node->id);
        row->text = arena_str(arena, text);
        row->clients = 1;
        engine_put(clients->engine, T_REJECTION, str_from(key), &row->row);
        if (find_rejection(entry, key) == entry->rejections.len) {
            vec_push(&entry->rejections, key);
        } else {
            free(key);
        }
    }
}

static void take_back(struct clients *clients, struct client_entry *entry, enum xds_type type,
                      struct str name)
{
    char *key = rejection_key(&entry->client, type, name);
    size_t at = find_rejection(entry, key);
    if (at < entry->rejections.len) {
        engine_delete(clients->engine, T_REJECTION, str_from(key));
        free(entry->rejections.items[at]);
        vec_swap_remove(&entry->rejections, at);
    }
    free(key);
}

void clients_accepted(struct clients *clients, stream_id id, enum xds_type type,
                      const struct resource *const *of, size_t nof)
{
    struct client_entry *entry = map_get(&clients->by_id, id_key(&id));
    for (size_t i = 0; entry != NULL && entry->rejections.len > 0 && i < nof; i++) {
        take_back(clients, entry, type, of[i]->name);
    }
}

void clients_dropped(struct clients *clients, stream_id id, enum xds_type type, struct str name)
{
    struct client_entry *entry = map_get(&clients->by_id, id_key(&id));
    if (entry != NULL && entry->rejections.len > 0) {
        take_back(clients, entry, type, name);
    }
}
