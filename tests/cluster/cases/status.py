# SPDX-License-Identifier: Apache-2.0
"""What stands in the status of routes, of the GatewayClass and of the XMesh."""

import json

from rig import objects
from rig.process import Failed, until
from stage import heddle, kube
from stage.case import Case, Skip
from stage.suite import test

HEALED_SECONDS = 10
EDITS = 10
FOREIGN = {
    "controllerName": "example.com/another",
    "parentRef": {"group": "", "kind": "Service", "name": "echo"},
    "conditions": [{"type": "Accepted", "status": "False", "reason": "NoMatchingParent",
                    "message": "not one of ours", "observedGeneration": 1,
                    "lastTransitionTime": "2026-01-02T03:04:05Z"}],
}


def services(case: Case) -> None:
    """Services without a pod: status needs none."""
    case.ns.apply(*[{"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                     "spec": {"ports": [{"name": "http", "port": 8080, "appProtocol": "http"}]}}
                    for name in ("echo", "echo-v1", "echo-v2")])


def to(service: str, **more) -> dict:
    return objects.rule(objects.backend(service, 8080), **more)


def weight(route: dict, share: int) -> dict:
    route["spec"]["rules"] = [objects.rule(objects.backend("echo-v1", 8080, share),
                                           objects.backend("echo-v2", 8080, 100 - share))]
    return route


@test
def a_route_is_accepted(case: Case):
    services(case)
    route = case.http_route("echo", to("echo-v1"))
    case.ns.apply(route)
    case.expect(route, "Accepted", "True", "Accepted")
    case.expect(route, "ResolvedRefs", "True", "ResolvedRefs")
    (parent,) = case.parents(route)
    if parent["parentRef"] != route["spec"]["parentRefs"][0]:
        raise Failed(f"the parentRef is not as written: {parent['parentRef']}")


@test
def a_grpc_route_is_accepted(case: Case):
    services(case)
    route = case.grpc_route("echo", to("echo-v1"))
    case.ns.apply(route)
    case.expect(route, "Accepted", "True", "Accepted")


@test
def a_missing_backend_is_reported_and_healed(case: Case):
    services(case)
    route = case.http_route("echo", to("nobody"))
    case.ns.apply(route)
    case.expect(route, "ResolvedRefs", "False", "BackendNotFound")
    case.ns.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "nobody"},
                   "spec": {"ports": [{"port": 8080}]}})
    case.expect(route, "ResolvedRefs", "True")


@test
def a_missing_parent_is_reported_and_healed(case: Case):
    route = case.http_route("echo", to("echo-v1"))
    case.ns.apply(route)
    case.expect(route, "Accepted", "False", "NoMatchingParent")
    services(case)
    case.expect(route, "Accepted", "True")


@test
def the_generation_is_that_of_the_last_edit(case: Case):
    services(case)
    route = case.http_route("echo", to("echo-v1"))
    for edit in range(EDITS):
        case.ns.apply(weight(route, edit))
        case.expect(route, "Accepted", "True")  # of this generation


@test
def every_parent_has_an_entry_of_its_own(case: Case):
    services(case)
    route = case.http_route("echo", to("echo-v1"))
    route["spec"]["parentRefs"].append({"group": "", "kind": "Service", "name": "absent"})
    case.ns.apply(route)

    def statuses() -> dict:
        return {p["parentRef"]["name"]: c["status"] for p in case.parents(route)
                for c in p["conditions"] if c["type"] == "Accepted"}
    until(lambda: statuses() == {"echo": "True", "absent": "False"}, HEALED_SECONDS,
          "both parents have their entries")
    route["spec"]["parentRefs"].pop()
    case.ns.apply(route)
    until(lambda: statuses() == {"echo": "True"}, HEALED_SECONDS,
          "the entry of the parent that is gone is gone")


@test
def entries_of_other_controllers_are_kept(case: Case):
    services(case)
    route = case.http_route("echo", to("echo-v1"))
    case.ns.apply(route)
    case.expect(route, "Accepted", "True")
    now = case.ns.get("httproute", "route")["status"]["parents"]
    case.ns.patch("httproute", "route", {"status": {"parents": [FOREIGN, *now]}}, "status")
    for edit in range(3):
        case.ns.apply(weight(route, edit))
        case.expect(route, "Accepted", "True")
    kept = [p for p in case.ns.get("httproute", "route")["status"]["parents"]
            if p["controllerName"] == FOREIGN["controllerName"]]
    if kept != [FOREIGN]:
        raise Failed(f"the entry of another controller became {kept}")


@test
def conditions_of_other_writers_are_kept(case: Case):
    """An unknown type in heddle's own entry."""
    services(case)
    route = case.http_route("echo", to("echo-v1"))
    case.ns.apply(route)
    case.expect(route, "Accepted", "True")
    other = {"type": "example.com/Audited", "status": "True", "reason": "Seen", "message": "",
             "lastTransitionTime": "2026-01-02T03:04:05Z"}
    parents = case.ns.get("httproute", "route")["status"]["parents"]
    parents[0]["conditions"].append(other)
    case.ns.patch("httproute", "route", {"status": {"parents": parents}}, "status")
    case.ns.apply(weight(route, 7))
    case.expect(route, "Accepted", "True")
    (parent,) = case.parents(route)
    kept = [c for c in parent["conditions"] if c["type"] == other["type"]]
    if kept != [other]:
        raise Failed(f"a condition of another writer became {kept}")


