/* SPDX-License-Identifier: Apache-2.0 */
/* steps: what is done to heddle, and what is measured while it is done? */
#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "bench.h"
#include "outcome.h"

#define WEIGHT_MAX 99
#define RECONNECT_QUIET_MS 200

enum event { EVENT_ROUTE, EVENT_ENDPOINT, EVENT_REWRITE };

/* One change, and which streams it concerns. */
struct change {
    struct bench *bench;
    enum event event;
    unsigned index;
    enum kind kind; /* of the resource that it alters */
    uint64_t at_ns;
};

unsigned bench_nth_service(const struct bench *bench, unsigned n)
{
    return (unsigned)((uint64_t)n * 7919 % bench->mesh.services);
}

static void begin_step(struct bench *bench, const char *name)
{
    fprintf(bench->out, "%s\n  {\"step\": \"%s\"", bench->first_step ? "" : ",", name);
    bench->first_step = false;
}

static void end_step(struct bench *bench)
{
    fputc('}', bench->out);
    fflush(bench->out);
}

/* --- waiting --------------------------------------------------------------------------------- */

#define SETTLE_MS 100
#define SETTLED_US 3000 /* of CPU within SETTLE_MS; reading /metrics takes most of it */
#define SETTLE_TRIES 600

bool step_settle(struct bench *bench, struct err *err)
{
    struct figures before, after;
    bool ok = target_read(&bench->target, &after, err);

    for (unsigned i = 0; ok && i < SETTLE_TRIES; i++) {
        before = after;
        ok = swarm_quiet(&bench->swarm, SETTLE_MS, err) && target_read(&bench->target, &after, err);
        if (ok && after.pending == 0 && (after.cpu_ns - before.cpu_ns) / 1000 < SETTLED_US) {
            begin_step(bench, "settle");
            fprintf(bench->out, ", \"waited_ms\": %u", (i + 1) * SETTLE_MS);
            end_step(bench);
            return true;
        }
    }
    return ok && err_set(err, "heddle does not come to rest");
}

/* --- changes --------------------------------------------------------------------------------- */

static bool concerned(const struct change *change, const struct stream *stream)
{
    const struct bench *bench = change->bench;
    unsigned target = bench->targets[stream - bench->swarm.streams];

    if (change->event == EVENT_REWRITE) {
        return false;
    }
    if (stream->class != CLASS_GRPC) {
        return true;
    }
    return change->event == EVENT_ROUTE
               ? mesh_target_has_route(&bench->mesh, target, change->index)
               : mesh_target_has_endpoints(&bench->mesh, target, change->index);
}

static bool has_news(const struct stream *stream, void *user)
{
    const struct change *change = user;

    return stream->tally.arrived_ns[change->kind] > change->at_ns || !concerned(change, stream);
}

static bool make_change(struct change *change, struct err *err)
{
    struct bench *bench = change->bench;
    unsigned *weight = &bench->weights[change->index];

    switch (change->event) {
    case EVENT_ROUTE:
        *weight = *weight % WEIGHT_MAX + 1;
        return mesh_change_route(&bench->mesh, change->index, *weight, &change->at_ns, err);
    case EVENT_REWRITE:
        return mesh_change_route(&bench->mesh, change->index, *weight, &change->at_ns, err);
    case EVENT_ENDPOINT:
        return mesh_change_endpoint(&bench->mesh, change->index, ++bench->variant, &change->at_ns,
                                    err);
    }
    return false;
}

static void count_streams(const struct bench *bench, struct outcome *outcome)
{
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        outcome->classes[i].streams = bench->nclass[i];
    }
}

/* A round of the floor with as many sockets as there are clients and the bytes that the change
 * took, so that both meet the same noise. */
static bool measure_floor(const struct change *change, struct outcome *outcome, struct err *err)
{
    const struct swarm *swarm = &change->bench->swarm;
    uint64_t bytes = 0, n = 0;

    if (change->bench->floor == NULL) {
        return true;
    }
    for (unsigned i = 0; i < swarm->nstreams; i++) {
        if (concerned(change, &swarm->streams[i])) {
            bytes += swarm->streams[i].tally.bytes;
            n++;
        }
    }
    return n == 0 || floor_round(change->bench->floor, bytes / n, &outcome->floor, err);
}

