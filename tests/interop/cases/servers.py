# SPDX-License-Identifier: Apache-2.0
"""xDS-enabled gRPC servers (gRFC A36): what they ask for is there, and they take it."""

import json
import socket
import time

from rig import objects
from rig.envoy import Envoy
from rig.features import feature
from rig.process import until
from rig.server import XdsServer, asked_address
from rig.suite import Case, Service, with_servers

CLIENTS = ("go", "python")
SECONDS = 30  # with its start, on a busy machine
XDSTP = "xdstp://cluster.local/envoy.config.listener.v3.Listener/"


def address_of(case: Case, nth: int = 0) -> str:
    """Of the case alone, port and all: some servers listen on all addresses."""
    return f"127.21.{Case.count % 256}.1:{4000 + 4 * Case.count + nth}"


def start(case: Case, address: str = "", **more) -> XdsServer:
    return XdsServer(case.client, case.heddle, case.mesh.work, address or address_of(case), **more)


def service_at(case: Case, name: str, address: str):
    """A Service whose endpoint is an address; the Service, and its objects."""
    ip, port = address.rsplit(":", 1)
    made = case.service(name, kind="grpc")
    slices = objects.endpoints(name, [ip], int(port), namespace=case.namespace)
    return made, [made.objects()[0], slices]


def answers(server: XdsServer, target: str) -> bool:
    return "reply" in server.call(target)


def wait_answering(server: XdsServer, target: str) -> None:
    until(lambda: answers(server, target), SECONDS, f"calls of {target} are answered")


def listeners(case: Case, server: XdsServer) -> list:
    return [asked for stream in server.streams(case.heddle) for asked in stream["asks"]
            if asked["name"].startswith(("grpc/server", "xdstp:"))]


@with_servers
@feature("serves with its Listener, and not before")
def a_server_serves_once_it_has_its_listener(case: Case):
    case.heddle.kill()
    try:
        with start(case) as server:
            time.sleep(0.5)
            outcome = server.call(server.address)
            assert outcome.get("code", "").upper() == "UNAVAILABLE", outcome
            case.heddle.start()
            wait_answering(server, server.address)
    finally:
        if not case.heddle.child.running():
            case.heddle.start()


@with_servers
def calls_reach_it_from_proxyless_clients_and_through_envoy(case: Case):
    with start(case) as server:
        cart, things = service_at(case, "cart", server.address)
        case.apply(*things)
        server.wait_acknowledged(case.heddle)
        for kind in CLIENTS:
            result = case.mesh.grpc(kind).call(cart.target, count=20)
            result.check_no_failure()
            assert result.counts() == {"xds": 20}, (kind, result)
        envoy = Envoy(case.heddle, case.mesh.work, f"before-{case.client}").start().wait_live()
        try:
            case.mesh.wait_listening(cart.address)
            result = case.mesh.grpc("go").call(cart.address, count=20)
            result.check_no_failure()
            assert result.counts() == {"xds": 20}, result
            assert not envoy.rejected()
        finally:
            envoy.stop()


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@with_servers
@feature("every form of address")
def every_form_of_address_is_taken(case: Case):
    """The server compares the text: what it asked with is what it must be given."""
    own = address_of(case)
    two, three, four = (address_of(case, nth).rsplit(":", 1)[1] for nth in (1, 2, 3))
    addresses = {"all": f"0.0.0.0:{two}"}
    targets = {"own": own, "all": f"127.0.0.1:{two}"}
    if has_ipv6() and case.client != "java":  # that asks for 0.0.0.0 whatever it is told
        addresses.update({"six": f"[::1]:{three}", "both": f"[::]:{four}"})
        targets.update({"six": f"[::1]:{three}", "both": f"127.0.0.1:{four}"})
    with start(case, own, name="own", **addresses) as server:
        server.wait_acknowledged(case.heddle)
        for name, target in targets.items():
            wait_answering(server, target)
            assert server.call(target)["reply"]["backend"] == name
        assert len(listeners(case, server)) == len(targets), listeners(case, server)


