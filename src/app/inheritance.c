/* SPDX-License-Identifier: Apache-2.0 */
/* inheritance: see inheritance.h. */
#include "app/inheritance.h"

#include "app/daemon.h"
#include "app/kubernetes.h"
#include "app/replicas.h"
#include "base/log.h"
#include "pipeline/standing.h"

#define TIMEOUT_MS 3000
#define ANSWER_MAX (16u << 20)

void inheritance_init(struct inheritance *inheritance, struct daemon *daemon)
{
    *inheritance = (struct inheritance){.daemon = daemon};
}

static void finish(struct inheritance *inheritance)
{
    inheritance->done = true;
    daemon_turn_soon(inheritance->daemon);
}

void inheritance_look(struct inheritance *inheritance)
{
    struct daemon *daemon = inheritance->daemon;
    if (inheritance->done || !daemon->synced) {
        return;
    }
    if (inheritance->since_ms == 0) {
        inheritance->since_ms = loop_now_ms(&daemon->loop);
    }
    inheritance->done = inheritance->round == NULL && standing_missing(daemon->mesh) == 0;
}

/* A replica that serves and does not answer may be the only one that knows. One that has not read
 * the cluster yet knows nothing. */
static void on_answer(void *user, struct str address, const struct httpc_result *result)
{
    struct inheritance *inheritance = user;
    struct daemon *daemon = inheritance->daemon;
    bool silent = result->status == 0 || result->status == INHERITANCE_NOT_YET;
    inheritance->answered = inheritance->answered || !silent;
    if (result->status == 200) {
        (void)standing_take(daemon->mesh, result->body);
    } else if (silent && replicas_silence_counts(daemon->fleet.replicas, address)) {
        inheritance->missed = true;
    }
}

/* Some may have said all that there is; then the turn finds so. */
static void on_done(void *user)
{
    struct inheritance *inheritance = user;
    inheritance->round = NULL;
    if (inheritance->answered && !inheritance->missed) {
        finish(inheritance);
    } else if (mesh_dirty(inheritance->daemon->mesh)) {
        daemon_turn_soon(inheritance->daemon);
    }
}

void inheritance_poll(struct inheritance *inheritance)
{
    struct daemon *daemon = inheritance->daemon;
    inheritance_look(inheritance);
    if (inheritance->done || inheritance->since_ms == 0 || inheritance->round != NULL) {
        return;
    }
    if (!kubernetes_ready(daemon)) { /* it has no token yet, and is not ready either */
        inheritance->since_ms = loop_now_ms(&daemon->loop);
        return;
    }
    if (loop_now_ms(&daemon->loop) - inheritance->since_ms >= INHERITANCE_MS) {
        log_at(LOG_WARN, "app",
               "no replica tells what was in force of objects that cannot be read: nothing is",
               KV_INT("objects", standing_missing(daemon->mesh)));
        finish(inheritance);
        return;
    }
    const struct replicas_question ask = {
        .method = "GET",
        .path = STR("/replica/standing"),
        .timeout_ms = TIMEOUT_MS,
        .body_max = ANSWER_MAX,
        .each = on_answer,
        .done = on_done,
        .user = inheritance,
    };
    inheritance->answered = inheritance->missed = false;
    inheritance->round = replicas_ask(daemon->fleet.replicas, &ask);
}

void inheritance_stop(struct inheritance *inheritance)
{
    replicas_cancel(inheritance->round);
}
