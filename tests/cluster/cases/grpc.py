# SPDX-License-Identifier: Apache-2.0
"""gRPC: proxyless clients in Go and Python with the bootstrap that the webhook gave them, and calls
through sidecars."""

import json

from rig import objects
from rig.process import Failed
from stage import kube
from stage.case import Case
from stage.suite import test

LANGUAGES = {"go": "client", "python": "python"}  # and the pod that speaks it
ZONE = "topology.kubernetes.io/zone"


def to(service: str, **more) -> dict:
    return objects.rule(objects.backend(service, 9000), **more)


def method(service: str, name: str) -> dict:
    return {"method": {"service": service, "method": name}}


def start(case: Case, mode: str = "proxyless") -> None:
    """Servers without a sidecar; a client in each language."""
    case.start("backends.yaml")
    case.start("client.yaml", "python.yaml", mode=mode)


def equal(what: str, got, wanted) -> None:
    if got != wanted:
        raise Failed(f"{what}: {got!r}, expected {wanted!r}")


@test(*LANGUAGES)
def a_service_without_a_route_takes_turns(case: Case):
    language, case.mode = case.mode, ""
    start(case)
    got = case.grpc(LANGUAGES[language], language).call(case.target("echo"), count=100).counts()
    equal("backends", set(got), {"v1", "v2"})


@test(*LANGUAGES)
def a_grpc_route_steers(case: Case):
    language, case.mode = case.mode, ""
    start(case)
    client = case.grpc(LANGUAGES[language], language)
    case.route(case.grpc_route("echo", to("echo-v1", matches=[method("shop.Cart", "Add")]),
                               to("echo-v2", matches=[method("shop.Cart", "Pay")])))
    for name, wanted in (("Add", "v1"), ("Pay", "v2")):
        got = client.call(case.target("echo"), methods=[f"/shop.Cart/{name}"], count=20).counts()
        equal(name, set(got), {wanted})
    equal("no rule", set(client.call(case.target("echo"), methods=["/shop.Cart/None"]).counts()),
          {"UNAVAILABLE"})


@test(*LANGUAGES)
def an_http_route_steers(case: Case):
    language, case.mode = case.mode, ""
    start(case)
    client = case.grpc(LANGUAGES[language], language)
    case.route(case.http_route("echo", objects.rule(objects.backend("echo-v1", 9000, 80),
                                                    objects.backend("echo-v2", 9000, 20)),
                               port=9000))
    got = client.call(case.target("echo"), count=500).counts()
    if sum(got.values()) != got["v1"] + got["v2"] or not 50 <= got["v2"] <= 150:
        raise Failed(f"80 to 20 gave {dict(got)}")


@test(*LANGUAGES)
def a_change_reaches_a_running_channel(case: Case):
    language, case.mode = case.mode, ""
    start(case)
    client = case.grpc(LANGUAGES[language], language)
    route = case.route(case.grpc_route("echo", to("echo-v1")))
    with client.watch(case.target("echo"), rps=50) as calls:
        calls.wait_for(backend="v1")
        route["spec"]["rules"] = [to("echo-v2")]
        case.route(route)
        calls.wait_for(backend="v2")
    calls.result.check_no_failure(new_clusters=1)


@test(*LANGUAGES)
def a_missing_service_is_named_at_once(case: Case):
    language, case.mode = case.mode, ""
    start(case)
    client = case.grpc(LANGUAGES[language], language)
    result = client.call(case.target("ecco"), timeout=10)
    error = result.only_error()
    if "ecco" not in error["message"] or result.first_ms > 3000:
        raise Failed(f"after {result.first_ms:.0f} ms it says {error}")


@test("go", "python")
def a_grpc_route_steers_through_a_sidecar(case: Case):
    language, case.mode = case.mode, ""
    case.start("backends.yaml", mode="sidecar")
    case.start("client.yaml", "python.yaml", mode="sidecar")
    client = case.grpc(LANGUAGES[language], language)
    case.route(case.grpc_route("echo", to("echo-v1", matches=[method("shop.Cart", "Add")]),
                               to("echo-v2", matches=[method("shop.Cart", "Pay")])))
    plain = f"dns:///{case.host('echo')}:9000"
    for name, wanted in (("Add", "v1"), ("Pay", "v2"), ("None", "UNIMPLEMENTED")):
        got = client.call(plain, methods=[f"/shop.Cart/{name}"], count=20).counts()
        equal(name, set(got), {wanted})


@test
def the_bootstrap_tells_who_and_where_a_pod_is(case: Case):
    (node,) = json.loads(kube.kubectl("get", "nodes", "-o", "json"))["items"][:1]
    name, zone = node["metadata"]["name"], node["metadata"]["labels"].get(ZONE)
    if not zone:
        zone = "test-zone-a"
        kube.kubectl("label", "node", name, f"{ZONE}={zone}")
        case.finally_do(lambda: kube.kubectl("label", "node", name, f"{ZONE}-"))
    case.start("client.yaml", mode="proxyless")
    variables = json.loads(case.ns.exec("client", "/workload", "env"))
    path = variables.get("GRPC_XDS_BOOTSTRAP") or ""
    if not path:
        raise Failed(f"GRPC_XDS_BOOTSTRAP is not set; there is {sorted(variables)}")
    bootstrap = json.loads(case.ns.exec("client", "/workload", "cat", path))
    equal("node.id", bootstrap["node"]["id"], f"proxyless/{case.ns.name}/client")
    equal("node.cluster", bootstrap["node"]["cluster"], "default")
    equal("the namespace", bootstrap["node"]["metadata"]["namespace"], case.ns.name)
    on = case.ns.get("pod", "client")["spec"]["nodeName"]
    if on == name:
        equal("the zone", bootstrap["node"].get("locality", {}).get("zone"), zone)
    (server,) = bootstrap["xds_servers"]
    if not server["server_uri"].endswith(":15010"):
        raise Failed(f"the server is {server}")
