# SPDX-License-Identifier: Apache-2.0
"""TCPRoute and TLSRoute: connections, counted and told apart without a look into them."""

import collections
import socket
import ssl
import time
import urllib.parse

from rig.features import feature
from rig.grpc import GRPC_KINDS
from rig.objects import backend, rule
from rig.process import until
from rig.suite import BACKENDS, PORTS, Case, with_envoy, with_grpc
from rig.tls import TlsBackends
from rig.traffic import check_split, get, greeter

TAKEN_SECONDS = 5
AT_ONCE_SECONDS = 4.0  # on a busy machine; what waits for the client waits for ever
SILENT_SECONDS = 0.5  # then a server is not going to speak first
CONNECTIONS = 400


def greeters(address: str, count: int) -> collections.Counter:
    return collections.Counter(greeter(address) for _ in range(count))


def until_greeter(address: str, name: str) -> None:
    until(lambda: greeter(address, SILENT_SECONDS) == name, TAKEN_SECONDS,
          f"connections go to '{name}'")


def condition(case: Case, kind: str, of_type: str, name: str = "route") -> dict:
    """Of the only parentRef of a route of this case."""
    for item in case.heddle.api("status")["items"]:
        meta = item["metadata"]
        if (item["kind"], meta["name"], meta["namespace"]) == (kind, name, case.namespace):
            conditions = item["status"]["parents"][0]["conditions"]
            return next((c for c in conditions if c["type"] == of_type), {})
    return {}


def draining(case: Case) -> dict:
    """What Envoy is going to end the connections of, by statistic; of earlier cases, too."""
    return case.envoy.stats("total_.*draining")


def why(case: Case, url: str, sni: str = "") -> dict:
    """What heddle tells of a connection of this case's Envoy."""
    node = f"sidecar/default/{case.envoy.name}"
    words = urllib.parse.urlencode({"node": node, "url": url, "sni": sni})
    return case.heddle.api(f"why?{words}")


def told(case: Case, answer: dict) -> str:
    """The only backend that connections reach, as its letter; "refused"."""
    decision = answer["decision"]
    if decision["action"] == "error":
        assert decision["outcome"].startswith("the connection is closed"), decision
        return "refused"
    address = decision["backends"][0]["endpoints"][0]["address"].rsplit(":", 1)[0]
    return {ip: letter for letter, ip in BACKENDS.items()}[address]


# --- TCPRoute ---------------------------------------------------------------------------------


@feature("TCPRoutes: weights, for connections")
@with_envoy
def connections_follow_the_weights(case: Case):
    db = case.service("db", kind="tcp")
    one, two, never = (case.service(name, letter, "tcp")
                       for name, letter in (("one", "a"), ("two", "b"), ("never", "c")))
    case.serve(db, one, two, never, case.tcp_route(db, one.ref(1), two.ref(3), never.ref(0)))
    check_split(greeters(db.address, CONNECTIONS), {"a": 1, "b": 3})
    shares = [b["share"] for b in why(case, f"tcp://{db.address}")["decision"]["backends"]]
    assert shares == [0.25, 0.75], shares


@feature("TCPRoutes: the server speaks first")
@with_envoy
def a_server_behind_a_tcp_route_speaks_first(case: Case):
    """Nothing waits for the client to say something."""
    mail, one = case.service("mail", kind="tcp"), case.service("one", "a", "tcp")
    case.serve(mail, one, case.tcp_route(mail, one.ref()))
    until_greeter(mail.address, "a")
    start = time.monotonic()
    assert greeter(mail.address) == "a"
    assert time.monotonic() - start < AT_ONCE_SECONDS


@with_envoy
def a_tcp_route_makes_an_http_port_opaque(case: Case):
    web, one = case.service("web", kind="http"), case.service("one", "a", "tcp")
    case.serve(web, one, case.tcp_route(web, one.ref()))
    until_greeter(web.address, "a")


@feature("TCPRoutes: the share of an invalid backend fails alone")
@with_envoy
def the_share_of_an_invalid_backend_is_refused(case: Case):
    db, one = case.service("db", kind="tcp"), case.service("one", "a", "tcp")
    none = case.service("none", "b", "tcp")
    case.serve(db, one, none, case.tcp_route(db, one.ref(1), backend("missing", 8000, 1)),
               case.tcp_route(none, backend("missing", 8000), name="none"))
    check_split(greeters(db.address, CONNECTIONS), {"a": 1, "refused": 1})
    assert greeters(none.address, 5) == {"refused": 5}
    assert condition(case, "TCPRoute", "ResolvedRefs")["reason"] == "BackendNotFound"
    start = time.monotonic()
    assert greeter(none.address) == "refused"
    assert time.monotonic() - start < AT_ONCE_SECONDS


@with_envoy
def without_a_ready_endpoint_connections_are_refused(case: Case):
    db, idle = case.service("db", kind="tcp"), case.service("idle", not_ready="a", kind="tcp")
    one = case.service("one", "b", "tcp")
    case.serve(db, idle, one, case.tcp_route(db, idle.ref(1), one.ref(1)))
    check_split(greeters(db.address, CONNECTIONS), {"b": 1, "refused": 1})
    assert greeter(idle.address) == "refused"  # without a route


