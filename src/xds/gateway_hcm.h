/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_hcm: the HttpConnectionManager of a gateway, which stands before clients that nobody
 * knows. */
#ifndef HEDDLE_XDS_GATEWAY_HCM_H
#define HEDDLE_XDS_GATEWAY_HCM_H

#include "base/str.h"
#include "xds/alias.h"

struct gateway_hcm {
    struct str entry;    /* its RouteConfiguration */
    struct str host;     /* of requests without one (HTTP/1.0) */
    struct str listener; /* that the connection's SNI chose; empty: of HTTP */
    bool http3;          /* over QUIC; else HTTP/1 or HTTP/2, as the connection begins */
};

pb_hcm *xds_gateway_hcm(struct arena *arena, const struct gateway_hcm *of);

#endif
