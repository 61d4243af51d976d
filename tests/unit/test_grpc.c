/* SPDX-License-Identifier: Apache-2.0 */
/* Does the gRPC server find methods, frame messages both ways, keep limits and tell statuses? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h2_client.h"
#include "net/grpc.h"
#include "net_fixture.h"

struct side {
    struct grpc_server *server;
    struct h2 *h2;
    struct wire wire;
    struct grpc_call *call; /* the last one */
    void *tag;              /* of the connections; NULL in memory */
    unsigned opened;
    unsigned messages;
    unsigned half_closes;
    unsigned drains;
    unsigned closed;
    unsigned conns_closed;
    bool pause_on_message;
    bool finish_on_half_close;
    bool resume_at_once;
    struct buf last;
    char reason[160];
};

static void on_open(void *user, struct grpc_call *call)
{
    struct side *side = user;
    side->opened++;
    side->call = call;
    assert_null(grpc_call_user(call));
    assert_ptr_equal(grpc_call_tag(call), side->tag);
    grpc_call_set_user(call, side);
}

static void on_message(struct grpc_call *call, const uint8_t *data, size_t len)
{
    struct side *side = grpc_call_user(call);
    side->messages++;
    buf_clear(&side->last);
    buf_add(&side->last, data, len);
    if (side->pause_on_message) {
        grpc_call_pause(call);
    }
    if (side->resume_at_once) {
        grpc_call_resume(call);
    }
}

static void on_half_close(struct grpc_call *call)
{
    struct side *side = grpc_call_user(call);
    side->half_closes++;
    if (side->finish_on_half_close) {
        grpc_finish(call, GRPC_OK, STR_NULL);
    }
}

static void on_drained(struct grpc_call *call)
{
    ((struct side *)grpc_call_user(call))->drains++;
}

static void on_closed(struct grpc_call *call, const char *reason)
{
    struct side *side = grpc_call_user(call);
    assert_false(grpc_send(call, NULL, 0));
    side->closed++;
    snprintf(side->reason, sizeof(side->reason), "%s", reason);
}

static void on_conn_closed(void *user, void *tag, const struct sockaddr_storage *peer,
                           const char *reason)
{
    assert_ptr_equal(tag, ((struct side *)user)->tag);
    (void)peer;
    (void)reason;
    ((struct side *)user)->conns_closed++;
}

