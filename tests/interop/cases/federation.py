# SPDX-License-Identifier: Apache-2.0
"""Clients whose bootstrap names authorities (gRFC A47) or several control planes (gRFC A71)."""

import contextlib

from rig.features import feature
from rig.grpc import Grpc
from rig.heddle import Heddle
from rig.objects import rule
from rig.process import until
from rig.suite import Case, alone, with_clients, with_grpc

AT_ONCE_MS = 4000  # on a busy machine; what is not told takes the 10 s that the call has
SECONDS = 20
UNREACHABLE = "127.99.0.1:1"


def client(case: Case, *options: str):
    return case.mesh.grpc(case.client, options=options)


@contextlib.contextmanager
def client_of(case: Case, *servers: str, options=()):
    """A client of its own that is to try these control planes."""
    words = [word for server in servers for word in ("--xds", server)]
    done = Heddle.command("bootstrap", "grpc", *words, "--name", f"client-in-{case.client}",
                          *options)
    bootstrap = case.mesh.work / f"grpc-of-{Case.count}.json"
    bootstrap.write_text(done.stdout)
    grpc = Grpc(case.client, bootstrap)
    try:
        yield grpc
    finally:
        grpc.stop()


@contextlib.contextmanager
def another_heddle(case: Case, name: str, *options: str):
    work = case.mesh.work / f"{name}-{Case.count}"
    work.mkdir()
    heddle = Heddle(case.mesh.config, work, options).start()
    try:
        yield heddle
    finally:
        heddle.stop()


@with_grpc
@feature("names of an authority (gRFC A47)")
def names_of_an_authority_mean_what_plain_ones_mean(case: Case):
    cart, one, two = (case.service("cart", kind="grpc"), case.service("one", "a", "grpc"),
                      case.service("two", "b", "grpc"))
    method = {"method": {"type": "Exact", "service": "shop.Cart", "method": "Echo"}}
    case.apply(cart, one, two, case.grpc_route(
        cart, rule(one.ref(), matches=[method]), rule(two.ref())))
    grpc = client(case, "--authority", "cluster.local")
    federated = cart.target.replace("xds:///", "xds://cluster.local/")
    methods = ["/shop.Cart/Echo", "/shop.Stock/Echo"]
    results = grpc.calls(federated, cart.target, count=4, methods=methods)
    for target in (federated, cart.target):
        results[target].check_no_failure()
        assert results[target].counts() == {"a": 2, "b": 2}, results


@with_grpc
def the_authority_of_others_is_named(case: Case):
    cart = case.service("cart", "a", "grpc")
    case.apply(cart)
    target = cart.target.replace("xds:///", "xds://east.example/")
    result = client(case, "--authority", "east.example").call(target, count=5, rps=20, timeout=10)
    assert result.counts() == {"UNAVAILABLE": 5}, result
    assert result.first_ms < AT_ONCE_MS, result
    if case.client == "python":  # grpc-go does not tell what a cluster without endpoints is called
        assert "does not answer for authority 'east.example'" in str(result.errors), result.errors


@with_grpc
def an_authority_can_be_added(case: Case):
    cart = case.service("cart", "a", "grpc")
    case.apply(cart)
    target = cart.target.replace("xds:///", "xds://east.example/")
    options = ("--authority", "east.example")
    with another_heddle(case, "east", *options) as east, \
            client_of(case, east.addresses["xds"], options=options) as grpc:
        result = grpc.call(target, count=3)
        assert result.counts() == {"a": 3}, result


@with_clients("go", "python", "java")  # Node.js knows the first control plane only
@feature("several control planes (gRFC A71)")
def the_next_control_plane_is_tried(case: Case):
    cart = case.service("cart", "a", "grpc")
    case.apply(cart)
    with client_of(case, UNREACHABLE, case.heddle.addresses["xds"]) as grpc:
        result = grpc.call(cart.target, count=3, timeout=SECONDS)
        assert result.counts() == {"a": 3}, result


@with_clients("go", "python", "java")
def a_client_comes_back_to_the_first_control_plane(case: Case):
    """The second speaks for the first, and says the same. grpc-go 1.85 asks the first for the
    Listener alone when it comes back: it hears of no change until its channel is made anew."""
    cart, one, two = (case.service("cart", kind="grpc"), case.service("one", "a", "grpc"),
                      case.service("two", "b", "grpc"))
    case.apply(cart, one, two, case.grpc_route(cart, rule(one.ref())))
    with another_heddle(case, "first") as first, another_heddle(case, "second") as second, \
            client_of(case, first.addresses["xds"], second.addresses["xds"]) as grpc:
        first.kill()
        with grpc.watch(cart.target, rps=50) as watch:
            watch.wait_for(backend="a", timeout=SECONDS)
            first.start()
            until(first.proxies, SECONDS, "the client is back at the first")
            until(lambda: not second.proxies(), SECONDS, "the client has left the second")
            if case.client != "go":
                case.apply(cart, one, two, case.grpc_route(cart, rule(two.ref())))
                watch.wait_for(backend="b", timeout=SECONDS)
        watch.result.check_no_failure(new_clusters=1)


@alone
def heddle_serve_knows_what_is_for_bootstrap_only(case: Case):
    serve = ["serve", "--config", case.mesh.config]
    done = Heddle.command(*serve, "--xds", "127.0.0.1:0", "--xds", "127.0.0.1:0", expect=2)
    assert "on one address" in done.stderr, done.stderr
    done = Heddle.command(*serve, "--authority", "east/example", expect=2)
    assert "'east/example' is not a name" in done.stderr, done.stderr
