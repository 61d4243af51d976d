/* SPDX-License-Identifier: Apache-2.0 */
/* keeper: watches, creates and patches the Secret; one request at a time. */
#include "ca/keeper.h"

#include <stdlib.h>
#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/panic.h"
#include "kube/backoff.h"
#include "kube/watch.h"
#include "net/loop.h"

#define CONFLICT 409
#define RETRY_MS 1000
#define RETRY_MAX_MS 60000

struct keeper {
    struct keeper_config config;
    struct kube_watch *watch;
    struct kube_call *call; /* under way; NULL: none */
    uv_timer_t timer;
    struct backoff backoff;
    struct arena arena;     /* of the texts below */
    struct str ns, version; /* resourceVersion of the Secret, as the watch told it */
    struct keyring ring;    /* token.len 0: none */
    bool synced, there, leads;
};

static void look(struct keeper *keeper);

static int64_t now_s(const struct keeper *keeper)
{
    return keeper->config.now_s != NULL ? keeper->config.now_s()
                                        : (int64_t)(clock_wall_ms() / 1000);
}

static void timer_fired(uv_timer_t *timer)
{
    look(timer->data);
}

static void look_in(struct keeper *keeper, unsigned ms)
{
    uv_timer_start(&keeper->timer, timer_fired, ms, 0);
}

/* --- requests -------------------------------------------------------------------------------- */

static void answered(void *user, const struct kube_result *result)
{
    struct keeper *keeper = user;
    keeper->call = NULL;
    if (result->status >= 200 && result->status < 300) {
        backoff_reset(&keeper->backoff);
        look_in(keeper, KEEPER_LOOK_MS);
        return;
    }
    /* A conflict: somebody else was first, and the watch brings what that one wrote. */
    if (result->status != CONFLICT) {
        log_at(LOG_WARN, "ca", "Secret '" KEEPER_SECRET "' cannot be written; trying again",
               KV("reason", result->reason), KV("message", result->message));
    }
    look_in(keeper, backoff_next(&keeper->backoff));
}

static void request(struct keeper *keeper, const char *method, const char *name,
                    const char *content_type, struct str body)
{
    struct arena scratch;
    arena_init(&scratch);
    const struct kube_spec spec = {
        .method = method,
        .path =
            arena_printf(&scratch, "/api/v1/namespaces/%.*s/secrets%s", STR_FMT(keeper->ns), name),
        .content_type = str_from(content_type),
        .body = body,
        .user = keeper,
        .done = answered,
    };
    keeper->call = kube_send(keeper->config.kube, &spec);
    arena_release(&scratch);
}

/* {"metadata": {…}, "data": {…}}; a name for a new one, a version for one that is there. */
static void write_secret(const struct keeper *keeper, const struct keyring *ring, bool fresh,
                         struct buf *out)
{
    struct json json;
    json_init(&json, out, 0);
    json_open(&json, '{');
    if (fresh) {
        json_member_text(&json, "apiVersion", "v1");
        json_member_text(&json, "kind", "Secret");
    }
    json_key(&json, "metadata");
    json_open(&json, '{');
    json_member_str(&json, fresh ? "name" : "resourceVersion",
                    fresh ? STR(KEEPER_SECRET) : keeper->version);
    json_close(&json, '}');
    json_key(&json, "data");
    json_open(&json, '{');
    keyring_write(ring, &json);
    json_close(&json, '}');
    json_close(&json, '}');
}

/* The body holds keys: it is wiped. */
static void put(struct keeper *keeper, const struct keyring *ring, bool fresh)
{
    struct buf body;
    buf_init(&body, BUF_UNLIMITED);
    write_secret(keeper, ring, fresh, &body);
    if (fresh) {
        request(keeper, "POST", "", "application/json", buf_str(&body));
    } else {
        request(keeper, "PATCH", "/" KEEPER_SECRET, KUBE_MERGE_PATCH, buf_str(&body));
    }
    keyring_wipe(buf_str(&body));
    buf_release(&body);
}

/* --- what is due ----------------------------------------------------------------------------- */

static void create(struct keeper *keeper)
{
    struct err err;
    struct keyring ring;
    if (!keyring_make(now_s(keeper), &ring, &err)) {
        log_at(LOG_ERROR, "ca", "no CA can be made", KV_TEXT("reason", err.text));
        look_in(keeper, backoff_next(&keeper->backoff));
        return;
    }
    log_at(LOG_INFO, "ca", "making the CA of the mesh's webhooks and replicas");
    put(keeper, &ring, true);
    keyring_release(&ring);
}

