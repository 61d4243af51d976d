/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_fixture: an API server in the process of the test, as far as its words go: it reads
 * requests and says what the test tells it to, in pieces when it likes.
 *
 * answer(user, ask) is called for each request; it calls api_reply(), or api_begin() and later
 * api_say() and api_end(), or nothing at all.
 */
#ifndef HEDDLE_TESTS_API_FIXTURE_H
#define HEDDLE_TESTS_API_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/panic.h"
#include "kube/kube.h"
#include "net/loop.h"
#include "net_fixture.h"

#define API_REQUESTS_MAX 512

struct api;

/* A connection, and the request on it that is being answered. */
struct ask {
    struct list link;
    uv_tcp_t tcp;
    struct api *api;
    struct buf in;
    char method[16], path[1024], auth[256], accept[256];
    struct str body; /* during answer() */
    char chunk[65536];
};

struct api {
    struct loop *loop;
    uv_tcp_t listener;
    struct list asks;
    unsigned port;
    unsigned connections; /* ever */
    void (*answer)(void *user, struct ask *ask);
    void *user;
    unsigned requests; /* ever; the first of them by name: */
    char log[API_REQUESTS_MAX][1100];
    char kubeconfig[64]; /* a file that leads here */
};

static inline void ask_gone(uv_handle_t *handle)
{
    struct ask *ask = handle->data;
    buf_release(&ask->in);
    free(ask);
}

static inline void ask_close(struct ask *ask)
{
    if (!uv_is_closing((uv_handle_t *)&ask->tcp)) {
        list_remove(&ask->link);
        uv_close((uv_handle_t *)&ask->tcp, ask_gone);
    }
}

/* Not closed yet. The ask may be gone: it is only looked for. */
static inline bool api_has(const struct api *api, const struct ask *ask)
{
    list_for_each (it, &api->asks) {
        if (list_entry(it, struct ask, link) == ask) {
            return true;
        }
    }
    return false;
}

static inline void api_write(struct ask *ask, const char *data, size_t len)
{
    const struct api *api = ask->api;
    while (len != 0 && api_has(api, ask)) {
        uv_buf_t piece = uv_buf_init((char *)data, (unsigned)len);
        int n = uv_try_write((uv_stream_t *)&ask->tcp, &piece, 1);
        if (n < 0 && n != UV_EAGAIN) {
            return;
        }
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else {
            uv_run(&api->loop->uv, UV_RUN_NOWAIT); /* let the other end read */
        }
    }
}

/* headers: each with its "\r\n". */
static inline void api_reply_with(struct ask *ask, unsigned status, const char *headers,
                                  const char *body)
{
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    buf_printf(&out,
               "HTTP/1.1 %u X\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n",
               status, headers, strlen(body));
    buf_add_text(&out, body);
    api_write(ask, (const char *)out.data, out.len);
    buf_release(&out);
}

static inline void api_reply(struct ask *ask, unsigned status, const char *body)
{
    api_reply_with(ask, status, "", body);
}

/* A body in chunks. */
static inline void api_begin(struct ask *ask)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    api_write(ask, head, sizeof(head) - 1);
}

static inline void api_say(struct ask *ask, const char *text)
{
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    buf_printf(&out, "%zx\r\n", strlen(text));
    buf_add_text(&out, text);
    buf_add_text(&out, "\r\n");
    api_write(ask, (const char *)out.data, out.len);
    buf_release(&out);
}

static inline void api_end(struct ask *ask)
{
    api_write(ask, "0\r\n\r\n", 5);
}

static inline void ask_header(struct ask *ask, struct str head, const char *name, char *ret_value,
                              size_t size)
{
    char *copy = str_dup(head);
    char *found = strcasestr(copy, name);
    ret_value[0] = '\0';
    if (found != NULL) {
        found += strlen(name);
        snprintf(ret_value, size, "%.*s", (int)strcspn(found, "\r\n"), found);
    }
    free(copy);
    (void)ask;
}

static inline void ask_take(struct ask *ask, struct str head, size_t body_len)
{
    struct api *api = ask->api;
    struct str line = str_sub(head, 0, str_index(head, '\r')), rest = line;
    struct str method = str_cut(&rest, ' '), path = str_cut(&rest, ' ');
    snprintf(ask->method, sizeof(ask->method), "%.*s", STR_FMT(method));
    snprintf(ask->path, sizeof(ask->path), "%.*s", STR_FMT(path));
    ask_header(ask, head, "\r\nAuthorization: ", ask->auth, sizeof(ask->auth));
    ask_header(ask, head, "\r\nAccept: ", ask->accept, sizeof(ask->accept));
    char *body = str_dup(str_span((const char *)ask->in.data + head.len, body_len));
    ask->body = str_span(body, body_len);
    buf_consume(&ask->in, head.len + body_len);
    if (api->requests < API_REQUESTS_MAX) {
        snprintf(api->log[api->requests], sizeof(api->log[0]), "%s %s", ask->method, ask->path);
    }
    api->requests++;
    api->answer(api->user, ask);
    free(body);
}

