/* SPDX-License-Identifier: Apache-2.0 */
/* watch_events: what has changed since the list, as a stream of lines that ends now and then. */
#include "base/metric.h"
#include "kube/watch_internal.h"
#include "net/loop.h"

#define WATCH_S 600          /* asked for at most; then it is resumed */
#define WATCH_IDLE_MS 150000 /* bookmarks come every minute */
#define WATCH_SHORT_MS 1000  /* a watch that ends sooner, without a word, counts as failed */
#define WATCH_REFUSALS_MAX 8 /* in a row, of resuming at one place: then a list must say */

/* The stream makes no sense, or says that it cannot go on: list again. */
static bool break_off(struct kube_watch *watch, struct str reason, struct str why,
                      unsigned at_least_ms)
{
    kube_watch_trouble(watch, "the watch broke off", reason, why);
    kube_watch_forget_place(watch);
    kube_cancel(watch->call);
    watch->call = NULL;
    kube_watch_step_later(watch, at_least_ms);
    return false;
}

/* False: the watch is over. */
static bool take_event(struct kube_watch *watch, const struct kube_event *event)
{
    const struct kube_object *object = &event->object;
    metric_add(M_kube_events, 1);
    if (event->type == KUBE_ERROR) {
        return break_off(watch, event->status.reason, event->status.message,
                         event->status.retry_after_ms);
    }
    watch->heard = true;
    backoff_reset(&watch->backoff);
    kube_watch_set(&watch->place, object->version);
    if (event->type == KUBE_PUT) {
        return kube_watch_tell_put(watch, object);
    }
    if (event->type == KUBE_REMOVED && known_remove(&watch->known, object->ns, object->name)) {
        watch->events.removed(watch->events.user, object->ns, object->name);
    }
    return !watch->stopped;
}

static bool take_line(struct kube_watch *watch, struct str line)
{
    struct kube_event event;
    struct err err;
    if (str_trim(line).len == 0) {
        return true;
    }
    arena_reset(&watch->arena);
    if (!kube_event_read(&watch->arena, line, &event, &err)) {
        return break_off(watch, STR_NULL, str_from(err.text), 0);
    }
    return take_event(watch, &event);
}

/* The first line of piece, together with what of it came before. */
static bool take_first(struct kube_watch *watch, struct str line)
{
    if (watch->line.len == 0) {
        return take_line(watch, line);
    }
    buf_add_str(&watch->line, line);
    struct buf whole = watch->line;
    buf_init(&watch->line, WATCH_LINE_MAX);
    bool good = buf_ok(&whole) ? take_line(watch, buf_str(&whole))
                               : break_off(watch, STR_NULL, STR("an event is too large"), 0);
    buf_release(&whole);
    return good;
}

static bool on_piece(void *user, struct str piece)
{
    struct kube_watch *watch = user;
    bool good = true;
    for (size_t feed = str_index(piece, '\n'); good && feed < piece.len;
         feed = str_index(piece, '\n')) {
        good = take_first(watch, str_sub(piece, 0, feed));
        piece = str_sub(piece, feed + 1, piece.len);
    }
    if (watch->stopped) {
        return false;
    }
    if (good) {
        buf_add_str(&watch->line, piece);
        good = buf_ok(&watch->line) || break_off(watch, STR_NULL, STR("an event is too large"), 0);
    }
    return kube_watch_tell(watch, watch->events.batch) && good;
}

static void watch_refused(struct kube_watch *watch, const struct kube_result *result)
{
    bool gone = result->status == 410 || result->status == 404;
    watch->refusals = result->status != 0 ? watch->refusals + 1 : 0;
    bool stuck = watch->refusals >= WATCH_REFUSALS_MAX;
    kube_watch_trouble(watch, "the watch ended", result->reason, result->message);
    if (gone || stuck) {
        watch->refusals = 0;
        kube_watch_forget_place(watch);
    }
    kube_watch_step_later(watch, result->retry_after_ms);
}

static void on_watch_end(void *user, const struct kube_result *result)
{
    struct kube_watch *watch = user;
    uint64_t lasted_ms = loop_now_ms(kube_loop(watch->kube)) - watch->watched_ms;
    watch->call = NULL;
    buf_clear(&watch->line); /* a line that did not end says nothing */
    if (result->status < 200 || result->status >= 300) {
        watch_refused(watch, result);
        return;
    }
    watch->refusals = 0;
    if (watch->heard || lasted_ms >= WATCH_SHORT_MS) {
        backoff_reset(&watch->backoff);
        kube_watch_step_in(watch, 0);
    } else {
        kube_watch_step_later(watch, 0);
    }
}

void kube_watch_follow(struct kube_watch *watch)
{
    struct buf path;
    buf_init(&path, BUF_UNLIMITED);
    kube_watch_path(watch, &path);
    buf_printf(&path, "?watch=true&allowWatchBookmarks=true&timeoutSeconds=%u",
               backoff_jitter(WATCH_S));
    kube_watch_parameter(&path, "resourceVersion", watch->place);
    kube_watch_parameter(&path, "fieldSelector", watch->field_selector);
    kube_watch_parameter(&path, "labelSelector", watch->label_selector);
    metric_add(M_kube_watches, 1);
    buf_clear(&watch->line);
    watch->heard = false;
    watch->watched_ms = loop_now_ms(kube_loop(watch->kube));
    watch->call = kube_send(watch->kube, &(struct kube_spec){
                                             .method = "GET",
                                             .path = buf_str(&path),
                                             .accept = watch->metadata_only ? METADATA : NULL,
                                             .user = watch,
                                             .data = on_piece,
                                             .idle_ms = WATCH_IDLE_MS,
                                             .done = on_watch_end,
                                         });
    buf_release(&path);
}