@test
def what_others_break_is_mended(case: Case):
    """Level-triggered: somebody empties the status."""
    services(case)
    route = case.http_route("echo", to("echo-v1"))
    case.ns.apply(route)
    case.expect(route, "Accepted", "True")
    case.ns.patch("httproute", "route", {"status": {"parents": []}}, "status")
    case.expect(route, "Accepted", "True")


@test
def nothing_is_written_without_a_difference(case: Case):
    services(case)
    route = case.http_route("echo", to("echo-v1"))
    case.route(route)
    before = case.ns.get("httproute", "route")
    other = case.http_route("echo-v1", to("echo-v1"), name="other")
    case.route(other)
    case.ns.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "stranger"},
                   "spec": {"ports": [{"port": 1}]}})
    case.ns.apply(route)  # no change
    case.route(weight(other, 3))
    now = case.ns.get("httproute", "route")
    if now["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]:
        raise Failed(f"the status of a route that did not change was written: "
                     f"{json.dumps(before['status'])} became {json.dumps(now['status'])}")


@test
def times_of_transition_are_kept(case: Case):
    services(case)
    route = case.http_route("echo", to("echo-v1"))
    case.ns.apply(route)
    first = case.expect(route, "Accepted", "True")
    case.ns.apply(weight(route, 4))
    again = case.expect(route, "Accepted", "True")
    if again["lastTransitionTime"] != first["lastTransitionTime"]:
        raise Failed(f"Accepted stayed True, but its time moved: {first} {again}")


@test
def propagated_is_true_without_clients(case: Case):
    services(case)
    route = case.http_route("echo", to("echo-v1"))
    case.ns.apply(route)
    case.expect(route, heddle.PROPAGATED, "True")


@test("sidecar", "proxyless")
def what_is_propagated_is_in_force(case: Case):
    """kubectl wait, then the very next request takes the new route."""
    case.start("backends.yaml", "client.yaml")
    http = case.mode == "sidecar"
    port = 8080 if http else 9000
    client = None if http else case.grpc("client", "go")
    route = case.http_route("echo", port=port)
    for edit in range(EDITS):
        wanted = f"v{edit % 2 + 1}"
        route["spec"]["rules"] = [objects.rule(objects.backend(f"echo-{wanted}", port))]
        case.route(route)
        if http:
            got = case.backends("client", case.url("echo"))
        else:
            got = client.call(case.target("echo")).counts()
        if set(got) != {wanted}:
            raise Failed(f"edit {edit + 1} was told to be propagated, but '{wanted}' was not "
                         f"called but {dict(got)}")


def own_conditions(case: Case, kind: str, name: str) -> dict:
    """{type: (status, reason)} of an object's own conditions."""
    status = case.ns.get(kind, name).get("status", {})
    return {c["type"]: (c["status"], c["reason"]) for c in status.get("conditions", [])}


@test
def a_service_tells_what_is_wrong_with_it(case: Case):
    """And nothing once it is well again."""
    services(case)
    names = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "FQDN",
             "metadata": {"name": "names", "labels": {"kubernetes.io/service-name": "echo"}},
             "endpoints": [{"addresses": ["a.example.com"]}],
             "ports": [{"name": "http", "port": 8080}]}
    case.ns.apply(names)
    wrong = {"heddle.dev/Enforced": ("False", "AddressType")}
    until(lambda: own_conditions(case, "service", "echo") == wrong, HEALED_SECONDS,
          "the Service says that names are not served")
    case.ns.kubectl("delete", "endpointslice", "names")
    until(lambda: own_conditions(case, "service", "echo") == {}, HEALED_SECONDS,
          "the Service has no condition any more")


@test
def a_policy_has_an_entry_for_each_service(case: Case):
    if kube.told("get", "crd",
                 "xbackendtrafficpolicies.gateway.networking.x-k8s.io").returncode != 0:
        raise Skip("this cluster has no XBackendTrafficPolicy")
    services(case)
    targets = [{"group": "", "kind": "Service", "name": name} for name in ("echo", "absent")]
    case.ns.apply({"apiVersion": "gateway.networking.x-k8s.io/v1alpha1",
                   "kind": "XBackendTrafficPolicy", "metadata": {"name": "policy"},
                   "spec": {"targetRefs": targets,
                            "retryConstraint": {"budget": {"percent": 20, "interval": "10s"}}}})

    def reasons() -> dict:
        status = case.ns.get("xbackendtrafficpolicy", "policy").get("status", {})
        return {a["ancestorRef"]["name"]: c["reason"] for a in status.get("ancestors", [])
                for c in a["conditions"] if c["type"] == "Accepted"}
    until(lambda: reasons() == {"echo": "Accepted", "absent": "TargetNotFound"}, HEALED_SECONDS,
          "both Services have their entries")


