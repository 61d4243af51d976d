# SPDX-License-Identifier: Apache-2.0
"""The same routes for who comes from outside: an Envoy of a Gateway, with TLS.

The HTTPRoute 'shop' steers requests within the mesh and from outside alike. A client goes on sending
requests while its certificate is exchanged, another team adds a listener with a ListenerSet, and
somebody spoils a Secret.
"""

import base64
import contextlib
import json

from rig.pki import Authority
from rig.process import until
from rig.tls import Https
from rig.traffic import Http, HttpLoad, split_bounds

from page import Table
from stage import Stage

ADDRESS = "127.10.0.20"
HTTP, HTTPS = f"{ADDRESS}:8080", f"{ADDRESS}:8443"
REQUESTS = 1000
NODE = "gateway/default/edge"
UNKNOWN = "http://nobody.test:8080/"
SHARE = 0.9  # of 'stable'
MEANWHILE = 100  # requests after each change
SECONDS = 5
LISTENERS = """\
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: news}
spec:
  parentRef: {name: edge}
  listeners:
  - {name: news, port: 8443, protocol: HTTPS, hostname: news.test,
     tls: {certificateRefs: [{name: news-test}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: news}
spec:
  parentRefs: [{kind: ListenerSet, name: news}]
  rules: [{backendRefs: [{name: search, port: 8000}]}]
"""


class Edge:
    """The Envoy of Gateway 'edge', and the certificates of its hosts."""

    def __init__(self, stage: Stage):
        self.stage = stage
        self.authority = Authority(stage.mesh.work / "gateway-pki")

    def write_secret(self, host: str, key_of: str = "") -> None:
        """A new certificate; with the key of another one it is spoilt."""
        self.authority.issue(host, f"DNS:{host}")
        data = {key: base64.b64encode((self.authority.folder / file).read_bytes()).decode()
                for key, file in (("tls.crt", f"{host}.pem"), ("tls.key", f"{key_of or host}.key"))}
        name = host.replace(".", "-")
        self.stage.mesh.write(f"secret-{name}", {
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": name}, "data": data})

    def client(self, host: str) -> Https:
        return Https(HTTPS, host, self.authority)

    def outcome(self, host: str, path: str = "/") -> str:
        """Of a request on a connection of its own."""
        with self.client(host) as client:
            return client.request(path=path).outcome

    def serial(self, host: str) -> str:
        """Of the certificate that a new connection is shown."""
        with self.client(host) as client:
            client.request()
            return client.serial

    @contextlib.contextmanager
    def serving(self):
        before = set(self.stage.mesh.config.iterdir())
        for host in ("shop.test", "admin.test"):
            self.write_secret(host)
        envoy = self.stage.start_gateway("edge")
        try:
            until(lambda: self.outcome("admin.test", "/cart") == "cart", SECONDS, "Envoy serves")
            yield
        finally:
            envoy.stop()
            for path in set(self.stage.mesh.config.iterdir()) - before:
                path.unlink()


def told(stage: Stage, listener: str) -> dict:
    """The condition ResolvedRefs of one listener of the Gateway."""
    for item in stage.heddle.api("status")["items"]:
        for status in item["status"].get("listeners", []):
            if (item["kind"], status["name"]) == ("Gateway", listener):
                return next(c for c in status["conditions"] if c["type"] == "ResolvedRefs")
    return {"reason": "(none)", "message": ""}


def why(stage: Stage, url: str, *options: str) -> str:
    return stage.heddle.command("why", NODE, "GET", url, *options, "--admin",
                                stage.heddle.addresses["admin"]).stdout


def show_requests(stage: Stage, edge: Edge, table: Table) -> None:
    with Http(HTTP) as plain, edge.client("shop.test") as secure:
        table.check("http://shop.test:8080/", expected="https://shop.test:8443/",
                    observed=plain.request(headers={"host": "shop.test"}).location)
        table.check("https://shop.test:8443/cart", expected="cart",
                    observed=secure.request(path="/cart").outcome)
        counts = secure.outcomes(REQUESTS)
        table.check(f"https://shop.test:8443/, {REQUESTS:,} times",
                    expected=f"stable: {round(REQUESTS * SHARE)}",
                    observed=f"stable: {counts['stable']}, canary: {counts['canary']}",
                    good=counts["stable"] in split_bounds(REQUESTS, SHARE)
                    and counts["stable"] + counts["canary"] == REQUESTS)
        table.check("http://shop:8000/cart, within the mesh", expected="cart",
                    observed=stage.request("/cart").outcome)
        table.check("admin.test, on a connection to shop.test", expected="421",
                    observed=secure.request(headers={"host": "admin.test"}).outcome)
        said = json.loads(why(stage, UNKNOWN, "-o", "json"))["decision"]
        outcome = plain.request(headers={"host": "nobody.test"}).outcome
        table.check(f"{UNKNOWN}; 'heddle why'", expected="404; 404",
                    observed=f"{outcome}; {said['status']}")


def show_changes(stage: Stage, edge: Edge, table: Table) -> None:
    client = edge.client("shop.test")
    with HttpLoad([client], path="/cart") as load:
        def go_on() -> None:
            sent = len(load.answers)
            until(lambda: len(load.answers) >= sent + MEANWHILE, SECONDS, "requests are answered")

        go_on()
        old = edge.serial("shop.test")
        edge.write_secret("shop.test")
        until(lambda: edge.serial("shop.test") != old, SECONDS, "the new certificate is shown")
        go_on()
        table.check("a new certificate: the open connection has", expected="the old one",
                    observed="the old one" if client.serial == old else "another one")
        edge.write_secret("news.test")
        stage.mesh.write_text("news.yaml", LISTENERS)
        until(lambda: edge.outcome("news.test") != "0", SECONDS, "the new listener is served")
        go_on()
        table.check("a ListenerSet: https://news.test:8443/", expected="search",
                    observed=edge.outcome("news.test"))
        edge.write_secret("admin.test", key_of="shop.test")
        until(lambda: told(stage, "admin")["reason"] != "ResolvedRefs", SECONDS, "it is noticed")
        go_on()
        table.check("a spoilt Secret: listener 'admin'", expected="InvalidCertificateRef",
                    observed=told(stage, "admin")["reason"])
    good = sum(answer.outcome == "cart" for answer in load.answers)
    table.check("requests meanwhile, on so many connections",
                expected=f"{len(load.answers)} on 1",
                observed=f"{good} on {client.connections}")


def show(stage: Stage) -> None:
    edge = Edge(stage)
    with edge.serving():
        with stage.table("", "expected", "observed") as table:
            show_requests(stage, edge, table)
            show_changes(stage, edge, table)
        print(f"\n  $ heddle why {NODE} GET {UNKNOWN}")
        _, decision, rest = why(stage, UNKNOWN).partition("decision: ")
        stage.quote(f"… {decision}{rest}")
