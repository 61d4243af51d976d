# SPDX-License-Identifier: Apache-2.0
"""The API server of the current kubeconfig, and the generated mesh in it.

Straight HTTPS on kept connections: a change must not wait for a kubectl to start.
"""

import base64
import http.client
import json
import pathlib
import ssl
import subprocess
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import Optional

import yaml

from harness import Failed, temporary_folder

PATHS = {  # of a namespace, by kind
    "Service": "/api/v1/namespaces/{}/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes",
}
IDLE_SECONDS = 10
CONNECTIONS = 8  # with which objects are made
DELETE_SECONDS = 300
# Then kube-proxy leaves them alone: its work is not what is measured.
NOT_FOR_KUBE_PROXY = {"service.kubernetes.io/service-proxy-name": "heddle-bench"}


class Api:
    """How to reach it: what kubectl config says."""

    def __init__(self):
        done = subprocess.run(["kubectl", "config", "view", "--raw", "--minify", "-o", "json"],
                              check=True, capture_output=True, text=True)
        config = json.loads(done.stdout)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.kubeconfig = temporary_folder("heddle-bench-") / "kubeconfig"
        self.kubeconfig.write_text(done.stdout)
        self.host = urllib.parse.urlparse(cluster["server"]).netloc
        self.headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        self.tls = ssl.create_default_context(
            cadata=self._text(cluster, "certificate-authority"))
        certificate = self._text(user, "client-certificate")
        if certificate:
            pair = self.kubeconfig.with_name("client.pem")
            pair.write_text(certificate + self._text(user, "client-key"))
            self.tls.load_cert_chain(pair)
        elif not self.headers:
            raise Failed("the kubeconfig has neither a client certificate nor a token")

    @staticmethod
    def _text(part: dict, key: str) -> Optional[str]:
        """An entry that stands there itself, or names a file."""
        if f"{key}-data" in part:
            return base64.b64decode(part[f"{key}-data"]).decode()
        return pathlib.Path(part[key]).read_text() if key in part else None

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.host, context=self.tls, timeout=60)

    def send(self, connection, method: str, path: str, body: Optional[dict] = None,
             content: str = "application/json", taken=(200, 201)) -> dict:
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Content-Type": content, **self.headers})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in taken:
            raise Failed(f"{method} {path}: {answer.status} {text.decode()[:300]}")
        return json.loads(text)


def placed(thing: dict, namespace: str) -> dict:
    """A generated object as it can be in a real cluster: its ClusterIP is the API server's to give,
    and its endpoints nobody's but ours."""
    thing["metadata"]["namespace"] = namespace
    if thing["kind"] == "Service":
        del thing["spec"]["clusterIP"], thing["spec"]["selector"]
    if thing["kind"] != "HTTPRoute":
        thing["metadata"].setdefault("labels", {}).update(NOT_FOR_KUBE_PROXY)
    return thing


def read(path: pathlib.Path, namespace: str) -> dict:
    return placed(yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)),
                  namespace)


class Folder:
    """A folder of generated objects, in a namespace of its own for as long as the `with` lasts."""

    def __init__(self, api: Api, folder: pathlib.Path, namespace: str):
        self.api = api
        self.folder = folder
        self.namespace = namespace
        self._own = threading.local()

    def _connection(self):
        if not hasattr(self._own, "connection"):
            self._own.connection = self.api.connect()
        return self._own.connection

    def _create(self, path: pathlib.Path) -> None:
        thing = read(path, self.namespace)
        self.api.send(self._connection(), "POST", PATHS[thing["kind"]].format(self.namespace), thing)

    def __enter__(self) -> "Folder":
        self.api.send(self.api.connect(), "POST", "/api/v1/namespaces",
                      {"metadata": {"name": self.namespace}})
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(self._create, sorted(self.folder.iterdir())))
        return self

    def __exit__(self, *_) -> None:
        subprocess.run(["kubectl", "delete", "namespace", self.namespace], check=False,
                       stdout=subprocess.DEVNULL, timeout=DELETE_SECONDS)


class Watcher(threading.Thread):
    """The least that a client of the API server can do: it notes when each event comes."""

    def __init__(self, api: Api, kind: str, namespace: str):
        super().__init__(daemon=True)
        self.arrived = {}  # {resourceVersion: nanoseconds}
        path = PATHS[kind].format(namespace)
        version = api.send(api.connect(), "GET", f"{path}?limit=1")["metadata"]["resourceVersion"]
        connection = api.connect()
        connection.timeout = None
        connection.request("GET", f"{path}?watch=1&resourceVersion={version}", headers=api.headers)
        self._answer = connection.getresponse()
        self.start()

    def run(self) -> None:
        for line in self._answer:
            now = time.monotonic_ns()
            self.arrived[json.loads(line)["object"]["metadata"]["resourceVersion"]] = now


class Applier(threading.Thread):
    """Gives the API server what heddle-bench changes (bench/mesh.h), over a socket."""

    def __init__(self, folder: Folder, socket):
        super().__init__(daemon=True)
        self.folder = folder
        self.socket = socket
        self.changes = []  # (kind, resourceVersion, nanoseconds when it was begun, and of the answer)
        self.error = None
        self.start()

    def run(self) -> None:
        connection, used = self.folder.api.connect(), 0.0
        for line in self.socket.makefile():
            thing = read(pathlib.Path(line.strip()), self.folder.namespace)
            part = {key: thing[key] for key in ("spec", "endpoints") if key in thing}
            path = PATHS[thing["kind"]].format(self.folder.namespace)
            if time.monotonic() > used + IDLE_SECONDS:  # the API server ends what is idle for long
                connection.close()
                connection.connect()
            began = time.monotonic_ns()
            self.socket.sendall(f"{began}\n".encode())
            try:
                now = self.folder.api.send(connection, "PATCH",
                                           f"{path}/{thing['metadata']['name']}", part,
                                           "application/merge-patch+json")
            except (OSError, Failed) as error:
                self.error = error
                return
            used = time.monotonic()
            self.changes.append((thing["kind"], now["metadata"]["resourceVersion"], began,
                                 time.monotonic_ns()))
