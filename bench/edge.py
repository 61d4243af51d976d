# SPDX-License-Identifier: Apache-2.0
"""A Gateway of any size, as files; the heddle and the Envoy that serve it, and its clients.

  HTTPRoute r7 (r7.n3.test) ─► Service svc-7 ─► pod "stable", or by its weights
     │                     └─► Service canary ─► pod "canary"
     │ parentRefs
     ├─► listener http of Gateway edge, without a hostname
     └─► listener n3 of ListenerSet set-0, HTTPS, *.n3.test, with a certificate of its own

Routes take turns with the HTTPS listeners. One object per file; a change renames a new file into
place.
"""

import base64
import os
import pathlib
from concurrent.futures import ThreadPoolExecutor

import harness  # noqa: F401  (it finds rig)
from rig.envoy import Envoy
from rig.mesh import Mesh, start_echod
from rig.objects import backend, endpoints, http_route, rule, service
from rig.pki import Authority
from rig.process import until
from rig.tls import Https
from rig.traffic import Http

ADDRESS, HTTP, HTTPS = "127.30.0.1", 18080, 18443
PODS = {"stable": "127.30.1.1", "canary": "127.30.1.2"}
POD_PORT, PORT = 18000, 80
SET_LISTENERS = 50  # of one ListenerSet; it may have 64
API = "gateway.networking.k8s.io/v1"
START_SECONDS = 60


def object_of(kind: str, name: str, spec: dict) -> dict:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}


def listener_set(name: str, listeners: list) -> dict:
    return object_of("ListenerSet", name, {"parentRef": {"name": "edge"}, "listeners": [
        {"name": n, "port": HTTPS, "protocol": "HTTPS", "hostname": f"*.{n}.test",
         "tls": {"certificateRefs": [{"name": f"cert-{n}"}]}} for n in listeners]})


class Edge:
    def __init__(self, routes: int, listeners: int):
        self.routes, self.listeners = routes, listeners
        self.mesh = Mesh("heddle-bench-")
        self.heddle = self.mesh.heddle
        self.envoy = Envoy(self.heddle, self.mesh.work, "edge", options=["--gateway", "edge"])
        self.authority = Authority(self.mesh.work / "pki")

    # --- configuration ----------------------------------------------------------------------

    def write_all(self) -> None:
        names = [f"n{i}" for i in range(self.listeners)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.issue, names))
        self.mesh.write("class", object_of("GatewayClass", "heddle", {
            "controllerName": "heddle.dev/gateway-controller"}))
        self.mesh.write("gateway", object_of("Gateway", "edge", {
            "gatewayClassName": "heddle", "addresses": [{"value": ADDRESS}],
            "allowedListeners": {"namespaces": {"from": "Same"}},
            "listeners": [{"name": "http", "port": HTTP, "protocol": "HTTP"}]}))
        for at in range(0, self.listeners, SET_LISTENERS):
            name = f"set-{at // SET_LISTENERS}"
            self.mesh.write(name, listener_set(name, names[at:at + SET_LISTENERS]))
        for name in names:
            self.write_secret(name)
        self.write_service("canary", 0, "canary")
        for i in range(self.routes):
            self.write_service(f"svc-{i}", i + 1, "stable")
            self.write_route(i, "stable")

    def write_service(self, name: str, number: int, pod: str) -> None:
        ip = f"10.96.{number // 256}.{number % 256}"
        self.mesh.write(name, service(name, ip, PORT))
        self.mesh.write(f"{name}-1", endpoints(name, [PODS[pod]], POD_PORT))

    def listener_of(self, index: int) -> str:
        return f"n{index % self.listeners}"

    def host(self, index: int) -> str:
        return f"r{index}.{self.listener_of(index)}.test"

    def write_route(self, index: int, to: str) -> float:
        """All to one of its two backends. Just before it was in force, as the other two."""
        of = index % self.listeners
        return self.mesh.write(f"r{index}", self.route(index, f"set-{of // SET_LISTENERS}",
                                                       self.listener_of(index), to))

    def route(self, index: int, set_name: str, listener: str, to: str) -> dict:
        backends = {"stable": f"svc-{min(index, self.routes - 1)}", "canary": "canary"}
        made = http_route(f"r{index}", "", rule(*(backend(name, PORT, int(pod == to))
                                                  for pod, name in backends.items())))
        made["spec"]["parentRefs"] = [
            {"name": "edge", "sectionName": "http"},
            {"kind": "ListenerSet", "name": set_name, "sectionName": listener}]
        made["spec"]["hostnames"] = [f"r{index}.{listener}.test"]
        return made

    def write_listener(self, number: int) -> float:
        """One more, of another team: its ListenerSet, certificate and route."""
        name = f"n{self.listeners + number}"
        self.issue(name)
        return self.mesh.write(f"late-{number}", self.secret(name),
                               listener_set(f"late-{number}", [name]),
                               self.route(self.routes + number, f"late-{number}", name, "canary"))

    def of_late(self, number: int) -> Https:
        """A client of what write_listener() adds."""
        host = f"r{self.routes + number}.n{self.listeners + number}.test"
        return Https(f"{ADDRESS}:{HTTPS}", host, self.authority)

    # --- certificates -----------------------------------------------------------------------

    def issue(self, listener: str) -> None:
        self.authority.issue(listener, f"DNS:*.{listener}.test")

    def secret(self, listener: str) -> dict:
        data = {key: base64.b64encode(
            pathlib.Path(self.authority.path(f"{listener}.{suffix}")).read_bytes()).decode()
            for key, suffix in (("tls.crt", "pem"), ("tls.key", "key"))}
        return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
                "metadata": {"name": f"cert-{listener}"}, "data": data}

    def write_secret(self, listener: str) -> float:
        return self.mesh.write(f"cert-{listener}", self.secret(listener))

    # --- running ----------------------------------------------------------------------------

    def start_heddle(self) -> None:
        start_echod(self.mesh.work, http={n: f"{ip}:{POD_PORT}" for n, ip in PODS.items()})
        self.heddle.start()

    def start_envoy(self) -> None:
        """Until it answers on both ports."""
        self.envoy.start()
        last = self.routes - 1
        until(lambda: self.answers(self.plain(last)) and self.answers(self.secure(last)),
              START_SECONDS, "Envoy answers")

    def stop(self) -> None:
        self.envoy.stop()
        if self.heddle.stop() != 0:
            raise self.heddle.child.fail("it did not end well")

    def plain(self, index: int) -> Http:
        """A client of the host of route `index`."""
        return Named(f"{ADDRESS}:{HTTP}", self.host(index))

    def secure(self, index: int) -> Https:
        return Https(f"{ADDRESS}:{HTTPS}", self.host(index), self.authority)

    @staticmethod
    def answers(client: Http) -> bool:
        with client:
            return client.request().status == 200


class Named(Http):
    """Asks for a host without looking it up."""

    def __init__(self, address: str, host: str):
        super().__init__(address)
        self.host = host

    def connect(self, timeout: float):
        connection = super().connect(timeout)
        connection.host = self.host  # the header Host
        return connection
