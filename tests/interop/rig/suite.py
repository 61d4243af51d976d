# SPDX-License-Identifier: Apache-2.0
"""How tests are declared and run.

A test is a function that takes a Case and raises when something is wrong. Its decorator says
which clients it is run with:

    @with_envoy              once with a delta, once with a SotW Envoy
    @with_grpc               once with a gRPC client of each language
    @with_clients("go", …)   once with each of these
    @with_servers            once with an xDS-enabled gRPC server of each language
    @alone                   once; it starts what it needs itself

@feature (rig/features.py) says what it proves, for docs/interop.md.

All tests share one mesh: each has a namespace, ClusterIPs and files of its own, which are gone
when it ends. After a failure the next test gets a fresh mesh. AGAIN=1 gives what failed a second
try in a mesh of its own, after all others, and tells of it; there is none where heddle crashed.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import sys
import time
import traceback
from typing import Callable, List, Optional, Sequence

from . import features, objects
from .grpc import GRPC_KINDS, Grpc
from .mesh import Mesh, start_echod
from .process import Child, Failed, folders, temporary_folder
from .server import SERVER_KINDS

ENVOYS = ("envoy delta", "envoy sotw")
PORTS = {"http": 3000, "grpc": 3001, "tcp": 3002, "tls": 3003}  # of the backends
ECHOD = ("http", "grpc", "tcp")  # what echod speaks; TLS: rig/tls.py
PROTOCOLS = {"http": "http", "grpc": objects.H2C, "tcp": None, "tls": None}  # appProtocol by kind
CRASH = re.compile("Sanitizer|runtime error:|panic")
FAILURES_MAX = 10  # then the rest is not run
BACKENDS = {name: f"127.20.1.{i}" for i, name in enumerate("abcdef", start=1)}


@dataclasses.dataclass
class Test:
    case: str  # MODULE.FUNCTION
    function: Callable
    client: str  # "envoy delta", "envoy sotw", one of GRPC_KINDS or ""; the language of the server

    @property
    def name(self) -> str:
        return f"{self.case} ({self.client})" if self.client else self.case


_tests: List[Test] = []


def _declare(function: Callable, clients: Sequence[str]) -> Callable:
    case = f"{function.__module__.rsplit('.', 1)[-1]}.{function.__name__}"
    _tests.extend(Test(case, function, client) for client in clients)
    return function


def with_envoy(function):
    return _declare(function, ENVOYS)


def with_grpc(function):
    return _declare(function, GRPC_KINDS)


def with_clients(*clients: str):
    return lambda function: _declare(function, clients)


def with_servers(function):
    return _declare(function, SERVER_KINDS)


def alone(function):
    return _declare(function, [""])


@dataclasses.dataclass
class Service:
    """A Service of a case, with its endpoints: letters of BACKENDS."""
    name: str
    namespace: str
    ip: str
    kind: str = "http"
    ready: str = ""
    not_ready: str = ""
    draining: str = ""
    port: int = 8000
    protocol: Optional[str] = None  # the appProtocol, where it is not that of the kind

    @property
    def address(self) -> str:
        """Where Envoy listens for it."""
        return f"{self.ip}:{self.port}"

    @property
    def host(self) -> str:
        return f"{self.name}.{self.namespace}.svc.cluster.local"

    @property
    def target(self) -> str:
        """What a gRPC client dials."""
        return f"xds:///{self.host}:{self.port}"

    def ref(self, weight: Optional[int] = None) -> dict:
        return objects.backend(self.name, self.port, weight)

    def endpoints(self) -> list:
        states = ((self.ready, objects.READY), (self.not_ready, objects.NOT_READY),
                  (self.draining, objects.DRAINING))
        return [objects.endpoint(BACKENDS[letter], conditions)
                for letters, conditions in states for letter in letters]

    def objects(self) -> list:
        return [
            objects.service(self.name, self.ip, self.port,
                            PROTOCOLS[self.kind] if self.protocol is None else self.protocol,
                            self.namespace),
            objects.endpoint_slice(self.name, self.endpoints(), PORTS[self.kind], self.namespace),
        ]


class Case:
    """What one run of one test works with."""
    count = 0

    def __init__(self, mesh: Mesh, client: str):
        Case.count += 1
        self.mesh = mesh
        self.heddle = mesh.heddle
        self.client = client
        self.namespace = f"case-{Case.count}"
        self.expects_rejections = False
        self._ips = 0
        self._files = set()

    @property
    def envoy(self):
        return self.mesh.envoy

    @property
    def grpc(self) -> Grpc:
        """The client of a @with_grpc test; a Go one elsewhere."""
        return self.mesh.grpc(self.client if self.client in GRPC_KINDS else "go")

    def service(self, name: str, ready: str = "", kind: str = "http", **rest) -> Service:
        self._ips += 1
        ip = f"127.{64 + Case.count // 256}.{Case.count % 256}.{self._ips}"
        return Service(name, self.namespace, ip, kind, ready, **rest)

    def http_route(self, parent: Service, *rules: dict, name: str = "route") -> dict:
        return objects.http_route(name, parent.name, *rules, namespace=self.namespace)

    def grpc_route(self, parent: Service, *rules: dict, name: str = "route") -> dict:
        return objects.grpc_route(name, parent.name, *rules, namespace=self.namespace)

    def tcp_route(self, parent: Service, *backends: dict, name: str = "route", **rest) -> dict:
        return objects.l4_route("TCPRoute", name, parent.name, *backends,
                                **{"namespace": self.namespace, **rest})

    def tls_route(self, parent: Service, hostnames: Sequence[str], *backends: dict,
                  name: str = "route", **rest) -> dict:
        return objects.l4_route("TLSRoute", name, parent.name, *backends, hostnames=hostnames,
                                **{"namespace": self.namespace, **rest})

    def apply(self, *things, file: str = "main") -> None:
        """Services and objects into one file of this case, in place of what it held: one turn."""
        flat = []
        for thing in things:
            flat += thing.objects() if isinstance(thing, Service) else [thing]
        self._files.add(file)
        self.mesh.write(f"{self.namespace}-{file}", *flat)

    def serve(self, *things) -> None:
        """apply(), then wait until Envoy listens for every Service among the things."""
        self.apply(*things)
        self.mesh.wait_listening(*[t.address for t in things if isinstance(t, Service)])

    def end(self) -> None:
        for file in self._files:
            self.mesh.remove(f"{self.namespace}-{file}")


class Runner:
    def __init__(self):
        self.mesh: Optional[Mesh] = None
        self.echod: Optional[Child] = None
        self.failures = 0
        self.again: List[Test] = []
        self.rejections = 0  # that heddle has counted

    def mesh_for(self, client: str) -> Mesh:
        """The shared mesh, with an Envoy of the kind that the client is."""
        if not self.echod:
            at = {kind: {n: f"{ip}:{PORTS[kind]}" for n, ip in BACKENDS.items()} for kind in ECHOD}
            self.echod = start_echod(temporary_folder("heddle-interop-"), **at)
        if not self.mesh:
            self.rejections = 0
            self.mesh = Mesh(options=[
                "--check-rebuild",  # the oracle, after every change
                "--agents", "127.0.0.1:0", "--clients-return-ms", "1"])
            self.mesh.heddle.start()
        # what is connected counts in the routes' status
        self.mesh.stop_grpc(but=client if client in GRPC_KINDS else "go")
        if client.startswith("envoy ") and not (self.mesh.envoy
                                                and self.mesh.envoy.name == client.split()[1]):
            if self.mesh.envoy:
                self.mesh.envoy.stop()
            kind = client.split()[1]
            self.mesh.start_envoy(kind, sotw=kind == "sotw")
        return self.mesh

    def run(self, test: Test, again: bool) -> None:
        """again: it may have a second try."""
        start, older = time.monotonic(), len(folders())
        try:
            case = Case(self.mesh_for(test.client), test.client)
            test.function(case)
            case.end()
            self.check_rejections(case)
        except Exception as error:  # whatever it was: this test failed, the next one is run
            works = folders()[older:]  # with the heddles that the test started itself
            if self.mesh and self.mesh.work not in works:
                works.append(self.mesh.work)
            self.report_failure(test, error, works, again)
        else:
            print(f"ok {test.name} # {time.monotonic() - start:.1f} s", flush=True)

    def run_again(self) -> None:
        for test in self.again:
            self.finish()
            self.run(test, again=False)
        if self.again:
            print(f"# tried twice: {', '.join(t.name for t in self.again)}")

    def check_rejections(self, case: Case) -> None:
        """No client may have rejected anything: not as Envoy tells it, nor as heddle does."""
        rejected = self.mesh.envoy.rejected() if self.mesh.envoy else {}
        if rejected:
            raise Failed(f"Envoy rejected configuration: {rejected}")
        before, self.rejections = self.rejections, self.mesh.heddle.metric("heddle_xds_nacks_total")
        if self.rejections > before and not case.expects_rejections:
            raise Failed(f"{self.rejections - before:g} responses of heddle were rejected")

    def report_failure(self, test: Test, error: Exception, works: Sequence[pathlib.Path],
                       again: bool) -> None:
        text = [f"{type(error).__name__}: {error}"]
        text += traceback.format_tb(error.__traceback__)[-3:]
        crashed = False
        for log in (log for work in works for log in work.rglob("heddle.log")):
            crash, lines = last_words(log)
            crashed |= crash
            text += [f"from {log}:", *lines]
        if self.mesh:
            heddle = self.mesh.heddle.child
            if heddle and not heddle.running():
                crashed = True
                text.append(f"heddle has ended: {heddle.process.returncode}")
            self.mesh.stop()
            self.mesh = None
        if os.environ.get("KEEP"):
            kept = f"/tmp/heddle-interop-failed-{Case.count}"
            for work in works:
                shutil.copytree(work, f"{kept}/{work.name}", dirs_exist_ok=True)
            text.append(f"kept in {kept}")
        if again and not crashed:
            self.again.append(test)
            print(f"# failed, to be tried again: {test.name}")
        else:
            self.failures += 1
            print(f"not ok {test.name}")
        print("\n".join(f"# {line}" for part in text for line in part.splitlines()), flush=True)

    def finish(self) -> None:
        """heddle must have lived through it all and must end in order."""
        if self.mesh:
            self.mesh.stop_grpc()
            if self.mesh.envoy:
                self.mesh.envoy.stop()
            status = self.mesh.heddle.stop()
            if status != 0:
                self.failures += 1
                print("not ok suite.heddle_ends_in_order\n# exit code "
                      f"{status}\n# {self.mesh.heddle.child.log_text()[-2000:]}")
            self.mesh = None


def last_words(log: pathlib.Path) -> tuple:
    """(whether heddle crashed, the lines to see)"""
    lines = log.read_text(errors="replace").splitlines()
    crash = next((i for i, line in enumerate(lines) if CRASH.search(line)), None)
    return crash is not None, lines[-10:] if crash is None else lines[crash:crash + 25]


def table() -> str:
    return features.table(_tests)


def run_all(tests: Sequence[Test], runner: Runner, again: bool) -> int:
    """The exit code. again: what fails has a second try."""
    for test in tests:
        if runner.failures + len(runner.again) < FAILURES_MAX:
            runner.run(test, again)
        else:
            runner.failures += 1
            print(f"not ok {test.name} # not run after {FAILURES_MAX} failures")
    runner.run_again()
    runner.finish()
    return 1 if runner.failures else 0


def run(pattern: str) -> int:
    order = ["", *GRPC_KINDS, *ENVOYS]
    chosen = [t for t in _tests if pattern in t.name]
    if not chosen:
        print(f"interop: no test's name contains '{pattern}'", file=sys.stderr)
        return 2
    chosen.sort(key=lambda t: order.index(t.client))
    return run_all(chosen, Runner(), again=os.environ.get("AGAIN") == "1")