@test
def what_is_not_accepted_is_an_event(case: Case):
    """What `kubectl describe` shows: it asks by uid."""
    route = case.http_route("echo", to("echo-v1"))
    case.ns.apply(route)
    case.expect(route, "Accepted", "False", "NoMatchingParent")
    uid = case.ns.get("httproute", "route")["metadata"]["uid"]

    def events() -> list:
        text = case.ns.kubectl("get", "events", "-o", "json",
                               "--field-selector", f"involvedObject.uid={uid}")
        return [(e["type"], e["reason"]) for e in json.loads(text)["items"]]
    until(events, HEALED_SECONDS, "there is an Event")
    if events() != [("Warning", "NoMatchingParent")]:
        raise Failed(f"the Events of the route: {events()}")


@test
def the_gateway_class_and_the_mesh_tell_what_is_supported(case: Case):
    def said() -> tuple:
        status = json.loads(kube.kubectl("get", "gatewayclass", heddle.NAME, "-o", "json"))["status"]
        return ({c["type"]: (c["status"], c["reason"]) for c in status["conditions"]},
                [f["name"] for f in status.get("supportedFeatures", [])])
    until(lambda: said()[0] == {"Accepted": ("True", "Accepted"),
                                "SupportedVersion": ("True", "SupportedVersion")},
          HEALED_SECONDS, "the GatewayClass is accepted, and the CRDs are known")
    features = said()[1]
    if "Gateway" not in features or "Mesh" in features:
        raise Failed(f"the features of the GatewayClass: {features}")
    if kube.told("get", "crd", "xmeshes.gateway.networking.x-k8s.io").returncode != 0:
        raise Skip("this cluster has no XMesh")
    mesh = json.loads(kube.kubectl("get", "xmesh", heddle.NAME, "-o", "json"))
    features = [f["name"] for f in mesh["status"].get("supportedFeatures", [])]
    if "Mesh" not in features or features != sorted(features):
        raise Failed(f"the features of the XMesh: {features}")


# An Envoy with a bootstrap of its own, without what heddle's says of regular expressions: it takes
# only short ones (docs/xds.md).
SHORT_REGEX_ENVOY = """
node: {id: sidecar/$ns/strict, cluster: default}
dynamic_resources:
  cds_config: {ads: {}, resource_api_version: V3}
  lds_config: {ads: {}, resource_api_version: V3}
  ads_config:
    api_type: DELTA_GRPC
    transport_api_version: V3
    set_node_on_first_message_only: true
    grpc_services: [{envoy_grpc: {cluster_name: heddle, retry_policy:
      {retry_back_off: {base_interval: 0.1s, max_interval: 1s}}}}]
static_resources:
  clusters:
    - name: heddle
      type: STATIC
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: {http2_protocol_options: {}}
      load_assignment:
        cluster_name: heddle
        endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address:
          {address: $replica, port_value: 15010}}}}]}]
"""


def strict_envoy(case: Case, replica: dict) -> dict:
    bootstrap = SHORT_REGEX_ENVOY.replace("$ns", case.ns.name).replace(
        "$replica", replica["status"]["podIP"])
    container = {"name": "envoy", "image": heddle.proxy_image(),
                 "command": ["/usr/local/bin/envoy", "--config-yaml", bootstrap]}
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "strict", "labels": {heddle.INJECT_LABEL: "disabled"}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}


def replica_of(mode: str) -> dict:
    """The replica that writes status, or another one."""
    leader = until(heddle.leader, heddle.READY_SECONDS, "a replica leads")
    for pod in heddle.pods():
        if (pod["metadata"]["name"] == leader) == (mode == "at the leader"):
            return pod
    raise Skip("heddle has one replica")


@test("at the leader", "at another replica")
def what_a_client_rejects_is_told_and_taken_back(case: Case):
    services(case)
    case.ns.apply(strict_envoy(case, replica_of(case.mode)))
    long_regex = {"headers": [{"name": "x", "type": "RegularExpression", "value": "[a-z]{150}x"}]}
    route = case.http_route("echo", to("echo-v1", matches=[long_regex]))
    case.ns.apply(route)
    said = case.expect(route, "heddle.dev/Programmed", "False", "Rejected")
    if "regex" not in said["message"] and "program size" not in said["message"]:
        raise Failed(f"the client's words are not told: {said['message']}")

    def events() -> list:
        text = case.ns.kubectl("get", "events", "-o", "json",
                               "--field-selector=involvedObject.name=route")
        return [e["reason"] for e in json.loads(text)["items"] if e["type"] == "Warning"]
    until(lambda: "Rejected" in events(), HEALED_SECONDS, "there is an Event of the rejection")

    def taken_back() -> bool:
        return not any(c["type"] == "heddle.dev/Programmed" for p in case.parents(route)
                       for c in p["conditions"])
    route["spec"]["rules"] = [to("echo-v1")]
    case.ns.apply(route)
    until(taken_back, HEALED_SECONDS, "the rejection is taken back")
    case.propagated(route)
