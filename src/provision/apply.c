/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply: what the API server is asked to do with an object, and what follows from the answer:
 *
 *   AT_REST ──queue──► WAITING │ READY ──► look.c ──► IN_FLIGHT ──┬─ done ──► READY
 *                         ▲                                       │
 *                         └────────────────── failed ─────────────┘
 */
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "codec/doc_json.h"
#include "provision/provision_internal.h"

#define APPLY "?fieldManager=" PART_MANAGER "&force=true"
#define HAND_OVER "?fieldManager=" PART_MANAGER "-replicas&force=true"

/* --- the queue ------------------------------------------------------------------------------- */

static void set_phase(struct thing *thing, enum phase phase)
{
    struct provision *provision = thing->provision;
    list_remove(&thing->link);
    thing->phase = phase;
    if (phase == WAITING) {
        list_append(&provision->waiting, &thing->link);
    } else if (phase == READY) {
        list_append(&provision->ready, &thing->link);
    } else if (phase == HELD) {
        list_append(&provision->held, &thing->link);
    }
}

void thing_wait(struct thing *thing, uint64_t ms)
{
    thing->due_ms = provision_now_ms(thing->provision) + ms;
    set_phase(thing, WAITING);
    provision_wake(thing->provision, thing->due_ms);
}

/* What failed waits for its time, unless what is wanted has changed. */
void thing_queue(struct thing *thing)
{
    struct provision *provision = thing->provision;
    if (!provision->leads) {
        return;
    }
    if (thing->phase == IN_FLIGHT) {
        return; /* it is looked at when the answer is there */
    }
    if (thing->phase == AT_REST || thing->backoff.failures == 0) {
        set_phase(thing, READY);
        provision_wake(provision, provision_now_ms(provision));
    }
}

void thing_wake(struct thing *thing)
{
    set_phase(thing, READY);
}

void thing_settle(struct thing *thing)
{
    set_phase(thing, AT_REST);
}

void thing_hold(struct thing *thing)
{
    set_phase(thing, HELD);
}

void thing_rest(struct thing *thing)
{
    rollout_end(thing);
    if (thing->call != NULL) {
        kube_cancel(thing->call);
        thing->call = NULL;
        thing->provision->in_flight--;
    }
    thing->asks_stand_in = false;
    backoff_reset(&thing->backoff);
    set_phase(thing, AT_REST);
}

/* --- requests -------------------------------------------------------------------------------- */

void thing_send(struct thing *thing, const char *method, struct str path, struct str body,
                void (*done)(void *user, const struct kube_result *result))
{
    bool patch = str_eq(str_from(method), STR("PATCH"));
    const struct kube_spec spec = {
        .method = method,
        .path = path,
        .content_type = patch ? STR(KUBE_APPLY_PATCH) : STR_NULL,
        .body = body,
        .user = thing,
        .done = done,
    };
    thing->provision->in_flight++;
    set_phase(thing, IN_FLIGHT);
    thing->call = kube_send(thing->provision->config.kube, &spec);
}

static void request(struct thing *thing, const char *method, const char *query, struct str body,
                    void (*done)(void *user, const struct kube_result *result))
{
    struct arena scratch;
    arena_init(&scratch);
    struct str path = part_path(&scratch, thing->part, thing->ns, thing->name);
    thing_send(thing, method, arena_printf(&scratch, "%.*s%s", STR_FMT(path), query), body, done);
    arena_release(&scratch);
}

void thing_landed(struct thing *thing)
{
    thing->call = NULL;
    thing->provision->in_flight--;
    set_phase(thing, AT_REST);
}

static bool is_done(const struct kube_result *result)
{
    return result->status / 100 == 2;
}

/* Whether the API server said that it never will: then its words are the Gateway's. What may pass
 * by itself (an outage, too many requests, a conflict) is not. */
static bool is_refusal(const struct kube_result *result)
{
    return result->status / 100 == 4 && result->status != 409 && result->status != 429;
}

void thing_failed(struct thing *thing, const char *what, const struct kube_result *result)
{
    uint64_t wait = backoff_next(&thing->backoff);
    rollout_end(thing);
    metric_add(M_provision_failures, 1);
    log_at(LOG_WARN, "provision", what, KV_TEXT("object", thing->key),
           KV_INT("status", result->status), KV("reason", result->reason),
           KV("message", result->message), KV_INT("wait_ms", wait));
    thing_wait(thing, wait > result->retry_after_ms ? wait : result->retry_after_ms);
    if (is_refusal(result)) {
        thing_set_error(thing, result->status == 422, result->message);
    }
}

/* The answer is the object, as it was then: the watch may have told of a newer one already. */
static struct seen answer_of(const struct thing *thing, struct str body)
{
    struct seen seen = {.there = false};
    struct arena arena;
    struct doc_node *object;
    arena_init(&arena);
    if (doc_json_parse(&arena, body, DOC_NODES_MAX, &object, NULL)) {
        seen_read(thing->part, object, &seen);
    }
    arena_release(&arena);
    return seen;
}

/* --- is the name free? ----------------------------------------------------------------------- */

static void asked(void *user, const struct kube_result *result)
{
    struct thing *thing = user;
    struct provision *provision = thing->provision;
    thing_landed(thing);
    if (result->status == 404) {
        thing->looked = true;
        thing_queue(thing);
    } else if (is_done(result)) {
        struct seen seen = answer_of(thing, result->body);
        thing->looked = thing->site != NULL && thing_is_of(&seen, thing->site);
        seen_release(&seen);
        if (thing->looked) {
            thing_queue(thing); /* somebody took its labels away */
        } else {
            thing_set_error(thing, false, STR("it is there and not heddle's; delete or rename it"));
            thing_wait(thing, backoff_next(&thing->backoff));
        }
    } else {
        thing_failed(thing, "an object cannot be read", result);
    }
    provision_pump(provision);
}

