/* SPDX-License-Identifier: Apache-2.0 */
/* Does a connection read, write in order under back-pressure, time out, and end cleanly? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "net/conn.h"
#include "net_fixture.h"

struct side {
    struct loop loop;
    struct conn *conn;
    int fd; /* the client's */
    struct buf received;
    unsigned drains;
    bool pause_on_data;
    bool closed;
    char reason[CONN_REASON_MAX];
};

static void on_data(void *user, const uint8_t *data, size_t len)
{
    struct side *side = user;
    buf_add(&side->received, data, len);
    if (side->pause_on_data) {
        conn_pause(side->conn);
    }
}

static void on_drain(void *user)
{
    struct side *side = user;
    assert_true(conn_writable(side->conn));
    side->drains++;
}

static void on_closed(void *user, const char *reason)
{
    struct side *side = user;
    assert_false(side->closed);
    side->closed = true;
    snprintf(side->reason, sizeof(side->reason), "%s", reason);
}

static const struct conn_events events = {on_data, on_drain, on_closed};

static void start(struct side *side, const struct conn_options *options)
{
    struct sockaddr_storage peer = {.ss_family = AF_INET};
    int server_fd;
    memset(side, 0, sizeof(*side));
    buf_init(&side->received, BUF_UNLIMITED);
    assert_true(loop_init(&side->loop, "test", NULL));
    side->fd = socket_pair(&server_fd);
    side->conn = conn_new(&side->loop, server_fd, &peer, NULL, options, &events, side);
}

static void stop(struct side *side)
{
    if (!side->closed) {
        conn_close(side->conn, CLOSE_NOW, "test over");
    }
    until(&side->loop, side->closed);
    loop_release(&side->loop);
    close(side->fd);
    buf_release(&side->received);
}

static void write_text(struct side *side, const char *text)
{
    struct chain chain = {.len = 0};
    chain_add_copy(&chain, text, strlen(text));
    conn_write(side->conn, &chain);
    assert_int_equal(chain.len, 0);
    chain_release(&chain);
}

static void bytes_go_both_ways(void **state)
{
    (void)state;
    struct side side;
    start(&side, NULL);
    struct buf got;
    buf_init(&got, BUF_UNLIMITED);
    assert_int_equal(write(side.fd, "ping", 4), 4);
    until(&side.loop, side.received.len == 4);
    write_text(&side, "po");
    write_text(&side, "ng");
    assert_int_equal(receive(side.fd, &got), 4); /* sent at once, without a turn */
    assert_true(str_eq(buf_str(&got), STR("pong")));
    assert_false(conn_peer_uri(side.conn, &got));
    assert_int_equal(conn_peer(side.conn)->ss_family, AF_INET);
    close(side.fd);
    until(&side.loop, side.closed);
    assert_string_equal(side.reason, "closed by peer");
    buf_release(&got);
    side.fd = -1;
    stop(&side);
}

/* A client that reads nothing: the queue fills, then drains in order when it reads. */
static void back_pressure(void **state)
{
    (void)state;
    const struct conn_options options = {.queue_max = 100000};
    struct side side;
    struct buf got;
    start(&side, &options);
    buf_init(&got, BUF_UNLIMITED);
    struct blob *blob = blob_alloc(10000);
    size_t sent = 0;
    while (conn_writable(side.conn)) {
        struct chain chain = {.len = 0};
        char number[24];
        snprintf(number, sizeof(number), "%016zu", sent);
        memset(blob->data, 'b', blob->len);
        chain_add_copy(&chain, number, 16);
        chain_add_piece(&chain, &PIECE_BLOB(blob));
        sent += chain.len;
        conn_write(side.conn, &chain);
        chain_release(&chain);
        assert_true(sent < 100000000);
    }
    assert_true(conn_queued(side.conn) >= 100000 && conn_queued(side.conn) < 120000);
    assert_true(blob->refs > 1);
    turn(&side.loop, 2);
    assert_int_equal(side.drains, 0);
    while (got.len < sent) {
        uv_run(&side.loop.uv, UV_RUN_NOWAIT);
        receive(side.fd, &got);
    }
    until(&side.loop, side.drains == 1);
    assert_int_equal(conn_queued(side.conn), 0);
    assert_int_equal(blob->refs, 1);
    for (size_t at = 0; at < sent; at += 10016) {
        char number[24];
        snprintf(number, sizeof(number), "%016zu", at);
        assert_memory_equal(got.data + at, number, 16);
        assert_int_equal(got.data[at + 16], 'b');
        assert_int_equal(got.data[at + 10015], 'b');
    }
    blob_unref(blob);
    buf_release(&got);
    stop(&side);
}

