/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_fixture: a listener, two workers and clients over real sockets, for the tests of serve.h.
 * After cmocka.h.
 */
#ifndef HEDDLE_TESTS_SERVE_FIXTURE_H
#define HEDDLE_TESTS_SERVE_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "base/str.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "h2_client.h"
#include "net/addr.h"
#include "net/listener.h"
#include "net/loop.h"
#include "serve/serve.h"

#define CLIENTS_MAX 8
#define WAIT_STEPS_MAX 10000 /* of 1 ms */
#define SERVICE "/envoy.service.discovery.v3.AggregatedDiscoveryService/"

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest delta_request;
typedef Envoy__Service__Discovery__V3__DeltaDiscoveryResponse delta_response;
typedef Envoy__Service__Discovery__V3__DiscoveryResponse sotw_response;

struct client {
    int fd;
    struct h2_client h2;
    struct client_stream *stream;
};

struct fixture {
    struct loop loop;
    struct listener *listener;
    struct serve *serve;
    bool stopped; /* by the test */
    struct client clients[CLIENTS_MAX];
    unsigned nclients;
    const char *local; /* address of further clients; NULL: any */
    /* events */
    bool no_view;
    int on_demand; /* of CDS */
    unsigned opened, closed, rejected, accepted, dropped, reports;
    stream_id ids[CLIENTS_MAX];
    char interest[256];
    char text[256];
};

static inline void give_view(struct fixture *f, stream_id id)
{
    struct view view = {.nscopes = 1, .scopes = {STR("s")}};
    memset(view.on_demand, -1, sizeof(view.on_demand));
    view.on_demand[XDS_CDS] = f->on_demand;
    serve_view(f->serve, id, &view);
}

static inline void on_opened(void *user, stream_id id, struct node *node, struct str peer,
                             enum stream_protocol protocol)
{
    struct fixture *f = user;
    (void)protocol;
    assert_true(str_eq(node->id, STR("sidecar/default/test")));
    assert_true(str_starts_with(peer, STR("127.0.0.")));
    node_free(node);
    f->ids[f->opened++ % CLIENTS_MAX] = id;
    if (!f->no_view) {
        give_view(f, id);
    }
}

static inline void on_closed(void *user, stream_id id)
{
    (void)id;
    ((struct fixture *)user)->closed++;
}

static inline void on_interest(void *user, enum xds_type type, struct str scope, struct str name,
                               bool wanted)
{
    struct fixture *f = user;
    size_t len = strlen(f->interest);
    (void)type;
    assert_true(str_eq(scope, STR("s")));
    snprintf(f->interest + len, sizeof(f->interest) - len, "%c%.*s ", wanted ? '+' : '-',
             STR_FMT(name));
}

static inline void on_rejected(void *user, stream_id id, enum xds_type type,
                               const struct resource *const *of, size_t nof, struct str text)
{
    struct fixture *f = user;
    (void)id;
    (void)type;
    assert_int_equal(nof, 1);
    snprintf(f->text, sizeof(f->text), "%.*s: %.*s", STR_FMT(of[0]->name), STR_FMT(text));
    f->rejected++;
}

static inline void on_accepted(void *user, stream_id id, enum xds_type type,
                               const struct resource *const *of, size_t nof)
{
    (void)id;
    (void)type;
    (void)of;
    (void)nof;
    ((struct fixture *)user)->accepted++;
}

static inline void on_dropped(void *user, stream_id id, enum xds_type type, struct str name)
{
    struct fixture *f = user;
    assert_true(id == f->ids[0] && type == XDS_CDS && str_eq(name, STR("a")));
    f->dropped++;
}

static inline void on_socket(void *user, int fd, const struct sockaddr_storage *peer)
{
    serve_adopt(((struct fixture *)user)->serve, fd, (const struct sockaddr *)peer, NULL);
}

static inline void start_with(struct fixture *f, const struct serve_limits *limits, bool csds)
{
    struct err err;
    memset(f, 0, sizeof(*f));
    f->on_demand = -1;
    log_set_level(LOG_ERROR);
    assert_true(loop_init(&f->loop, "main", &err));
    struct serve_config config = {
        .workers = 2,
        .limits = *limits,
        .csds = csds,
        .events = {f, on_opened, on_closed, on_interest, on_rejected, on_accepted, on_dropped},
    };
    assert_true(serve_start(&f->loop, &config, &f->serve, &err));
    f->listener = listener_new(&f->loop, STR("127.0.0.1:0"), on_socket, f, &err);
    assert_non_null(f->listener);
}

static inline void start(struct fixture *f, const struct serve_limits *limits)
{
    start_with(f, limits, false);
}

static inline void stop(struct fixture *f)
{
    listener_free(f->listener);
    if (!f->stopped) {
        serve_stop(f->serve, 20);
    }
    loop_release(&f->loop);
    serve_free(f->serve);
    for (unsigned i = 0; i < f->nclients; i++) {
        if (f->clients[i].fd >= 0) {
            close(f->clients[i].fd);
        }
        client_release(&f->clients[i].h2);
    }
}

/* --- clients --------------------------------------------------------------------------------- */

