/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the parts of net work together across threads, as heddle uses them? One loop accepts, two
 * workers serve gRPC, and one blob is written to the streams of both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/panic.h"
#include "h2_client.h"
#include "net/grpc.h"
#include "net/listener.h"
#include "net/mailbox.h"
#include "net_fixture.h"

#define WORKERS 2
#define CLIENTS 40
#define MESSAGES 20

enum letter_kind { LETTER_SOCKET, LETTER_PUBLISH, LETTER_STOP };

struct letter {
    struct mail mail;
    enum letter_kind kind;
    int fd;
    struct sockaddr_storage peer;
    struct blob *blob; /* owned reference */
};

struct worker {
    struct loop loop;
    struct mailbox box;
    struct grpc_server *server;
    struct grpc_call *calls[CLIENTS];
    unsigned ncalls;
    unsigned closed;
};

struct acceptor {
    struct loop loop;
    struct mailbox box;
    struct listener *listener;
    struct worker *workers;
    unsigned accepted;
};

static void post(struct mailbox *box, struct letter letter)
{
    struct letter *copy = xmalloc(sizeof(*copy));
    *copy = letter;
    mailbox_post(box, &copy->mail);
}

static void on_open(void *user, struct grpc_call *call)
{
    struct worker *worker = user;
    grpc_call_set_user(call, worker);
    worker->calls[worker->ncalls++] = call;
}

static void on_closed(struct grpc_call *call, const char *reason)
{
    (void)reason;
    ((struct worker *)grpc_call_user(call))->closed++;
}

static void worker_deliver(void *owner, struct mail *mail)
{
    struct worker *worker = owner;
    struct letter *letter = mail_entry(mail, struct letter, mail);
    switch (letter->kind) {
    case LETTER_SOCKET:
        grpc_server_accept(worker->server, letter->fd, &letter->peer, NULL, NULL);
        break;
    case LETTER_PUBLISH:
        for (unsigned i = 0; i < worker->ncalls; i++) {
            const struct piece piece = PIECE_BLOB(letter->blob);
            grpc_send(worker->calls[i], &piece, 1);
        }
        break;
    case LETTER_STOP:
        grpc_server_free(worker->server);
        mailbox_close(&worker->box);
        loop_stop(&worker->loop);
        break;
    }
    blob_unref(letter->blob);
    free(letter);
}

static void acceptor_deliver(void *owner, struct mail *mail)
{
    struct acceptor *acceptor = owner;
    free(mail_entry(mail, struct letter, mail));
    listener_free(acceptor->listener);
    mailbox_close(&acceptor->box);
    loop_stop(&acceptor->loop);
}

static void accepted(void *user, int fd, const struct sockaddr_storage *peer)
{
    struct acceptor *acceptor = user;
    struct worker *worker = &acceptor->workers[acceptor->accepted++ % WORKERS];
    post(&worker->box, (struct letter){.kind = LETTER_SOCKET, .fd = fd, .peer = *peer});
}

static void start_worker(struct worker *worker)
{
    static const struct grpc_handler handler = {.on_open = on_open, .on_closed = on_closed};
    static const struct grpc_method method = {"/a.B/C", &handler};
    const struct grpc_options options = {.methods = &method, .nmethods = 1};
    assert_true(loop_init(&worker->loop, "worker", NULL));
    mailbox_init(&worker->box, &worker->loop, worker_deliver, worker);
    worker->server = grpc_server_new(&worker->loop, &options, worker);
    assert_true(loop_start(&worker->loop, NULL));
}

static int open_stream(struct h2_client *client, const char *address)
{
    struct sockaddr_storage addr;
    assert_true(addr_parse(str_from(address), &addr, NULL));
    int fd = socket(addr.ss_family, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, addr_len(&addr)), 0);
    client_init(client, false);
    client_request(client, "POST", "/a.B/C", "application/grpc", NULL, NULL, true);
    nghttp2_session_send(client->ng);
    assert_int_equal(write(fd, client->out.data, client->out.len), client->out.len);
    buf_clear(&client->out);
    /* our SETTINGS are answered: so the server has seen the request too */
    while (client->streams[0].status[0] == '\0' && !client->acked) {
        uint8_t data[4096];
        ssize_t len = recv(fd, data, sizeof(data), 0);
        assert_true(len > 0);
        nghttp2_session_mem_recv(client->ng, data, (size_t)len);
    }
    return fd;
}

static void one_blob_for_all_streams(void **state)
{
    (void)state;
    static struct worker workers[WORKERS];
    static struct acceptor acceptor;
    static struct h2_client clients[CLIENTS];
    int fds[CLIENTS];
    for (unsigned i = 0; i < WORKERS; i++) {
        start_worker(&workers[i]);
    }
    acceptor.workers = workers;
    assert_true(loop_init(&acceptor.loop, "acceptor", NULL));
    mailbox_init(&acceptor.box, &acceptor.loop, acceptor_deliver, &acceptor);
    acceptor.listener = listener_new(&acceptor.loop, STR("127.0.0.1:0"), accepted, &acceptor, NULL);
    assert_non_null(acceptor.listener);
    const char *address = listener_address(acceptor.listener);
    assert_true(loop_start(&acceptor.loop, NULL));
    for (unsigned i = 0; i < CLIENTS; i++) {
        fds[i] = open_stream(&clients[i], address);
    }
    for (unsigned n = 0; n < MESSAGES; n++) {
        struct blob *blob = blob_alloc(700);
        memset(blob->data, (int)n, blob->len);
        for (unsigned i = 0; i < WORKERS; i++) {
            post(&workers[i].box, (struct letter){.kind = LETTER_PUBLISH, .blob = blob_ref(blob)});
        }
        blob_unref(blob);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        while (clients[i].streams[0].body.len < 705 * MESSAGES) {
            uint8_t data[16384];
            ssize_t len = recv(fds[i], data, sizeof(data), 0);
            assert_true(len > 0);
            nghttp2_session_mem_recv(clients[i].ng, data, (size_t)len);
        }
        assert_int_equal(clients[i].streams[0].body.data[705 * MESSAGES - 1], MESSAGES - 1);
    }
    post(&acceptor.box, (struct letter){.kind = LETTER_STOP});
    loop_join(&acceptor.loop);
    loop_release(&acceptor.loop);
    mailbox_release(&acceptor.box, NULL);
    unsigned closed = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        post(&workers[i].box, (struct letter){.kind = LETTER_STOP});
        loop_join(&workers[i].loop);
        loop_release(&workers[i].loop);
        mailbox_release(&workers[i].box, NULL);
        closed += workers[i].closed;
    }
    assert_int_equal(closed, CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        close(fds[i]);
        client_release(&clients[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_blob_for_all_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
