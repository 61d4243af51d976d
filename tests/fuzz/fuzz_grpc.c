/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a client's bytes break the gRPC server (HTTP/2 frames, HPACK, messages, flow control)?
 *
 * The first byte steers: how the rest is cut into reads, and how the upper layer behaves. The
 * server echoes messages; what it writes goes nowhere.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "net/grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum steering {
    STEER_SMALL_READS = 1,
    STEER_PAUSE = 2,    /* every second message pauses its call */
    STEER_FULL = 4,     /* the transport takes nothing for a while */
    STEER_FINISH = 8,   /* the server ends calls early */
    STEER_SHUTDOWN = 16 /* in the middle */
};

struct harness {
    unsigned steering;
    unsigned messages;
    unsigned opened;
    unsigned closed;
    bool full;
    bool transport_closed;
    struct grpc_call *paused; /* the last one that was */
};

static void on_open(void *user, struct grpc_call *call)
{
    struct harness *harness = user;
    harness->opened++;
    grpc_call_set_user(call, harness);
}

static void on_message(struct grpc_call *call, const uint8_t *data, size_t len)
{
    struct harness *harness = grpc_call_user(call);
    const struct piece echo = PIECE_COPY(str_span((const char *)data, len));
    harness->messages++;
    grpc_send(call, &echo, 1);
    if ((harness->steering & STEER_PAUSE) != 0 && harness->messages % 2 == 0) {
        grpc_call_pause(call);
        harness->paused = call;
    }
    if ((harness->steering & STEER_FINISH) != 0 && harness->messages % 3 == 0) {
        grpc_finish(call, GRPC_INVALID_ARGUMENT, str_span((const char *)data, len));
    }
}

static void on_half_close(struct grpc_call *call)
{
    grpc_finish(call, GRPC_OK, STR_NULL);
}

static void on_closed(struct grpc_call *call, const char *reason)
{
    struct harness *harness = grpc_call_user(call);
    ASSERT(reason != NULL);
    harness->closed++;
    if (harness->paused == call) {
        harness->paused = NULL;
    }
}

static void sink_write(void *carrier, struct chain *chain)
{
    (void)carrier;
    chain_clear(chain);
}

static bool sink_writable(const void *carrier)
{
    return !((const struct harness *)carrier)->full;
}

static void sink_close(void *carrier, enum close_mode mode, const char *reason)
{
    (void)mode;
    ASSERT(reason != NULL);
    ((struct harness *)carrier)->transport_closed = true;
}

static void turn_of(struct harness *harness, struct h2 *h2, unsigned turn)
{
    harness->full = (harness->steering & STEER_FULL) != 0 && turn % 8 < 4;
    h2_flush(h2);
    if (harness->paused != NULL && turn % 4 == 3) {
        struct grpc_call *call = harness->paused;
        harness->paused = NULL;
        grpc_call_resume(call);
        h2_flush(h2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct grpc_handler handler = {
        .on_open = on_open,
        .on_message = on_message,
        .on_half_close = on_half_close,
        .on_closed = on_closed,
    };
    static const struct grpc_method method = {"/a.B/C", &handler};
    static const struct transport_ops ops = {sink_write, sink_writable, NULL, sink_close};
    const struct grpc_options options = {.methods = &method, .nmethods = 1, .message_max = 65536};
    if (size == 0) {
        return 0;
    }
    struct harness harness = {.steering = data[0]};
    struct grpc_server *server = grpc_server_new(NULL, &options, &harness);
    struct h2 *h2 = grpc_server_attach(server, (struct transport){&ops, &harness});
    size_t step = (harness.steering & STEER_SMALL_READS) != 0 ? 7 : 4096;
    unsigned turn = 0;
    for (size_t at = 1; at < size && !harness.transport_closed; at += step, turn++) {
        h2_feed(h2, data + at, size - at < step ? size - at : step);
        turn_of(&harness, h2, turn);
        if ((harness.steering & STEER_SHUTDOWN) != 0 && turn == 10) {
            grpc_server_shutdown(server);
        }
    }
    harness.full = false;
    h2_drained(h2);
    grpc_server_free(server);
    h2_lost(h2, "the input ended");
    ASSERT(harness.opened == harness.closed);
    return 0;
}
