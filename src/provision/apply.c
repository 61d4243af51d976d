/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply: when an object is looked at, and what the API server is asked to do.
 *
 *   AT_REST ──queue──► WAITING │ READY ──► look ──┬─ nothing to do ──► AT_REST
 *                         ▲        ▲              ├─ HELD ──► READY (rollout.c)
 *                         │        │              └─ IN_FLIGHT ──┬─ done ──► READY
 *                         └──────────── failed ──────────────────┘
 *
 * Before an object is made, it is asked for: one of that name may be somebody else's, which the
 * watches, by heddle's label, do not tell.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "codec/doc_json.h"
#include "provision/provision_internal.h"

#define LOOKED_MAX 200 /* in one turn of the loop, which others wait for */
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

static void wait_ms(struct thing *thing, uint64_t ms)
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
    wait_ms(thing, wait > result->retry_after_ms ? wait : result->retry_after_ms);
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
            wait_ms(thing, backoff_next(&thing->backoff));
        }
    } else {
        thing_failed(thing, "an object cannot be read", result);
    }
    provision_pump(provision);
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
        thing->seen.deleting = true; /* until the watch says that it is gone */
    } else {
        thing_failed(thing, "an object cannot be deleted", result);
    }
    provision_pump(provision);
}

static void delete_it(struct thing *thing)
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
        wait_ms(thing, thing->mend_ms - now);
        return false;
    }
    metric_add(M_provision_mended, 1);
    return true;
}

static void apply(struct thing *thing)
{
    if (may_write(thing)) {
        request(thing, "PATCH", APPLY, str_from(thing->text), applied);
    }
}

static int64_t now_s(const struct provision *provision)
{
    int64_t (*clock)(void) = provision->config.now_s;
    return clock != NULL ? clock() : (int64_t)(clock_wall_ms() / 1000);
}

/* The body holds a key: it is wiped. */
static void apply_identity(struct thing *thing)
{
    struct provision *provision = thing->provision;
    struct buf body;
    struct err err;
    if (!may_write(thing)) {
        return;
    }
    buf_init(&body, BUF_UNLIMITED);
    if (identity_make(str_from(thing->text), thing->site->blueprint.identity, provision->ring,
                      now_s(provision), &body, &err)) {
        request(thing, "PATCH", APPLY, buf_str(&body), applied);
    } else {
        log_at(LOG_ERROR, "provision", "no certificate can be made", KV_TEXT("object", thing->key),
               KV_TEXT("reason", err.text));
        wait_ms(thing, backoff_next(&thing->backoff));
    }
    keyring_wipe(buf_str(&body));
    buf_release(&body);
}

/* --- what is due ----------------------------------------------------------------------------- */

/* Whether what is there is what this leader wrote. */
static bool is_intact(const struct thing *thing)
{
    return thing->applied && hash_eq(thing->text_then, hash_bytes(str_from(thing->text))) &&
           hash_eq(thing->fields_then, thing->seen.fields);
}

/* A certificate is not made again for nothing, so that one of another leader is left as it is. */
static void look_at_identity(struct thing *thing)
{
    const struct provision *provision = thing->provision;
    const struct seen *seen = &thing->seen;
    if (provision->ring == NULL) {
        return; /* it is told */
    }
    bool due =
        !seen->there || identity_is_due(&seen->identity, provision->ring, now_s(provision)) ||
        !str_eq(seen->identity_of, thing->site->blueprint.identity) ||
        !thing_is_of(seen, thing->site) || !str_eq(seen->owner_uid, str_from(thing->site->uid)) ||
        (thing->applied && !is_intact(thing));
    if (due) {
        apply_identity(thing);
    } else {
        wait_ms(thing, PROVISION_IDENTITY_MS);
    }
}

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
static void hand_over_replicas(struct thing *thing, int32_t replicas)
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

/* An autoscaler begins with one. Where another class had more, so many are needed now. */
static void follow(struct thing *thing)
{
    int32_t before = site_replicas_before(thing->site);
    if (thing->site->autoscaled && !thing->followed && thing->site->stands_ms == 0 &&
        before > thing->seen.replicas) {
        thing->followed = true;
        hand_over_replicas(thing, before);
    }
}

