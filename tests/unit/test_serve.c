/* SPDX-License-Identifier: Apache-2.0 */
/* Do streams over real sockets, spread over two workers, get what thread 0 publishes? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "base/log.h"
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
    struct client clients[CLIENTS_MAX];
    unsigned nclients;
    /* events */
    bool no_view;
    int on_demand; /* of CDS */
    unsigned opened, closed, rejected, accepted, dropped, reports;
    stream_id ids[CLIENTS_MAX];
    char interest[256];
    char text[256];
};

static void give_view(struct fixture *f, stream_id id)
{
    struct view view = {.nscopes = 1, .scopes = {STR("s")}};
    memset(view.on_demand, -1, sizeof(view.on_demand));
    view.on_demand[XDS_CDS] = f->on_demand;
    serve_view(f->serve, id, &view);
}

static void on_opened(void *user, stream_id id, struct node *node, struct str peer,
                      enum stream_protocol protocol)
{
    struct fixture *f = user;
    (void)protocol;
    assert_true(str_eq(node->id, STR("sidecar/default/test")));
    assert_true(str_starts_with(peer, STR("127.0.0.1:")));
    node_free(node);
    f->ids[f->opened++ % CLIENTS_MAX] = id;
    if (!f->no_view) {
        give_view(f, id);
    }
}

static void on_closed(void *user, stream_id id)
{
    (void)id;
    ((struct fixture *)user)->closed++;
}

static void on_interest(void *user, enum xds_type type, struct str scope, struct str name,
                        bool wanted)
{
    struct fixture *f = user;
    size_t len = strlen(f->interest);
    (void)type;
    assert_true(str_eq(scope, STR("s")));
    snprintf(f->interest + len, sizeof(f->interest) - len, "%c%.*s ", wanted ? '+' : '-',
             STR_FMT(name));
}

static void on_rejected(void *user, stream_id id, enum xds_type type,
                        const struct resource *const *of, size_t nof, struct str text)
{
    struct fixture *f = user;
    (void)id;
    (void)type;
    assert_int_equal(nof, 1);
    snprintf(f->text, sizeof(f->text), "%.*s: %.*s", STR_FMT(of[0]->name), STR_FMT(text));
    f->rejected++;
}

static void on_accepted(void *user, stream_id id, enum xds_type type,
                        const struct resource *const *of, size_t nof)
{
    (void)id;
    (void)type;
    (void)of;
    (void)nof;
    ((struct fixture *)user)->accepted++;
}

static void on_dropped(void *user, stream_id id, enum xds_type type, struct str name)
{
    struct fixture *f = user;
    assert_true(id == f->ids[0] && type == XDS_CDS && str_eq(name, STR("a")));
    f->dropped++;
}

static void on_socket(void *user, int fd, const struct sockaddr_storage *peer)
{
    serve_adopt(((struct fixture *)user)->serve, fd, (const struct sockaddr *)peer, NULL);
}

static void start(struct fixture *f, const struct serve_limits *limits)
{
    struct err err;
    memset(f, 0, sizeof(*f));
    f->on_demand = -1;
    log_set_level(LOG_ERROR);
    assert_true(loop_init(&f->loop, "main", &err));
    struct serve_config config = {
        .workers = 2,
        .limits = *limits,
        .events = {f, on_opened, on_closed, on_interest, on_rejected, on_accepted, on_dropped},
    };
    assert_true(serve_start(&f->loop, &config, &f->serve, &err));
    f->listener = listener_new(&f->loop, STR("127.0.0.1:0"), on_socket, f, &err);
    assert_non_null(f->listener);
}

static void stop(struct fixture *f)
{
    listener_free(f->listener);
    serve_stop(f->serve, 20);
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

static struct client *connect_client(struct fixture *f)
{
    struct client *c = &f->clients[f->nclients++];
    struct sockaddr_storage addr;
    struct err err;
    assert_true(addr_parse(str_from(listener_address(f->listener)), &addr, &err));
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&addr, addr_len(&addr)), 0);
    assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
    client_init(&c->h2, false);
    return c;
}

static void client_turn(struct client *c)
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

static void turn(struct fixture *f)
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

static void send_message(struct client *c, const ProtobufCMessage *m)
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

static void open_stream(struct client *c, const char *method)
{
    c->stream = client_request(&c->h2, "POST", method, "application/grpc", NULL, NULL, true);
}