@with_servers
def it_is_shown(case: Case):
    with start(case) as server:
        stream = server.wait_acknowledged(case.heddle)
        address = asked_address(case.client, server.address)
        name = f"grpc/server?xds.resource.listening_address={address}"
        assert stream["asks"] == [{"name": name, "listens": address}], stream["asks"]
        admin = ["--admin", case.heddle.addresses["admin"]]
        text = case.heddle.command("proxies", *admin).stdout
        assert f"\n    listens on {address}\n" in text, text
        assert name in case.heddle.command("dump", server.node, *admin).stdout
        dump = json.loads(case.heddle.command("dump", server.node, "-o", "json", *admin).stdout)
        [resource] = dump["proxies"][0]["resources"]["lds"]
        assert resource["resource"]["traffic_direction"] == "INBOUND", resource
        why = case.heddle.command("why", server.node, "POST", f"grpc://{address}/p.S/M",
                                  *admin).stdout
        assert f"server listener: what comes in at {address}" in why, why
        assert "decision: accept" in why and "has acknowledged this listener" in why, why


@with_servers
def one_process_is_server_and_client(case: Case):
    """gRPC has a stream for its servers, and one for each channel; Node.js one for all."""
    with start(case) as server:
        cart, things = service_at(case, "cart", server.address)
        shop, more = service_at(case, "shop", server.address)
        case.apply(*things, *more)
        server.wait_acknowledged(case.heddle)
        for target in (cart.target, shop.target):
            wait_answering(server, target)
        asked = sorted(a.get("dials") or a.get("listens") or a["reason"]
                       for stream in server.streams(case.heddle) for a in stream["asks"])
        assert asked == sorted([asked_address(case.client, server.address), f"{case.namespace}/cart:8000",
                                f"{case.namespace}/shop:8000"]), asked
        streams = server.streams(case.heddle)
        expected = 1 if case.client == "node" else 3
        assert len(streams) == expected, [stream["asks"] for stream in streams]
        for service in (cart, shop):
            why = case.heddle.command(
                "why", server.node, "POST", f"{service.target}/p.S/M", "--admin",
                case.heddle.addresses["admin"]).stdout
            assert "has acknowledged these routes" in why, why


@with_servers
@feature("heddle is away, a server goes on")
def a_restart_of_heddle_disturbs_no_server(case: Case):
    own, second = address_of(case), address_of(case, 1)
    with start(case, own, second=second) as server:
        cart, things = service_at(case, "cart", own)
        case.apply(*things)
        server.wait_acknowledged(case.heddle)
        with case.mesh.grpc("go").watch(cart.target, rps=200) as watch:
            watch.wait_for(backend="xds")
            for _ in range(2):
                before = {a["name"] for a in listeners(case, server)}
                case.heddle.restart()
                until(lambda: {a["name"] for a in listeners(case, server)} == before, SECONDS,
                      "the server asks again")
                server.wait_acknowledged(case.heddle)
            case.heddle.kill()
            time.sleep(0.3)
            assert answers(server, second)
            case.heddle.start()
            server.wait_acknowledged(case.heddle)
        watch.result.check_no_failure()
        assert not server.refuses(), server.modes


@with_servers
def a_name_without_an_address_is_refused_by_the_server_and_explained(case: Case):
    template = "grpc/server?xds.resource.listening_address=here-%s"
    change = {"server_listener_resource_name_template": template}
    with start(case, change=change) as server:
        if case.client != "node":
            until(server.refuses, SECONDS, "the server says that it does not serve")
        [asked] = until(lambda: listeners(case, server), SECONDS, "it asks for a Listener")
        assert "is not IP:PORT" in asked["reason"], asked
        text = case.heddle.command("proxies", "--admin", case.heddle.addresses["admin"]).stdout
        assert f"    asks for '{asked['name']}': '" in text, text
        assert not answers(server, server.address)


@with_servers
def a_federated_name_is_known(case: Case):
    """In both forms: gRFC A47's own example, and the parameter."""
    for form in ("grpc/server/%s", "grpc/server?xds.resource.listening_address=%s"):
        change = {"server_listener_resource_name_template": XDSTP + form,
                  "authorities": {"cluster.local": {}}}
        six = f"[::1]:{address_of(case).rsplit(':', 1)[1]}"
        own = six if has_ipv6() and case.client != "java" else address_of(case)
        with start(case, own, change=change) as server:
            wait_answering(server, own)
            assert [a.get("listens") for a in listeners(case, server)] == [asked_address(case.client, own)]
