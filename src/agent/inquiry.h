/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inquiry: one question to heddle, asked until it is answered: replicas restart, and a pod may be
 * there before the control plane is.
 *
 *   200                       the answer
 *   no answer, 429, 5xx       asked again after INQUIRY_AGAIN_MS
 *   anything else             given up
 *   wait_ms are over          given up
 *   nobody for unreachable_ms given up (a connection that lasted was somebody)
 */
#ifndef HEDDLE_AGENT_INQUIRY_H
#define HEDDLE_AGENT_INQUIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define INQUIRY_AGAIN_MS 200
#define INQUIRY_CONNECT_MS 1000
#define INQUIRY_BODY_MAX 65536

struct httpc;
struct inquiry;
struct loop;

struct inquiry_spec {
    struct loop *loop;
    struct httpc *httpc;
    struct str url; /* copied */
    uint64_t wait_ms;
    uint64_t unreachable_ms;
    void *user;
    /* Once, never from within inquiry_start(). Answered: text is the body; else why not. */
    void (*done)(void *user, bool answered, struct str text);
};

struct inquiry *inquiry_start(const struct inquiry_spec *spec);
/* Before it is done: done() is not called any more. NULL is fine. */
void inquiry_cancel(struct inquiry *inquiry);

#endif
