/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kube: the way to one API server: where it is, who one is there, and requests to it.
 *
 *   kubeconfig | in-cluster files ──► kube_config ──► kube ──► kube_send ──► httpc
 *
 * Credentials are looked up anew for each request: a service account's token file is read again
 * when it changed, an exec plugin runs again when what it gave expires or was refused (401).
 * Thread 0.
 * Source: Kubernetes API concepts; kubeconfig v1; client.authentication.k8s.io/v1.
 */
#ifndef HEDDLE_KUBE_KUBE_H
#define HEDDLE_KUBE_KUBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "net/httpc.h"

struct kube;
struct kube_call;
struct loop;

#define KUBE_BODY_MAX (64u << 20) /* one answer: a page of a list */
#define KUBE_TIMEOUT_MS 30000     /* of requests that are no watch */
#define KUBE_TOO_LARGE "TooLarge" /* the reason, when an answer was larger than that */

struct kube_options {
    const char *kubeconfig; /* NULL: in-cluster, else $KUBECONFIG, else ~/.kube/config */
    const char *context;    /* NULL: the current one */
};
/* Reads the configuration (the only blocking part). False with what is missing and what to do. */
bool kube_new(struct loop *loop, const struct kube_options *options, struct kube **ret_kube,
              struct err *err);
/* Cancels all calls; who holds calls (watches, leases) ends before. NULL is fine. */
void kube_free(struct kube *kube);
/* For logs: the server's URL. Where the pod (or the context) is: its namespace, "default" when
 * unknown. */
struct str kube_server(const struct kube *kube);
struct str kube_namespace(const struct kube *kube);
/* Where it runs. */
struct loop *kube_loop(const struct kube *kube);

struct kube_result {
    unsigned status; /* of HTTP; 0: no answer */
    struct str body; /* valid during done() */
    /* Of a failure (everything but 2xx): the reason and message of the API server's Status object,
     * else what is known, e.g. "Conflict", "NotFound", "Gone"; empty on success. */
    struct str reason, message;
    unsigned retry_after_ms; /* 0: not said */
};
struct kube_spec {
    const char *method;
    struct str path;         /* "/apis/…?query"; escaped by the caller */
    struct str content_type; /* empty: application/json */
    const char *accept;      /* NULL: application/json; lives as long as the program */
    struct str body;
    unsigned timeout_ms; /* 0: KUBE_TIMEOUT_MS */
    void *user;
    /* For watches: pieces of the body of a 2xx as they come; false ends the request. Then
     * timeout_ms 0 is none, and a silence of idle_ms ends it. NULL: the body is for done(). */
    bool (*data)(void *user, struct str piece);
    unsigned idle_ms;
    void (*done)(void *user, const struct kube_result *result);
};
/* done() is called exactly once, never from within, unless cancelled. */
struct kube_call *kube_send(struct kube *kube, const struct kube_spec *spec);
void kube_cancel(struct kube_call *call);

/* As whom the API server notes writes that do not say it themselves (managedFields): the beginning
 * of the User-Agent. */
#define KUBE_MANAGER "heddle"

/* Bodies of PATCH requests. */
#define KUBE_MERGE_PATCH "application/merge-patch+json"
#define KUBE_APPLY_PATCH "application/apply-patch+yaml"

#endif