static bool has(const struct site *site, enum part part)
{
    return site->things[part] != NULL && site->things[part]->seen.there;
}

static void look_at_deployment(struct thing *thing)
{
    const struct site *site = thing->site;
    if (!has(site, PART_ACCOUNT) || !has(site, PART_IDENTITY)) {
        return; /* its pods could not start; thing_told() comes back to it */
    }
    if (is_intact(thing)) {
        follow(thing);
        return;
    }
    if (!rollout_begin(thing)) {
        return;
    }
    if (site->autoscaled && thing->seen.replicas_ours) {
        hand_over_replicas(thing, thing->seen.replicas);
    } else {
        apply(thing);
    }
}

/* Nobody wants it: it goes, unless it goes by itself, or its Gateway is not understood now. */
static void look_at_stray(struct thing *thing)
{
    const struct seen *seen = &thing->seen;
    const struct site *site = site_of_owner(thing);
    bool unwanted = site != NULL && (site->drafted || site->class == PROVISION_OTHERS);
    if (!unwanted || seen->deleting || stand_in_is_needed(thing, site)) {
        return;
    }
    uint64_t now = provision_now_ms(thing->provision);
    uint64_t due = thing->former_of != NULL ? former_due_ms(thing) : now;
    if (due <= now) {
        delete_it(thing);
    } else if (due < UINT64_MAX) {
        wait_ms(thing, due - now);
    }
}

/* A Service that cannot be changed. */
static void make_anew(struct thing *thing)
{
    if (stand_in_is_due(thing)) {
        stand_in_make(thing);
    } else {
        delete_it(thing);
    }
}

/* What is not there may need an address that something else still has. */
static void make(struct thing *thing)
{
    if (thing->stand_in != NULL) {
        stand_in_release(thing);
    } else if (thing->part != PART_SERVICE || !site_waits_for_address(thing->site)) {
        apply(thing);
    }
}

static void look_at_wanted(struct thing *thing)
{
    const struct seen *seen = &thing->seen;
    if (!seen->there && !thing->looked) {
        request(thing, "GET", "", STR_NULL, asked);
    } else if (seen->there && !thing_is_of(seen, thing->site)) {
        thing_set_error(thing, false, STR("it is another Gateway's; rename one of the two"));
    } else if (seen->there && seen->deleting) {
        return; /* it is made again when it is gone */
    } else if (seen->there && thing->remake) {
        make_anew(thing);
    } else if (thing->part == PART_IDENTITY) {
        look_at_identity(thing);
    } else if (thing->part == PART_DEPLOYMENT) {
        look_at_deployment(thing);
    } else if (!seen->there) {
        make(thing);
    } else if (!is_intact(thing)) {
        stand_in_forget(thing);
        apply(thing);
    }
}

static void look_at(struct thing *thing)
{
    set_phase(thing, AT_REST);
    if (!kube_watch_synced(thing->provision->watches[thing->part].watch)) {
        return; /* all are looked at when it is */
    }
    if (thing->text != NULL) {
        look_at_wanted(thing);
    } else {
        look_at_stray(thing);
    }
}

/* Of those that are held one at a time, when nothing else is to be looked at. */
static bool is_any_ready(struct provision *provision)
{
    if (list_empty(&provision->ready) && !list_empty(&provision->held) &&
        provision->rolling < provision->config.rollouts_max) {
        set_phase(list_entry(provision->held.next, struct thing, link), READY);
    }
    return !list_empty(&provision->ready);
}

void provision_pump(struct provision *provision)
{
    unsigned looked = 0;
    while (is_any_ready(provision) && provision->in_flight < PROVISION_WRITES_MAX) {
        if (looked++ == LOOKED_MAX) {
            provision_wake(provision, provision_now_ms(provision) + 1);
            return;
        }
        look_at(list_entry(provision->ready.next, struct thing, link));
    }
}
