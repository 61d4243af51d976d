/* SPDX-License-Identifier: Apache-2.0 */
/* Does what is there for all stay there, whatever one client asks for? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve_fixture.h"

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

/* One worker may have all of what is there for all; the other is refused, until there is room. */
static void interest_is_limited_over_workers(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    struct str last;
    limits.interest_names = 2;
    start(&f, &limits);
    f.on_demand = 0;
    struct client *c = delta_client(&f);
    say(c, XDS_CDS, "x", "", NULL);
    wait_for(&f, f.opened == 1);
    say(c, XDS_CDS, "y", "", NULL);
    wait_for(&f, strcmp(f.interest, "+x +y ") == 0);
    struct client *d = delta_client(&f);
    say(d, XDS_CDS, "z", "", NULL);
    wait_for(&f, received(d, &last) == 1);
    assert_true(f.ids[0] >> 48 != f.ids[1] >> 48);
    delta_response *m = envoy__service__discovery__v3__delta_discovery_response__unpack(
        NULL, last.len, (const uint8_t *)last.ptr);
    assert_non_null(m);
    assert_int_equal(m->n_removed_resources, 1);
    assert_string_equal(m->removed_resources[0], "z");
    envoy__service__discovery__v3__delta_discovery_response__free_unpacked(m, NULL);
    assert_false(c->stream->closed || d->stream->closed);
    close(c->fd);
    c->fd = -1;
    wait_for(&f, strstr(f.interest, "+z ") != NULL);
    stop(&f);
}

static bool is_refused(struct client *c)
{
    char byte;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void connections_are_limited(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    limits.connections = 2;
    start(&f, &limits);
    int64_t refused = metric_get(M_xds_refused_connections);
    for (unsigned i = 0; i < 2; i++) {
        say(delta_client(&f), XDS_CDS, "", "", NULL);
    }
    wait_for(&f, f.opened == 2);
    assert_int_equal(metric_get(M_xds_connections), 2);
    struct client *late = connect_client(&f);
    wait_for(&f, is_refused(late));
    assert_int_equal(metric_get(M_xds_refused_connections), refused + 1);
    close(f.clients[0].fd);
    f.clients[0].fd = -1;
    wait_for(&f, metric_get(M_xds_connections) == 1);
    say(delta_client(&f), XDS_CDS, "", "", NULL);
    wait_for(&f, f.opened == 3);
    stop(&f);
}

static void connections_of_one_peer_are_limited(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    limits.connections_per_peer = 1;
    start(&f, &limits);
    int64_t refused = metric_get(M_xds_refused_connections_per_peer);
    say(delta_client(&f), XDS_CDS, "", "", NULL);
    wait_for(&f, f.opened == 1);
    struct client *second = connect_client(&f);
    wait_for(&f, is_refused(second));
    assert_int_equal(metric_get(M_xds_refused_connections_per_peer), refused + 1);
    f.local = "127.0.0.2";
    say(delta_client(&f), XDS_CDS, "", "", NULL);
    wait_for(&f, f.opened == 2);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_served_is_said),
        cmocka_unit_test(interest_is_limited_over_workers),
        cmocka_unit_test(connections_are_limited),
        cmocka_unit_test(connections_of_one_peer_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
