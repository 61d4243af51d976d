# SPDX-License-Identifier: Apache-2.0
"""Does what `heddle plan` foretells come true?

A change is planned against the running heddle, then made: the clients must be sent the bytes that
were foretold, and the sample requests must fare as they were said to.
"""

import json
import time
import urllib.parse
from typing import Sequence

from rig.process import Failed, until
from rig.suite import BACKENDS, Case, Service, alone, with_envoy, with_grpc
from rig.objects import rule
from rig.traffic import get

QUIET_SECONDS = 0.3
SETTLE_SECONDS = 10
RESPONSE_BYTES = 140  # at most, beside the resources: nonce, type URL, version
RESOURCE_BYTES = 4  # a delta response says how long each is
NAME_BYTES = 64  # of a removed one


def plan(case: Case, *things, delete: Sequence[str] = ()) -> dict:
    """What applying the things would do."""
    path = case.mesh.work / "change.yaml"
    flat = []
    for thing in things:
        flat += thing.objects() if isinstance(thing, Service) else [thing]
    path.write_text("\n---\n".join(json.dumps(o) for o in flat))
    words = [word for name in delete for word in ("--delete", name)]
    done = case.heddle.command("plan", "-f", path, *words, "--admin",
                               case.heddle.addresses["admin"], "-o", "json")
    return json.loads(done.stdout)


def sent_to(case: Case, node: str) -> dict:
    """Bytes and responses so far on all streams of the node, once nothing is under way."""
    def look() -> dict:
        types = [t for p in case.heddle.proxies() if p["node"] == node for t in p["types"].values()]
        return {"bytes": sum(t["bytes"] for t in types), "sent": sum(t["sent"] for t in types),
                "busy": any(t["inFlight"] or t["pending"] for t in types)}
    last, since = look(), time.monotonic()
    deadline = since + SETTLE_SECONDS
    while time.monotonic() - since < QUIET_SECONDS:
        now = look()
        if now != last or now["busy"]:
            last, since = now, time.monotonic()
        if since > deadline:
            raise Failed(f"'{node}' does not settle: {now}")
    return last


def check_bytes(case: Case, node: str, planned: dict, make) -> None:
    """Makes the change, and compares."""
    streams = [c for c in planned["clients"] if c["node"] == node]
    client = {what: sum(c[what] for c in streams) for what in ("bytes", "resources", "removed")}
    before = sent_to(case, node)
    make()
    until(lambda: sent_to(case, node)["sent"] > before["sent"], SETTLE_SECONDS,
          f"'{node}' is sent something")
    after = sent_to(case, node)
    got, responses = after["bytes"] - before["bytes"], after["sent"] - before["sent"]
    most = (client["bytes"] + RESPONSE_BYTES * responses + RESOURCE_BYTES * client["resources"]
            + NAME_BYTES * client["removed"])
    if not client["bytes"] <= got <= most:
        raise Failed(f"'{node}' was sent {got} bytes in {responses} responses, planned: {client}")


def outcome(decision: dict, backends: dict) -> str:
    """The backend's letter, or the status."""
    if decision["action"] == "forward":
        assert len(decision["backends"]) == 1, decision
        share = decision["backends"][0]
        return backends[share["backend"]] if "outcome" not in share else share["outcome"][:3]
    return decision["outcome"][:3]


def check_requests(planned: dict, side: str, addresses: dict, backends: dict) -> None:
    """Sends the sample requests and compares with what was said of that side."""
    for request in planned["requests"]:
        url = urllib.parse.urlparse(request["url"])
        headers = dict(header.split(": ", 1) for header in request["headers"])
        path = url.path + (f"?{url.query}" if url.query else "")
        wanted = outcome(request[side]["decision"], backends)
        until(lambda: get(addresses[url.netloc], path, request["method"], **headers).outcome
              == wanted, SETTLE_SECONDS, f"{request['url']} {side} the change gets '{wanted}'")


@with_envoy
def what_is_foretold_of_a_sidecar_comes_true(case: Case):
    web, one, two = case.service("web", "c"), case.service("one", "a"), case.service("two", "b")
    late = case.service("late", "d")
    services = [web, one, two, late]
    letters = {f"{case.namespace}/{s.name}:8000": s.ready for s in services}
    addresses = {f"{s.name}.{case.namespace}:8000": s.address for s in services}
    node = f"sidecar/default/{case.envoy.name}"

    def route(*rules: dict) -> dict:
        return case.http_route(web, *rules)

    def match(path: str, kind: str = "PathPrefix", **more) -> dict:
        return {"path": {"type": kind, "value": path}, **more}

    def change(*things, delete: Sequence[str] = (), now: Sequence = ()) -> None:
        planned = plan(case, *things, delete=delete)
        assert planned["requests"] and planned["connected"] >= 1, planned
        check_requests(planned, "before", addresses, letters)
        check_bytes(case, node, planned, lambda: case.apply(*now))
        check_requests(planned, "after", addresses, letters)

    case.serve(web, one, two)
    first = route(rule(one.ref()))
    change(first, now=[web, one, two, first])
    second = route(rule(two.ref(), matches=[match("/v2"), match("/r[0-9]{2}", "RegularExpression")]),
                   rule(two.ref(), matches=[match("/h", headers=[{"name": "x", "value": "y"}])]),
                   rule(one.ref(), matches=[match("/", "Exact")]))
    change(second, now=[web, one, two, second])
    third = route(rule(late.ref(), matches=[match("/v2")]), rule(one.ref()))
    planned = plan(case, late, third)
    check_bytes(case, node, planned, lambda: case.apply(web, one, two, late, third))
    case.mesh.wait_listening(late.address)
    check_requests(planned, "after", addresses, letters)
    two.kind = "grpc"  # the cluster is another one
    planned = plan(case, two)
    check_bytes(case, node, planned, lambda: case.apply(web, one, two, late, third))
    change(delete=[f"HTTPRoute/{case.namespace}/route"], now=[web, one, two, late])
    planned = plan(case, delete=[f"Service/{case.namespace}/late",
                                 f"EndpointSlice/{case.namespace}/late-1"])
    check_bytes(case, node, planned, lambda: case.apply(web, one, two))


@with_grpc
def what_is_foretold_of_a_grpc_client_comes_true(case: Case):
    web = case.service("web", "c", kind="grpc")
    one, two = case.service("one", "a", kind="grpc"), case.service("two", "b", kind="grpc")
    first, second = (case.grpc_route(web, rule(to.ref())) for to in (one, two))
    case.apply(web, one, two, first)
    node = f"proxyless/default/client-in-{case.client}"
    with case.grpc.watch(web.target, rps=50) as watch:
        watch.wait_for(backend="a")
        planned = plan(case, second)
        request = planned["requests"][0]
        assert request["method"] == "POST", request
        assert request["after"]["decision"]["backends"][0]["backend"] == f"{case.namespace}/two:8000", request
        check_bytes(case, node, planned, lambda: case.apply(web, one, two, second))
        watch.wait_for(backend="b")


@alone
def a_plan_changes_nothing_and_waits_for_nobody(case: Case):
    web, one = case.service("web", "a"), case.service("one", "b")
    case.apply(web, one)
    route = case.http_route(web, rule(one.ref()))
    before = case.heddle.api("engine")["evaluations"]
    seen = [plan(case, route) for _ in range(3)]
    assert seen[0] == seen[1] == seen[2], seen
    assert case.heddle.api("engine")["evaluations"] == before
    assert BACKENDS["a"] not in json.dumps(seen[0])  # no single endpoints
