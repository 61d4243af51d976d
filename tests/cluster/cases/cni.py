# SPDX-License-Identifier: Apache-2.0
"""Interception by the CNI plugin of deploy/cni, in pods that may do nothing: restricted Pod Security.

The chain of the node is changed, so these run where the node's runtime is a process beside us."""

import json
import pathlib
import re

from rig import objects
from rig.process import REPO, Failed, until
from stage import heddle, kube
from stage.case import Case
from stage.components import Component
from stage.suite import alone, test

NAMESPACE = "heddle-cni"
FOLDERS = {"conf_dir": "/etc/cni/net.d", "bin_dir": "/opt/cni/bin"}  # of containerd, if it says nothing
SECONDS = 60
ANNOTATION = "heddle.dev/interception"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted", heddle.INJECT_LABEL: "sidecar"}


class Node:
    """The node's two folders, as its containerd is told."""

    def __init__(self):
        runtime = Component("containerd")  # else skips
        said = pathlib.Path(runtime.command[runtime.command.index("-c") + 1]).read_text()
        found = dict(re.findall(r'^\s*(conf_dir|bin_dir) = "(.+)"', said, re.M))
        self.folders = {**FOLDERS, **found}
        self.conf, self.bin = (pathlib.Path(self.folders[key]) for key in ("conf_dir", "bin_dir"))

    def chain(self) -> list:
        """What the runtime runs for each pod."""
        first = min(self.conf.glob("*.conflist"))
        return [plugin["type"] for plugin in json.loads(first.read_text())["plugins"]]

    def left(self) -> list:
        """Files of the plugin."""
        return [str(path) for folder in (self.conf, self.bin) for path in folder.glob("*heddle*")]

    def manifests(self) -> str:
        """deploy/cni, with the folders of this node."""
        text = kube.kubectl("kustomize", REPO / "deploy/cni")
        for key, path in FOLDERS.items():
            text = text.replace(path, self.folders[key])
        return text


def install(case: Case, node: Node) -> None:
    case.finally_do(lambda: uninstall(node))
    kube.kubectl("apply", "--server-side", "-f", "-", stdin=node.manifests())
    wait_installed()
    if node.chain()[-1] != "heddle-cni":
        raise Failed(f"it is ready, and the chain is {node.chain()}")


def wait_installed() -> None:
    kube.kubectl("-n", NAMESPACE, "rollout", "status", "daemonset/heddle-cni",
                 f"--timeout={SECONDS}s", seconds=SECONDS + 10)


def uninstall(node: Node) -> None:
    kube.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=node.manifests())
    if "heddle-cni" in node.chain() or node.left():
        raise Failed(f"left: {node.chain()}, {node.left()}")


def caller(name: str, interception: str = "cni", **annotations: str) -> dict:
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "annotations": {ANNOTATION: interception, **annotations}},
            "spec": {"terminationGracePeriodSeconds": 5,
                     "securityContext": {"runAsNonRoot": True, "runAsUser": 65532,
                                         "seccompProfile": {"type": "RuntimeDefault"}},
                     "containers": [{"name": "app", "image": "heddle/workload:test",
                                     "args": ["rest"],
                                     "securityContext": {"allowPrivilegeEscalation": False,
                                                         "capabilities": {"drop": ["ALL"]}}}]}}


def expect(case: Case, namespace: kube.Namespace, pod: str, wanted: set) -> None:
    got = case.backends(pod, case.url("echo"), count=40, namespace=namespace)
    if set(got) != wanted:
        raise Failed(f"'{pod}' was answered by {dict(got)}, expected {wanted}")


def backends_and_route(case: Case) -> kube.Namespace:
    """Who comes through a sidecar gets v2 only. Returns the restricted namespace."""
    case.start("backends.yaml", mode="disabled")
    case.route(case.http_route("echo", objects.rule(objects.backend("echo-v2", 8080))))
    return case.namespace("restricted", **RESTRICTED)


@alone
@test
def pods_without_any_right_are_in_the_mesh(case: Case):
    node = Node()
    install(case, node)
    restricted = backends_and_route(case)
    refused = restricted.told("apply", "-f", "-", stdin=json.dumps(caller("asks", "redirect")))
    if "NET_ADMIN" not in refused.stderr:
        raise Failed(f"Pod Security should refuse NET_ADMIN here: {refused}")
    restricted.apply(caller("through"))
    restricted.apply(caller("around", **{"heddle.dev/exclude-outbound-ports": "8080"}))
    restricted.wait_available()
    expect(case, restricted, "through", {"v2"})
    expect(case, restricted, "around", {"v1", "v2"})
    spec = restricted.get("pod", "through")["spec"]
    names = [c["name"] for c in spec["initContainers"]]
    if names != ["heddle-proxy"] or "NET_ADMIN" in json.dumps(spec):
        raise Failed(f"the init containers are {spec['initContainers']}")


@alone
@test
def an_updated_plugin_is_at_no_time_away(case: Case):
    """Pods that start during the update are in the mesh like all others."""
    node = Node()
    install(case, node)
    restricted = backends_and_route(case)
    for turn in range(2):
        kube.kubectl("-n", NAMESPACE, "rollout", "restart", "daemonset/heddle-cni")
        for number in range(5):
            restricted.apply(caller(f"caller-{turn}-{number}"))
            if "heddle-cni" not in node.chain():
                raise Failed(f"the chain is {node.chain()}")
        wait_installed()
    restricted.wait_available()
    for pod in restricted.list("pod"):
        expect(case, restricted, pod["metadata"]["name"], {"v2"})


@alone
@test
def where_there_is_no_plugin_a_pod_does_not_run_outside_the_mesh(case: Case):
    """It says so, and does not start; made anew when the plugin is there, it runs."""
    node = Node()
    if "heddle-cni" in node.chain():
        raise Failed(f"the chain is {node.chain()} before the test")
    restricted = backends_and_route(case)
    restricted.apply(caller("early"))
    until(lambda: "CNI plugin was not at work on this node" in
          restricted.told("logs", "early", "-c", "heddle-proxy").stdout, SECONDS,
          "the sidecar says that its connections are not intercepted", interval=0.3)
    until(lambda: "CNI plugin was not at work" in
          json.dumps(restricted.get("pod", "early")["status"]["initContainerStatuses"]), SECONDS,
          "kubectl describe says it, too", interval=0.3)
    states = restricted.get("pod", "early")["status"]["containerStatuses"]
    if any("running" in state["state"] for state in states):
        raise Failed(f"the application runs outside the mesh: {states}")
    install(case, node)
    restricted.kubectl("delete", "pod", "early")
    restricted.apply(caller("early"))
    restricted.wait_available()
    expect(case, restricted, "early", {"v2"})


@alone
@test
def a_chain_that_the_network_plugin_writes_anew_is_mended(case: Case):
    node = Node()
    first = min(node.conf.glob("*.conflist"))
    before = first.read_text()
    install(case, node)
    first.write_text(before)
    until(lambda: node.chain()[-1] == "heddle-cni", SECONDS, "the plugin is back", interval=0.1)
