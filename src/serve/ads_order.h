/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ads_order: which type may be sent next on a stream, so that nothing is named before it is there
 * and nothing goes while it is named.
 *
 *   put:     CDS ► EDS ► LDS, RDS, ECDS    the last three wait while a cluster or its endpoints are
 *                                          to be sent but cannot yet
 *   remove:  LDS ► RDS, ECDS ► CDS ► EDS   each when all that may name it is settled (sent and
 *                                          accepted); a cluster that a SotW client names: when it
 *                                          names it no more
 *
 * EDS never waits for the ACK of CDS: Envoy withholds that one until the endpoints are there.
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
