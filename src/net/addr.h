/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr: text <-> socket address, for options such as --xds 127.0.0.1:15010.
 *
 * "A.B.C.D:PORT", "[IPv6]:PORT" or "localhost:PORT" (127.0.0.1); no other names are looked up.
 */
#ifndef HEDDLE_NET_ADDR_H
#define HEDDLE_NET_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

#define ADDR_TEXT_MAX 56 /* "[8 groups of 4]:65535" and NUL, with room */

/* Port 0 is accepted (the kernel picks one at bind). */
bool addr_parse(struct str text, struct sockaddr_storage *ret_addr, struct err *err);
/* "127.0.0.1:80" or "[::1]:80"; "unknown" for other families. */
void addr_text(const struct sockaddr_storage *addr, char ret_text[ADDR_TEXT_MAX]);
/* The same without the port: "127.0.0.1" or "::1". */
void addr_host_text(const struct sockaddr_storage *addr, char ret_text[ADDR_TEXT_MAX]);
/* What one party has of addresses: of IPv4 one ("127.0.0.1", also where it comes as
 * ::ffff:127.0.0.1), of IPv6 a /64 ("2001:db8:1:2::/64"), which is what a host is given. */
void addr_peer_text(const struct sockaddr_storage *addr, char ret_text[ADDR_TEXT_MAX]);
/* Of this host, of whatever version and spelling: 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104. */
bool addr_is_loopback(const struct sockaddr_storage *addr);
uint16_t addr_port(const struct sockaddr_storage *addr); /* 0 for other families */
socklen_t addr_len(const struct sockaddr_storage *addr);

#endif