static uint64_t own_cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool run_change(struct change *change, struct outcome *outcome, struct err *err)
{
    struct bench *bench = change->bench;
    struct figures before, after;

    swarm_reset_tallies(&bench->swarm);
    if (!target_read(&bench->target, &before, err)) {
        return false;
    }
    uint64_t client_ns = own_cpu_ns();
    if (!make_change(change, err) ||
        !swarm_until(&bench->swarm, has_news, change, bench->limit_ms, err) ||
        !swarm_quiet(&bench->swarm, bench->quiet_ms, err)) {
        return false;
    }
    range_add(&outcome->client_us, (own_cpu_ns() - client_ns) / 1000);
    if (!target_read(&bench->target, &after, err)) {
        return false;
    }
    outcome_add_figures(outcome, &before, &after);
    for (unsigned i = 0; i < bench->swarm.nstreams; i++) {
        const struct stream *stream = &bench->swarm.streams[i];
        outcome_add_stream(outcome, stream, concerned(change, stream), change->kind, change->at_ns);
    }
    return measure_floor(change, outcome, err);
}

static bool run_changes(struct bench *bench, enum event event, unsigned changes,
                        struct outcome *outcome, struct err *err)
{
    for (unsigned i = 0; i < changes; i++) {
        struct change change = {.bench = bench,
                                .event = event,
                                .index = bench_nth_service(bench, i) % bench->mesh.routes,
                                .kind = KIND_RDS};
        if (event == EVENT_ENDPOINT) { /* of a backend that the proxyless clients use */
            change.index = (change.index + 1) % bench->mesh.services;
            change.kind = KIND_EDS;
        }
        if (!run_change(&change, outcome, err)) {
            return err_prefix(err, "change %u", i + 1);
        }
    }
    return true;
}

static bool step_changes(struct bench *bench, const char *name, enum event event, unsigned changes,
                         struct err *err)
{
    struct outcome outcome = {0};

    count_streams(bench, &outcome);
    bool ok = run_changes(bench, event, changes, &outcome, err);
    if (ok) {
        begin_step(bench, name);
        fprintf(bench->out, ", \"changes\": %u", changes);
        outcome_write(&outcome, bench->out);
        end_step(bench);
    }
    outcome_release(&outcome);
    return ok;
}

bool step_route(struct bench *bench, unsigned changes, struct err *err)
{
    return step_changes(bench, "route", EVENT_ROUTE, changes, err);
}

bool step_endpoint(struct bench *bench, unsigned changes, struct err *err)
{
    return step_changes(bench, "endpoint", EVENT_ENDPOINT, changes, err);
}

bool step_rewrite(struct bench *bench, unsigned changes, struct err *err)
{
    return step_changes(bench, "rewrite", EVENT_REWRITE, changes, err);
}

/* --- connecting ------------------------------------------------------------------------------ */

/* How the cold start of one client is noticed: when it has all, and when that was. */
struct start {
    const struct bench *bench;
    uint64_t *done_ns; /* per stream; 0: not yet */
};

static bool has_all(const struct stream *stream, void *user)
{
    const struct start *start = user;
    const struct bench *bench = start->bench;
    uint64_t *done_ns = &start->done_ns[stream - bench->swarm.streams];
    unsigned least = stream->class == CLASS_GRPC ? 1 : bench->mesh.services;

    if (*done_ns == 0 && stream_complete(stream)) {
        bool enough = true;
        for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
            enough = enough && stream->subs[kind].have >= least;
        }
        *done_ns = enough ? stream->now_ns : 0;
    }
    return *done_ns != 0;
}

static bool connect_all(struct bench *bench, struct err *err)
{
    for (unsigned i = 0; i < bench->swarm.nstreams; i++) {
        if (!swarm_connect(&bench->swarm, &bench->swarm.streams[i], err)) {
            return err_prefix(err, "client %u", i);
        }
    }
    return true;
}

static void write_resources(struct bench *bench)
{
    uint64_t messages = 0, bytes = 0;

    for (unsigned i = 0; i < bench->swarm.nstreams; i++) {
        messages += stream_messages(&bench->swarm.streams[i]);
        bytes += bench->swarm.streams[i].tally.bytes;
    }
    fprintf(bench->out, ", \"messages\": %" PRIu64 ", \"bytes\": %" PRIu64, messages, bytes);
    const struct stream *stream = &bench->swarm.streams[0];
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        fprintf(bench->out, ", \"%s\": %u", kind_names[kind], stream->subs[kind].have);
    }
}

