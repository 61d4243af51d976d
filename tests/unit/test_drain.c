/* SPDX-License-Identifier: Apache-2.0 */
/* Is a pod found in what lists it, and is it told whether it still gets new requests? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/graph.h"
#include "mesh_rig.h"
#include "pipeline/drain.h"

static struct mesh *mesh;

static int setup(void **state)
{
    (void)state;
    mesh = rig_mesh();
    rig_apply(mesh, "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, "
                    "spec: {clusterIP: 10.0.0.1, ports: [{name: x, port: 80}, "
                    "{name: y, port: 81}]}}");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mesh_free(mesh);
    return 0;
}

/* Two pods; their conditions. */
static void slice(const char *one, const char *two)
{
    char yaml[1024];
    (void)snprintf(yaml, sizeof(yaml),
                   "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {"
                   "name: s-1, namespace: a, labels: {kubernetes.io/service-name: s}}, "
                   "addressType: IPv4, ports: [{name: x, port: 8080}, {name: y, port: 8081}], "
                   "endpoints: ["
                   "{addresses: [10.1.0.1], conditions: {%s}, targetRef: {kind: Pod, name: p}}, "
                   "{addresses: [10.1.0.2], conditions: {%s}}]}",
                   one, two);
    rig_apply(mesh, yaml);
    changeset_unref(mesh_turn(mesh));
}

#define READY "ready: true"
#define ENDS "ready: false, serving: true, terminating: true"
#define OVER "ready: false, serving: false, terminating: true"

static enum drain_state look(const char *name, const char *address, size_t services)
{
    const struct drain_pod pod = {STR("a"), str_from(name), str_from(address)};
    struct drain drain;
    drain_init(&drain, &pod);
    drain_find(&drain, mesh_engine(mesh));
    enum drain_state state = drain_look(&drain, mesh_engine(mesh));
    assert_int_equal(drain.services.len, services);
    assert_int_equal(drain.ports.len, 2 * services);
    drain_release(&drain);
    return state;
}

static void a_pod_is_known_by_name_or_address(void **state)
{
    (void)state;
    slice(READY, READY);
    assert_int_equal(look("p", "", 1), DRAIN_LISTED);
    assert_int_equal(look("", "10.1.0.1", 1), DRAIN_LISTED);
    assert_int_equal(look("q", "10.1.0.1", 0), DRAIN_OUT); /* another pod has its address now */
    assert_int_equal(look("q", "10.1.0.2", 1), DRAIN_LISTED);
    assert_int_equal(look("q", "10.1.0.3", 0), DRAIN_OUT);
}

static void what_ends_is_out_where_others_serve(void **state)
{
    (void)state;
    slice(ENDS, READY);
    assert_int_equal(look("p", "", 1), DRAIN_OUT);
    slice(OVER, OVER);
    assert_int_equal(look("p", "", 1), DRAIN_OUT);
    slice(ENDS, ENDS); /* KEP-1669 */
    assert_int_equal(look("p", "", 1), DRAIN_LAST);
}

static void not_ready_addresses_are_drained_too(void **state)
{
    (void)state;
    rig_apply(mesh, "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, "
                    "spec: {clusterIP: 10.0.0.1, publishNotReadyAddresses: true, "
                    "ports: [{name: x, port: 80}, {name: y, port: 81}]}}");
    slice("ready: true, terminating: true", READY); /* as the API says it */
    assert_int_equal(look("p", "", 1), DRAIN_OUT);
    slice("ready: true, terminating: true", "ready: true, terminating: true");
    assert_int_equal(look("p", "", 1), DRAIN_LAST);
}

static void what_it_served_is_remembered(void **state)
{
    (void)state;
    const struct drain_pod pod = {STR("a"), STR("p"), STR_NULL};
    struct drain drain;
    slice(READY, READY);
    drain_init(&drain, &pod);
    drain_find(&drain, mesh_engine(mesh));
    assert_int_equal(drain_look(&drain, mesh_engine(mesh)), DRAIN_LISTED);
    rig_delete(mesh, KIND_ENDPOINTSLICE, "a/s-1");
    changeset_unref(mesh_turn(mesh));
    assert_int_equal(drain_look(&drain, mesh_engine(mesh)), DRAIN_OUT);
    assert_true(drain.ports.len == 2 && str_eq(drain.ports.items[0], STR("a/s:80")));
    drain_release(&drain);
}

static bool show_changes(struct drain *drain)
{
    struct row_changes slices = engine_changes(mesh_engine(mesh), T_SLICE);
    bool due = false;
    for (size_t i = 0; i < slices.len; i++) {
        due |= drain_show(drain, slices.items[i].after);
    }
    return due;
}

static void a_slice_that_comes_later_counts(void **state)
{
    (void)state;
    const struct drain_pod pod = {STR("a"), STR("p"), STR_NULL};
    struct drain drain;
    drain_init(&drain, &pod);
    drain_find(&drain, mesh_engine(mesh));
    assert_int_equal(drain.services.len, 0);
    rig_apply(mesh, "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {"
                    "name: s-1, namespace: b, labels: {kubernetes.io/service-name: s}}, "
                    "addressType: IPv4, endpoints: [{addresses: [10.1.0.1], "
                    "targetRef: {kind: Pod, name: p}}]}");
    changeset_unref(mesh_turn(mesh));
    assert_false(show_changes(&drain)); /* another namespace's */
    slice(READY, READY);
    assert_true(show_changes(&drain));
    assert_int_equal(drain_look(&drain, mesh_engine(mesh)), DRAIN_LISTED);
    assert_int_equal(drain.services.len, 1);
    drain_release(&drain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pod_is_known_by_name_or_address, setup, teardown),
        cmocka_unit_test_setup_teardown(what_ends_is_out_where_others_serve, setup, teardown),
        cmocka_unit_test_setup_teardown(not_ready_addresses_are_drained_too, setup, teardown),
        cmocka_unit_test_setup_teardown(what_it_served_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slice_that_comes_later_counts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