@with_envoy
def only_weights_of_0_are_refused(case: Case):
    db, one = case.service("db", "a", kind="tcp"), case.service("one", "b", "tcp")
    case.serve(db, one, case.tcp_route(db, one.ref(0)))
    until_greeter(db.address, "refused")


@with_envoy
def the_oldest_tcp_route_serves(case: Case):
    db, one, two = (case.service("db", kind="tcp"), case.service("one", "a", "tcp"),
                    case.service("two", "b", "tcp"))
    young = case.tcp_route(db, one.ref(), name="a-young", created="2026-01-02T00:00:00Z")
    old = case.tcp_route(db, two.ref(), name="b-old", created="2026-01-01T00:00:00Z")
    case.serve(db, one, two, young, old)
    assert greeters(db.address, 20) == {"b": 20}
    for name in ("a-young", "b-old"):
        assert condition(case, "TCPRoute", "Accepted", name)["status"] == "True"
    before = draining(case)
    case.apply(db, one, two, young)
    until_greeter(db.address, "a")
    assert draining(case) == before, "Envoy is going to end connections"


@feature("TCPRoutes: changes end no connection")
@with_envoy
def a_new_weight_ends_no_connection(case: Case):
    db, one, two = (case.service("db", kind="tcp"), case.service("one", "a", "tcp"),
                    case.service("two", "b", "tcp"))
    case.serve(db, one, two, case.tcp_route(db, one.ref(1), two.ref(0)))
    with socket.create_connection((db.ip, db.port), timeout=TAKEN_SECONDS) as connection:
        lines = connection.makefile()
        assert lines.readline() == "hello from a\n"
        before = draining(case)
        case.apply(db, one, two, case.tcp_route(db, one.ref(0), two.ref(1)))
        until_greeter(db.address, "b")
        assert greeters(db.address, 20) == {"b": 20}
        assert draining(case) == before, "Envoy is going to end connections"
        connection.sendall(b"still there\n")
        assert lines.readline() == "still there\n"


@with_envoy
def a_route_of_requests_displaces_a_tcp_route(case: Case):
    web, one, two = (case.service("web"), case.service("one", "a"),
                     case.service("two", "b", "tcp"))
    tcp = case.tcp_route(web, two.ref(), created="2026-01-01T00:00:00Z")
    case.serve(web, one, two, tcp, case.http_route(web, rule(one.ref())))
    assert get(web.address).backend == "a"
    accepted = condition(case, "TCPRoute", "Accepted")
    assert (accepted["status"], accepted["reason"]) == ("False", "Conflicted"), accepted
    case.apply(web, one, two, tcp)
    until_greeter(web.address, "b")
    assert condition(case, "TCPRoute", "Accepted")["status"] == "True"
    case.apply(web, one, two, tcp, case.http_route(web, rule(one.ref())))
    until(lambda: get(web.address).outcome == "a", TAKEN_SECONDS, "the HTTPRoute is back")


@with_envoy
def a_consumer_route_is_for_its_own_namespace(case: Case):
    """The Envoy is one of namespace default."""
    db, web = case.service("db", "a", kind="tcp"), case.service("web")
    mine, other = case.service("mine", "b", "tcp"), case.service("other", "c", "tcp")
    one = case.service("one", "a")

    def consumer(parent, to, namespace):
        ref = {**to.ref(), "namespace": to.namespace}
        return case.tcp_route(parent, ref, name=f"{case.namespace}-{parent.name}",
                              namespace=namespace, parent_namespace=parent.namespace)
    case.serve(db, web, mine, other, one, case.http_route(web, rule(one.ref())),
               consumer(db, mine, "default"), consumer(db, other, "elsewhere"),
               consumer(web, mine, "default"))
    until_greeter(db.address, "b")
    until_greeter(web.address, "b")  # in place of what the producer's HTTPRoute says


# --- TLSRoute ---------------------------------------------------------------------------------


def tls_backends(case: Case, letters: str) -> TlsBackends:
    at = {letter: f"{BACKENDS[letter]}:{PORTS['tls']}" for letter in letters}
    return TlsBackends(case.mesh.work / f"pki-{case.namespace}", at)


