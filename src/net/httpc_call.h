/* SPDX-License-Identifier: Apache-2.0 */
/* httpc_call: one request of an httpc, as libcurl is told of it. Inside of net/httpc. */
#ifndef HEDDLE_NET_HTTPC_CALL_H
#define HEDDLE_NET_HTTPC_CALL_H

#include <curl/curl.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "net/httpc.h"

struct httpc {
    struct loop *loop;
    CURLM *multi;
    uv_timer_t timer;    /* libcurl's */
    struct list calls;   /* struct httpc_call.link */
    struct list fresh;   /* struct httpc_call.fresh: bytes came that were not handed out yet */
    struct list watched; /* sockets */
    unsigned silent_ms;  /* HTTPC_SILENT_MS; less in tests */
    bool closed;
};

struct httpc_call {
    struct list link, fresh;
    struct httpc *httpc;
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *connect_to;
    struct httpc_trust *trust;
    uv_timer_t idle;
    unsigned idle_ms;
    bool ended;
    bool unspeakable;  /* what is to be sent cannot be: not added to libcurl, fails soon */
    struct buf answer; /* gathered, or what is to be handed out next */
    void *user;
    bool (*data)(void *user, struct str piece);
    void (*done)(void *user, const struct httpc_result *result);
    char why[CURL_ERROR_SIZE];
};

/* Ready to be added to the multi handle; not in any list yet, its timer not made yet. */
struct httpc_call *httpc_call_new(struct httpc *httpc, const struct httpc_spec *spec);

#endif
