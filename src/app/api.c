/* SPDX-License-Identifier: Apache-2.0 */
/* api: /api/status, /api/problems, /api/proxies, /api/dump, /api/engine, /api/graph, /api/version
 */
#include "app/api.h"

#include <stdlib.h>

#include "admin/admin.h"
#include "app/daemon.h"
#include "app/everywhere.h"
#include "app/kubernetes.h"
#include "app/replicas.h"
#include "base/clock.h"
#include "base/panic.h"
#include "codec/json.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "pipeline/digest.h"
#include "pipeline/findings.h"
#include "pipeline/graph.h"
#include "xds/print.h"

bool api_ready(void *user)
{
    const struct daemon *daemon = user;
    return daemon->synced && daemon->fleet.inheritance.done && kubernetes_ready(daemon);
}

static void wall_time(struct json *json, const char *key, uint64_t ms)
{
    char time[CLOCK_RFC3339_LEN];
    if (ms > 0) {
        clock_rfc3339(ms, time);
        json_member_str(json, key, str_from(time));
    }
}

/* --- status, problems, engine -------------------------------------------------------------- */

static void api_status(void *user, struct buf *out)
{
    struct json json;
    json_init(&json, out, 0);
    status_store_render(mesh_status(((struct daemon *)user)->mesh), true, &json);
}

static void write_problem(void *user, struct str file, const struct problem *problem)
{
    problem_dump(problem, file, user);
}

static void api_problems(void *user, struct buf *out)
{
    const struct daemon *daemon = user;
    struct json json;
    json_init(&json, out, 0);
    json_open(&json, '{');
    json_key(&json, "problems");
    json_open(&json, '[');
    if (daemon->source != NULL) {
        file_set_problems(source_file_set(daemon->source), write_problem, &json);
    }
    if (daemon->synced) {
        findings_each(mesh_engine(daemon->mesh), write_problem, &json);
    }
    json_close(&json, ']');
    json_close(&json, '}');
}

