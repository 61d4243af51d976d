# SPDX-License-Identifier: Apache-2.0
"""Every golden case is taken by live clients: nothing is rejected, nothing stays half loaded."""

import functools
import json
from typing import Iterator, Tuple

from rig.envoy import Envoy
from rig.features import feature
from rig.heddle import Heddle
from rig.mesh import Mesh
from rig.objects import endpoints, http_route, rule, service
from rig.process import Failed, REPO, until
from rig.suite import Case, with_envoy, with_grpc

TAKEN_SECONDS = 5
CALL_SECONDS = 0.3  # there is nobody behind most of the endpoints
MARKER = "heddle-marker"  # the namespace of what is written last


class Golden:
    """A mesh that gets one case after the other, each followed by a marker: where that has
    arrived, the case has arrived before."""

    def __init__(self):
        self.mesh = Mesh()
        self.mesh.heddle.start()
        self.wrong = []

    def cases(self) -> Iterator[Tuple[str, str]]:
        """(case, the marker's address), written and known to heddle."""
        paths = sorted((REPO / "tests/golden").glob("*/*/in.yaml"))
        if not paths:
            raise Failed("tests/golden holds no case")
        for number, path in enumerate(paths):
            ip = f"127.12.{number // 250}.{number % 250 + 1}"
            name = f"marker-{number}"
            self.mesh.write_text("case.yaml", path.read_text())
            self.mesh.write("marker", service(name, ip, 8000, namespace=MARKER),
                            endpoints(name, ["127.20.1.1"], 3001, namespace=MARKER),
                            http_route(name, name, rule(), namespace=MARKER))
            until(lambda: f'"{name}"' in self.mesh.heddle.get("/api/status"), TAKEN_SECONDS,
                  f"heddle has read {path}", 0.002)
            yield "/".join(path.parts[-3:-1]), f"{ip}:8000"

    def note(self, case: str, what: str) -> None:
        self.wrong.append(f"{case}: {what}")
        if not self.mesh.heddle.child.running():
            raise self.mesh.heddle.child.fail(f"it ended in {case}")

    def end(self) -> None:
        self.mesh.stop()
        if self.wrong:
            raise Failed("\n".join(self.wrong))


def wait_taken(envoy: Envoy, marker: str) -> None:
    until(lambda: marker in envoy.get("/listeners"), TAKEN_SECONDS, f"Envoy has {marker}", 0.005)
    until(lambda: not any(envoy.stats("warming").values()), TAKEN_SECONDS, "nothing warms", 0.005)


@feature("takes every golden case")
@with_envoy
def envoy_takes_every_case(case: Case):
    golden = Golden()
    # With interception nothing is bound but Envoy's own two ports, so that any ClusterIP will do.
    envoy = Envoy(golden.mesh.heddle, golden.mesh.work, "golden",
                  sotw=case.client == "envoy sotw", interception="redirect").start().wait_live()
    for name, marker in golden.cases():
        try:
            wait_taken(envoy, marker)
        except Failed as error:
            golden.note(name, str(error))
        rejected = envoy.rejected()
        if rejected:
            golden.note(name, f"rejected {rejected}: {envoy.child.log_text()[-800:]}")
            envoy.stop()
            envoy.start().wait_live()
    envoy.stop()
    golden.end()


@functools.lru_cache(maxsize=None)
def targets_of(name: str) -> list:
    """All that a client may dial, by the names of the listeners."""
    done = Heddle.command("translate", REPO / "tests/golden" / name / "in.yaml", "--node",
                          "proxyless/default/client", "-o", "json")
    return [f"xds:///{item['name']}" for item in json.loads(done.stdout)["lds"]]


@feature("takes every golden case")
@with_grpc
def grpc_takes_every_case(case: Case):
    golden = Golden()
    client = golden.mesh.grpc(case.client)
    for name, _ in golden.cases():
        targets = targets_of(name)
        if targets:
            client.calls(*targets, timeout=CALL_SECONDS)
        rejections = [t["rejection"] for p in golden.mesh.heddle.proxies()
                      for t in p["types"].values() if "rejection" in t]
        nacks = golden.mesh.heddle.metric("heddle_xds_nacks_total")
        if nacks:
            golden.note(name, f"{nacks:g} responses were rejected: {rejections}"
                        f"{golden.mesh.heddle.child.log_text()[-800:]}")
            golden.mesh.heddle.restart()  # counts from 0 again
    golden.end()
