/* SPDX-License-Identifier: Apache-2.0 */
/* metric: the values behind metric.def and their Prometheus text. */
#include "base/metric.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/panic.h"

static const struct metric_info infos[METRIC_COUNT] = {
#define METRIC(id, type, name, labels, help) [M_##id] = {(type), (name), (labels), (help)},
#include "base/metric.def"
#undef METRIC
};

static _Atomic int64_t values[METRIC_COUNT];

const struct metric_info *metric_info(enum metric_id id)
{
    ASSERT((unsigned)id < METRIC_COUNT);
    return &infos[id];
}

void metric_add(enum metric_id id, int64_t delta)
{
    ASSERT((unsigned)id < METRIC_COUNT);
    atomic_fetch_add_explicit(&values[id], delta, memory_order_relaxed);
}

void metric_set(enum metric_id id, int64_t value)
{
    ASSERT((unsigned)id < METRIC_COUNT);
    atomic_store_explicit(&values[id], value, memory_order_relaxed);
}

int64_t metric_get(enum metric_id id)
{
    ASSERT((unsigned)id < METRIC_COUNT);
    return atomic_load_explicit(&values[id], memory_order_relaxed);
}

/* HELP lines escape the backslash and the line feed, and nothing else. */
static void add_help(struct buf *out, const struct metric_info *info)
{
    buf_printf(out, "# HELP %s ", info->name);
    for (const char *c = info->help; *c != '\0'; c++) {
        if (*c == '\\') {
            buf_add_text(out, "\\\\");
        } else if (*c == '\n') {
            buf_add_text(out, "\\n");
        } else {
            buf_add_byte(out, (uint8_t)*c);
        }
    }
    buf_printf(out, "\n# TYPE %s %s\n", info->name,
               info->type == METRIC_COUNTER ? "counter" : "gauge");
}

static bool is_agents(const struct metric_info *info)
{
    return strncmp(info->name, METRIC_AGENT_PREFIX, sizeof(METRIC_AGENT_PREFIX) - 1) == 0;
}

static void render(bool agent, struct buf *out)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const struct metric_info *info = &infos[i];
        if (is_agents(info) != agent) {
            continue;
        }
        if (i == 0 || strcmp(info->name, infos[i - 1].name) != 0) {
            add_help(out, info);
        }
        if (info->labels[0] != '\0') {
            buf_printf(out, "%s{%s} %" PRId64 "\n", info->name, info->labels, metric_get(i));
        } else {
            buf_printf(out, "%s %" PRId64 "\n", info->name, metric_get(i));
        }
    }
}

void metric_render(struct buf *out)
{
    render(false, out);
}

void metric_render_agent(struct buf *out)
{
    render(true, out);
}
