# SPDX-License-Identifier: Apache-2.0
"""Replicas: each serves from its own watch, and they say the same."""

from rig import objects
from rig.process import Failed, until
from stage import heddle
from stage.case import Case
from stage.suite import alone, test

ALIKE_SECONDS = 20


def digests() -> dict:
    """{pod: what /api/digest says}"""
    return {pod: heddle.api(pod, "digest") for pod in heddle.pod_names()}


def check_alike() -> None:
    seen = {}

    def alike() -> bool:
        seen.update(digests())
        return len(seen) > 1 and len({str(d["digest"]) for d in seen.values()}) == 1
    try:
        until(alike, ALIKE_SECONDS, "the replicas are alike", interval=0.5)
    except Failed:
        raise Failed(f"the replicas differ: {seen}") from None


@alone
@test
def both_serve_identical_bytes(case: Case):
    heddle.wait_ready()
    check_alike()
    case.start("backends.yaml", "client.yaml", mode="proxyless")
    case.route(case.grpc_route("echo", objects.rule(objects.backend("echo-v1", 9000))))
    case.grpc("client", "go").call(case.target("echo"))
    check_alike()


@test
def one_leads(case: Case):
    heddle.wait_ready()
    if heddle.leader() not in heddle.pod_names():
        raise Failed(f"the Lease is held by '{heddle.lease_holder()}', which is none of "
                     f"{heddle.pod_names()}")


@test
def other_pods_are_told_nothing_of_clients(case: Case):
    """The kubelet and Prometheus ask from there, too; `kubectl port-forward` does not."""
    case.start("client.yaml", mode="proxyless")
    pod = heddle.pods()[0]
    at = f"http://{pod['status']['podIP']}:{heddle.ADMIN_PORT}"
    heddle.api(pod["metadata"]["name"], "proxies")
    for path, status in (("/ready", 200), ("/metrics", 200), ("/api/proxies", 403),
                         ("/api/status", 403), ("/api/dump?node=x", 403)):
        answer = case.get("client", at + path)[0]
        if answer["status"] != status:
            raise Failed(f"{path}: {answer}")
