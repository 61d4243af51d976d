/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric: every counter and gauge, declared once in metric.def, which is also its documentation
 * (docs/reference.md is generated from it) and its Prometheus HELP text.
 *
 * Values are relaxed atomics: any thread may add, /metrics reads whenever it likes.
 */
#ifndef HEDDLE_BASE_METRIC_H
#define HEDDLE_BASE_METRIC_H

#include <stdint.h>

#include "base/buf.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

enum metric_id {
#define METRIC(id, type, name, labels, help) M_##id,
#include "base/metric.def"
#undef METRIC
    METRIC_COUNT
};

struct metric_info {
    enum metric_type type;
    const char *name;   /* e.g. heddle_xds_responses_total */
    const char *labels; /* fixed label pairs, e.g. type="cds"; "" for none */
    const char *help;
};

const struct metric_info *metric_info(enum metric_id id);
void metric_add(enum metric_id id, int64_t delta);
void metric_set(enum metric_id id, int64_t value);
int64_t metric_get(enum metric_id id);
/* In the Prometheus text format; HELP and TYPE once per name (entries of one name stand together in
 * metric.def). Those of the control plane, and those of an agent, which begin with the prefix. */
void metric_render(struct buf *out);
void metric_render_agent(struct buf *out);
#define METRIC_AGENT_PREFIX "heddle_agent_"

#endif