static void say(struct client *c, enum xds_type type, const char *add, const char *nonce,
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

static struct client *delta_client(struct fixture *f)
{
    struct client *c = connect_client(f);
    open_stream(c, SERVICE "DeltaAggregatedResources");
    return c;
}

/* Whole messages received; the last one's place in ret_last. */
static unsigned received(const struct client *c, struct str *ret_last)
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

static void publish(struct fixture *f, uint64_t seq, enum xds_type type, const char *name,
                    const char *body)
{
    struct change *items = xcalloc(1, sizeof(*items));
    items[0].put = resource_new(type, STR("s"), str_from(name), STR_NULL, str_from(body));
    struct changeset *cs = changeset_new(seq, items, 1);
    serve_publish(f->serve, cs);
    changeset_unref(cs);
}

static void withdraw(struct fixture *f, uint64_t seq, enum xds_type type, const char *name)
{
    struct change *items = xcalloc(1, sizeof(*items));
    items[0].removed = resource_new(type, STR("s"), str_from(name), STR_NULL, STR("gone"));
    struct changeset *cs = changeset_new(seq, items, 1);
    serve_publish(f->serve, cs);
    changeset_unref(cs);
}

static struct serve_limits limits_default(void)
{
    struct serve_limits limits;
    serve_limits_default(&limits);
    return limits;
}

/* --- tests ----------------------------------------------------------------------------------- */

static unsigned all_received(const struct fixture *f, unsigned at_least)
{
    unsigned count = 0;
    for (unsigned i = 0; i < f->nclients; i++) {
        count += received(&f->clients[i], NULL) >= at_least;
    }
    return count;
}

static void every_stream_gets_a_change_once(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    start(&f, &limits);
    publish(&f, 1, XDS_CDS, "a", "1");
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        say(delta_client(&f), XDS_CDS, "", "", NULL);
    }
    wait_for(&f, all_received(&f, 1) == CLIENTS_MAX);
    unsigned on_second = 0;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        on_second += f.ids[i] >> 48 == 1;
        say(&f.clients[i], XDS_CDS, "", "1", NULL);
    }
    assert_int_equal(on_second, CLIENTS_MAX / 2); /* spread evenly */
    for (unsigned i = 0; i < 20; i++) {
        turn(&f);
    }
    publish(&f, 2, XDS_CDS, "a", "2");
    publish(&f, 3, XDS_EDS, "e", "1"); /* nobody's */
    wait_for(&f, all_received(&f, 2) == CLIENTS_MAX);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct str last;
        assert_int_equal(received(&f.clients[i], &last), 2);
        delta_response *m = envoy__service__discovery__v3__delta_discovery_response__unpack(
            NULL, last.len, (const uint8_t *)last.ptr);
        assert_non_null(m);
        assert_int_equal(m->n_resources, 1);
        assert_string_equal(m->resources[0]->name, "a");
        assert_string_equal(m->nonce, "2");
        envoy__service__discovery__v3__delta_discovery_response__free_unpacked(m, NULL);
    }
    stop(&f);
}

static void both_protocols_are_served(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    Envoy__Config__Core__V3__Node node = ENVOY__CONFIG__CORE__V3__NODE__INIT;
    Envoy__Service__Discovery__V3__DiscoveryRequest m =
        ENVOY__SERVICE__DISCOVERY__V3__DISCOVERY_REQUEST__INIT;
    struct str last;
    start(&f, &limits);
    publish(&f, 1, XDS_CDS, "a", "1");
    struct client *c = connect_client(&f);
    open_stream(c, SERVICE "StreamAggregatedResources");
    node.id = (char *)(uintptr_t) "sidecar/default/test";
    m.node = &node;
    m.type_url = (char *)(uintptr_t) "type.googleapis.com/envoy.config.cluster.v3.Cluster";
    send_message(c, &m.base);
    wait_for(&f, received(c, &last) == 1);
    sotw_response *answer = envoy__service__discovery__v3__discovery_response__unpack(
        NULL, last.len, (const uint8_t *)last.ptr);
    assert_non_null(answer);
    assert_int_equal(answer->n_resources, 1);
    assert_int_equal(strlen(answer->version_info), 16);
    envoy__service__discovery__v3__discovery_response__free_unpacked(answer, NULL);
    stop(&f);
}

static void a_stream_waits_for_its_view_or_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    start(&f, &limits);
    f.no_view = true;
    struct client *c = delta_client(&f);
    struct client *d = delta_client(&f);
    say(c, XDS_CDS, "", "", NULL);
    wait_for(&f, f.opened == 1);
    say(d, XDS_CDS, "", "", NULL);
    wait_for(&f, f.opened == 2);
    assert_int_equal(received(c, NULL), 0);
    give_view(&f, f.ids[0]);
    serve_refuse(f.serve, f.ids[1], 7, STR("not you"));
    wait_for(&f, received(c, NULL) == 1 && d->stream->closed);
    assert_true(client_has(d->stream, "grpc-status: 7"));
    assert_true(client_has(d->stream, "grpc-message: not you"));
    wait_for(&f, f.closed == 1);
    give_view(&f, f.ids[1]); /* too late is no harm */
    stop(&f);
}

