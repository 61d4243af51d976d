# SPDX-License-Identifier: Apache-2.0
"""heddle as it is installed: its pods, its leader, what its admin endpoint says."""

import json
from contextlib import contextmanager
from typing import Iterator

from rig.process import Failed, until

from . import kube

NAMESPACE = "heddle-system"
NAME = "heddle"  # of the Deployment, the Lease, the GatewayClass and the XMesh
CONTROLLER = "heddle.dev/gateway-controller"
PROPAGATED = "heddle.dev/Propagated"
INJECT_LABEL = "heddle.dev/inject"
COMPONENT = "app.kubernetes.io/component=control-plane"
ADMIN_PORT = 15014
READY_SECONDS = 60

_restarts = {}  # {pod: restarts of its containers that tests have caused or seen}


def _kubectl(*words, **options) -> str:
    return kube.kubectl("-n", NAMESPACE, *words, **options)


def pods() -> list:
    """Its replicas, without those that end."""
    items = json.loads(_kubectl("get", "pods", "-l", COMPONENT, "-o", "json"))["items"]
    return [p for p in items if "deletionTimestamp" not in p["metadata"]]


def pod_names() -> list:
    return sorted(p["metadata"]["name"] for p in pods())


def proxy_image() -> str:
    """heddle/proxy of the version that runs."""
    text = _kubectl("get", "deployment", NAME, "-o", "json")
    image = json.loads(text)["spec"]["template"]["spec"]["containers"][0]["image"]
    return image.replace("heddle/heddle:", "heddle/proxy:")


def lease_holder() -> str:
    """The identity of the leader, "" while there is none."""
    lease = json.loads(_kubectl("get", "lease", NAME, "-o", "json"))
    return lease["spec"].get("holderIdentity") or ""


def leader() -> str:
    """The leader's pod."""
    holder = lease_holder()
    return next((name for name in pod_names() if holder.startswith(name)), "")


def wait_ready(seconds: float = READY_SECONDS) -> None:
    _kubectl("rollout", "status", f"deployment/{NAME}", f"--timeout={seconds}s",
             seconds=seconds + 10)


def wait_leader_other_than(pod: str, seconds: float = READY_SECONDS) -> str:
    def other() -> str:
        now = leader()
        return now if now != pod else ""
    return until(other, seconds, f"another than '{pod}' leads", interval=0.2)


@contextmanager
def admin(pod: str) -> Iterator[str]:
    with kube.forwarded(NAMESPACE, pod, ADMIN_PORT) as url:
        yield url


def api(pod: str, path: str):
    with admin(pod) as url:
        return json.loads(kube.fetch(f"{url}/api/{path}"))


def laggards() -> list:
    """The clients that have not acknowledged all that they were sent, of all replicas."""
    told = json.loads(_kubectl("exec", f"deployment/{NAME}", "--", "heddle", "proxies", "-o",
                               "json"))["proxies"]
    return [f"{p['node']}: {p['types']}" for p in told
            if any(t.get("pending") or t.get("rejected") for t in p["types"].values())]


def note_restarts() -> None:
    """What has restarted so far is known, and no test's fault."""
    _restarts.clear()
    for pod in pods():
        for container in pod["status"].get("containerStatuses", []):
            _restarts[pod["metadata"]["name"], container["name"]] = container["restartCount"]


def check_no_crash() -> None:
    """No container of heddle has ended by itself since the last look."""
    before = dict(_restarts)
    note_restarts()
    for (pod, container), count in _restarts.items():
        if count > before.get((pod, container), 0):
            raise Failed(f"'{container}' of '{pod}' has restarted; it said\n" + kube.kubectl(
                "-n", NAMESPACE, "logs", pod, "-c", container, "--previous", "--tail=20"))
