/* SPDX-License-Identifier: Apache-2.0 */
/* Does the HTTP/1.1 server answer now and later, keep its limits, and refuse what is wrong? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/h1.h"
#include "net_fixture.h"

#define LARGE_BODY 1000000 /* bytes */
#define LARGE_REQUESTS 50

struct side {
    struct h1_server *server;
    struct h1_conn *conn;
    struct wire wire;
    unsigned requests;
    struct h1_reply *later; /* of a request for /later */
    char seen[256];
};

static void handle(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    static const char *const methods[] = {"GET", "HEAD", "POST"};
    struct side *side = user;
    side->requests++;
    snprintf(side->seen, sizeof(side->seen), "%s %.*s ?%.*s [%.*s] {%.*s} %zu",
             methods[request->method], STR_FMT(request->path), STR_FMT(request->query),
             STR_FMT(request->content_type), STR_FMT(request->authorization), request->body.len);
    if (str_eq(request->path, STR("/later"))) {
        side->later = reply;
    } else if (str_eq(request->path, STR("/missing"))) {
        h1_reply_text(reply, 404, "no such page");
    } else if (str_eq(request->path, STR("/large"))) {
        struct blob *blob = blob_alloc(LARGE_BODY);
        memset(blob->data, ' ', LARGE_BODY);
        h1_reply_send(reply, 200, "text/plain", PIECE_BLOB(blob));
        blob_unref(blob);
    } else {
        struct blob *blob = blob_new("{}", 2);
        h1_reply_send(reply, 200, "application/json", PIECE_BLOB(blob));
        blob_unref(blob);
    }
}

static void start_with(struct side *side, size_t bodies_max)
{
    const struct h1_options options = {
        .handler = handle, .body_max = 1000, .bodies_max = bodies_max};
    memset(side, 0, sizeof(*side));
    side->server = h1_server_new(NULL, &options, side);
    side->conn = h1_server_attach(side->server, wire_transport(&side->wire));
}

static void start(struct side *side)
{
    start_with(side, 0);
}

static void stop(struct side *side)
{
    h1_server_free(side->server);
    h1_lost(side->conn, "test over");
    buf_release(&side->wire.out);
}

static void send_text(struct side *side, const char *text)
{
    h1_feed(side->conn, (const uint8_t *)text, strlen(text));
}

static bool answered(const struct side *side, const char *text)
{
    return str_contains(buf_str(&side->wire.out), str_from(text));
}

