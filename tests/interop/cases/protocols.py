# SPDX-License-Identifier: Apache-2.0
"""What a Service port carries, by its appProtocol; Services without ClusterIP or selector."""

import time

from rig import objects
from rig.features import feature
from rig.mesh import start_echod
from rig.objects import H2C, rule
from rig.process import until
from rig.suite import BACKENDS, PORTS, Case, with_envoy, with_grpc
from rig.traffic import get, greeting
from rig.websocket import WebSocket

ECHO, OTHER = "/shop.Cart/Echo", "/shop.Stock/Echo"
OPAQUE = ["", "tcp", "https", "tls", "kubernetes.io/wss", "example.org/own"]


def at(prefix: str) -> list:
    return [{"path": {"type": "PathPrefix", "value": prefix}}]


@feature("WebSockets")
@with_envoy
def websockets_are_upgraded(case: Case):
    """The timeout of the request ends with the answer to it."""
    chat = case.service("chat", "a", protocol="kubernetes.io/ws")
    plain = case.service("plain", "b")
    web, rooms = case.service("web"), case.service("rooms", "c", protocol="kubernetes.io/ws")
    case.serve(chat, plain, web, rooms, case.http_route(
        web, rule(rooms.ref(), matches=at("/rooms"), timeouts={"request": "300ms"})))
    for address, path, name in ((chat.address, "/", "a"), (plain.address, "/", "b"),
                                (web.address, "/rooms/1", "c")):
        with WebSocket(address, path) as session:
            assert session.status == 101, (address, session.status)
            assert session.receive() == f"hello from {name}"
            time.sleep(0.5)
            session.send("still there?")
            assert session.receive() == "still there?"
    with WebSocket(web.address, "/elsewhere") as session:
        assert session.status == 404


@feature("WebSockets")
@with_envoy
def a_websocket_outlives_changes_around_it(case: Case):
    """Of routes and endpoints, also of its own; it goes on at an endpoint that is gone."""
    web, rooms = case.service("web"), case.service("rooms", "a", protocol="kubernetes.io/ws")
    case.serve(web, rooms, case.http_route(web, rule(rooms.ref())))
    with WebSocket(web.address) as session:
        assert session.receive() == "hello from a"
        rooms.ready = "b"
        case.apply(web, rooms, case.http_route(web, rule(rooms.ref(), matches=at("/new"))))
        until(lambda: get(web.address, "/new").outcome == "b", 5, "the change has arrived")
        session.send("still there?")
        assert session.receive() == "still there?"


@feature("HTTP/2 to the endpoint (h2c)")
@with_envoy
def backends_get_the_http_version_that_they_ask_for(case: Case):
    one, two, three = (case.service("one", "a"), case.service("two", "b", protocol=H2C),
                       case.service("three", "c", protocol="http2"))
    web = case.service("web")
    case.serve(one, two, three, web, case.http_route(web, rule(one.ref(), matches=at("/one")),
                                                     rule(two.ref(), matches=at("/two"))))
    got = {address: get(address, path).echo["protocol"] for address, path in (
        (one.address, "/"), (two.address, "/"), (three.address, "/"))}
    assert got == {one.address: "HTTP/1.1", two.address: "HTTP/2.0", three.address: "HTTP/2.0"}, got
    assert get(web.address, "/one").echo["protocol"] == "HTTP/1.1"
    assert get(web.address, "/two").echo["protocol"] == "HTTP/2.0"


@feature("HTTPRoutes for gRPC calls")
@with_envoy
def an_http_route_routes_calls_through_envoy(case: Case):
    """To ports that say gRPC, h2c or nothing: a gRPC client came with HTTP/2 anyway."""
    for protocol in ("grpc", H2C, ""):
        names = [f"{name}-{len(protocol)}" for name in ("cart", "one", "two")]
        cart, one, two = (case.service(name, letter, "grpc", protocol=protocol)
                          for name, letter in zip(names, ("", "a", "b")))
        case.serve(cart, one, two, case.http_route(
            cart, rule(two.ref(), matches=at("/shop.Stock")), rule(one.ref(), matches=at("/"))))
        result = case.grpc.call(cart.address, count=4, methods=[ECHO, OTHER])
        result.check_no_failure()
        assert result.backends == {ECHO: {"a": 2}, OTHER: {"b": 2}}, (protocol, result)


