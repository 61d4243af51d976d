/* SPDX-License-Identifier: Apache-2.0 */
/* writer_internal: what a status writer holds; for writer.c and writer_send.c only. */
#ifndef HEDDLE_STATUS_WRITER_INTERNAL_H
#define HEDDLE_STATUS_WRITER_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "kube/backoff.h"
#include "net/loop.h"
#include "status/events.h"
#include "status/merge.h"
#include "status/writer.h"

#define API_VERSION_MAX 64 /* "gateway.networking.k8s.io/v1" */

enum phase {
    AT_REST,
    WAITING,   /* until due_ms */
    READY,     /* to be compared */
    IN_FLIGHT, /* flight is set */
};

/* A write on the way, and what its merge found, for Events. */
struct flight {
    struct subject *subject;
    struct kube_call *call;
    struct arena arena;
    struct merge merge;
};

/* One object of the API server. */
struct subject {
    struct list link; /* of writer->waiting or ->ready, by phase */
    struct status_writer *writer;
    char *key; /* "HTTPRoute/ns/name" */
    enum kind_id kind;
    struct str ns, name; /* in key */

    /* What the API server has: resourceVersion, uid and status_merge_part() of the status. */
    char *version, *uid, *part; /* part: NULL: there is none */
    char *withdrawal;           /* of a Gateway: what is written when it is not heddle's; NULL */
    uint64_t unsaid_ms;         /* since when it is not heddle's; 0: it is, or not looked at */
    bool stale;                 /* a write conflicted: it has something newer */
    uint64_t turn;              /* of the writer when this was learned */

    enum phase phase;
    bool again;                             /* something changed while in flight */
    uint64_t due_ms, queued_ms, written_ms; /* queued: first, since it was at rest */
    struct backoff backoff;
    struct flight *flight;

    uint64_t told_ms; /* when the present minute of Events began */
    unsigned told;
    bool truncated; /* and that has been told */
};

struct status_writer {
    struct loop *loop;
    struct kube *kube;
    const struct status_store *store;
    struct events *events;
    unsigned withdraw_ms;
    bool (*unclear)(void *user, enum kind_id kind, struct str ns, struct str name);
    void *user;          /* of unclear */
    struct map subjects; /* key -> struct subject */
    /* apiVersion of each kind as the cluster serves it; empty until an object said so. */
    char versions[KIND_COUNT][API_VERSION_MAX];
    struct list waiting, ready;
    unsigned in_flight, pending; /* pending: not at rest */
    uint64_t turns;
    bool leads;
    uv_timer_t timer;
};

/* --- writer.c --- */
/* Takes in what the API server has of an object. False: nothing new about its status. */
bool subject_learn(struct subject *subject, const struct doc_node *object);
void subject_forget(struct subject *subject); /* frees it */

/* --- writer_send.c --- */
void subject_queue(struct subject *subject, uint64_t delay_ms);
/* No write of it is in flight any more, none is waited for. */
void subject_rest(struct subject *subject);
void writer_tick(uv_timer_t *timer);

/* --- writer_tell.c --- */
/* Events of what was written. */
void subject_tell(struct subject *subject, const struct merge *merge);
/* That there is no room for all; once. */
void subject_tell_dropped(struct subject *subject, unsigned dropped);

#endif
