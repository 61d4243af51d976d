# SPDX-License-Identifier: Apache-2.0
"""What is said of acknowledgements, taken at its word: a pod that is drained may stop at once, a
route that has propagated is followed by the next request."""

import contextlib
import time
import urllib.error
import urllib.request
from typing import Iterable

from rig import objects
from rig.features import feature
from rig.heddle import Heddle
from rig.mesh import start_echod
from rig.objects import rule
from rig.process import Failed, temporary_folder, until
from rig.suite import PORTS, Case, Service, with_clients, with_envoy, with_grpc
from rig.traffic import HttpLoad, get

PODS = 3
ROUNDS = 4  # of all pods
GENERATIONS = 10
ENDS_SECONDS = 0.2  # in which a server ends the requests that it has, as any server must
DRAIN_SECONDS = 20


class Pods:
    """Servers that come and go, each a process and an endpoint of its own."""

    def __init__(self, case: Case, service: Service):
        self.case = case
        self.service = service
        self.running = {}  # {address: Child}
        self.ending = []  # addresses
        self.count = 0

    def apply(self) -> None:
        endpoints = [objects.endpoint(a, objects.READY) for a in self.running
                     if a not in self.ending]
        endpoints += [objects.endpoint(a, objects.DRAINING) for a in self.ending]
        service, _ = self.service.objects()
        self.case.apply(service, objects.endpoint_slice(
            self.service.name, endpoints, PORTS[self.service.kind], self.service.namespace))

    def start(self) -> None:
        self.count += 1
        address = f"127.21.{self.case.count % 256}.{self.count}"
        at = {f"pod-{self.count}": f"{address}:{PORTS[self.service.kind]}"}
        self.running[address] = start_echod(temporary_folder("heddle-drain-"),
                                            **{self.service.kind: at})
        self.apply()

    def replace(self, address: str) -> None:
        """As a Deployment does it: the new one first; the old one when it is drained."""
        self.start()
        self.ending.append(address)
        self.apply()
        status, text = drained(self.case.heddle, self.service.namespace, address, DRAIN_SECONDS)
        if status != 200:
            raise Failed(f"'{address}' is not drained: {text}")
        time.sleep(ENDS_SECONDS)
        self.stop(address)

    def stop(self, address: str) -> None:
        self.running.pop(address).stop()
        self.ending.remove(address)
        self.apply()

    def stop_all(self) -> None:
        for child in self.running.values():
            child.stop()


def drained(heddle: Heddle, namespace: str, address: str, wait: int) -> tuple:
    """The status and the text that heddle answers an agent."""
    url = (f"http://{heddle.addresses['agents']}/drained?namespace={namespace}&ip={address}"
           f"&wait={wait}")
    try:
        with urllib.request.urlopen(url, timeout=wait + 5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@contextlib.contextmanager
def pods(case: Case, service: Service) -> Iterable[Pods]:
    some = Pods(case, service)
    try:
        for _ in range(PODS):
            some.start()
        yield some
    finally:
        some.stop_all()


def roll(some: Pods) -> None:
    for _ in range(ROUNDS):
        for address in list(some.running):
            some.replace(address)


@feature("a rolling restart fails no request (/drained)")
@with_envoy
def a_rolling_restart_fails_no_request(case: Case):
    web = case.service("web")
    with pods(case, web) as some:
        case.mesh.wait_listening(web.address)
        with HttpLoad([web.address, web.address]) as load:
            until(lambda: len(load.answers) > 100, 5, "requests are sent")
            roll(some)
        load.check_no_failure()


@feature("a rolling restart fails no request (/drained)")
@with_grpc
def a_rolling_restart_fails_no_call(case: Case):
    cart = case.service("cart", kind="grpc")
    with pods(case, cart) as some:
        with case.grpc.watch(cart.target) as watch:
            watch.wait_for(code=None)
            roll(some)
        watch.result.check_no_failure()


@with_clients("envoy delta")
def a_pod_that_is_used_is_not_drained(case: Case):
    web = case.service("web")
    with pods(case, web) as some:
        case.mesh.wait_listening(web.address)
        address = next(iter(some.running))
        status, text = drained(case.heddle, web.namespace, address, 1)
        assert status == 504 and "ready" in text, (status, text)
        some.ending = list(some.running)  # nothing else is ready
        some.apply()
        until(lambda: get(web.address).status == 200, 5, "what terminates still serves")
        until(lambda: "nothing else" in drained(case.heddle, web.namespace, address, 1)[1], 5,
              "it is the last one")
        # Nobody takes over: the last pod of a Service that goes is not kept for long.
        assert drained(case.heddle, web.namespace, address, 20) == (200, "drained\n")
    assert drained(case.heddle, web.namespace, "127.21.255.1", 5) == (200, "drained\n")


@feature("heddle.dev/Propagated holds what it says")
@with_envoy
def what_has_propagated_is_in_force(case: Case):
    web, one, two = case.service("web"), case.service("one", "a"), case.service("two", "b")
    for generation in range(1, GENERATIONS + 1):
        backend, letter = ((one, "a"), (two, "b"))[generation % 2]
        route = case.http_route(web, rule(backend.ref()))
        route["metadata"]["generation"] = generation
        case.serve(web, one, two, route)

        def told() -> bool:
            condition = case.heddle.condition("HTTPRoute", case.namespace, "route",
                                              "heddle.dev/Propagated")
            return (condition is not None and condition["observedGeneration"] == generation
                    and condition["reason"] == "AllAcknowledged")

        until(told, 5, f"generation {generation} has propagated", interval=0.005)
        if (answer := get(web.address)).outcome != letter:
            raise Failed(f"generation {generation} sends requests to '{answer.outcome}'")
