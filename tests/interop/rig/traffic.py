# SPDX-License-Identifier: Apache-2.0
"""Requests, and what became of them: HTTP and plain TCP; rates that chance allows."""

import collections
import dataclasses
import http.client
import json
import math
import socket
import statistics
import threading
import time
from typing import Iterable, Optional, Union

from .process import Failed, until

CALL_SECONDS = 10
# A statistical check fails a correct mesh once in a million runs: five standard deviations, and
# a little, of the normal distribution that the binomial one comes near to.
ERROR_RATE = 1e-6
_DEVIATIONS = statistics.NormalDist().inv_cdf(1 - ERROR_RATE / 2)


def split_bounds(calls: int, share: float) -> range:
    """How many of so many calls may go to a backend that is given this share of them."""
    deviation = math.sqrt(calls * share * (1 - share)) * _DEVIATIONS
    low = math.floor(calls * share - deviation)
    high = math.ceil(calls * share + deviation)
    return range(max(0, low), min(calls, high) + 1)


def check_split(counts: dict, weights: dict) -> None:
    """Raises when counts by backend do not follow the weights."""
    calls, total = sum(counts.values()), sum(weights.values())
    for name in {*counts, *weights}:
        bounds = split_bounds(calls, weights.get(name, 0) / total)
        if counts.get(name, 0) not in bounds:
            raise Failed(f"'{name}' got {counts.get(name, 0)} of {calls} requests, expected "
                         f"{bounds.start} to {bounds.stop - 1} (all: {dict(counts)})")


@dataclasses.dataclass
class Answer:
    """One HTTP request's fate; status 0: the connection failed."""
    status: int
    body: str
    sent: float  # time.time()
    received: float
    headers: dict = dataclasses.field(default_factory=dict)  # names in lower case

    @property
    def seconds(self) -> float:
        return self.received - self.sent

    @property
    def location(self) -> Optional[str]:
        return self.headers.get("location")

    @property
    def echo(self) -> dict:
        if self.status != 200:
            raise Failed(f"expected an echo, got {self.status} '{self.body.strip()}'")
        return json.loads(self.body)

    @property
    def backend(self) -> str:
        return self.echo["backend"]

    @property
    def outcome(self) -> str:
        """The backend, or the status."""
        return self.backend if self.status == 200 else str(self.status)


class Http:
    """A keep-alive HTTP/1.1 connection to ADDR:PORT, which asks for `host` if that is given."""

    def __init__(self, address: str, host: str = ""):
        self.address = address
        self.host = host
        self.connection: Optional[http.client.HTTPConnection] = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.address, timeout=timeout)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.host = self.host or connection.host  # the header Host
        return connection

    def request(self, method: str = "GET", path: str = "/", headers: Optional[dict] = None,
                timeout: float = CALL_SECONDS) -> Answer:
        sent = time.time()
        try:
            if self.connection is None:
                self.connection = self.connect(timeout)
            self.connection.request(method, path, headers=headers or {})
            response = self.connection.getresponse()
            answer = Answer(response.status, response.read().decode(errors="replace"), sent,
                            time.time(),
                            {name.lower(): value for name, value in response.getheaders()})
            if response.will_close:
                self.close()
            return answer
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answer(0, f"{type(error).__name__}: {error}", sent, time.time())

    def outcomes(self, count: int, **request) -> collections.Counter:
        return collections.Counter(self.request(**request).outcome for _ in range(count))


def get(address: str, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    """One request on a connection of its own; x_name=value sends the header x-name."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with Http(address) as client:
        return client.request(method, path, named)


def seen(backend: str, test_id: str) -> list:
    """The requests with this X-Test-Id that a backend (ADDR:PORT) got."""
    return json.loads(get(backend, f"/seen?id={test_id}").body)


class HttpLoad:
    """Requests without a pause, from a thread, for as long as the `with` lasts."""

    def __init__(self, targets: Iterable[Union[str, Http]], path: str = "/", pause: float = 0.001,
                 reconnect: bool = False):
        """targets: ADDR:PORT, or clients that are closed at the end."""
        self.clients = [Http(t) if isinstance(t, str) else t for t in targets]
        self.path = path
        self.pause = pause
        self.reconnect = reconnect
        self.answers = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            for client in self.clients:
                self.answers.append(client.request(path=self.path))
                if self.reconnect:
                    client.close()
            self._stop.wait(self.pause)
        for client in self.clients:
            client.close()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def last(self, outcome: str) -> Optional[Answer]:
        return next((a for a in reversed(self.answers) if a.outcome == outcome), None)

    def wait_for(self, outcome: str, timeout: float = 5, times: int = 1) -> None:
        """Until the newest answers are all of this outcome."""
        until(lambda: len(self.answers) >= times
              and all(a.outcome == outcome for a in self.answers[-times:]),
              timeout, f"requests are answered by '{outcome}'")

    def check_no_failure(self) -> None:
        failed = [a for a in self.answers if a.status != 200]
        if failed or not self.answers:
            text = f"{failed[0].status} '{failed[0].body.strip()}'" if failed else "none was sent"
            raise Failed(f"{len(failed)} of {len(self.answers)} requests failed, the first: {text}")


def greeting(address: str, timeout: float = CALL_SECONDS) -> str:
    """What a server says that speaks first."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        return connection.makefile().readline().strip()


def greeter(address: str, timeout: float = CALL_SECONDS) -> str:
    """The backend that spoke first; "refused": the connection was ended without a word; "silent":
    it was not ended."""
    try:
        said = greeting(address, timeout)
    except TimeoutError:
        return "silent"
    except ConnectionResetError:
        said = ""
    return said.removeprefix("hello from ") or "refused"


def listens(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return True
    except OSError:
        return False
