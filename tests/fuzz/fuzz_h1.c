/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a client's bytes break the HTTP/1.1 server?
 *
 * The first byte steers: how the rest is cut into reads, and whether answers come later.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "net/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum steering {
    STEER_SMALL_READS = 1,
    STEER_LATER = 2 /* answers come after the next read */
};

struct harness {
    unsigned steering;
    bool closed;
    size_t bytes; /* of requests: read, so that a bad pointer is noticed */
    struct h1_reply *later;
};

static size_t count(struct str s)
{
    size_t sum = s.len;
    for (size_t i = 0; i < s.len; i++) {
        sum += (unsigned char)s.ptr[i];
    }
    return sum;
}

static void handle(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    struct harness *harness = user;
    harness->bytes += count(request->path) + count(request->query) + count(request->body) +
                      count(request->content_type) + count(request->authorization);
    ASSERT(request->body.len <= 1000);
    if ((harness->steering & STEER_LATER) != 0) {
        ASSERT(harness->later == NULL); /* one at a time */
        harness->later = reply;
    } else {
        h1_reply_send(reply, 200, "text/plain", PIECE_COPY(request->body));
    }
}

static void answer_later(struct harness *harness)
{
    struct h1_reply *reply = harness->later;
    if (reply != NULL) {
        harness->later = NULL;
        h1_reply_text(reply, 200, "later");
    }
}

static void sink_write(void *carrier, struct chain *chain)
{
    (void)carrier;
    chain_clear(chain);
}

static bool sink_writable(const void *carrier)
{
    (void)carrier;
    return true;
}

static void sink_close(void *carrier, enum close_mode mode, const char *reason)
{
    (void)mode;
    ASSERT(reason != NULL);
    ((struct harness *)carrier)->closed = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct transport_ops ops = {sink_write, sink_writable, NULL, sink_close};
    const struct h1_options options = {.handler = handle, .body_max = 1000};
    if (size == 0) {
        return 0;
    }
    struct harness harness = {.steering = data[0]};
    struct h1_server *server = h1_server_new(NULL, &options, &harness);
    struct h1_conn *conn = h1_server_attach(server, (struct transport){&ops, &harness});
    size_t step = (harness.steering & STEER_SMALL_READS) != 0 ? 3 : 4096;
    for (size_t at = 1; at < size && !harness.closed; at += step) {
        h1_feed(conn, data + at, size - at < step ? size - at : step);
        answer_later(&harness);
    }
    h1_server_free(server);
    h1_lost(conn, "the input ended");
    answer_later(&harness);
    return 0;
}
