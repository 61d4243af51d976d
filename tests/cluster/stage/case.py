# SPDX-License-Identifier: Apache-2.0
"""What one run of one test works with: a namespace, its workloads, their requests."""

import collections
import json
from typing import List, Optional

from rig import objects
from rig.process import Failed, until

from . import heddle, kube
from .load import Load
from .pod_grpc import PodGrpc

CONDITION_SECONDS = 30


class Skip(Exception):
    """This cluster cannot show it; the text says why."""


class Case:
    def __init__(self, name: str, mode: str):
        self.mode = mode
        self._name = name
        self._namespaces = {}
        self._grpc = []
        self._undo = []

    # --- namespaces and objects ------------------------------------------------------------------

    def namespace(self, suffix: str = "", **labels: str) -> kube.Namespace:
        """The namespace of this test, or another one of it; made when first asked for."""
        if suffix not in self._namespaces:
            name = f"{self._name}-{suffix}" if suffix else self._name
            self._namespaces[suffix] = kube.Namespace(name, labels)
        return self._namespaces[suffix]

    @property
    def ns(self) -> kube.Namespace:
        return self.namespace()

    def start(self, *files: str, **values) -> None:
        """Applies files of objects/ and waits until their pods are ready."""
        self.ns.apply(*files, **{"mode": self.mode or "disabled", **values})
        self.ns.wait_available()

    def host(self, service: str, namespace: Optional[kube.Namespace] = None) -> str:
        return f"{service}.{(namespace or self.ns).name}.svc.cluster.local"

    def url(self, service: str, path: str = "/", port: int = 8080) -> str:
        return f"http://{self.host(service)}:{port}{path}"

    def target(self, service: str, port: int = 9000) -> str:
        return f"xds:///{self.host(service)}:{port}"

    def finally_do(self, undo) -> None:
        """Called when the test has ended, whichever way; the last one first."""
        self._undo.append(undo)

    def end(self, keep: bool) -> None:
        for undo in reversed(self._undo):
            undo()
        for client in self._grpc:
            client.stop()
        for namespace in self._namespaces.values():
            if keep:
                print(f"# kept: namespace {namespace.name}")
            else:
                namespace.delete()

    # --- routes and their status -----------------------------------------------------------------

    def http_route(self, parent: str, *rules: dict, name: str = "route", **more) -> dict:
        return objects.http_route(name, parent, *rules, namespace=self.ns.name, **more)

    def grpc_route(self, parent: str, *rules: dict, name: str = "route", **more) -> dict:
        return objects.grpc_route(name, parent, *rules, namespace=self.ns.name, **more)

    def route(self, route: dict) -> dict:
        """Applies it and waits until every client that it concerns has acknowledged it: what comes
        after this is routed by it, without another try."""
        (self._namespace_of(route)).apply(route)
        self.propagated(route)
        return route

    def _namespace_of(self, thing: dict) -> kube.Namespace:
        wanted = thing["metadata"].get("namespace", self.ns.name)
        return next(n for n in self._namespaces.values() if n.name == wanted)

    def parents(self, route: dict) -> list:
        """heddle's entries of its status."""
        now = self._namespace_of(route).get(route["kind"], route["metadata"]["name"])
        return [p for p in now.get("status", {}).get("parents", [])
                if p["controllerName"] == heddle.CONTROLLER]

    def condition(self, route: dict, type_: str) -> dict:
        """Of its first parent, once it is of this generation."""
        namespace, name = self._namespace_of(route), route["metadata"]["name"]

        def current():
            now = namespace.get(route["kind"], name)
            for parent in now.get("status", {}).get("parents", []):
                for condition in parent["conditions"]:
                    if (parent["controllerName"] == heddle.CONTROLLER
                            and condition["type"] == type_ and condition["observedGeneration"]
                            == now["metadata"]["generation"]):
                        return condition
            return None
        return until(current, CONDITION_SECONDS, f"'{name}' has a '{type_}' of its generation",
                     interval=0.1)

    def expect(self, route: dict, type_: str, status: str, reason: str = "") -> dict:
        def wanted():
            condition = self.condition(route, type_)
            good = condition["status"] == status and reason in ("", condition["reason"])
            return condition if good else None
        try:
            return until(wanted, CONDITION_SECONDS, "", interval=0.1)
        except Failed:
            raise Failed(f"'{type_}' is {self.condition(route, type_)}, expected {status} "
                         f"'{reason}'") from None

    def propagated(self, route: dict) -> None:
        """As a user waits for it (docs/operations.md)."""
        namespace = self._namespace_of(route)
        what = f"{route['kind'].lower()}/{route['metadata']['name']}"
        path = f'.status.parents[0].conditions[?(@.type=="{heddle.PROPAGATED}")]'
        generation = namespace.get(route["kind"], route["metadata"]["name"])["metadata"]["generation"]
        try:
            namespace.wait_for(what, f"{path}.observedGeneration", str(generation))
            namespace.wait_for(what, f"{path}.status", "True")
        except kube.Refused:
            said = [c for p in self.parents(route) for c in p["conditions"]
                    if c["type"] == heddle.PROPAGATED]
            raise Failed(f"generation {generation} of '{what}' is not propagated: {said}; the "
                         f"clients: {heddle.laggards()}") from None

    # --- requests --------------------------------------------------------------------------------

    def get(self, pod: str, url: str, *options: str, count: int = 1,
            namespace: Optional[kube.Namespace] = None) -> List[dict]:
        """Requests from a pod; each answer as tests/interop/go/workload/get.go tells it."""
        text = (namespace or self.ns).exec(pod, "/workload", "get", "-n", count, *options, url)
        return [json.loads(line) for line in text.splitlines()]

    def backends(self, pod: str, url: str, *options: str, count: int = 1,
                 namespace: Optional[kube.Namespace] = None) -> collections.Counter:
        """Answers by backend; others than 200 by their status."""
        answers = self.get(pod, url, *options, count=count, namespace=namespace)
        return collections.Counter(a["body"]["backend"] if a["status"] == 200 else str(a["status"])
                                   for a in answers)

    def grpc(self, pod: str, language: str, namespace: Optional[kube.Namespace] = None) -> PodGrpc:
        """A gRPC client that runs in a pod."""
        client = PodGrpc(namespace or self.ns, pod, language)
        self._grpc.append(client)
        return client

    def load(self, pod: str = "load") -> Load:
        return Load(self.ns, pod)
