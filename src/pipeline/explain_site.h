/* SPDX-License-Identifier: Apache-2.0 */
/* explain_site: what is asked for at a Gateway, and where; which listener has it. */
#ifndef HEDDLE_PIPELINE_EXPLAIN_SITE_H
#define HEDDLE_PIPELINE_EXPLAIN_SITE_H

#include "pipeline/explain_internal.h"

struct site {
    struct telling *telling;
    const struct question *question;
    const struct ir_gateway *gateway;
    struct arena *arena;
    struct str key;  /* of the Gateway */
    struct str host; /* of a request: its Host, without a port */
    bool udp;
    bool spoken; /* the protocol of the question is that of the port */
};

const char *site_protocol(const struct ir_listener *listener); /* "HTTPS" */
bool site_speaks_tls(const struct ir_listener *listener);
/* Any listener of the port that is served; NULL: there is none. They agree on whether they speak
 * TLS, HTTP, TCP or UDP (resolve/listener_conflicts.c). */
const struct ir_listener *site_first(const struct site *site);
/* What tells the listeners of such a port apart: server name, Host, nothing. */
struct str site_name(const struct site *site, const struct ir_listener *first);
/* "Exact, then the longest wildcard, then any" (Listener.hostname); NULL: nobody has it. */
const struct ir_listener *site_choose(const struct site *site, struct str name);
/* Member `listeners`, in the order in which they are looked at; those of other ports where the port
 * has none. */
void site_tell_listeners(const struct site *site, struct str name,
                         const struct ir_listener *winner);

#endif
