# SPDX-License-Identifier: Apache-2.0
"""One run of heddle-bench: a generated mesh, a heddle that serves it, and the steps' figures."""

import json
import os
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
REPO = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO / "tests/interop"))

from rig.heddle import Heddle  # noqa: E402
from rig.process import Child, Failed, temporary_folder, tool  # noqa: E402,F401

STEP_SECONDS = 600


def knob(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


def show(number: float) -> str:
    if number == int(number) and abs(number) < 1e6:
        return str(int(number))
    return f"{number:.2f}" if abs(number) < 100 else f"{number:.0f}"


def bench_program() -> str:
    """The one that was built with the heddle that it measures."""
    return str(pathlib.Path(os.environ["HEDDLE"]).resolve().parent / "bench/heddle-bench")


def run(mesh: dict, clients: dict, steps: list, options=()) -> list:
    """mesh: services, endpoints, routes; clients: delta, sotw, grpc. What each step measured."""
    work = temporary_folder("heddle-bench-")
    config = work / "config"
    config.mkdir()
    sizes = [f"--{name}={value}" for name, value in mesh.items()]
    where = [f"--config={config}", *sizes]
    subprocess.run([bench_program(), "gen", *where], check=True)
    began = time.monotonic()
    heddle = Heddle(config, work).start()
    ready_ms = (time.monotonic() - began) * 1e3
    command = [bench_program(), "run", *where, f"--pid={heddle.child.pid}",
               *(f"--{name}={value}" for name, value in heddle.addresses.items()),
               *(f"--{name}={value}" for name, value in clients.items()), *options, *steps]
    client = Child("heddle-bench", command, work / "bench.log", stdin=subprocess.DEVNULL)
    figures, _ = client.process.communicate(timeout=STEP_SECONDS)
    if client.stop() != 0:
        raise Failed(f"{client.log_text().strip()}\n{heddle.child.log_text()[-2000:]}")
    if heddle.stop() != 0:
        raise heddle.child.fail("it did not end well")
    return [{"step": "start", "ready_ms": round(ready_ms, 1)}, *json.loads(figures)]


def write_results(settings: dict, runs: dict) -> str:
    """Returns the file's name."""
    folder = REPO / "bench/results"
    folder.mkdir(exist_ok=True)
    path = folder / time.strftime("%Y%m%d-%H%M%S.json")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPO, text=True,
                            capture_output=True).stdout.strip()
    path.write_text(json.dumps({"commit": commit, **settings, "runs": runs}, indent=1) + "\n")
    return str(path.relative_to(REPO))


def by_name(steps: list) -> dict:
    """{"cold": …, "route": …}; of steps with the same name the first."""
    return {step["step"]: step for step in reversed(steps)}
