# SPDX-License-Identifier: Apache-2.0
"""Is what `heddle why` says what clients do?

Random routes and random requests, each decided by three: heddle's explanation (/api/why), the real
client (Envoy, gRPC in each language), and a model of the specification (rig/spec.py). HEDDLE_WHY is the
number of requests (2,000 when unset), HEDDLE_SEED another seed than 1.
"""

import dataclasses
import http.client
import json
import os
import socket
import urllib.parse
from typing import List, Optional, Tuple

from rig import objects, spec
from rig.chance import Chance, name_rules
from rig.features import feature
from rig.grpc import CALL_SECONDS, Grpc, a_call
from rig.mesh import Mesh, start_echod
from rig.process import Failed, until
from rig.suite import Case, with_envoy, with_grpc

REQUESTS = int(os.environ.get("HEDDLE_WHY", "2000"))
SEED = int(os.environ.get("HEDDLE_SEED", "1"))
WORLD_REQUESTS = 50  # to one Service with its routes
BACKENDS = 32
TAKEN_SECONDS = 30
SHOWN_MAX = 10  # disagreements
NAMESPACE = "why"


@dataclasses.dataclass
class World:
    """A Service port and the routes attached to it."""
    name: str
    address: str
    routes: List[dict]
    requests: List[spec.Request]

    @property
    def target(self) -> str:
        return f"xds:///{self.name}.{NAMESPACE}.svc.cluster.local:8000"


