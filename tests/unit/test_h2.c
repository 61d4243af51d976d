/* SPDX-License-Identifier: Apache-2.0 */
/* Does the HTTP/2 server answer, share bytes, stall floods, ping, and end as it should? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h2_client.h"
#include "net/h2.h"
#include "net_fixture.h"

/* A server whose streams send what is in `body`, and keep what they receive. */
struct server {
    struct h2 *h2;
    struct wire wire;
    struct chain body; /* of the one stream that has one */
    bool body_ends;
    bool consume;
    bool trailers;
    unsigned requests;
    unsigned closed;
    unsigned ends;
    size_t received;
    struct h2_stream *stream; /* the last one */
    uint32_t error;
    char path[64];
    char custom[64];
    bool session_closed;
    char reason[160];
};

static struct server *the_server(struct h2_stream *stream)
{
    return h2_stream_user(stream);
}

static void on_request(void *user, struct h2_stream *stream, const struct h2_request *request)
{
    struct server *server = user;
    struct str custom = h2_header(stream, STR("x-custom"));
    server->requests++;
    server->stream = stream;
    h2_stream_set_user(stream, server);
    snprintf(server->path, sizeof(server->path), "%.*s", STR_FMT(request->path));
    snprintf(server->custom, sizeof(server->custom), "%.*s", STR_FMT(custom));
    if (str_eq(request->path, STR("/empty"))) {
        h2_respond(stream, 204, NULL, 0, false);
    } else if (str_eq(request->path, STR("/body"))) {
        const struct h2_header type = {STR("content-type"), STR("text/plain")};
        h2_respond(stream, 200, &type, 1, true);
    } else if (str_eq(request->path, STR("/reset"))) {
        h2_reset(stream, NGHTTP2_ENHANCE_YOUR_CALM);
    }
}

static void on_body(struct h2_stream *stream, const uint8_t *data, size_t len)
{
    (void)data;
    the_server(stream)->received += len;
    if (the_server(stream)->consume) {
        h2_consume(stream, len);
    }
}

static void on_body_end(struct h2_stream *stream)
{
    the_server(stream)->ends++;
}

static size_t body_size(struct h2_stream *stream, size_t max, enum h2_pull *ret_pull)
{
    struct server *server = the_server(stream);
    size_t len = server->body.len < max ? server->body.len : max;
    if (server->body_ends && len == server->body.len) {
        *ret_pull = H2_PULL_END;
        if (server->trailers) {
            const struct h2_header trailer = {STR("x-trailer"), STR("yes")};
            h2_trailers(stream, &trailer, 1);
            *ret_pull = H2_PULL_TRAILERS;
        }
    }
    return len;
}

static void body_take(struct h2_stream *stream, size_t len, struct chain *out)
{
    chain_move(out, &the_server(stream)->body, len);
}

static void on_stream_closed(struct h2_stream *stream, uint32_t error)
{
    the_server(stream)->closed++;
    the_server(stream)->error = error;
}

static void on_closed(void *user, const char *reason)
{
    struct server *server = user;
    server->session_closed = true;
    snprintf(server->reason, sizeof(server->reason), "%s", reason);
}

static const struct h2_events events = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .body_size = body_size,
    .body_take = body_take,
    .on_stream_closed = on_stream_closed,
    .on_closed = on_closed,
};

static void start(struct server *server, struct h2_client *client, const struct h2_options *options)
{
    memset(server, 0, sizeof(*server));
    client_init(client, false);
    server->h2 = h2_new_on(wire_transport(&server->wire), options, &events, server);
}

static void stop(struct server *server, struct h2_client *client)
{
    if (!server->session_closed) {
        h2_lost(server->h2, "test over");
    }
    assert_int_equal(server->closed, server->requests);
    chain_release(&server->body);
    buf_release(&server->wire.out);
    client_release(client);
}

/* Carries bytes to and fro until neither side has any. */
static void pump(struct server *server, struct h2_client *client)
{
    for (unsigned i = 0; i < 1000; i++) {
        nghttp2_session_send(client->ng);
        if (client->out.len > 0) {
            h2_feed(server->h2, client->out.data, client->out.len);
            buf_clear(&client->out);
        }
        h2_flush(server->h2);
        if (server->wire.out.len == 0) {
            return;
        }
        nghttp2_session_mem_recv(client->ng, server->wire.out.data, server->wire.out.len);
        buf_clear(&server->wire.out);
    }
    fail_msg("the two talk for ever");
}

