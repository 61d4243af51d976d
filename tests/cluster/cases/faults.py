# SPDX-License-Identifier: Apache-2.0
"""What breaks around heddle, and heddle itself: traffic goes on, and what was missed is caught up."""

import time

from rig import objects
from rig.process import Failed, until
from stage import components, heddle, kube
from stage.case import Case
from stage.suite import alone, test

CALLS = 400
OUTAGE_SECONDS = 10


def start(case: Case) -> tuple:
    """Traffic under routes: (the route of HTTP, the loads)"""
    heddle.wait_ready()
    case.ns.apply("backends.yaml", mode="sidecar")
    route = case.http_route("echo", objects.rule(objects.backend("echo-v1", 8080)), port=8080)
    case.ns.apply(route, case.grpc_route("echo", objects.rule(objects.backend("echo-v1", 9000)),
                                         name="calls", port=9000))
    case.start("load.yaml", "client.yaml", mode="sidecar")
    case.ns.wait_available()
    return route, [case.load("load"), case.load("load-proxyless")]


def check_moves(case: Case, route: dict, version: str) -> None:
    """A change is taken: by clients, and in the route's status."""
    route["spec"]["rules"] = [objects.rule(objects.backend(f"echo-{version}", 8080))]
    case.route(route)
    case.expect(route, "Accepted", "True")
    got = case.backends("client", case.url("echo"), count=20)
    if set(got) != {version}:
        raise Failed(f"after the route was moved to '{version}': {dict(got)}")


def check_traffic(loads: list) -> None:
    for load in loads:
        load.wait_calls(CALLS)
        load.check_no_failure(CALLS)


@alone
@test
def the_api_server_is_restarted(case: Case):
    server = components.Component("kube-apiserver")
    route, loads = start(case)
    server.kill()
    time.sleep(OUTAGE_SECONDS)  # the outage
    server.start()
    components.wait_api_server()
    check_moves(case, route, "v2")
    check_traffic(loads)
    heddle.check_no_crash()


@alone
@test
def replicas_stay_ready_while_the_api_server_is_away(case: Case):
    """Then their traffic would be taken away from those who serve it well."""
    server = components.Component("kube-apiserver")
    heddle.wait_ready()
    server.kill()
    time.sleep(OUTAGE_SECONDS)
    server.start()
    components.wait_api_server()
    for pod in heddle.pods():
        for condition in pod["status"]["conditions"]:
            if condition["type"] == "Ready" and condition["status"] != "True":
                raise Failed(f"'{pod['metadata']['name']}' is {condition}")


@alone
@test
def the_history_of_etcd_is_compacted(case: Case):
    """While the API server is away: where watches left off is forgotten, and all is listed again."""
    server = components.Component("kube-apiserver")
    route, loads = start(case)
    for turn in range(20):  # revisions to forget
        case.ns.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "filler"},
                       "data": {"turn": str(turn)}})
    server.kill()
    components.compact_etcd()
    server.start()
    components.wait_api_server()
    check_moves(case, route, "v2")
    check_traffic(loads)


@alone
@test
def the_leader_is_killed(case: Case):
    route, loads = start(case)
    leader = heddle.leader()
    kube.kubectl("-n", heddle.NAMESPACE, "delete", "pod", leader, "--grace-period=0", "--force")
    check_moves(case, route, "v2")
    heddle.wait_leader_other_than(leader)
    heddle.wait_ready()
    check_traffic(loads)


@alone
@test
def the_leader_ends_in_peace_and_hands_over_at_once(case: Case):
    """A Lease that is given back is not waited for."""
    heddle.wait_ready()
    leader = heddle.leader()
    kube.kubectl("-n", heddle.NAMESPACE, "delete", "pod", leader, "--wait=false")
    heddle.wait_leader_other_than(leader, seconds=10)
    heddle.wait_ready()


@alone
@test
def both_replicas_are_restarted(case: Case):
    route, loads = start(case)
    kube.kubectl("-n", heddle.NAMESPACE, "delete", "pod", *heddle.pod_names(), "--grace-period=0",
                 "--force")
    heddle.wait_ready()
    check_moves(case, route, "v2")
    check_traffic(loads)


@alone
@test
def heddle_is_away(case: Case):
    """Whoever is connected keeps what it has; what changes meanwhile arrives afterwards."""
    route, loads = start(case)
    scale(0)
    case.finally_do(lambda: scale(2))
    until(lambda: not heddle.pods(), 60, "heddle is away", interval=0.5)
    route["spec"]["rules"] = [objects.rule(objects.backend("echo-v2", 8080))]
    case.ns.apply(route)
    for load in loads:
        load.wait_calls(CALLS)
        load.check_no_failure(CALLS)
    scale(2)
    heddle.wait_ready()
    case.propagated(route)
    got = case.backends("client", case.url("echo"), count=20)
    if set(got) != {"v2"}:
        raise Failed(f"the change of the meantime was not taken: {dict(got)}")
    for load in loads:
        load.check_no_failure(CALLS)


def scale(replicas: int) -> None:
    kube.kubectl("-n", heddle.NAMESPACE, "scale", f"deployment/{heddle.NAME}",
                 f"--replicas={replicas}")


@alone
@test
def the_certificate_of_the_webhooks_is_lost(case: Case):
    """The Secret is deleted: it is made again, and pods are still injected."""
    heddle.wait_ready()
    kube.kubectl("-n", heddle.NAMESPACE, "delete", "secret", "heddle-ca")
    kube.kubectl("-n", heddle.NAMESPACE, "rollout", "restart", f"deployment/{heddle.NAME}")
    heddle.wait_ready()

    def injected() -> bool:
        done = case.ns.told("apply", "-f", "-",
                            stdin=kube.text_of("client.yaml", {"mode": "sidecar"}))
        return done.returncode == 0
    until(injected, 30, "pods are injected again", interval=1)
    case.ns.wait_available()
