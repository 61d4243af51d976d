/* SPDX-License-Identifier: Apache-2.0 */
/* envoys: see envoys.h. */
#include "app/envoys.h"

#include <stdlib.h>

#include "app/daemon.h"
#include "app/replicas.h"
#include "base/panic.h"
#include "codec/doc_json.h"
#include "snapshot/resource.h"

#define TIMEOUT_MS 3000
#define ANSWER_MAX 65536
#define ANSWER_NODES_MAX 100

struct envoys {
    struct daemon *daemon;
    struct arena arena; /* of the texts */
    envoys_done_fn *done;
    void *user;
    watch_id watch;
    char told[HASH_TEXT_LEN];
    struct str query;
    bool here;
    uint64_t connected, acknowledged, rejected;
    unsigned nbehind;
    struct str behind[ACKS_BEHIND_MAX];
    unsigned replicas; /* that are counted */
    unsigned nsilent;
    struct str silent[REPLICAS_MAX];
};

static void finish(struct envoys *envoys)
{
    envoys->done(envoys->user, envoys);
    arena_release(&envoys->arena);
    free(envoys);
}

static void add_behind(struct envoys *envoys, struct str node)
{
    if (envoys->nbehind < ACKS_BEHIND_MAX) {
        envoys->behind[envoys->nbehind++] = arena_str(&envoys->arena, node);
    }
}

/* --- those of others ------------------------------------------------------------------------- */

static uint64_t number(const struct doc_node *root, struct str key)
{
    const struct doc_node *node = doc_get(root, key);
    return node != NULL && node->type == DOC_INT && node->integer > 0 ? (uint64_t)node->integer : 0;
}

static bool hear(struct envoys *envoys, struct str answer)
{
    struct doc_node *root = NULL;
    struct err err;
    if (!doc_json_parse(&envoys->arena, answer, ANSWER_NODES_MAX, &root, &err) ||
        root->type != DOC_MAPPING || doc_text(root, STR("told")).len == 0) {
        return false;
    }
    const struct doc_node *behind = doc_get(root, STR("behind"));
    bool same = str_eq(doc_text(root, STR("told")), str_from(envoys->told));
    envoys->connected += number(root, STR("connected"));
    envoys->acknowledged += same ? number(root, STR("acknowledged")) : 0;
    envoys->rejected += same ? number(root, STR("rejected")) : 0;
    for (size_t i = 0; behind != NULL && behind->type == DOC_SEQUENCE && i < behind->len; i++) {
        add_behind(envoys, behind->items[i]->text);
    }
    return true;
}

static void on_answer(void *user, struct str address, const struct httpc_result *result)
{
    struct envoys *envoys = user;
    if (result->status == 200 && hear(envoys, result->body)) {
        envoys->replicas++;
    } else if (envoys->nsilent < REPLICAS_MAX &&
               (result->status != 0 ||
                replicas_silence_counts(envoys->daemon->fleet.replicas, address))) {
        envoys->silent[envoys->nsilent++] = arena_str(&envoys->arena, address);
    }
}

static void on_all(void *user)
{
    finish(user);
}

static void ask_others(struct envoys *envoys)
{
    const struct replicas_question question = {
        .method = "GET",
        .path = arena_printf(&envoys->arena, "/replica/envoys?%.*s", STR_FMT(envoys->query)),
        .timeout_ms = TIMEOUT_MS,
        .body_max = ANSWER_MAX,
        .each = on_answer,
        .done = on_all,
        .user = envoys,
    };
    if (envoys->here || replicas_ask(envoys->daemon->fleet.replicas, &question) == NULL) {
        finish(envoys);
    }
}

/* --- those here ------------------------------------------------------------------------------ */

static void on_counted(void *user, const struct acks *acks)
{
    struct envoys *envoys = user;
    envoys->connected = acks->streams;
    envoys->acknowledged = acks->acknowledged;
    envoys->rejected = acks->rejected;
    for (unsigned i = 0; i < acks->nbehind; i++) {
        add_behind(envoys, acks->behind[i]);
    }
    serve_acks_cancel(envoys->daemon->serve, envoys->watch);
    ask_others(envoys);
}

void envoys_count(const struct envoys_question *question, envoys_done_fn *done, void *user)
{
    struct envoys *envoys = xcalloc(1, sizeof(*envoys));
    envoys->daemon = question->daemon;
    envoys->done = done;
    envoys->user = user;
    envoys->here = question->here;
    envoys->replicas = 1;
    arena_init_sized(&envoys->arena, 1024);
    envoys->query = arena_str(&envoys->arena, question->query);
    hash_text(question->told, envoys->told);
    if (question->want == NULL) {
        ask_others(envoys);
        return;
    }
    const struct acks_name name = {question->want->type, question->want->name};
    envoys->watch = serve_acks_watch(envoys->daemon->serve, &name, 1, on_counted, envoys);
}

/* --- telling --------------------------------------------------------------------------------- */

static void tell_list(struct json *json, const char *key, const struct str *items, unsigned len)
{
    json_key(json, key);
    json_open(json, '[');
    for (unsigned i = 0; i < len; i++) {
        json_str(json, items[i]);
    }
    json_close(json, ']');
}

void envoys_tell(const struct envoys *envoys, struct json *json)
{
    json_member_uint(json, "connected", envoys->connected);
    json_member_uint(json, "acknowledged", envoys->acknowledged);
    json_member_uint(json, "rejected", envoys->rejected);
    tell_list(json, "behind", envoys->behind, envoys->nbehind);
    if (envoys->here) {
        json_member_text(json, "told", envoys->told);
        return;
    }
    json_member_uint(json, "replicas", envoys->replicas);
    tell_list(json, "silent", envoys->silent, envoys->nsilent);
}
