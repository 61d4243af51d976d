/* SPDX-License-Identifier: Apache-2.0 */
/* watch_list: what is there now, page by page; or whether there is such a kind at all. */
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "kube/watch_internal.h"

#define MISSING_CONFIRMED 3 /* times that a kind that was there must not be, to be gone */

/* --- no such kind --- */

static void tell_missing(struct kube_watch *watch)
{
    log_at(LOG_INFO, "kube", "the API server has no such kind", KV_TEXT("kind", watch->plural),
           KV_TEXT("group", watch->group));
    watch->missing = true;
    watch->synced = true;
    (void)(kube_watch_tell_removed(watch, true) && kube_watch_tell(watch, watch->events.missing) &&
           kube_watch_tell(watch, watch->events.batch));
}

static void on_vouched(void *user, const struct kube_result *result)
{
    struct kube_watch *watch = user;
    watch->call = NULL;
    kube_watch_step_in(watch, KUBE_MISSING_MS);
    if (result->status == 200 || result->status == 403) {
        tell_missing(watch);
    } else {
        kube_watch_trouble(watch, "whoever says that there is no such kind is no API server",
                           result->reason, result->message);
    }
}

/* No version answers. An API server that starts may say so for a moment; and what knows nothing at
 * all, not even the path that every API server has, is none but something in front of it (a
 * balancer without a backend): that is an outage, which takes nothing away. */
static void no_such_kind(struct kube_watch *watch)
{
    watch->version = 0;
    kube_watch_forget_place(watch);
    if (watch->missing || (watch->synced && ++watch->absent < MISSING_CONFIRMED)) {
        kube_watch_step_in(watch, KUBE_MISSING_MS);
        return;
    }
    watch->call =
        kube_send(watch->kube,
                  &(struct kube_spec){
                      .method = "GET", .path = STR("/version"), .user = watch, .done = on_vouched});
}

/* --- pages --- */

static void list_failed(struct kube_watch *watch, const struct kube_result *result)
{
    struct str version;
    if (result->status == 404) {
        watch->version++;
        if (kube_watch_version_at(watch, watch->version, &version)) {
            kube_watch_forget_place(watch);
            kube_watch_step_in(watch, 0);
        } else {
            no_such_kind(watch);
        }
        return;
    }
    kube_watch_trouble(watch, "cannot list", result->reason, result->message);
    if (result->status == 410 || result->status == 400) {
        kube_watch_forget_place(watch); /* the token for the next page is too old: begin again */
    }
    if (str_eq(result->reason, STR(KUBE_TOO_LARGE)) && watch->page > 1) {
        watch->page /= 2;
    }
    kube_watch_step_later(watch, result->retry_after_ms);
}

/* All pages were read. False: stopped. */
static bool list_complete(struct kube_watch *watch, const struct kube_page *page)
{
    kube_watch_set(&watch->place, page->version);
    kube_watch_set(&watch->next, STR_NULL);
    watch->listing = false;
    if (!watch->unread && !kube_watch_tell_removed(watch, false)) {
        return false;
    }
    if (!watch->synced || watch->missing) {
        log_at(LOG_INFO, "kube", "listed", KV_TEXT("kind", watch->plural),
               KV_TEXT("version", watch->version_name), KV_INT("objects", watch->known.names.len));
    }
    watch->synced = true;
    watch->missing = false;
    return kube_watch_tell(watch, watch->events.synced);
}

/* False: stopped. */
static bool take_items(struct kube_watch *watch, const struct kube_page *page)
{
    struct doc_json_walk walk;
    for (bool more = doc_json_walk(page->items, &walk); more; more = doc_json_step(&walk)) {
        struct kube_object object;
        struct err err;
        arena_reset(&watch->arena);
        if (!kube_object_read(&watch->arena, walk.value, page, &object, &err)) {
            kube_watch_trouble(watch, "cannot read an object", STR_NULL, str_from(err.text));
            watch->unread = true; /* which one? so none is taken to be gone */
        } else if (!kube_watch_tell_put(watch, &object)) {
            return false;
        }
    }
    return true;
}

static void take_page(struct kube_watch *watch, const struct kube_page *page)
{
    struct str version = STR_NULL;
    bool known = kube_watch_version_at(watch, watch->version, &version);
    ASSERT(known);
    watch->absent = 0;
    watch->answered = true;
    memcpy(watch->version_name, version.ptr, version.len);
    watch->version_name[version.len] = '\0';
    if (!watch->listing) {
        watch->listing = true;
        watch->unread = false;
        known_begin(&watch->known);
    }
    if (!take_items(watch, page)) {
        return;
    }
    kube_watch_set(&watch->next, page->next);
    if (page->next.len == 0 && !list_complete(watch, page)) {
        return;
    }
    backoff_reset(&watch->backoff);
    kube_watch_step_in(watch, 0);
    kube_watch_tell(watch, watch->events.batch);
}

static void on_page(void *user, const struct kube_result *result)
{
    struct kube_watch *watch = user;
    struct kube_page page;
    struct arena arena;
    struct err err;
    watch->call = NULL;
    if (result->status < 200 || result->status >= 300) {
        list_failed(watch, result);
        return;
    }
    arena_init(&arena);
    if (kube_page_read(&arena, result->body, &page, &err)) {
        take_page(watch, &page);
    } else {
        kube_watch_trouble(watch, "cannot read a list", STR_NULL, str_from(err.text));
        kube_watch_forget_place(watch);
        kube_watch_step_later(watch, 0);
    }
    arena_release(&arena);
}

/* No resourceVersion: what is there now, not what some cache may have. */
void kube_watch_list(struct kube_watch *watch)
{
    struct buf path;
    buf_init(&path, BUF_UNLIMITED);
    kube_watch_path(watch, &path);
    buf_printf(&path, "?limit=%u", watch->page);
    kube_watch_parameter(&path, "continue", watch->next);
    kube_watch_parameter(&path, "fieldSelector", watch->field_selector);
    kube_watch_parameter(&path, "labelSelector", watch->label_selector);
    metric_add(M_kube_lists, watch->next == NULL ? 1 : 0);
    watch->call = kube_send(watch->kube, &(struct kube_spec){
                                             .method = "GET",
                                             .path = buf_str(&path),
                                             .accept = watch->metadata_only ? METADATA_LIST : NULL,
                                             .user = watch,
                                             .done = on_page,
                                         });
    buf_release(&path);
}
