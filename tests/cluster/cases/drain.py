# SPDX-License-Identifier: Apache-2.0
"""Rolling restarts of backends under load: nobody sleeps, and no request fails."""

import time
from concurrent.futures import ThreadPoolExecutor

from rig import objects
from rig.process import Failed, until
from stage.case import Case
from stage.suite import test

RESTARTS = 2
CALLS_LEAST = 300


def restart(case: Case) -> None:
    for name in ("echo-v1", "echo-v2"):
        case.ns.kubectl("rollout", "restart", f"deployment/{name}")
    for name in ("echo-v1", "echo-v2"):
        case.ns.kubectl("rollout", "status", f"deployment/{name}", "--timeout=120s", seconds=130)
    until(lambda: not any("deletionTimestamp" in pod["metadata"]
                          for pod in case.ns.list("pod", app="echo")), 60,
          "the old pods are gone", interval=0.5)


@test("sidecar", "proxyless")
def a_rolling_restart_fails_no_request(case: Case):
    """mode: what the backends have; the callers are of both kinds."""
    case.start("backends.yaml", "load.yaml")
    loads = [case.load("load"), case.load("load-proxyless")]
    for _ in range(RESTARTS):
        restart(case)
    for load in loads:
        load.check_no_failure(CALLS_LEAST)


@test("sidecar", "proxyless")
def a_rolling_restart_under_a_route_fails_no_request(case: Case):
    """The backends are weighted ones of a route."""
    case.ns.apply("backends.yaml", mode=case.mode)
    case.ns.apply(case.http_route("echo", objects.rule(objects.backend("echo-v1", 8080, 1),
                                                       objects.backend("echo-v2", 8080, 1)),
                                  port=8080),
                  case.grpc_route("echo", objects.rule(objects.backend("echo-v1", 9000, 1),
                                                       objects.backend("echo-v2", 9000, 1)),
                                  name="calls", port=9000))
    case.start("load.yaml")
    case.ns.wait_available()
    loads = [case.load("load"), case.load("load-proxyless")]
    restart(case)
    for load in loads:
        load.check_no_failure(CALLS_LEAST)


@test("sidecar", "proxyless")
def python_calls_survive_a_rolling_restart(case: Case):
    case.start("backends.yaml")
    case.start("python.yaml", mode="proxyless")
    with case.grpc("python", "python").watch(case.target("echo"), rps=100) as calls:
        calls.wait_for(code=None)
        restart(case)
    calls.result.check_no_failure()


@test
def a_request_that_takes_long_is_answered(case: Case):
    """It began before its pod was to end."""
    case.mode = "sidecar"
    case.start("backends.yaml", "client.yaml")
    case.route(case.http_route("echo", objects.rule(objects.backend("echo-v1", 8080))))
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(case.get, "client", case.url("echo", "/?delay=5000"))
        time.sleep(1)  # it is under way; what is proved needs no more
        case.ns.kubectl("rollout", "restart", "deployment/echo-v1")
        (answer,) = slow.result()
    if answer["status"] != 200:
        raise Failed(f"a request in flight ended with {answer}")


@test
def a_pod_ends_as_soon_as_all_have_acknowledged(case: Case):
    """Not after a fixed time: well before the grace period ends."""
    case.mode = "sidecar"
    case.start("backends.yaml", "load.yaml")
    load = case.load("load")
    (pod,) = case.ns.list("pod", app="echo", version="v1")
    began = time.monotonic()
    case.ns.kubectl("delete", "pod", pod["metadata"]["name"])  # waits until it is gone
    took = time.monotonic() - began
    load.check_no_failure(1)
    if took > 15:
        raise Failed(f"the pod took {took:.1f} s to end")
