/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: POST /api/plan, what a change would do (pipeline/plan.h).
 *
 *   thread 0   body copied ─► who is there? (serve_report) ─► the present by reference ─┐
 *   uv's pool                                            parse, translate, compare ◄────┘
 *   thread 0   reply ◄──────────────────────────────────────────────┘
 *
 * Thread 0 takes a reference to each row and does nothing else, so that serving goes on meanwhile.
 * A plan needs as much memory as another heddle: there is one at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "app/api.h"
#include "app/daemon.h"
#include "base/clock.h"
#include "base/panic.h"
#include "codec/json_tree.h"
#include "pipeline/plan.h"

#define FILE_NAME_DEFAULT "change.yaml"

struct asked_plan {
    struct daemon *daemon;
    struct h1_reply *reply;
    struct arena arena;
    struct str body;
    struct str query;
    bool envelope; /* the body is of PLAN_CHANGE_TYPE, not YAML itself */
    struct plan *plan;
    uv_work_t work;
    /* the answer */
    struct buf out;
    bool good;
    struct err err;
};

/* --- the change ----------------------------------------------------------------------------- */

static void read_file(struct plan *plan, const json_t *file)
{
    struct str reason = json_tree_text_at(file, "unreadable");
    if (reason.len > 0) {
        plan_unreadable(plan, json_tree_text_at(file, "name"), reason);
    } else {
        plan_text(plan, json_tree_text_at(file, "name"), json_tree_text_at(file, "text"));
    }
}

/* {"files": [{name, text} or {name, unreadable}], "delete": [KIND/NS/NAME]} */
static bool read_envelope(struct asked_plan *asked, struct err *err)
{
    size_t i;
    const json_t *item;
    json_error_t error;
    json_t *change = json_loadb(asked->body.ptr, asked->body.len, 0, &error);
    if (change == NULL) {
        return err_set(err, "line %d: %s", error.line, error.text);
    }
    json_array_foreach(json_object_get(change, "files"), i, item)
    {
        read_file(asked->plan, item);
    }
    json_array_foreach(json_object_get(change, "delete"), i, item)
    {
        plan_delete(asked->plan, json_tree_text(item));
    }
    json_decref(change);
    return true;
}

/* The body is YAML; the query may name it, and objects to delete. */
static void read_yaml(struct asked_plan *asked)
{
    struct str name = admin_query(&asked->arena, asked->query, STR("name"));
    struct str rest = asked->query;
    while (rest.len > 0) {
        struct str pair = str_cut(&rest, '&');
        if (str_starts_with(pair, STR("delete="))) {
            plan_delete(asked->plan, admin_query(&asked->arena, pair, STR("delete")));
        }
    }
    plan_text(asked->plan, name.len > 0 ? name : STR(FILE_NAME_DEFAULT), asked->body);
}

/* --- the work ------------------------------------------------------------------------------- */

/* On a thread of uv's pool: touches nothing of the daemon. */
static void work(uv_work_t *request)
{
    struct asked_plan *asked = request->data;
    struct json json;
    if (!asked->envelope) {
        read_yaml(asked);
    } else if (!read_envelope(asked, &asked->err)) {
        return;
    }
    json_init(&json, &asked->out, 0);
    asked->good = plan_write(asked->plan, &json, &asked->err);
    plan_free(asked->plan);
    asked->plan = NULL;
    xtrim(); /* a whole translation's memory (9,000 objects: 66 MB, then 119) */
}

static void answer(struct asked_plan *asked)
{
    if (asked->good) {
        admin_reply_json(asked->reply, &asked->out);
    } else {
        h1_reply_text(asked->reply, 400, asked->err.text);
        buf_release(&asked->out);
    }
    plan_free(asked->plan);
    arena_release(&asked->arena);
    free(asked);
}

static void work_done(uv_work_t *request, int status)
{
    struct asked_plan *asked = request->data;
    (void)status;
    asked->daemon->planning = false;
    answer(asked);
}

/* --- the present ---------------------------------------------------------------------------- */

static void add_client(struct asked_plan *asked, const struct stream_report *report)
{
    const struct mesh_client *client = mesh_client(asked->daemon->mesh, report->id);
    if (client == NULL) {
        return; /* it came or went this moment */
    }
    struct str *names = ARENA_ARRAY(&asked->arena, report->nasked, struct str);
    size_t len = 0;
    for (size_t i = 0; i < report->nasked; i++) {
        if (report->asked[i].type == XDS_LDS) {
            names[len++] = report->asked[i].name;
        }
    }
    plan_client(asked->plan, client, report->protocol, names, len);
}

static void report_done(void *user, const struct stream_report *reports, size_t len)
{
    struct asked_plan *asked = user;
    asked->plan = plan_new(asked->daemon->mesh);
    if (asked->daemon->kubernetes != NULL) {
        plan_applied(asked->plan, (int64_t)(clock_wall_ms() / 1000));
    }
    for (size_t i = 0; i < len; i++) {
        add_client(asked, &reports[i]);
    }
    asked->work.data = asked;
    int error = uv_queue_work(&asked->daemon->loop.uv, &asked->work, work, work_done);
    ASSERT(error == 0);
}

void api_plan(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    struct daemon *daemon = user;
    if (!daemon->synced) {
        h1_reply_text(reply, 503, "not ready");
        return;
    }
    if (daemon->planning) {
        h1_reply_text(reply, 503, "another plan is being made; ask again");
        return;
    }
    struct asked_plan *asked = xcalloc(1, sizeof(*asked));
    asked->daemon = daemon;
    asked->reply = reply;
    asked->body = arena_str(&asked->arena, request->body);
    asked->query = arena_str(&asked->arena, request->query);
    asked->envelope = str_starts_with(request->content_type, STR(PLAN_CHANGE_TYPE));
    buf_init(&asked->out, BUF_UNLIMITED);
    daemon->planning = true;
    serve_report(daemon->serve, STR_NULL, false, report_done, asked);
}
