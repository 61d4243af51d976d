# SPDX-License-Identifier: Apache-2.0
"""What heddle makes of a Gateway: made, mended, replaced without a failed request, and gone."""

import json
from typing import Optional

from rig import objects
from rig.process import Failed, until
from stage import heddle, kube
from stage.case import Case
from stage.suite import test

SECONDS = 60
CALLS_LEAST = 300
API = "gateway.networking.k8s.io"
NAME_LABEL = f"{API}/gateway-name"
KINDS = ("deployment", "service", "serviceaccount", "secret", "poddisruptionbudget",
         "horizontalpodautoscaler")
# Not in any Service network that a cluster would have (RFC 5737).
NOBODYS = "192.0.2.1"


def gateway(case: Case, name: str = "web", parameters: Optional[dict] = None, **spec) -> None:
    """Applies a Gateway with one listener, whose Service has a ClusterIP unless it says otherwise."""
    data = {"service-type": "ClusterIP", **(parameters or {})}
    infrastructure = {"parametersRef": {"group": "", "kind": "ConfigMap", "name": f"for-{name[:40]}"},
                      **spec.pop("infrastructure", {})}
    case.ns.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"for-{name[:40]}"},
         "data": data},
        {"apiVersion": f"{API}/v1", "kind": "Gateway", "metadata": {"name": name},
         "spec": {"gatewayClassName": heddle.NAME, "infrastructure": infrastructure,
                  "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}], **spec}})


def status_of(case: Case, name: str = "web") -> dict:
    """{type: condition} of the Gateway's present generation."""
    now = case.ns.get("gateway", name)
    return {c["type"]: c for c in now.get("status", {}).get("conditions", [])
            if c["observedGeneration"] == now["metadata"]["generation"]}


def expect(case: Case, type_: str, status: str, reason: str = "", name: str = "web") -> dict:
    def good():
        condition = status_of(case, name).get(type_, {})
        fits = condition.get("status") == status and reason in ("", condition["reason"])
        return condition if fits else None
    try:
        return until(good, SECONDS, "", interval=0.2)
    except Failed:
        raise Failed(f"'{name}' is not {type_}={status} '{reason}': {status_of(case, name)}"
                     ) from None


def made(case: Case, kind: str, name: str = "web") -> list:
    return case.ns.list(kind, **{NAME_LABEL: name})


def under_load(case: Case, **parameters) -> None:
    """A Gateway with a route to echo-v1, and a client that calls through it."""
    case.mode = ""
    gateway(case, parameters=parameters)
    case.ns.apply("backends.yaml", mode="disabled")
    expect(case, "Programmed", "True")
    case.ns.apply({"apiVersion": f"{API}/v1", "kind": "HTTPRoute", "metadata": {"name": "all"},
                   "spec": {"parentRefs": [{"name": "web"}],
                            "rules": [objects.rule(objects.backend("echo-v1", 8080))]}})
    load_on(case, "web-heddle")
    case.ns.wait_available()


def load_on(case: Case, service: str, pod: str = "load") -> None:
    case.ns.apply("load-gateway.yaml", service=service, pod=pod)


def another_class(case: Case, suffix: str = "x", controller: str = heddle.CONTROLLER, **spec) -> str:
    """The name of a GatewayClass that is there until the test ends."""
    name = f"{case.ns.name}-{suffix}"
    kube.kubectl("create", "-f", "-", stdin=json.dumps(
        {"apiVersion": f"{API}/v1", "kind": "GatewayClass", "metadata": {"name": name},
         "spec": {"controllerName": controller, **spec}}))
    case.finally_do(lambda: kube.told("delete", "gatewayclass", name))
    return name


def addresses(case: Case) -> list:
    return [a["value"] for a in case.ns.get("gateway", "web")["status"].get("addresses", [])]


def cluster_ip(case: Case, service: str) -> str:
    return case.ns.get("service", service)["spec"]["clusterIP"]


def free_address(case: Case) -> str:
    case.ns.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "for-an-address"},
                   "spec": {"ports": [{"port": 9}]}})
    found = cluster_ip(case, "for-an-address")
    case.ns.kubectl("delete", "service", "for-an-address")
    return found


def settled(case: Case) -> None:
    case.ns.kubectl("rollout", "status", "deployment/web-heddle", "--timeout=120s", seconds=130)
    until(lambda: not any("deletionTimestamp" in p["metadata"] for p in made(case, "pod")), 150,
          "the old pods are gone", interval=0.5)


# --- made and mended ---------------------------------------------------------------------------------


