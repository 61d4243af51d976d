/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replicas: the other replicas of this heddle, and questions to all of them at a time.
 *
 *   replicas_ask ──► one call to each ──► each(answer) … ──► done
 *
 * In Kubernetes they are the endpoints of the Service heddle-replicas, asked by HTTPS with the CA
 * and the token of the Secret that all share; else those that --replica names, asked by HTTP.
 * Thread 0.
 */
#ifndef HEDDLE_APP_REPLICAS_H
#define HEDDLE_APP_REPLICAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "codec/json.h"
#include "net/httpc.h"

#define REPLICAS_MAX 16

struct loop;
struct replicas;
struct replicas_round;

/* How they are asked. Texts are copied. */
struct replicas_access {
    bool secure;
    struct str ca;          /* PEM */
    struct str server_name; /* what their certificate says */
    struct str token;
};

struct replicas *replicas_new(struct loop *loop);
void replicas_free(struct replicas *replicas); /* their rounds must have ended. NULL is fine */
void replicas_set_access(struct replicas *replicas, const struct replicas_access *access);
struct replicas_peer {
    struct str address; /* "10.0.0.1:15017", "[fd00::1]:15017" */
    bool ready;         /* no client is led to one that is not */
};
/* Who they are. Not more than REPLICAS_MAX are kept. */
void replicas_set(struct replicas *replicas, const struct replicas_peer *peers, size_t len);
size_t replicas_count(const struct replicas *replicas);
/* Whether one that does not answer may have clients nevertheless: not when it is gone, or not ready
 * either (it crashes again and again, or its image is not there). */
bool replicas_silence_counts(const struct replicas *replicas, struct str address);
/* Whether one is gone or has fallen silent in the last so many milliseconds: its clients are on
 * their way to the others, and until they are there nobody can tell what they have. */
bool replicas_lost_within(const struct replicas *replicas, uint64_t ms);

/* status 0: it does not answer. */
typedef void replicas_each_fn(void *user, struct str address, const struct httpc_result *result);
typedef void replicas_done_fn(void *user);
struct replicas_question {
    const char *method;
    struct str path; /* with its query */
    struct str body;
    unsigned timeout_ms;
    size_t body_max; /* of an answer */
    replicas_each_fn *each;
    replicas_done_fn *done; /* the round is freed after it */
    void *user;
};
/* NULL: there are none, and nobody is called. Nothing is called back from within. */
struct replicas_round *replicas_ask(struct replicas *replicas,
                                    const struct replicas_question *question);
void replicas_cancel(struct replicas_round *round); /* NULL is fine */

/* Writes [{address, answers, why}, …], as of the last question to each. */
void replicas_tell(const struct replicas *replicas, struct json *json);

#endif
