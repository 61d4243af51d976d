/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener: accepts TCP connections on one loop and hands out the sockets.
 *
 * What is done with a socket (which worker, which protocol) is the callback's choice: it owns the
 * fd, which is non-blocking, close-on-exec and has TCP_NODELAY. When the process runs out of file
 * descriptors, accepting pauses for LISTENER_PAUSE_MS instead of spinning.
 */
#ifndef HEDDLE_NET_LISTENER_H
#define HEDDLE_NET_LISTENER_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

#define LISTENER_BACKLOG 1024
#define LISTENER_BATCH_MAX 64 /* connections accepted in one turn of the loop */
#define LISTENER_PAUSE_MS 100

struct listener;
struct loop;

typedef void listener_accepted_fn(void *user, int fd, const struct sockaddr_storage *peer);

/* Binds and listens at once; NULL and err when that fails. `address` as in net/addr.h. */
struct listener *listener_new(struct loop *loop, struct str address, listener_accepted_fn *accepted,
                              void *user, struct err *err);
/* The bound address as text, with the port that was picked. */
const char *listener_address(const struct listener *listener);
uint64_t listener_pauses(const struct listener *listener); /* times file descriptors ran out */
/* Stops at once; the memory goes with the loop's next turn. NULL is fine. */
void listener_free(struct listener *listener);

#endif