@feature("TLSRoutes: the server name chooses")
@with_envoy
def the_server_name_chooses_the_backend(case: Case):
    web = case.service("web", kind="tls")
    one, two, three, four = (case.service(f"to-{letter}", letter, "tls") for letter in "abcd")
    case.serve(web, one, two, three, four,
               case.tls_route(web, ["*.example.com"], one.ref(), name="wild"),
               case.tls_route(web, ["exact.example.com", "*.a.example.com"], two.ref(),
                              name="narrow"),
               case.tls_route(web, ["exact.example.com", "mail.example.org"], three.ref(),
                              name="young", created="2026-01-01T00:00:00Z"),
               case.tls_route(web, ["*.example.org"], four.ref(), name="z"))
    with tls_backends(case, "abcd") as tls:
        wanted = {
            "x.example.com": "a", "exact.example.com": "b", "X.Example.COM": "a",
            "EXACT.example.com": "b", "y.a.example.com": "b", "a.example.com": "a",
            "mail.example.org": "c",
            # the bare name is none that a wildcard takes, and nobody's
            "example.com": "refused", "other.example.net": "refused", "localhost": "refused",
        }
        until(lambda: tls.outcome(web.address, "x.example.com") == "a", TAKEN_SECONDS, "routes")
        got = {name: tls.outcome(web.address, name) for name in wanted}
        assert got == wanted, got
        got = {name: told(case, why(case, f"tls://{web.address}", name)) for name in wanted}
        assert got == wanted, f"told: {got}"
        answer = why(case, f"tls://{web.address}", "exact.example.com")
        assert answer["acknowledged"] == "has acknowledged these routes", answer
        assert tls.outcome(web.address, None) == "refused"  # no server name at all
        assert tls.outcome(web.address, "x.example.com", ["h2", "http/1.1"]) == "a"


@with_envoy
def what_is_not_tls_is_refused_by_a_tls_route(case: Case):
    web, one = case.service("web", kind="tls"), case.service("one", "a", "tcp")
    case.serve(web, one, case.tls_route(web, ["*.example.com"], one.ref()))
    answer = get(web.address)
    assert answer.status == 0, answer
    assert told(case, why(case, f"tcp://{web.address}")) == "refused"


@feature("TLSRoutes: weights, for connections")
@with_envoy
def tls_connections_follow_the_weights(case: Case):
    web = case.service("web", kind="tls")
    one, two = case.service("one", "a", "tls"), case.service("two", "b", "tls")
    case.serve(web, one, two, case.tls_route(web, ["*.example.com"], one.ref(2), two.ref(1),
                                             backend("missing", 8000, 1)))
    with tls_backends(case, "ab") as tls:
        counts = collections.Counter(tls.outcome(web.address, "x.example.com")
                                     for _ in range(CONNECTIONS))
        check_split(counts, {"a": 2, "b": 1, "refused": 1})


@feature("TLSRoutes: changes end no connection")
@with_envoy
def another_tls_route_ends_no_connection(case: Case):
    web = case.service("web", kind="tls")
    one, two = case.service("one", "c", "tcp"), case.service("two", "b", "tls")
    first = case.tls_route(web, ["one.example.com"], one.ref(), name="one")
    case.serve(web, one, two, first)
    with tls_backends(case, "b") as tls, \
            socket.create_connection((web.ip, web.port), timeout=TAKEN_SECONDS) as connection:
        lines = connection.makefile("rb")
        connection.sendall(client_hello("one.example.com"))
        assert lines.readline() == b"hello from c\n"
        before = draining(case)
        case.apply(web, one, two, first,
                   case.tls_route(web, ["two.example.com"], two.ref(), name="two"))
        until(lambda: tls.outcome(web.address, "two.example.com") == "b", TAKEN_SECONDS,
              "the new route is served")
        assert draining(case) == before, "Envoy is going to end connections"
        connection.sendall(b"still there\n")
        until(lambda: lines.readline().endswith(b"still there\n"), TAKEN_SECONDS, "an echo")


def client_hello(sni: str) -> bytes:
    """What a TLS client sends first; the server may be anything."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=sni)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


# --- gRPC -------------------------------------------------------------------------------------


@feature("TCPRoutes: weights, for connections", reported=GRPC_KINDS)
@with_grpc
def calls_follow_the_weights_of_a_tcp_route(case: Case):
    """gRPC has no connections to choose for: it chooses for each call, which the status says."""
    cart = case.service("cart", kind="grpc")
    one, two = case.service("one", "a", "grpc"), case.service("two", "b", "grpc")
    case.apply(cart, one, two, case.tcp_route(cart, one.ref(1), two.ref(2),
                                              backend("missing", 8000, 1)))
    result = case.grpc.call(cart.target, count=CONNECTIONS)
    check_split(result.counts(), {"a": 1, "b": 2, "UNAVAILABLE": 1})
    with case.grpc.watch(cart.target):
        until(lambda: "for each call" in condition(
            case, "TCPRoute", "heddle.dev/Enforced").get("message", ""), TAKEN_SECONDS,
            "the status says so")


@feature("TLSRoutes: the server name chooses", reported=GRPC_KINDS)
@with_grpc
def a_tls_route_leaves_calls_to_the_service_itself(case: Case):
    cart, one = case.service("cart", "a", "grpc"), case.service("one", "b", "grpc")
    case.apply(cart, one, case.tls_route(cart, ["*.example.com"], one.ref()))
    result = case.grpc.call(cart.target, count=10)
    result.check_no_failure()
    assert result.counts() == {"a": 10}, result
    with case.grpc.watch(cart.target):
        until(lambda: "hostnames" in condition(
            case, "TLSRoute", "heddle.dev/Enforced").get("message", ""), TAKEN_SECONDS,
            "the status says so")
