# SPDX-License-Identifier: Apache-2.0
"""A whole mesh: heddle on a folder of objects, backends, an Envoy, gRPC clients."""

import json
import os
import pathlib
import time
from typing import Optional, Sequence

from .envoy import Envoy
from .grpc import Grpc
from .heddle import Heddle
from .objects import Object
from .process import Child, program, temporary_folder, until
from .traffic import listens

LISTEN_SECONDS = 5


def start_echod(work: pathlib.Path, http: Optional[dict] = None, grpc: Optional[dict] = None,
                tcp: Optional[dict] = None) -> Child:
    """Backends, each {name: ADDR:PORT}; several addresses are a list."""
    options = []
    for protocol, backends in (("http", http), ("grpc", grpc), ("tcp", tcp)):
        for name, addresses in (backends or {}).items():
            for address in [addresses] if isinstance(addresses, str) else addresses:
                options.append(f"--{protocol}={name}={address}")
    child = Child("echod", [*program("go", "echod"), *options], work / "echod.log")
    if child.process.stdout.readline().strip() != "ready":
        raise child.fail("it did not start")
    return child


class Mesh:
    def __init__(self, prefix: str = "heddle-interop-", options: Sequence[str] = ()):
        self.work = temporary_folder(prefix)
        self.config = self.work / "config"
        self.config.mkdir()
        self.heddle = Heddle(self.config, self.work, options)
        self.envoy: Optional[Envoy] = None
        self._grpc = {}  # {(kind, how it finds heddle…): Grpc}

    def write(self, name: str, *objects: Object) -> float:
        """One file with these objects; what it held before is replaced at once. When: just before."""
        return self.write_text(f"{name}.yaml", "\n---\n".join(json.dumps(o, indent=1) for o in objects))

    def write_text(self, name: str, text: str) -> float:
        """Replaces a file at once; returns the time just before."""
        hidden = self.config / f".{name}.new"
        hidden.write_text(text)
        when = time.time()
        os.rename(hidden, self.config / name)
        return when

    def remove(self, name: str) -> None:
        (self.config / f"{name}.yaml").unlink()

    def clear(self) -> None:
        for path in self.config.iterdir():
            path.unlink()

    def start_envoy(self, name: str = "envoy", sotw: bool = False, **options) -> Envoy:
        self.envoy = Envoy(self.heddle, self.work, name, sotw, **options).start().wait_live()
        return self.envoy

    def wait_listening(self, *addresses: str) -> None:
        for address in addresses:
            until(lambda: listens(address), LISTEN_SECONDS, f"Envoy listens on {address}")

    def grpc(self, kind: str, xds: str = "xds", options: Sequence[str] = ()) -> Grpc:
        """A client that finds Services through heddle, with xds:///."""
        key = (kind, xds, *options)
        if key not in self._grpc:
            done = self.heddle.command(
                "bootstrap", "grpc", "--xds", self.heddle.addresses[xds], "--namespace", "default",
                "--name", f"client-in-{kind}", *options)
            bootstrap = self.work / f"grpc-{kind}-{len(self._grpc)}.json"
            bootstrap.write_text(done.stdout)
            self._grpc[key] = Grpc(kind, bootstrap)
        return self._grpc[key]

    def stop_grpc(self, but: str = "") -> None:
        """The clients of all languages but one."""
        for client in self._grpc.values():
            if client.kind != but:
                client.stop()

    def stop(self) -> None:
        self.stop_grpc()
        for part in (self.envoy, self.heddle):
            if part and part.child:
                part.child.stop()