static void rejections_reach_thread_0(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    start(&f, &limits);
    publish(&f, 1, XDS_CDS, "a", "1");
    struct client *c = delta_client(&f);
    say(c, XDS_CDS, "", "", NULL);
    wait_for(&f, received(c, NULL) == 1);
    say(c, XDS_CDS, "", "1", "a is bad");
    wait_for(&f, f.rejected == 1);
    assert_string_equal(f.text, "a: a is bad");
    publish(&f, 2, XDS_CDS, "a", "2");
    wait_for(&f, received(c, NULL) == 2);
    say(c, XDS_CDS, "", "2", NULL);
    wait_for(&f, f.accepted == 1);
    publish(&f, 3, XDS_CDS, "a", "3");
    wait_for(&f, received(c, NULL) == 3);
    say(c, XDS_CDS, "", "3", "a is bad again");
    wait_for(&f, f.rejected == 2);
    assert_int_equal(f.dropped, 0);
    withdraw(&f, 4, XDS_CDS, "a");
    wait_for(&f, f.dropped == 1);
    stop(&f);
}

static void interest_is_counted_over_workers(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    start(&f, &limits);
    f.on_demand = 0;
    for (unsigned i = 0; i < 4; i++) {
        say(delta_client(&f), XDS_CDS, "x", "", NULL);
    }
    wait_for(&f, f.opened == 4);
    for (unsigned i = 0; i < 20; i++) {
        turn(&f);
    }
    assert_string_equal(f.interest, "+x ");
    for (unsigned i = 0; i < 4; i++) {
        close(f.clients[i].fd);
        f.clients[i].fd = -1;
    }
    wait_for(&f, f.closed == 4);
    assert_string_equal(f.interest, "+x -x ");
    stop(&f);
}

static void on_report(void *user, const struct stream_report *reports, size_t len)
{
    struct fixture *f = user;
    f->reports++;
    assert_int_equal(len, 3);
    for (size_t i = 0; i < len; i++) {
        const struct stream_type_report *t = &reports[i].types[XDS_CDS];
        assert_true(str_eq(reports[i].node_id, STR("sidecar/default/test")));
        assert_true(i == 0 || reports[i - 1].id < reports[i].id);
        assert_int_equal(reports[i].seq, 1);
        assert_true(t->subscribed && t->wildcard && t->in_flight);
        assert_int_equal(t->known, 1);
        assert_int_equal(reports[i].nresources, 1);
        assert_true(str_eq(reports[i].resources[0]->name, STR("a")));
    }
}

static void on_empty_report(void *user, const struct stream_report *reports, size_t len)
{
    (void)reports;
    assert_int_equal(len, 0);
    ((struct fixture *)user)->reports++;
}

static void reports_gather_all_workers(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    start(&f, &limits);
    publish(&f, 1, XDS_CDS, "a", "1");
    for (unsigned i = 0; i < 3; i++) {
        say(delta_client(&f), XDS_CDS, "", "", NULL);
    }
    wait_for(&f, all_received(&f, 1) == 3);
    serve_report(f.serve, STR("sidecar/default/test"), true, on_report, &f);
    serve_report(f.serve, STR("somebody else"), true, on_empty_report, &f);
    wait_for(&f, f.reports == 2);
    stop(&f);
}

static void what_is_not_served_is_said(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    limits.streams = 1;
    limits.node_wait_ms = 50;
    start(&f, &limits);
    struct client *c = connect_client(&f);
    open_stream(c, "/envoy.service.discovery.v3.ClusterDiscoveryService/StreamClusters");
    wait_for(&f, c->stream->closed);
    assert_true(client_has(c->stream, "grpc-status: 12"));
    c = delta_client(&f);
    wait_for(&f, c->stream->id > 0 && c->h2.acked);
    struct client *d = delta_client(&f);
    wait_for(&f, d->stream->closed);
    assert_true(client_has(d->stream, "grpc-status: 8")); /* limit streams */
    wait_for(&f, c->stream->closed);
    assert_true(client_has(c->stream, "grpc-status: 4")); /* node_wait_ms */
    d = delta_client(&f);
    delta_request m = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    send_message(d, &m.base); /* without a node */
    wait_for(&f, d->stream->closed);
    assert_true(client_has(d->stream, "grpc-status: 3"));
    assert_int_equal(f.opened, 0);
    stop(&f);
}

static void stopping_ends_streams_with_a_reason(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    start(&f, &limits);
    struct client *c = delta_client(&f);
    say(c, XDS_CDS, "", "", NULL);
    wait_for(&f, received(c, NULL) == 1);
    listener_free(f.listener);
    f.listener = NULL;
    serve_stop(f.serve, 100);
    assert_int_equal(f.closed, 1);
    for (unsigned i = 0; i < 10; i++) {
        client_turn(c);
    }
    assert_true(c->h2.goaway);
    assert_true(client_has(c->stream, "grpc-status: 14"));
    loop_release(&f.loop);
    serve_free(f.serve);
    close(c->fd);
    client_release(&c->h2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stream_gets_a_change_once),
        cmocka_unit_test(both_protocols_are_served),
        cmocka_unit_test(a_stream_waits_for_its_view_or_is_refused),
        cmocka_unit_test(rejections_reach_thread_0),
        cmocka_unit_test(interest_is_counted_over_workers),
        cmocka_unit_test(reports_gather_all_workers),
        cmocka_unit_test(what_is_not_served_is_said),
        cmocka_unit_test(stopping_ends_streams_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
