/* SPDX-License-Identifier: Apache-2.0 */
/* conn: reads, writes, timeouts and the end of one TCP connection. */
#include "net/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/panic.h"
#include "net/chain.h"
#include "net/loop.h"
#include "net/tls.h"

enum conn_state {
    CONN_WAITING,   /* the handshake, or the first byte */
    CONN_OPEN,      /* data came */
    CONN_FLUSHING,  /* CLOSE_AFTER_FLUSH: writes what is queued, drops what comes */
    CONN_LINGERING, /* all is written; waits for the peer's end so that nothing is lost */
    CONN_CLOSING,   /* the handles are on their way out */
};

struct conn {
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct loop_task decrypt; /* goes on with TLS data that waited while paused */
    struct loop *loop;
    struct tls *tls; /* NULL: plain text */
    const struct conn_events *events;
    void *user;
    struct conn_options options;
    struct chain queued; /* plain text, not yet encrypted */
    struct chain wire;   /* what the socket gets next; does not change while `writing` */
    size_t writing;      /* bytes of `wire` given to uv_write; 0: none in flight */
    enum conn_state state;
    bool blocked; /* was not writable: on_drain is owed */
    bool paused;
    bool peer_ended;   /* the peer sends no more */
    bool said_goodbye; /* TLS close_notify is in the wire chain */
    unsigned open_handles;
    uint64_t active_ms; /* when a byte moved last */
    struct sockaddr_storage peer;
    char reason[CONN_REASON_MAX];
};

static void conn_push(struct conn *conn);
static void conn_check_drained(struct conn *conn);

size_t conn_queued(const struct conn *conn)
{
    return conn->queued.len + conn->wire.len;
}

bool conn_writable(const struct conn *conn)
{
    return conn->state <= CONN_OPEN && conn_queued(conn) < conn->options.queue_max;
}

const struct sockaddr_storage *conn_peer(const struct conn *conn)
{
    return &conn->peer;
}

bool conn_peer_uri(const struct conn *conn, struct buf *ret_uri)
{
    return conn->tls != NULL && tls_peer_uri(conn->tls, ret_uri);
}

static void conn_set_reason(struct conn *conn, const char *reason)
{
    if (conn->reason[0] == '\0') {
        snprintf(conn->reason, sizeof(conn->reason), "%s", reason);
    }
}

static void conn_handle_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    if (--conn->open_handles > 0) {
        return;
    }
    conn->events->on_closed(conn->user, conn->reason);
    chain_release(&conn->queued);
    chain_release(&conn->wire);
    tls_free(conn->tls);
    free(conn);
}

static void conn_end(struct conn *conn, const char *reason)
{
    if (conn->state == CONN_CLOSING) {
        return;
    }
    conn_set_reason(conn, reason);
    conn->state = CONN_CLOSING;
    loop_task_cancel(&conn->decrypt);
    uv_close((uv_handle_t *)&conn->tcp, conn_handle_closed);
    uv_close((uv_handle_t *)&conn->timer, conn_handle_closed);
}

/* Time */

static void conn_timer_fired(uv_timer_t *timer)
{
    struct conn *conn = timer->data;
    if (conn->state == CONN_WAITING) {
        conn_end(conn, conn->tls != NULL ? "handshake timeout" : "no request in time");
        return;
    }
    if (conn->state != CONN_OPEN) {
        conn_end(conn, "flush timeout"); /* the reason was set when the end began */
        return;
    }
    uint64_t idle_ms = loop_now_ms(conn->loop) - conn->active_ms;
    if (idle_ms >= conn->options.idle_timeout_ms) {
        conn_end(conn, "idle timeout");
        return;
    }
    uv_timer_start(timer, conn_timer_fired, conn->options.idle_timeout_ms - idle_ms, 0);
}

static void conn_opened(struct conn *conn)
{
    conn->state = CONN_OPEN;
    uv_timer_stop(&conn->timer);
    if (conn->options.idle_timeout_ms > 0) {
        uv_timer_start(&conn->timer, conn_timer_fired, conn->options.idle_timeout_ms, 0);
    }
}

