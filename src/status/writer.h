/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer: keeps the status of objects in the API server as the status store has it.
 * Level-triggered: what counts is the difference between the two, not what happened.
 *
 *   watch ──► seen, gone ─┐                            ┌─ nothing differs
 *   store ──► touch ──────┼─► waiting ──► merge ───────┼─ PATCH …/status, with resourceVersion
 *   lease ──► lead ───────┘      ▲      (status/merge)          │
 *                                ├── backoff with jitter ◄── failed
 *                                └── what the watch brings ◄── 409: the object is another one now
 *
 * Only the leader writes; the others know as much, so that they can go on at once. One write is in
 * flight for an object, and few for all. A turned condition is written after STATUS_DELAY_MS; while
 * clients have still to acknowledge, up to STATUS_SETTLE_MS, so that heddle.dev/Propagated usually
 * comes along and a change is one write. Messages that only count change at most once in
 * STATUS_WORDS_MS. What turned to be wrong is also recorded as an Event. Of a Gateway or
 * ListenerSet of which the store says nothing for STATUS_WITHDRAW_MS, another controller's or
 * nobody's, is taken back what heddle said (status/withdraw.h). Not sooner: a GatewayClass that is
 * made anew is not there for a moment, and others go by what is said (of addresses, they make DNS
 * records). Thread 0. Logs.
 */
#ifndef HEDDLE_STATUS_WRITER_H
#define HEDDLE_STATUS_WRITER_H

#include "codec/doc.h"
#include "kube/kube.h"
#include "model/object.h"
#include "status/store.h"

#define STATUS_DELAY_MS 60
#define STATUS_SETTLE_MS 500
#define STATUS_WORDS_MS 1000
#define STATUS_WITHDRAW_MS 10000
#define STATUS_WRITES_MAX 16 /* in flight */
#define STATUS_BACKOFF_MS 250
#define STATUS_BACKOFF_MAX_MS 60000
#define STATUS_EVENTS_MAX 5 /* of one object in STATUS_EVENTS_MS */
#define STATUS_EVENTS_MS 60000

struct loop;
struct status_writer;

struct status_writer_config {
    struct loop *loop;
    struct kube *kube;
    const struct status_store *store;
    struct str instance;  /* who reports Events: the pod's name */
    unsigned withdraw_ms; /* 0: STATUS_WITHDRAW_MS */
    /* Whether the object, as it now is, or what says whose it is, cannot be read: then what was
     * said of it stays. NULL: none is so. */
    bool (*unclear)(void *user, enum kind_id kind, struct str ns, struct str name);
    void *user;
};

struct status_writer *status_writer_new(const struct status_writer_config *config);
void status_writer_free(struct status_writer *writer); /* the loop must still turn; NULL is fine */

/* What the API server has. Objects of kinds whose status heddle does not write are ignored. */
void status_writer_seen(struct status_writer *writer, enum kind_id kind, struct str ns,
                        struct str name, const struct doc_node *object);
void status_writer_gone(struct status_writer *writer, enum kind_id kind, struct str ns,
                        struct str name);
/* What the store has to say of an object may have changed. */
void status_writer_touch(struct status_writer *writer, enum kind_id kind, struct str ns,
                         struct str name);
/* The store says what follows from all that was seen. Nothing is written before the first time, and
 * an object is not cleaned of what heddle said of it before the store had the time to say so. */
void status_writer_turned(struct status_writer *writer);
void status_writer_lead(struct status_writer *writer, bool leads);

#endif