@feature("opaque TCP, the server speaking first", "what is encrypted")
@with_envoy
def servers_speak_first_where_nothing_says_http(case: Case):
    mails = [case.service(f"mail-{i}", "c", "tcp", protocol=protocol)
             for i, protocol in enumerate(OPAQUE)]
    case.serve(*mails)
    for mail in mails:
        assert until(lambda: greeting(mail.address), 5, "a greeting") == "hello from c", mail


@feature("what is encrypted")
@with_envoy
def an_http_route_leaves_encrypted_ports_alone(case: Case):
    """A server that speaks first stands for one that is encrypted: a proxy that looked into it would
    stall."""
    name, ip = "web", case.service("unused").ip
    web = objects.service(name, ip, {"http": 8000, "https": 8443}, "http", case.namespace)
    web["spec"]["ports"][1]["appProtocol"] = "https"
    slices = objects.endpoints(name, [BACKENDS["a"]],
                               {"http": PORTS["http"], "https": PORTS["tcp"]}, case.namespace)
    route = objects.http_route("route", name, rule(matches=at("/shop")), namespace=case.namespace)
    case.apply(web, slices, route)
    case.mesh.wait_listening(f"{ip}:8000", f"{ip}:8443")
    assert until(lambda: greeting(f"{ip}:8443"), 5, "a greeting") == "hello from a"
    assert get(f"{ip}:8000", "/shop").backend == "a"
    assert get(f"{ip}:8000", "/").status == 404


@feature("what is encrypted")
@with_envoy
def an_encrypted_backend_fails_for_its_share(case: Case):
    web, safe = case.service("web"), case.service("safe", "a", protocol="https")
    case.serve(web, safe, case.http_route(web, rule(safe.ref())))
    assert get(web.address).status == 500
    condition = case.heddle.condition("HTTPRoute", case.namespace, "route", "ResolvedRefs")
    assert (condition["status"], condition["reason"]) == ("False", "UnsupportedProtocol")


# --- Services of other kinds -----------------------------------------------------------------


@feature("named target ports, slices without a selector")
@with_envoy
def a_named_target_port_is_another_number_in_each_slice(case: Case):
    """Nobody selects the pods: the slices are written by hand."""
    web = case.service("web")
    child = start_echod(case.mesh.work, http={"new": "127.20.1.9:3900"})
    try:
        case.apply(
            objects.service(web.name, web.ip, web.port, "http", web.namespace),
            objects.endpoint_slice(web.name, [objects.endpoint(BACKENDS["a"], objects.READY)],
                                   PORTS["http"], web.namespace, name="old"),
            objects.endpoint_slice(web.name, [objects.endpoint("127.20.1.9", objects.READY)], 3900,
                                   web.namespace, name="new"))
        case.mesh.wait_listening(web.address)
        assert {get(web.address).backend for _ in range(20)} == {"a", "new"}
    finally:
        child.stop()


@feature("headless Services")
@with_envoy
def a_headless_service_is_a_backend(case: Case):
    web, pods = case.service("web"), case.service("pods", "ab")
    pods.ip = "None"
    case.apply(web, pods, case.http_route(web, rule(pods.ref())))
    case.mesh.wait_listening(web.address)
    assert {get(web.address).backend for _ in range(20)} == {"a", "b"}


@feature("headless Services")
@with_grpc
def a_headless_service_can_be_dialled(case: Case):
    pods, other = case.service("pods", "ab", "grpc"), case.service("other", "c", "grpc")
    pods.ip = "None"
    case.apply(pods, other, case.grpc_route(
        pods, rule(other.ref(), matches=[{"method": {"service": "shop.Stock"}}]), rule()))
    result = case.grpc.call(pods.target, count=40, methods=[ECHO, OTHER])
    result.check_no_failure()
    assert result.backends[OTHER] == {"c": 20} and result.backends[ECHO].keys() == {"a", "b"}


@with_grpc
def an_external_name_says_why_it_takes_no_calls(case: Case):
    far = objects.service("far", "", 8000, namespace=case.namespace)
    far["spec"].update({"type": "ExternalName", "externalName": "example.org"})
    case.apply(far)
    error = case.grpc.call(f"xds:///far.{case.namespace}.svc.cluster.local:8000").only_error()
    assert error["code"] == "UNAVAILABLE", error
    if case.client == "python":  # Go names what was dialled, not why
        assert "ExternalName" in error["message"], error