@test
def a_restricted_namespace_takes_a_gateway(case: Case):
    case.namespace(**{"pod-security.kubernetes.io/enforce": "restricted"})
    gateway(case, infrastructure={"labels": {"team": "shop"}, "annotations": {"note": "kept"}})
    expect(case, "Programmed", "True")
    for kind in ("pod", *KINDS[:-1]):
        found = made(case, kind)
        if not found:
            raise Failed(f"there is no {kind}")
        meta = found[0]["metadata"]
        if meta["labels"].get("team") != "shop" or meta["annotations"].get("note") != "kept":
            raise Failed(f"{kind} lacks what the Gateway's infrastructure says: {meta}")
    if made(case, KINDS[-1]):
        raise Failed("nobody asked for an autoscaler")


@test
def what_is_edited_or_deleted_comes_back(case: Case):
    gateway(case)
    expect(case, "Programmed", "True")

    def generation():
        return case.ns.get("deployment", "web-heddle")["metadata"]["generation"]
    before = generation()
    case.ns.patch("service", "web-heddle", {"spec": {"ports": [
        {"name": "mine", "port": 81, "targetPort": 81}]}})
    case.ns.patch("deployment", "web-heddle", {"spec": {"replicas": 0}})
    case.ns.patch("serviceaccount", "web-heddle", {"metadata": {"labels": {NAME_LABEL: None}}})
    case.ns.kubectl("delete", "poddisruptionbudget", "web-heddle")
    case.ns.kubectl("delete", "secret", "web-heddle-identity")

    def whole():
        ports = [p["port"] for p in case.ns.get("service", "web-heddle")["spec"]["ports"]]
        return (80 in ports and case.ns.get("deployment", "web-heddle")["spec"]["replicas"] == 1
                and all(made(case, kind) for kind in KINDS[:-1]))
    until(whole, SECONDS, "all is as it was", interval=0.2)
    expect(case, "Programmed", "True")
    if generation() < before + 2:
        raise Failed("the replicas were not edited once and mended once")


@test
def what_heddle_did_not_make_is_left_alone(case: Case):
    case.ns.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web-heddle"},
                   "spec": {"ports": [{"port": 9}]}})
    gateway(case)
    said = expect(case, "Programmed", "False")
    if "not heddle's" not in said["message"]:
        raise Failed(f"the Gateway does not say what is in its way: {said}")
    if case.ns.get("service", "web-heddle")["spec"]["ports"][0]["port"] != 9:
        raise Failed("another one's Service was changed")
    case.ns.kubectl("delete", "service", "web-heddle")
    expect(case, "Programmed", "True")


@test
def a_name_of_253_characters(case: Case):
    name = "long.name." + "a" * 243
    gateway(case, name)
    expect(case, "Programmed", "True", name=name)


@test
def replicas_and_an_autoscaler(case: Case):
    gateway(case, parameters={"replicas": "2"})
    until(lambda: len(made(case, "pod")) == 2, SECONDS, "two pods", interval=0.2)
    expect(case, "Programmed", "True")
    gateway(case, parameters={"replicas": "2", "max-replicas": "5"})
    until(lambda: made(case, "horizontalpodautoscaler"), SECONDS, "an autoscaler", interval=0.2)
    case.ns.kubectl("scale", "deployment/web-heddle", "--replicas=3")  # as it would
    until(lambda: len(made(case, "pod")) == 3, SECONDS, "three pods", interval=0.2)
    gateway(case, parameters={"replicas": "1"})
    until(lambda: not made(case, "horizontalpodautoscaler"), SECONDS, "no autoscaler", interval=0.2)
    until(lambda: case.ns.get("deployment", "web-heddle")["spec"]["replicas"] == 1, SECONDS,
          "one replica is asked for", interval=0.2)


# --- addresses ---------------------------------------------------------------------------------------


@test
def an_address_that_nobody_can_give(case: Case):
    address = [{"type": "IPAddress", "value": NOBODYS}]
    gateway(case, addresses=address)
    expect(case, "Accepted", "True")
    expect(case, "Programmed", "False", "AddressNotUsable")
    gateway(case)
    expect(case, "Programmed", "True")
    free = case.ns.get("service", "web-heddle")["spec"]["clusterIP"]
    gateway(case, addresses=[{"type": "IPAddress", "value": free}])
    expect(case, "Programmed", "True")
    given = case.ns.get("gateway", "web")["status"]["addresses"]
    if [a["value"] for a in given] != [free]:
        raise Failed(f"asked for '{free}', has {given}")


