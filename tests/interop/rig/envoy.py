# SPDX-License-Identifier: Apache-2.0
"""Envoy as a sidecar; without interception it listens on the Services' loopback ClusterIPs."""

import functools
import ipaddress
import json
import pathlib
import re
import subprocess
import urllib.error
import urllib.request
from typing import Optional, Sequence

from .heddle import Heddle
from .process import Child, tool, until

START_SECONDS = 15
ADMIN_SECONDS = 5


@functools.lru_cache(maxsize=None)
def own_address() -> str:
    """What Envoy writes into X-Forwarded-For for a client of its own machine: the machine's first
    IPv4 address that is not a loopback one, or 127.0.0.1 where it has none."""
    devices = json.loads(subprocess.run(["ip", "-json", "-4", "address", "show", "up"], check=True,
                                        text=True, stdout=subprocess.PIPE).stdout)
    found = [address["local"] for device in devices for address in device.get("addr_info", ())]
    return next((a for a in found if not ipaddress.ip_address(a).is_loopback), "127.0.0.1")


class Envoy:
    def __init__(self, heddle: Heddle, work: pathlib.Path, name: str = "envoy",
                 sotw: bool = False, interception: str = "none", xds: str = "xds",
                 options: Sequence[str] = ()):
        """xds: which of heddle's addresses it is to use; options: more for the bootstrap."""
        self.heddle = heddle
        self.name = name
        self.folder = work / f"envoy-{name}"
        self.xds = xds
        self.before: Sequence[str] = ()  # what starts it
        self.options = ["--interception", interception, *options, *(["--sotw"] if sotw else [])]
        self.child: Optional[Child] = None
        self.admin = ""

    def bootstrap(self) -> str:
        return self.heddle.command(
            "bootstrap", "envoy", "--xds", self.heddle.addresses[self.xds], "--namespace",
            "default", "--name", self.name, "--envoy-admin", "127.0.0.1:0", *self.options).stdout

    def start(self) -> "Envoy":
        self.folder.mkdir(exist_ok=True)
        bootstrap = self.folder / "bootstrap.json"
        bootstrap.write_text(self.bootstrap())
        admin = self.folder / "admin"
        admin.unlink(missing_ok=True)
        self.child = Child(f"envoy '{self.name}'", [
            *self.before, tool("HEDDLE_ENVOY"), "-c", bootstrap, "--concurrency", "1", "--disable-hot-restart",
            "--admin-address-path", admin, "--log-level", "warning",
        ], self.folder / "log", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lambda: self.has_started(admin), START_SECONDS, "Envoy has an admin endpoint")
        self.admin = admin.read_text().strip()
        return self

    def has_started(self, admin: pathlib.Path) -> bool:
        if not self.child.running():
            raise self.child.fail("it ended")
        return admin.exists() and bool(admin.read_text().strip())

    def wait_live(self) -> "Envoy":
        """Until it has what heddle has for it: its listeners are taken or rejected."""
        until(lambda: self.get("/ready").strip() == "LIVE", START_SECONDS, "Envoy is live")
        return self

    def stop(self) -> int:
        return self.child.stop()

    def get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://{self.admin}{path}",
                                        timeout=ADMIN_SECONDS) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def stats(self, pattern: str = "") -> dict:
        """{name: value} of the counters and gauges whose name matches."""
        found = re.findall(r"^(\S+): (\d+)$", self.get(f"/stats?filter={pattern}"), re.M)
        return {name: int(value) for name, value in found}

    def rejected(self) -> dict:
        """{statistic: count} of the configuration that this Envoy did not take."""
        counters = self.stats("update_rejected$")
        return {name: value for name, value in counters.items() if value}

    def config(self, mask: str = "") -> dict:
        return json.loads(self.get("/config_dump?include_eds" + (f"&mask={mask}" if mask else "")))
