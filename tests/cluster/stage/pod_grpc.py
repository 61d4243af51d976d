# SPDX-License-Identifier: Apache-2.0
"""The gRPC clients of tests/interop inside pods: the webhook gives them their bootstrap."""

import pathlib
import threading

from rig.grpc import START_SECONDS, Grpc
from rig.process import Child, temporary_folder

from . import kube

COMMANDS = {"go": ["/grpcclient"], "python": ["/usr/bin/python3", "/grpc_client.py"]}


class PodGrpc(Grpc):
    """rig.grpc.Grpc, by way of kubectl exec."""

    def __init__(self, namespace: kube.Namespace, pod: str, language: str):
        super().__init__(language, pathlib.Path(namespace.name) / pod)
        self.log = temporary_folder("heddle-cluster-") / f"{pod}.log"
        self.command = ["kubectl", "-n", namespace.name, "exec", "-i", pod, "-c", "app", "--",
                        *COMMANDS[language]]

    def _start(self) -> None:
        """Lets it load what the first call needs: that is not what a test is about."""
        self.child = Child(f"gRPC client in {self.kind}", self.command, self.log)
        threading.Thread(target=self._read, args=(self.child, self._results), daemon=True).start()
        self.call("xds:///first.call:1", timeout=START_SECONDS)
