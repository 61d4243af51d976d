/* SPDX-License-Identifier: Apache-2.0 */
/* Are Services, EndpointSlices and ReferenceGrants read as Kubernetes would? */
#include "model/grant.h"
#include "model/service.h"
#include "model_rig.h"

#define SERVICE "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  "
#define SLICE                                                                                      \
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"                                       \
    "metadata: {name: a, labels: {kubernetes.io/service-name: s}}\n"
#define GRANT                                                                                      \
    "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {name: a}\n"   \
    "spec:\n"

static void services(void **state)
{
    (void)state;
    struct rig rig;
    const struct service *service = rig_object(
        &rig, SERVICE "ports: [{port: 80, targetPort: http, appProtocol: kubernetes.io/h2c, "
                      "nodePort: 30000}]\n  clusterIP: 10.0.0.1\n  selector: {app: a}\n"
                      "  sessionAffinity: None\nstatus: {loadBalancer: {}}\n");
    assert_int_equal(service->type, SERVICE_CLUSTER_IP);
    assert_int_equal(service->cluster_ips.len, 1);
    assert_true(str_eq(service->cluster_ips.items[0], STR("10.0.0.1")));
    assert_true(service->ports.items[0].has_target_port);
    assert_false(service->ports.items[0].target_port.is_int);
    assert_int_equal(service->ports.items[0].protocol, PROTOCOL_TCP);
    rig_release(&rig);

    service = rig_object(&rig, SERVICE "clusterIP: None\n  publishNotReadyAddresses: true\n");
    assert_true(service->publish_not_ready);
    rig_release(&rig);
    rig_expect_round_trip(SERVICE "clusterIP: None\n  ipFamilies: [IPv6, IPv4]\n");
    rig_expect_round_trip(SERVICE "type: ExternalName\n  externalName: db.example.com\n");
    rig_expect_round_trip(SERVICE "clusterIPs: [10.0.0.1, \"fd00::1\"]\n  ports:\n"
                                  "  - {name: a, port: 1, targetPort: 70}\n"
                                  "  - {name: b, port: 1, protocol: UDP}\n");
}

static void wrong_services(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"ports: []\n", PROBLEM_union, "spec.ports", "the Service has no ports"},
        {"ports: [{port: 1}, {port: 2}]\n", PROBLEM_out_of_range, NULL, NULL},
        {"ports: [{name: a, port: 1}, {name: a, port: 2}]\n", PROBLEM_union, "spec.ports[1]", NULL},
        {"ports: [{name: a, port: 1}, {name: b, port: 1}]\n", PROBLEM_union, "spec.ports[1]",
         "the same port and protocol stand twice in the Service"},
        {"ports: [{port: 65536}]\n", PROBLEM_out_of_range, "spec.ports[0].port", NULL},
        {"ports: [{port: 1, protocol: tcp}]\n", PROBLEM_not_in_enum, "spec.ports[0].protocol",
         NULL},
        {"ports: [{port: 1, targetPort: 0}]\n", PROBLEM_out_of_range, NULL, NULL},
        {"ports: [{port: 1, targetPort: A_}]\n", PROBLEM_bad_format, NULL, NULL},
        {"ports: [{port: 1, targetport: 2}]\n", PROBLEM_unknown_field, "spec.ports[0].targetport",
         "a Service port has no field 'targetport'"},
        {"ports: [{port: 1}]\n  clusterIP: none\n", PROBLEM_bad_format, "spec.clusterIP", NULL},
        {"ports: [{port: 1}]\n  clusterIP: None\n  type: NodePort\n", PROBLEM_union, NULL, NULL},
        {"ports: [{port: 1}]\n  clusterIP: 1.1.1.1\n  clusterIPs: [1.1.1.2]\n", PROBLEM_union, NULL,
         NULL},
        {"clusterIP: None\n  ipFamilies: [IPv4, ipv6]\n", PROBLEM_not_in_enum, "spec.ipFamilies[1]",
         NULL},
        {"clusterIP: None\n  ipFamilies: [IPv4, IPv4]\n", PROBLEM_union, "spec.ipFamilies[1]",
         NULL},
        {"type: ExternalName\n", PROBLEM_union, "spec.externalName", NULL},
        {"type: Headless\n", PROBLEM_not_in_enum, "spec.type", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (i != 1) {
            rig_expect_all(SERVICE, &cases[i], 1);
        }
    }
    struct rig rig;
    rig_read(&rig, SERVICE "ports: [{port: 1}, {port: 2}]\n");
    assert_int_equal(rig.problems.len, 2); /* neither has a name */
    rig_release(&rig);
}

