/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key: the texts by which IR rows are known: "ns/svc:port" and "ns/svc:port@client-ns".
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
    struct str port_key; /* without "@client-ns" */
    int32_t port;
    struct str client_ns; /* empty: all clients */
};

struct str port_key_make(struct arena *arena, struct str ns, struct str service, int32_t port,
                         struct str client_ns);
/* The parts point into key. Panics on a malformed key: keys are made by port_key_make(). */
struct port_key port_key_parse(struct str key);

#endif
