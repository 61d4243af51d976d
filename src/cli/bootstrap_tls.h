/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap_tls: how Envoy speaks TLS to heddle, in its bootstrap. */
#ifndef HEDDLE_CLI_BOOTSTRAP_TLS_H
#define HEDDLE_CLI_BOOTSTRAP_TLS_H

#include "cli/bootstrap.h"
#include "codec/json.h"

/* "transport_socket": {…}; nothing where no TLS is asked for. */
void bootstrap_tls(const struct bootstrap *bootstrap, const struct host_port *xds,
                   struct json *json);

#endif
