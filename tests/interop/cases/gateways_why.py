# SPDX-License-Identifier: Apache-2.0
"""What `heddle why` tells of requests to a Gateway is what its Envoy does with them: for every server
name, Host and path of some, over HTTP and HTTPS."""

import itertools
import pathlib
import ssl
import urllib.parse

from rig.gateway import Gateway, Https, listener, secret
from rig.objects import rule
from rig.pki import Authority
from rig.process import until
from rig.suite import Case, alone
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
