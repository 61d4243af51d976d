/* SPDX-License-Identifier: Apache-2.0 */
/* Is nothing named before it is there, and does nothing go while it is named? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream_rig.h"

static int setup(void **state)
{
    struct rig *rig = xmalloc(sizeof(*rig));
    rig_init(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    rig_release(*state);
    free(*state);
    return 0;
}

/* Listener l ─ route r ─ cluster old ─ endpoints old, all sent and accepted. */
static struct client *warm_client(struct rig *rig, enum stream_protocol protocol)
{
    put_in(rig, XDS_CDS, "s", "old", "1", "old");
    put(rig, XDS_EDS, "old", "1");
    put(rig, XDS_LDS, "l", "1");
    put(rig, XDS_RDS, "r", "old");
    publish(rig);
    struct client *c = client_new(rig, protocol);
    if (protocol == STREAM_DELTA) {
        delta(c, XDS_CDS, "", "", "");
        delta(c, XDS_EDS, "old", "", "");
    } else {
        sotw(c, XDS_CDS, "");
        sotw(c, XDS_EDS, "old");
    }
    said(c, "cds old");
    said(c, "eds old");
    ack(c, XDS_EDS);
    ack(c, XDS_CDS);
    if (protocol == STREAM_DELTA) {
        delta(c, XDS_LDS, "", "", "");
        delta(c, XDS_RDS, "r", "", "");
    } else {
        sotw(c, XDS_LDS, "");
        sotw(c, XDS_RDS, "r");
    }
    said(c, "lds l");
    said(c, "rds r");
    ack(c, XDS_LDS);
    ack(c, XDS_RDS);
    quiet(c);
    return c;
}

/* The route moves from cluster old to cluster new, in one turn. */
static void move_route(struct rig *rig)
{
    put_in(rig, XDS_CDS, "s", "new", "1", "new");
    put(rig, XDS_EDS, "new", "1");
    put(rig, XDS_RDS, "r", "new");
    del(rig, XDS_CDS, "old");
    del(rig, XDS_EDS, "old");
    publish(rig);
}

static void route_waits_for_cluster_and_endpoints_delta(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_client(rig, STREAM_DELTA);
    move_route(rig);
    said(c, "cds new");
    quiet(c); /* its endpoints are not subscribed yet */
    delta(c, XDS_EDS, "new", "", "");
    said(c, "eds new"); /* does not wait for the ACK of the cluster */
    said(c, "rds r");
    ack(c, XDS_EDS);
    ack(c, XDS_CDS);
    quiet(c); /* the client may still use the old route */
    ack(c, XDS_RDS);
    said(c, "cds -old");
    quiet(c);
    ack(c, XDS_CDS);
    said(c, "eds -old");
    ack(c, XDS_EDS);
    quiet(c);
    client_free(c);
    assert_int_equal(replica_find(&rig->env.replica, XDS_CDS, STR("old")), REPLICA_NONE);
}

static void route_waits_for_cluster_and_endpoints_sotw(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_client(rig, STREAM_SOTW);
    move_route(rig);
    said(c, "cds new old"); /* what goes is still in the whole */
    quiet(c);
    sotw_only(c, XDS_EDS, "new old", c->version[XDS_EDS], c->nonce[XDS_EDS], NULL);
    streams_pump(&rig->env);
    said(c, "eds new");
    said(c, "rds r");
    ack(c, XDS_EDS);
    ack(c, XDS_CDS);
    quiet(c);
    ack(c, XDS_RDS);
    said(c, "cds new");
    ack(c, XDS_CDS);
    quiet(c);
    client_free(c);
}

/* What a listener finds by ECDS names clusters, too. */
static void filter_waits_and_holds_clusters_as_a_route_does(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_ECDS, "f", "old");
    publish(rig);
    struct client *c = warm_client(rig, STREAM_DELTA);
    delta(c, XDS_ECDS, "f", "", "");
    said(c, "ecds f");
    ack(c, XDS_ECDS);
    put_in(rig, XDS_CDS, "s", "new", "1", "new");
    put(rig, XDS_EDS, "new", "1");
    put(rig, XDS_ECDS, "f", "new");
    del(rig, XDS_CDS, "old");
    del(rig, XDS_EDS, "old");
    publish(rig);
    said(c, "cds new");
    quiet(c);
    delta(c, XDS_EDS, "new", "", "");
    said(c, "eds new");
    said(c, "ecds f");
    ack(c, XDS_EDS);
    ack(c, XDS_CDS);
    quiet(c); /* new connections may still be sent to the old cluster */
    ack(c, XDS_ECDS);
    said(c, "cds -old");
    del(rig, XDS_LDS, "l");
    del(rig, XDS_ECDS, "f");
    publish(rig);
    said(c, "lds -l");
    quiet(c);
    ack(c, XDS_LDS);
    said(c, "ecds -f");
    client_free(c);
}

