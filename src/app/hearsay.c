/* SPDX-License-Identifier: Apache-2.0 */
/* hearsay: see hearsay.h. */
#include "app/hearsay.h"

#include "app/daemon.h"
#include "app/replicas.h"
#include "pipeline/spread.h"

/* While nothing is known that a rejection could follow, one poll of so many asks. */
#define QUIET_POLLS 4
#define TIMEOUT_MS 3000
#define ANSWER_MAX (4u << 20)

void hearsay_init(struct hearsay *hearsay, struct daemon *daemon)
{
    *hearsay = (struct hearsay){.daemon = daemon};
}

static void turn_when_dirty(struct daemon *daemon)
{
    if (mesh_dirty(daemon->mesh)) {
        daemon_turn_soon(daemon);
    }
}

static void on_answer(void *user, struct str address, const struct httpc_result *result)
{
    struct daemon *daemon = ((struct hearsay *)user)->daemon;
    if (result->status == 200) {
        mesh_hear_other(daemon->mesh, address, result->body, loop_now_ms(&daemon->loop));
    }
}

static void on_done(void *user)
{
    struct hearsay *hearsay = user;
    hearsay->round = NULL;
    turn_when_dirty(hearsay->daemon);
}

static void forget_the_silent(struct daemon *daemon)
{
    uint64_t now = loop_now_ms(&daemon->loop);
    uint64_t believed_ms = TIMEOUT_MS + daemon->options->number[O_clients_return_ms];
    if (now > believed_ms) {
        mesh_forget_others(daemon->mesh, now - believed_ms);
        turn_when_dirty(daemon);
    }
}

/* A change that is not everywhere may have been rejected; what was rejected may be accepted. */
static bool is_news_likely(const struct daemon *daemon)
{
    return spread_pending(daemon->fleet.spread) > 0 || mesh_others_reject(daemon->mesh);
}

void hearsay_poll(struct hearsay *hearsay)
{
    struct daemon *daemon = hearsay->daemon;
    forget_the_silent(daemon);
    hearsay->polls++;
    if (hearsay->round != NULL || (hearsay->polls < QUIET_POLLS && !is_news_likely(daemon))) {
        return;
    }
    hearsay->polls = 0;
    const struct replicas_question ask = {
        .method = "GET",
        .path = STR("/replica/clients"),
        .timeout_ms = TIMEOUT_MS,
        .body_max = ANSWER_MAX,
        .each = on_answer,
        .done = on_done,
        .user = hearsay,
    };
    hearsay->round = replicas_ask(daemon->fleet.replicas, &ask);
}

void hearsay_stop(struct hearsay *hearsay)
{
    replicas_cancel(hearsay->round);
}
