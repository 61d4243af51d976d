/* SPDX-License-Identifier: Apache-2.0 */
/* watch: when it lists and when it watches, and what it tells; see the header. */
#include "kube/watch.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/panic.h"
#include "codec/percent.h"
#include "kube/watch_internal.h"
#include "net/loop.h"

void kube_watch_trouble(const struct kube_watch *watch, const char *what, struct str reason,
                        struct str why)
{
    log_at(LOG_WARN, "kube", what, KV_TEXT("kind", watch->plural), KV("reason", reason),
           KV("why", why));
}

/* --- when --- */

static void on_timer(uv_timer_t *timer)
{
    struct kube_watch *watch = timer->data;
    if (watch->place != NULL) {
        kube_watch_follow(watch);
    } else {
        kube_watch_list(watch);
    }
}

void kube_watch_step_in(struct kube_watch *watch, unsigned ms)
{
    uv_timer_start(&watch->timer, on_timer, ms, 0);
}

void kube_watch_step_later(struct kube_watch *watch, unsigned at_least_ms)
{
    unsigned ms = backoff_next(&watch->backoff);
    kube_watch_step_in(watch, ms > at_least_ms ? ms : at_least_ms);
}

void kube_watch_set(char **text, struct str value)
{
    free(*text);
    *text = value.len != 0 ? str_dup(value) : NULL;
}

void kube_watch_forget_place(struct kube_watch *watch)
{
    kube_watch_set(&watch->place, STR_NULL);
    kube_watch_set(&watch->next, STR_NULL);
    watch->listing = false;
}

/* --- what is told --- */

bool kube_watch_tell_put(struct kube_watch *watch, const struct kube_object *object)
{
    known_add(&watch->known, object->ns, object->name);
    watch->events.put(watch->events.user, object->node, object->raw);
    return !watch->stopped;
}

bool kube_watch_tell_removed(struct kube_watch *watch, bool all)
{
    struct known_name *names;
    struct arena arena;
    arena_init(&arena);
    size_t len = known_take_old(&watch->known, all, &arena, &names);
    for (size_t i = 0; i < len && !watch->stopped; i++) {
        watch->events.removed(watch->events.user, names[i].ns, names[i].name);
    }
    arena_release(&arena);
    return !watch->stopped;
}

bool kube_watch_tell(struct kube_watch *watch, void (*event)(void *user))
{
    event(watch->events.user);
    return !watch->stopped;
}

/* --- what is asked for --- */

bool kube_watch_version_at(const struct kube_watch *watch, unsigned index, struct str *ret_version)
{
    struct str rest = str_from(watch->versions);
    for (unsigned i = 0; rest.len != 0; i++) {
        *ret_version = str_cut(&rest, ' ');
        if (i == index) {
            return true;
        }
    }
    return false;
}

void kube_watch_parameter(struct buf *path, const char *name, const char *value)
{
    if (value != NULL) {
        buf_printf(path, "&%s=", name);
        percent_encode(str_from(value), path);
    }
}

void kube_watch_path(const struct kube_watch *watch, struct buf *path)
{
    struct str version = STR_NULL;
    kube_watch_version_at(watch, watch->version, &version);
    buf_printf(path, watch->group[0] != '\0' ? "/apis/%s/" : "/api%s/", watch->group);
    buf_add_str(path, version);
    if (watch->ns != NULL) {
        buf_printf(path, "/namespaces/%s", watch->ns);
    }
    buf_printf(path, "/%s", watch->plural);
}

/* --- the interface --- */

static void check_versions(const char *versions)
{
    struct str rest = str_from(versions);
    ASSERT(rest.len != 0);
    while (rest.len != 0) {
        struct str version = str_cut(&rest, ' ');
        ASSERT(version.len != 0 && version.len < VERSION_MAX);
    }
}

struct kube_watch *kube_watch_start(const struct kube_watch_config *config)
{
    struct kube_watch *watch = xcalloc(1, sizeof(*watch));
    check_versions(config->versions);
    watch->kube = config->kube;
    watch->page = KUBE_PAGE;
    watch->events = config->events;
    watch->group = xstrdup(config->group);
    watch->versions = xstrdup(config->versions);
    watch->plural = xstrdup(config->plural);
    kube_watch_set(&watch->ns, str_from(config->ns));
    kube_watch_set(&watch->field_selector, str_from(config->field_selector));
    kube_watch_set(&watch->label_selector, str_from(config->label_selector));
    watch->metadata_only = config->metadata_only;
    watch->backoff = (struct backoff){KUBE_BACKOFF_MS, KUBE_BACKOFF_MAX_MS, 0};
    arena_init(&watch->arena);
    buf_init(&watch->line, WATCH_LINE_MAX);
    uv_timer_init(&kube_loop(config->kube)->uv, &watch->timer);
    watch->timer.data = watch;
    kube_watch_step_in(watch, 0);
    return watch;
}

/* Whoever told of the stop may still be in one of the functions above. */
static void watch_gone(uv_handle_t *handle)
{
    struct kube_watch *watch = handle->data;
    free(watch->group);
    free(watch->versions);
    free(watch->plural);
    free(watch->ns);
    free(watch->field_selector);
    free(watch->label_selector);
    free(watch->place);
    free(watch->next);
    arena_release(&watch->arena);
    buf_release(&watch->line);
    known_release(&watch->known);
    free(watch);
}

void kube_watch_stop(struct kube_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    ASSERT(!watch->stopped);
    watch->stopped = true;
    if (watch->call != NULL) {
        kube_cancel(watch->call);
        watch->call = NULL;
    }
    uv_close((uv_handle_t *)&watch->timer, watch_gone);
}

bool kube_watch_synced(const struct kube_watch *watch)
{
    return watch->synced;
}

const char *kube_watch_version(const struct kube_watch *watch)
{
    return watch->answered ? watch->version_name : NULL;
}
