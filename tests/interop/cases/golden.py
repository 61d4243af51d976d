# SPDX-License-Identifier: Apache-2.0
"""Every golden case is taken by a live Envoy: nothing is rejected, nothing stays half loaded."""

from rig.envoy import Envoy
from rig.mesh import Mesh
from rig.objects import endpoints, service
from rig.process import Failed, REPO, until
from rig.suite import Case, with_envoy

TAKEN_SECONDS = 5


def wait_taken(envoy: Envoy, marker: str) -> None:
    """The marker was written last; when Envoy listens for it and nothing warms, all has come."""
    until(lambda: marker in envoy.get("/listeners"), TAKEN_SECONDS, f"Envoy has {marker}", 0.005)
    until(lambda: not any(envoy.stats("warming").values()), TAKEN_SECONDS, "nothing warms", 0.005)


@with_envoy
def envoy_takes_every_golden_case(case: Case):
    cases = sorted((REPO / "tests/golden").glob("*/*/in.yaml"))
    assert cases, "tests/golden holds no case"
    mesh = Mesh()
    mesh.heddle.start()
    # With interception nothing is bound but Envoy's own two ports, so that any ClusterIP will do.
    envoy = Envoy(mesh.heddle, mesh.work, "golden", sotw=case.client == "envoy sotw",
                  interception="redirect").start().wait_live()
    wrong = []
    for number, path in enumerate(cases):
        mesh.write_text("case.yaml", path.read_text())
        marker = f"127.12.{number // 250}.{number % 250 + 1}"
        mesh.write("marker", service("marker", marker, 8000, namespace="heddle-marker"),
                   endpoints("marker", ["127.20.1.1"], 3000, namespace="heddle-marker"))
        name = "/".join(path.parts[-3:-1])
        try:
            wait_taken(envoy, f"{marker}:8000")
        except Failed as error:
            wrong.append(f"{name}: {error}")
            if not mesh.heddle.child.running():
                raise mesh.heddle.child.fail(f"it ended in {name}") from None
        rejected = envoy.rejected()
        if rejected:
            wrong.append(f"{name}: rejected {rejected}: {envoy.child.log_text()[-800:]}")
            envoy.stop()
            envoy.start().wait_live()
    envoy.stop()
    mesh.heddle.stop()
    if wrong:
        raise Failed("\n".join(wrong))