static inline void ask_room(uv_handle_t *handle, size_t size, uv_buf_t *ret_room)
{
    struct ask *ask = handle->data;
    (void)size;
    *ret_room = uv_buf_init(ask->chunk, sizeof(ask->chunk));
}

static inline void ask_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *room)
{
    struct ask *ask = stream->data;
    if (len < 0) {
        ask_close(ask);
        return;
    }
    buf_add(&ask->in, room->base, (size_t)len);
    for (;;) {
        char length[32];
        char *end = ask->in.len != 0 ? memmem(ask->in.data, ask->in.len, "\r\n\r\n", 4) : NULL;
        if (end == NULL || uv_is_closing((uv_handle_t *)stream)) {
            return;
        }
        struct str head =
            str_span((const char *)ask->in.data, (size_t)(end - (char *)ask->in.data) + 4);
        ask_header(ask, head, "\r\nContent-Length: ", length, sizeof(length));
        size_t body = strtoul(length, NULL, 10);
        if (ask->in.len < head.len + body) {
            return;
        }
        ask_take(ask, head, body);
    }
}

static inline void api_accept(uv_stream_t *listener, int status)
{
    struct api *api = listener->data;
    struct ask *ask = xcalloc(1, sizeof(*ask));
    ASSERT(status == 0);
    ask->api = api;
    buf_init(&ask->in, BUF_UNLIMITED);
    uv_tcp_init(listener->loop, &ask->tcp);
    ask->tcp.data = ask;
    list_append(&api->asks, &ask->link);
    api->connections++;
    ASSERT(uv_accept(listener, (uv_stream_t *)&ask->tcp) == 0);
    uv_tcp_nodelay(&ask->tcp, 1);
    uv_read_start((uv_stream_t *)&ask->tcp, ask_room, ask_read);
}

static inline void api_kubeconfig(struct api *api, const char *user)
{
    FILE *file = fopen(api->kubeconfig, "w");
    ASSERT(file != NULL);
    fprintf(file,
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n"
            "clusters: [{name: here, cluster: {server: 'http://127.0.0.1:%u/'}}]\n"
            "users: [{name: me, user: {%s}}]\n"
            "contexts: [{name: test, context: {cluster: here, user: me, namespace: mine}}]\n",
            api->port, user);
    fclose(file);
}

/* port 0: any. */
static inline void api_listen(struct api *api, unsigned port)
{
    struct sockaddr_storage addr;
    int len = sizeof(addr);
    char text[32];
    snprintf(text, sizeof(text), "127.0.0.1:%u", port);
    ASSERT(addr_parse(str_from(text), &addr, NULL));
    uv_tcp_init(&api->loop->uv, &api->listener);
    api->listener.data = api;
    ASSERT(uv_tcp_bind(&api->listener, (struct sockaddr *)&addr, 0) == 0);
    ASSERT(uv_listen((uv_stream_t *)&api->listener, 64, api_accept) == 0);
    ASSERT(uv_tcp_getsockname(&api->listener, (struct sockaddr *)&addr, &len) == 0);
    api->port = ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

static inline struct api *api_start(struct loop *loop, void (*answer)(void *, struct ask *),
                                    void *user)
{
    struct api *api = xcalloc(1, sizeof(*api));
    api->loop = loop;
    api->answer = answer;
    api->user = user;
    list_init(&api->asks);
    api_listen(api, 0);
    snprintf(api->kubeconfig, sizeof(api->kubeconfig), "/tmp/heddle-api-XXXXXX");
    int fd = mkstemp(api->kubeconfig);
    ASSERT(fd >= 0);
    close(fd);
    api_kubeconfig(api, "token: secret");
    return api;
}

/* The server goes away: connections break, nobody listens. api_listen(api, api->port) brings it
 * back. */
static inline void api_down(struct api *api)
{
    list_for_each_safe (it, &api->asks) {
        ask_close(list_entry(it, struct ask, link));
    }
    uv_close((uv_handle_t *)&api->listener, NULL);
    uv_run(&api->loop->uv, UV_RUN_NOWAIT);
}

static inline void api_free(struct api *api)
{
    if (!uv_is_closing((uv_handle_t *)&api->listener)) {
        api_down(api);
    }
    uv_run(&api->loop->uv, UV_RUN_NOWAIT);
    unlink(api->kubeconfig);
    free(api);
}

static inline struct kube *api_kube(struct api *api)
{
    struct kube *kube = NULL;
    struct err err;
    if (!kube_new(api->loop, &(struct kube_options){.kubeconfig = api->kubeconfig}, &kube, &err)) {
        panic("%s", err.text);
    }
    return kube;
}

#endif
