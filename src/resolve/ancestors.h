/* SPDX-License-Identifier: Apache-2.0 */
/* ancestors: the Gateways that send to what a BackendTLSPolicy targets, by way of routes. */
#ifndef HEDDLE_RESOLVE_ANCESTORS_H
#define HEDDLE_RESOLVE_ANCESTORS_H

#include "engine/engine.h"
#include "model/field.h"
#include "model/tls_policy.h"

struct ancestors { /* "ns/name" in the scratch arena; sorted, each once */
    struct str *items;
    size_t len, room;
};

/* Those that send to the ports of the Service "ns/svc" of which a policy may be in force: of the
 * section alone where one is given, and none of UDP unless `datagrams`. Not those that only pass
 * TLS through, for which no policy is. */
void ancestors_add(struct eval *ev, struct str service, struct str section, bool datagrams,
                   struct ancestors *ancestors);
void ancestors_join(struct eval *ev, const struct ancestors *others, struct ancestors *ancestors);
bool ancestors_have(const struct ancestors *ancestors, struct str gateway);

/* Whether an Envoy of the Gateway rejects what is made of the policy: a cluster of a port of the
 * Service that it governs, or whom that trusts. */
bool ancestors_rejected(struct eval *ev, struct arena *arena, struct str service, struct str policy,
                        struct str gateway, struct str *ret_message);

#endif
