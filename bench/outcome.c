/* SPDX-License-Identifier: Apache-2.0 */
/* outcome: what did a number of changes do to the clients and to heddle? */
#include "outcome.h"

#include <inttypes.h>

void range_add(struct range *range, uint64_t value)
{
    range->min = range->n == 0 || value < range->min ? value : range->min;
    range->max = range->n == 0 || value > range->max ? value : range->max;
    range->sum += value;
    range->n++;
}

void outcome_add_stream(struct outcome *outcome, const struct stream *stream, bool concerned,
                        enum kind kind, uint64_t event_ns)
{
    struct class_outcome *class = &outcome->classes[stream->class];
    const struct tally *tally = &stream->tally;

    class->repeats += tally->repeats;
    class->unasked += tally->unasked;
    class->removed += tally->removed;
    if (!concerned) {
        class->stranger_messages += stream_messages(stream);
        class->stranger_bytes += tally->bytes;
        return;
    }
    range_add(&class->messages, stream_messages(stream));
    range_add(&class->resources, tally->news + tally->repeats);
    range_add(&class->payload, tally->payload);
    range_add(&class->bytes, tally->bytes);
    if (tally->arrived_ns[kind] > event_ns) {
        samples_add(&class->latency, tally->arrived_ns[kind] - event_ns);
    }
}

void outcome_add_figures(struct outcome *outcome, const struct figures *before,
                         const struct figures *after)
{
    range_add(&outcome->evaluations, after->evaluations - before->evaluations);
    range_add(&outcome->turns, after->turns - before->turns);
    range_add(&outcome->turn_us, (after->turn_ns - before->turn_ns) / 1000);
    range_add(&outcome->cpu_us, (after->cpu_ns - before->cpu_ns) / 1000);
    outcome->last = *after;
}

static void write_range(FILE *out, const char *name, const struct range *range)
{
    fprintf(out, ", \"%s\": {\"min\": %" PRIu64 ", \"mean\": %.1f, \"max\": %" PRIu64 "}", name,
            range->min, range->n > 0 ? (double)range->sum / (double)range->n : 0, range->max);
}

static void write_samples(FILE *out, const char *name, struct samples *samples)
{
    fprintf(out,
            ", \"%s\": {\"samples\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}",
            name, samples->ns.len, samples_ms(samples, 50), samples_ms(samples, 99),
            samples_ms(samples, 100));
}

static void write_class(FILE *out, struct class_outcome *class)
{
    fprintf(out,
            "{\"streams\": %u, \"repeats\": %" PRIu64 ", \"unasked\": %" PRIu64
            ", \"removed\": %" PRIu64 ", \"stranger_messages\": %" PRIu64
            ", \"stranger_bytes\": %" PRIu64,
            class->streams, class->repeats, class->unasked, class->removed,
            class->stranger_messages, class->stranger_bytes);
    fprintf(out, ", \"concerned\": %" PRIu64, class->messages.n);
    write_range(out, "messages", &class->messages);
    write_range(out, "resources", &class->resources);
    write_range(out, "payload", &class->payload);
    write_range(out, "bytes", &class->bytes);
    write_samples(out, "latency", &class->latency);
    fputc('}', out);
}

void outcome_write(struct outcome *outcome, FILE *out)
{
    write_range(out, "evaluations", &outcome->evaluations);
    write_range(out, "turns", &outcome->turns);
    write_range(out, "turn_us", &outcome->turn_us);
    write_range(out, "cpu_us", &outcome->cpu_us);
    write_range(out, "client_us", &outcome->client_us);
    write_samples(out, "floor", &outcome->floor);
    fprintf(out, ", \"rss_kib\": %" PRIu64 ", \"peak_kib\": %" PRIu64, outcome->last.rss_kib,
            outcome->last.peak_kib);
    fputs(", \"classes\": {", out);
    for (unsigned i = 0, written = 0; i < CLASS_COUNT; i++) {
        if (outcome->classes[i].streams > 0) {
            fprintf(out, "%s\"%s\": ", written++ > 0 ? ", " : "", class_names[i]);
            write_class(out, &outcome->classes[i]);
        }
    }
    fputc('}', out);
}

void outcome_release(struct outcome *outcome)
{
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        samples_release(&outcome->classes[i].latency);
    }
    samples_release(&outcome->floor);
}
