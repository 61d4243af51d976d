# SPDX-License-Identifier: Apache-2.0
"""gRPC calls in four languages, each by one process that lasts as long as its mesh.

The clients (grpc_client.py, go/grpcclient, java/…/GrpcClient.java, node/grpc_client.js) do nothing
but make calls; what the calls came to is added up here. A client reads a line for each command:

    {"id", "targets": [TARGET…], "calls": [{"method", "metadata": [[NAME, VALUE]…]}…],
     "count": calls for each target, 0: until it is stopped, "rps": calls a second, 0: no pause,
     "timeout": seconds for a call, "waits": wait_for_ready}
    {"stop": ID}

The one in Go has more members: "messages": calls are streams of so many, each answered before the
next; "authority" in place of the target's; "cafile": over TLS, with a certificate for the authority.

Each TARGET (xds:///HOST:PORT or ADDR:PORT) has a channel of its own, all at the same time; calls on
a channel follow one another and take turns. A line tells of each call, and one of the target's end:

    {"id", "target", "call": which of "calls", "at": seconds since 1970, "ms": it took,
     "reply": echod's answer, in Python also "cookies": that were set} or {…, "code", "message"}
    {"id", "target", "end": true}
"""

import collections
import json
import pathlib
import threading
import time
from typing import Iterable, Optional, Sequence

from .process import Child, Failed, program, until

CALL_SECONDS = 10
START_SECONDS = 30  # of a client, on a busy machine
GRPC_KINDS = ("go", "python", "java", "node")
ECHO = "/echo.Echo/Echo"
PROGRAMS = {"go": "grpcclient", "python": "grpc_client", "java": "GrpcClient",
            "node": "grpc_client"}


def a_call(method: str, metadata: Iterable[Sequence[str]] = ()) -> dict:
    return {"method": method, "metadata": [list(pair) for pair in metadata]}


class GrpcResult:
    """What the calls of one target have come to so far."""

    def __init__(self, target: str, calls: Sequence[dict]):
        self.target = target
        self.calls = calls
        self.sent = 0
        self.ok = 0
        self.backends = collections.defaultdict(collections.Counter)  # {method: {name: calls}}
        self.failures = collections.Counter()  # {(code, message): calls}
        self.first_ms = 0.0
        self.reply: Optional[dict] = None  # of the first call that succeeded
        self.cookies = []  # that were set
        self.outcomes = []  # of each call the backend or the status code
        self.events = []  # the calls of each method that ended otherwise than the one before
        self.ended = threading.Event()
        self._last = {}

    def add(self, line: dict) -> None:
        method = self.calls[line["call"]]["method"]
        self.sent += 1
        if self.sent == 1:
            self.first_ms = line["ms"]
        if "reply" in line:
            self.ok += 1
            self.reply = self.reply or line["reply"]
            self.cookies += line.get("cookies", [])
            line["backend"] = line["reply"]["backend"]
            self.backends[method][line["backend"]] += 1
        else:
            self.failures[line["code"], line["message"]] += 1
        outcome = line.get("backend"), line.get("code"), line.get("message")
        self.outcomes.append(outcome[0] or outcome[1])
        if self._last.get(method) != outcome:
            self.events.append({**line, "method": method})
        self._last[method] = outcome

    def __repr__(self) -> str:
        backends = {method: dict(counts) for method, counts in self.backends.items()}
        return (f"'{self.target}': {self.sent} calls, {self.ok} succeeded, the first after "
                f"{self.first_ms:.0f} ms: {backends} {self.errors}")

    @property
    def errors(self) -> list:
        return [{"code": code, "message": message, "count": count}
                for (code, message), count in self.failures.items()]

    def counts(self) -> collections.Counter:
        """Calls by backend, and by status code those that failed."""
        counts = sum(self.backends.values(), collections.Counter())
        for (code, _), count in self.failures.items():
            counts[code] += count
        return counts

    def only_error(self) -> dict:
        if self.ok or len(self.failures) != 1:
            raise Failed(f"expected one kind of error and no success, got {self}")
        return self.errors[0]

    def check_no_failure(self, new_clusters: int = 0) -> None:
        """new_clusters: how often a route was moved to a cluster that the client had not had.
        grpc-go 1.85 swaps the config selector a moment before the picker, and fails the calls in
        between, whatever the server does: more than one when it is not given the CPU there. They
        name the cluster."""
        swaps = [e for e in self.errors if "unknown cluster selected" in e["message"]]
        if len(swaps) < len(self.errors) or len(swaps) > new_clusters or not self.ok:
            raise Failed(f"calls failed: {self}")


