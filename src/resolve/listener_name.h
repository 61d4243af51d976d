/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener_name: what a proxyless client asks for by the name of a Listener.
 *
 *   svc.ns.svc.<cluster domain>:port                     it dials that (gRFC A27)
 *   grpc/server?xds.resource.listening_address=IP:PORT   it serves there (gRFC A36); the form is
 *                                                        the template of `heddle bootstrap grpc`
 *
 * Which of the two it is shows in the text alone: no Service's name holds a '/'. Both may be the id
 * of a federated name, percent-encoded, with context parameters that mean nothing (gRFC A47); the
 * server's also in the form of the proposal's example:
 *
 *   xdstp://AUTHORITY/envoy.config.listener.v3.Listener/svc.ns.svc.<cluster domain>:port?a=b
 *   xdstp://AUTHORITY/envoy.config.listener.v3.Listener/grpc/server/IP:PORT
 */
#ifndef HEDDLE_RESOLVE_LISTENER_NAME_H
#define HEDDLE_RESOLVE_LISTENER_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct settings_row;

#define AUTHORITY_MAX 255 /* bytes */

enum listener_use {
    LISTENER_DIALLED, /* `host_port` */
    LISTENER_SERVED,  /* `address` and `port` */
    LISTENER_NEITHER  /* `reason`: such a name leads nowhere */
};

struct listener_name {
    enum listener_use use;
    struct str host_port; /* whether there is such a Service is another question */
    struct str address;   /* an IP as the server wrote it: it compares texts */
    int32_t port;         /* 0: the server takes any */
    struct str reason;
};

/* Texts point into name and the arena. */
struct listener_name listener_name_read(struct arena *arena, struct str name,
                                        const struct settings_row *settings);

/* heddle answers for the empty authority, its two domains, and those that --authority names. */
bool authority_is_ours(const struct settings_row *settings, struct str authority);
/* Why it does not, for people. */
struct str authority_why_not(struct arena *arena, const struct settings_row *settings,
                             struct str authority);
/* Whether it can stand in a name as it is (a part of RFC 3986's reg-name, of
 * at most AUTHORITY_MAX). */
bool authority_is_valid(struct str authority);

#endif