static void client_that_skips_endpoints_gets_its_route_at_the_ack(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_client(rig, STREAM_DELTA);
    move_route(rig);
    said(c, "cds new");
    quiet(c);
    ack(c, XDS_CDS);
    said(c, "rds r");
    client_free(c);
}

static void listeners_and_routes_wait_for_dirty_clusters(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_client(rig, STREAM_DELTA);
    put_in(rig, XDS_CDS, "s", "old", "2", "old");
    publish(rig);
    said(c, "cds old");
    said(c, "eds old");
    put_in(rig, XDS_CDS, "s", "old", "3", "old");
    put(rig, XDS_LDS, "l", "2");
    put(rig, XDS_RDS, "r", "2");
    publish(rig);
    quiet(c);
    ack(c, XDS_EDS);
    quiet(c);
    ack(c, XDS_CDS);
    said(c, "cds old");
    said(c, "eds old");
    said(c, "lds l");
    said(c, "rds r");
    client_free(c);
}

static void endpoints_follow_every_cluster_sent(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_client(rig, STREAM_DELTA);
    put_in(rig, XDS_CDS, "s", "old", "2", "old");
    publish(rig);
    said(c, "cds old");
    said(c, "eds old");
    quiet(c);
    client_free(c);
}

static void endpoints_follow_even_if_the_client_says_it_has_them(void **state)
{
    struct rig *rig = *state;
    char initial[64];
    put_in(rig, XDS_CDS, "s", "c", "1", "c");
    put(rig, XDS_EDS, "c", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "c=old");
    said(c, "cds c");
    snprintf(initial, sizeof(initial), "c=%s", version_of(rig, XDS_EDS, "c"));
    delta(c, XDS_EDS, "c", "", initial);
    said(c, "eds c"); /* its cluster warms until it comes */
    client_free(c);
}

static void endpoint_change_passes_by_itself(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_client(rig, STREAM_DELTA);
    put(rig, XDS_RDS, "r", "2");
    publish(rig);
    said(c, "rds r");
    put(rig, XDS_EDS, "old", "2");
    publish(rig);
    said(c, "eds old");
    client_free(c);
}

static void removals_go_listener_route_cluster_endpoints(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_client(rig, STREAM_DELTA);
    del(rig, XDS_CDS, "old");
    del(rig, XDS_EDS, "old");
    del(rig, XDS_LDS, "l");
    del(rig, XDS_RDS, "r");
    publish(rig);
    said(c, "lds -l");
    quiet(c);
    ack(c, XDS_LDS);
    said(c, "rds -r");
    quiet(c);
    ack(c, XDS_RDS);
    said(c, "cds -old");
    quiet(c);
    ack(c, XDS_CDS);
    said(c, "eds -old");
    ack(c, XDS_EDS);
    quiet(c);
    client_free(c);
}

static void cluster_stays_while_a_sotw_client_names_it(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "old", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "old");
    said(c, "cds old");
    ack(c, XDS_CDS);
    del(rig, XDS_CDS, "old");
    put(rig, XDS_CDS, "new", "1");
    publish(rig);
    quiet(c);
    sotw(c, XDS_CDS, "new old");
    said(c, "cds new old");
    ack(c, XDS_CDS);
    quiet(c);
    sotw(c, XDS_CDS, "new");
    ack(c, XDS_CDS);
    quiet(c);
    client_free(c);
}

static void rejected_route_keeps_its_old_cluster(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_client(rig, STREAM_DELTA);
    move_route(rig);
    said(c, "cds new");
    delta(c, XDS_EDS, "new", "", "");
    said(c, "eds new");
    said(c, "rds r");
    ack(c, XDS_EDS);
    ack(c, XDS_CDS);
    nack(c, XDS_RDS, "r: no");
    quiet(c); /* the client goes on with the old route */
    put(rig, XDS_RDS, "r", "newer");
    publish(rig);
    said(c, "rds r");
    ack(c, XDS_RDS);
    said(c, "cds -old");
    client_free(c);
}

static void comes_back_before_it_went(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_client(rig, STREAM_DELTA);
    put(rig, XDS_RDS, "r", "2");
    del(rig, XDS_CDS, "old");
    publish(rig);
    said(c, "rds r");
    put_in(rig, XDS_CDS, "s", "old", "1", "old");
    publish(rig);
    said(c, "cds old");
    said(c, "eds old");
    ack(c, XDS_RDS);
    ack(c, XDS_CDS);
    ack(c, XDS_EDS);
    quiet(c);
    client_free(c);
}

