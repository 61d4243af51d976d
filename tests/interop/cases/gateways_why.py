# SPDX-License-Identifier: Apache-2.0
"""What `heddle why` tells of requests to a Gateway is what its Envoy does with them: for every server
name, Host and path of some, over HTTP and HTTPS."""

import contextlib
import itertools
import pathlib
import signal
import ssl
import urllib.parse

from rig.gateway import Gateway, GatewayEnvoy, Https, listener, secret
from rig.objects import full_path, header_filter, prefix_path, rewrite, rule
from rig.pki import Authority
from rig.process import until
from rig.suite import Case, alone

from cases.replicas import replicas
from rig.raw import exchange
from rig.traffic import get

TAKEN_SECONDS = 5
HTTP, HTTPS = 8080, 8443
HOSTS = ("a.example.com", "b.example.com", "c.b.example.com", "example.com", "example.org", "example.net")
PATHS = ("/", "/one", "/one/two", "/three")
CLOSED = "closed"


def below(path: str) -> dict:
    return {"path": {"type": "PathPrefix", "value": path}}


def explained(case: Case, gateway: Gateway, url: str, sni: str = "") -> dict:
    query = urllib.parse.urlencode({"node": f"gateway/{case.namespace}/{gateway.name}",
                                    "method": "GET", "url": url, "sni": sni})
    return case.heddle.api(f"why?{query}")


def told(answer: dict, backends: dict) -> str:
    """The backend by its name in echoes, the status, or that there is no answer."""
    decision = answer["decision"]
    if decision["action"] == "forward":
        (only,) = decision["backends"]
        return backends[only["backend"]]
    return str(decision.get("status", CLOSED))


def seen_by_tls(gateway: Gateway, cafile: str, sni: str, host: str, path: str) -> str:
    try:
        https = Https(gateway.at(HTTPS), sni, cafile)
    except (ssl.SSLError, OSError):
        return CLOSED
    status, body, _ = https.request(host, path)
    https.close()
    return body["backend"] if status == 200 else str(status)


@alone
def why_tells_what_a_gateway_does(case: Case):
    """Which listener, domain and rule has a request, 404, 421 and no answer at all."""
    services = [case.service("one", "a"), case.service("two", "b"), case.service("three", "c")]
    one, two, three = services
    backends = {f"{case.namespace}/{service.name}:{service.port}": name
                for service, name in zip(services, "abc")}
    made = Authority(case.mesh.work / f"pki-{case.namespace}")
    made.issue("all", "DNS:example.com")
    gateway = Gateway(
        case, listener("any", HTTP), listener("wild", HTTP, hostname="*.example.com"),
        listener("own", HTTPS, "HTTPS", "a.example.com", ["all"]),
        listener("wide", HTTPS, "HTTPS", "*.example.com", ["all"]),
        listener("org", HTTPS, "HTTPS", "example.org", ["all"]))
    old, young = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    gateway.apply(
        *services, secret("all", pathlib.Path(made.folder), "all", case.namespace),
        gateway.route(rule(one.ref(), matches=[below("/one")]), hostnames=["a.example.com"],
                      name="narrow", creationTimestamp=old),
        gateway.route(rule(two.ref(), matches=[below("/one/two")]),
                      rule(three.ref(), matches=[below("/three")]),
                      hostnames=["*.example.com"], name="wide", creationTimestamp=old),
        gateway.route(rule(three.ref()), hostnames=["*.b.example.com", "example.org"], name="lower",
                      creationTimestamp=young),
        gateway.route(rule(two.ref()), name="rest", section="any", creationTimestamp=young),
        gateway.route(rule(one.ref()), hostnames=["example.org"], name="rival", kind="GRPCRoute",
                      creationTimestamp=young))
    with gateway.wait_started(HTTP, HTTPS):
        until(lambda: explained(case, gateway, f"http://a.example.com:{HTTP}/").get("envoys", {})
              .get("acknowledged") == 1, TAKEN_SECONDS, "why tells that Envoy has acknowledged")
        wrong = []
        outcomes = set()
        for host, path in itertools.product(HOSTS, PATHS):
            words = told(explained(case, gateway, f"http://{host}:{HTTP}{path}"), backends)
            fact = get(gateway.at(HTTP), path, Host=host).outcome
            outcomes.add(fact)
            wrong += [(host, path, words, fact)] if words != fact else []
        for sni, host, path in itertools.product(HOSTS, HOSTS, PATHS):
            words = told(explained(case, gateway, f"https://{host}:{HTTPS}{path}", sni), backends)
            fact = seen_by_tls(gateway, made.path("ca.pem"), sni, host, path)
            outcomes.add(fact)
            wrong += [(sni, host, path, words, fact)] if words != fact else []
        assert not wrong, wrong
        assert outcomes == {"a", "b", "c", "404", "421", CLOSED}, outcomes


SPELLINGS = ("/", "/shop", "/shop/one", "/shop/two/x", "/shop/one/../two", "/shop/%6fne", "/shop/%2E%2e/full",
             "/shop%2Fone", "//shop/one", "/shop//one", "/./shop/./two", "/shop/one\\x", "/full", "/full/x",
             "/plain/one", "/plain/two?x=1", "/plain/two", "/plain/..", "/plain/.", "/secure", "/one/two/..")


def flat(decision: dict) -> dict:
    """What is left when all routes have had their say."""
    while decision["action"] == "forward" and "then" in decision["backends"][0]:
        (only,) = decision["backends"]
        decision = only["then"]["decision"]
    return decision


