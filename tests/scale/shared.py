# SPDX-License-Identifier: Apache-2.0
"""Counts what heddle computes for one change among many routes of one Service port, or of one
port of a Gateway: the routes that stay are not asked what becomes of them.

  routes r0 … ─► Service shared, or listener of Gateway edge ─► Service shared
"""

import time

import harness  # noqa: F401  (it finds rig)
from rig.mesh import Mesh
from rig.objects import backend, endpoints, rule, service
from rig.process import until

API = "gateway.networking.k8s.io/v1"
PORT, IP, POD = 80, "10.96.0.1", "127.31.0.1"
GATEWAY = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge"}
MESH = {"group": "", "kind": "Service", "name": "shared"}
ROUTES = 300
EVALUATIONS_MAX = 12  # the route's own rows, and those of the port or domain
SECONDS = 20
QUIET_SECONDS = 0.15  # after a change, before it is counted


def document(kind: str, name: str, spec: dict) -> dict:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}


class Shared:
    """`count` routes of one kind."""

    def __init__(self, kind: str, parent: dict, count: int):
        self.kind, self.parent, self.count = kind, parent, count
        self.mesh = Mesh("heddle-scale-")
        self.heddle = self.mesh.heddle

    def start(self) -> None:
        self.mesh.write("shared", service("shared", IP, PORT, None if self.kind == "TLSRoute"
                                          else "http"))
        self.mesh.write("endpoints", endpoints("shared", [POD], PORT))
        self.mesh.write("class", document("GatewayClass", "heddle", {
            "controllerName": "heddle.dev/gateway-controller"}))
        self.mesh.write("gateway", document("Gateway", "edge", {
            "gatewayClassName": "heddle", "listeners": [
                {"name": "http", "port": 18080, "protocol": "HTTP"},
                {"name": "tls", "port": 18443, "protocol": "TLS", "tls": {"mode": "Passthrough"}}]}))
        for i in range(self.count):
            self.write(i)
        self.heddle.start()

    def write(self, index: int, matches: int = 1, weight: int = 1) -> None:
        """matches: of a TLSRoute hostnames."""
        self.mesh.write(f"r{index}", self.route(index, matches, weight))

    def route(self, index: int, matches: int, weight: int) -> dict:
        parent = dict(self.parent)
        to = backend("shared", PORT, weight)
        if self.kind == "TLSRoute":
            names = [f"r{index}.test", *(f"r{index}-{i}.test" for i in range(1, matches))]
            spec = {"hostnames": names, "rules": [rule(to)]}
            parent.update({"sectionName": "tls"} if parent["kind"] == "Gateway" else {})
        else:
            paths = [{"path": {"type": "Exact", "value": f"/r{index}/{i}"}} for i in range(matches)]
            spec = {"rules": [rule(to, matches=paths)]}
            parent.update({"sectionName": "http"} if parent["kind"] == "Gateway" else {})
        return document(self.kind, f"r{index}", {"parentRefs": [parent], **spec})

    def change(self, make) -> dict:
        """What it took, when heddle has seen it."""
        before = self.figures()
        make()
        until(lambda: self.figures()["turns"] > before["turns"], SECONDS, "a turn")
        time.sleep(QUIET_SECONDS)
        after = self.figures()
        return {name: after[name] - before[name] for name in after}

    def figures(self) -> dict:
        seen = self.heddle.metrics()

        def total(name: str) -> float:
            return sum(v for key, v in seen.items() if key.startswith(name))
        return {"evaluations": total("heddle_engine_evaluations_total"),
                "turns": total("heddle_turns_total")}

    def stop(self) -> None:
        if self.heddle.stop() != 0:
            raise self.heddle.child.fail("it did not end well")


def run(check) -> None:
    """check(name, right, seen) is told each result."""
    for kind in ("HTTPRoute", "TLSRoute"):
        for parent in (MESH, GATEWAY):
            shared = Shared(kind, parent, ROUTES)
            shared.start()
            for what, make in (("a weight changed", lambda: shared.write(7, weight=0)),
                               ("one added", lambda: shared.write(ROUTES)),
                               ("one changed its matches", lambda: shared.write(8, matches=12)),
                               ("one removed", lambda: shared.mesh.remove("r9"))):
                seen = shared.change(make)
                check(f"{ROUTES} {kind}s of one port of a {parent['kind']}, {what}: at most "
                      f"{EVALUATIONS_MAX} evaluations",
                      0 < seen["evaluations"] <= EVALUATIONS_MAX, seen)
            shared.stop()
