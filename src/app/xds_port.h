/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xds_port: where xDS is served, in plain text and with TLS, and by which certificates.
 *
 *   --tls-cert, --tls-key, --tls-client-ca   files, read again at SIGHUP
 *   --kubernetes without these               a serving certificate of heddle's own CA (Secret
 *                                            heddle-ca); clients show one that this CA signed, by
 *                                            which gateways are known (pipeline/view.h)
 *
 * Connections that are open keep the certificate that they have seen. Thread 0.
 */
#ifndef HEDDLE_APP_XDS_PORT_H
#define HEDDLE_APP_XDS_PORT_H

#include <stdbool.h>

#include "base/err.h"
#include "ca/keyring.h"

struct daemon;
struct listener;
struct options;
struct serving;
struct tls_context;

struct xds_port {
    struct daemon *daemon;
    struct listener *plain, *secure; /* either may be NULL */
    struct tls_context *tls;         /* from files; NULL: none */
    struct serving *serving;         /* NULL: it is from files, or there is no TLS */
};

/* What is wrong with the options whatever the machine is like. */
bool xds_port_check(const struct options *options, struct err *err);
bool xds_port_start(struct xds_port *port, struct daemon *daemon, struct err *err);
void xds_port_print(const struct xds_port *port); /* the addresses, one a line */
/* SIGHUP: new certificates for new connections; when they cannot be read, the old ones stay. */
void xds_port_reload(struct xds_port *port);
/* The keyring of the Secret is another. */
void xds_port_keyring(struct xds_port *port, const struct keyring *ring);
void xds_port_close(struct xds_port *port); /* nobody comes any more; also what never started */
void xds_port_release(struct xds_port *port);

#endif
