# SPDX-License-Identifier: Apache-2.0
"""From one version to the next under load."""

import json
import os
import shutil
import subprocess

from rig import objects
from rig.process import Failed
from stage import heddle, kube
from stage.case import Case, Skip
from stage.suite import alone, test

CALLS = 400
OTHER_TAG = "upgrade-test"


def image_now() -> str:
    deployment = json.loads(kube.kubectl("-n", heddle.NAMESPACE, "get", "deployment", heddle.NAME,
                                         "-o", "json"))
    return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


def other_image(image: str) -> str:
    """HEDDLE_UPGRADE_IMAGE, or, where the node's containerd is beside us, the same under a new name:
    what is tested is that a version may follow another."""
    if "HEDDLE_UPGRADE_IMAGE" in os.environ:
        return os.environ["HEDDLE_UPGRADE_IMAGE"]
    other = f"{image.rsplit(':', 1)[0]}:{OTHER_TAG}"
    if not shutil.which("ctr"):
        raise Skip("set HEDDLE_UPGRADE_IMAGE to an image that the nodes have")
    names = [name if "." in name.split("/")[0] else f"docker.io/{name}" for name in (image, other)]
    done = subprocess.run(["ctr", "-n", "k8s.io", "images", "tag", "--force", *names],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Skip(f"the image cannot be given a second name here: {done.stderr.strip()}")
    return other


def set_image(image: str) -> None:
    kube.kubectl("-n", heddle.NAMESPACE, "set", "image", f"deployment/{heddle.NAME}",
                 f"heddle={image}")
    heddle.wait_ready(120)


@alone
@test
def an_upgrade_fails_no_request(case: Case):
    image = image_now()
    other = other_image(image)
    case.ns.apply("backends.yaml", mode="sidecar")
    route = case.http_route("echo", objects.rule(objects.backend("echo-v1", 8080)), port=8080)
    case.ns.apply(route)
    case.start("load.yaml", mode="sidecar")
    case.ns.wait_available()
    loads = [case.load("load"), case.load("load-proxyless")]
    case.finally_do(lambda: set_image(image))
    set_image(other)
    route["spec"]["rules"] = [objects.rule(objects.backend("echo-v2", 8080))]
    case.route(route)
    for load in loads:
        load.wait_calls(CALLS)
        load.check_no_failure(CALLS)
    (http,) = [t for target, t in loads[0].since().items() if target.startswith("http")]
    if not http["backends"].get("v2"):
        raise Failed("the new version took no change")