void thing_ask(struct thing *thing)
{
    request(thing, "GET", "", STR_NULL, asked);
}

/* --- deleting -------------------------------------------------------------------------------- */

static void gone(void *user, const struct kube_result *result)
{
    struct thing *thing = user;
    struct provision *provision = thing->provision;
    thing_landed(thing);
    if (is_done(result) || result->status == 404 || result->status == 409) {
        metric_add(M_provision_deleted, is_done(result) ? 1 : 0);
        log_at(LOG_INFO, "provision", "deleted", KV_TEXT("object", thing->key));
        thing->seen.deleting = thing->seen.there; /* until the watch says that it is gone */
        if (!thing->seen.there) {
            thing_queue(thing); /* it has said so already */
        }
    } else {
        thing_failed(thing, "an object cannot be deleted", result);
    }
    provision_pump(provision);
}

void thing_delete(struct thing *thing)
{
    struct arena scratch;
    arena_init(&scratch);
    struct str body =
        arena_printf(&scratch, "{\"preconditions\":{\"uid\":\"%.*s\"}}", STR_FMT(thing->seen.uid));
    request(thing, "DELETE", "?propagationPolicy=Background", body, gone);
    arena_release(&scratch);
}

/* --- applying -------------------------------------------------------------------------------- */

/* What cannot be changed is deleted and made again: a Service's clusterIP, a selector. */
static bool is_immutable(const struct kube_result *result)
{
    return result->status == 422 && (str_contains(result->message, STR("field is immutable")) ||
                                     str_contains(result->message, STR("may not change once set")));
}

static void applied(void *user, const struct kube_result *result)
{
    struct thing *thing = user;
    struct provision *provision = thing->provision;
    thing_landed(thing);
    if (is_done(result)) {
        struct seen seen = answer_of(thing, result->body);
        metric_add(M_provision_applied, 1);
        log_at(LOG_INFO, "provision", "applied", KV_TEXT("object", thing->key));
        thing->applied = true;
        thing->written_ms = provision_now_ms(provision);
        thing->fields_then = seen.fields;
        thing_take(thing, &seen);
        rollout_look(thing);
        backoff_reset(&thing->backoff);
        thing_set_error(thing, false, STR_NULL);
        thing_queue(thing);
        thing_told(thing);
    } else if (thing->seen.there && is_immutable(result)) {
        thing->remake = true;
        thing_queue(thing);
    } else {
        thing_failed(thing, "an object cannot be applied", result);
    }
    provision_pump(provision);
}

/* Notes what is sent. False: it is the same again, since somebody undid it. Two who disagree (an
 * autoscaler, a webhook that takes away what it does not like) must not keep the API server busy:
 * the more often in a row, the later it is written. */
static bool may_write(struct thing *thing)
{
    uint64_t now = provision_now_ms(thing->provision);
    struct hash text = hash_bytes(str_from(thing->text));
    if (!hash_eq(text, thing->text_then)) {
        thing->text_then = text;
        thing->written_ms = 0;
    }
    if (thing->written_ms == 0 || now - thing->written_ms > PROVISION_CALM_MS) {
        backoff_reset(&thing->mends);
        return true;
    }
    if (thing->mend_ms <= thing->written_ms) { /* it has just been seen */
        thing->mend_ms = thing->written_ms + backoff_next(&thing->mends);
    }
    if (now < thing->mend_ms) {
        thing_wait(thing, thing->mend_ms - now);
        return false;
    }
    metric_add(M_provision_mended, 1);
    return true;
}

void thing_apply(struct thing *thing)
{
    if (may_write(thing)) {
        request(thing, "PATCH", APPLY, str_from(thing->text), applied);
    }
}

/* The body holds a key: it is wiped. */
void thing_apply_identity(struct thing *thing)
{
    struct provision *provision = thing->provision;
    struct buf body;
    struct err err;
    if (!may_write(thing)) {
        return;
    }
    buf_init(&body, BUF_UNLIMITED);
    if (identity_make(str_from(thing->text), thing->site->blueprint.identity, provision->ring,
                      provision_now_s(provision), &body, &err)) {
        request(thing, "PATCH", APPLY, buf_str(&body), applied);
    } else {
        log_at(LOG_ERROR, "provision", "no certificate can be made", KV_TEXT("object", thing->key),
               KV_TEXT("reason", err.text));
        thing_wait(thing, backoff_next(&thing->backoff));
    }
    keyring_wipe(buf_str(&body));
    buf_release(&body);
}

/* --- handing over ---------------------------------------------------------------------------- */

static void handed_over(void *user, const struct kube_result *result)
{
    struct thing *thing = user;
    struct provision *provision = thing->provision;
    thing_landed(thing);
    if (is_done(result)) {
        thing->seen.replicas_ours = false;
        thing_queue(thing);
    } else {
        thing_failed(thing, "replicas cannot be handed over", result);
    }
    provision_pump(provision);
}

/* A field that heddle asks for no more would fall back to its default: for a moment there would be
 * one Envoy. So another manager asks for as many as there are, until the autoscaler does. */
void thing_hand_over(struct thing *thing, int32_t replicas)
{
    struct arena scratch;
    arena_init(&scratch);
    struct str body = arena_printf(
        &scratch,
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"%.*s\","
        "\"namespace\":\"%.*s\"},\"spec\":{\"replicas\":%d}}",
        STR_FMT(thing->name), STR_FMT(thing->ns), (int)replicas);
    request(thing, "PATCH", HAND_OVER, body, handed_over);
    arena_release(&scratch);
}
