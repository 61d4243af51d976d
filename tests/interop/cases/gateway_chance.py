# SPDX-License-Identifier: Apache-2.0
"""Random listeners, routes, hostnames and requests: what a Gateway's Envoy does is what a second
opinion says, which knows the text of the Gateway API only (rig/spec.py and what stands here)."""

import collections
import copy
import os
import time
from typing import List, Optional

from rig.chance import AGES, Chance, name_rules
from rig.gateway import Gateway, listener
from rig.objects import rule
from rig.process import until
from rig.spec import Request, http_matches, http_rank
from rig.suite import Case, alone
from rig.tls import Https
from rig.traffic import Http, get

from cases.gateways import authority, the_secret

SECONDS = 10
SETTLE_SECONDS = 0.3
ROUNDS = 8
REQUESTS = 250
SEED = int(os.environ.get("HEDDLE_SEED", "1"))
LISTENED = ["", "*.com", "*.example.com", "*.a.example.com", "a.example.com", "b.a.example.com",
            "example.com", "*.org"]
ROUTED = ["*.com", "*.example.com", "*.a.example.com", "a.example.com", "b.a.example.com",
          "c.example.com", "example.com", "*.org", "x.org", "*.b.a.example.com"]
ASKED = ["a.example.com", "b.a.example.com", "c.example.com", "example.com", "x.org", "org", "com",
         "z.com", "d.b.a.example.com", "A.Example.COM", "a.example.com:99", "z.net", "e.z.example.com"]
NAMES = ["a.example.com", "b.a.example.com", "z.com", "x.org", "example.com"]  # of TLS (SNI)
PATHS = ["/", "/a", "/a/b", "/ab", "/c"]


def covers(wide: str, name: str) -> bool:
    """"*.example.com": "any number of labels", one at least (HTTPRouteSpec.hostnames)."""
    return wide in ("", name) or (wide.startswith("*.") and name.endswith(wide[1:])
                                  and len(name) > len(wide) - 1)


def meet(one: str, other: str) -> bool:
    """Whether there is a name that both stand for."""
    return covers(one, other) or covers(other, one)


def rank(hostname: str) -> tuple:
    """Smaller: "characters in a matching non-wildcard hostname", then "in a matching hostname"."""
    return (hostname == "", hostname.startswith("*."), -len(hostname))


def most_specific(hostnames: List[str], name: str) -> Optional[str]:
    return min((h for h in hostnames if covers(h, name)), key=rank, default=None)


def owner(listeners: dict, name: str) -> Optional[str]:
    """The listener that has a host; each port has the same. "Only the most specific"."""
    hostname = most_specific([*listeners.values()], name)
    return next((key for key, value in listeners.items() if value == hostname), None)


def attached(route: dict, name: str, hostname: str) -> bool:
    section = route["spec"]["parentRefs"][0].get("sectionName")
    hosts = route["spec"].get("hostnames") or [""]
    return section in (None, name) and any(meet(hostname, host) for host in hosts)


def expected(listeners: dict, routes: list, sni: Optional[str], host: str, request: Request) -> str:
    """The rule, or the status. sni: of a connection of HTTPS."""
    name = host.lower().partition(":")[0]
    mine = owner(listeners, name)
    if mine is None:
        return "404"
    if sni and owner(listeners, sni) != mine:
        return "421"
    best = None
    for route in routes:
        hostname = most_specific([h for h in route["spec"].get("hostnames") or [""]
                                  if meet(h, listeners[mine])], name)
        if hostname is None or not attached(route, mine, listeners[mine]):
            continue
        meta = route["metadata"]
        for number, a_rule in enumerate(route["spec"]["rules"]):
            for match in a_rule.get("matches") or [{}]:
                place = (rank(hostname), http_rank(match), meta["creationTimestamp"], meta["name"],
                         number)
                if http_matches(match, request) and (best is None or place < best):
                    best = place
    return f"{best[3]}/{best[4]}" if best else "404"


class Draw(Chance):
    def match(self) -> dict:
        match = {}
        if not self.one_in(4):
            match["path"] = {"type": self.any(["Exact", "PathPrefix", "PathPrefix"]),
                             "value": self.any(PATHS)}
        if self.one_in(4):
            match["headers"] = [{"name": "x-one", "value": self.any("12")}]
        if self.one_in(5):
            match["method"] = self.any(["GET", "POST"])
        return match

    def listeners(self) -> dict:
        """{name: hostname}"""
        hostnames = self.random.sample(LISTENED, self.random.randint(1, 5))
        return {f"l{i}": hostname for i, hostname in enumerate(hostnames)}

    def route(self, gateway: Gateway, number: int, backend: dict) -> dict:
        rules = [rule(backend, matches=[self.match() for _ in range(self.random.randint(1, 2))])
                 for _ in range(self.random.randint(1, 4))]
        return gateway.route(
            *rules, name=f"{self.any('abc')}{number}", creationTimestamp=self.any(AGES),
            hostnames=self.random.sample(ROUTED, self.random.randint(0, 3)))

    def requests(self, snis: list) -> list:
        """(server name or none, host, request)"""
        return [(self.any([None, *snis]), self.any(ASKED), Request(
            self.any(["GET", "GET", "POST"]), self.any(PATHS),
            headers=[("x-one", self.any("12"))] if self.one_in(2) else []))
            for _ in range(REQUESTS)]


