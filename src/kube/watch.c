/* SPDX-License-Identifier: Apache-2.0 */
/* watch: lists, then watches, and begins again where that is needed; see the header. */
#include "kube/watch.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "codec/percent.h"
#include "kube/backoff.h"
#include "kube/event.h"
#include "kube/known.h"
#include "net/loop.h"

#define WATCH_S 600          /* asked for at most; then it is resumed */
#define WATCH_IDLE_MS 150000 /* bookmarks come every minute */
#define WATCH_LINE_MAX (16u << 20)
#define WATCH_SHORT_MS 1000  /* a watch that ends sooner, without a word, counts as failed */
#define WATCH_REFUSALS_MAX 8 /* in a row, of resuming at one place: then a list must say */
#define MISSING_CONFIRMED 3  /* times that a kind that was there must not be, to be gone */
#define VERSION_MAX 32

struct kube_watch {
    struct kube *kube;
    struct kube_watch_events events;
    char *group, *versions, *plural;
    char *ns, *field_selector, *label_selector; /* NULL: none */
    uv_timer_t timer;
    struct kube_call *call;
    struct backoff backoff;
    struct arena arena; /* of one object */
    struct buf line;    /* the beginning of one that has not ended */
    struct known known;
    unsigned version; /* index into versions */
    char version_name[VERSION_MAX];
    bool answered; /* the version did */
    char *place;   /* resourceVersion from which to watch; NULL: to be listed */
    char *next;    /* of a list that is under way: the token for the next page */
    unsigned page; /* objects asked for at a time */
    bool listing;  /* pages were read already */
    bool unread;   /* the list had an object that could not be read */
    bool synced, missing;
    unsigned absent;     /* times in a row that no version was there */
    uint64_t watched_ms; /* since when */
    bool heard;          /* of the present watch an event came */
    unsigned refusals;   /* in a row, of watches: the API server answered, but not with a stream */
    bool stopped;
};

static void step(struct kube_watch *watch);

static void log_trouble(const struct kube_watch *watch, const char *what, struct str reason,
                        struct str why)
{
    log_at(LOG_WARN, "kube", what, KV_TEXT("kind", watch->plural), KV("reason", reason),
           KV("why", why));
}

/* --- when --- */

static void on_timer(uv_timer_t *timer)
{
    step(timer->data);
}

static void step_in(struct kube_watch *watch, unsigned ms)
{
    uv_timer_start(&watch->timer, on_timer, ms, 0);
}

static void step_later(struct kube_watch *watch, unsigned at_least_ms)
{
    unsigned ms = backoff_next(&watch->backoff);
    step_in(watch, ms > at_least_ms ? ms : at_least_ms);
}

static void set_text(char **text, struct str value)
{
    free(*text);
    *text = value.len != 0 ? str_dup(value) : NULL;
}

/* All is to be listed from the beginning. */
static void forget_place(struct kube_watch *watch)
{
    set_text(&watch->place, STR_NULL);
    set_text(&watch->next, STR_NULL);
    watch->listing = false;
}

/* --- what is told --- */

/* Each returns false when the watch was stopped meanwhile. */
static bool tell_put(struct kube_watch *watch, const struct kube_object *object)
{
    known_add(&watch->known, object->ns, object->name);
    watch->events.put(watch->events.user, object->node, object->raw);
    return !watch->stopped;
}

static bool tell_removed(struct kube_watch *watch, bool all)
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

static bool tell(struct kube_watch *watch, void (*event)(void *user))
{
    event(watch->events.user);
    return !watch->stopped;
}

/* --- lists --- */

static bool version_at(const struct kube_watch *watch, unsigned index, struct str *ret_version)
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

static void add_parameter(struct buf *path, const char *name, const char *value)
{
    if (value != NULL) {
        buf_printf(path, "&%s=", name);
        percent_encode(str_from(value), path);
    }
}

