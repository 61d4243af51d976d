/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener: the steps in which the listeners of a Gateway are judged (gateway.c).
 *
 *   collect (listener.c) ─► each alone: protocol, port, kinds (listener.c)
 *        ─► against each other (listener_conflicts.c) ─► what it refers to (listener_refs.c)
 *        ─► conditions (listener.c)
 *
 * A step says what it finds in the draft; the first that takes the listener out stands.
 */
#ifndef HEDDLE_RESOLVE_LISTENER_H
#define HEDDLE_RESOLVE_LISTENER_H

#include "engine/engine.h"
#include "ir/gateway.h"

/* Of a Gateway with all its ListenerSets: as many as one Envoy listener has been seen to serve well
 * as filter chains. */
#define LISTENERS_MAX 2048

struct listener_source { /* in whose spec listeners are written */
    const struct meta *meta;
    const char *kind; /* "Gateway", "ListenerSet" */
    struct str set;   /* "ns/name" of the ListenerSet; empty: the Gateway */
    const struct listener *items;
    size_t len;
};

struct draft { /* a listener in the making; texts of the scratch arena */
    const struct listener *spec;
    const struct listener_source *source;
    struct ir_listener *listener; /* in the row */
    struct condition accepted;    /* C_listener_accepted, or why it is out */
    struct condition resolved;    /* C_listener_resolved, or what does not resolve */
    bool overlaps;                /* another one with TLS on its port, by hostname */
};

struct drafts { /* in order: of the Gateway, then by source */
    struct draft *items;
    size_t len;
};

struct judging { /* of one Gateway */
    struct eval *ev;
    const struct gateway *gateway;
    struct ir_gateway *row;
    const struct listener_source *sources; /* the Gateway, then the ListenerSets that it allows */
    size_t nsources;
    bool kubernetes;
    struct drafts drafts;
};

/* listener.c: makes the drafts; all that a listener says by itself. */
void listener_collect(struct judging *judging);
bool listener_is_out(const struct draft *draft);
void listener_put_out(struct draft *draft, enum condition_id why, struct str message);
/* The first reason stands, messages add up. */
void listener_unresolved(struct arena *arena, struct draft *draft, enum condition_id why,
                         struct str message);
/* `served` and the conditions of the row's listeners. */
void listener_conclude(struct judging *judging);

/* Deep, into the arena. */
struct label_selector *listener_copy_selector(struct arena *arena,
                                              const struct label_selector *from);

/* listener_conflicts.c: takes out what is not distinct; marks what overlaps. */
void listener_conflicts(struct judging *judging);

/* listener_refs.c: certificates, and who signs those of clients. */
void listener_refs(struct judging *judging);
/* The certificate that the Gateway shows to backends. Returns what is wrong with it: a condition
 * with the id C_gateway_resolved: nothing. */
struct condition listener_client_certificate(struct judging *judging);

#endif