static void requests_are_answered(void **state)
{
    (void)state;
    struct side side;
    start(&side);
    send_text(&side, "GET /a/b?c=d&e HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n\r\n");
    assert_string_equal(side.seen, "GET /a/b ?c=d&e [] {Bearer t} 0");
    assert_true(answered(&side, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                "Content-Length: 2\r\n"));
    assert_true(answered(&side, "Connection: keep-alive\r\n\r\n{}"));
    buf_clear(&side.wire.out);
    send_text(&side, "HEAD /a HTTP/1.1\r\n\r\n");
    assert_true(answered(&side, "Content-Length: 2\r\n"));
    assert_false(answered(&side, "{}"));
    buf_clear(&side.wire.out);
    send_text(&side, "POST /p HTTP/1.1\r\ncontent-TYPE: a/b\r\nContent-Length: 5\r\n\r\nhel");
    assert_int_equal(side.wire.out.len, 0);
    send_text(&side, "lo");
    assert_string_equal(side.seen, "POST /p ? [a/b] {} 5");
    send_text(&side, "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
    assert_string_equal(side.seen, "POST /p ? [] {} 7");
    buf_clear(&side.wire.out);
    send_text(&side, "POST /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(str_eq(buf_str(&side.wire.out), STR("HTTP/1.1 100 Continue\r\n\r\n")));
    send_text(&side, "ab");
    send_text(&side, "GET /missing HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    assert_true(answered(&side, "404 Not Found\r\n"));
    assert_true(answered(&side, "\r\n\r\nno such page\n"));
    assert_false(side.wire.closed);
    send_text(&side, "GET / HTTP/1.0\r\n\r\n");
    assert_int_equal(side.requests, 7);
    assert_true(side.wire.closed && side.wire.mode == CLOSE_AFTER_FLUSH);
    stop(&side);
}

static void bytes_may_come_one_by_one(void **state)
{
    (void)state;
    struct side side;
    start(&side);
    static const char bytes[] = "POST /x?y HTTP/1.1\r\nContent-Type: text/plain\r\nA: b\r\n"
                                "Content-Length: 3\r\n\r\nabcGET /z HTTP/1.1\r\n\r\n";
    for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
        h1_feed(side.conn, (const uint8_t *)bytes + i, 1);
        if (side.requests == 1) {
            assert_string_equal(side.seen, "POST /x ?y [text/plain] {} 3");
        }
    }
    assert_int_equal(side.requests, 2);
    stop(&side);
}

static void an_answer_may_come_later(void **state)
{
    (void)state;
    struct side side;
    start(&side);
    send_text(&side, "GET /later HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP");
    assert_int_equal(side.requests, 1);
    assert_true(side.wire.paused);
    send_text(&side, "/1.1\r\n\r\n");
    assert_int_equal(side.wire.out.len, 0);
    h1_reply_text(side.later, 200, "late");
    assert_true(answered(&side, "late\n"));
    assert_int_equal(side.requests, 3);
    assert_false(side.wire.paused);
    /* ... also after the client has gone */
    send_text(&side, "GET /later HTTP/1.1\r\n\r\n");
    assert_false(h1_reply_is_lost(side.later));
    stop(&side);
    assert_true(h1_reply_is_lost(side.later));
    h1_reply_text(side.later, 200, "to nobody");
}

static void check_refused(const char *text, const char *status)
{
    struct side side;
    start(&side);
    send_text(&side, text);
    send_text(&side, "more");
    assert_true(answered(&side, status));
    assert_true(side.wire.closed && side.wire.mode == CLOSE_AFTER_FLUSH);
    assert_int_equal(side.requests, 0);
    stop(&side);
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    static char large[H1_HEADER_MAX + 100];
    check_refused("nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n");
    check_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400 ");
    check_refused("DELETE / HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n");
    check_refused("DELETE / HTTP/1.1\r\n\r\n", "Allow: GET, HEAD, POST\r\n");
    check_refused("CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 405 ");
    check_refused("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", "HTTP/1.1 413 ");
    check_refused("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                  "HTTP/1.1 400 ");
    check_refused("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
                  "HTTP/1.1 400 ");
    memset(large, 'a', sizeof(large) - 1);
    memcpy(large, "GET /", 5);
    check_refused(large, "HTTP/1.1 431 ");
    memcpy(large, "GET / HTTP/1.1\r\nA: ", 19);
    check_refused(large, "HTTP/1.1 431 ");
    memset(large, '0', sizeof(large) - 1); /* chunks that never end, past the body's maximum */
    memcpy(large, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3f0\r\n", 52);
    large[52 + 0x3f0] = '\r';
    large[53 + 0x3f0] = '\n';
    memcpy(large + 54 + 0x3f0, "3f0\r\n", 5);
    check_refused(large, "HTTP/1.1 413 ");
}

static void too_much_at_once_is_cut_off(void **state)
{
    (void)state;
    struct side side;
    start(&side);
    send_text(&side, "GET /later HTTP/1.1\r\n\r\n");
    for (unsigned i = 0; i < 10000 && !side.wire.closed; i++) {
        send_text(&side,
                  "GET /next HTTP/1.1\r\nA: 0123456789012345678901234567890123456789\r\n\r\n");
    }
    assert_true(side.wire.closed);
    h1_reply_text(side.later, 200, "late");
    assert_int_equal(side.requests, 1);
    stop(&side);
}

static void who_does_not_read_answers_gets_no_more(void **state)
{
    (void)state;
    struct side side;
    start(&side);
    side.wire.full = true;
    send_text(&side, "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    assert_int_equal(side.requests, 0);
    assert_true(side.wire.paused);
    side.wire.full = false;
    h1_drained(side.conn);
    assert_int_equal(side.requests, 2);
    assert_false(side.wire.paused);
    send_text(&side, "GET /later HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n");
    side.wire.full = true;
    h1_reply_text(side.later, 200, "late");
    assert_int_equal(side.requests, 3);
    stop(&side);
}

static void bodies_have_a_limit_together(void **state)
{
    (void)state;
    static const char half[] = "POST /a HTTP/1.1\r\nContent-Length: 8\r\n\r\n1234";
    struct side side;
    struct wire wire = {.full = false};
    start_with(&side, 6);
    struct h1_conn *other = h1_server_attach(side.server, wire_transport(&wire));
    send_text(&side, half);
    h1_feed(other, (const uint8_t *)half, sizeof(half) - 1);
    assert_true(str_contains(buf_str(&wire.out), STR("HTTP/1.1 503 ")));
    h1_lost(other, "test over");
    buf_release(&wire.out);
    send_text(&side, "56\r\n"); /* its own 6 fit, and no more */
    assert_true(answered(&side, "HTTP/1.1 503 "));
    stop(&side);
}

static void bodies_that_are_answered_do_not_count(void **state)
{
    (void)state;
    struct side side;
    start_with(&side, 6);
    for (unsigned i = 1; i <= 3; i++) {
        send_text(&side, "POST /a HTTP/1.1\r\nContent-Length: 6\r\n\r\n123456");
        assert_int_equal(side.requests, i);
    }
    stop(&side);
}

static void over_a_socket(void **state)
{
    (void)state;
    static const char request[] = "GET /a HTTP/1.1\r\nConnection: close\r\n\r\n";
    struct side side = {.requests = 0};
    struct loop loop;
    struct buf got;
    struct sockaddr_storage peer = {.ss_family = AF_INET};
    const struct h1_options options = {.handler = handle, .conns_max = 1};
    int server_fd;
    buf_init(&got, BUF_UNLIMITED);
    assert_true(loop_init(&loop, "test", NULL));
    side.server = h1_server_new(&loop, &options, &side);
    int fd = socket_pair(&server_fd);
    h1_server_accept(side.server, server_fd, &peer, NULL);
    int fd_too_many = socket_pair(&server_fd);
    h1_server_accept(side.server, server_fd, &peer, NULL);
    assert_int_equal(h1_server_conns(side.server), 1);
    assert_int_equal(receive(fd_too_many, &got), 0);
    assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
    until(&loop, receive(fd, &got) == 0);
    assert_true(str_ends_with(buf_str(&got), STR("\r\n\r\n{}")));
    close(fd);
    close(fd_too_many);
    until(&loop, h1_server_conns(side.server) == 0);
    fd = socket_pair(&server_fd);
    h1_server_accept(side.server, server_fd, &peer, NULL);
    turn(&loop, 2);
    h1_server_free(side.server);
    loop_release(&loop);
    close(fd);
    buf_release(&got);
}

static void one_address_cannot_take_all_connections(void **state)
{
    (void)state;
    struct side side = {.requests = 0};
    struct loop loop;
    struct sockaddr_storage one, other;
    const struct h1_options options = {.handler = handle, .conns_max = 3, .conns_per_peer = 1};
    int fds[3], server_fd;
    assert_true(addr_parse(STR("10.0.0.1:1"), &one, NULL));
    assert_true(addr_parse(STR("10.0.0.2:1"), &other, NULL));
    assert_true(loop_init(&loop, "test", NULL));
    side.server = h1_server_new(&loop, &options, &side);
    for (unsigned i = 0; i < 3; i++) {
        fds[i] = socket_pair(&server_fd);
        h1_server_accept(side.server, server_fd, i < 2 ? &one : &other, NULL);
    }
    assert_int_equal(h1_server_conns(side.server), 2);
    close(fds[0]);
    until(&loop, h1_server_conns(side.server) == 1);
    fds[0] = socket_pair(&server_fd);
    h1_server_accept(side.server, server_fd, &one, NULL);
    assert_int_equal(h1_server_conns(side.server), 2);
    h1_server_free(side.server);
    loop_release(&loop);
    for (unsigned i = 0; i < 3; i++) {
        close(fds[i]);
    }
}

/* The same over a socket: what the kernel and the queue hold is answered, the rest when it is read.
 */
static void large_answers_wait_for_their_reader(void **state)
{
    (void)state;
    static const char request[] = "GET /large HTTP/1.1\r\n\r\n";
    struct side side = {.requests = 0};
    struct loop loop;
    struct buf got;
    struct sockaddr_storage peer = {.ss_family = AF_INET};
    const struct h1_options options = {.handler = handle};
    int server_fd;
    buf_init(&got, BUF_UNLIMITED);
    assert_true(loop_init(&loop, "test", NULL));
    side.server = h1_server_new(&loop, &options, &side);
    int fd = socket_pair(&server_fd);
    h1_server_accept(side.server, server_fd, &peer, NULL);
    for (unsigned i = 0; i < LARGE_REQUESTS; i++) {
        assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
    }
    turn(&loop, 20);
    assert_true(side.requests > 0 && side.requests < LARGE_REQUESTS);
    while (got.len < (size_t)LARGE_REQUESTS * LARGE_BODY) {
        uv_run(&loop.uv, UV_RUN_NOWAIT);
        assert_int_not_equal(receive(fd, &got), 0);
    }
    assert_int_equal(side.requests, LARGE_REQUESTS);
    h1_server_free(side.server);
    loop_release(&loop);
    close(fd);
    buf_release(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(an_answer_may_come_later),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(too_much_at_once_is_cut_off),
        cmocka_unit_test(bodies_have_a_limit_together),
        cmocka_unit_test(bodies_that_are_answered_do_not_count),
        cmocka_unit_test(one_address_cannot_take_all_connections),
        cmocka_unit_test(over_a_socket),
        cmocka_unit_test(who_does_not_read_answers_gets_no_more),
        cmocka_unit_test(large_answers_wait_for_their_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
