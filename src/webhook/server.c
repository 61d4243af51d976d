/* SPDX-License-Identifier: Apache-2.0 */
/* server: finds the route of a request, and lets in who may. */
#include "webhook/server.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "ca/serving.h"
#include "net/addr.h"
#include "net/listener.h"

struct route_table {
    const struct webhook_route *routes;
    size_t len;
    void *user;
};

struct webhook_server {
    struct webhook_server_config config;
    struct listener *listener;
    struct h1_server *server;
    struct route_table tables[WEBHOOK_TABLES_MAX];
    size_t ntables;
};

static bool matches(const struct webhook_route *route, struct str path)
{
    struct str pattern = str_from(route->path);
    return str_ends_with(pattern, STR("/")) ? str_starts_with(path, pattern)
                                            : str_eq(path, pattern);
}

/* Takes the same time whatever the text is, as long as its length is. */
static bool knows_token(const struct webhook_server *server, struct str authorization)
{
    static const struct str bearer = STR("Bearer ");
    struct str token = server->config.token(server->config.user);
    struct str given = str_sub(authorization, bearer.len, authorization.len);
    return token.len > 0 && str_starts_with(authorization, bearer) && given.len == token.len &&
           CRYPTO_memcmp(given.ptr, token.ptr, token.len) == 0;
}

static void ask(const struct webhook_server *server, const struct webhook_route *route, void *user,
                const struct h1_request *request, struct h1_reply *reply)
{
    if (route->needs_token && !knows_token(server, request->authorization)) {
        h1_reply_text(reply, 401, "only for other replicas of heddle");
    } else if (route->post != (request->method == H1_POST)) {
        h1_reply_text(reply, 405, route->post ? "only POST" : "only GET and HEAD");
    } else {
        route->handle(user, request, reply);
    }
}

static void handle(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    const struct webhook_server *server = user;
    for (size_t i = 0; i < server->ntables; i++) {
        const struct route_table *table = &server->tables[i];
        for (size_t j = 0; j < table->len; j++) {
            if (matches(&table->routes[j], request->path)) {
                ask(server, &table->routes[j], table->user, request, reply);
                return;
            }
        }
    }
    h1_reply_text(reply, 404, "no such path");
}

static void accepted(void *user, int fd, const struct sockaddr_storage *peer)
{
    const struct webhook_server *server = user;
    struct tls_context *tls = serving_tls(server->config.serving);
    if (tls == NULL) {
        log_at(LOG_WARN, "webhook", "no serving certificate yet, connection closed");
        close(fd);
        return;
    }
    h1_server_accept(server->server, fd, peer, tls);
}

static void refused(void *user, const struct sockaddr_storage *peer)
{
    char text[ADDR_TEXT_MAX];
    (void)user;
    addr_text(peer, text);
    metric_add(M_webhook_refused_connections, 1);
    log_at(LOG_WARN, "webhook", "too many connections", KV_TEXT("peer", text),
           KV_INT("max", WEBHOOK_CONNS_MAX));
}

bool webhook_server_start(const struct webhook_server_config *config,
                          struct webhook_server **ret_server, struct err *err)
{
    struct webhook_server *server = xcalloc(1, sizeof(*server));
    const struct h1_options options = {.body_max = WEBHOOK_BODY_MAX,
                                       .conns_max = WEBHOOK_CONNS_MAX,
                                       .handler = handle,
                                       .on_refused = refused};
    server->config = *config;
    server->server = h1_server_new(config->loop, &options, server);
    server->listener = listener_new(config->loop, config->address, accepted, server, err);
    if (server->listener == NULL) {
        h1_server_free(server->server);
        free(server);
        return err_prefix(err, "webhook");
    }
    *ret_server = server;
    return true;
}

void webhook_server_routes(struct webhook_server *server, const struct webhook_route *routes,
                           size_t len, void *user)
{
    ASSERT(server->ntables < WEBHOOK_TABLES_MAX);
    server->tables[server->ntables++] = (struct route_table){routes, len, user};
}

const char *webhook_server_address(const struct webhook_server *server)
{
    return listener_address(server->listener);
}

void webhook_server_stop(struct webhook_server *server)
{
    if (server == NULL) {
        return;
    }
    listener_free(server->listener);
    h1_server_free(server->server);
    free(server);
}
