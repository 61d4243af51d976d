/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret: certificates and authorities, by SDS.
 *
 *   cert/NS/SECRET    a certificate and its key
 *   ca/NS/CONFIGMAP   authorities
 *   trust/OWNER       the authorities of several ConfigMaps: Envoy takes those of a connection from
 *                     one secret, so the row that needs several makes one of its own; or
 *                     those of the data plane's system
 *
 * Each gateway has its own, in its own scope, and only those that it needs.
 */
#ifndef HEDDLE_XDS_SECRET_H
#define HEDDLE_XDS_SECRET_H

#include "engine/engine.h"
#include "xds/row.h"

#define CERTIFICATE_PREFIX "cert/"
#define AUTHORITY_PREFIX "ca/"
#define TRUST_PREFIX "trust/"

/* Adds "trust/OWNER" to row where there are several authorities (keys of T_CONFIGMAP). */
void xds_add_trust(struct eval *ev, struct resource_row *row, struct str scope, struct str owner,
                   const struct str *authorities, size_t len);
/* Adds that secret where what the data plane's system trusts is trusted. */
void xds_add_system_trust(struct eval *ev, struct resource_row *row, struct str scope,
                          struct str owner);

#endif