static void write_figures(struct bench *bench, const struct figures *before,
                          const struct figures *after)
{
    fprintf(bench->out, ", \"evaluations\": %" PRIu64 ", \"cpu_ms\": %.1f",
            after->evaluations - before->evaluations,
            (double)(after->cpu_ns - before->cpu_ns) / 1e6);
    fprintf(bench->out,
            ", \"rss_before_kib\": %" PRIu64 ", \"rss_kib\": %" PRIu64 ", \"peak_kib\": %" PRIu64,
            before->rss_kib, after->rss_kib, after->peak_kib);
}

bool step_cold(struct bench *bench, struct err *err)
{
    struct figures before, after;
    struct samples samples = {0};
    struct start start = {bench, xcalloc(bench->swarm.nstreams, sizeof(uint64_t))};
    bool ok = target_read(&bench->target, &before, err);
    uint64_t begin_ns = clock_mono_ns();

    ok = ok && connect_all(bench, err) &&
         swarm_until(&bench->swarm, has_all, &start, bench->limit_ms, err) &&
         swarm_quiet(&bench->swarm, bench->quiet_ms, err) &&
         target_read(&bench->target, &after, err);
    if (ok) {
        for (unsigned i = 0; i < bench->swarm.nstreams; i++) {
            samples_add(&samples, start.done_ns[i] - begin_ns);
        }
        begin_step(bench, "cold");
        fprintf(bench->out, ", \"all_ms\": %.1f, \"p50_ms\": %.1f", samples_ms(&samples, 100),
                samples_ms(&samples, 50));
        write_resources(bench);
        write_figures(bench, &before, &after);
        end_step(bench);
    }
    samples_release(&samples);
    free(start.done_ns);
    return ok;
}

/* A delta client tells its versions and is owed no answer; all others are sent everything. */
static bool is_back(const struct stream *stream, void *user)
{
    (void)user;
    return stream->class == CLASS_DELTA || stream_complete(stream);
}

static bool reconnect_once(struct bench *bench, struct outcome *outcome, struct err *err)
{
    swarm_reset_tallies(&bench->swarm);
    if (!connect_all(bench, err) ||
        !swarm_until(&bench->swarm, is_back, NULL, bench->limit_ms, err) ||
        !swarm_quiet(&bench->swarm, RECONNECT_QUIET_MS, err)) {
        return false;
    }
    for (unsigned i = 0; i < bench->swarm.nstreams; i++) {
        outcome_add_stream(outcome, &bench->swarm.streams[i], true, KIND_RDS, UINT64_MAX);
    }
    return true;
}

bool step_reconnect(struct bench *bench, unsigned times, struct err *err)
{
    struct outcome outcome = {0};
    bool ok = true;

    count_streams(bench, &outcome);
    for (unsigned i = 0; ok && i < times; i++) {
        ok = reconnect_once(bench, &outcome, err);
    }
    ok = ok && target_read(&bench->target, &outcome.last, err);
    if (ok) {
        begin_step(bench, "reconnect");
        outcome_write(&outcome, bench->out);
        end_step(bench);
    }
    outcome_release(&outcome);
    return ok;
}

/* --- a client that never reads --------------------------------------------------------------- */

bool step_slow(struct bench *bench, unsigned changes, struct err *err)
{
    struct swarm *swarm = &bench->swarm;
    struct outcome outcome = {0};
    struct figures before;
    struct stream slow;

    count_streams(bench, &outcome);
    stream_init(&slow, &swarm->catalog, swarm->streams[0].class, swarm->nstreams, STR_NULL);
    bool ok = target_read(&bench->target, &before, err) &&
              stream_connect_blind(&slow, &swarm->server, swarm->server_len, &swarm->streams[0],
                                   changes, err) &&
              run_changes(bench, EVENT_ROUTE, changes, &outcome, err);
    if (ok) {
        begin_step(bench, "slow");
        fprintf(bench->out, ", \"changes\": %u, \"rss_before_kib\": %" PRIu64, changes,
                before.rss_kib);
        outcome_write(&outcome, bench->out);
        end_step(bench);
    }
    stream_free(&slow);
    outcome_release(&outcome);
    return ok;
}