/* Reading */

static void conn_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)suggested;
    struct conn *conn = handle->data;
    *ret_buf = uv_buf_init((char *)conn->loop->read_buf, LOOP_READ_MAX);
}

static void conn_got(struct conn *conn, const uint8_t *data, size_t len)
{
    if (conn->state == CONN_WAITING) {
        conn_opened(conn);
    }
    if (conn->state == CONN_OPEN) {
        conn->events->on_data(conn->user, data, len);
    }
}

/* Plain text out of what was fed, through the read buffer, whose bytes are TLS's own by now. */
static void conn_decrypt(struct conn *conn)
{
    struct err err;
    size_t len;
    enum tls_result result = TLS_DATA;
    while (conn->state <= CONN_OPEN && !conn->paused) {
        result = tls_read(conn->tls, conn->loop->read_buf, LOOP_READ_MAX, &len, &err);
        if (result != TLS_DATA) {
            break;
        }
        conn_got(conn, conn->loop->read_buf, len);
    }
    conn_push(conn);
    conn_check_drained(conn);
    if (result == TLS_CLOSED) {
        conn_close(conn, CLOSE_AFTER_FLUSH, "closed by peer");
    } else if (result == TLS_FAILED) {
        conn_close(conn, CLOSE_AFTER_FLUSH, err.text); /* the alert is on its way */
    }
}

static void conn_decrypt_later(struct loop_task *task)
{
    conn_decrypt(list_entry(task, struct conn, decrypt));
}

/* The peer sends no more, but may still want what is queued. */
static void conn_peer_ended(struct conn *conn)
{
    conn->peer_ended = true;
    uv_read_stop((uv_stream_t *)&conn->tcp);
    if (conn->state == CONN_LINGERING) {
        conn_end(conn, "closed by peer"); /* all is written: this was waited for */
    } else {
        conn_close(conn, CLOSE_AFTER_FLUSH, "closed by peer");
    }
}

static void conn_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    if (len == UV_EOF) {
        conn_peer_ended(conn);
        return;
    }
    if (len < 0) {
        char reason[CONN_REASON_MAX];
        snprintf(reason, sizeof(reason), "read: %s", uv_strerror((int)len));
        conn_end(conn, reason);
        return;
    }
    if (len == 0 || conn->state > CONN_OPEN) {
        return;
    }
    conn->active_ms = loop_now_ms(conn->loop);
    if (conn->tls != NULL) {
        tls_feed(conn->tls, (const uint8_t *)buf->base, (size_t)len);
        conn_decrypt(conn);
    } else {
        conn_got(conn, (const uint8_t *)buf->base, (size_t)len);
    }
}

void conn_pause(struct conn *conn)
{
    if (!conn->paused && conn->state <= CONN_OPEN) {
        conn->paused = true;
        uv_read_stop((uv_stream_t *)&conn->tcp);
    }
}

void conn_resume(struct conn *conn)
{
    if (conn->paused && conn->state <= CONN_OPEN) {
        conn->paused = false;
        uv_read_start((uv_stream_t *)&conn->tcp, conn_alloc, conn_read);
        if (conn->tls != NULL) {
            loop_task_soon(conn->loop, &conn->decrypt);
        }
    }
}

/* Writing */

/* Gives the front of the chain to the kernel, as much as it takes. False: the socket is dead. */
static bool conn_try(struct conn *conn, struct chain *chain)
{
    while (chain->len > 0) {
        uv_buf_t bufs[CONN_IOV_MAX];
        size_t count = chain_bufs(chain, bufs, CONN_IOV_MAX);
        int rc = uv_try_write((uv_stream_t *)&conn->tcp, bufs, (unsigned)count);
        if (rc == UV_EAGAIN) {
            return true;
        }
        if (rc < 0) {
            char reason[CONN_REASON_MAX];
            snprintf(reason, sizeof(reason), "write: %s", uv_strerror(rc));
            conn_end(conn, reason);
            return false;
        }
        chain_consume(chain, (size_t)rc);
        conn->active_ms = loop_now_ms(conn->loop);
    }
    return true;
}

