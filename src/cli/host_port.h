/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_port: "HOST:PORT" of options that say whom to ask: HOST is an IP address (IPv6 in brackets)
 * or a DNS name, which is checked for its form and looked up by whoever connects.
 */
#ifndef HEDDLE_CLI_HOST_PORT_H
#define HEDDLE_CLI_HOST_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define HOST_MAX 253 /* RFC 1035: of a name without its last dot */

struct host_port {
    char host[HOST_MAX + 1]; /* without brackets */
    uint16_t port;
    bool is_name;
};

bool host_port_parse(struct str text, struct host_port *ret_host_port, struct err *err);

#endif
