# SPDX-License-Identifier: Apache-2.0
"""Endpoints that come, go and stay, of Services of every kind."""

import contextlib
import socket

from cases.browser import Visitor, session
from rig import objects
from rig.mesh import start_echod
from rig.process import until
from rig.suite import BACKENDS, PORTS, PROTOCOLS, Case, Service, with_envoy, with_grpc
from rig.traffic import CALL_SECONDS, Http, HttpLoad

CALLS = 200


def only(load: HttpLoad, wanted: str, calls: int = 50) -> None:
    """Waits until the last calls went to these backends, and to no other."""
    until(lambda: {a.outcome for a in load.answers[-calls:]} == set(wanted), 5,
          f"requests go to '{wanted}'")


# --- conditions ------------------------------------------------------------------------------


@with_envoy
def what_terminates_gets_nothing_new_beside_what_is_ready(case: Case):
    """Although most endpoints drain: that must not look to Envoy like a Service in ruins."""
    web = case.service("web", "abcd")
    case.serve(web)
    with HttpLoad([web.address]) as load:
        only(load, "abcd")
        web.ready, web.draining = "a", "bcd"
        case.apply(web)
        only(load, "a", CALLS)
        web.ready, web.not_ready, web.draining = "", "a", "bcd"
        case.apply(web)
        only(load, "bcd")
        web.ready, web.not_ready, web.draining = "", "ad", "bc"
        case.apply(web)
        only(load, "bc", CALLS)
    load.check_no_failure()


@with_envoy
def what_terminates_ends_the_work_that_it_has(case: Case):
    """A slow request, and a connection of a protocol that is opaque, while the endpoint drains and
    when it has gone."""
    web, mail = case.service("web", "a"), case.service("mail", "a", kind="tcp")
    case.serve(web, mail)
    with HttpLoad([web.address], path="/?delay=1000") as slow:
        host, port = mail.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=CALL_SECONDS) as session:
            lines = session.makefile()
            assert lines.readline() == "hello from a\n"
            for service in (web, mail):
                service.ready, service.draining = "b", "a"
            case.apply(web, mail)
            with HttpLoad([web.address]) as load:
                only(load, "b")
            for service in (web, mail):
                service.draining = ""
            case.apply(web, mail)
            session.sendall(b"still there?\n")
            assert lines.readline() == "still there?\n"
    assert slow.answers[0].backend == "a", slow.answers
    slow.check_no_failure()


@with_envoy
def a_session_stays_with_its_endpoint_while_that_drains(case: Case):
    web, many = case.service("web"), case.service("many", "abc")
    route = case.http_route(web, objects.rule(many.ref(), sessionPersistence=session()))
    case.serve(web, many, route)
    visitor = Visitor(web.address)
    home = visitor.visit().backend
    rest = many.ready.replace(home, "")
    many.ready, many.draining = rest, home
    case.apply(web, many, route)
    with HttpLoad([web.address]) as load:  # without the cookie
        only(load, rest)
        assert {visitor.visit().backend for _ in range(20)} == {home}
        many.draining = ""
        case.apply(web, many, route)
        until(lambda: visitor.visit().backend != home, 5, "the session has another endpoint")
    load.check_no_failure()


@with_grpc
def what_terminates_gets_no_calls_beside_what_is_ready(case: Case):
    cart = case.service("cart", "abc", "grpc")
    case.apply(cart)
    with case.grpc.watch(cart.target) as watch:
        until(lambda: {e.get("backend") for e in watch.events} >= set("abc"), 5, "all are used")
        cart.ready, cart.draining = "a", "bc"
        case.apply(cart)
        until(lambda: watch.lasts("a", 0.2), 5, "only what is ready is used")
        cart.ready, cart.not_ready, cart.draining = "", "ac", "b"
        case.apply(cart)
        until(lambda: watch.lasts("b", 0.2), 5, "what terminates is used")
    watch.result.check_no_failure()


# --- dual stack ------------------------------------------------------------------------------

SIX = "::1"
SIX_PORT = 3006  # of the backend 'six'
NOBODY = "127.20.1.99"


@contextlib.contextmanager
def backend_six(case: Case, kind: str):
    child = start_echod(case.mesh.work, **{kind: {"six": f"[{SIX}]:{SIX_PORT}"}})
    try:
        yield
    finally:
        child.stop()


def dual_stack(service: Service, first: str) -> list:
    """A Service of the backend 'b', and of a pod at the address `first` and at that of 'six'."""
    pod = {"targetRef": {"kind": "Pod", "name": "web-0", "uid": "0b1c"}}
    four = objects.endpoint_slice(
        service.name, [objects.endpoint(first, objects.READY, **pod),
                       objects.endpoint(BACKENDS["b"], objects.READY)],
        PORTS[service.kind], service.namespace, name="4")
    six = objects.endpoint_slice(service.name, [objects.endpoint(SIX, objects.READY, **pod)],
                                 SIX_PORT, service.namespace, "IPv6", name="6")
    return [objects.service(service.name, service.ip, service.port, PROTOCOLS[service.kind],
                            service.namespace), four, six]


@with_envoy
def a_pod_of_two_addresses_is_one_endpoint(case: Case):
    web = case.service("web")
    with backend_six(case, "http"):
        case.apply(*dual_stack(web, BACKENDS["a"]))
        case.mesh.wait_listening(web.address)
        with Http(web.address) as client:
            counts = client.outcomes(40)
            assert counts.keys() == {"a", "b"} and abs(counts["a"] - counts["b"]) <= 2, counts
        case.apply(*dual_stack(web, NOBODY))
        with HttpLoad([web.address]) as load:
            until(lambda: load.last("six"), 5, "the pod is reached at its other address")
        load.check_no_failure()


@with_grpc
def a_pod_of_two_addresses_is_one_endpoint_to_grpc(case: Case):
    cart = case.service("cart", kind="grpc")
    with backend_six(case, "grpc"):
        for first, name in ((BACKENDS["a"], "a"), (NOBODY, "six")):
            case.apply(*dual_stack(cart, first))
            with case.grpc.watch(cart.target) as watch:
                until(lambda: {e.get("backend") for e in watch.events} >= {name, "b"}, 5, name)
            watch.result.check_no_failure()
            counts = case.grpc.call(cart.target, count=400).counts()
            assert counts.keys() == {name, "b"} and counts[name] > 100, counts
