# SPDX-License-Identifier: Apache-2.0
"""How the tests of a cluster are declared and run.

    @test                          a function that takes a Case and raises when something is wrong
    @test("sidecar", "proxyless")  once with each of these as case.mode
    @alone                         above @test: while it runs, no other does
    raise Skip("why")              where this cluster cannot show it

Each test is a process of its own, a few at a time; those of @alone come last. AGAIN=1 gives what
failed a second try, alone, and tells of it: on a machine of two cores that also is the cluster, time
runs out that has nothing to do with heddle.
"""

import os
import re
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, List

from rig.process import Failed

from . import heddle, kube
from .case import Case, Skip

JOBS = int(os.environ.get("JOBS", "3"))
AGAIN = os.environ.get("AGAIN") == "1"
TEST_SECONDS = 300
FAILURES_MAX = 20  # then the rest is not run


@dataclass
class Test:
    name: str  # MODULE.FUNCTION, with the mode where there is one
    function: Callable
    mode: str
    alone: bool = False


_tests: List[Test] = []


def test(*modes):
    """As a plain decorator it runs the function once."""
    if len(modes) == 1 and callable(modes[0]):
        return test("")(modes[0])

    def declare(function: Callable) -> Callable:
        base = f"{function.__module__.rsplit('.', 1)[-1]}.{function.__name__}"
        for mode in modes:
            _tests.append(Test(f"{base} ({mode})" if mode else base, function, mode))
        return function
    return declare


def alone(function: Callable) -> Callable:
    for declared in _tests:
        declared.alone |= declared.function is function
    return function


def names() -> list:
    return [t.name for t in _tests]


def _namespace_name(test: Test) -> str:
    """Another one each time: that of the run before may still be about to vanish."""
    words = re.sub("[^a-z]+", "-", test.name.split(".", 1)[1].lower())[:30].strip("-")
    return f"heddle-test-{os.urandom(2).hex()}-{words}"


def run_one(name: str) -> int:
    """In this process. What failed follows, as comments."""
    test = next(t for t in _tests if t.name == name)
    heddle.note_restarts()
    began = time.monotonic()
    case = Case(_namespace_name(test), test.mode)
    said, why = "not ok", ""
    try:
        test.function(case)
        heddle.check_no_crash()
        said = "ok"
    except Skip as skip:
        said = f"ok SKIP {skip}"
    except Failed as failure:
        why = str(failure)
    except Exception:  # its namespace is still to be removed
        why = traceback.format_exc().strip()
    word, _, skipped = said.partition(" SKIP ")
    note = f"# SKIP {skipped}" if skipped else f"({time.monotonic() - began:.1f} s)"
    print("\n# ".join([f"{word} {test.name} {note}", *why.splitlines()]), flush=True)
    case.end(keep=word != "ok" and bool(os.environ.get("KEEP")))
    return 0 if word == "ok" else 1


def _run_process(test: Test) -> tuple:
    """(its output, whether it passed)"""
    try:
        done = subprocess.run([sys.executable, *sys.argv[:1], "--one", test.name], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TEST_SECONDS)
        return done.stdout, done.returncode == 0
    except subprocess.TimeoutExpired:
        return f"not ok {test.name} did not end in {TEST_SECONDS} s\n", False


class _Runner:
    def __init__(self):
        self.passed = self.failed = 0
        self.again: List[Test] = []

    def run(self, test: Test) -> None:
        if self.failed + len(self.again) >= FAILURES_MAX:
            return
        output, good = _run_process(test)
        if good or not AGAIN:
            self._count(output, good)
            return
        self.again.append(test)
        print("".join(f"# {line}\n" for line in [f"failed, to be tried again: {test.name}",
                                                  *output.splitlines()]), end="", flush=True)

    def _count(self, output: str, good: bool) -> None:
        print(output, end="", flush=True)
        self.passed += good
        self.failed += not good

    def run_again(self) -> None:
        for test in self.again:
            self._count(*_run_process(test))
        if self.again:
            print(f"# tried twice: {', '.join(t.name for t in self.again)}")


def run(wanted: str) -> int:
    chosen = [t for t in _tests if wanted in t.name]
    if not chosen:
        print(f"no test's name contains '{wanted}'")
        return 2
    if kube.told("-n", heddle.NAMESPACE, "get", "deployment", heddle.NAME).returncode != 0:
        print("heddle is not in the cluster of this kubeconfig; make deploy installs it")
        return 3
    runner = _Runner()
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(runner.run, [t for t in chosen if not t.alone]))
    for test in chosen:
        if test.alone:
            runner.run(test)
    runner.run_again()
    left_out = len(chosen) - runner.passed - runner.failed
    if left_out:
        print(f"# {runner.failed} failures: {left_out} tests were not run")
    print(f"{runner.passed} passed, {runner.failed} failed")
    return 1 if runner.failed else 0
