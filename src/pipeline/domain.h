/* SPDX-License-Identifier: Apache-2.0 */
/* domain: by which hostname a rule stands in a domain of a Gateway. */
#ifndef HEDDLE_PIPELINE_DOMAIN_H
#define HEDDLE_PIPELINE_DOMAIN_H

#include "engine/engine.h"
#include "ir/ir.h"

/* The most specific hostname of the rule's route that covers the domain, which decides where the
 * rule stands among others (resolve/gateway_routing.c); "*": the route has none. Of a Service's
 * routing empty. */
struct str domain_hostname(const struct engine *engine, const struct ir_routing *routing,
                           struct str rule);

#endif
