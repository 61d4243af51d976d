/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agents: what the agents in pods ask (--agents), in plain text, as kubelets and pods ask each
 * other. Nothing is told here that a pod could not find out by DNS.
 */
#include "admin/admin.h"
#include "app/daemon.h"
#include "ir/graph.h"
#include "model/node.h"
#include "model/service.h"

/* --- /place ---------------------------------------------------------------------------------- */

struct place {
    struct str node;
    struct str region, zone;
};

static void look_at_slice(void *user, struct str key, const struct row *row)
{
    struct place *place = user;
    const struct endpoint_slice *slice = (const struct endpoint_slice *)row;
    (void)key;
    for (size_t i = 0; place->zone.len == 0 && i < slice->endpoints.len; i++) {
        if (str_eq(slice->endpoints.items[i].node_name, place->node)) {
            place->zone = slice->endpoints.items[i].zone;
        }
    }
}

/* From the Node's labels; where there are no Nodes (in a directory), from an endpoint on it. All
 * endpoints are looked at for that, which nobody may cause in a cluster by names that are none. */
static void find_place(const struct engine *engine, struct place *place)
{
    const struct node_object *node =
        (const struct node_object *)engine_get(engine, T_NODE, place->node);
    if (node != NULL) {
        place->region = node_region(node);
        place->zone = node_zone(node);
    } else if (engine_count(engine, T_NODE) == 0) {
        engine_each_unordered(engine, T_SLICE, look_at_slice, place);
    }
}

static void answer_place(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    const struct daemon *daemon = user;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    struct place place = {.node = admin_query(&scratch, request->query, STR("node"))};
    if (place.node.len == 0) {
        h1_reply_text(reply, 400, "say which: /place?node=NAME");
    } else if (!daemon->synced) {
        h1_reply_text(reply, 503, "heddle is not ready");
    } else {
        struct buf out;
        struct json json;
        find_place(mesh_engine(daemon->mesh), &place);
        buf_init(&out, BUF_UNLIMITED);
        json_init(&json, &out, 0);
        json_open(&json, '{');
        json_member_str(&json, "region", place.region);
        json_member_str(&json, "zone", place.zone);
        json_close(&json, '}');
        admin_reply_json(reply, &out);
    }
    arena_release(&scratch);
}

/* --- /drained -------------------------------------------------------------------------------- */

static void answer_drained(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    drained_ask(&((struct daemon *)user)->fleet.drained, request, true, reply);
}

const struct webhook_route agent_routes[] = {
    {.path = "/place", .handle = answer_place},
    {.path = "/drained", .handle = answer_drained},
};
const size_t agent_routes_len = sizeof(agent_routes) / sizeof(agent_routes[0]);