static void requests_are_answered(void **state)
{
    (void)state;
    struct server server;
    struct h2_client client;
    start(&server, &client, NULL);
    struct client_stream *empty =
        client_request(&client, "GET", "/empty", "-", "x-custom", "abc", false);
    pump(&server, &client);
    assert_string_equal(server.custom, "abc");
    assert_string_equal(empty->status, "204");
    assert_true(empty->closed && empty->error == 0);

    struct blob *blob = blob_new("shared", 6);
    chain_add_copy(&server.body, "head ", 5);
    chain_add_piece(&server.body, &PIECE_BLOB(blob));
    struct client_stream *body = client_request(&client, "GET", "/body", "-", NULL, NULL, false);
    pump(&server, &client);
    assert_string_equal(body->status, "200");
    assert_true(str_eq(buf_str(&body->body), STR("head shared")));
    assert_int_equal(blob->refs, 1);
    assert_false(body->ended);
    server.body_ends = server.trailers = true;
    chain_add_copy(&server.body, "!", 1);
    h2_resume(server.stream);
    unsigned writes = server.wire.writes;
    pump(&server, &client);
    assert_int_equal(server.wire.writes, writes + 1); /* DATA and trailers in one */
    assert_true(str_eq(buf_str(&body->body), STR("head shared!")));
    assert_true(body->ended && client_has(body, "x-trailer: yes"));
    assert_int_equal(server.closed, 2);
    blob_unref(blob);
    stop(&server, &client);
}

static void trailers_may_follow_nothing(void **state)
{
    (void)state;
    struct server server;
    struct h2_client client;
    start(&server, &client, NULL);
    struct client_stream *body = client_request(&client, "GET", "/body", "-", NULL, NULL, false);
    pump(&server, &client);
    server.body_ends = server.trailers = true;
    h2_resume(server.stream);
    pump(&server, &client);
    assert_true(body->ended && client_has(body, "x-trailer: yes"));
    assert_int_equal(body->body.len, 0);
    stop(&server, &client);
}

static void a_client_that_goes_on_is_told_to_stop(void **state)
{
    (void)state;
    struct server server;
    struct h2_client client;
    start(&server, &client, NULL);
    struct client_stream *open = client_request(&client, "POST", "/empty", "-", NULL, NULL, true);
    pump(&server, &client);
    assert_string_equal(open->status, "204");
    assert_true(open->closed && open->error == NGHTTP2_NO_ERROR);
    struct client_stream *reset = client_request(&client, "POST", "/reset", "-", NULL, NULL, true);
    pump(&server, &client);
    assert_true(reset->closed && reset->error == NGHTTP2_ENHANCE_YOUR_CALM);
    stop(&server, &client);
}

static void a_flood_is_stalled_not_buffered(void **state)
{
    (void)state;
    static uint8_t flood[300000];
    struct server server;
    struct h2_client client;
    start(&server, &client, NULL);
    struct client_stream *stream = client_request(&client, "POST", "/wait", "-", NULL, NULL, true);
    client_write(&client, stream, flood, sizeof(flood), true);
    pump(&server, &client);
    assert_int_equal(server.received, H2_STREAM_WINDOW);
    /* a sibling is not stalled by it */
    struct client_stream *other = client_request(&client, "POST", "/wait", "-", NULL, NULL, true);
    struct h2_stream *stalled = server.stream;
    client_write(&client, other, flood, 1000, true);
    pump(&server, &client);
    assert_int_equal(server.received, H2_STREAM_WINDOW + 1000);
    assert_int_equal(server.ends, 1);
    server.consume = true;
    h2_consume(stalled, H2_STREAM_WINDOW);
    pump(&server, &client);
    assert_int_equal(server.received, sizeof(flood) + 1000);
    assert_int_equal(server.ends, 2);
    stop(&server, &client);
}

static void a_full_transport_gets_no_more(void **state)
{
    (void)state;
    static uint8_t large[60000];
    struct server server;
    struct h2_client client;
    start(&server, &client, NULL);
    struct client_stream *stream = client_request(&client, "GET", "/body", "-", NULL, NULL, false);
    pump(&server, &client);
    server.wire.full = true;
    chain_add_copy(&server.body, large, sizeof(large));
    server.body_ends = true;
    h2_resume(server.stream);
    pump(&server, &client);
    assert_int_equal(stream->body.len, 0);
    server.wire.full = false;
    h2_drained(server.h2);
    pump(&server, &client);
    assert_int_equal(stream->body.len, sizeof(large));
    assert_true(stream->ended);
    stop(&server, &client);
}

