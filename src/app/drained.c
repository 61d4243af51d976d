/* SPDX-License-Identifier: Apache-2.0 */
/* drained: see drained.h. */
#include "app/drained.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "app/daemon.h"
#include "app/replicas.h"
#include "base/metric.h"
#include "base/panic.h"
#include "ir/graph.h"
#include "pipeline/drain.h"

#define STEP_MS 500     /* how often it is looked whether the time is up, or others to ask */
#define OTHERS_WAIT_S 5 /* that a replica is given; then it is asked again, if it is there */
#define OTHERS_TIMEOUT_MS 8000
#define WHY_MAX 320
#define NAME_MAX_BYTES 253 /* of namespaces, pods and addresses */

struct wait {
    struct list link;
    struct drained *drained;
    struct h1_reply *reply; /* NULL: answered */
    struct drain drain;
    enum drain_state state;
    uint64_t state_since; /* loop time */
    bool looked;
    bool last_is_known; /* the replica that asks has seen for long enough that it is the last */
    watch_id watch;
    bool counted; /* `acks` is of the present watch */
    struct acks acks;
    char behind[WHY_MAX / 2]; /* one of those that lag */
    struct replicas_round *round;
    bool others_done; /* they said that it is drained, or there are none */
    bool others_good; /* so far in this round */
    char others_why[WHY_MAX];
    uint64_t until; /* loop time */
    uv_timer_t step;
};

/* --- the end --------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct wait *wait = handle->data;
    drain_release(&wait->drain);
    free(wait);
}

static void finish(struct wait *wait, unsigned status, const char *text)
{
    struct drained *drained = wait->drained;
    list_remove(&wait->link);
    drained->len--;
    metric_set(M_drains_waiting, (int64_t)drained->len);
    if (!h1_reply_is_lost(wait->reply)) {
        metric_add(status == 200 ? M_drains_drained : M_drains_late, 1);
    }
    serve_acks_cancel(drained->fleet->daemon->serve, wait->watch);
    replicas_cancel(wait->round);
    h1_reply_text(wait->reply, status, text);
    uv_close((uv_handle_t *)&wait->step, on_closed);
}

static void tell_why(const struct wait *wait, char why[WHY_MAX])
{
    static const char *const states[] = {
        [DRAIN_LISTED] = "its EndpointSlices still say that it is ready",
        [DRAIN_LAST] = "nothing else of its Services is ready, so that it is still used",
    };
    if (wait->state != DRAIN_OUT) {
        (void)snprintf(why, WHY_MAX, "%s", states[wait->state]);
    } else if (!fleet_knows_clients(wait->drained->fleet)) {
        (void)snprintf(why, WHY_MAX,
                       "a replica of heddle has just started or ended, clients are "
                       "coming back");
    } else if (wait->acks.acknowledged < wait->acks.streams) {
        (void)snprintf(why, WHY_MAX, "%u of %u clients have acknowledged, %s has not",
                       wait->acks.acknowledged, wait->acks.streams, wait->behind);
    } else {
        (void)snprintf(why, WHY_MAX, "%s", wait->others_why);
    }
}

/* --- here ------------------------------------------------------------------------------------ */

static uint64_t now_of(const struct wait *wait)
{
    return loop_now_ms(&wait->drained->fleet->daemon->loop);
}

static bool stays_last(const struct wait *wait)
{
    return wait->last_is_known || now_of(wait) - wait->state_since >= DRAINED_LAST_MS;
}

static bool is_drained_here(const struct wait *wait)
{
    if (wait->drain.services.len == 0) {
        return true;
    }
    bool none = wait->acks.streams == 0;
    bool all = wait->acks.acknowledged == wait->acks.streams;
    return fleet_knows_clients(wait->drained->fleet) && wait->counted &&
           ((wait->state == DRAIN_OUT && all) ||
            (wait->state == DRAIN_LAST && (none || (stays_last(wait) && all))));
}

static void ask_others(struct wait *wait);

/* The others are asked when it is drained here: mostly they say so at once then, and a large
 * Deployment that restarts does not keep as many connections waiting. */
static void go_on(struct wait *wait)
{
    if (!is_drained_here(wait)) {
        return;
    }
    if (!wait->others_done && wait->round == NULL) {
        ask_others(wait);
    }
    if (wait->others_done) {
        finish(wait, 200, "drained");
    }
}