/* As warm_client(), with listener l naming secret cert, as a gateway's does. */
static struct client *warm_gateway(struct rig *rig, enum stream_protocol protocol)
{
    put(rig, XDS_SDS, "cert", "1");
    publish(rig);
    struct client *c = warm_client(rig, protocol);
    if (protocol == STREAM_DELTA) {
        delta(c, XDS_SDS, "cert", "", "");
    } else {
        sotw(c, XDS_SDS, "cert");
    }
    said(c, "sds cert");
    ack(c, XDS_SDS);
    quiet(c);
    return c;
}

static void secret_is_renewed_by_itself(void **state)
{
    struct rig *rig = *state;
    for (unsigned protocol = STREAM_SOTW; protocol <= STREAM_DELTA; protocol++) {
        struct client *c = warm_gateway(rig, (enum stream_protocol)protocol);
        put(rig, XDS_SDS, "cert", protocol == STREAM_SOTW ? "2" : "3");
        publish(rig);
        said(c, "sds cert");
        ack(c, XDS_SDS);
        quiet(c);
        client_free(c);
    }
}

static void secret_goes_before_what_names_it(void **state)
{
    struct rig *rig = *state;
    for (unsigned protocol = STREAM_SOTW; protocol <= STREAM_DELTA; protocol++) {
        struct client *c = warm_gateway(rig, (enum stream_protocol)protocol);
        put(rig, XDS_SDS, "cert", "2");
        publish(rig);
        said(c, "sds cert");
        /* The next certificate is for one host more, which the listener serves now: it waits. */
        put(rig, XDS_SDS, "cert", "3");
        put(rig, XDS_LDS, "l", "3");
        put_in(rig, XDS_CDS, "s", "old", "3", "old");
        publish(rig);
        quiet(c);
        ack(c, XDS_SDS);
        said(c, "sds cert");
        said(c, "cds old");
        said(c, "eds old");
        said(c, "lds l");
        client_free(c);
    }
}

/* The cluster's ACK is withheld until it has the CA for which the client asks when it sees it. */
static void secret_of_a_new_cluster_does_not_wait_for_its_ack(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_gateway(rig, STREAM_DELTA);
    put_in(rig, XDS_CDS, "s", "new", "1", "new");
    put(rig, XDS_EDS, "new", "1");
    put(rig, XDS_SDS, "ca", "1");
    publish(rig);
    said(c, "cds new");
    delta(c, XDS_SDS, "ca", "", "");
    said(c, "sds ca");
    delta(c, XDS_EDS, "new", "", "");
    said(c, "eds new");
    ack(c, XDS_SDS);
    ack(c, XDS_EDS);
    ack(c, XDS_CDS);
    quiet(c);
    client_free(c);
}

static void secret_stays_while_a_listener_or_a_cluster_may_name_it(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_gateway(rig, STREAM_DELTA);
    put(rig, XDS_LDS, "l", "2");
    del(rig, XDS_CDS, "old");
    del(rig, XDS_SDS, "cert");
    publish(rig);
    said(c, "lds l");
    quiet(c);
    ack(c, XDS_LDS);
    said(c, "cds -old");
    quiet(c);
    ack(c, XDS_CDS);
    said(c, "sds -cert");
    ack(c, XDS_SDS);
    quiet(c);
    client_free(c);
}

static void rejected_listener_keeps_its_secret(void **state)
{
    struct rig *rig = *state;
    struct client *c = warm_gateway(rig, STREAM_DELTA);
    put(rig, XDS_LDS, "l", "2");
    del(rig, XDS_SDS, "cert");
    publish(rig);
    said(c, "lds l");
    nack(c, XDS_LDS, "l: no");
    quiet(c);
    put(rig, XDS_LDS, "l", "3");
    publish(rig);
    said(c, "lds l");
    ack(c, XDS_LDS);
    said(c, "sds -cert");
    client_free(c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(route_waits_for_cluster_and_endpoints_delta),
        T(route_waits_for_cluster_and_endpoints_sotw),
        T(filter_waits_and_holds_clusters_as_a_route_does),
        T(client_that_skips_endpoints_gets_its_route_at_the_ack),
        T(listeners_and_routes_wait_for_dirty_clusters),
        T(endpoints_follow_every_cluster_sent),
        T(endpoints_follow_even_if_the_client_says_it_has_them),
        T(endpoint_change_passes_by_itself),
        T(removals_go_listener_route_cluster_endpoints),
        T(cluster_stays_while_a_sotw_client_names_it),
        T(rejected_route_keeps_its_old_cluster),
        T(comes_back_before_it_went),
        T(secret_is_renewed_by_itself),
        T(secret_goes_before_what_names_it),
        T(secret_of_a_new_cluster_does_not_wait_for_its_ack),
        T(secret_stays_while_a_listener_or_a_cluster_may_name_it),
        T(rejected_listener_keeps_its_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
