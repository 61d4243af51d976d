/* SPDX-License-Identifier: Apache-2.0 */
/* domain: see domain.h. */
#include "pipeline/domain.h"

#include "ir/attachment.h"
#include "ir/graph.h"
#include "model/hostname.h"
#include "resolve/key.h"

struct str domain_hostname(const struct engine *engine, const struct ir_routing *routing,
                           struct str rule)
{
    struct str best = STR_NULL;
    const struct attachment *attachment =
        routing->domain.len > 0 ? (const struct attachment *)engine_get(engine, T_ATTACHMENT,
                                                                        rule_key_parse(rule).route)
                                : NULL;
    for (size_t i = 0; attachment != NULL && i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        for (size_t j = 0; j < parent->listeners.len; j++) {
            const struct attached_listener *listener = &parent->listeners.items[j];
            for (size_t k = 0; k < listener->hosts.len; k++) {
                struct str hostname = listener->hosts.items[k].hostname;
                if (str_eq(listener->key, routing->listener) &&
                    hostname_covers(hostname, routing->domain) &&
                    (best.len == 0 || hostname_cmp(hostname, best) < 0)) {
                    best = hostname;
                }
            }
        }
    }
    return best;
}