static const struct grpc_handler handler = {
    .on_open = on_open,
    .on_message = on_message,
    .on_half_close = on_half_close,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static const struct grpc_method methods[] = {{"/test.Echo/Stream", &handler}};

#define PATH "/test.Echo/Stream"
#define TYPE "application/grpc"

static void start(struct side *side, struct h2_client *client)
{
    const struct grpc_options options = {
        .methods = methods,
        .nmethods = 1,
        .message_max = 100000,
        .queue_max = 100000,
        .on_conn_closed = on_conn_closed,
    };
    memset(side, 0, sizeof(*side));
    buf_init(&side->last, BUF_UNLIMITED);
    client_init(client, false);
    side->server = grpc_server_new(NULL, &options, side);
    side->h2 = grpc_server_attach(side->server, wire_transport(&side->wire));
}

static void stop(struct side *side, struct h2_client *client)
{
    grpc_server_free(side->server);
    h2_lost(side->h2, "test over");
    assert_int_equal(side->opened, side->closed);
    assert_int_equal(side->conns_closed, 1);
    buf_release(&side->wire.out);
    buf_release(&side->last);
    client_release(client);
}

static void pump(struct side *side, struct h2_client *client)
{
    for (unsigned i = 0; i < 1000; i++) {
        nghttp2_session_send(client->ng);
        if (client->out.len > 0) {
            h2_feed(side->h2, client->out.data, client->out.len);
            buf_clear(&client->out);
        }
        h2_flush(side->h2);
        if (side->wire.out.len == 0) {
            return;
        }
        nghttp2_session_mem_recv(client->ng, side->wire.out.data, side->wire.out.len);
        buf_clear(&side->wire.out);
    }
    fail_msg("the two talk for ever");
}

static struct client_stream *call_with(struct side *side, struct h2_client *client,
                                       const void *data, size_t len, bool end)
{
    struct client_stream *stream = client_request(client, "POST", PATH, TYPE, NULL, NULL, true);
    client_write(client, stream, data, len, end);
    pump(side, client);
    return stream;
}

static void a_conversation(void **state)
{
    (void)state;
    struct side side;
    struct h2_client client;
    start(&side, &client);
    struct client_stream *stream =
        call_with(&side, &client, "\0\0\0\0\5hello\0\0\0\0\0", 15, false);
    assert_int_equal(side.messages, 2);
    assert_int_equal(side.last.len, 0);
    assert_true(str_eq(grpc_call_header(side.call, STR(":path")), STR(PATH)));
    assert_int_equal(grpc_server_calls(side.server), 1);

    struct blob *blob = blob_new("shared", 6);
    const struct piece pieces[] = {PIECE_COPY(STR("own ")), PIECE_BLOB(blob)};
    assert_true(grpc_send(side.call, pieces, 2));
    assert_int_equal(grpc_call_queued(side.call), 15);
    assert_int_equal(blob->refs, 2);
    pump(&side, &client);
    assert_int_equal(grpc_call_queued(side.call), 0);
    assert_int_equal(side.drains, 1);
    assert_int_equal(blob->refs, 1);
    assert_string_equal(stream->status, "200");
    assert_true(client_has(stream, "content-type: application/grpc"));
    assert_true(str_eq(buf_str(&stream->body), STR("\0\0\0\0\12own shared")));

    side.finish_on_half_close = true;
    client_write(&client, stream, NULL, 0, true);
    pump(&side, &client);
    assert_int_equal(side.half_closes, 1);
    assert_true(stream->ended && stream->closed && client_has(stream, "grpc-status: 0"));
    assert_string_equal(side.reason, "finished");
    assert_int_equal(grpc_server_calls(side.server), 0);
    blob_unref(blob);
    stop(&side, &client);
}

static void messages_come_in_any_cuts(void **state)
{
    (void)state;
    struct side side;
    struct h2_client client;
    start(&side, &client);
    struct client_stream *stream = call_with(&side, &client, "", 0, false);
    static const char bytes[] = "\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\4defg";
    for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
        client_write(&client, stream, bytes + i, 1, false);
        pump(&side, &client);
    }
    assert_int_equal(side.messages, 3);
    assert_true(str_eq(buf_str(&side.last), STR("defg")));
    /* one that is larger than the window, within the limit */
    static uint8_t large[100000 + 5] = {0, 0, 0x01, 0x86, 0xa0};
    client_write(&client, stream, large, sizeof(large), true);
    pump(&side, &client);
    assert_int_equal(side.messages, 4);
    assert_int_equal(side.last.len, 100000);
    assert_int_equal(side.half_closes, 1);
    stop(&side, &client);
    assert_string_equal(side.reason, "test over");
}

static void check_refused(const char *bytes, size_t len, bool end, const char *status_line)
{
    struct side side;
    struct h2_client client;
    start(&side, &client);
    struct client_stream *stream = call_with(&side, &client, bytes, len, end);
    assert_true(client_has(stream, status_line));
    assert_true(stream->closed && stream->error == 0);
    assert_int_equal(side.messages, 0);
    stop(&side, &client);
}

static void bad_messages_end_the_call(void **state)
{
    (void)state;
    check_refused("\1\0\0\0\1a", 6, false, "grpc-status: 12\n");
    check_refused("\7\0\0\0\1a", 6, false, "grpc-status: 13\n");
    check_refused("\0\0\1\x86\xa1", 5, false, "grpc-status: 8\n");
    check_refused("\0\xff\xff\xff\xff", 5, true, "grpc-status: 8\n");
    check_refused("\0\0\0\0\5abc", 8, true, "grpc-status: 13\n");
    check_refused("\0\0", 2, true, "grpc-message: the last message was cut short\n");
}

