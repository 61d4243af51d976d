/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ads_order: which type may be sent next on a stream, so that nothing is named before it is there
 * and nothing goes while it is named.
 *
 *   put:     SDS ► CDS ► EDS ► LDS, RDS, ECDS
 *            each waits while what it may name is to be sent but cannot yet
 *   remove:  LDS ► RDS, ECDS ► CDS ► EDS, SDS
 *            each when all that may name it is settled (sent and accepted); a cluster that a SotW
 *            client names: when it names it no more
 *
 * EDS and SDS never wait for the ACK of CDS: Envoy withholds that one until the cluster has its
 * endpoints and secrets, for which it asks when it has the cluster.
 */
#ifndef HEDDLE_SERVE_ADS_ORDER_H
#define HEDDLE_SERVE_ADS_ORDER_H

#include <stdbool.h>

#include "serve/subscription.h"

struct ads_step {
    enum xds_type type;
    bool removals; /* they may go with this response */
};

/* subs: one for each type. False: nothing may be sent now. */
bool ads_order_next(const struct subscription subs[XDS_TYPE_COUNT], struct ads_step *ret_step);

#endif
