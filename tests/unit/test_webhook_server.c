/* SPDX-License-Identifier: Apache-2.0 */
/* Does the HTTPS port answer over real TLS, let in only who knows the token, and change its
 * certificate without losing who is connected? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/log.h"
#include "ca/keyring.h"
#include "ca/serving.h"
#include "net_fixture.h"
#include "webhook/server.h"

#define HOST "heddle.heddle-system.svc"

struct world {
    struct loop loop;
    struct keyring ring;
    struct serving *serving;
    struct webhook_server *server;
};

static struct str token(void *user)
{
    return ((struct world *)user)->ring.token;
}

static void echo(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    (void)user;
    h1_reply_send(reply, 200, "text/plain",
                  PIECE_COPY(request->method == H1_POST ? request->body : request->path));
}

static const struct webhook_route routes[] = {
    {.path = "/echo", .post = true, .handle = echo},
    {.path = "/replica/", .needs_token = true, .handle = echo},
};

static void start(struct world *world)
{
    static const struct str hosts[] = {STR(HOST)};
    struct err err;
    memset(world, 0, sizeof(*world));
    log_set_level(LOG_ERROR);
    assert_true(loop_init(&world->loop, "test", &err));
    assert_true(keyring_make((int64_t)time(NULL), &world->ring, &err));
    const struct serving_config serving = {.loop = &world->loop, .hosts = hosts, .nhosts = 1};
    world->serving = serving_new(&serving);
    const struct webhook_server_config config = {.loop = &world->loop,
                                                 .address = STR("127.0.0.1:0"),
                                                 .serving = world->serving,
                                                 .token = token,
                                                 .user = world};
    assert_true(webhook_server_start(&config, &world->server, &err));
    webhook_server_routes(world->server, routes, sizeof(routes) / sizeof(routes[0]), world);
}

static void stop(struct world *world)
{
    webhook_server_stop(world->server);
    serving_free(world->serving);
    keyring_release(&world->ring);
    loop_release(&world->loop);
}

/* A client that trusts the bundle and wants HOST. */
struct client {
    SSL_CTX *ssl_ctx;
    SSL *ssl;
    int fd;
};

static void dial(struct client *client, struct world *world, struct str bundle)
{
    struct sockaddr_storage addr;
    struct timeval wait = {.tv_usec = 1000};
    BIO *bio = BIO_new_mem_buf(bundle.ptr, (int)bundle.len);
    X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    client->ssl_ctx = SSL_CTX_new(TLS_client_method());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(client->ssl_ctx), ca);
    SSL_CTX_set_verify(client->ssl_ctx, SSL_VERIFY_PEER, NULL);
    X509_free(ca);
    BIO_free(bio);
    assert_true(addr_parse(str_from(webhook_server_address(world->server)), &addr, NULL));
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&addr, addr_len(&addr)), 0);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    client->ssl = SSL_new(client->ssl_ctx);
    SSL_set_fd(client->ssl, client->fd);
    SSL_set1_host(client->ssl, HOST);
}

static bool shake_hands(struct client *client, struct world *world)
{
    for (unsigned i = 0; i < 1000; i++) {
        int rc = SSL_connect(client->ssl);
        if (rc == 1) {
            return true;
        }
        if (SSL_get_error(client->ssl, rc) != SSL_ERROR_WANT_READ) {
            return false;
        }
        turn(&world->loop, 1);
    }
    return false;
}

static void hang_up(struct client *client, struct world *world)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->ssl_ctx);
    close(client->fd);
    turn(&world->loop, 2);
    ERR_clear_error();
}

/* The answer to one request, "" when the connection is lost. */
static const char *ask(struct client *client, struct world *world, const char *request)
{
    static char answer[4096];
    int len = 0;
    assert_int_equal(SSL_write(client->ssl, request, (int)strlen(request)), strlen(request));
    for (unsigned i = 0; i < 1000 && len <= 0; i++) {
        turn(&world->loop, 1);
        len = SSL_read(client->ssl, answer, sizeof(answer) - 1);
    }
    answer[len > 0 ? len : 0] = '\0';
    return answer;
}

static void only_replicas_have_the_token(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    char request[512];
    start(&world);
    serving_keyring(world.serving, &world.ring);
    dial(&client, &world, world.ring.bundle);
    assert_true(shake_hands(&client, &world));
    assert_non_null(
        strstr(ask(&client, &world, "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
               "HTTP/1.1 200 OK"));
    assert_non_null(strstr(ask(&client, &world, "GET /echo HTTP/1.1\r\n\r\n"), " 405 "));
    assert_non_null(strstr(ask(&client, &world, "GET /other HTTP/1.1\r\n\r\n"), " 404 "));
    assert_non_null(strstr(ask(&client, &world, "GET /replica/acks HTTP/1.1\r\n\r\n"), " 401 "));
    snprintf(request, sizeof(request),
             "GET /replica/acks HTTP/1.1\r\nAuthorization: Bearer %.*sx\r\n\r\n",
             STR_FMT(str_sub(world.ring.token, 1, world.ring.token.len)));
    assert_non_null(strstr(ask(&client, &world, request), " 401 "));
    snprintf(request, sizeof(request),
             "GET /replica/acks HTTP/1.1\r\nAuthorization: Bearer %.*s\r\n\r\n",
             STR_FMT(world.ring.token));
    assert_non_null(strstr(ask(&client, &world, request), "/replica/acks"));
    hang_up(&client, &world);
    stop(&world);
}

static void nobody_is_answered_without_a_certificate(void **state)
{
    (void)state;
    struct world world;
    struct client client;
    start(&world);
    dial(&client, &world, world.ring.bundle);
    assert_false(shake_hands(&client, &world));
    hang_up(&client, &world);
    stop(&world);
}

/* The CA is replaced: who is connected stays so, who comes now meets the new one. */
static void certificates_change_under_open_connections(void **state)
{
    (void)state;
    struct world world;
    struct client before, after, stranger;
    struct keyring other;
    struct err err;
    start(&world);
    serving_keyring(world.serving, &world.ring);
    dial(&before, &world, world.ring.bundle);
    assert_true(shake_hands(&before, &world));
    assert_true(keyring_make((int64_t)time(NULL), &other, &err));
    serving_keyring(world.serving, &other);
    assert_non_null(strstr(ask(&before, &world, "GET /other HTTP/1.1\r\n\r\n"), " 404 "));
    dial(&after, &world, other.bundle);
    assert_true(shake_hands(&after, &world));
    assert_non_null(strstr(ask(&after, &world, "GET /other HTTP/1.1\r\n\r\n"), " 404 "));
    dial(&stranger, &world, world.ring.bundle);
    assert_false(shake_hands(&stranger, &world));
    hang_up(&before, &world);
    hang_up(&after, &world);
    hang_up(&stranger, &world);
    keyring_release(&other);
    stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_replicas_have_the_token),
        cmocka_unit_test(nobody_is_answered_without_a_certificate),
        cmocka_unit_test(certificates_change_under_open_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