static void unfinished_messages_are_bounded(void **state)
{
    (void)state;
    struct side side;
    struct h2_client client;
    struct client_stream *streams[6];
    static char part[5 + 90000] = "\0\0\1\x5f\x90"; /* of a message of 90000 bytes */
    start(&side, &client);
    for (unsigned i = 0; i < 6; i++) { /* what all of them may hold is 400000 */
        streams[i] = call_with(&side, &client, part, 5 + 79995, false);
        assert_int_equal(client_has(streams[i], "grpc-status: 8\n"), i == 5);
    }
    assert_true(client_has(streams[5], "unfinished messages"));
    for (unsigned i = 0; i < 5; i++) {
        client_write(&client, streams[i], part, 10005, true);
    }
    pump(&side, &client);
    assert_int_equal(side.messages, 5);
    assert_int_equal(side.half_closes, 5);
    assert_int_equal(side.last.len, 90000);
    stop(&side, &client);
}

static void what_is_no_call_is_refused(void **state)
{
    (void)state;
    struct side side;
    struct h2_client client;
    start(&side, &client);
    struct client_stream *unknown =
        client_request(&client, "POST", "/test.Echo/Other", TYPE "+proto", NULL, NULL, true);
    struct client_stream *type =
        client_request(&client, "POST", PATH, "application/json", NULL, NULL, true);
    struct client_stream *grpc_web =
        client_request(&client, "POST", PATH, "application/grpc-web", NULL, NULL, true);
    struct client_stream *get = client_request(&client, "GET", PATH, TYPE, NULL, NULL, false);
    client_write(&client, unknown, "ignored", 7, false);
    pump(&side, &client);
    assert_true(client_has(unknown, "grpc-status: 12\n"));
    assert_true(client_has(unknown, "grpc-message: unknown method /test.Echo/Other\n"));
    assert_string_equal(unknown->status, "200");
    assert_string_equal(type->status, "415");
    assert_string_equal(grpc_web->status, "415");
    assert_string_equal(get->status, "405");
    assert_int_equal(side.opened, 0);
    stop(&side, &client);
}

static void status_texts_are_escaped(void **state)
{
    (void)state;
    struct side side;
    struct h2_client client;
    start(&side, &client);
    struct client_stream *early = call_with(&side, &client, "", 0, false);
    grpc_finish(side.call, GRPC_UNAVAILABLE, STR("100% of \xc3\xbc\nlost"));
    grpc_finish(side.call, GRPC_OK, STR("too late"));
    pump(&side, &client);
    assert_true(client_has(early, "grpc-status: 14\n"));
    assert_true(client_has(early, "grpc-message: 100%25 of %C3%BC%0Alost\n"));
    /* the same after a message, so in trailers */
    struct client_stream *late = call_with(&side, &client, "", 0, false);
    const struct piece piece = PIECE_COPY(STR("x"));
    assert_true(grpc_send(side.call, &piece, 1));
    grpc_finish(side.call, GRPC_ABORTED, STR("why"));
    assert_false(grpc_send(side.call, &piece, 1));
    pump(&side, &client);
    assert_int_equal(late->body.len, 6);
    assert_true(client_has(late, "grpc-status: 10\ngrpc-message: why\n"));
    assert_int_equal(side.closed, 2);
    stop(&side, &client);
}

