/* SPDX-License-Identifier: Apache-2.0 */
/* everywhere: see everywhere.h. */
#include "app/everywhere.h"

#include <stdlib.h>

#include "admin/admin.h"
#include "app/daemon.h"
#include "app/replicas.h"
#include "base/panic.h"
#include "codec/doc_json.h"

#define TIMEOUT_MS 5000
#define ANSWER_MAX (64u << 20) /* a dump of a client */
#define JSON_TYPE "application/json"

struct gathering {
    struct daemon *daemon;
    struct h1_reply *reply;
    struct buf out;
    struct buf silent; /* addresses as JSON strings with commas */
    /* of a question that one replica answers */
    bool answered;
    char *query;
    h1_handler_fn *own;
};

bool everywhere_others(const struct daemon *daemon)
{
    return replicas_count(daemon->fleet.replicas) > 0;
}

struct search {
    struct str node;
    bool found;
};

static void visit(void *user, const struct mesh_client *client)
{
    struct search *search = user;
    search->found = search->found || str_eq(client->node->id, search->node);
}

bool everywhere_is_here(const struct daemon *daemon, struct str node)
{
    struct search search = {.node = node};
    mesh_each_client(daemon->mesh, visit, &search);
    return search.found;
}

static struct gathering *gathering_new(struct daemon *daemon, struct h1_reply *reply)
{
    struct gathering *gathering = xcalloc(1, sizeof(*gathering));
    gathering->daemon = daemon;
    gathering->reply = reply;
    buf_init(&gathering->out, BUF_UNLIMITED);
    buf_init(&gathering->silent, BUF_UNLIMITED);
    return gathering;
}

static void gathering_free(struct gathering *gathering)
{
    buf_release(&gathering->out);
    buf_release(&gathering->silent);
    free(gathering->query);
    free(gathering);
}

static void ask(struct gathering *gathering, struct str path, replicas_each_fn *each,
                replicas_done_fn *done)
{
    const struct replicas_question question = {
        .method = "GET",
        .path = path,
        .timeout_ms = TIMEOUT_MS,
        .body_max = ANSWER_MAX,
        .each = each,
        .done = done,
        .user = gathering,
    };
    if (replicas_ask(gathering->daemon->fleet.replicas, &question) == NULL) {
        done(gathering);
    }
}

/* --- proxies --------------------------------------------------------------------------------- */

static void add_proxies(void *user, struct str address, const struct httpc_result *result)
{
    struct gathering *gathering = user;
    struct doc_json_walk walk;
    bool told = false;
    for (bool more = result->status == 200 && doc_json_walk(result->body, &walk); more;
         more = doc_json_step(&walk)) {
        if (str_eq(walk.key, STR("proxies")) && walk.value.len >= 2) {
            struct str items = str_sub(walk.value, 1, walk.value.len - 2); /* without brackets */
            bool first =
                gathering->out.len > 0 && gathering->out.data[gathering->out.len - 1] == '[';
            buf_add_str(&gathering->out, items.len > 0 && !first ? STR(",") : STR_NULL);
            buf_add_str(&gathering->out, items);
            told = true;
        }
    }
    if (!told) {
        buf_printf(&gathering->silent, "%s\"%.*s\"", gathering->silent.len > 0 ? "," : "",
                   STR_FMT(address));
    }
}

static void proxies_done(void *user)
{
    struct gathering *gathering = user;
    buf_add_byte(&gathering->out, ']');
    if (gathering->silent.len > 0) {
        buf_printf(&gathering->out, ",\"silent\":[%.*s]", STR_FMT(buf_str(&gathering->silent)));
    }
    buf_add_byte(&gathering->out, '}');
    h1_reply_send(gathering->reply, 200, JSON_TYPE, PIECE_COPY(buf_str(&gathering->out)));
    gathering_free(gathering);
}

void everywhere_proxies(struct daemon *daemon, struct buf *begun, struct h1_reply *reply)
{
    struct gathering *gathering = gathering_new(daemon, reply);
    buf_release(&gathering->out);
    gathering->out = *begun;
    ask(gathering, STR("/replica/proxies"), add_proxies, proxies_done);
}

/* --- what one has ---------------------------------------------------------------------------- */

static void first_answer(void *user, struct str address, const struct httpc_result *result)
{
    struct gathering *gathering = user;
    (void)address;
    if (result->status == 200 && !gathering->answered) {
        gathering->answered = true;
        h1_reply_send(gathering->reply, 200, JSON_TYPE, PIECE_COPY(result->body));
    }
}

static void forward_done(void *user)
{
    struct gathering *gathering = user;
    if (!gathering->answered) {
        const struct h1_request request = {.method = H1_GET, .query = str_from(gathering->query)};
        gathering->own(gathering->daemon, &request, gathering->reply);
    }
    gathering_free(gathering);
}

void everywhere_forward(struct daemon *daemon, struct str path, struct str query,
                        h1_handler_fn *own, struct h1_reply *reply)
{
    struct gathering *gathering = gathering_new(daemon, reply);
    struct buf url;
    gathering->query = str_dup(query);
    gathering->own = own;
    buf_init(&url, BUF_UNLIMITED);
    buf_printf(&url, "%.*s?%.*s", STR_FMT(path), STR_FMT(query));
    ask(gathering, buf_str(&url), first_answer, forward_done);
    buf_release(&url);
}
