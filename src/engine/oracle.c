/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle: is what was reached step by step the same as what is computed from nothing?
 */
#include <stdlib.h>

#include "base/panic.h"
#include "engine/engine_internal.h"

#define DIFFERENCES_MAX 20 /* told in words; all are counted */

struct report {
    struct buf *out;
    unsigned differences;
};

/* `noun` is "table" or "index". */
static void report_key(struct report *report, const char *noun, const char *name, struct str key,
                       const char *problem)
{
    report->differences++;
    if (report->differences <= DIFFERENCES_MAX) {
        buf_printf(report->out, "%s '%s', key '%.*s': %s\n", noun, name, STR_FMT(key), problem);
    }
}

/* --- rows ------------------------------------------------------------------------------------ */

static void compare_table(const struct table *have, const struct table *want, struct report *report)
{
    size_t nhave, nwant;
    struct slot **a = table_sorted(have, &nhave);
    struct slot **b = table_sorted(want, &nwant);
    const char *name = have->spec->name;
    for (size_t i = 0, j = 0; i < nhave || j < nwant;) {
        int side = i == nhave ? 1 : j == nwant ? -1 : str_cmp(a[i]->key, b[j]->key);
        if (side < 0) {
            report_key(report, "table", name, a[i++]->key, "has a row, a rebuild has none");
        } else if (side > 0) {
            report_key(report, "table", name, b[j++]->key, "has no row, a rebuild has one");
        } else {
            bool equal = have->spec->equal(a[i]->row, b[j]->row);
            if (!equal) {
                report_key(report, "table", name, a[i]->key, "differs from a rebuild");
            }
            i++;
            j++;
        }
    }
    free(a);
    free(b);
}

/* --- groups ---------------------------------------------------------------------------------- */

static bool same_members(const struct group *have, const struct group *want)
{
    if (have->members.len != want->members.len) {
        return false;
    }
    for (size_t i = 0; i < have->members.len; i++) {
        bool current = have->rows.items[i] == have->members.items[i]->row;
        if (!current || !str_eq(have->members.items[i]->key, want->members.items[i]->key)) {
            return false;
        }
    }
    return true;
}

static void compare_index(const struct index *have, const struct index *want, struct report *report)
{
    size_t nhave, nwant;
    struct group **a = index_sorted(have, &nhave);
    struct group **b = index_sorted(want, &nwant);
    const char *name = have->spec->name;
    for (size_t i = 0, j = 0; i < nhave || j < nwant;) {
        int side = i == nhave ? 1 : j == nwant ? -1 : str_cmp(a[i]->key, b[j]->key);
        if (side < 0) {
            report_key(report, "index", name, a[i++]->key, "has members, a rebuild has none");
        } else if (side > 0) {
            report_key(report, "index", name, b[j++]->key, "has no members, a rebuild has some");
        } else {
            if (!same_members(a[i], b[j])) {
                report_key(report, "index", name, a[i]->key,
                           "other members, or in another order, than in a rebuild");
            }
            i++;
            j++;
        }
    }
    free(a);
    free(b);
}

/* --- the record ------------------------------------------------------------------------------ */

/* Every edge must be known at both ends: a lost one is a row that some day will not wake. */
static void check_reads(const struct table *table, struct report *report)
{
    for (size_t i = map_next(&table->slots, 0); i < table->slots.cap;
         i = map_next(&table->slots, i + 1)) {
        const struct slot *slot = table->slots.slots[i].value;
        for (size_t nth = 0; nth < slot->reads.len; nth++) {
            const struct read *read = &slot->reads.items[nth];
            const struct watcher *watcher = &read->cell->watchers.items[read->at];
            bool linked = read->at < read->cell->watchers.len && watcher->reader == slot &&
                          watcher->nth == nth;
            if (!linked) {
                report_key(report, "table", table->spec->name, slot->key, "lost one of its reads");
            }
        }
    }
}

/* --- the check ------------------------------------------------------------------------------- */

/* The rows are shared, not copied. */
static struct engine *rebuild(const struct engine *engine)
{
    struct engine *fresh = engine_new(engine->graph);
    for (unsigned id = 0; id < engine->graph->ntables; id++) {
        if (engine->graph->tables[id].rank > 0) {
            continue;
        }
        size_t len;
        struct slot **slots = table_sorted(&engine->tables[id], &len);
        for (size_t i = 0; i < len; i++) {
            engine_put(fresh, id, slots[i]->key, row_ref(slots[i]->row));
        }
        free(slots);
    }
    engine_run(fresh);
    return fresh;
}

bool engine_check(const struct engine *engine, struct buf *ret_diff)
{
    ASSERT(!engine->running);
    struct engine *fresh = rebuild(engine);
    struct report report = {.out = ret_diff};
    for (unsigned i = 0; i < engine->graph->ntables; i++) {
        compare_table(&engine->tables[i], &fresh->tables[i], &report);
        check_reads(&engine->tables[i], &report);
    }
    for (unsigned i = 0; i < engine->graph->nindexes; i++) {
        compare_index(&engine->indexes[i], &fresh->indexes[i], &report);
    }
    engine_free(fresh);
    if (report.differences > DIFFERENCES_MAX) {
        buf_printf(ret_diff, "… and %u more\n", report.differences - DIFFERENCES_MAX);
    }
    return report.differences == 0;
}
