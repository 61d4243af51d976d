/* SPDX-License-Identifier: Apache-2.0 */
/* status: looks for a condition of a route or another object. */
#include "status.h"

#include <stdio.h>

#include "ir/attachment.h"
#include "ir/graph.h"

struct search {
    struct str type, status, reason, text;
    bool found;
    struct buf there;
};

static void look(struct search *search, const struct condition *conditions, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const struct condition_info *info = condition_info((enum condition_id)conditions[i].id);
        const char *status = info->status ? "True" : "False";
        buf_printf(&search->there, "\n    %s=%s/%s %.*s", info->type, status, info->reason,
                   STR_FMT(conditions[i].message));
        search->found =
            search->found ||
            (str_eq(search->type, str_from(info->type)) &&
             (search->status.len == 0 || str_eq(search->status, str_from(status))) &&
             (search->reason.len == 0 || str_eq(search->reason, str_from(info->reason))) &&
             str_contains(conditions[i].message, search->text));
    }
}

static const struct status *find_row(const struct mesh *mesh, struct str kind, struct str key)
{
    const struct engine *engine = mesh_engine(mesh);
    struct arena arena;
    arena_init(&arena);
    static const struct {
        const char *kind;
        unsigned table; /* whose keys have no kind in front */
    } others[] = {{"Service", T_SERVICE_STATUS}, {"BackendTLSPolicy", T_TLS_POLICY_STATUS}};
    const struct row *row = NULL;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (str_eq(kind, str_from(others[i].kind))) {
            row = engine_get(engine, others[i].table, key);
        }
    }
    if (row == NULL) {
        row = engine_get(engine, T_STATUS,
                         arena_printf(&arena, "%.*s/%.*s", STR_FMT(kind), STR_FMT(key)));
    }
    arena_release(&arena);
    return (const struct status *)row;
}

bool status_check(const struct mesh *mesh, struct str kind, struct str key, struct str wanted,
                  struct str text, char *why, size_t max)
{
    const struct status *row = find_row(mesh, kind, key);
    struct search search = {.reason = wanted, .text = text};
    search.type = str_cut(&search.reason, '=');
    search.status = str_cut(&search.reason, '/');
    buf_init(&search.there, BUF_UNLIMITED);
    if (row != NULL) {
        look(&search, row->conditions.items, row->conditions.len);
        for (size_t i = 0; i < row->parents.len; i++) {
            look(&search, row->parents.items[i].conditions.items,
                 row->parents.items[i].conditions.len);
        }
    }
    if (!search.found) {
        (void)snprintf(why, max, "%.*s '%.*s' has no such condition, but%.*s", STR_FMT(kind),
                       STR_FMT(key), STR_FMT(buf_str(&search.there)));
    }
    buf_release(&search.there);
    return search.found;
}