static void on_acks(void *user, const struct acks *acks)
{
    struct wait *wait = user;
    struct str behind = acks->nbehind > 0 ? acks->behind[0] : STR("one that rejects them");
    wait->counted = true;
    wait->acks = *acks;
    (void)snprintf(wait->behind, sizeof(wait->behind), "'%.*s'", STR_FMT(behind));
    go_on(wait);
}

static void watch(struct wait *wait)
{
    struct serve *serve = wait->drained->fleet->daemon->serve;
    size_t len = wait->drain.ports.len;
    struct acks_name *names = xmalloc(len * sizeof(*names));
    for (size_t i = 0; i < len; i++) {
        names[i] = (struct acks_name){XDS_EDS, wait->drain.ports.items[i]};
    }
    serve_acks_cancel(serve, wait->watch);
    wait->counted = false;
    wait->watch = serve_acks_watch(serve, names, len, on_acks, wait);
    free(names);
}

/* After the changes that it looks at were published. */
static void look(struct wait *wait)
{
    const struct engine *engine = mesh_engine(wait->drained->fleet->daemon->mesh);
    size_t ports = wait->drain.ports.len;
    enum drain_state before = wait->state;
    wait->state = drain_look(&wait->drain, engine);
    if (!wait->looked || wait->state != before) {
        wait->state_since = now_of(wait);
    }
    if (!wait->looked || wait->state != before || wait->drain.ports.len != ports) {
        watch(wait);
    }
    wait->looked = true;
}

/* --- the others ------------------------------------------------------------------------------ */

static void on_other(void *user, struct str address, const struct httpc_result *result)
{
    struct wait *wait = user;
    const struct replicas *replicas = wait->drained->fleet->replicas;
    if (result->status == 200 ||
        (result->status == 0 && !replicas_silence_counts(replicas, address))) {
        return;
    }
    wait->others_good = false;
    if (result->status == 0) {
        (void)snprintf(wait->others_why, sizeof(wait->others_why), "replica '%.*s' does not answer",
                       STR_FMT(address));
    } else {
        struct str why = str_trim(result->body);
        (void)snprintf(wait->others_why, sizeof(wait->others_why), "at replica '%.*s': %.*s",
                       STR_FMT(address), STR_FMT(str_sub(why, 0, WHY_MAX / 2)));
    }
}

static void on_others_done(void *user)
{
    struct wait *wait = user;
    wait->round = NULL;
    wait->others_done = wait->others_good;
    if (wait->others_done) { /* else they are asked again, at the next step */
        go_on(wait);
    }
}

/* A little less than is left: then they still tell who lags. */
static unsigned others_wait_s(const struct wait *wait)
{
    uint64_t now = now_of(wait);
    uint64_t left_s = wait->until > now ? (wait->until - now) / 1000 : 0;
    uint64_t wait_s = left_s > 2 ? left_s - 1 : 1;
    return wait_s < OTHERS_WAIT_S ? (unsigned)wait_s : OTHERS_WAIT_S;
}

static void ask_others(struct wait *wait)
{
    struct replicas *replicas = wait->drained->fleet->replicas;
    const struct drain_pod *pod = &wait->drain.pod;
    struct buf path;
    buf_init(&path, BUF_UNLIMITED);
    buf_printf(&path, "/replica/drained?namespace=%.*s&pod=%.*s&ip=%.*s&wait=%u%s",
               STR_FMT(pod->ns), STR_FMT(pod->name), STR_FMT(pod->address), others_wait_s(wait),
               wait->state == DRAIN_LAST ? "&last=1" : "");
    const struct replicas_question question = {
        .method = "GET",
        .path = buf_str(&path),
        .timeout_ms = OTHERS_TIMEOUT_MS,
        .body_max = 4096,
        .each = on_other,
        .done = on_others_done,
        .user = wait,
    };
    wait->others_good = true;
    wait->round = replicas_ask(replicas, &question);
    wait->others_done = wait->round == NULL;
    buf_release(&path);
}

/* --- time ------------------------------------------------------------------------------------ */

static void on_step(uv_timer_t *timer)
{
    struct wait *wait = timer->data;
    if (h1_reply_is_lost(wait->reply)) {
        finish(wait, 504, "nobody waits");
        return;
    }
    look(wait); /* a Service, or what counts of it, may have changed */
    if (is_drained_here(wait) && wait->others_done) {
        finish(wait, 200, "drained");
    } else if (now_of(wait) >= wait->until) {
        char why[WHY_MAX];
        tell_why(wait, why);
        finish(wait, 504, why);
    } else {
        go_on(wait);
    }
}