static void advance(struct keeper *keeper)
{
    struct err err;
    struct keyring next;
    const char *what;
    if (keyring_advance(&keeper->ring, now_s(keeper), &next, &what, &err)) {
        log_at(LOG_INFO, "ca", "the CA goes through its life", KV_TEXT("step", what));
        put(keeper, &next, false);
        keyring_release(&next);
        return;
    }
    if (err.text[0] != '\0') {
        log_at(LOG_ERROR, "ca", "the CA cannot be renewed", KV_TEXT("reason", err.text));
    }
    look_in(keeper, KEEPER_LOOK_MS);
}

/* Does what is due, unless a request is under way: its answer leads here again. */
static void look(struct keeper *keeper)
{
    if (keeper->call != NULL || !keeper->synced) {
        return;
    }
    if (!keeper->there) {
        create(keeper);
    } else if (keeper->leads && keeper->ring.token.len > 0 && keeper->version.len > 0) {
        advance(keeper);
    }
}

/* --- the watch ------------------------------------------------------------------------------- */

static void told_put(void *user, const struct doc_node *object, struct str raw)
{
    struct keeper *keeper = user;
    struct err err;
    struct keyring ring;
    const struct doc_node *version =
        doc_get(doc_get(object, STR("metadata")), STR("resourceVersion"));
    (void)raw;
    keeper->there = true;
    arena_reset(&keeper->arena);
    keeper->version = version != NULL ? arena_str(&keeper->arena, version->text) : STR_NULL;
    const struct doc_node *data = doc_get(object, STR("data"));
    if (!keyring_read(data, &ring, &err)) {
        keeper->version = STR_NULL; /* what somebody else made is not led further */
        log_at(LOG_ERROR, "ca",
               "Secret '" KEEPER_SECRET "' makes no sense; delete it, and heddle makes a new one",
               KV_TEXT("reason", err.text));
        return;
    }
    if (keyring_equal(&ring, &keeper->ring)) {
        keyring_release(&ring);
        return;
    }
    keyring_release(&keeper->ring);
    keeper->ring = ring;
    keeper->config.changed(keeper->config.user, &keeper->ring);
}

static void told_removed(void *user, struct str ns, struct str name)
{
    struct keeper *keeper = user;
    (void)ns;
    (void)name;
    keeper->there = false;
}

static void told_synced(void *user)
{
    ((struct keeper *)user)->synced = true;
}

static void told_missing(void *user)
{
    (void)user; /* there is no Kubernetes without Secrets */
}

static void told_batch(void *user)
{
    look(user);
}

/* --- start and stop -------------------------------------------------------------------------- */

struct keeper *keeper_start(const struct keeper_config *config)
{
    struct keeper *keeper = xcalloc(1, sizeof(*keeper));
    char *ns = str_dup(config->ns);
    keeper->config = *config;
    keeper->ns = str_from(ns);
    keeper->backoff = (struct backoff){.first_ms = RETRY_MS, .max_ms = RETRY_MAX_MS};
    arena_init(&keeper->arena);
    uv_timer_init(&kube_loop(config->kube)->uv, &keeper->timer);
    keeper->timer.data = keeper;
    const struct kube_watch_config watch = {
        .kube = config->kube,
        .group = "",
        .versions = "v1",
        .plural = "secrets",
        .ns = ns,
        .field_selector = "metadata.name=" KEEPER_SECRET,
        .events = {keeper, told_put, told_removed, told_synced, told_missing, told_batch},
    };
    keeper->watch = kube_watch_start(&watch);
    return keeper;
}

const struct keyring *keeper_ring(const struct keeper *keeper)
{
    return keeper->ring.token.len > 0 ? &keeper->ring : NULL;
}

void keeper_lead(struct keeper *keeper, bool leads)
{
    keeper->leads = leads;
    look(keeper);
}

static void timer_closed(uv_handle_t *handle)
{
    struct keeper *keeper = handle->data;
    free((void *)(uintptr_t)keeper->ns.ptr);
    free(keeper);
}

void keeper_stop(struct keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    kube_watch_stop(keeper->watch);
    if (keeper->call != NULL) {
        kube_cancel(keeper->call);
    }
    keyring_release(&keeper->ring);
    arena_release(&keeper->arena);
    uv_close((uv_handle_t *)&keeper->timer, timer_closed);
}
