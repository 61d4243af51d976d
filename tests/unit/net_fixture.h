/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_fixture: what the tests of src/net share: a transport in memory, a blocking client socket,
 * and turning a loop by hand until something has happened.
 */
#ifndef HEDDLE_TESTS_NET_FIXTURE_H
#define HEDDLE_TESTS_NET_FIXTURE_H

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/addr.h"
#include "net/chain.h"
#include "net/loop.h"
#include "net/transport.h"

#define TURNS_MAX 10000 /* of at least 1 ms: a test that waits longer has failed */

/* Turns the loop until cond holds. */
#define until(loop_, cond)                                                                         \
    do {                                                                                           \
        unsigned turns_ = 0;                                                                       \
        while (!(cond) && turns_++ < TURNS_MAX) {                                                  \
            uv_run(&(loop_)->uv, UV_RUN_NOWAIT);                                                   \
            if (!(cond)) {                                                                         \
                usleep(1000);                                                                      \
            }                                                                                      \
        }                                                                                          \
        assert_true(cond);                                                                         \
    } while (0)

/* A few turns, to see that something does not happen. */
static inline void turn(struct loop *loop, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        uv_run(&loop->uv, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

/* A carrier that only remembers. */
struct wire {
    struct buf out;
    bool full; /* what writable() denies */
    bool paused;
    bool closed;
    enum close_mode mode;
    char reason[160];
    unsigned writes;
};

static inline void wire_write(void *carrier, struct chain *chain)
{
    struct wire *wire = carrier;
    uint8_t *room = buf_reserve(&wire->out, chain->len);
    size_t len = chain_peek(chain, room, chain->len);
    buf_commit(&wire->out, len);
    chain_clear(chain);
    wire->writes++;
}

static inline bool wire_writable(const void *carrier)
{
    return !((const struct wire *)carrier)->full;
}

static inline void wire_pause(void *carrier, bool on)
{
    ((struct wire *)carrier)->paused = on;
}

static inline void wire_close(void *carrier, enum close_mode mode, const char *reason)
{
    struct wire *wire = carrier;
    if (!wire->closed) {
        wire->closed = true;
        wire->mode = mode;
        snprintf(wire->reason, sizeof(wire->reason), "%s", reason);
    }
}

static inline struct transport wire_transport(struct wire *wire)
{
    static const struct transport_ops ops = {wire_write, wire_writable, wire_pause, wire_close};
    buf_init(&wire->out, BUF_UNLIMITED);
    return (struct transport){&ops, wire};
}

/* A connected pair of sockets: returns ours (blocking), gives away the server's. */
static inline int socket_pair(int *ret_server_fd)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (!addr_parse(STR("127.0.0.1:0"), &addr, NULL) ||
        bind(listener, (struct sockaddr *)&addr, addr_len(&addr)) != 0 ||
        listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&addr, &len) != 0 ||
        connect(client, (struct sockaddr *)&addr, addr_len(&addr)) != 0) {
        perror("socket_pair");
    }
    *ret_server_fd = accept(listener, NULL, NULL);
    close(listener);
    return client;
}

/* What has arrived at a client socket, without waiting; -1: nothing yet, 0: the end. */
static inline ssize_t receive(int fd, struct buf *into)
{
    uint8_t data[16384];
    ssize_t len = recv(fd, data, sizeof(data), MSG_DONTWAIT);
    if (len > 0) {
        buf_add(into, data, (size_t)len);
    }
    return len;
}

#endif
