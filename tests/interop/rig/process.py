# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive us, and where the programs are that we start."""

import atexit
import ctypes
import functools
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import Callable, Optional, Sequence

REPO = pathlib.Path(__file__).resolve().parents[3]
BUSY_SECONDS = 20
PR_SET_PDEATHSIG = 1
JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]  # starts sooner
_libc = ctypes.CDLL(None, use_errno=True)
_children = []  # running, oldest first
_folders = []


class Failed(Exception):
    """What we started did not do what it should; the text says what."""


@functools.lru_cache(maxsize=None)
def tool(name: str) -> str:
    """A path that tools/env knows: HEDDLE_ENVOY, HEDDLE_PYTHON, …"""
    if name in os.environ:
        return os.environ[name]
    return _output([REPO / "tools/env", "--get", name])


@functools.lru_cache(maxsize=None)
def heddle_program() -> str:
    return os.environ.get("HEDDLE") or str(REPO / "build/heddle")


@functools.lru_cache(maxsize=None)
def programs(language: str) -> str:
    """The folder of what tools/deps test has made of tests/interop/LANGUAGE."""
    return _output([REPO / "tools/build-programs", "--where", REPO / "tests/interop" / language])


def program(language: str, name: str) -> list:
    """The command that runs one of the programs of tests/interop."""
    if language == "go":
        return [f"{programs('go')}/{name}"]
    if language == "java":
        folder = programs("java")
        return ["java", *JVM, "-cp", f"{folder}/classes:{folder}/lib/*", f"heddle.interop.{name}"]
    if language == "node":
        return ["node", f"{programs('node')}/{name}.js"]
    return [tool("HEDDLE_PYTHON"), REPO / f"tests/interop/{name}.py"]


def _output(command: Sequence) -> str:
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


class Child:
    """A process in a group of its own. Start it on the main thread only: the kernel ends it when
    the thread that started it ends, whatever happens to us."""

    def __init__(self, name: str, command: Sequence, log: Optional[pathlib.Path] = None,
                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, env: Optional[dict] = None):
        self.name = name
        self.log = log
        parent = os.getpid()

        def follow_parent():
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with open(log or os.devnull, "ab") as stderr:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=stdin, stdout=stdout, stderr=stderr,
                text=True, bufsize=1, start_new_session=True, preexec_fn=follow_parent,
                env={**os.environ, **(env or {})})
        _children.append(self)

    @property
    def pid(self) -> int:
        return self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log and self.log.exists() else ""

    def fail(self, what: str) -> Failed:
        tail = "\n".join(self.log_text().splitlines()[-15:])
        return Failed(f"{self.name}: {what}" + (f"; its log ends with\n{tail}" if tail else ""))

    def kill(self) -> None:
        """Ends it without a warning, as a crash would."""
        self.stop(signal.SIGKILL)

    def stop(self, how: int = signal.SIGTERM, patience: float = 3.0) -> int:
        for number in (how, signal.SIGKILL):
            if self.running():
                self._signal(number)
            try:
                self.process.wait(timeout=patience)
                break
            except subprocess.TimeoutExpired:
                continue
        self._signal(signal.SIGKILL)  # what it may have started itself
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass
        if self in _children:
            _children.remove(self)
        return self.process.returncode

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def temporary_folder(prefix: str) -> pathlib.Path:
    """A folder that is gone when we are."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    _folders.append(folder)
    return folder


def folders() -> list:
    """That temporary_folder() has made, oldest first."""
    return _folders[:]


def until(true: Callable, timeout: float, what: str, interval: float = 0.01):
    """Calls true() until its answer is true, and returns that answer. What takes longer than the
    timeout is no failure on a busy machine: at least BUSY_SECONDS are given."""
    timeout = max(timeout, BUSY_SECONDS)
    deadline = time.monotonic() + timeout
    while True:
        answer = true()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failed(f"after {timeout:g} s still not: {what}")
        time.sleep(interval)


def command_line(words: Sequence) -> str:
    return shlex.join(str(word) for word in words)


def _clean_up() -> None:
    for child in reversed(_children[:]):
        child.stop(patience=1.0)
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)


def _end(number, _frame) -> None:
    sys.exit(128 + number)


atexit.register(_clean_up)
for _number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(_number, _end)
