/* SPDX-License-Identifier: Apache-2.0 */
/* admin: the HTTP endpoint for people and probes. */
#include "admin/admin.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "net/addr.h"
#include "net/listener.h"
#include "net/loop.h"

#define ADMIN_BODY_MAX (2u << 20) /* of a request: files to be planned */
#define ADMIN_LIST_MAX 65536      /* the answer to "/" */
#define JSON_TYPE "application/json"
#define TEXT_TYPE "text/plain; charset=utf-8"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct admin {
    struct admin_config config;
    struct listener *listener;
    struct h1_server *server;
};

static void reply_buf(struct h1_reply *reply, unsigned status, const char *type, struct buf *body)
{
    if (!buf_ok(body)) {
        h1_reply_text(reply, 500, "the answer is too large");
    } else {
        h1_reply_send(reply, status, type, PIECE_COPY(buf_str(body)));
    }
    buf_release(body);
}

void admin_reply_json(struct h1_reply *reply, struct buf *out)
{
    reply_buf(reply, 200, JSON_TYPE, out);
}

static struct str unescape(struct arena *arena, struct str text)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%' && i + 2 < text.len && str_hex_digit(text.ptr[i + 1]) >= 0 &&
            str_hex_digit(text.ptr[i + 2]) >= 0) {
            c = (char)(str_hex_digit(text.ptr[i + 1]) * 16 + str_hex_digit(text.ptr[i + 2]));
            i += 2;
        }
        out[len++] = c;
    }
    return str_span(out, len);
}

struct str admin_query(struct arena *arena, struct str query, struct str name)
{
    while (query.len > 0) {
        struct str value = str_cut(&query, '&');
        struct str key = str_cut(&value, '=');
        if (str_eq(key, name)) {
            return unescape(arena, value);
        }
    }
    return STR_NULL;
}

static void reply_list(const struct admin *admin, struct h1_reply *reply)
{
    struct buf out;
    buf_init(&out, ADMIN_LIST_MAX);
    buf_printf(&out,
               "heddle %s\n\n/live           200 while the process answers\n"
               "/ready          200 once everything is synced\n"
               "/metrics        Prometheus\n",
               HEDDLE_VERSION);
    for (size_t i = 0; i < admin->config.nroutes; i++) {
        buf_printf(&out, "%-15s %s\n", admin->config.routes[i].path, admin->config.routes[i].help);
    }
    reply_buf(reply, 200, TEXT_TYPE, &out);
}

static bool reply_builtin(const struct admin *admin, struct str path, struct h1_reply *reply)
{
    if (str_eq(path, STR("/live"))) {
        h1_reply_text(reply, 200, "live");
    } else if (str_eq(path, STR("/ready"))) {
        bool ready = admin->config.ready(admin->config.user);
        h1_reply_text(reply, ready ? 200 : 503, ready ? "ready" : "not ready");
    } else if (str_eq(path, STR("/metrics"))) {
        struct buf out;
        buf_init(&out, BUF_UNLIMITED);
        metric_render(&out);
        reply_buf(reply, 200, METRICS_TYPE, &out);
    } else if (str_eq(path, STR("/"))) {
        reply_list(admin, reply);
    } else {
        return false;
    }
    return true;
}

static bool is_near(const struct admin *admin, const struct sockaddr_storage *peer)
{
    return admin->config.open || addr_is_loopback(peer);
}

static void handle(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    const struct admin *admin = user;
    if (request->method != H1_POST && reply_builtin(admin, request->path, reply)) {
        return;
    }
    for (size_t i = 0; i < admin->config.nroutes; i++) {
        const struct admin_route *route = &admin->config.routes[i];
        if (!str_eq(request->path, str_from(route->path))) {
            continue;
        }
        if (!is_near(admin, request->peer)) {
            h1_reply_text(
                reply, 403,
                "only for this host: ask in the pod (kubectl exec, kubectl port-forward), "
                "or start heddle serve with --admin-open");
            return;
        }
        if (route->post != (request->method == H1_POST)) {
            h1_reply_text(reply, 405, route->post ? "only POST" : "only GET and HEAD");
            return;
        }
        if (route->handle != NULL) {
            route->handle(admin->config.user, request, reply);
            return;
        }
        struct buf out;
        buf_init(&out, BUF_UNLIMITED);
        route->json(admin->config.user, &out);
        admin_reply_json(reply, &out);
        return;
    }
    if (request->method == H1_POST) {
        h1_reply_text(reply, 405, "only GET and HEAD");
    } else {
        h1_reply_text(reply, 404, "no such path; / lists them");
    }
}

static void accepted(void *user, int fd, const struct sockaddr_storage *peer)
{
    struct admin *admin = user;
    h1_server_accept(admin->server, fd, peer, NULL);
}

static void refused(void *user, const struct sockaddr_storage *peer)
{
    const struct admin *admin = user;
    char text[ADDR_TEXT_MAX];
    addr_text(peer, text);
    metric_add(M_admin_refused_connections, 1);
    log_at(LOG_WARN, "admin", "too many connections", KV_TEXT("peer", text),
           KV_INT("max", admin->config.conns_max));
}

bool admin_start(const struct admin_config *config, struct admin **ret_admin, struct err *err)
{
    struct admin *admin = xcalloc(1, sizeof(*admin));
    admin->config = *config;
    const struct h1_options options = {.body_max = ADMIN_BODY_MAX,
                                       .conns_max = config->conns_max,
                                       .handler = handle,
                                       .on_refused = refused};
    admin->server = h1_server_new(config->loop, &options, admin);
    admin->listener = listener_new(config->loop, config->address, accepted, admin, err);
    if (admin->listener == NULL) {
        h1_server_free(admin->server);
        free(admin);
        return err_prefix(err, "admin");
    }
    *ret_admin = admin;
    return true;
}

const char *admin_address(const struct admin *admin)
{
    return listener_address(admin->listener);
}

void admin_stop(struct admin *admin)
{
    if (admin == NULL) {
        return;
    }
    listener_free(admin->listener);
    h1_server_free(admin->server);
    free(admin);
}
