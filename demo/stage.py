# SPDX-License-Identifier: Apache-2.0
"""Where the screens play: a heddle, an Envoy, a Service 'shop' that clients call, and backends.

A screen's routes say what becomes of the requests to 'shop', which has no endpoints of its own.
"""

import datetime
import itertools

from rig.envoy import Envoy
from rig.mesh import Mesh, start_echod
from rig.process import until
from rig.traffic import Answer, Http, seen

from page import Page

SHOP = "127.10.0.10"  # the ClusterIP of `shop`, where Envoy listens
HTTP, GRPC, TCP, TLS = 8000, 8080, 9000, 8443  # the ports of every Service …
PODS = {HTTP: 3000, GRPC: 3001, TCP: 3002, TLS: 3003}  # … and where its endpoints listen
BACKENDS = {  # Service: pods
    "stable": ["stable"], "canary": ["canary"], "cart": ["cart"], "pay": ["pay"],
    "search": ["search"], "admin": ["admin"], "debug": ["debug"],
    "chat": ["chat-1", "chat-2", "chat-3"],
}
GRPC_TARGET = f"xds:///shop.default.svc.cluster.local:{GRPC}"  # without a proxy
LANGUAGES = {"python": "Python", "go": "Go"}  # of the gRPC clients
SETTLE_SECONDS = 5

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  clusterIP: {ip}
  ports:
  - {{name: http, port: 8000, appProtocol: http}}
  - {{name: grpc, port: 8080, appProtocol: kubernetes.io/h2c}}
  - {{name: tcp, port: 9000}}
  - {{name: tls, port: 8443}}
"""
ENDPOINTS = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}-1, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
endpoints: [{endpoints}]
ports:
- {{name: http, port: 3000}}
- {{name: grpc, port: 3001}}
- {{name: tcp, port: 3002}}
- {{name: tls, port: 3003}}
"""


def pod_addresses() -> dict:
    return {pod: f"127.20.{i}.{j}" for i, pods in enumerate(BACKENDS.values(), start=1)
            for j, pod in enumerate(pods, start=1)}


def place(namespace: str, zone: str) -> list:
    """Where a client says that it runs, as options of heddle bootstrap."""
    return ["--namespace", namespace, *(["--zone", zone] if zone else [])]


class Stage:
    def __init__(self, page: Page):
        self.expect, self.table = page.expect, page.table
        self.say, self.quote = page.say, page.quote
        self.mesh = Mesh("heddle-demo-")
        self.heddle = self.mesh.heddle
        self.pods = pod_addresses()
        self._ids = itertools.count(1)

    def start(self) -> None:
        self.write_services()
        self.heddle.start()
        start_echod(self.mesh.work, **{
            protocol: {pod: f"{ip}:{PODS[port]}" for pod, ip in self.pods.items()}
            for protocol, port in (("http", HTTP), ("grpc", GRPC), ("tcp", TCP))})
        self.start_envoy()
        print(f"heddle, backends and an Envoy for Service 'shop' ({SHOP}) run on this machine.")

    # --- configuration ----------------------------------------------------------------------

    def write_services(self, but_for: str = "") -> float:
        """All Services and all their pods but one."""
        texts = [SERVICE.format(name="shop", ip=SHOP)]
        for number, (name, pods) in enumerate(BACKENDS.items(), start=1):
            ready = ", ".join(f"{{addresses: [{self.pods[pod]}]}}" for pod in pods
                              if pod != but_for)
            texts += [SERVICE.format(name=name, ip=f"127.10.1.{number}"),
                      ENDPOINTS.format(name=name, endpoints=ready)]
        return self.mesh.write_text("services.yaml", "---\n".join(texts))

    def apply(self, routes: str) -> None:
        """Puts a screen's YAML in force."""
        since = self.mesh.write_text("routes.yaml", routes)
        self.heddle.command("check", self.mesh.config)
        self.wait_acknowledged(since)

    def wait_acknowledged(self, since: float) -> None:
        """Until Envoy has what was written then, and nothing is on its way."""
        def has_all() -> bool:
            sidecars = [p for p in self.heddle.proxies() if p["role"] == "sidecar"]
            return bool(sidecars) and all(self._has(proxy, since) for proxy in sidecars)
        until(has_all, SETTLE_SECONDS, "Envoy has acknowledged what changed")

    @staticmethod
    def _has(proxy: dict, since: float) -> bool:
        types = proxy["types"].values()
        if any(t["pending"] or t["inFlight"] for t in types):
            return False
        times = [datetime.datetime.fromisoformat(t["lastAcked"].replace("Z", "+00:00")).timestamp()
                 for t in types if "lastAcked" in t]
        return bool(times) and max(times) >= int(since * 1000) / 1000  # heddle tells milliseconds

    def start_envoy(self, namespace: str = "default", zone: str = "") -> None:
        """A fresh one, in place of the one before: only one can listen on a ClusterIP."""
        if self.mesh.envoy:
            self.mesh.envoy.stop()
        self.mesh.start_envoy("demo", options=place(namespace, zone))
        self.mesh.wait_listening(*(f"{SHOP}:{port}" for port in PODS))

    def start_gateway(self, name: str) -> Envoy:
        """One more Envoy, of a Gateway."""
        envoy = Envoy(self.heddle, self.mesh.work, name, options=["--gateway", name])
        return envoy.start().wait_live()

    # --- requests ---------------------------------------------------------------------------

    @staticmethod
    def request(path: str, method: str = "GET", **headers: str) -> Answer:
        """To 'shop', by way of Envoy; x_name=value sends the header x-name."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with Http(f"{SHOP}:{HTTP}") as client:
            return client.request(method, path, {"host": "shop", **named})

    @staticmethod
    def requests(count: int, path: str, **headers: str) -> dict:
        """{backend or status: how many}"""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with Http(f"{SHOP}:{HTTP}") as client:
            return client.outcomes(count, path=path, headers={"host": "shop", **named})

    def new_id(self) -> str:
        """For the header x-test-id, by which a backend remembers a request."""
        return f"demo-{next(self._ids)}"

    def seen(self, pod: str, test_id: str) -> list:
        """The HTTP requests with this x-test-id that a pod got."""
        return seen(f"{self.pods[pod]}:{PODS[HTTP]}", test_id)

    def grpc(self, language: str, namespace: str = "default", zone: str = ""):
        """A gRPC client without a proxy."""
        return self.mesh.grpc(language, options=place(namespace, zone))
