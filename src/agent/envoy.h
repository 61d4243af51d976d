/* SPDX-License-Identifier: Apache-2.0 */
/* envoy: Envoy as a child process, and its admin endpoint. */
#ifndef HEDDLE_AGENT_ENVOY_H
#define HEDDLE_AGENT_ENVOY_H

#include <uv.h>

#include "cli/option.h"

struct httpc;
struct httpc_call;
struct loop;

struct envoy {
    uv_process_t process;
    bool open;    /* the handle */
    bool running; /* the process */
    struct httpc *httpc;
    struct str admin;        /* ADDR:PORT */
    struct httpc_call *call; /* under way; one at a time */
    void *user;
    void (*ended)(void *user, int code); /* 128 + N when signal N ended it */
    /* Of the question under way; status 0: there was no answer. */
    void (*answered)(void *user, unsigned status, struct str body);
};

/* *envoy is zero but for httpc, admin, user and ended. */
bool envoy_start(struct envoy *envoy, struct loop *loop, const struct options *options,
                 struct err *err);
void envoy_signal(struct envoy *envoy, int number); /* nothing when it does not run */
/* Asks the admin endpoint; a question that is under way is forgotten. method: "GET" or "POST". */
void envoy_ask(struct envoy *envoy, const char *method, const char *path,
               void (*answered)(void *user, unsigned status, struct str body));
void envoy_forget(struct envoy *envoy); /* the question under way */
void envoy_close(struct envoy *envoy);  /* kills what still runs */

#endif
