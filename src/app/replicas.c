/* SPDX-License-Identifier: Apache-2.0 */
/* replicas: see replicas.h. */
#include "app/replicas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/panic.h"
#include "net/loop.h"

#define ADDRESS_MAX 64
#define WHY_MAX 160

struct replica {
    char address[ADDRESS_MAX];
    bool ready;
    bool asked; /* at least once */
    bool answers;
    char why[WHY_MAX]; /* it does not */
};

struct replicas {
    struct loop *loop;
    struct httpc *httpc;
    struct replica items[REPLICAS_MAX];
    size_t len;
    bool lost; /* one went or fell silent, lately at: */
    uint64_t lost_at;
    bool secure;
    char *ca, *server_name, *token;
    struct httpc_trust *trust; /* of ca and server_name; NULL: not secure */
};

struct round_call {
    struct replicas_round *round;
    char address[ADDRESS_MAX];
    struct httpc_call *call; /* NULL: it ended */
};

struct replicas_round {
    struct replicas *replicas;
    replicas_each_fn *each;
    replicas_done_fn *done;
    void *user;
    size_t missing;
    size_t len;
    struct round_call calls[REPLICAS_MAX];
};

/* --- who they are ---------------------------------------------------------------------------- */

struct replicas *replicas_new(struct loop *loop)
{
    struct replicas *replicas = xcalloc(1, sizeof(*replicas));
    replicas->loop = loop;
    replicas->httpc = httpc_new(loop);
    return replicas;
}

void replicas_free(struct replicas *replicas)
{
    if (replicas != NULL) {
        httpc_free(replicas->httpc);
        httpc_trust_unref(replicas->trust);
        free(replicas->ca);
        free(replicas->server_name);
        free(replicas->token);
        free(replicas);
    }
}

/* True: it is another text than before. */
static bool set_text(char **text, struct str now)
{
    if (*text != NULL && str_eq(str_from(*text), now)) {
        return false;
    }
    free(*text);
    *text = str_dup(now);
    return true;
}

void replicas_set_access(struct replicas *replicas, const struct replicas_access *access)
{
    bool ca = set_text(&replicas->ca, access->ca);
    bool name = set_text(&replicas->server_name, access->server_name);
    (void)set_text(&replicas->token, access->token);
    replicas->secure = access->secure;
    if (ca || name) {
        const struct httpc_tls tls = {.ca = access->ca, .server_name = access->server_name};
        httpc_trust_unref(replicas->trust);
        replicas->trust = access->secure ? httpc_trust_new(&tls) : NULL;
    }
}

static struct replica *find(struct replicas *replicas, struct str address)
{
    for (size_t i = 0; i < replicas->len; i++) {
        if (str_eq(str_from(replicas->items[i].address), address)) {
            return &replicas->items[i];
        }
    }
    return NULL;
}

static void lose_one(struct replicas *replicas)
{
    replicas->lost = true;
    replicas->lost_at = loop_now_ms(replicas->loop);
}

static bool is_among(const struct replica *items, size_t len, const char *address)
{
    for (size_t i = 0; i < len; i++) {
        if (strcmp(items[i].address, address) == 0) {
            return true;
        }
    }
    return false;
}

void replicas_set(struct replicas *replicas, const struct replicas_peer *peers, size_t len)
{
    struct replica now[REPLICAS_MAX];
    size_t kept = 0;
    for (size_t i = 0; i < len && kept < REPLICAS_MAX; i++) {
        const struct replica *known = find(replicas, peers[i].address);
        struct replica *next = &now[kept++];
        *next = known != NULL ? *known : (struct replica){.asked = false};
        next->ready = peers[i].ready;
        (void)snprintf(next->address, sizeof(next->address), "%.*s", STR_FMT(peers[i].address));
    }
    for (size_t i = 0; i < replicas->len; i++) {
        if (!is_among(now, kept, replicas->items[i].address)) {
            lose_one(replicas);
        }
    }
    if (kept > 0) {
        memcpy(replicas->items, now, kept * sizeof(now[0]));
    }
    replicas->len = kept;
}