class Wire:
    """Requests as bytes on a connection to ADDR:PORT, without a library that would mend them."""

    def __init__(self, address: str):
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))
        self.socket: Optional[socket.socket] = None

    def close(self) -> None:
        if self.socket:
            self.socket.close()
            self.socket = None

    def request(self, request: spec.Request) -> Tuple[str, Optional[str]]:
        """What the answer tells: the name of the rule, else the status; the backend's name."""
        if not self.socket:
            self.socket = socket.create_connection(self.address, timeout=CALL_SECONDS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"{request.method} {request.target} HTTP/1.1", "host: somebody",
                 "content-length: 0"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        response = http.client.HTTPResponse(self.socket, method=request.method)
        response.begin()
        body = response.read()
        if response.will_close:
            self.close()
        backend = json.loads(body)["backend"] if response.status == 200 and body else None
        return response.headers.get("x-rule") or str(response.status), backend


class Why:
    """/api/why, asked over one connection."""

    def __init__(self, admin: str):
        self.connection = http.client.HTTPConnection(admin, timeout=CALL_SECONDS)

    def ask(self, node: str, host: str, request: spec.Request) -> dict:
        words = [("node", node), ("method", request.method),
                 ("url", f"http://{host}{request.target}")]
        words += [("header", f"{name}: {value}") for name, value in request.headers]
        query = "&".join(f"{key}={urllib.parse.quote(value.encode('latin-1'), safe='')}"
                         for key, value in words)
        self.connection.request("GET", f"/api/why?{query}")
        answer = self.connection.getresponse()
        body = answer.read().decode(errors="replace")
        if answer.status not in (200, 400):
            raise Failed(f"/api/why answered {answer.status}: {body.strip()}")
        return json.loads(body) if answer.status == 200 else {"refused": body.strip()}


class Trial:
    """A mesh with all worlds in it, an Envoy and a gRPC client, and what they disagreed on."""

    def __init__(self, kind: str):
        self.kind = kind  # of the worlds: "http" or "grpc"
        self.chance = Chance(SEED)
        self.backends = 0  # that the rules of a world have been given
        self.compared = 0
        self.wrong = []
        self.outcomes = {}
        self.mesh = Mesh()
        ips = {f"b{i}": f"127.20.2.{i + 1}" for i in range(BACKENDS)}
        port = {"http": 3000, "grpc": 3001}[kind]
        self.echod = start_echod(self.mesh.work,
                                 **{kind: {name: f"{ip}:{port}" for name, ip in ips.items()}})
        protocol = {"http": "http", "grpc": objects.H2C}[kind]
        things = []
        for number, (name, ip) in enumerate(ips.items()):
            things += [objects.service(name, f"127.14.0.{number + 1}", 8000, protocol, NAMESPACE),
                       objects.endpoints(name, [ip], port, namespace=NAMESPACE)]
        self.mesh.write("backends", *things)
        self.protocol = protocol

    def a_backend(self) -> dict:
        """Of a world's next rule; some do not exist."""
        self.backends += 1
        name = "missing" if self.chance.one_in(7) else f"b{self.backends % BACKENDS}"
        return objects.backend(name, 8000)

    def routes(self, parent: str) -> List[dict]:
        chance = self.chance
        self.backends = 0
        declare, a_match = objects.grpc_route, chance.grpc_match
        if self.kind == "http":
            declare, a_match = objects.http_route, chance.http_match
        elif chance.one_in(3):
            declare, a_match = objects.http_route, chance.call_path_match
        return chance.routes(declare, a_match, parent, NAMESPACE, self.a_backend)

    def displaced(self, parent: str) -> dict:
        """An HTTPRoute that must never count beside GRPCRoutes, though it is the oldest."""
        route = objects.http_route(f"{parent}-http", parent, objects.rule(self.a_backend()),
                                   namespace=NAMESPACE)
        route["metadata"]["creationTimestamp"] = "2025-01-01T00:00:00Z"
        return route

    def world(self, number: int) -> World:
        name = f"web-{number}"
        ip = f"127.13.{number // 250}.{number % 250 + 1}"
        routes = self.routes(name)
        make = self.chance.request if self.kind == "http" else self.chance.call
        requests = [make(routes) for _ in range(WORLD_REQUESTS)]
        if self.kind == "http":
            name_rules(routes)
        elif routes[0]["kind"] == "GRPCRoute" and self.chance.one_in(4):
            routes.append(self.displaced(name))
        self.mesh.write(name, objects.service(name, ip, 8000, self.protocol, NAMESPACE), *routes)
        return World(name, f"{ip}:8000", routes, requests)

    def start(self) -> None:
        self.mesh.heddle.start()
        self.why = Why(self.mesh.heddle.addresses["admin"])

    def start_envoy(self, worlds: List[World], kind: str) -> None:
        self.mesh.start_envoy("why", sotw=kind == "envoy sotw")
        for world in worlds:
            until(lambda: self.acknowledged(world), TAKEN_SECONDS, f"Envoy has {world.name}")

    def acknowledged(self, world: World) -> bool:
        answer = self.why.ask("sidecar/default/why", f"{world.name}.{NAMESPACE}:8000",
                              spec.Request("GET", "/"))
        return answer.get("acknowledged") == "has acknowledged these routes"

    def note(self, world: World, request: spec.Request, **said) -> None:
        """What each said of one request."""
        self.compared += 1
        routed = "/" in said["client"] or said["client"].startswith("b")
        outcome = "taken by a rule" if routed else said["client"]
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        if len(set(said.values())) > 1:
            self.wrong.append(f"{world.name}: {request.method} {request.target[:300]!r} "
                              f"{request.headers}: {said}; routes: {json.dumps(world.routes)}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.mesh.stop()
        self.echod.stop()

    def check(self) -> None:
        print(f"# why: {self.compared} {self.kind} requests, seed {SEED}: {self.outcomes}")
        if self.wrong:
            raise Failed(f"{len(self.wrong)} of {self.compared} requests went another way:\n"
                         + "\n".join(self.wrong[:SHOWN_MAX]))


def said_by_model(world: World, request: spec.Request, errors: dict) -> tuple:
    """(the rule's name, its backend's); of an error both are what errors says."""
    found = spec.winner(world.routes, request)
    if found is None:
        return errors["none"], errors["none"]
    backend = found[1]["backendRefs"][0]["name"]
    return (errors["missing"],) * 2 if backend == "missing" else (found[0], backend)


def said_by_why(answer: dict) -> str:
    """Envoy answers 400 to what why says is no request, and to a '#', which clients do not send."""
    decision = answer.get("decision")
    if decision is None or any("'#'" in note for note in decision["notes"]):
        return "400"
    return decision["rule"] if decision["action"] == "forward" else str(decision["status"])


def backend_told(answer: dict) -> str:
    decision = answer["decision"]
    if decision["action"] == "forward":
        return decision["backends"][0].get("backend", "").partition("/")[2].partition(":")[0]
    return decision["code"]


def compare_http(trial: Trial, world: World) -> None:
    wire = Wire(world.address)
    for request in world.requests:
        answer = trial.why.ask("sidecar/default/why", world.address, request)
        outcome, backend = wire.request(request)
        said = {"client": outcome, "why": said_by_why(answer)}
        if said["why"] != "400":
            errors = {"none": "404", "missing": "500"}
            said["model"] = said_by_model(world, request, errors)[0]
        trial.note(world, request, **said)
        if backend and said["why"] == outcome and backend_told(answer) != backend:
            trial.wrong.append(f"{world.name}: {request}: {backend}, not {answer}")
    wire.close()


@feature("random routes and requests, as `heddle why` tells", "path matches", "header matches",
         "HTTP method matches", "query parameter matches", "regular expressions, of the whole text")
@with_envoy
def http_requests_take_the_rule_that_why_tells(case: Case):
    with Trial("http") as trial:
        worlds = [trial.world(n) for n in range(max(1, REQUESTS * 4 // 5 // WORLD_REQUESTS))]
        trial.start()
        trial.start_envoy(worlds, case.client)
        for world in worlds:
            compare_http(trial, world)
        trial.check()


def compare_calls(trial: Trial, client: Grpc, world: World, node: str, by: str) -> None:
    """by: "address", through Envoy, or "target", proxyless."""
    none = "UNIMPLEMENTED" if by == "address" else "UNAVAILABLE"
    result = client.each(getattr(world, by),
                         [a_call(request.path, request.headers) for request in world.requests])
    for request, outcome in zip(world.requests, result.outcomes):
        request.joins = by == "target"
        answer = trial.why.ask(node, f"{world.name}.{NAMESPACE}:8000", request)
        said = {"client": outcome, "why": backend_told(answer)}
        if request.path.count("/") == 2:  # of other calls the specification is silent
            errors = {"none": none, "missing": "UNAVAILABLE"}
            said["model"] = said_by_model(world, request, errors)[1]
        trial.note(world, request, **said)


def worlds_of_calls(trial: Trial) -> List[World]:
    return [trial.world(n) for n in range(max(1, REQUESTS // 5 // WORLD_REQUESTS))]


@feature("random routes and requests, as `heddle why` tells")
@with_envoy
def grpc_calls_through_envoy_take_the_rule_that_why_tells(case: Case):
    with Trial("grpc") as trial:
        worlds = worlds_of_calls(trial)
        trial.start()
        trial.start_envoy(worlds, case.client)
        for world in worlds:
            compare_calls(trial, trial.mesh.grpc("python"), world, "sidecar/default/why",
                          "address")
        trial.check()


@feature("random routes and requests, as `heddle why` tells")
@with_grpc
def grpc_calls_take_the_rule_that_why_tells(case: Case):
    with Trial("grpc") as trial:
        worlds = worlds_of_calls(trial)
        trial.start()
        for world in worlds:
            compare_calls(trial, trial.mesh.grpc(case.client), world, "proxyless/default/why",
                          "target")
        trial.check()
