# SPDX-License-Identifier: Apache-2.0
"""heddle itself: started on a directory, asked by its commands and its admin endpoint."""

import json
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.request
from typing import Optional, Sequence

from .process import Child, Failed, command_line, heddle_program, until

READY_SECONDS = 10
COMMAND_SECONDS = 10


class Heddle:
    """`heddle serve --config CONFIG`; its state lives in `work` too, so that nothing is shared."""

    def __init__(self, config: pathlib.Path, work: pathlib.Path, options: Sequence[str] = (),
                 xds: str = "127.0.0.1:0", admin: str = "127.0.0.1:0"):
        self.config = config
        self.work = work
        self.options = list(options)
        self.addresses = {"xds": xds, "admin": admin}
        self.child: Optional[Child] = None
        self.ready_seconds = READY_SECONDS

    def source(self) -> list:
        """The options that say where its objects come from."""
        return ["--config", self.config, "--state", self.work / "state"]

    def start(self, ready: bool = True) -> "Heddle":
        command = [heddle_program(), "serve", *self.source(), "--xds", self.addresses["xds"],
                   "--admin", self.addresses["admin"], *self.options]
        self.child = Child("heddle", command, self.work / "heddle.log", stdin=subprocess.DEVNULL)
        for line in self.child.process.stdout:
            match = re.match(r"(xds|admin|xds-tls|agents) (\S+:\d+)$", line.strip())
            if match:
                self.addresses[match.group(1)] = match.group(2)
            wanted = {"xds", "admin"} | ({"xds-tls", "agents"} & {o.strip("-") for o in self.options})
            if all(not self.addresses.get(name, ":0").endswith(":0") for name in wanted):
                break
        else:
            raise self.child.fail("it ended at once")
        if ready:
            until(self.is_ready, self.ready_seconds, "heddle is ready", interval=0.005)
        return self

    def is_ready(self) -> bool:
        if not self.child.running():
            raise self.child.fail("it ended")
        try:
            return self.get("/ready") is not None
        except (urllib.error.URLError, ConnectionError):
            return False

    def restart(self) -> None:
        """Again on the same addresses, as if the machine had not stood still."""
        self.child.kill()
        self.start()

    def kill(self) -> None:
        self.child.kill()

    def stop(self) -> int:
        return self.child.stop()

    def get(self, path: str) -> str:
        url = f"http://{self.addresses['admin']}{path}"
        with urllib.request.urlopen(url, timeout=COMMAND_SECONDS) as answer:
            return answer.read().decode()

    def api(self, path: str):
        return json.loads(self.get(f"/api/{path}"))

    def metrics(self) -> dict:
        """{'name{labels}': value}"""
        lines = [line for line in self.get("/metrics").splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def metric(self, prefix: str) -> float:
        """The sum over all labels."""
        return sum(value for name, value in self.metrics().items()
                   if name == prefix or name.startswith(prefix + "{"))

    def condition(self, kind: str, namespace: str, name: str, type_: str) -> Optional[dict]:
        """The condition of an object, of its first parent or ancestor that has it; None: it has
        none."""
        for item in self.api("status")["items"]:
            at = item["metadata"]
            if (item["kind"], at.get("namespace"), at["name"]) != (kind, namespace, name):
                continue
            told = [item["status"], *item["status"].get("parents", []),
                    *item["status"].get("ancestors", [])]
            for condition in (c for part in told for c in part.get("conditions", [])):
                if condition["type"] == type_:
                    return condition
        return None

    def proxies(self) -> list:
        answer = json.loads(self.command("proxies", "--admin", self.addresses["admin"],
                                         "-o", "json").stdout)
        return answer["proxies"]

    @staticmethod
    def command(*words, expect: Optional[int] = 0,
                env: Optional[dict] = None) -> subprocess.CompletedProcess:
        """Runs a subcommand to its end; expect is the exit code, None takes any."""
        command = [heddle_program(), *[str(word) for word in words]]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=COMMAND_SECONDS,
                              env={**os.environ, **(env or {})})
        if expect is not None and done.returncode != expect:
            raise Failed(f"'{command_line(command)}' gave exit code {done.returncode}, not "
                         f"{expect}: {(done.stderr or done.stdout).strip()}")
        return done