static void api_engine(void *user, struct buf *out)
{
    const struct engine *engine = mesh_engine(((struct daemon *)user)->mesh);
    struct json json;
    json_init(&json, out, 0);
    json_open(&json, '{');
    json_member_uint(&json, "evaluations", engine_evaluations(engine));
    json_key(&json, "tables");
    json_open(&json, '[');
    for (unsigned i = 0; i < TABLE_COUNT; i++) {
        struct table_stats stats = engine_stats(engine, i);
        json_open(&json, '{');
        json_member_str(&json, "name", str_from(heddle_graph.tables[i].name));
        json_member_uint(&json, "rank", heddle_graph.tables[i].rank);
        json_member_uint(&json, "rows", stats.rows);
        json_member_uint(&json, "bytes", stats.bytes);
        json_member_uint(&json, "evaluations", stats.evaluations);
        json_member_uint(&json, "cutoffs", stats.cutoffs);
        json_member_uint(&json, "nanoseconds", stats.nanoseconds);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
}

static void api_graph(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    struct buf out;
    (void)request;
    buf_init(&out, BUF_UNLIMITED);
    engine_dot(mesh_engine(((struct daemon *)user)->mesh), &out);
    h1_reply_send(reply, 200, "text/vnd.graphviz", PIECE_COPY(buf_str(&out)));
    buf_release(&out);
}

static void api_version(void *user, struct buf *out)
{
    struct json json;
    (void)user;
    json_init(&json, out, 0);
    json_open(&json, '{');
    json_member_str(&json, "version", STR(HEDDLE_VERSION));
    json_close(&json, '}');
}

void api_digest(void *user, struct buf *out)
{
    const struct daemon *daemon = user;
    const char *name = getenv("POD_NAME");
    struct json json;
    json_init(&json, out, 0);
    json_open(&json, '{');
    json_member_str(&json, "replica", name != NULL ? str_from(name) : STR("this"));
    json_member_str(&json, "version", STR(HEDDLE_VERSION));
    json_member_bool(&json, "synced", daemon->synced);
    json_member_uint(&json, "clients", mesh_clients(daemon->mesh));
    digest_tell(mesh_engine(daemon->mesh), &json);
    json_close(&json, '}');
}

static void api_replicas(void *user, struct buf *out)
{
    struct json json;
    json_init(&json, out, 0);
    json_open(&json, '{');
    json_key(&json, "others");
    replicas_tell(((const struct daemon *)user)->fleet.replicas, &json);
    json_close(&json, '}');
}

/* --- proxies and dump ---------------------------------------------------------------------- */

struct asked { /* a report that is under way */
    struct daemon *daemon;
    struct h1_reply *reply;
    bool resources;
    bool all; /* of all replicas */
};

static void write_type(struct json *json, const struct stream_type_report *type)
{
    json_open(json, '{');
    json_member_bool(json, "wildcard", type->wildcard);
    json_member_uint(json, "names", type->names);
    json_member_uint(json, "known", type->known);
    json_member_uint(json, "pending", type->pending);
    json_member_bool(json, "inFlight", type->in_flight);
    json_member_uint(json, "sent", type->sent);
    json_member_uint(json, "acked", type->acked);
    json_member_uint(json, "rejected", type->rejected);
    json_member_uint(json, "bytes", type->bytes);
    wall_time(json, "lastSent", type->last_sent_ms);
    wall_time(json, "lastAcked", type->last_acked_ms);
    json_member_str(json, "version", type->last_version);
    if (type->reject_text.len > 0) {
        json_member_str(json, "rejection", type->reject_text);
    }
    json_close(json, '}');
}

static void write_client(struct json *json, const struct mesh_client *client)
{
    json_member_str(json, "role", str_from(client_role_name(client->class.role)));
    json_member_str(json, "namespace", client->class.ns);
    if (client->class.gateway.len > 0) {
        json_member_str(json, "gateway", client->class.gateway);
    }
    json_member_str(json, "dialect", str_from(client->class.dialect));
    json_member_bool(json, "foreign", client->class.foreign);
    if (client->node->identity.len > 0) {
        json_member_str(json, "identity", client->node->identity);
    }
    json_member_str(json, "userAgent", client->node->user_agent);
    json_member_str(json, "userAgentVersion", client->node->user_agent_version);
    json_key(json, "scopes");
    json_open(json, '[');
    for (unsigned i = 0; i < client->view.nscopes; i++) {
        json_str(json, client->view.scopes[i]);
    }
    json_close(json, ']');
}

static void write_resources(struct json *json, const struct stream_report *report)
{
    json_key(json, "resources");
    json_open(json, '{');
    for (unsigned type = 0; type < XDS_TYPE_COUNT; type++) {
        json_key(json, xds_type_info((enum xds_type)type)->name);
        json_open(json, '[');
        for (size_t i = 0; i < report->nresources; i++) {
            if ((unsigned)report->resources[i]->type == type) {
                xds_print(report->resources[i], json);
            }
        }
        json_close(json, ']');
    }
    json_close(json, '}');
}

/* What the client means by the names that it asks for: an address that it listens on, a Service
 * port that it dials, or nothing, for a reason. */
static void write_asked(struct json *json, const struct asked *asked,
                        const struct mesh_client *client, const struct stream_report *report)
{
    const struct engine *engine = mesh_engine(asked->daemon->mesh);
    struct arena arena;
    arena_init(&arena);
    json_key(json, "asks");
    json_open(json, '[');
    for (size_t i = 0; i < report->nasked; i++) {
        struct str scope = client->view.scopes[client->view.on_demand[report->asked[i].type]];
        struct str name = report->asked[i].name;
        struct str key = arena_printf(&arena, "%.*s|%.*s", STR_FMT(scope), STR_FMT(name));
        const struct ir_server *server =
            (const struct ir_server *)engine_get(engine, T_SERVER, key);
        const struct ir_target *target =
            (const struct ir_target *)engine_get(engine, T_TARGET, key);
        json_open(json, '{');
        json_member_str(json, "name", name);
        if (server != NULL) {
            json_member_str(json, "listens", ir_server_text(&arena, server));
        } else if (target != NULL) {
            bool good = target->port.len > 0;
            json_member_str(json, good ? "dials" : "reason", good ? target->port : target->reason);
        }
        json_close(json, '}');
    }
    json_close(json, ']');
    arena_release(&arena);
}

static void write_stream(struct json *json, const struct asked *asked,
                         const struct stream_report *report)
{
    const struct mesh_client *client = mesh_client(asked->daemon->mesh, report->id);
    json_open(json, '{');
    json_member_str(json, "node", report->node_id);
    json_member_str(json, "peer", report->peer);
    json_member_str(json, "protocol",
                    report->protocol == STREAM_DELTA ? STR("delta") : STR("sotw"));
    wall_time(json, "opened", report->opened_ms);
    json_member_uint(json, "sequence", report->seq);
    if (client != NULL) {
        write_client(json, client);
        write_asked(json, asked, client, report);
    }
    json_key(json, "types");
    json_open(json, '{');
    for (unsigned type = 0; type < XDS_TYPE_COUNT; type++) {
        if (report->types[type].subscribed) {
            json_key(json, xds_type_info((enum xds_type)type)->name);
            write_type(json, &report->types[type]);
        }
    }
    json_close(json, '}');
    if (asked->resources) {
        write_resources(json, report);
    }
    json_close(json, '}');
}

static void report_done(void *user, const struct stream_report *reports, size_t len)
{
    struct asked *asked = user;
    if (asked->resources && len == 0) {
        h1_reply_text(asked->reply, 404,
                      "no such node is connected; heddle proxies, or /api/proxies, lists them");
    } else {
        struct buf out;
        struct json json;
        buf_init(&out, BUF_UNLIMITED);
        json_init(&json, &out, 0);
        json_open(&json, '{');
        json_key(&json, "proxies");
        json_open(&json, '[');
        for (size_t i = 0; i < len; i++) {
            write_stream(&json, asked, &reports[i]);
        }
        if (asked->all && everywhere_others(asked->daemon)) {
            everywhere_proxies(asked->daemon, &out, asked->reply);
        } else {
            json_close(&json, ']');
            json_close(&json, '}');
            admin_reply_json(asked->reply, &out);
        }
    }
    free(asked);
}

static void ask(struct daemon *daemon, struct str node, bool resources, bool all,
                struct h1_reply *reply)
{
    struct asked *asked = xcalloc(1, sizeof(*asked));
    *asked = (struct asked){daemon, reply, resources, all};
    serve_report(daemon->serve, node, resources, report_done, asked);
}

static void api_proxies(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    (void)request;
    ask(user, STR_NULL, false, true, reply);
}

void api_own_proxies(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    (void)request;
    ask(user, STR_NULL, false, false, reply);
}

static void dump(void *user, const struct h1_request *request, bool others, struct h1_reply *reply)
{
    struct arena scratch;
    arena_init_sized(&scratch, 1024);
    struct str node = admin_query(&scratch, request->query, STR("node"));
    if (node.len == 0) {
        h1_reply_text(reply, 400, "say which: /api/dump?node=ROLE/NAMESPACE/NAME");
    } else if (others && !everywhere_is_here(user, node) && everywhere_others(user)) {
        everywhere_forward(user, STR("/replica/dump"), request->query, api_own_dump, reply);
    } else {
        ask(user, node, true, false, reply);
    }
    arena_release(&scratch);
}

void api_own_dump(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    dump(user, request, false, reply);
}

static void api_dump(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    dump(user, request, true, reply);
}

const struct admin_route api_routes[] = {
    {"/api/status", "conditions of routes and Services", api_status, NULL},
    {"/api/problems", "what is wrong with the configuration", api_problems, NULL},
    {"/api/proxies", "connected clients and what they acknowledged", NULL, api_proxies},
    {"/api/digest", "what replicas that serve the same have alike", api_digest, NULL},
    {"/api/replicas", "the other replicas", api_replicas, NULL},
    {"/api/dump", "?node=ID: what a client was sent", NULL, api_dump},
    {"/api/why", "?node=ID&method=GET&url=http://…: why a request or connection goes where it goes",
     NULL, api_why},
    {"/api/plan", "POST of YAML: what it would change", NULL, api_plan, true},
    {"/api/engine", "rows and evaluations of every table", api_engine, NULL},
    {"/api/graph", "the tables as a Graphviz graph", NULL, api_graph},
    {"/api/version", "heddle's version", api_version, NULL},
};
const size_t api_routes_len = sizeof(api_routes) / sizeof(api_routes[0]);
