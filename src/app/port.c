/* SPDX-License-Identifier: Apache-2.0 */
/* port: see port.h. */
#include "app/port.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "net/addr.h"
#include "net/listener.h"

struct port {
    struct port_config config;
    struct listener *listener;
    struct h1_server *server;
};

static bool knows_token(const struct port *port, struct str authorization)
{
    static const struct str bearer = STR("Bearer ");
    struct str token = port->config.token;
    struct str given = str_sub(authorization, bearer.len, authorization.len);
    return token.len > 0 && str_starts_with(authorization, bearer) && given.len == token.len &&
           CRYPTO_memcmp(given.ptr, token.ptr, token.len) == 0;
}

static void handle(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    const struct port *port = user;
    for (size_t i = 0; i < port->config.nroutes; i++) {
        const struct webhook_route *route = &port->config.routes[i];
        if (!str_eq(request->path, str_from(route->path))) {
            continue;
        }
        if (route->needs_token && !knows_token(port, request->authorization)) {
            h1_reply_text(reply, 401, "only for other replicas of heddle");
        } else if (route->post != (request->method == H1_POST)) {
            h1_reply_text(reply, 405, route->post ? "only POST" : "only GET and HEAD");
        } else {
            route->handle(port->config.user, request, reply);
        }
        return;
    }
    h1_reply_text(reply, 404, "no such path");
}

static void accepted(void *user, int fd, const struct sockaddr_storage *peer)
{
    h1_server_accept(((struct port *)user)->server, fd, peer, NULL);
}

static void refused(void *user, const struct sockaddr_storage *peer)
{
    const struct port *port = user;
    char text[ADDR_TEXT_MAX];
    addr_text(peer, text);
    metric_add(M_agents_refused_connections, 1);
    log_at(LOG_WARN, "app", "too many connections", KV_TEXT("port", port->config.name),
           KV_TEXT("peer", text), KV_INT("max", port->config.conns_max));
}

bool port_start(const struct port_config *config, struct port **ret_port, struct err *err)
{
    struct port *port = xcalloc(1, sizeof(*port));
    const struct h1_options options = {
        .conns_max = config->conns_max,
        .conns_per_peer = config->conns_per_peer,
        .handler = handle,
        .on_refused = refused,
    };
    port->config = *config;
    port->server = h1_server_new(config->loop, &options, port);
    port->listener = listener_new(config->loop, config->address, accepted, port, err);
    if (port->listener == NULL) {
        h1_server_free(port->server);
        free(port);
        return err_prefix(err, "%s", config->name);
    }
    *ret_port = port;
    return true;
}

const char *port_address(const struct port *port)
{
    return listener_address(port->listener);
}

void port_stop(struct port *port)
{
    if (port != NULL) {
        listener_free(port->listener);
        h1_server_free(port->server);
        free(port);
    }
}
