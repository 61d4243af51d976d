# SPDX-License-Identifier: Apache-2.0
"""Endpoints that come, go and stay, of Services of every kind."""

import contextlib
import socket
import time

from cases.browser import Visitor, session
from rig import objects
from rig.features import feature
from rig.grpc import CALL_SECONDS, GrpcWatch
from rig.mesh import Mesh, start_echod
from rig.process import until
from rig.suite import BACKENDS, PORTS, PROTOCOLS, Case, Service, with_clients, with_envoy, with_grpc
from rig.traffic import Http, HttpLoad

CALLS = 200


def only(load: HttpLoad, wanted: str, calls: int = 50) -> None:
    """Waits until the last calls went to these backends, and to no other."""
    until(lambda: {a.outcome for a in load.answers[-calls:]} == set(wanted), 5,
          f"requests go to '{wanted}'")


# --- conditions ------------------------------------------------------------------------------


@feature("endpoints that terminate")
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


@feature("endpoints that terminate")
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


@feature("sessions at an endpoint that terminates")
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


@feature("endpoints that terminate")
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


@feature("dual stack")
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


def check_pod(case: Case, first: str, name: str) -> None:
    """The pod, which answers as `name`, and the backend 'b' get as much."""
    cart = case.service("cart", kind="grpc")
    case.apply(*dual_stack(cart, first))
    with case.grpc.watch(cart.target) as watch:
        until(lambda: {e.get("backend") for e in watch.events} >= {name, "b"}, 5, name)
    watch.result.check_no_failure()
    counts = case.grpc.call(cart.target, count=200).counts()
    assert counts.keys() == {name, "b"} and counts[name] > 50, counts


@with_grpc
def a_pod_of_two_addresses_is_one_endpoint_to_grpc(case: Case):
    with backend_six(case, "grpc"):
        check_pod(case, BACKENDS["a"], "a")


@feature("dual stack")
@with_clients("go", "python", "node")
def a_pod_is_reached_at_its_other_address(case: Case):
    """Java does not look at it unless it is told to."""
    with backend_six(case, "grpc"):
        check_pod(case, NOBODY, "six")


# --- zones and nodes -------------------------------------------------------------------------

PLACES = {"a": ("zone-a", "node-1"), "b": ("zone-a", "node-2"), "c": ("zone-b", "node-3")}
HERE = ["--zone", "zone-a", "--node-name", "node-1"]


def placed(service: Service, **spec) -> list:
    """A Service, whose spec says this too, with its endpoints in the zones and on the nodes of
    PLACES."""
    objs = service.objects()
    objs[0]["spec"].update(spec)
    for endpoint in objs[1]["endpoints"]:
        letter = next(n for n, ip in BACKENDS.items() if ip == endpoint["addresses"][0])
        endpoint["zone"], endpoint["nodeName"] = PLACES[letter]
    return objs


# {what the Service says: [(ready, draining, who gets the traffic of a client that is HERE)]}
NEAR = {
    ("trafficDistribution", "PreferClose"): [
        ("abc", "", "ab"), ("bc", "", "b"), ("ac", "b", "a"), ("c", "ab", "c"), ("c", "", "c"),
        ("abc", "", "ab")],
    ("trafficDistribution", "PreferSameNode"): [
        ("abc", "", "a"), ("bc", "a", "b"), ("bc", "", "b"), ("c", "", "c"), ("abc", "", "a")],
    ("internalTrafficPolicy", "Local"): [("abc", "", "a"), ("bc", "a", "a"), ("abc", "", "a")],
}


@feature("near endpoints")
@with_envoy
def what_is_near_is_preferred(case: Case):
    """An Envoy of its own, which says where it runs."""
    mesh = Mesh(options=["--check-rebuild"])
    try:
        mesh.heddle.start()
        web = case.service("web", "abc")
        mesh.write("web", *placed(web))
        mesh.start_envoy(sotw=case.client == "envoy sotw", options=HERE)
        mesh.wait_listening(web.address)
        with HttpLoad([web.address]) as load:
            only(load, "abc")
            for (field, value), steps in NEAR.items():
                for web.ready, web.draining, wanted in steps:
                    mesh.write("web", *placed(web, **{field: value}))
                    only(load, wanted, CALLS // 2)
        load.check_no_failure()
        web.ready, web.draining = "bc", ""
        mesh.write("web", *placed(web, internalTrafficPolicy="Local"))
        with Http(web.address) as client:
            until(lambda: client.request().status == 503, 5, "nothing on the node is ready")
        assert not mesh.envoy.rejected()
    finally:
        mesh.stop()


@feature("near endpoints")
@with_grpc
def what_is_near_is_preferred_by_grpc(case: Case):
    cart = case.service("cart", "abc", "grpc")
    client = case.mesh.grpc(case.client, options=HERE)
    case.apply(*placed(cart))
    with client.watch(cart.target) as watch:
        until(lambda: {e.get("backend") for e in watch.events} >= set("abc"), 5, "all are used")
        for (field, value), steps in NEAR.items():
            for cart.ready, cart.draining, wanted in steps:
                case.apply(*placed(cart, **{field: value}))
                until(lambda: recent(watch, 0.2) == set(wanted), 5, f"{value}: {wanted}")
    watch.result.check_no_failure()
    cart.ready, cart.draining = "bc", ""
    case.apply(*placed(cart, internalTrafficPolicy="Local"))
    assert client.call(cart.target).only_error()["code"] == "UNAVAILABLE"


def recent(watch: GrpcWatch, seconds: float) -> set:
    """The backends of the last seconds; none when no call is that old."""
    since = time.time() - seconds
    new = [e.get("backend") for e in watch.events if e["at"] > since]
    old = [e.get("backend") for e in watch.events if e["at"] <= since]
    return {*new, *old[-1:]} if old else set()


@feature("near endpoints")
@with_grpc
def clients_elsewhere_have_another_order(case: Case):
    cart = case.service("cart", "abc", "grpc")
    case.apply(*placed(cart, trafficDistribution="PreferSameZone"))
    for options, wanted in ((["--zone", "zone-b"], "c"), (["--zone", "zone-c"], "abc"),
                            (["--zone", "zone-a"], "ab"), ([], "abc")):
        client = case.mesh.grpc(case.client, options=options)
        counts = client.call(cart.target, count=100).counts()
        assert counts.keys() == set(wanted), (options, counts)
