/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report: saying in the log what became wrong and what was mended, each once. For the source
 * folder only. Logs.
 */
#ifndef HEDDLE_SOURCE_REPORT_H
#define HEDDLE_SOURCE_REPORT_H

#include <stdbool.h>

#include "base/map.h"
#include "source/file_set.h"

/* What was said: the keys are malloc'ed and are their own values. */
struct report {
    struct map problems; /* present problems: code, file, path and text */
    struct map files;    /* files that have an error */
    struct map kinds;    /* kinds that are not served, since the start */
};

void report_release(struct report *report);
/* Compares with the last time. Returns whether anything changed. */
bool report_update(struct report *report, const struct file_set *set);

#endif
