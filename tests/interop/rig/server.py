# SPDX-License-Identifier: Apache-2.0
"""xDS-enabled gRPC servers, one process each."""

import json
import pathlib
import queue
import threading
from typing import Optional

from .heddle import Heddle
from .process import Child, Failed, program, until

SERVER_KINDS = ("go", "python", "java", "node")
PROGRAMS = {"go": "xdsserver", "python": "xds_server", "java": "XdsServer",
            "node": "xds_server"}
CALL_SECONDS = 30  # the first one waits until the server has started, on a busy machine
SERVING_SECONDS = 30


def asked_address(kind: str, address: str) -> str:
    """What a server asks for when it is to listen there; grpc-java knows no address but this."""
    return f"0.0.0.0:{address.rsplit(':', 1)[1]}" if kind == "java" else address


class XdsServer:
    """A server that answers with its name at ADDR:PORT, once heddle has its Listener."""
    count = 0

    def __init__(self, kind: str, heddle: Heddle, work: pathlib.Path, address: str,
                 name: str = "xds", change: Optional[dict] = None, **more: str):
        """change: members of the bootstrap; more: {name: address} of further ones."""
        self.kind = kind
        self.address = address
        self.node = f"proxyless/default/server-in-{kind}"
        done = heddle.command("bootstrap", "grpc", "--xds", heddle.addresses["xds"], "--name",
                              f"server-in-{kind}")
        XdsServer.count += 1
        bootstrap = work / f"xds-server-{XdsServer.count}.json"
        bootstrap.write_text(json.dumps({**json.loads(done.stdout), **(change or {})}))
        backends = [f"{n}={a}" for n, a in {name: address, **more}.items()]
        self.modes = []  # what it said of serving; Python and Node.js are not told
        self._outcomes = queue.Queue()
        self.child = Child(f"gRPC server in {kind}", [*program(kind, PROGRAMS[kind]), *backends],
                           bootstrap.with_suffix(".log"),
                           env={"GRPC_XDS_BOOTSTRAP": str(bootstrap)})
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for text in self.child.process.stdout:
            line = json.loads(text)
            if "serving" in line:
                self.modes.append(line)
            else:
                self._outcomes.put(line)

    def __enter__(self) -> "XdsServer":
        return self

    def __exit__(self, *_) -> None:
        self.child.stop()

    def call(self, target: str) -> dict:
        """A call of the server's own process; its channel stays open."""
        self.child.process.stdin.write(target + "\n")
        self.child.process.stdin.flush()
        return self._outcomes.get(timeout=CALL_SECONDS)

    def log_says(self, text: str) -> bool:
        return text in self.child.log_text()

    def refuses(self) -> bool:
        """Whether it has said that it does not serve, and why. In Node.js nobody is told."""
        if self.kind == "python":
            return self.log_says("Encountered fatal error")
        return any(not mode["serving"] and mode["message"] for mode in self.modes)

    def streams(self, heddle: Heddle) -> list:
        """The streams of its process, as 'heddle proxies' tells of them."""
        return [proxy for proxy in heddle.proxies() if proxy["node"] == self.node]

    def wait_acknowledged(self, heddle: Heddle) -> dict:
        """Until heddle knows that the server has its Listener; returns the stream of the server."""
        def stream():
            return next((s for s in self.streams(heddle) for asked in s["asks"]
                         if "listens" in asked and s["types"]["lds"]["acked"] > 0
                         and s["types"]["lds"]["pending"] == 0), None)
        try:
            return until(stream, SERVING_SECONDS, "the server has its Listener")
        except Failed as error:
            raise self.child.fail(str(error)) from None
