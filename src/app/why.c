/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why: /api/why, the explanation of one request (pipeline/explain.h), and whether the client has
 * acknowledged what the explanation is made from.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "app/api.h"
#include "app/daemon.h"
#include "app/envoys.h"
#include "app/everywhere.h"
#include "base/panic.h"
#include "codec/json.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "pipeline/explain.h"
#include "pipeline/since.h"
#include "xds/row.h"

struct asked_why {
    const struct daemon *daemon;
    struct h1_reply *reply;
    struct buf out;        /* the answer, but for its last member and brace */
    struct json json;      /* writing to out */
    bool follows;          /* there is something that the client should have … */
    struct resource *want; /* … which it is; NULL: nobody has asked for it */
};

struct search {
    struct str node;
    const struct mesh_client *found;
};

static void visit_client(void *user, const struct mesh_client *client)
{
    struct search *search = user;
    if (str_eq(client->node->id, search->node)) {
        search->found = client;
    }
}

static const struct mesh_client *find_client(const struct daemon *daemon, struct str id)
{
    struct search search = {.node = id};
    mesh_each_client(daemon->mesh, visit_client, &search);
    return search.found;
}

/* A connected client, or one that might connect with this id. */
static bool find_class(const struct daemon *daemon, struct str id, struct arena *arena,
                       struct client_class *ret_class, struct err *err)
{
    const struct mesh_client *client = find_client(daemon, id);
    if (client != NULL) {
        *ret_class = client->class;
        return true;
    }
    struct node node;
    memset(&node, 0, sizeof(node));
    node.id = id;
    if (!client_classify(&node, arena, ret_class, err)) {
        return false;
    }
    if (ret_class->foreign) {
        return err_set(err,
                       "no client '%.*s' is connected; say sidecar/NAMESPACE/NAME, "
                       "proxyless/NAMESPACE/NAME or gateway/NAMESPACE/NAME for one that might be",
                       STR_FMT(id));
    }
    return true;
}

/* Every header=NAME:VALUE of the query. */
static bool read_headers(struct str query, struct arena *arena, struct request *request,
                         struct err *err)
{
    while (query.len > 0) {
        struct str pair = str_cut(&query, '&');
        if (!str_starts_with(pair, STR("header="))) {
            continue;
        }
        if (!question_add_header(admin_query(arena, pair, STR("header")), request, err)) {
            return false;
        }
    }
    return true;
}

/* What decides, of a row: that which stands first in the client's chain of scopes. */
static struct resource *first_of(const struct resource_row *row, const struct explained *explained,
                                 const struct view *view)
{
    enum xds_type type = explained->http ? XDS_RDS : XDS_ECDS;
    for (size_t i = 0; i < view->nscopes; i++) {
        for (size_t j = 0; j < row->len; j++) {
            struct resource *resource = row->items[j];
            if (resource->type == type && str_eq(resource->scope, view->scopes[i]) &&
                (explained->http || str_eq(resource->name, explained->filter))) {
                return resource;
            }
        }
    }
    return NULL;
}

/* What the client should have for the explanation to hold, a reference; NULL: nothing to compare.
 */
static struct resource *wanted(const struct daemon *daemon, const struct client_class *class,
                               const struct explained *explained)
{
    static const unsigned tables[] = {T_ENVOY_RDS, T_GRPC_RDS, T_ENVOY_ECDS, T_GATEWAY_RDS,
                                      T_GATEWAY_ECDS};
    const struct engine *engine = mesh_engine(daemon->mesh);
    struct arena scratch;
    struct view view;
    arena_init_sized(&scratch, 512);
    client_view(class, &scratch, &view);
    struct resource *found = NULL;
    if (explained->listener.len > 0) {
        const struct resource_row *row =
            (const struct resource_row *)engine_get(engine, T_GRPC_SERVER, explained->listener);
        found = row != NULL ? row->items[0] : NULL;
    }
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && found == NULL; i++) {
        const struct resource_row *row =
            (const struct resource_row *)engine_get(engine, tables[i], explained->config);
        found = row != NULL ? first_of(row, explained, &view) : NULL;
    }
    found = found != NULL ? resource_ref(found) : NULL;
    arena_release(&scratch);
    return found;
}