static void conn_written(uv_write_t *req, int status)
{
    struct conn *conn = req->data;
    size_t len = conn->writing;
    conn->writing = 0;
    if (conn->state == CONN_CLOSING) {
        return;
    }
    if (status != 0) {
        char reason[CONN_REASON_MAX];
        snprintf(reason, sizeof(reason), "write: %s", uv_strerror(status));
        conn_end(conn, reason);
        return;
    }
    chain_consume(&conn->wire, len);
    conn->active_ms = loop_now_ms(conn->loop);
    conn_push(conn);
    conn_check_drained(conn);
}

static void conn_check_drained(struct conn *conn)
{
    if (conn->blocked && conn->state <= CONN_OPEN &&
        conn_queued(conn) <= conn->options.queue_max / 4) {
        conn->blocked = false;
        if (conn->events->on_drain != NULL) {
            conn->events->on_drain(conn->user);
        }
    }
}

/* The kernel takes no more: wait until it does. */
static void conn_write_later(struct conn *conn)
{
    uv_buf_t bufs[CONN_IOV_MAX];
    size_t count = chain_bufs(&conn->wire, bufs, CONN_IOV_MAX);
    for (size_t i = 0; i < count; i++) {
        conn->writing += bufs[i].len;
    }
    int rc = uv_write(&conn->write, (uv_stream_t *)&conn->tcp, bufs, (unsigned)count, conn_written);
    if (rc != 0) {
        conn->writing = 0;
        conn_end(conn, uv_strerror(rc));
    }
}

/* Encrypts from `queued`, about one batch, and adds what TLS itself has to say. */
static void conn_encrypt(struct conn *conn)
{
    struct err err;
    while (tls_ready(conn->tls) && conn->queued.len > 0 && conn->wire.len < CONN_TLS_BATCH) {
        uint8_t plain[TLS_RECORD_MAX];
        size_t len = chain_peek(&conn->queued, plain, sizeof(plain));
        if (!tls_write(conn->tls, plain, len, &err)) {
            conn_end(conn, err.text);
            return;
        }
        chain_consume(&conn->queued, len);
        struct str out = tls_output(conn->tls);
        chain_add_copy(&conn->wire, out.ptr, out.len);
        tls_output_sent(conn->tls);
    }
    if (conn->state == CONN_FLUSHING && conn->queued.len == 0 && !conn->said_goodbye) {
        conn->said_goodbye = true;
        tls_goodbye(conn->tls);
    }
    struct str out = tls_output(conn->tls);
    if (out.len > 0) {
        chain_add_copy(&conn->wire, out.ptr, out.len);
        tls_output_sent(conn->tls);
    }
}

static void conn_shut(uv_shutdown_t *req, int status)
{
    struct conn *conn = req->data;
    if (status != 0 && conn->state != CONN_CLOSING) {
        conn_end(conn, uv_strerror(status));
    }
}

/* All is with the kernel. Closing right now could make it throw that away (an RST, when the peer
 * has sent what we did not read), so say "no more" and wait for the peer's end. */
static void conn_linger(struct conn *conn)
{
    if (conn->peer_ended) {
        conn_end(conn, "");
        return;
    }
    conn->state = CONN_LINGERING;
    conn->shutdown.data = conn;
    if (uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp, conn_shut) != 0) {
        conn_end(conn, "");
    }
}

/* Moves bytes on: queued -> wire -> socket. */
static void conn_push(struct conn *conn)
{
    while (conn->state <= CONN_FLUSHING && conn->writing == 0) {
        if (conn->wire.len == 0 && conn->tls != NULL) {
            conn_encrypt(conn);
        } else if (conn->wire.len == 0) {
            chain_swap(&conn->wire, &conn->queued);
        }
        if (conn->wire.len == 0 && conn->state == CONN_FLUSHING) {
            conn_linger(conn);
            break;
        }
        if (conn->wire.len == 0 || !conn_try(conn, &conn->wire)) {
            break;
        }
        if (conn->wire.len > 0) {
            conn_write_later(conn);
        }
    }
}

