/* SPDX-License-Identifier: Apache-2.0 */
/* world: the mesh, the streams and the clients of a scenario. */
#include "world.h"

#include "../unit/mesh_room.h"
#include "base/panic.h"
#include "client.h"

#define ROUNDS_MAX 10000

/* --- what streams tell thread 0 ------------------------------------------------------------ */
static bool sent(struct stream *stream, const struct response *response)
{
    client_hear(stream->user, response);
    return true;
}

static size_t queued(const struct stream *stream)
{
    (void)stream;
    return 0;
}

static void opened(struct stream *stream, struct node *node)
{
    struct client *client = stream->user;
    struct err err;
    if (!mesh_open(client->world->mesh, client->id, node, &client->opened, &err)) {
        client_refused(client, err.text);
    }
}

static void interest(struct stream_env *env, enum xds_type type, struct str scope, struct str name,
                     bool wanted)
{
    struct world *world = env->user;
    (void)type;
    mesh_interest(world->mesh, scope, name, wanted);
}

static void rejected(struct stream *stream, enum xds_type type, struct resource *const *of,
                     size_t nof, struct str text)
{
    const struct client *client = stream->user;
    mesh_rejected(client->world->mesh, client->id, type, (const struct resource *const *)of, nof,
                  text);
}

static void accepted(struct stream *stream, enum xds_type type, struct resource *const *of,
                     size_t nof)
{
    const struct client *client = stream->user;
    mesh_accepted(client->world->mesh, client->id, type, (const struct resource *const *)of, nof);
}

static void dropped(struct stream *stream, enum xds_type type, struct str name)
{
    const struct client *client = stream->user;
    mesh_dropped(client->world->mesh, client->id, type, name);
}

static void end(struct stream *stream, enum stream_status status, struct str text)
{
    const struct client *client = stream->user;
    panic("the stream of '%s' was ended with status %d: %.*s", client->name, (int)status,
          STR_FMT(text));
}

static const struct stream_ops ops = {
    .send = sent,
    .queued = queued,
    .opened = opened,
    .interest = interest,
    .rejected = rejected,
    .accepted = accepted,
    .dropped = dropped,
    .end = end,
};

/* --- the world ----------------------------------------------------------------------------- */
void world_init(struct world *world)
{
    const struct mesh_settings settings = {
        .cluster_domain = STR("cluster.local"),
        .trust_domain = STR("cluster.local"),
        .check = true,
    };
    struct serve_limits limits;
    *world = (struct world){.mesh = mesh_new(&settings)};
    serve_limits_default(&limits);
    limits.requests_per_second = 0; /* clients that need no time */
    stream_env_init(&world->env, &limits, &ops, &world->names, world);
}

void world_release(struct world *world)
{
    for (size_t i = 0; i < world->clients.len; i++) {
        client_free(world->clients.items[i]);
    }
    vec_release(&world->clients);
    stream_env_release(&world->env);
    mesh_free(world->mesh);
}

/* One turn, and views for those that came; they see what the turn made. */
static bool turn(struct world *world)
{
    if (!mesh_dirty(world->mesh)) {
        return false;
    }
    struct changeset *changes = mesh_turn(world->mesh);
    if (changes != NULL) {
        stream_env_apply(&world->env, changes);
        changeset_unref(changes);
    }
    for (size_t i = 0; i < world->clients.len; i++) {
        struct client *client = world->clients.items[i];
        if (client->opened != NULL) {
            stream_set_view(client->stream, &client->opened->view);
            client->opened = NULL;
        }
    }
    return true;
}

void world_settle(struct world *world)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        bool busy = turn(world);
        streams_pump(&world->env);
        for (size_t i = 0; i < world->clients.len; i++) {
            busy = client_step(world->clients.items[i]) || busy;
        }
        if (!busy) {
            check_room(world->mesh);
            return;
        }
    }
    panic("clients and control plane never come to an end");
}

void world_step(struct world *world)
{
    world->evaluations = engine_evaluations(mesh_engine(world->mesh));
}

uint64_t world_evaluations(const struct world *world)
{
    return engine_evaluations(mesh_engine(world->mesh)) - world->evaluations;
}

struct client *world_client(const struct world *world, struct str name)
{
    for (size_t i = 0; i < world->clients.len; i++) {
        if (str_eq(name, str_from(world->clients.items[i]->name))) {
            return world->clients.items[i];
        }
    }
    return NULL;
}