/* --- requests -------------------------------------------------------------------------------- */

/* DNS names and addresses: they go into another request as they are. */
static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == ':';
        if (!plain) {
            return false;
        }
    }
    return text.len <= NAME_MAX_BYTES;
}

static bool read_request(struct str query, struct arena *arena, struct drain_pod *ret_pod,
                         uint64_t *ret_wait_s)
{
    struct str wait = admin_query(arena, query, STR("wait"));
    *ret_pod = (struct drain_pod){.ns = admin_query(arena, query, STR("namespace")),
                                  .name = admin_query(arena, query, STR("pod")),
                                  .address = admin_query(arena, query, STR("ip"))};
    *ret_wait_s = DRAINED_WAIT_S;
    if (wait.len > 0 && (!str_to_u64(wait, ret_wait_s) || *ret_wait_s > DRAINED_WAIT_MAX_S)) {
        return false;
    }
    return ret_pod->ns.len > 0 && ret_pod->name.len + ret_pod->address.len > 0 &&
           is_plain(ret_pod->ns) && is_plain(ret_pod->name) && is_plain(ret_pod->address);
}

static struct wait *begin(struct drained *drained, const struct drain_pod *pod, uint64_t wait_s,
                          bool all, struct h1_reply *reply)
{
    struct daemon *daemon = drained->fleet->daemon;
    struct wait *wait = xcalloc(1, sizeof(*wait));
    wait->drained = drained;
    wait->reply = reply;
    wait->others_done = !all;
    wait->until = loop_now_ms(&daemon->loop) + wait_s * 1000;
    (void)snprintf(wait->others_why, sizeof(wait->others_why),
                   "the other replicas have not answered");
    drain_init(&wait->drain, pod);
    drain_find(&wait->drain, mesh_engine(daemon->mesh));
    list_append(&drained->waits, &wait->link);
    metric_set(M_drains_waiting, (int64_t)++drained->len);
    (void)uv_timer_init(&daemon->loop.uv, &wait->step);
    wait->step.data = wait;
    (void)uv_timer_start(&wait->step, on_step, 0, STEP_MS);
    look(wait);
    return wait;
}

void drained_ask(struct drained *drained, const struct h1_request *request, bool all,
                 struct h1_reply *reply)
{
    struct arena scratch;
    struct drain_pod pod;
    uint64_t wait_s;
    arena_init_sized(&scratch, 512);
    if (!drained->fleet->daemon->synced) {
        h1_reply_text(reply, 503, "heddle is not ready");
    } else if (drained->len >= DRAINED_WAITS_MAX) {
        h1_reply_text(reply, 503, "too many wait already; try again");
    } else if (!read_request(request->query, &scratch, &pod, &wait_s)) {
        h1_reply_text(reply, 400,
                      "say which: ?namespace=NS&pod=NAME&ip=ADDR, and wait=SECONDS up "
                      "to 60");
    } else {
        struct wait *wait = begin(drained, &pod, wait_s, all, reply);
        wait->last_is_known =
            !all && str_eq(admin_query(&scratch, request->query, STR("last")), STR("1"));
    }
    arena_release(&scratch);
}

/* --- life ------------------------------------------------------------------------------------ */

void drained_init(struct drained *drained, struct fleet *fleet)
{
    *drained = (struct drained){.fleet = fleet};
    list_init(&drained->waits);
}

/* Many wait while many slices change (a large Deployment restarts): each looks at what concerns it.
 */
void drained_turn(struct drained *drained)
{
    struct row_changes slices = engine_changes(mesh_engine(drained->fleet->daemon->mesh), T_SLICE);
    list_for_each_safe (it, &drained->waits) {
        struct wait *wait = list_entry(it, struct wait, link);
        bool due = false;
        for (size_t i = 0; i < slices.len; i++) {
            const struct row_change *slice = &slices.items[i];
            due |= slice->before != NULL && drain_show(&wait->drain, slice->before);
            due |= slice->after != NULL && drain_show(&wait->drain, slice->after);
        }
        if (due) {
            look(wait);
        }
    }
}

void drained_stop(struct drained *drained)
{
    list_for_each_safe (it, &drained->waits) {
        finish(list_entry(it, struct wait, link), 503, "heddle stops");
    }
}