static void add_path(const struct kube_watch *watch, struct buf *path)
{
    struct str version = STR_NULL;
    version_at(watch, watch->version, &version);
    buf_printf(path, watch->group[0] != '\0' ? "/apis/%s/" : "/api%s/", watch->group);
    buf_add_str(path, version);
    if (watch->ns != NULL) {
        buf_printf(path, "/namespaces/%s", watch->ns);
    }
    buf_printf(path, "/%s", watch->plural);
}

static void tell_missing(struct kube_watch *watch)
{
    log_at(LOG_INFO, "kube", "the API server has no such kind", KV_TEXT("kind", watch->plural),
           KV_TEXT("group", watch->group));
    watch->missing = true;
    watch->synced = true;
    (void)(tell_removed(watch, true) && tell(watch, watch->events.missing) &&
           tell(watch, watch->events.batch));
}

static void on_vouched(void *user, const struct kube_result *result)
{
    struct kube_watch *watch = user;
    watch->call = NULL;
    step_in(watch, KUBE_MISSING_MS);
    if (result->status == 200 || result->status == 403) {
        tell_missing(watch);
    } else {
        log_trouble(watch, "whoever says that there is no such kind is no API server",
                    result->reason, result->message);
    }
}

/* No version answers. An API server that starts may say so for a moment; and what knows nothing at
 * all, not even the path that every API server has, is none but something in front of it (a
 * balancer without a backend): that is an outage, which takes nothing away. */
static void no_such_kind(struct kube_watch *watch)
{
    watch->version = 0;
    forget_place(watch);
    if (watch->missing || (watch->synced && ++watch->absent < MISSING_CONFIRMED)) {
        step_in(watch, KUBE_MISSING_MS);
        return;
    }
    watch->call =
        kube_send(watch->kube,
                  &(struct kube_spec){
                      .method = "GET", .path = STR("/version"), .user = watch, .done = on_vouched});
}

static void list_failed(struct kube_watch *watch, const struct kube_result *result)
{
    struct str version;
    if (result->status == 404) {
        watch->version++;
        if (version_at(watch, watch->version, &version)) {
            forget_place(watch);
            step_in(watch, 0);
        } else {
            no_such_kind(watch);
        }
        return;
    }
    log_trouble(watch, "cannot list", result->reason, result->message);
    if (result->status == 410 || result->status == 400) {
        forget_place(watch); /* the token for the next page is too old: begin again */
    }
    if (str_eq(result->reason, STR(KUBE_TOO_LARGE)) && watch->page > 1) {
        watch->page /= 2;
    }
    step_later(watch, result->retry_after_ms);
}

/* All pages were read. False: stopped. */
static bool list_complete(struct kube_watch *watch, const struct kube_page *page)
{
    set_text(&watch->place, page->version);
    set_text(&watch->next, STR_NULL);
    watch->listing = false;
    if (!watch->unread && !tell_removed(watch, false)) {
        return false;
    }
    if (!watch->synced || watch->missing) {
        log_at(LOG_INFO, "kube", "listed", KV_TEXT("kind", watch->plural),
               KV_TEXT("version", watch->version_name), KV_INT("objects", watch->known.names.len));
    }
    watch->synced = true;
    watch->missing = false;
    return tell(watch, watch->events.synced);
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
            log_trouble(watch, "cannot read an object", STR_NULL, str_from(err.text));
            watch->unread = true; /* which one? so none is taken to be gone */
        } else if (!tell_put(watch, &object)) {
            return false;
        }
    }
    return true;
}

static void take_page(struct kube_watch *watch, const struct kube_page *page)
{
    struct str version = STR_NULL;
    version_at(watch, watch->version, &version);
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
    set_text(&watch->next, page->next);
    if (page->next.len == 0 && !list_complete(watch, page)) {
        return;
    }
    backoff_reset(&watch->backoff);
    step_in(watch, 0);
    tell(watch, watch->events.batch);
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
        log_trouble(watch, "cannot read a list", STR_NULL, str_from(err.text));
        forget_place(watch);
        step_later(watch, 0);
    }
    arena_release(&arena);
}