/* Has a client of this node rejected this very version? */
static bool is_rejected(const struct daemon *daemon, struct str node, const struct resource *want)
{
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    size_t at = str_index(want->scope, '@');
    struct str group =
        arena_printf(&scratch, "%s|%.*s%.*s", xds_type_info(want->type)->name, STR_FMT(want->name),
                     STR_FMT(str_sub(want->scope, at, want->scope.len)));
    struct row_span rows = engine_group(mesh_engine(daemon->mesh), X_REJECTIONS, group);
    bool rejected = false;
    for (size_t i = 0; i < rows.len; i++) {
        const struct rejection_row *row = (const struct rejection_row *)rows.rows[i];
        rejected = rejected || (str_eq(row->node, node) && str_eq(row->scope, want->scope) &&
                                str_eq(row->version, str_from(want->version)));
    }
    arena_release(&scratch);
    return rejected;
}

/* In the order in which they count for a client with several streams. */
enum acknowledged { NOT_ASKED_FOR, ACKNOWLEDGED, NOT_YET };

static enum acknowledged look(const struct stream_report *report, const struct resource *want)
{
    for (size_t i = 0; i < report->nresources; i++) {
        const struct resource *has = report->resources[i];
        if (has->type == want->type && str_eq(has->name, want->name)) {
            return strcmp(has->version, want->version) == 0 && !report->types[want->type].in_flight
                       ? ACKNOWLEDGED
                       : NOT_YET;
        }
    }
    return NOT_ASKED_FOR;
}

/* gRPC clients have a stream for each channel, and one for their servers. */
static const char *acknowledged(const struct asked_why *asked, const struct stream_report *reports,
                                size_t len)
{
    static const char *const words[2][4] = {
        {"has not asked for these routes", "has acknowledged these routes",
         "has not yet acknowledged these routes",
         "has rejected these routes (heddle proxies tells its words)"},
        {"has not asked for this listener", "has acknowledged this listener",
         "has not yet acknowledged this listener",
         "has rejected this listener (heddle proxies tells its words)"},
    };
    const char *const *say = words[asked->want->type == XDS_LDS];
    enum acknowledged worst = NOT_ASKED_FOR;
    for (size_t i = 0; i < len; i++) {
        enum acknowledged one = look(&reports[i], asked->want);
        worst = one > worst ? one : worst;
    }
    return is_rejected(asked->daemon, reports[0].node_id, asked->want) ? say[3] : say[worst];
}

static void report_done(void *user, const struct stream_report *reports, size_t len)
{
    struct asked_why *asked = user;
    json_key(&asked->json, "acknowledged");
    if (len == 0) {
        json_text(&asked->json, "is not connected");
    } else if (asked->want == NULL) {
        json_text(&asked->json, "is connected");
    } else {
        json_text(&asked->json, acknowledged(asked, reports, len));
    }
    json_close(&asked->json, '}');
    admin_reply_json(asked->reply, &asked->out);
    resource_unref(asked->want);
    free(asked);
}

/* --- the Envoys of a Gateway ----------------------------------------------------------------- */

/* Who is asked by the name of the Gateway is all of its Envoys. */
static void envoys_counted(void *user, const struct envoys *envoys)
{
    struct asked_why *asked = user;
    if (asked->follows) {
        json_key(&asked->json, "envoys");
        json_open(&asked->json, '{');
        envoys_tell(envoys, &asked->json);
        json_close(&asked->json, '}');
    }
    json_close(&asked->json, '}');
    admin_reply_json(asked->reply, &asked->out);
    resource_unref(asked->want);
    free(asked);
}

static void own_envoys_counted(void *user, const struct envoys *envoys)
{
    struct asked_why *asked = user;
    envoys_tell(envoys, &asked->json);
    json_close(&asked->json, '}');
    admin_reply_json(asked->reply, &asked->out);
    resource_unref(asked->want);
    free(asked);
}

