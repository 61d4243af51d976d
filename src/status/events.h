/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: what `kubectl describe` and `kubectl events` show of an object: Events that heddle
 * records (events.k8s.io/v1).
 *
 * They are told once, in passing: one that cannot be sent is counted and forgotten, since the
 * condition says it too. Thread 0. Logs.
 */
#ifndef HEDDLE_STATUS_EVENTS_H
#define HEDDLE_STATUS_EVENTS_H

#include "base/str.h"
#include "kube/kube.h"

#define EVENTS_WAITING_MAX 256 /* more at a time are dropped */
#define EVENTS_IN_FLIGHT_MAX 4
#define EVENT_NOTE_MAX 1024 /* the API's, in bytes */

struct events;

/* A Warning. */
struct event {
    struct str api_version, kind, ns, name, uid; /* of the object; ns: empty of cluster kinds */
    struct str reason, action, note;             /* a longer note is cut */
};

/* instance: of this process: the pod's name. */
struct events *events_new(struct kube *kube, struct str instance);
void events_free(struct events *events); /* what is not sent yet is not sent */
void events_send(struct events *events, const struct event *event);

#endif