/* No resourceVersion: what is there now, not what some cache may have. */
static void send_list(struct kube_watch *watch)
{
    struct buf path;
    buf_init(&path, BUF_UNLIMITED);
    add_path(watch, &path);
    buf_printf(&path, "?limit=%u", watch->page);
    add_parameter(&path, "continue", watch->next);
    add_parameter(&path, "fieldSelector", watch->field_selector);
    add_parameter(&path, "labelSelector", watch->label_selector);
    metric_add(M_kube_lists, watch->next == NULL ? 1 : 0);
    watch->call = kube_send(watch->kube, &(struct kube_spec){
                                             .method = "GET",
                                             .path = buf_str(&path),
                                             .user = watch,
                                             .done = on_page,
                                         });
    buf_release(&path);
}

/* --- watches --- */

/* The stream makes no sense, or says that it cannot go on: list again. */
static bool break_off(struct kube_watch *watch, struct str reason, struct str why,
                      unsigned at_least_ms)
{
    log_trouble(watch, "the watch broke off", reason, why);
    forget_place(watch);
    kube_cancel(watch->call);
    watch->call = NULL;
    step_later(watch, at_least_ms);
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
    set_text(&watch->place, object->version);
    if (event->type == KUBE_PUT) {
        return tell_put(watch, object);
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
    return tell(watch, watch->events.batch) && good;
}

static void watch_refused(struct kube_watch *watch, const struct kube_result *result)
{
    bool gone = result->status == 410 || result->status == 404;
    watch->refusals = result->status != 0 ? watch->refusals + 1 : 0;
    bool stuck = watch->refusals >= WATCH_REFUSALS_MAX;
    log_trouble(watch, "the watch ended", result->reason, result->message);
    if (gone || stuck) {
        watch->refusals = 0;
        forget_place(watch);
    }
    step_later(watch, result->retry_after_ms);
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
        step_in(watch, 0);
    } else {
        step_later(watch, 0);
    }
}

static void send_watch(struct kube_watch *watch)
{
    struct buf path;
    buf_init(&path, BUF_UNLIMITED);
    add_path(watch, &path);
    buf_printf(&path, "?watch=true&allowWatchBookmarks=true&timeoutSeconds=%u",
               backoff_jitter(WATCH_S));
    add_parameter(&path, "resourceVersion", watch->place);
    add_parameter(&path, "fieldSelector", watch->field_selector);
    add_parameter(&path, "labelSelector", watch->label_selector);
    metric_add(M_kube_watches, 1);
    buf_clear(&watch->line);
    watch->heard = false;
    watch->watched_ms = loop_now_ms(kube_loop(watch->kube));
    watch->call = kube_send(watch->kube, &(struct kube_spec){
                                             .method = "GET",
                                             .path = buf_str(&path),
                                             .user = watch,
                                             .data = on_piece,
                                             .idle_ms = WATCH_IDLE_MS,
                                             .done = on_watch_end,
                                         });
    buf_release(&path);
}

static void step(struct kube_watch *watch)
{
    if (watch->place != NULL) {
        send_watch(watch);
    } else {
        send_list(watch);
    }
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
    set_text(&watch->ns, str_from(config->ns));
    set_text(&watch->field_selector, str_from(config->field_selector));
    set_text(&watch->label_selector, str_from(config->label_selector));
    watch->backoff = (struct backoff){KUBE_BACKOFF_MS, KUBE_BACKOFF_MAX_MS, 0};
    arena_init(&watch->arena);
    buf_init(&watch->line, WATCH_LINE_MAX);
    uv_timer_init(&kube_loop(config->kube)->uv, &watch->timer);
    watch->timer.data = watch;
    step_in(watch, 0);
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