def path_at_the_backend(answer: dict) -> str:
    """Of a request that went by the routes of a Service."""
    (only,) = answer["decision"]["backends"]
    return only["then"]["request"]["path"]


@alone
def why_goes_on_with_the_routes_of_the_mesh(case: Case):
    """With mesh-routes: apply: which of the Service's rules takes what the Gateway passes on, with path, Host
    and headers as they are then, for every spelling of a path."""
    web, one, two, three = (case.service(name, backend) for name, backend in
                            (("web", "a"), ("one", "b"), ("two", "c"), ("three", "d")))
    backends = {f"{case.namespace}/{service.name}:{service.port}": name
                for service, name in zip((web, one, two, three), "abcd")}
    gateway = Gateway(case, listener("http", HTTP), parameters={"mesh-routes": "apply"})
    of_the_service = case.http_route(
        web, rule(one.ref(), matches=[below("/one")]), rule(two.ref(), matches=[below("/two")]),
        rule(three.ref(), matches=[{"headers": [{"name": "x-from", "value": "gateway"}]}]),
        rule(three.ref(), matches=[{"queryParams": [{"name": "x", "value": "1"}]}]),
        rule(one.ref(), matches=[{"headers": [{"name": "host", "value": "rewritten.example.com"}]}]),
        name="of-the-service")
    gateway.apply(
        web, one, two, three, of_the_service,
        gateway.route(
            rule(web.ref(), matches=[below("/shop")], filters=[rewrite(path=prefix_path("/"))]),
            rule(web.ref(), matches=[below("/full")],
                 filters=[rewrite(path=full_path("/two/all"), hostname="rewritten.example.com")]),
            rule(web.ref(), matches=[below("/plain")],
                 filters=[header_filter(set={"x-from": "gateway"})]),
            rule(web.ref(), matches=[{"path": {"type": "PathPrefix", "value": "/secure"},
                                      "headers": [{"name": "x-forwarded-proto", "value": "http"}]}],
                 filters=[rewrite(hostname="rewritten.example.com")])))
    with gateway.wait_started(HTTP):
        until(lambda: explained(case, gateway, f"http://a.example.com:{HTTP}/shop").get("envoys", {})
              .get("acknowledged") == 1, TAKEN_SECONDS, "why tells that Envoy has acknowledged")
        wrong, outcomes = [], set()
        for path in SPELLINGS:
            answer = explained(case, gateway, f"http://a.example.com:{HTTP}{path}")
            words = told({"decision": flat(answer["decision"])}, backends)
            request = f"GET {path} HTTP/1.1\r\nHost: a.example.com:{HTTP}\r\nConnection: close\r\n\r\n"
            seen = exchange(gateway.at(HTTP), request.encode())
            fact = seen.json()["backend"] if seen.status == 200 else str(seen.status)
            outcomes.add(fact)
            if seen.status == 200 and seen.json()["path"] != path_at_the_backend(answer):
                wrong.append((path, path_at_the_backend(answer), seen.json()["path"]))
            wrong += [(path, words, fact)] if words != fact else []
        assert not wrong, wrong
        assert outcomes == {"b", "c", "d", "404"}, outcomes


@alone
def why_counts_the_envoys_of_all_replicas(case: Case):
    """Also where the replica that is asked has none; one that is behind, or whose replica is gone, does not count
    as one that has acknowledged."""
    web = case.service("web", "a")
    gateway = Gateway(case, listener("http", HTTP))
    url = f"http://a.example.com:{HTTP}/"

    def counted(heddle) -> tuple:
        query = urllib.parse.urlencode({"node": f"gateway/{case.namespace}/gw", "method": "GET", "url": url})
        told = heddle.api(f"why?{query}").get("envoys", {})
        return told.get("acknowledged"), told.get("connected"), told.get("replicas"), len(told.get("silent", ()))

    with replicas() as (one, two), contextlib.ExitStack() as stack:
        one.write("main", *web.objects(), *gateway.objects(), gateway.route(rule(web.ref())))
        for count, mesh in ((1, two), (2, one)):
            envoy = GatewayEnvoy(case, "gw")
            envoy.heddle = mesh.heddle
            envoy.folder = mesh.work / "envoy-gw"
            envoy.start().wait_live()
            stack.callback(envoy.stop)
            for heddle in (one.heddle, two.heddle):
                until(lambda: counted(heddle) == (count, count, 2, 0), TAKEN_SECONDS, "all are counted")
        envoy.child.process.send_signal(signal.SIGSTOP)
        one.write("main", *web.objects(), *gateway.objects(), gateway.route(rule(web.ref()), hostnames=["*.example.com"]))
        until(lambda: counted(two.heddle) == (1, 2, 2, 0), TAKEN_SECONDS, "one is behind")
        envoy.child.process.send_signal(signal.SIGCONT)
        until(lambda: counted(two.heddle) == (2, 2, 2, 0), TAKEN_SECONDS, "and has it then")
        text = two.heddle.command("why", f"gateway/{case.namespace}/gw", "GET", url, "--admin",
                                  two.heddle.addresses["admin"]).stdout
        assert "2 of 2 connected Envoys of the Gateway have acknowledged these routes (of 2 replicas)" in text, text
        one.heddle.kill()
        until(lambda: counted(two.heddle) == (1, 1, 1, 1), TAKEN_SECONDS, "a replica is silent")