static void a_paused_call_stalls_its_client(void **state)
{
    (void)state;
    static uint8_t flood[300000]; /* empty messages, 5 bytes each */
    struct side side;
    struct h2_client client;
    start(&side, &client);
    side.pause_on_message = true;
    struct client_stream *stream = call_with(&side, &client, flood, sizeof(flood), true);
    assert_int_equal(side.messages, 1);
    assert_true(stream->send.len >= sizeof(flood) - H2_STREAM_WINDOW);
    grpc_call_resume(side.call);
    assert_int_equal(side.messages, 2);
    assert_int_equal(side.half_closes, 0);
    side.resume_at_once = true;
    grpc_call_resume(side.call);
    pump(&side, &client);
    assert_int_equal(side.messages, sizeof(flood) / 5);
    assert_int_equal(side.half_closes, 1);
    stop(&side, &client);
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    struct side side;
    struct h2_client client;
    start(&side, &client);
    struct client_stream *stream = call_with(&side, &client, "", 0, false);
    struct blob *blob = blob_alloc(60000);
    memset(blob->data, 'a', blob->len);
    const struct piece piece = PIECE_BLOB(blob);
    assert_true(grpc_send(side.call, &piece, 1));
    assert_false(grpc_send(side.call, &piece, 1));
    assert_int_equal(grpc_call_queued(side.call), 60005);
    side.wire.full = true;
    pump(&side, &client);
    assert_int_equal(stream->body.len, 0);
    nghttp2_submit_rst_stream(client.ng, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
    pump(&side, &client);
    assert_int_equal(side.closed, 1);
    assert_string_equal(side.reason, "cancelled by the client");
    side.wire.full = false;
    pump(&side, &client);
    assert_int_equal(blob->refs, 1);
    blob_unref(blob);
    stop(&side, &client);
}

/* The path that matters: one message to each of many connections, over sockets. */
#define CONNS 50

static void many_connections(void **state)
{
    (void)state;
    static struct h2_client clients[CONNS];
    struct side side = {.tag = &side};
    struct loop loop;
    int fds[CONNS];
    const struct grpc_options options = {
        .methods = methods, .nmethods = 1, .on_conn_closed = on_conn_closed};
    struct sockaddr_storage peer = {.ss_family = AF_INET};
    struct buf got;
    buf_init(&got, BUF_UNLIMITED);
    buf_init(&side.last, BUF_UNLIMITED);
    assert_true(loop_init(&loop, "test", NULL));
    side.server = grpc_server_new(&loop, &options, &side);
    struct grpc_call *calls[CONNS];
    for (unsigned i = 0; i < CONNS; i++) {
        int server_fd;
        fds[i] = socket_pair(&server_fd);
        grpc_server_accept(side.server, server_fd, &peer, NULL, side.tag);
        client_init(&clients[i], false);
        client_request(&clients[i], "POST", PATH, TYPE, NULL, NULL, true);
        nghttp2_session_send(clients[i].ng);
        assert_true(write(fds[i], clients[i].out.data, clients[i].out.len) > 0);
        until(&loop, side.opened == i + 1);
        calls[i] = side.call;
    }
    assert_int_equal(grpc_server_conns(side.server), CONNS);
    struct blob *blob = blob_alloc(700);
    memset(blob->data, 'a', blob->len);
    const struct piece piece = PIECE_BLOB(blob);
    for (unsigned i = 0; i < CONNS; i++) {
        assert_true(grpc_send(calls[i], &piece, 1));
    }
    turn(&loop, 2);
    assert_int_equal(blob->refs, 1); /* all with the kernel, nothing kept */
    for (unsigned i = 0; i < CONNS; i++) {
        while (receive(fds[i], &got) > 0) {
            nghttp2_session_mem_recv(clients[i].ng, got.data, got.len);
            buf_clear(&got);
        }
        assert_int_equal(clients[i].streams[0].body.len, 705);
    }
    close(fds[0]);
    until(&loop, side.closed == 1);
    assert_string_equal(side.reason, "closed by peer");
    grpc_server_shutdown(side.server);
    turn(&loop, 2);
    grpc_server_free(side.server);
    until(&loop, side.conns_closed == CONNS);
    assert_int_equal(side.closed, CONNS);
    assert_string_equal(side.reason, "the server stops");
    loop_release(&loop);
    for (unsigned i = 0; i < CONNS; i++) {
        client_release(&clients[i]);
        if (i > 0) {
            close(fds[i]);
        }
    }
    blob_unref(blob);
    buf_release(&got);
    buf_release(&side.last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation),
        cmocka_unit_test(messages_come_in_any_cuts),
        cmocka_unit_test(bad_messages_end_the_call),
        cmocka_unit_test(unfinished_messages_are_bounded),
        cmocka_unit_test(what_is_no_call_is_refused),
        cmocka_unit_test(status_texts_are_escaped),
        cmocka_unit_test(a_paused_call_stalls_its_client),
        cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(many_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