static void limits_hold(void **state)
{
    (void)state;
    struct server server;
    struct h2_client client;
    const struct h2_options options = {.streams_max = 2, .header_list_max = 1000};
    static char large[3000];
    memset(large, 'a', sizeof(large) - 1);
    start(&server, &client, &options);
    struct client_stream *headers =
        client_request(&client, "GET", "/empty", "-", "x-large", large, false);
    pump(&server, &client);
    assert_string_equal(headers->status, "431");
    assert_int_equal(server.requests, 0);
    for (unsigned i = 0; i < 4; i++) {
        client_request(&client, "POST", "/wait", "-", NULL, NULL, true);
    }
    pump(&server, &client);
    assert_int_equal(server.requests, 2); /* the client respects it; the others wait */
    assert_int_equal(h2_streams(server.h2), 2);
    stop(&server, &client);

    start(&server, &client, NULL);
    pump(&server, &client);
    for (unsigned i = 0; i < H2_CONTROL_PER_SECOND + 1; i++) {
        nghttp2_submit_ping(client.ng, NGHTTP2_FLAG_NONE, NULL);
        nghttp2_session_send(client.ng);
        h2_feed(server.h2, client.out.data, client.out.len);
        buf_clear(&client.out);
        h2_flush(server.h2);
    }
    assert_true(server.wire.closed);
    assert_non_null(strstr(server.wire.reason, "too many PING"));
    stop(&server, &client);
}

static void noise_is_refused(void **state)
{
    (void)state;
    struct server server;
    struct h2_client client;
    start(&server, &client, NULL);
    h2_feed(server.h2, (const uint8_t *)"GET / HTTP/1.1\r\nhost: a\r\n\r\n", 27);
    assert_true(server.wire.closed);
    h2_feed(server.h2, (const uint8_t *)"more", 4);
    h2_flush(server.h2);
    h2_lost(server.h2, server.wire.reason);
    stop(&server, &client);
}

static void shutdown_lets_streams_end(void **state)
{
    (void)state;
    struct server server;
    struct h2_client client;
    start(&server, &client, NULL);
    struct client_stream *body = client_request(&client, "GET", "/body", "-", NULL, NULL, false);
    pump(&server, &client);
    h2_shutdown(server.h2);
    h2_shutdown(server.h2);
    pump(&server, &client);
    assert_true(client.goaway);
    assert_int_equal(client.goaway_last, body->id);
    assert_false(server.wire.closed);
    server.body_ends = true;
    chain_add_copy(&server.body, "bye", 3);
    h2_resume(server.stream);
    pump(&server, &client);
    assert_true(str_eq(buf_str(&body->body), STR("bye")));
    assert_true(server.wire.closed && server.wire.mode == CLOSE_AFTER_FLUSH);
    assert_string_equal(server.wire.reason, "shut down");
    stop(&server, &client);
}

static void a_client_may_take_its_leave(void **state)
{
    (void)state;
    struct server server;
    struct h2_client client;
    start(&server, &client, NULL);
    pump(&server, &client);
    nghttp2_submit_goaway(client.ng, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
    pump(&server, &client);
    assert_true(server.wire.closed && server.wire.mode == CLOSE_AFTER_FLUSH);
    assert_string_equal(server.wire.reason, "closed by peer");
    stop(&server, &client);
}

/* Over a socket: frames of one turn are one write, and a client that is silent is found out. */
static void keepalive_finds_a_dead_client(void **state)
{
    (void)state;
    struct loop loop;
    struct server server = {.requests = 0};
    struct h2_client client;
    struct sockaddr_storage peer = {.ss_family = AF_INET};
    const struct h2_options options = {.ping_interval_ms = 20, .ping_timeout_ms = 60};
    int server_fd;
    int fd = socket_pair(&server_fd);
    assert_true(loop_init(&loop, "test", NULL));
    client_init(&client, false);
    server.h2 = h2_new(&loop, server_fd, &peer, NULL, NULL, &options, &events, &server);
    client_request(&client, "GET", "/wait", "-", NULL, NULL, false);
    struct buf got;
    buf_init(&got, BUF_UNLIMITED);
    uint64_t start_ms = loop_now_ms(&loop);
    while (loop_now_ms(&loop) - start_ms < 200) { /* a live client answers several pings */
        nghttp2_session_send(client.ng);
        if (client.out.len > 0) {
            assert_int_equal(write(fd, client.out.data, client.out.len), client.out.len);
            buf_clear(&client.out);
        }
        turn(&loop, 1);
        if (receive(fd, &got) > 0) {
            nghttp2_session_mem_recv(client.ng, got.data, got.len);
            buf_clear(&got);
        }
    }
    assert_false(server.session_closed);
    until(&loop, server.session_closed); /* no more answers */
    assert_string_equal(server.reason, "no answer to a keepalive PING");
    assert_int_equal(server.closed, 1);
    close(fd);
    buf_release(&got);
    client_release(&client);
    loop_release(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(trailers_may_follow_nothing),
        cmocka_unit_test(a_client_that_goes_on_is_told_to_stop),
        cmocka_unit_test(a_flood_is_stalled_not_buffered),
        cmocka_unit_test(a_full_transport_gets_no_more),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(noise_is_refused),
        cmocka_unit_test(shutdown_lets_streams_end),
        cmocka_unit_test(a_client_may_take_its_leave),
        cmocka_unit_test(keepalive_finds_a_dead_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
