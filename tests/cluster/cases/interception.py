# SPDX-License-Identifier: Apache-2.0
"""What is kept out of the sidecar by annotation, and who is not redirected."""

from rig import objects
from rig.process import Failed
from stage import heddle
from stage.case import Case
from stage.suite import test

EXCLUDE = "heddle.dev/exclude-"


def client(case: Case, name: str, **annotations: str) -> None:
    """A pod with a sidecar; exclude_outbound_ports="8080" is the annotation."""
    case.ns.apply({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {heddle.INJECT_LABEL: "sidecar"},
                     "annotations": {EXCLUDE + key.replace("_", "-"): value
                                     for key, value in annotations.items()}},
        "spec": {"terminationGracePeriodSeconds": 5, "containers": [
            {"name": "app", "image": "heddle/workload:test", "args": ["rest"]}]}})


def route_to_v2(case: Case) -> None:
    """Who comes through a sidecar gets v2 only."""
    case.route(case.http_route("echo", objects.rule(objects.backend("echo-v2", 8080))))


def expect(case: Case, pod: str, wanted: set) -> None:
    got = case.backends(pod, case.url("echo"), count=60)
    if set(got) != wanted:
        raise Failed(f"'{pod}' was answered by {dict(got)}, expected {wanted}")


@test
def outbound_ports_are_excluded(case: Case):
    case.start("backends.yaml")
    route_to_v2(case)
    client(case, "through")
    client(case, "around", outbound_ports="8080")
    client(case, "other", outbound_ports="9000,9999")
    case.ns.wait_available()
    expect(case, "through", {"v2"})
    expect(case, "around", {"v1", "v2"})
    expect(case, "other", {"v2"})


@test
def outbound_networks_are_excluded(case: Case):
    case.start("backends.yaml")
    route_to_v2(case)
    ip = case.ns.get("service", "echo")["spec"]["clusterIP"]
    client(case, "around", outbound_cidrs=f"{ip}/32")
    client(case, "other", outbound_cidrs="192.0.2.0/24")
    case.ns.wait_available()
    expect(case, "around", {"v1", "v2"})
    expect(case, "other", {"v2"})


@test
def users_are_excluded(case: Case):
    """The workload's image runs as 65532."""
    case.start("backends.yaml")
    route_to_v2(case)
    client(case, "around", uids="65532")
    client(case, "other", uids="1234")
    case.ns.wait_available()
    expect(case, "around", {"v1", "v2"})
    expect(case, "other", {"v2"})


@test
def inbound_ports_are_excluded(case: Case):
    """Whoever comes in through the sidecar is seen as coming from the pod itself."""
    case.ns.apply("client.yaml", mode="disabled")
    for name, annotations in (("through", {}), ("around", {"inbound-ports": "8080"})):
        case.ns.apply({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "labels": {heddle.INJECT_LABEL: "sidecar"},
                         "annotations": {EXCLUDE + key: v for key, v in annotations.items()}},
            "spec": {"terminationGracePeriodSeconds": 5, "containers": [
                {"name": "app", "image": "heddle/workload:test", "args": ["serve"]}]}})
    case.ns.wait_available()
    client_ip = case.ns.get("pod", "client")["status"]["podIP"]
    for name in ("through", "around"):
        ip = case.ns.get("pod", name)["status"]["podIP"]
        (answer,) = case.get("client", f"http://{ip}:8080/")
        if answer["status"] != 200:
            raise Failed(f"'{name}' is not reached from outside the mesh: {answer}")
        direct = answer["body"]["peer"].rsplit(":", 1)[0] == client_ip
        if direct != (name == "around"):
            raise Failed(f"'{name}' was called by {answer['body']['peer']}, the client is "
                         f"{client_ip}")


@test
def probes_reach_the_application(case: Case):
    """The kubelet's, through the sidecar: backends.yaml has one, and it fails where nobody listens."""
    case.start("backends.yaml", mode="sidecar")
    for pod in case.ns.list("pod", app="echo"):
        if any(c["restartCount"] for c in pod["status"]["containerStatuses"]):
            raise Failed(f"'{pod['metadata']['name']}' was restarted")


@test
def what_is_outside_the_mesh_is_reached(case: Case):
    """The API server, by its Service: TLS that heddle does not look into."""
    case.start("client.yaml", mode="sidecar")
    (answer,) = case.get("client", "https://kubernetes.default.svc.cluster.local:443/version")
    if "certificate" not in answer.get("error", ""):  # of an authority that the pod does not know
        raise Failed(f"the API server should have been reached: {answer}")