static void closing_with_a_full_queue(void **state)
{
    (void)state;
    struct side side;
    struct buf got;
    start(&side, NULL);
    buf_init(&got, BUF_UNLIMITED);
    static const char letters[65536 + 1] = {[0 ... 65535] = 'x'};
    size_t sent = 0;
    while (conn_writable(side.conn)) {
        write_text(&side, letters);
        sent += 65536;
    }
    conn_close(side.conn, CLOSE_AFTER_FLUSH, "enough");
    write_text(&side, "dropped");
    assert_int_equal(write(side.fd, "ignored", 7), 7);
    ssize_t len = 1;
    unsigned turns = 0;
    while (len != 0 && turns++ < TURNS_MAX) {
        turn(&side.loop, 1);
        do {
            len = receive(side.fd, &got);
        } while (len > 0);
        assert_true(len == 0 || errno == EAGAIN);
    }
    assert_int_equal(got.len, sent);
    assert_false(side.closed); /* waits for our end */
    close(side.fd);
    until(&side.loop, side.closed);
    assert_string_equal(side.reason, "enough");
    side.fd = -1;
    stop(&side);

    /* at once: what is queued is dropped, memory and references too */
    start(&side, NULL);
    struct blob *blob = blob_alloc(100000);
    memset(blob->data, 0, blob->len);
    while (conn_writable(side.conn)) {
        struct chain chain = {.len = 0};
        chain_add_piece(&chain, &PIECE_BLOB(blob));
        conn_write(side.conn, &chain);
        chain_release(&chain);
    }
    conn_close(side.conn, CLOSE_NOW, "at once");
    conn_close(side.conn, CLOSE_NOW, "twice");
    assert_false(side.closed); /* never from inside */
    until(&side.loop, side.closed);
    assert_string_equal(side.reason, "at once");
    assert_int_equal(blob->refs, 1);
    blob_unref(blob);
    stop(&side);
    buf_release(&got);
}

/* A client that has said its last word still gets the whole answer, whether we were about to
 * close the connection or not. */
static void check_peer_ends_first(bool we_close, const char *reason)
{
    struct side side;
    struct buf got;
    start(&side, NULL);
    buf_init(&got, BUF_UNLIMITED);
    static const char letters[65536 + 1] = {[0 ... 65535] = 'x'};
    size_t sent = 0;
    while (conn_writable(side.conn)) {
        write_text(&side, letters);
        sent += 65536;
    }
    if (we_close) {
        conn_close(side.conn, CLOSE_AFTER_FLUSH, "answered");
    }
    assert_int_equal(shutdown(side.fd, SHUT_WR), 0);
    turn(&side.loop, 3);
    assert_false(side.closed);
    while (got.len < sent) {
        uv_run(&side.loop.uv, UV_RUN_NOWAIT);
        assert_int_not_equal(receive(side.fd, &got), 0);
    }
    until(&side.loop, side.closed);
    assert_string_equal(side.reason, reason);
    buf_release(&got);
    stop(&side);
}

static void the_peer_may_end_first(void **state)
{
    (void)state;
    check_peer_ends_first(true, "answered");
    check_peer_ends_first(false, "closed by peer");
}

static void time_runs_out(void **state)
{
    (void)state;
    const struct conn_options options = {.handshake_timeout_ms = 30, .idle_timeout_ms = 400};
    struct side side;
    start(&side, &options);
    until(&side.loop, side.closed);
    assert_string_equal(side.reason, "no request in time");
    stop(&side);
    start(&side, &options);
    for (unsigned i = 0; i < 5;
         i++) { /* longer than idle in all, never idle, on a busy machine too */
        assert_int_equal(write(side.fd, "x", 1), 1);
        turn(&side.loop, 100);
        assert_false(side.closed);
    }
    until(&side.loop, side.closed);
    assert_string_equal(side.reason, "idle timeout");
    stop(&side);
}

static void a_paused_connection_reads_nothing(void **state)
{
    (void)state;
    struct side side;
    start(&side, NULL);
    side.pause_on_data = true;
    assert_int_equal(write(side.fd, "a", 1), 1);
    until(&side.loop, side.received.len == 1);
    assert_int_equal(write(side.fd, "b", 1), 1);
    turn(&side.loop, 5);
    assert_int_equal(side.received.len, 1);
    conn_resume(side.conn);
    until(&side.loop, side.received.len == 2);
    conn_close(side.conn, CLOSE_AFTER_FLUSH, "done"); /* paused again: the end is seen still */
    close(side.fd);
    side.fd = -1;
    until(&side.loop, side.closed);
    stop(&side);
}

static void a_bad_fd_is_a_closed_connection(void **state)
{
    (void)state;
    struct side side;
    start(&side, NULL);
    struct sockaddr_storage peer = {.ss_family = AF_INET};
    struct side bad = {.closed = false};
    bad.conn = conn_new(&side.loop, 100000, &peer, NULL, NULL, &events, &bad);
    write_text(&bad, "dropped");
    until(&side.loop, bad.closed);
    stop(&side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways),
        cmocka_unit_test(back_pressure),
        cmocka_unit_test(closing_with_a_full_queue),
        cmocka_unit_test(the_peer_may_end_first),
        cmocka_unit_test(time_runs_out),
        cmocka_unit_test(a_paused_connection_reads_nothing),
        cmocka_unit_test(a_bad_fd_is_a_closed_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
