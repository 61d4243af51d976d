/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subscription: what one stream asked for of one type, what it has, and what it must still be
 * told. Shared by both protocols; sets of resource ids of the replica, no versions.
 *
 *   named     subscribed by name            known     the client has some version of it
 *   dirty     to be sent                    removing  to be taken away; a subset of known
 *   moving    known and dirty: it changes its place, so it may have to go before it is sent
 *   sent      in the responses in flight    owed      its cluster was sent, it was not yet
 *   leaving   taken away by the response in flight; not held, since a new owner of the id is known
 *             by other bits
 *   refused   rejected, and not accepted since
 *   awaited   SotW, whole state, on demand: named, and not made yet
 *   denied    of named: on demand, but beyond a limit (demand.c)
 *
 * Invariants: known and not dirty means that the client has what replica_wanted() says.
 * Dirty without a wanted resource means "does not exist" (delta answers that, too).
 *
 * Places. No two resources may have one (struct resource), and Envoy looks at each listener of a
 * response in turn, after it has taken away what goes. One that moves while no other looks for a
 * place is changed where it is, without a gap. Otherwise those that move go with one response and
 * come with the next: then whatever the client has stands where we say, and nobody else's place is
 * taken, in whichever order places were exchanged.
 *
 * The replica keeps an entry as long as it is named, known or owed. At most OWED_SLACK more than
 * twice what exists is owed, however much comes and goes.
 */
#ifndef HEDDLE_SERVE_SUBSCRIPTION_H
#define HEDDLE_SERVE_SUBSCRIPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bitmap.h"
#include "base/str.h"
#include "base/vec.h"
#include "codec/hash.h"
#include "serve/serve.h"
#include "snapshot/replica.h"

#define OWED_SLACK 64
#define UNANSWERED_MAX 64 /* responses of a type whose resources go alone (type.def) */

struct unanswered {
    uint64_t nonce;
    uint32_t id; /* what the response holds; REPLICA_NONE: nothing, or nothing of ours any more */
};

struct subscription;
/* What was rejected under this id concerns the client no more: it left the name, or the resource is
 * gone. The id is valid during the call. */
typedef void subscription_dropped_fn(void *user, const struct subscription *sub, uint32_t id);

struct subscription {
    struct replica *replica;
    uint32_t slot; /* REPLICA_NONE until the stream has a view */
    enum xds_type type;
    enum stream_protocol protocol;
    bool on_demand; /* a name that is not there may still come */
    bool requested; /* a request of the type was seen */
    bool wildcard;
    bool legacy;    /* SotW: every request so far came without names */
    bool forced;    /* an answer is due even if there is nothing new in it */
    bool in_flight; /* a response is unacknowledged; of types that go alone, UNANSWERED_MAX at most
                     */
    bool rejected;  /* the last response that was answered was rejected */
    bool in_place;  /* in the response that is made, what moves is changed where it is */
    uint64_t nonce; /* of the last response */
    VEC(struct unanswered) unanswered; /* of types that go alone, oldest first */
    uint32_t sending;       /* the last id put into the response that is made; REPLICA_NONE: none */
    struct bitmap answered; /* of types that go alone: what the answered responses hold */
    struct bitmap named, dirty, removing, moving, known, sent, leaving;
    struct bitmap owed, refused, awaited, denied;
    uint32_t owed_kept; /* when it was looked for what is gone */
    struct hash sum;    /* over what is wanted; order does not matter */
    char version_sent[HASH_TEXT_LEN];
    char version_acked[HASH_TEXT_LEN];
    uint64_t nsent, nacked, nrejected, bytes;
    uint64_t last_sent_ms, last_acked_ms; /* wall clock */
    char *reject_text;                    /* owned; NULL: none */
    subscription_dropped_fn *dropped;
    void *user; /* of dropped */
};

void subscription_init(struct subscription *sub, struct replica *replica, enum xds_type type,
                       enum stream_protocol protocol, subscription_dropped_fn *dropped, void *user);
void subscription_release(struct subscription *sub); /* takes all back from the replica */

/* --- what the client asks for ---------------------------------------------------------------- */
/* True: newly named. */
bool subscription_add(struct subscription *sub, struct str name, uint32_t *ret_id);
bool subscription_remove(struct subscription *sub, struct str name); /* true: was named */
/* Nobody makes a resource for the name, which the client is to hear. */
void subscription_deny(struct subscription *sub, uint32_t id);
void subscription_set_wildcard(struct subscription *sub, bool on);
/* Delta, first request: the client says that it has this version. After the names were added. */
void subscription_initial(struct subscription *sub, struct str name, struct str version);

/* --- what changes ---------------------------------------------------------------------------- */
void subscription_changed(struct subscription *sub, uint32_t id, const struct resource *before,
                          const struct resource *after);
/* Of EDS: the cluster that names this assignment was sent, so it must be sent (again), too. */
void subscription_follow(struct subscription *sub, struct str name);

/* --- what is sent ---------------------------------------------------------------------------- */
/* Before a response is put together: says of what moves whether it must go first. */
void subscription_settle_places(struct subscription *sub);
bool subscription_goes_first(const struct subscription *sub, uint32_t id);
void subscription_put_sent(struct subscription *sub, uint32_t id);
void subscription_removal_sent(struct subscription *sub, uint32_t id);
/* What must go first was taken away; it stays dirty. */
void subscription_move_sent(struct subscription *sub, uint32_t id);
/* What is dirty is not sent after all. */
void subscription_unsent(struct subscription *sub, uint32_t id);
/* There is room for one more response of the type; of what goes alone with something new in it. */
bool subscription_may_send(const struct subscription *sub);
/* The response that was put together is sent under this nonce. */
void subscription_sent(struct subscription *sub, uint64_t nonce);
/* An answer. False: to no response in flight. Else subscription_answered() when it was looked at.
 */
bool subscription_answer(struct subscription *sub, uint64_t nonce, bool rejects);
bool subscription_in_answer(const struct subscription *sub, uint32_t id);
void subscription_answered(struct subscription *sub);
void subscription_answer_all(struct subscription *sub); /* nothing is in flight any more */
/* Nothing dirty, being removed, in flight or rejected: what it no longer names may go. */
bool subscription_settled(const struct subscription *sub);
void hash_sum_add(struct hash *sum, const struct resource *resource); /* NULL adds nothing */
void hash_sum_remove(struct hash *sum, const struct resource *resource);

#endif
