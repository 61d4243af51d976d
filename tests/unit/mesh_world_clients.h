/* SPDX-License-Identifier: Apache-2.0 */
/* mesh_world_clients: the events of mesh_world.h, those of clients among them. */
#ifndef HEDDLE_TESTS_MESH_WORLD_CLIENTS_H
#define HEDDLE_TESTS_MESH_WORLD_CLIENTS_H

#include "mesh_world_gateways.h"
#include "stored_rig.h"

static const struct world_client {
    const char *node_id, *user_agent, *metadata;
} world_clients[WORLD_CLIENTS] = {
    {"sidecar/a/x", "envoy", "node_name=n0 zone=z0"},
    {"sidecar/b/x", "envoy", "interception=none inbound=127.0.0.1:18000>127.0.0.1:18001"},
    {"sidecar/c/x", "envoy", "interception=none"},
    {"proxyless/a/x", "gRPC Go", "zone=z1"},
    {"proxyless/b/x", "gRPC C-core linux", "node_name=n1 zone=z2"},
    {"foreign", "gRPC Java", "namespace=b"},
    {"proxyless/a/y", "gRPC Node Pure JS", ""},
};

static const char *const world_names[WORLD_NAMES] = {
    "s0.a.svc.cluster.local:8000",
    "s1.b.svc.cluster.local:8001",
    "s0.b:8000",
    "s00.a.svc.cluster.local:8000",
    "s0.a.svc.cluster.local",
    "s0.nowhere:1",
    "nonsense",
    "",
    "grpc/server?xds.resource.listening_address=[::]:50051",
    "grpc/server?xds.resource.listening_address=%5B::%5D:50051",
    "grpc/server?xds.resource.listening_address=nowhere",
    "xdstp://cluster.local/envoy.config.listener.v3.Listener/s0.a.svc.cluster.local:8000?x=y",
    "xdstp://cluster.local/envoy.config.listener.v3.Listener/grpc/server/%5B::%5D:50051",
    "xdstp://elsewhere/envoy.config.listener.v3.Listener/s0.a.svc.cluster.local:8000",
};

static inline void world_toggle_client(struct world *world, unsigned nth)
{
    if (world->connected[nth]) {
        mesh_close(world->mesh, world->client_ids[nth]);
    } else {
        const struct world_client *client = &world_clients[nth];
        world->client_ids[nth] = ++world->ids;
        rig_open_with(world->mesh, world->ids, client->node_id, client->user_agent,
                      client->metadata);
    }
    world->connected[nth] = !world->connected[nth];
}

static inline void world_want(struct world *world, unsigned scope, unsigned name, bool wanted)
{
    static const char *const scopes[WORLD_SCOPES] = {"grpc.go", "grpc.core", "grpc.node"};
    unsigned *count = &world->wanted[scope][name];
    if (wanted ? *count < WORLD_WANTED_MAX : *count > 0) {
        *count += wanted ? 1u : (unsigned)-1;
        mesh_interest(world->mesh, str_from(scopes[scope]), str_from(world_names[name]), wanted);
    }
}

/* Some client says something of up to three resources. */
static inline void world_answer(struct world *world)
{
    unsigned nth = world_draw(world, WORLD_CLIENTS);
    unsigned what = world_draw(world, 3);
    struct rig_resources list;
    rig_collect(world->mesh, &list);
    if (list.all.len > 0) {
        uint32_t at = world_draw(world, (uint32_t)list.all.len);
        const struct resource *const *of = &list.all.items[at];
        size_t nof = 0;
        while (nof < 3 && at + nof < list.all.len && of[nof]->type == of[0]->type) {
            nof++;
        }
        /* The id may be that of a client that is gone: answers and ends cross each other. */
        stream_id id = world->client_ids[nth];
        if (what == 0) {
            mesh_rejected(world->mesh, id, of[0]->type, of, nof, STR("not today"));
        } else if (what == 1) {
            mesh_accepted(world->mesh, id, of[0]->type, of, nof);
        } else {
            mesh_dropped(world->mesh, id, of[0]->type, of[0]->name);
        }
    }
    vec_release(&list.all);
}

static inline void world_change(struct world *world)
{
    char key[64];
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    world->stored = world_chance(world, 3);
    enum kind_id kind = world_object(world, world_draw(world, WORLD_OBJECTS), key, &yaml);
    if (world_chance(world, 4)) {
        rig_delete(world->mesh, kind, key);
    } else if (world->stored) {
        stored_apply_str(world->mesh, kind, buf_str(&yaml));
    } else {
        rig_apply_str(world->mesh, buf_str(&yaml));
    }
    world->stored = false;
    buf_release(&yaml);
}

static inline void world_event(struct world *world)
{
    switch (world_draw(world, 8)) {
    case 0:
        world_toggle_client(world, world_draw(world, WORLD_CLIENTS));
        break;
    case 1: {
        unsigned scope = world_draw(world, WORLD_SCOPES);
        unsigned name = world_draw(world, WORLD_NAMES);
        world_want(world, scope, name, !world_chance(world, 3));
        break;
    }
    case 2:
        world_answer(world);
        break;
    default:
        world_change(world);
        break;
    }
}

#endif