class Round:
    """One state of the Gateway; a listener of its own tells when it has arrived."""

    def __init__(self, draw: Draw, gateway: Gateway, number: int, backend: dict):
        self.marker = f"round-{number}.net"
        self.listeners = draw.listeners()
        self.routes = [draw.route(gateway, i, backend) for i in range(draw.random.randint(1, 6))]
        for route in self.routes:
            if draw.one_in(3):  # of one listener only
                route["spec"]["parentRefs"][0]["sectionName"] = draw.any([*self.listeners])
        name_rules(self.routes)
        self.marks = gateway.route(rule(backend), name="marker", section="marker")

    def stated(self) -> list:
        """Of the Gateway's listeners: each by HTTP, and beside it by HTTPS."""
        found = [listener(name + more, port, protocol, hostname, ["web"])
                 for name, hostname in self.listeners.items()
                 for more, port, protocol in (("", 8080, "HTTP"), ("-s", 8443, "HTTPS"))]
        return [*found, listener("marker", 8090, hostname=self.marker)]

    def objects(self) -> list:
        found = copy.deepcopy(self.routes)
        for route in found:
            parent = route["spec"]["parentRefs"][0]
            if "sectionName" in parent:
                more = {**parent, "sectionName": parent["sectionName"] + "-s"}
                route["spec"]["parentRefs"].append(more)
        return [*found, self.marks]

    def expected(self, sni: Optional[str], host: str, request: Request) -> str:
        return expected(self.listeners, self.routes, sni, host, request)


def ask(client: Http, host: str, request: Request) -> str:
    """The rule that was taken, or the status."""
    answer = client.request(request.method, request.path, {"Host": host, **dict(request.headers)})
    return "/".join(answer.headers.get("x-rule", str(answer.status)).split("/")[-2:])


def compare(case: Case, seed: int, sotw: bool) -> None:
    draw = Draw(seed)
    one = case.service("one", "a")
    made = authority(case, web="DNS:*.example.com")
    things = [one, the_secret(case, made, "web")]
    gateway = Gateway(case, listener("marker", 8090), sotw=sotw)
    gateway.apply(*things)
    wrong, outcomes = [], collections.Counter()
    with gateway.wait_started(8090):
        for number in range(ROUNDS):
            state = Round(draw, gateway, number, one.ref())
            gateway.listeners = state.stated()
            gateway.apply(*things, *state.objects())
            until(lambda: get(gateway.at(8090), host=state.marker).outcome == "a", SECONDS,
                  f"round {number} has arrived")
            snis = [name for name in NAMES if owner(state.listeners, name)]
            clients = {sni: Https(gateway.at(8443), sni, made) for sni in snis}
            for client in clients.values():
                client.context.check_hostname = False
            clients[None] = Http(gateway.at(8080))
            for sni, host, request in draw.requests(snis):
                wanted = state.expected(sni, host, request)
                outcomes[wanted if wanted.isdigit() else "rule"] += 1
                told = ask(clients[sni], host, request)
                if told != wanted:  # of this port it may not have arrived yet
                    time.sleep(SETTLE_SECONDS)
                    clients[sni].close()
                    told = ask(clients[sni], host, request)
                if told != wanted:
                    wrong.append((number, sni, host, request, f"got {told}, expected {wanted}"))
            for client in clients.values():
                client.close()
    assert not wrong, f"seed {seed}: {len(wrong)} of {ROUNDS * REQUESTS}, such as {wrong[:3]}"
    assert min(outcomes[kind] for kind in ("rule", "404", "421")) > REQUESTS / 10, outcomes


@alone
def listeners_hosts_and_routes_as_a_second_opinion_has_it(case: Case):
    """Isolation, precedence between hostnames and the fall through from one to the next, 404 and
    421, on HTTP and on HTTPS. HEDDLE_SEED chooses another run."""
    compare(case, SEED, sotw=False)


@alone
def and_as_state_of_the_world(case: Case):
    """The same for the other variant of the protocol."""
    compare(case, SEED + 1, sotw=True)
