# SPDX-License-Identifier: Apache-2.0
"""The cluster's own processes, where they are ours to end: in a cluster whose control plane runs as
plain processes beside us, as that of .ci/run does."""

import json
import os
import pathlib
import signal
import subprocess
import urllib.request
from typing import Optional

from rig.process import until

from . import kube
from .case import Skip

ETCD = "http://127.0.0.1:2379/v3/kv"
START_SECONDS = 60


class Component:
    """A process, such as kube-apiserver, that can be ended and started again as it was."""

    def __init__(self, name: str):
        self.name = name
        pid = self._find()
        if pid is None:
            raise Skip(f"no {name} runs beside the tests: this cluster's is not ours to end")
        process = pathlib.Path("/proc") / str(pid)
        self.command = process.joinpath("cmdline").read_text().rstrip("\0").split("\0")
        self.folder = os.readlink(process / "cwd")
        self.program = os.readlink(process / "exe")
        self.log = os.readlink(process / "fd/2")
        variables = process.joinpath("environ").read_text().rstrip("\0").split("\0")
        self.environment = dict(v.split("=", 1) for v in variables)

    def _find(self) -> Optional[int]:
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = process.joinpath("cmdline").read_text().split("\0")
            except OSError:
                continue
            if words[0].rsplit("/", 1)[-1] == self.name:
                return int(process.name)
        return None

    def kill(self) -> None:
        os.kill(self._find(), signal.SIGKILL)
        until(lambda: self._find() is None, 10, f"{self.name} is gone")

    def start(self) -> None:
        """As a process of the cluster, not of ours: it stays when we end."""
        with open(self.log, "ab") as log:
            subprocess.Popen(self.command, executable=self.program, cwd=self.folder,
                             env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                             stderr=log, start_new_session=True)


def api_server_answers() -> bool:
    return kube.told("get", "--raw", "/readyz", seconds=30).returncode == 0


def wait_api_server() -> None:
    until(api_server_answers, START_SECONDS, "the API server answers", interval=0.3)


def _etcd(method: str, body: dict) -> dict:
    request = urllib.request.Request(f"{ETCD}/{method}", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def compact_etcd() -> int:
    """Forgets every revision but the present one, as etcd does by itself every few minutes."""
    Component("etcd")  # else skips
    revision = int(_etcd("range", {"key": "Zm9v"})["header"]["revision"])
    _etcd("compaction", {"revision": revision, "physical": True})
    return revision
