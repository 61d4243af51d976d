/* SPDX-License-Identifier: Apache-2.0 */
/* Do streams over real sockets, spread over two workers, get what thread 0 publishes? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve_fixture.h"

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

struct counted {
    unsigned calls;
    struct acks last;
    bool cancel; /* the watch, when it is called */
    watch_id id;
    struct serve *serve;
};

static void on_acks(void *user, const struct acks *acks)
{
    struct counted *counted = user;
    counted->calls++;
    counted->last = *acks;
    if (counted->cancel) {
        serve_acks_cancel(counted->serve, counted->id);
    }
}

static void acknowledgements_are_summed_over_workers(void **state)
{
    (void)state;
    struct fixture f;
    struct serve_limits limits = limits_default();
    start(&f, &limits);
    const struct acks_name name = {XDS_CDS, STR("a")};
    struct counted counted = {.serve = f.serve};
    struct counted once = {.serve = f.serve, .cancel = true};
    publish(&f, 1, XDS_CDS, "a", "1");
    for (unsigned i = 0; i < 4; i++) {
        struct client *c = delta_client(&f);
        say(c, XDS_CDS, "", "", NULL);
        wait_for(&f, received(c, NULL) == 1);
    }
    counted.id = serve_acks_watch(f.serve, &name, 1, on_acks, &counted);
    once.id = serve_acks_watch(f.serve, &name, 1, on_acks, &once);
    assert_true(counted.id != 0 && counted.id != once.id);
    wait_for(&f, counted.calls == 1);
    assert_true(counted.last.streams == 4 && counted.last.acknowledged == 0);
    assert_true(counted.last.nbehind == ACKS_BEHIND_MAX);
    for (unsigned i = 0; i < 4; i++) {
        say(&f.clients[i], XDS_CDS, "", "1", i == 3 ? "a is bad" : NULL);
    }
    wait_for(&f, counted.last.acknowledged == 3 && counted.last.rejected == 1);
    assert_int_equal(once.calls, 1);
    close(f.clients[3].fd);
    f.clients[3].fd = -1;
    wait_for(&f, counted.last.streams == 3 && counted.last.rejected == 0);
    assert_true(counted.calls <= 6);
    serve_acks_cancel(f.serve, counted.id);
    serve_acks_cancel(f.serve, counted.id); /* twice is fine */
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
        cmocka_unit_test(acknowledgements_are_summed_over_workers),
        cmocka_unit_test(stopping_ends_streams_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
