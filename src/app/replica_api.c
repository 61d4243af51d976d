/* SPDX-License-Identifier: Apache-2.0 */
/* replica_api: what a replica tells the others of its own clients and state. */
#include "admin/admin.h"
#include "app/api.h"
#include "app/daemon.h"
#include "app/everywhere.h"
#include "pipeline/standing.h"

static void answer_state(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    struct buf out;
    (void)request;
    buf_init(&out, BUF_UNLIMITED);
    api_digest(user, &out);
    admin_reply_json(reply, &out);
}

static void answer_propagated(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    const struct daemon *daemon = user;
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    spread_answer(daemon->fleet.spread, request->body, &out);
    h1_reply_send(reply, 200, "text/plain", PIECE_COPY(buf_str(&out)));
    buf_release(&out);
}

static void answer_clients(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    const struct daemon *daemon = user;
    struct buf out;
    (void)request;
    buf_init(&out, BUF_UNLIMITED);
    mesh_tell_others(daemon->mesh, &out);
    admin_reply_json(reply, &out);
}

static void answer_standing(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    const struct daemon *daemon = user;
    struct buf out;
    (void)request;
    if (!daemon->synced) {
        h1_reply_text(reply, INHERITANCE_NOT_YET, "not synced yet");
        return;
    }
    buf_init(&out, BUF_UNLIMITED);
    standing_tell(daemon->mesh, &out);
    h1_reply_send(reply, 200, "text/plain", PIECE_COPY(buf_str(&out)));
    buf_release(&out);
}

static void answer_drained(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    drained_ask(&((struct daemon *)user)->fleet.drained, request, false, reply);
}

/* Of a client that is connected here: every replica could answer for one that is nowhere. */
static void answer_why(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    if (everywhere_is_here(user, admin_query(&scratch, request->query, STR("node")))) {
        api_own_why(user, request, reply);
    } else {
        h1_reply_text(reply, 404, "no such node is connected here");
    }
    arena_release(&scratch);
}

const struct webhook_route replica_routes[] = {
    {.path = "/replica/state", .needs_token = true, .handle = answer_state},
    {.path = "/replica/propagated", .post = true, .needs_token = true, .handle = answer_propagated},
    {.path = "/replica/clients", .needs_token = true, .handle = answer_clients},
    {.path = "/replica/standing", .needs_token = true, .handle = answer_standing},
    {.path = "/replica/drained", .needs_token = true, .handle = answer_drained},
    {.path = "/replica/proxies", .needs_token = true, .handle = api_own_proxies},
    {.path = "/replica/dump", .needs_token = true, .handle = api_own_dump},
    {.path = "/replica/envoys", .needs_token = true, .handle = api_own_envoys},
    {.path = "/replica/why", .needs_token = true, .handle = answer_why},
};
const size_t replica_routes_len = sizeof(replica_routes) / sizeof(replica_routes[0]);
