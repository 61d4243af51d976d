# SPDX-License-Identifier: Apache-2.0
"""What gRPC rejects of a response leaves the rest in use (gRFC A46), and heddle knows which is
which. heddle sends nothing that is rejected, so a relay spoils it on the way."""

import json

from rig.features import feature
from rig.objects import rule
from rig.process import until
from rig.relay import Relay
from rig.server import XdsServer, asked_address
from rig.suite import Case, with_grpc, with_servers

from .federation import client_of
from .servers import address_of, listeners, wait_answering

SECONDS = 30  # with the start of a server, on a busy machine
ECHO, ECHO_TWO = "/shop.Cart/Echo", "/shop.Cart/EchoTwo"


def by_method(case: Case, cart, **backends):
    rules = [rule(backend.ref(), matches=[{"method": {"type": "Exact", "service": "shop.Cart",
                                                      "method": method}}])
             for method, backend in backends.items()]
    return case.grpc_route(cart, *rules)


def programmed(case: Case, kind: str, name: str) -> list:
    """The Programmed conditions of an object, as heddle would write them."""
    found = []
    for item in case.heddle.api("status")["items"]:
        if item["kind"] == kind and item["metadata"]["name"] == name \
                and item["metadata"]["namespace"] == case.namespace:
            text = json.dumps(item["status"])
            found += ["Programmed"] if '"heddle.dev/Programmed"' in text else []
    return found


@with_grpc
@feature("a rejected resource leaves the others in use (gRFC A46)")
def one_cluster_that_is_rejected_leaves_the_others_in_use(case: Case):
    case.expects_rejections = True
    cart = case.service("cart", kind="grpc")
    one, two, three = (case.service(name, letter, "grpc")
                       for name, letter in (("one", "a"), ("two", "b"), ("three", "c")))
    case.apply(cart, one, two, three, by_method(case, cart, Echo=one, EchoTwo=two))
    with Relay(case.heddle, case.mesh.work) as relay, client_of(case, relay.address) as grpc:
        relay.spoil(f"{case.namespace}/two:8000")
        with grpc.watch(cart.target, rps=20, methods=[ECHO]) as watch:
            watch.wait_for(backend="a")
            until(lambda: programmed(case, "Service", "two"), SECONDS, "the rejection is told")
            if case.client != "node":  # it does not name what it rejects
                assert not programmed(case, "Service", "one")
            # The next answer holds the spoiled one again, and is rejected again; what is new in it
            # is taken all the same.
            case.apply(cart, one, two, three, by_method(case, cart, Echo=three, EchoTwo=two))
            watch.wait_for(backend="c")
        result = grpc.call(cart.target, methods=[ECHO, ECHO_TWO], count=2)
        assert result.backends == {ECHO: {"c": 1}}, result
        assert result.errors[0]["code"] == "UNAVAILABLE", result
    text = str([p["types"].get("cds", {}).get("rejection") for p in case.heddle.proxies()])
    assert f"{case.namespace}/one" not in text, text


@with_servers
@feature("one Listener that is rejected")
def one_listener_that_is_rejected_leaves_the_other_serving(case: Case):
    case.expects_rejections = True
    own, bad = address_of(case), address_of(case, 1)
    bad_asked = asked_address(case.client, bad)
    with Relay(case.heddle, case.mesh.work) as relay:
        relay.spoil(f"grpc/server?xds.resource.listening_address={bad_asked}")
        servers = [{"server_uri": relay.address, "channel_creds": [{"type": "insecure"}],
                    "server_features": ["xds_v3"]}]
        with XdsServer(case.client, case.heddle, case.mesh.work, own, bad=bad,
                       change={"xds_servers": servers}) as server:
            wait_answering(server, own)
            until(lambda: any("rejection" in s["types"]["lds"] for s in
                              server.streams(case.heddle)), SECONDS, "the rejection is shown")
            assert "code" in server.call(bad)
            wait_answering(server, own)
            assert len(listeners(case, server)) == 2
            admin = ["--admin", case.heddle.addresses["admin"]]
            wanted = {bad_asked: "has rejected"}
            if case.client != "node":  # it does not name what it rejects
                wanted[asked_address(case.client, own)] = "has acknowledged"
            for address, said in wanted.items():
                why = case.heddle.command("why", server.node, "POST", f"grpc://{address}/p.S/M",
                                          *admin).stdout
                assert f"{said} this listener" in why, why