@test
def another_cluster_ip(case: Case):
    """One that is taken leaves the Service as it is; one that is free takes its place."""
    gateway(case)
    expect(case, "Programmed", "True")
    before = case.ns.get("service", "web-heddle")
    taken = json.loads(kube.kubectl("-n", "default", "get", "service", "kubernetes", "-o", "json"))
    gateway(case, addresses=[{"type": "IPAddress", "value": taken["spec"]["clusterIP"]}])
    said = expect(case, "Programmed", "False", "AddressNotUsable")
    if "allocated" not in said["message"]:
        raise Failed(f"the Gateway does not say what the API server does: {said}")
    now = case.ns.get("service", "web-heddle")
    if (now["metadata"]["uid"] != before["metadata"]["uid"]
            or addresses(case) != [before["spec"]["clusterIP"]]):
        raise Failed(f"the Service that there was is another one: {now}")
    free = free_address(case)
    gateway(case, addresses=[{"type": "IPAddress", "value": free}])
    expect(case, "Programmed", "True")
    if addresses(case) != [free] or cluster_ip(case, "web-heddle") != free:
        raise Failed(f"asked for '{free}', has {addresses(case)}")
    until(lambda: len(made(case, "service")) == 1, SECONDS, "nothing stands in any more",
          interval=0.2)


# --- another class -----------------------------------------------------------------------------------


@test
def another_class_fails_no_request(case: Case):
    """At the old address until the status tells the new one, and a while longer; then at that."""
    under_load(case)
    load, before = case.load(), addresses(case)
    name = another_class(case, "next")
    gateway(case, gatewayClassName=name)
    until(lambda: addresses(case) not in ([], before), SECONDS, "it is elsewhere", interval=0.2)
    expect(case, "Programmed", "True")
    load_on(case, f"web-{name}", "load-next")
    case.ns.wait_available()
    after = case.load("load-next")
    load.wait_calls(CALLS_LEAST)
    load.check_no_failure(CALLS_LEAST)
    case.ns.kubectl("delete", "pod", "load")
    until(lambda: [d["metadata"]["name"] for d in made(case, "deployment")] == [f"web-{name}"], 150,
          "what was there before is gone", interval=0.5)
    for kind in ("service", "serviceaccount", "secret", "poddisruptionbudget"):
        if len(made(case, kind)) != 1:
            raise Failed(f"there still is another {kind}")
    after.wait_calls(CALLS_LEAST)
    after.check_no_failure(CALLS_LEAST)


@test
def a_class_whose_pods_never_start_takes_nothing_away(case: Case):
    under_load(case)
    load, before = case.load(), addresses(case)
    case.ns.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "huge"},
                   "data": {"memory-request": "900Ti", "memory-limit": "900Ti"}})
    gateway(case, gatewayClassName=another_class(case, "huge", parametersRef={
        "group": "", "kind": "ConfigMap", "name": "huge", "namespace": case.ns.name}))
    until(lambda: "has yet to become ready" in expect(case, "Programmed", "True")["message"], SECONDS,
          "the condition says what is waited for", interval=0.2)
    load.wait_calls(CALLS_LEAST)
    if addresses(case) != before or len(made(case, "deployment")) != 2:
        raise Failed(f"it is at {addresses(case)}, not {before}")
    gateway(case)  # back again
    until(lambda: len(made(case, "deployment")) == 1, SECONDS, "the other is gone", interval=0.2)
    if expect(case, "Programmed", "True")["message"] != "1 Envoy is ready":
        raise Failed(f"it is not as it was: {status_of(case)}")
    load.check_no_failure(CALLS_LEAST)


@test
def an_address_goes_over_to_another_class(case: Case):
    address = free_address(case)
    wanted = [{"type": "IPAddress", "value": address}]
    gateway(case, addresses=wanted)
    expect(case, "Programmed", "True")
    name = another_class(case, "next")
    gateway(case, addresses=wanted, gatewayClassName=name)
    until(lambda: [s["metadata"]["name"] for s in made(case, "service")] == [f"web-{name}"], SECONDS,
          "one Service is left", interval=0.1)
    expect(case, "Programmed", "True")
    if addresses(case) != [address] or cluster_ip(case, f"web-{name}") != address:
        raise Failed(f"asked for '{address}', has {addresses(case)}")


# --- replaced ----------------------------------------------------------------------------------------


@test
def a_rollout_fails_no_request(case: Case):
    under_load(case)
    load = case.load()
    case.ns.kubectl("rollout", "restart", "deployment/web-heddle")
    settled(case)
    gateway(case, parameters={"memory-request": "100Mi"})  # pods of another kind
    until(lambda: case.ns.get("deployment", "web-heddle")["metadata"]["generation"] > 2, SECONDS,
          "another kind of pods is asked for", interval=0.2)
    settled(case)
    load.check_no_failure(CALLS_LEAST)