/* What all replicas tell alike that have the same objects, in whatever files these stand. */
static struct hash told(const struct daemon *daemon, const struct question *question,
                        struct arena *arena, struct explained *ret_explained)
{
    return hash_bytes(explained_text(mesh_engine(daemon->mesh), question,
                                     EXPLAIN_RULES | EXPLAIN_PLACES | EXPLAIN_ENDPOINTS, arena,
                                     ret_explained));
}

/* --- the question --------------------------------------------------------------------------- */

static bool read_question(const struct daemon *daemon, struct str query, struct arena *arena,
                          struct client_class *class, struct question *ret_question,
                          struct err *err)
{
    struct str method = admin_query(arena, query, STR("method"));
    struct str url = admin_query(arena, query, STR("url"));
    struct str node = admin_query(arena, query, STR("node"));
    struct str sni = admin_query(arena, query, STR("sni"));
    if (!question_parse(method, url, arena, ret_question, err) ||
        (sni.len > 0 && !question_set_server_name(sni, ret_question, err)) ||
        !read_headers(query, arena, &ret_question->request, err) ||
        !find_class(daemon, node, arena, class, err)) {
        return false;
    }
    ret_question->client = class;
    return question_fits(ret_question, err);
}

static struct asked_why *begin(const struct daemon *daemon, struct h1_reply *reply)
{
    struct asked_why *asked = xcalloc(1, sizeof(*asked));
    asked->daemon = daemon;
    asked->reply = reply;
    buf_init(&asked->out, BUF_UNLIMITED);
    json_init(&asked->json, &asked->out, 0);
    json_open(&asked->json, '{');
    return asked;
}

static void want(const struct daemon *daemon, const struct client_class *class,
                 const struct explained *explained, struct asked_why *asked)
{
    if (explained->http || explained->filter.len > 0 || explained->listener.len > 0) {
        asked->want = wanted(daemon, class, explained);
        asked->follows = true;
    }
}

static void answer(struct daemon *daemon, struct str query, const struct question *question,
                   struct arena *arena, struct asked_why *asked)
{
    struct str node = admin_query(arena, query, STR("node"));
    json_member_str(&asked->json, "client", node);
    struct explained explained =
        explain(mesh_engine(daemon->mesh), question, 0, arena, &asked->json);
    since_tell(mesh_since(daemon->mesh), explained.routing, &asked->json);
    want(daemon, question->client, &explained, asked);
    if (question->client->role != ROLE_GATEWAY || find_client(daemon, node) != NULL) {
        serve_report(daemon->serve, node, true, report_done, asked);
        return;
    }
    struct envoys_question count = {.daemon = daemon, .want = asked->want, .query = query};
    count.told = told(daemon, question, arena, &explained);
    envoys_count(&count, envoys_counted, asked);
}

void api_own_why(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    struct daemon *daemon = user;
    struct arena arena;
    struct err err;
    struct client_class class;
    struct question question;
    arena_init(&arena);
    if (read_question(daemon, request->query, &arena, &class, &question, &err)) {
        answer(daemon, request->query, &question, &arena, begin(daemon, reply));
    } else {
        h1_reply_text(reply, 400, err.text);
    }
    arena_release(&arena);
}

void api_own_envoys(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    struct daemon *daemon = user;
    struct arena arena;
    struct err err;
    struct client_class class;
    struct question question;
    arena_init(&arena);
    if (!read_question(daemon, request->query, &arena, &class, &question, &err)) {
        h1_reply_text(reply, 400, err.text);
        arena_release(&arena);
        return;
    }
    struct asked_why *asked = begin(daemon, reply);
    struct explained explained;
    struct envoys_question count = {.daemon = daemon, .here = true};
    count.told = told(daemon, &question, &arena, &explained);
    want(daemon, &class, &explained, asked);
    count.want = asked->want;
    envoys_count(&count, own_envoys_counted, asked);
    arena_release(&arena);
}

void api_why(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    struct str node = admin_query(&scratch, request->query, STR("node"));
    if (!everywhere_is_here(user, node) && everywhere_others(user)) {
        everywhere_forward(user, STR("/replica/why"), request->query, api_own_why, reply);
    } else {
        api_own_why(user, request, reply);
    }
    arena_release(&scratch);
}
