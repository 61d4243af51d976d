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
        struct str reason = resolved->message;
        backend->cluster = sender->gateway != NULL
                               ? upstream_choose(arena, sender, resolved, &reason)
                               : arena_str(arena, resolved->cluster);
        backend->reason = backend->cluster.len == 0 ? arena_str(arena, reason) : STR_NULL;
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