class Grpc:
    """The gRPC client of one language that reads one bootstrap file."""

    def __init__(self, kind: str, bootstrap: pathlib.Path):
        self.kind = kind
        self.bootstrap = bootstrap
        self.child: Optional[Child] = None
        self._results = {}  # {(id, target): GrpcResult} of what has not ended
        self._commands = 0

    def _start(self) -> None:
        """Lets it load what the first call needs: that is not what a test is about."""
        self.child = Child(f"gRPC client in {self.kind}", program(self.kind, PROGRAMS[self.kind]),
                           self.bootstrap.with_suffix(".log"),
                           env={"GRPC_XDS_BOOTSTRAP": str(self.bootstrap)})
        threading.Thread(target=self._read, args=(self.child, self._results), daemon=True).start()
        self.call("xds:///first.call:1", timeout=START_SECONDS)

    def _read(self, child: Child, results: dict) -> None:
        for text in child.process.stdout:
            line = json.loads(text)
            key = line["id"], line["target"]
            if line.get("end"):
                results.pop(key).ended.set()
            else:
                results[key].add(line)

    def _write(self, command: dict) -> None:
        self.child.process.stdin.write(json.dumps(command) + "\n")
        self.child.process.stdin.flush()

    def begin(self, targets: Sequence[str], calls: Sequence[dict], count: int, rps: float,
              timeout: float, waits: bool = False, **more) -> tuple:
        """(id, the results of the targets)"""
        if not self.child:
            self._start()
        self._commands += 1
        results = [GrpcResult(target, calls) for target in targets]
        self._results.update({(self._commands, r.target): r for r in results})
        self._write({"id": self._commands, "targets": targets, "calls": calls, "count": count,
                     "rps": rps, "timeout": timeout, "waits": waits, **more})
        return self._commands, results

    def wait(self, results: Iterable[GrpcResult], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for result in results:
            while not result.ended.wait(0.5):
                if not self.child.running():
                    raise self.child.fail(f"it ended: {self.child.process.returncode}")
                if time.monotonic() > deadline:
                    raise self.child.fail(f"calls do not end: {result}")

    def call(self, target: str, *, count: int = 1, methods: Sequence[str] = (ECHO,),
             metadata: Optional[dict] = None, timeout: float = 5.0, rps: float = 0,
             waits: bool = False, **more) -> GrpcResult:
        """waits: the calls ask to wait until there is an endpoint (wait_for_ready)."""
        return self.calls(target, count=count, methods=methods, metadata=metadata,
                          timeout=timeout, rps=rps, waits=waits, **more)[target]

    def calls(self, *targets: str, count: int = 1, methods: Sequence[str] = (ECHO,),
              metadata: Optional[dict] = None, timeout: float = 5.0, rps: float = 0,
              waits: bool = False, **more) -> dict:
        """{target: result}; several methods take turns."""
        calls = [a_call(method, (metadata or {}).items()) for method in methods]
        _, results = self.begin(targets, calls, count, rps, timeout, waits, **more)
        self.wait(results, CALL_SECONDS + count * timeout)
        return {result.target: result for result in results}

    def each(self, target: str, calls: Sequence[dict], timeout: float = 5.0) -> GrpcResult:
        """Each of the calls once, on one channel."""
        _, (result,) = self.begin([target], calls, len(calls), 0, timeout)
        self.wait([result], CALL_SECONDS + len(calls) * timeout)
        return result

    def watch(self, target: str, rps: float = 500, methods: Sequence[str] = (ECHO,),
              timeout: float = 5.0) -> "GrpcWatch":
        number, (result,) = self.begin([target], [a_call(m) for m in methods], 0, rps, timeout)
        return GrpcWatch(self, number, result)

    def end(self, number: int, result: GrpcResult) -> None:
        self._write({"stop": number})
        self.wait([result], CALL_SECONDS)

    def stop(self) -> None:
        if self.child:
            self.child.stop()
        self.child = None


class GrpcWatch:
    """Calls one after the other until stop(); events tell of every change of the outcome."""

    def __init__(self, client: Grpc, number: int, result: GrpcResult):
        self.client = client
        self.number = number
        self.result = result

    @property
    def events(self) -> list:
        return self.result.events

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_for(self, timeout: float = 5, **wanted) -> dict:
        """Until the newest event has these values; returns it."""
        def seen():
            event = self.events[-1] if self.events else {}
            return event if all(event.get(k) == v for k, v in wanted.items()) else None
        try:
            return until(seen, timeout, f"{self.client.child.name} sees {wanted}")
        except Failed as error:
            raise Failed(f"{error}; the last it saw: {self.events[-1:]}") from None

    def lasts(self, backend: str, seconds: float) -> bool:
        """Whether this backend was the only one for so long, up to now."""
        return (bool(self.events) and self.events[-1].get("backend") == backend
                and time.time() - self.events[-1]["at"] > seconds)

    def stop(self) -> GrpcResult:
        if not self.result.ended.is_set() and self.client.child.running():
            self.client.end(self.number, self.result)
        return self.result
