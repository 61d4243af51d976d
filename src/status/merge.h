/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge: what is to be written to an object's status, from what the API server has and what
 * heddle has to say. Pure; status/writer.h sends it.
 *
 *   seen   {"parents": [others', ours of before …]} ─┐
 *                                                    ├─► {"parents": [others', ours]} or nothing
 *   wanted {"parents": [ours]}  (status/store.h) ────┘
 *
 * What is not heddle's stays as it is and where it is: entries of other controllers, and, in its
 * own entries too, conditions of types that it does not know. What is heddle's and no longer said
 * goes. A condition whose status is as before keeps its lastTransitionTime (metav1.Condition).
 * Source: Gateway API v1.7 RouteStatus, PolicyStatus, GatewayClassStatus; GEP-713; JSON merge patch
 * replaces a list as a whole (RFC 7396).
 */
#ifndef HEDDLE_STATUS_MERGE_H
#define HEDDLE_STATUS_MERGE_H

#include "codec/doc.h"
#include "codec/json.h"

/* maxItems of the CRDs. */
#define STATUS_PARENTS_MAX 32
#define STATUS_ANCESTORS_MAX 16
#define STATUS_CONDITIONS_MAX 8
#define STATUS_TURNS_MAX 8 /* turned conditions that are told of one object */

/* A condition of heddle's that says something else than before. Texts are those of `wanted`. */
struct merge_turn {
    struct str type, status, reason, message;
    bool words; /* only the message is another one */
};

struct merge {
    bool differs; /* there is something to write */
    bool urgent;  /* not only in the messages */
    bool newer;   /* heddle (another replica) has written about a later generation: nothing is to
                     be written */
    unsigned dropped; /* entries and conditions for which the API's lists have no room */
    struct merge_turn turns[STATUS_TURNS_MAX];
    unsigned nturns;
};

/* seen, wanted: the object's `status`; NULL: it has none, there is nothing to say. Writes the lists
 * that change as members of an object that is open. */
void status_merge(const struct doc_node *seen, const struct doc_node *wanted, struct json *patch,
                  struct merge *ret_merge);

/* The part of a status that status_merge() reads, as members of an object that is open. False:
 * there is none. */
bool status_merge_part(const struct doc_node *status, struct json *json);

#endif
