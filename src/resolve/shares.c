/* SPDX-License-Identifier: Apache-2.0 */
/* shares: see shares.h. */
#include "resolve/shares.h"

#include "resolve/filters.h"
#include "resolve/upstream.h"

static const struct attached_backend *find_backend(const struct attachment *attachment, size_t rule,
                                                   size_t index)
{
    for (size_t i = 0; i < attachment->backends.len; i++) {
        const struct attached_backend *backend = &attachment->backends.items[i];
        if ((size_t)backend->rule == rule && (size_t)backend->index == index) {
            return backend;
        }
    }
    return NULL;
}

struct str share_cluster(struct arena *arena, const struct sender *sender,
                         const struct attached_backend *backend, struct str *ret_reason)
{
    struct str why;
    struct str cluster;
    if (sender->gateway != NULL) {
        cluster = upstream_choose(arena, sender, backend, &why);
    } else {
        bool served = attached_backend_state(backend, false, &why) == C_resolved;
        cluster = served ? arena_str(arena, backend->cluster) : STR_NULL;
    }
    *ret_reason = cluster.len == 0 ? arena_str(arena, why) : STR_NULL;
    return cluster;
}

size_t shares_of_rule(struct arena *arena, const struct sender *sender,
                      const struct attachment *attachment, const struct rule_view *rule,
                      size_t index, struct ir_backend **ret_backends)
{
    struct ir_backend *backends = ARENA_ARRAY(arena, rule->backends_len, struct ir_backend);
    size_t len = 0;
    for (size_t i = 0; i < rule->backends_len; i++) {
        const struct backend_ref *ref = &rule->backends[i];
        const struct attached_backend *resolved = find_backend(attachment, index, i);
        if (ref->weight == 0 || resolved == NULL) {
            continue;
        }
        struct ir_backend *backend = &backends[len++];
        backend->weight = ref->weight;
        backend->cluster = share_cluster(arena, sender, resolved, &backend->reason);
        filters_of_backend(arena, ref, backend);
    }
    *ret_backends = backends;
    return len;
}

size_t shares_of_port(struct arena *arena, struct str cluster, struct ir_backend **ret_backends)
{
    *ret_backends = ARENA_NEW(arena, struct ir_backend);
    (*ret_backends)[0] = (struct ir_backend){.cluster = cluster, .weight = 1};
    return 1;
}
