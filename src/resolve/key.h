/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key: the texts by which IR rows are known: "ns/svc:port" and, for some clients only,
 * "ns/svc:port@client-ns" or, of endpoints, "ns/svc:port@zone/ZONE" and "ns/svc:port@node/NODE".
 * A Service may have one number for TCP and for UDP; the second is "ns/svc:port/udp".
 * The names that clients dial are taken apart here, too.
 * Names of Kubernetes objects hold neither '/' nor ':' nor '@', so the parts can be told apart.
 */
#ifndef HEDDLE_RESOLVE_KEY_H
#define HEDDLE_RESOLVE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct port_key {
    struct str ns;
    struct str service;
    struct str object;   /* "ns/svc" */
    struct str port_key; /* without "@…" */
    int32_t port;
    bool udp;
    struct str client_ns; /* what follows '@'; empty: all clients */
};

struct str port_key_make(struct arena *arena, struct str ns, struct str service, int32_t port,
                         struct str client_ns);
struct str udp_port_key_make(struct arena *arena, struct str ns, struct str service, int32_t port);
/* The parts point into key. Panics on a malformed key: keys are made by port_key_make(). */
struct port_key port_key_parse(struct str key);

/* "HTTPRoute/ns/name/0": what ir_route and ir_l4_route call the rule they come from. */
struct rule_key {
    struct str route; /* key of T_ROUTE */
    size_t number;    /* from 0 */
};
/* The part points into key. Panics on a malformed key: keys are made in routing.c and l4.c. */
struct rule_key rule_key_parse(struct str key);

/* "svc.ns", "svc.ns.svc" or "svc.ns.svc.<domain>"; the parts point into host. */
bool service_host_parse(struct str host, struct str domain, struct str *ret_service,
                        struct str *ret_ns);

#endif
