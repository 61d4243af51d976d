/* SPDX-License-Identifier: Apache-2.0 */
/* status: see status.h; rejections by resource. */
#include "resolve/status.h"

#include "ir/client.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "resolve/resolve.h"

#define PORT_GROUP "clusters"
#define MESSAGE_PARTS_MAX 8 /* of a message that lists several faults; the rest is counted */

void faults_add(struct faults *faults, struct str what)
{
    if (faults->len++ < MESSAGE_PARTS_MAX) {
        faults->text = arena_printf(faults->arena, "%.*s%s%.*s", STR_FMT(faults->text),
                                    faults->len > 1 ? "; " : "", STR_FMT(what));
    }
}

struct str faults_text(const struct faults *faults)
{
    if (faults->len <= MESSAGE_PARTS_MAX) {
        return faults->text;
    }
    return arena_printf(faults->arena, "%.*s; and %zu more", STR_FMT(faults->text),
                        faults->len - MESSAGE_PARTS_MAX);
}

void resolve_rejections(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct rejection_row *rejection = (const struct rejection_row *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    (void)key;
    struct str consumers = str_sub(rejection->scope, str_index(rejection->scope, '@'), SIZE_MAX);
    bool place = str_index(consumers, '/') < consumers.len; /* endpoints: no route's business */
    group_emit(emit, arena_printf(&scratch, "%s|%.*s%.*s",
                                  xds_type_info((enum xds_type)rejection->type)->name,
                                  STR_FMT(rejection->name), STR_FMT(place ? STR("") : consumers)));
    if (rejection->type == XDS_CDS) {
        group_emit(emit, arena_printf(&scratch, PORT_GROUP "|%.*s",
                                      STR_FMT(upstream_name_parse(rejection->name).port)));
    }
    arena_release(&scratch);
}

static bool is_rejected(struct eval *ev, struct arena *arena, enum xds_type type, struct str group,
                        struct str scope, struct str *ret_message)
{
    const char *type_name = xds_type_info(type)->name;
    struct row_span rejections = eval_group(ev, X_REJECTIONS, group);
    const struct rejection_row *first = NULL;
    uint64_t clients = 0;
    for (size_t i = 0; i < rejections.len; i++) {
        const struct rejection_row *rejection = (const struct rejection_row *)rejections.rows[i];
        if (scope.len == 0 || str_eq(rejection->scope, scope)) {
            first = first != NULL ? first : rejection;
            clients += rejection->clients;
        }
    }
    if (first == NULL) {
        return false;
    }
    struct str others = clients == 1 ? STR_NULL
                                     : arena_printf(eval_scratch(ev), " and %llu more",
                                                    (unsigned long long)clients - 1);
    *ret_message = arena_printf(arena, "%s '%.*s' is rejected by '%.*s'%.*s: %.*s", type_name,
                                STR_FMT(first->name), STR_FMT(first->node), STR_FMT(others),
                                STR_FMT(first->text));
    return true;
}

bool status_rejected_in(struct eval *ev, struct arena *arena, enum xds_type type, struct str key,
                        struct str scope, struct str *ret_message)
{
    struct str group =
        arena_printf(eval_scratch(ev), "%s|%.*s", xds_type_info(type)->name, STR_FMT(key));
    return is_rejected(ev, arena, type, group, scope, ret_message);
}

bool status_rejected_port(struct eval *ev, struct arena *arena, struct str port, struct str scope,
                          struct str *ret_message)
{
    struct str group = arena_printf(eval_scratch(ev), PORT_GROUP "|%.*s", STR_FMT(port));
    return is_rejected(ev, arena, XDS_CDS, group, scope, ret_message);
}

bool status_rejected(struct eval *ev, struct arena *arena, enum xds_type type, struct str key,
                     struct str *ret_message)
{
    return status_rejected_in(ev, arena, type, key, STR_NULL, ret_message);
}