@test
def a_pod_that_is_evicted_fails_no_request(case: Case):
    """As the drain of a node does it; a second one has to wait."""
    under_load(case, replicas="2")
    until(lambda: len(made(case, "pod")) == 2, SECONDS, "two pods", interval=0.2)
    case.ns.wait_available()
    load = case.load()
    answers = [_evict(case, pod["metadata"]["name"]) for pod in made(case, "pod")]
    if answers != [True, False]:
        raise Failed(f"evictions were admitted as {answers}, not one of two")
    settled(case)
    load.check_no_failure(CALLS_LEAST)


def _evict(case: Case, pod: str) -> bool:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction",
                "metadata": {"name": pod, "namespace": case.ns.name}}
    done = kube.told("create", "--raw", f"/api/v1/namespaces/{case.ns.name}/pods/{pod}/eviction",
                     "-f", "-", stdin=json.dumps(eviction))
    return done.returncode == 0


@test
def listeners_and_routes_restart_no_pod(case: Case):
    gateway(case)
    expect(case, "Programmed", "True")
    before = [p["metadata"]["uid"] for p in made(case, "pod")]
    listeners = [{"name": f"p{port}", "port": port, "protocol": protocol}
                 for port, protocol in ((80, "HTTP"), (81, "HTTP"), (9000, "TCP"), (53, "UDP"))]
    gateway(case, listeners=listeners)
    expect(case, "Programmed", "True")
    until(lambda: len(case.ns.get("service", "web-heddle")["spec"]["ports"]) == 4, SECONDS,
          "the Service has four ports", interval=0.2)
    if [p["metadata"]["uid"] for p in made(case, "pod")] != before:
        raise Failed("pods were replaced")


# --- gone --------------------------------------------------------------------------------------------


@test
def a_deleted_gateway_leaves_nothing(case: Case):
    gateway(case, parameters={"max-replicas": "2"})
    until(lambda: all(made(case, kind) for kind in KINDS), SECONDS, "all is made", interval=0.2)
    case.ns.kubectl("delete", "gateway", "web")
    until(lambda: not any(made(case, kind) for kind in (*KINDS, "pod")), 120, "nothing is left",
          interval=0.5)


@test
def a_gateway_that_changes_its_class_is_given_up(case: Case):
    gateway(case)
    until(lambda: all(made(case, kind) for kind in KINDS[:-1]), SECONDS, "all is made", interval=0.2)
    foreign = {"type": "example.com/Seen", "status": "True", "reason": "Seen", "message": "",
               "lastTransitionTime": "2026-01-02T03:04:05Z"}
    now = case.ns.get("gateway", "web")["status"]["conditions"]
    case.ns.patch("gateway", "web", {"status": {"conditions": [*now, foreign]}}, "status")
    gateway(case, gatewayClassName=another_class(case, "other", "example.com/nobody"))
    until(lambda: not any(made(case, kind) for kind in KINDS), SECONDS, "nothing is left",
          interval=0.5)

    def left():
        said = case.ns.get("gateway", "web")["status"]
        return [c["type"] for c in said["conditions"]], [*said]
    until(lambda: left() == ([foreign["type"]], ["conditions"]), SECONDS,
          "only what another has said is left of the status")


@test
def a_gateway_whose_class_is_gone_waits_for_a_controller(case: Case):
    other = another_class(case)
    gateway(case, gatewayClassName=other)
    expect(case, "Accepted", "True")
    kube.kubectl("delete", "gatewayclass", other)

    def waits():
        said = case.ns.get("gateway", "web")["status"]
        return [*said] == ["conditions"] and all(
            c["reason"] == "Pending" for c in said["conditions"]) and len(said["conditions"]) == 2
    until(waits, SECONDS, "it is as a Gateway of which nobody has heard")


@test
def two_gateways_of_one_name_are_both_served(case: Case):
    other = another_class(case)  # NS-x
    first, second = f"a-{other.removesuffix('-x')}", "a"
    case.ns.apply({"apiVersion": f"{API}/v1", "kind": "GatewayClass", "metadata": {"name": "x"},
                   "spec": {"controllerName": heddle.CONTROLLER}})
    case.finally_do(lambda: kube.told("delete", "gatewayclass", "x"))
    gateway(case, first, gatewayClassName="x")
    expect(case, "Programmed", "True", name=first)
    gateway(case, second, gatewayClassName=other)
    expect(case, "Programmed", "True", name=second)
    (service,) = made(case, "service", first)
    if service["metadata"]["name"] != f"a-{other}":
        raise Failed(f"the first one's name has changed: {service['metadata']['name']}")