static void slices(void **state)
{
    (void)state;
    static const char yaml[] = SLICE
        "addressType: IPv4\nendpoints:\n- addresses: [127.0.0.1]\n"
        "- {addresses: [127.0.0.2], conditions: {ready: false}, zone: z, hints: {}}\n"
        "- {addresses: [127.0.0.3], conditions: {ready: false, serving: true, "
        "terminating: true}, targetRef: {kind: Pod, name: p, uid: u, resourceVersion: \"1\"}}\n"
        "ports: [{name: http, port: 80}, {}]\n";
    struct rig rig;
    const struct endpoint_slice *slice = rig_object(&rig, yaml);
    const struct endpoint *endpoints = slice->endpoints.items;
    assert_true(str_eq(slice->service, STR("s")));
    assert_true(endpoints[0].ready && endpoints[0].serving && !endpoints[0].terminating);
    assert_false(endpoints[1].ready || endpoints[1].serving);
    assert_true(endpoints[2].serving && endpoints[2].terminating);
    assert_true(slice->ports.items[0].has_port);
    assert_false(slice->ports.items[1].has_port);
    rig_release(&rig);
    rig_expect_round_trip(yaml);
}

static void wrong_slices(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"endpoints: []\n", PROBLEM_required, "addressType",
         "an EndpointSlice lacks 'addressType'"},
        {"addressType: IPv4\nendpoints: [{addresses: [\"::1\"]}]\n", PROBLEM_bad_format,
         "endpoints[0].addresses[0]", "'::1' is not an address of type 'IPv4'"},
        {"addressType: IPv4\nendpoints: [{addresses: []}]\n", PROBLEM_out_of_range,
         "endpoints[0].addresses", NULL},
        {"addressType: IPv4\nendpoints: [{}]\n", PROBLEM_required, NULL, NULL},
        {"addressType: IPv4\nendpoints: [{addresses: [1.1.1.1], conditions: {ready: 1}}]\n",
         PROBLEM_wrong_type, "endpoints[0].conditions.ready",
         "'ready' is an integer, not true or false"},
        {"addressType: IPv4\nports: [{name: a}, {name: a}]\n", PROBLEM_union, "ports[1]", NULL},
        {"addressType: IPv4\nspec: {}\n", PROBLEM_unknown_field, "spec", NULL},
    };
    RIG_EXPECT_ALL(SLICE, cases);
}

static void grants(void **state)
{
    (void)state;
    static const char from[] = "  from: [{group: g, kind: K, namespace: n}]\n";
    char yaml[512];
    snprintf(yaml, sizeof(yaml), GRANT "%s  to: [{group: \"\", kind: Service}]\n", from);
    struct rig rig;
    const struct reference_grant *grant = rig_object(&rig, yaml);
    assert_int_equal(grant->to.items[0].name.len, 0);
    assert_true(str_eq(grant->from.items[0].ns, STR("n")));
    rig_release(&rig);
    rig_expect_round_trip(yaml);
    snprintf(yaml, sizeof(yaml), GRANT "%s", from);
    rig_expect(yaml, PROBLEM_required, "spec.to", "a ReferenceGrant's spec lacks 'to'");
    snprintf(yaml, sizeof(yaml), GRANT "%s  to: []\n", from);
    rig_expect(yaml, PROBLEM_out_of_range, "spec.to", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services),     cmocka_unit_test(wrong_services), cmocka_unit_test(slices),
        cmocka_unit_test(wrong_slices), cmocka_unit_test(grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