bool replicas_silence_counts(const struct replicas *replicas, struct str address)
{
    const struct replica *replica = find((struct replicas *)(uintptr_t)replicas, address);
    return replica != NULL && replica->ready;
}

bool replicas_lost_within(const struct replicas *replicas, uint64_t ms)
{
    return replicas->lost && loop_now_ms(replicas->loop) - replicas->lost_at < ms;
}

size_t replicas_count(const struct replicas *replicas)
{
    return replicas->len;
}

void replicas_tell(const struct replicas *replicas, struct json *json)
{
    json_open(json, '[');
    for (size_t i = 0; i < replicas->len; i++) {
        const struct replica *replica = &replicas->items[i];
        json_open(json, '{');
        json_member_text(json, "address", replica->address);
        if (replica->asked) {
            json_member_bool(json, "answers", replica->answers);
        }
        if (replica->asked && !replica->answers) {
            json_member_text(json, "why", replica->why);
        }
        json_close(json, '}');
    }
    json_close(json, ']');
}

/* --- questions ------------------------------------------------------------------------------- */

static void note(struct replicas *replicas, struct str address, const struct httpc_result *result)
{
    struct replica *replica = find(replicas, address);
    if (replica == NULL) {
        return; /* it has gone meanwhile */
    }
    bool turned = !replica->asked || replica->answers != (result->status != 0);
    replica->asked = true;
    replica->answers = result->status != 0;
    (void)snprintf(replica->why, sizeof(replica->why), "%.*s", STR_FMT(result->why));
    if (turned && !replica->answers) {
        lose_one(replicas);
        log_at(LOG_WARN, "app", "a replica does not answer", KV("replica", address),
               KV("reason", result->why));
    }
}

static void on_done(void *user, const struct httpc_result *result)
{
    struct round_call *call = user;
    struct replicas_round *round = call->round;
    call->call = NULL;
    note(round->replicas, str_from(call->address), result);
    round->each(round->user, str_from(call->address), result);
    if (--round->missing == 0) {
        round->done(round->user);
        free(round);
    }
}

struct replicas_round *replicas_ask(struct replicas *replicas,
                                    const struct replicas_question *question)
{
    if (replicas->len == 0) {
        return NULL;
    }
    struct replicas_round *round = xcalloc(1, sizeof(*round));
    *round = (struct replicas_round){.replicas = replicas,
                                     .each = question->each,
                                     .done = question->done,
                                     .user = question->user,
                                     .missing = replicas->len,
                                     .len = replicas->len};
    for (size_t i = 0; i < round->len; i++) {
        struct round_call *call = &round->calls[i];
        struct buf url;
        buf_init(&url, BUF_UNLIMITED);
        call->round = round;
        memcpy(call->address, replicas->items[i].address, sizeof(call->address));
        buf_printf(&url, "%s://%s%.*s", replicas->secure ? "https" : "http", call->address,
                   STR_FMT(question->path));
        const struct httpc_spec spec = {
            .method = question->method,
            .url = buf_str(&url),
            .content_type = question->body.len > 0 ? STR("text/plain") : STR_NULL,
            .bearer = str_from(replicas->token),
            .body = question->body,
            .trust = replicas->trust,
            .timeout_ms = question->timeout_ms,
            .body_max = question->body_max,
            .user = call,
            .done = on_done,
        };
        call->call = httpc_send(replicas->httpc, &spec);
        buf_release(&url);
    }
    return round;
}

void replicas_cancel(struct replicas_round *round)
{
    if (round == NULL) {
        return;
    }
    for (size_t i = 0; i < round->len; i++) {
        if (round->calls[i].call != NULL) {
            httpc_cancel(round->calls[i].call);
        }
    }
    free(round);
}
