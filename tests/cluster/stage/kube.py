# SPDX-License-Identifier: Apache-2.0
"""The cluster, by way of kubectl: whatever a user could do, and nothing else."""

import json
import pathlib
import socket
import string
import subprocess
import urllib.request
from contextlib import contextmanager
from typing import Iterator, Optional

from rig.process import Child, Failed, until

OBJECTS = pathlib.Path(__file__).resolve().parents[1] / "objects"
COMMAND_SECONDS = 120
FORWARD_SECONDS = 10
CONTROLLERS_SECONDS = 60  # Kubernetes' own may still be waiting for an API server that was away


class Refused(Failed):
    """kubectl did not do what it was asked to; the text is what it wrote to standard error."""


def kubectl(*words, stdin: Optional[str] = None, seconds: float = COMMAND_SECONDS) -> str:
    done = told(*words, stdin=stdin, seconds=seconds)
    if done.returncode != 0:
        raise Refused(f"kubectl {' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def told(*words, stdin: Optional[str] = None,
         seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess:
    """The same, for whoever wants to read its exit code or its warnings."""
    return subprocess.run(["kubectl", *map(str, words)], input=stdin, text=True,
                          stdin=subprocess.DEVNULL if stdin is None else None,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds)


def text_of(thing, values: dict) -> str:
    """A dict, or the name of a file of objects/ with $values to fill in."""
    if isinstance(thing, dict):
        return json.dumps(thing)
    return string.Template((OBJECTS / thing).read_text()).substitute(values)


class Namespace:
    """One namespace, which is made here."""

    def __init__(self, name: str, labels: Optional[dict] = None):
        self.name = name
        kubectl("create", "-f", "-", stdin=json.dumps(
            {"apiVersion": "v1", "kind": "Namespace",
             "metadata": {"name": name, "labels": labels or {}}}))
        # pods are refused until it is there
        until(lambda: told("-n", name, "get", "serviceaccount/default").returncode == 0,
              CONTROLLERS_SECONDS, f"'{name}' has its service account", interval=0.1)

    def kubectl(self, *words, **options) -> str:
        return kubectl("-n", self.name, *words, **options)

    def told(self, *words, **options) -> subprocess.CompletedProcess:
        return told("-n", self.name, *words, **options)

    def apply(self, *things, **values) -> str:
        """Objects and files of objects/; returns what kubectl says."""
        values = {"namespace": self.name, **values}
        text = "\n---\n".join(text_of(thing, values) for thing in things)
        return self.kubectl("apply", "-f", "-", stdin=text)

    def get(self, kind: str, name: str) -> dict:
        return json.loads(self.kubectl("get", kind, name, "-o", "json"))

    def list(self, kind: str, **labels: str) -> list:
        chosen = ",".join(f"{key}={value}" for key, value in labels.items())
        options = ["-l", chosen] if labels else []
        return json.loads(self.kubectl("get", kind, *options, "-o", "json"))["items"]

    def patch(self, kind: str, name: str, change, subresource: str = "", how: str = "merge") -> None:
        """how: merge, or json for a list of operations."""
        options = [f"--subresource={subresource}"] if subresource else []
        self.kubectl("patch", kind, name, f"--type={how}", *options, "-p", json.dumps(change))

    def wait_available(self, seconds: float = 60) -> None:
        """Until all Deployments and lone pods are ready, those of finished Jobs aside."""
        for kind, condition in (("deployment", "Available"), ("pod", "Ready")):
            names = [item["metadata"]["name"] for item in self.list(kind)
                     if kind == "deployment" or not item["metadata"].get("ownerReferences")]
            if names:
                self.kubectl("wait", f"--for=condition={condition}", kind, *names,
                             f"--timeout={seconds}s", seconds=seconds + 10)

    def wait_for(self, what: str, path: str, value: str, seconds: float = 30) -> None:
        """kubectl wait until the JSONPath of KIND/NAME has this value."""
        self.kubectl("wait", what, f"--for=jsonpath={{{path}}}={value}", f"--timeout={seconds}s",
                     seconds=seconds + 10)

    def exec(self, pod: str, *command, container: str = "app", seconds: float = 60) -> str:
        return self.kubectl("exec", pod, "-c", container, "--", *command, seconds=seconds)

    def log(self, pod: str, container: str) -> str:
        return self.kubectl("logs", pod, "-c", container)

    def delete(self) -> None:
        kubectl("delete", "namespace", self.name, "--wait=false")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def forwarded(namespace: str, pod: str, port: int) -> Iterator[str]:
    """The URL at which a port of a pod is reached from here."""
    local = free_port()
    child = Child(f"port-forward to {pod}", ["kubectl", "-n", namespace, "port-forward",
                                             f"pod/{pod}", f"{local}:{port}"])
    try:
        if "Forwarding" not in child.process.stdout.readline():
            raise child.fail("it forwards nothing")
        yield f"http://127.0.0.1:{local}"
    finally:
        child.stop()


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=FORWARD_SECONDS) as answer:
        return answer.read().decode()
