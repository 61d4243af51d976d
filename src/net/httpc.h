/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpc: an HTTP client on a loop: libcurl's multi interface, driven by libuv.
 *
 *   httpc_send(spec) ──► call ──► data(piece) … ──► done(result)      or httpc_cancel(call)
 *
 * Every call ends in exactly one of done() and httpc_cancel(). Nothing is called back from within
 * httpc_send(). Connections are kept and shared (HTTP/2 where the server speaks it).
 * One loop, no locks. Does not log.
 */
#ifndef HEDDLE_NET_HTTPC_H
#define HEDDLE_NET_HTTPC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define HTTPC_CONNECT_MS 10000
/* When a call had no answer in time, connections that were silent for so long are given up. */
#define HTTPC_SILENT_MS 20000

struct httpc;
struct httpc_call;
struct loop;

/* Whom to trust, who one is, and by which way. Texts are PEM, not files; they are copied. Empty:
 * the system's trust, no client certificate, the proxy that the environment names (if any). */
struct httpc_tls {
    struct str ca;
    struct str cert, key;
    struct str server_name; /* what the certificate must say; empty: the URL's host */
    struct str proxy;       /* URL */
    bool insecure;          /* insecure-skip-tls-verify */
};
/* Shared by the calls that use it; counted. */
struct httpc_trust;
struct httpc_trust *httpc_trust_new(const struct httpc_tls *tls);
struct httpc_trust *httpc_trust_ref(struct httpc_trust *trust);
void httpc_trust_unref(struct httpc_trust *trust); /* NULL is fine */

struct httpc_result {
    unsigned status;        /* 0: there was no answer, see why */
    struct str body;        /* empty when data() took it; valid during done() */
    struct str retry_after; /* the header's value, may be empty */
    struct str why;         /* what went wrong, in words; empty when there is a status */
    bool too_large;         /* that: the body was larger than body_max */
};

/* Texts are copied. */
struct httpc_spec {
    const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
    struct str url;
    struct str content_type; /* of body */
    struct str accept;
    struct str bearer; /* Authorization: Bearer …; empty: none */
    struct str basic;  /* user:password; empty: none */
    struct str body;
    struct httpc_trust *trust; /* NULL: the system's */
    unsigned timeout_ms;       /* of the whole call; 0: none */
    unsigned connect_ms;       /* until there is a connection; 0: HTTPC_CONNECT_MS */
    unsigned idle_ms;          /* without a byte for so long, it ends; 0: none */
    size_t body_max;           /* of the answer's body, when it is gathered */
    void *user;
    /* Pieces of the body as they come, only for 2xx; false ends the call (done: status 0). NULL:
     * the body is gathered for done(). */
    bool (*data)(void *user, struct str piece);
    void (*done)(void *user, const struct httpc_result *result);
};

struct httpc *httpc_new(struct loop *loop);
/* Cancels what is under way; the memory goes with the loop's next turns. NULL is fine. */
void httpc_free(struct httpc *httpc);
struct httpc_call *httpc_send(struct httpc *httpc, const struct httpc_spec *spec);
/* Neither data() nor done() is called any more. */
void httpc_cancel(struct httpc_call *call);

#endif