void conn_write(struct conn *conn, struct chain *chain)
{
    if (conn->state > CONN_OPEN) {
        chain_clear(chain);
        return;
    }
    /* Nothing waits: straight to the socket, without a detour through our own chains. */
    if (conn->tls == NULL && conn->writing == 0 && conn_queued(conn) == 0 &&
        !conn_try(conn, chain)) {
        chain_clear(chain);
        return;
    }
    if (chain->len > 0) {
        chain_move(&conn->queued, chain, chain->len);
        conn_push(conn);
    }
    if (conn_queued(conn) >= conn->options.queue_max) {
        conn->blocked = true;
    }
}

/* Beginning and end */

void conn_close(struct conn *conn, enum close_mode mode, const char *reason)
{
    if (mode == CLOSE_NOW) {
        conn_end(conn, reason);
        return;
    }
    if (conn->state > CONN_OPEN) {
        return;
    }
    conn_set_reason(conn, reason);
    conn->state = CONN_FLUSHING;
    if (conn->paused) { /* reads again, to see the peer's end */
        uv_read_start((uv_stream_t *)&conn->tcp, conn_alloc, conn_read);
    }
    if (conn->tls != NULL && !tls_ready(conn->tls)) {
        chain_clear(&conn->queued); /* can never be encrypted */
    }
    uv_timer_start(&conn->timer, conn_timer_fired, CONN_FLUSH_TIMEOUT_MS, 0);
    conn_push(conn);
}

struct conn *conn_new(struct loop *loop, int fd, const struct sockaddr_storage *peer,
                      struct tls_context *tls, const struct conn_options *options,
                      const struct conn_events *events, void *user)
{
    struct conn *conn = xcalloc(1, sizeof(*conn));
    if (options != NULL) {
        conn->options = *options;
    }
    if (conn->options.queue_max == 0) {
        conn->options.queue_max = CONN_QUEUE_MAX;
    }
    if (conn->options.handshake_timeout_ms == 0) {
        conn->options.handshake_timeout_ms = CONN_HANDSHAKE_TIMEOUT_MS;
    }
    conn->loop = loop;
    conn->peer = *peer;
    conn->tls = tls != NULL ? tls_new(tls) : NULL;
    conn->events = events;
    conn->user = user;
    conn->active_ms = loop_now_ms(loop);
    conn->open_handles = 2;
    loop_task_init(&conn->decrypt, conn_decrypt_later);
    uv_tcp_init(&loop->uv, &conn->tcp);
    uv_timer_init(&loop->uv, &conn->timer);
    conn->tcp.data = conn->timer.data = conn->write.data = conn;
    uv_timer_start(&conn->timer, conn_timer_fired, conn->options.handshake_timeout_ms, 0);
    int rc = uv_tcp_open(&conn->tcp, fd);
    if (rc != 0) {
        close(fd);
    } else {
        rc = uv_read_start((uv_stream_t *)&conn->tcp, conn_alloc, conn_read);
    }
    if (rc != 0) {
        conn_end(conn, uv_strerror(rc));
    }
    return conn;
}

/* As a transport */

static void conn_carrier_write(void *carrier, struct chain *chain)
{
    conn_write(carrier, chain);
}

static bool conn_carrier_writable(const void *carrier)
{
    return conn_writable(carrier);
}

static void conn_carrier_pause(void *carrier, bool on)
{
    if (on) {
        conn_pause(carrier);
    } else {
        conn_resume(carrier);
    }
}

static void conn_carrier_close(void *carrier, enum close_mode mode, const char *reason)
{
    conn_close(carrier, mode, reason);
}

struct transport conn_transport(struct conn *conn)
{
    static const struct transport_ops ops = {
        .write = conn_carrier_write,
        .writable = conn_carrier_writable,
        .pause = conn_carrier_pause,
        .close = conn_carrier_close,
    };
    return (struct transport){.ops = &ops, .carrier = conn};
}