static inline struct client *connect_client(struct fixture *f)
{
    struct client *c = &f->clients[f->nclients++];
    struct sockaddr_storage addr;
    struct err err;
    assert_true(addr_parse(str_from(listener_address(f->listener)), &addr, &err));
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (f->local != NULL) {
        struct sockaddr_in from = {.sin_family = AF_INET};
        assert_int_equal(inet_pton(AF_INET, f->local, &from.sin_addr), 1);
        assert_int_equal(bind(c->fd, (struct sockaddr *)&from, sizeof(from)), 0);
    }
    assert_int_equal(connect(c->fd, (struct sockaddr *)&addr, addr_len(&addr)), 0);
    assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
    client_init(&c->h2, false);
    return c;
}

static inline void client_turn(struct client *c)
{
    uint8_t bytes[65536];
    if (c->fd < 0) {
        return;
    }
    nghttp2_session_send(c->h2.ng);
    while (c->h2.out.len > 0) {
        ssize_t n = send(c->fd, c->h2.out.data, c->h2.out.len, MSG_NOSIGNAL);
        if (n <= 0) {
            break;
        }
        buf_consume(&c->h2.out, (size_t)n);
    }
    ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
    if (n > 0) {
        assert_int_equal(nghttp2_session_mem_recv(c->h2.ng, bytes, (size_t)n), n);
        nghttp2_session_send(c->h2.ng);
    }
}

static inline void turn(struct fixture *f)
{
    uv_run(&f->loop.uv, UV_RUN_NOWAIT);
    for (unsigned i = 0; i < f->nclients; i++) {
        client_turn(&f->clients[i]);
    }
    usleep(1000);
}

#define wait_for(f, cond)                                                                          \
    do {                                                                                           \
        for (unsigned step_ = 0; !(cond) && step_ < WAIT_STEPS_MAX; step_++) {                     \
            turn(f);                                                                               \
        }                                                                                          \
        assert_true(cond);                                                                         \
    } while (0)

static inline void send_message(struct client *c, const ProtobufCMessage *m)
{
    uint8_t bytes[4096];
    size_t len = protobuf_c_message_get_packed_size(m);
    assert_true(len + 5 <= sizeof(bytes));
    memset(bytes, 0, 5);
    bytes[3] = (uint8_t)(len >> 8);
    bytes[4] = (uint8_t)len;
    protobuf_c_message_pack(m, bytes + 5);
    client_write(&c->h2, c->stream, bytes, len + 5, false);
}

static inline void open_stream(struct client *c, const char *method)
{
    c->stream = client_request(&c->h2, "POST", method, "application/grpc", NULL, NULL, true);
}

static inline void say(struct client *c, enum xds_type type, const char *add, const char *nonce,
                       const char *error)
{
    Envoy__Config__Core__V3__Node node = ENVOY__CONFIG__CORE__V3__NODE__INIT;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    delta_request m = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    char url[128];
    char *names[] = {(char *)(uintptr_t)add};
    snprintf(url, sizeof(url), "%.*s", STR_FMT(xds_type_info(type)->url));
    node.id = (char *)(uintptr_t) "sidecar/default/test";
    m.node = &node;
    m.type_url = url;
    m.n_resource_names_subscribe = add[0] != '\0' ? 1 : 0;
    m.resource_names_subscribe = names;
    m.response_nonce = (char *)(uintptr_t)nonce;
    if (error != NULL) {
        status.message = (char *)(uintptr_t)error;
        m.error_detail = &status;
    }
    send_message(c, &m.base);
}

static inline struct client *delta_client(struct fixture *f)
{
    struct client *c = connect_client(f);
    open_stream(c, SERVICE "DeltaAggregatedResources");
    return c;
}

/* Whole messages received; the last one's place in ret_last. */
static inline unsigned received(const struct client *c, struct str *ret_last)
{
    struct str rest = buf_str(&c->stream->body);
    unsigned count = 0;
    while (rest.len >= 5) {
        const uint8_t *p = (const uint8_t *)rest.ptr;
        size_t len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
        if (rest.len < 5 + len) {
            break;
        }
        if (ret_last != NULL) {
            *ret_last = str_sub(rest, 5, len);
        }
        rest = str_sub(rest, 5 + len, SIZE_MAX);
        count++;
    }
    return count;
}

static inline void publish(struct fixture *f, uint64_t seq, enum xds_type type, const char *name,
                           const char *body)
{
    struct change *items = xcalloc(1, sizeof(*items));
    items[0].put = resource_new(type, STR("s"), str_from(name), STR_NULL, str_from(body));
    struct changeset *cs = changeset_new(seq, items, 1);
    serve_publish(f->serve, cs);
    changeset_unref(cs);
}

static inline void withdraw(struct fixture *f, uint64_t seq, enum xds_type type, const char *name)
{
    struct change *items = xcalloc(1, sizeof(*items));
    items[0].removed = resource_new(type, STR("s"), str_from(name), STR_NULL, STR("gone"));
    struct changeset *cs = changeset_new(seq, items, 1);
    serve_publish(f->serve, cs);
    changeset_unref(cs);
}

static inline struct serve_limits limits_default(void)
{
    struct serve_limits limits;
    serve_limits_default(&limits);
    return limits;
}

#endif
