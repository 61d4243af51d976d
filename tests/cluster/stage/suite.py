# SPDX-License-Identifier: Apache-2.0
"""How the tests of a cluster are declared and run.

    @test                          a function that takes a Case and raises when something is wrong
    @test("sidecar", "proxyless")  once with each of these as case.mode
    raise Skip("why")              where this cluster cannot show it
"""

import os
import re
import time
import traceback
from dataclasses import dataclass
from typing import Callable, List

from rig.process import Failed

from . import heddle, kube
from .case import Case, Skip

FAILURES_MAX = 20  # then the rest is not run


@dataclass
class Test:
    name: str  # MODULE.FUNCTION, with the mode where there is one
    function: Callable
    mode: str


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


def names() -> list:
    return [t.name for t in _tests]


def _namespace_name(index: int, test: Test) -> str:
    words = re.sub("[^a-z]+", "-", test.name.split(".", 1)[1].lower())
    return f"heddle-test-{index}-{words}"[:50].strip("-")


def _run_one(index: int, test: Test) -> bool:
    began = time.monotonic()
    case = Case(_namespace_name(index, test), test.mode)
    said = "not ok"
    try:
        test.function(case)
        heddle.check_no_crash()
        said = "ok"
    except Skip as skip:
        said = f"ok SKIP {skip}"
    except Failed as failure:
        print(f"# {failure}".replace("\n", "\n# "))
    except Exception:  # the others are still run
        print("# " + traceback.format_exc().strip().replace("\n", "\n# "))
    word, _, skipped = said.partition(" SKIP ")
    note = f"# SKIP {skipped}" if skipped else f"({time.monotonic() - began:.1f} s)"
    print(f"{word} {test.name} {note}", flush=True)
    case.end(keep=word != "ok" and bool(os.environ.get("KEEP")))
    return word == "ok"


def run(wanted: str) -> int:
    chosen = [t for t in _tests if wanted in t.name]
    if not chosen:
        print(f"no test's name contains '{wanted}'")
        return 2
    if kube.told("-n", heddle.NAMESPACE, "get", "deployment", heddle.NAME).returncode != 0:
        print("heddle is not in the cluster of this kubeconfig; make deploy installs it")
        return 3
    heddle.note_restarts()
    failures = done = 0
    for index, test in enumerate(chosen):
        failures += not _run_one(index, test)
        done += 1
        if failures >= FAILURES_MAX:
            print(f"# {failures} failures: the rest is not run")
            break
    print(f"{done - failures} passed, {failures} failed")
    return 1 if failures else 0
