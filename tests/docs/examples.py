# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/gateways.md: heddle finds nothing wrong with them, and serves them.

Those of a section (##) are one set of files, with what tests/docs/examples.yaml has for all.
"""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

REPO = pathlib.Path(__file__).resolve().parents[2]
HEDDLE = os.environ.get("HEDDLE", str(REPO / "build/heddle"))
sys.path.append(str(REPO / "tests/interop"))

from rig.pki import Authority  # noqa: E402

PAGE = REPO / "docs/gateways.md"
WORLD = REPO / "tests/docs/examples.yaml"
SECRETS = ["shop/shop-rsa", "certificates/shop-ecdsa", "blog/blog"]
AUTHORITIES = ["shop/partners", "shop/internal-ca"]
GOOD = {"Accepted": "True", "ResolvedRefs": "True", "Conflicted": "False"}
CLASS = """\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: heddle}
spec: {controllerName: heddle.dev/gateway-controller}
"""
SECONDS = 20


def sections() -> dict:
    """{heading: its YAML}"""
    found = {}
    for part in PAGE.read_text().split("\n## ")[1:]:
        blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", part, re.M)
        blocks = [re.sub(r"^    ", "", block, flags=re.M).strip() + "\n" for block in blocks]
        documents = [block for block in blocks if block.startswith("apiVersion:")]
        if documents:
            found[part.split("\n", 1)[0]] = "---\n".join(documents)
    return found


def certificates(folder: pathlib.Path) -> str:
    """Secrets and ConfigMaps with one certificate and the authority that has signed it."""
    authority = Authority(folder)
    authority.issue("leaf", "DNS:*.example.com")

    def text(file: str) -> str:
        return (folder / file).read_text()

    def metadata(name: str) -> dict:
        return dict(zip(("namespace", "name"), name.split("/")))

    data = {key: base64.b64encode(text(file).encode()).decode()
            for key, file in (("tls.crt", "leaf.pem"), ("tls.key", "leaf.key"))}
    objects = [{"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
                "metadata": metadata(name), "data": data} for name in SECRETS]
    objects += [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name),
                 "data": {"ca.crt": text("ca.pem")}} for name in AUTHORITIES]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def run(*words) -> str:
    return subprocess.run([HEDDLE, *words], text=True, timeout=SECONDS, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def complaints(item: dict) -> set:
    """Conditions of an object that are not as they should be."""
    status = item["status"]
    parts = [status, *(part for kind in ("parents", "ancestors", "listeners")
                       for part in status.get(kind, []))]
    return {f"{item['kind']} {item['metadata']['name']}: {c['type']}={c['status']}: {c['message']}"
            for part in parts for c in part.get("conditions", [])
            if c["status"] != GOOD.get(c["type"], c["status"])}


def wrong_examples() -> set:
    """What is wrong, with the section it is in."""
    wrong = set()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        world = work / "world.yaml"
        others = work / "certificates.json"
        others.write_text(certificates(work / "pki"))
        found = sections()
        for heading, yaml in found.items():
            extra = "" if "kind: GatewayClass" in yaml else f"---\n{CLASS}"
            world.write_text(f"{WORLD.read_text()}{extra}")
            example = work / "example.yaml"
            example.write_text(yaml)
            files = [str(path) for path in (world, others, example)]
            problems = [line for line in run("check", *files).splitlines()
                        if line.startswith(str(example))]
            status = json.loads(run("translate", *files, "--status", "-o", "json"))["status"]
            told = {text for item in status["items"] for text in complaints(item)}
            wrong |= {f"{heading}: {text}" for text in {*problems, *told}}
    return wrong if found else {"there are no examples"}
