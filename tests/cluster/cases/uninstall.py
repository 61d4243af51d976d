# SPDX-License-Identifier: Apache-2.0
"""make undeploy leaves nothing; make deploy brings it back."""

import subprocess

from rig.process import REPO, Failed
from stage import heddle, kube
from stage.case import Case, Skip
from stage.suite import alone, test

SECONDS = 300
# What belongs to no namespace, or to every one.
KINDS = ["clusterroles", "clusterrolebindings", "mutatingwebhookconfigurations",
         "validatingwebhookconfigurations", "gatewayclasses", "namespaces", "crds", "roles -A",
         "rolebindings -A", "secrets -A", "configmaps -A", "leases -A", "services -A",
         "serviceaccounts -A", "deployments -A", "daemonsets -A", "poddisruptionbudgets -A",
         "endpointslices -A"]


def make(target: str) -> None:
    done = subprocess.run(["make", target], cwd=REPO, capture_output=True, text=True,
                          timeout=SECONDS)
    if done.returncode != 0:
        raise Failed(f"make {target}: {done.stdout[-1000:]}{done.stderr[-1000:]}")


def left() -> list:
    """Objects with heddle's name or label, this test's namespace aside."""
    found = []
    for kind in KINDS:
        names = kube.kubectl("get", *kind.split(), "-o", "name", "--show-kind").split()
        labelled = kube.kubectl("get", *kind.split(), "-o", "name", "-l",
                                "app.kubernetes.io/part-of=heddle").split()
        found += [n for n in names if "heddle" in n.rsplit("/", 1)[-1]
                  and "heddle-test" not in n] + labelled
    return sorted(set(found))


@alone
@test
def an_uninstalled_heddle_leaves_nothing(case: Case):
    if kube.told("get", "-k", str(REPO / "deploy")).returncode != 0:
        raise Skip("what is installed is not what make deploy installs")
    case.ns.apply({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
                   "metadata": {"name": "web"},
                   "spec": {"gatewayClassName": heddle.NAME,
                            "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}})
    case.ns.wait_for("gateway/web", '.status.conditions[?(@.type=="Programmed")].status', "True")
    case.finally_do(lambda: (make("deploy"), heddle.wait_ready(), heddle.note_restarts()))
    make("undeploy")
    kube.told("wait", "--for=delete", f"namespace/{heddle.NAMESPACE}", "--timeout=60s")
    if left():
        raise Failed(f"left: {left()}")
    said = case.ns.get("gateway", "web")["status"]
    if any(c["status"] != "Unknown" for c in said["conditions"]) or "addresses" in said:
        raise Failed(f"the Gateway still seems to be somebody's: {said}")
    case.start("backends.yaml", mode="sidecar")  # nobody is asked any more
