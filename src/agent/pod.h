/* SPDX-License-Identifier: Apache-2.0 */
/* pod: who the workload is, from options and from what the pod's template puts into the
 * environment. */
#ifndef HEDDLE_AGENT_POD_H
#define HEDDLE_AGENT_POD_H

#include "cli/bootstrap.h"

#define POD_HOST_MAX 256

struct pod {
    struct bootstrap bootstrap; /* region and zone may be empty until heddle has told them */
    struct str ip;              /* empty: not known */
    struct str control;         /* HOST:PORT of heddle's answers to agents */
    char host[POD_HOST_MAX];    /* a pod's name, where nothing else tells it */
};

/* Texts point into the options and the environment, and into *ret_pod itself: it must not move.
 * False: an option is wrong. */
bool pod_read(const struct options *options, enum option_id xds, struct pod *ret_pod,
              struct err *err);
/* Whether this network namespace has IPv6: a listener on [::1] can be bound. */
bool pod_has_ipv6(void);

#endif
