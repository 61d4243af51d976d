/* SPDX-License-Identifier: Apache-2.0 */
/* Is client status told over sockets, of all workers' clients, and only when it is on? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "envoy/service/status/v3/csds.pb-c.h"
#include "serve/csds.h"
#include "serve_fixture.h"

#define STATUS "/envoy.service.status.v3.ClientStatusDiscoveryService/"

typedef Envoy__Service__Status__V3__ClientStatusRequest status_request;
typedef Envoy__Service__Status__V3__ClientStatusResponse status_response;

static struct client *status_client(struct fixture *f, const char *method)
{
    struct client *c = connect_client(f);
    open_stream(c, method);
    return c;
}

static void ask(struct client *c, const char *node_id)
{
    status_request m = ENVOY__SERVICE__STATUS__V3__CLIENT_STATUS_REQUEST__INIT;
    Envoy__Type__Matcher__V3__NodeMatcher matcher = ENVOY__TYPE__MATCHER__V3__NODE_MATCHER__INIT;
    Envoy__Type__Matcher__V3__NodeMatcher *matchers[] = {&matcher};
    Envoy__Type__Matcher__V3__StringMatcher text = ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__INIT;
    if (node_id != NULL) {
        text.match_pattern_case = ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_EXACT;
        text.exact = (char *)(uintptr_t)node_id;
        matcher.node_id = &text;
        m.n_node_matchers = 1;
        m.node_matchers = matchers;
    }
    send_message(c, &m.base);
}

/* How many clients the last answer tells of. */
static size_t told(const struct client *c)
{
    struct str last = STR_NULL;
    assert_true(received(c, &last) > 0);
    status_response *m = envoy__service__status__v3__client_status_response__unpack(
        NULL, last.len, (const uint8_t *)last.ptr);
    assert_non_null(m);
    size_t len = m->n_config;
    for (size_t i = 0; i < len; i++) {
        assert_string_equal(m->config[i]->node->id, "sidecar/default/test");
        assert_int_equal(m->config[i]->n_generic_xds_configs, 1);
        assert_string_equal(m->config[i]->generic_xds_configs[0]->name, "a");
    }
    envoy__service__status__v3__client_status_response__free_unpacked(m, NULL);
    return len;
}

/* Three clients, which have a cluster; on both workers. */
static void begin(struct fixture *f, const struct serve_limits *limits, bool csds)
{
    start_with(f, limits, csds);
    publish(f, 1, XDS_CDS, "a", "1");
    for (unsigned i = 0; i < 3; i++) {
        struct client *c = delta_client(f);
        say(c, XDS_CDS, "", "", NULL);
        wait_for(f, received(c, NULL) == 1);
    }
    assert_true(f->ids[0] >> 48 != f->ids[1] >> 48);
}

static void all_workers_clients_are_told(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    begin(&f, &limits, true);
    struct client *c = status_client(&f, STATUS "StreamClientStatus");
    ask(c, NULL);
    ask(c, "somebody else"); /* behind the first */
    wait_for(&f, received(c, NULL) == 2);
    assert_int_equal(told(c), 0);
    ask(c, "sidecar/default/test");
    wait_for(&f, received(c, NULL) == 3);
    assert_int_equal(told(c), 3);
    client_write(&c->h2, c->stream, "", 0, true);
    wait_for(&f, c->stream->closed);
    assert_true(client_has(c->stream, "grpc-status: 0"));
    stop(&f);
}

static void fetch_is_answered_once(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    begin(&f, &limits, true);
    struct client *c = status_client(&f, STATUS "FetchClientStatus");
    ask(c, NULL);
    wait_for(&f, c->stream->closed);
    assert_true(client_has(c->stream, "grpc-status: 0"));
    assert_int_equal(told(c), 3);
    c = status_client(&f, STATUS "FetchClientStatus");
    client_write(&c->h2, c->stream, "", 0, true);
    wait_for(&f, c->stream->closed);
    assert_true(client_has(c->stream, "grpc-status: 3")); /* no request */
    stop(&f);
}

static void what_cannot_be_told_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    limits.response_bytes = 250; /* two clients fit */
    begin(&f, &limits, true);
    struct client *c = status_client(&f, STATUS "FetchClientStatus");
    ask(c, NULL);
    wait_for(&f, c->stream->closed);
    assert_true(client_has(c->stream, "grpc-status: 8"));
    assert_true(client_has(c->stream, "ask for some of them by node_matchers"));
    c = status_client(&f, STATUS "StreamClientStatus");
    delta_request other = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    other.type_url = (char *)(uintptr_t) "a field that is a node there";
    send_message(c, &other.base);
    wait_for(&f, c->stream->closed);
    assert_true(client_has(c->stream, "grpc-status: 3"));
    stop(&f);
}

static void it_is_off_unless_it_is_on(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    begin(&f, &limits, false);
    struct client *c = status_client(&f, STATUS "FetchClientStatus");
    ask(c, NULL);
    wait_for(&f, c->stream->closed);
    assert_true(client_has(c->stream, "grpc-status: 12"));
    assert_true(client_has(c->stream, "heddle serve --csds"));
    stop(&f);
}

/* A call that asks nothing, and one whose client has gone before the answer. */
static void calls_end_with_their_clients_and_with_us(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    begin(&f, &limits, true);
    struct client *idle = status_client(&f, STATUS "StreamClientStatus");
    struct client *c = status_client(&f, STATUS "StreamClientStatus");
    ask(c, NULL);
    client_turn(c);
    client_turn(c);
    close(c->fd);
    c->fd = -1;
    for (unsigned i = 0; i < 20; i++) {
        turn(&f);
    }
    listener_free(f.listener);
    f.listener = NULL;
    serve_stop(f.serve, 100);
    for (unsigned i = 0; i < 10; i++) {
        client_turn(idle);
    }
    assert_true(client_has(idle->stream, "grpc-status: 14"));
    f.stopped = true;
    stop(&f);
}

static void calls_are_limited(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    start_with(&f, &limits, true);
    struct client *c = status_client(&f, STATUS "StreamClientStatus");
    for (unsigned i = 1; i < CSDS_CALLS_MAX; i++) {
        open_stream(c, STATUS "StreamClientStatus");
    }
    wait_for(&f, c->h2.acked);
    open_stream(c, STATUS "StreamClientStatus");
    wait_for(&f, c->stream->closed);
    assert_true(client_has(c->stream, "grpc-status: 8"));
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_workers_clients_are_told),
        cmocka_unit_test(fetch_is_answered_once),
        cmocka_unit_test(what_cannot_be_told_is_refused),
        cmocka_unit_test(it_is_off_unless_it_is_on),
        cmocka_unit_test(calls_end_with_their_clients_and_with_us),
        cmocka_unit_test(calls_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
