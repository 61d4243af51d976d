/* SPDX-License-Identifier: Apache-2.0 */
/* configurations: compares caBundle of each entry with what it should be, and mends it. */
#include "webhook/configurations.h"

#include <stdlib.h>
#include <uv.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/panic.h"
#include "base/vec.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "kube/backoff.h"
#include "kube/watch.h"
#include "net/loop.h"

#define GROUP "admissionregistration.k8s.io"
#define JSON_PATCH "application/json-patch+json"
#define RETRY_MS 500
#define RETRY_MAX_MS 60000
#define UNPROCESSABLE 422 /* a "test" of the patch failed: it was written meanwhile */

static const struct configuration_kind {
    const char *plural, *name, *selector;
} kinds[] = {
    {"mutatingwebhookconfigurations", "heddle-inject", "metadata.name=heddle-inject"},
    {"validatingwebhookconfigurations", "heddle-check", "metadata.name=heddle-check"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct configuration {
    struct configurations *owner;
    const struct configuration_kind *kind;
    struct kube_watch *watch;
    struct kube_call *call; /* under way; NULL: none */
    struct arena arena;
    struct str version;         /* resourceVersion; empty: it is not there */
    VEC(struct str) ca_bundles; /* base64, of each entry; ptr NULL: not one of ours */
};

struct configurations {
    struct kube *kube;
    char *ns;
    char *bundle; /* base64; NULL: not known yet */
    bool leads;
    uv_timer_t timer;
    struct backoff backoff;
    struct configuration items[KINDS];
};

static void mend_all(struct configurations *configurations);

static void timer_fired(uv_timer_t *timer)
{
    mend_all(timer->data);
}

/* --- mending --------------------------------------------------------------------------------- */

static void answered(void *user, const struct kube_result *result)
{
    struct configuration *configuration = user;
    struct configurations *owner = configuration->owner;
    configuration->call = NULL;
    if (result->status >= 200 && result->status < 300) {
        backoff_reset(&owner->backoff);
        log_at(LOG_INFO, "webhook", "caBundle written",
               KV_TEXT("configuration", configuration->kind->name));
        return;
    }
    if (result->status != UNPROCESSABLE) {
        log_at(LOG_WARN, "webhook", "caBundle cannot be written; trying again",
               KV_TEXT("configuration", configuration->kind->name), KV("reason", result->reason),
               KV("message", result->message));
    }
    uv_timer_start(&owner->timer, timer_fired, backoff_next(&owner->backoff), 0);
}

static bool is_wrong(const struct configuration *configuration, size_t entry)
{
    struct str has = configuration->ca_bundles.items[entry];
    return has.ptr != NULL && !str_eq(has, str_from(configuration->owner->bundle));
}

static void write_step(struct json *json, const char *op, struct str path, struct str value)
{
    json_open(json, '{');
    json_member_text(json, "op", op);
    json_member_str(json, "path", path);
    json_member_str(json, "value", value);
    json_close(json, '}');
}

/* Returns whether there is anything to be mended. */
static bool write_patch(const struct configuration *configuration, struct arena *scratch,
                        struct buf *out)
{
    bool any = false;
    struct json json;
    json_init(&json, out, 0);
    json_open(&json, '[');
    write_step(&json, "test", STR("/metadata/resourceVersion"), configuration->version);
    for (size_t i = 0; i < configuration->ca_bundles.len; i++) {
        if (is_wrong(configuration, i)) {
            any = true;
            write_step(&json, "add",
                       arena_printf(scratch, "/webhooks/%zu/clientConfig/caBundle", i),
                       str_from(configuration->owner->bundle));
        }
    }
    json_close(&json, ']');
    return any;
}

static void mend(struct configuration *configuration)
{
    struct configurations *owner = configuration->owner;
    struct arena scratch;
    struct buf body;
    if (!owner->leads || owner->bundle == NULL || configuration->call != NULL ||
        configuration->version.len == 0) {
        return;
    }
    arena_init(&scratch);
    buf_init(&body, BUF_UNLIMITED);
    if (write_patch(configuration, &scratch, &body)) {
        const struct kube_spec spec = {
            .method = "PATCH",
            .path = arena_printf(&scratch, "/apis/" GROUP "/v1/%s/%s", configuration->kind->plural,
                                 configuration->kind->name),
            .content_type = STR(JSON_PATCH),
            .body = buf_str(&body),
            .user = configuration,
            .done = answered,
        };
        configuration->call = kube_send(owner->kube, &spec);
    }
    buf_release(&body);
    arena_release(&scratch);
}

static void mend_all(struct configurations *configurations)
{
    for (size_t i = 0; i < KINDS; i++) {
        mend(&configurations->items[i]);
    }
}

/* --- the watch ------------------------------------------------------------------------------- */

static struct str read_entry(struct configuration *configuration, const struct doc_node *entry)
{
    const struct doc_node *client = doc_get(entry, STR("clientConfig"));
    const struct doc_node *service = doc_get(client, STR("service"));
    bool ours = str_eq(doc_text(service, STR("name")), STR(CONFIGURATIONS_SERVICE)) &&
                str_eq(doc_text(service, STR("namespace")), str_from(configuration->owner->ns));
    return ours ? arena_str(&configuration->arena, doc_text(client, STR("caBundle"))) : STR_NULL;
}

static void forget(struct configuration *configuration)
{
    arena_reset(&configuration->arena);
    configuration->version = STR_NULL;
    vec_clear(&configuration->ca_bundles);
}

static void told_put(void *user, const struct doc_node *object, struct str raw)
{
    struct configuration *configuration = user;
    const struct doc_node *entries = doc_get(object, STR("webhooks"));
    (void)raw;
    forget(configuration);
    configuration->version = arena_str(
        &configuration->arena, doc_text(doc_get(object, STR("metadata")), STR("resourceVersion")));
    for (uint32_t i = 0; entries != NULL && entries->type == DOC_SEQUENCE && i < entries->len;
         i++) {
        vec_push(&configuration->ca_bundles, read_entry(configuration, entries->items[i]));
    }
}

static void told_removed(void *user, struct str ns, struct str name)
{
    (void)ns;
    (void)name;
    forget(user);
}

static void told_nothing(void *user)
{
    (void)user;
}

static void told_batch(void *user)
{
    mend(user);
}

/* --- start and stop -------------------------------------------------------------------------- */

struct configurations *configurations_start(struct kube *kube, struct str ns)
{
    struct configurations *configurations = xcalloc(1, sizeof(*configurations));
    configurations->kube = kube;
    configurations->ns = str_dup(ns);
    configurations->backoff = (struct backoff){.first_ms = RETRY_MS, .max_ms = RETRY_MAX_MS};
    uv_timer_init(&kube_loop(kube)->uv, &configurations->timer);
    configurations->timer.data = configurations;
    for (size_t i = 0; i < KINDS; i++) {
        struct configuration *configuration = &configurations->items[i];
        configuration->owner = configurations;
        configuration->kind = &kinds[i];
        arena_init(&configuration->arena);
        const struct kube_watch_config watch = {
            .kube = kube,
            .group = GROUP,
            .versions = "v1",
            .plural = kinds[i].plural,
            .field_selector = kinds[i].selector,
            .events = {configuration, told_put, told_removed, told_nothing, told_nothing,
                       told_batch},
        };
        configuration->watch = kube_watch_start(&watch);
    }
    return configurations;
}

void configurations_bundle(struct configurations *configurations, struct str bundle)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    base64_encode(bundle, &text);
    free(configurations->bundle);
    configurations->bundle = buf_steal(&text, NULL);
    mend_all(configurations);
}

void configurations_lead(struct configurations *configurations, bool leads)
{
    configurations->leads = leads;
    mend_all(configurations);
}

static void timer_closed(uv_handle_t *handle)
{
    struct configurations *configurations = handle->data;
    free(configurations->bundle);
    free(configurations->ns);
    free(configurations);
}

void configurations_stop(struct configurations *configurations)
{
    if (configurations == NULL) {
        return;
    }
    for (size_t i = 0; i < KINDS; i++) {
        struct configuration *configuration = &configurations->items[i];
        kube_watch_stop(configuration->watch);
        if (configuration->call != NULL) {
            kube_cancel(configuration->call);
        }
        vec_release(&configuration->ca_bundles);
        arena_release(&configuration->arena);
    }
    uv_close((uv_handle_t *)&configurations->timer, timer_closed);
}
