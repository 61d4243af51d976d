# SPDX-License-Identifier: Apache-2.0
"""What heddle and the Envoy of an Edge need for a change."""

import contextlib
import pathlib
import time

QUIET_SECONDS = 0.15  # after a change, before it is counted


class Work:
    """What a process has used so far."""

    def __init__(self, pid: int):
        self.pid = pid

    def cpu_ms(self) -> float:
        """The first number of each thread's schedstat: nanoseconds on a CPU."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6

    def kib(self, which: str) -> int:
        """VmRSS, VmHWM"""
        lines = pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{which}:"))


class Count:
    """What the two need for what happens within the `with`."""

    def __init__(self, edge):
        self.edge = edge
        self.works = {"cpu_ms": Work(edge.heddle.child.pid),
                      "envoy_cpu_ms": Work(edge.envoy.child.pid)}
        self.changes = []  # {figure: value} of each

    def _read(self) -> dict:
        cpu = {name: work.cpu_ms() for name, work in self.works.items()}
        heddle = self.edge.heddle.metrics()

        def total(name: str) -> float:
            return sum(v for key, v in heddle.items() if key.startswith(name))
        return {"evaluations": total("heddle_engine_evaluations_total"),
                "bytes": total("heddle_xds_response_bytes_total"),
                "messages": total("heddle_xds_responses_total"),
                "turn_ms": total("heddle_turn_nanoseconds_total") / 1e6, **cpu}

    @contextlib.contextmanager
    def change(self):
        time.sleep(QUIET_SECONDS)
        before = self._read()
        figures = {}
        yield figures
        time.sleep(QUIET_SECONDS)
        after = self._read()
        self.changes.append({**figures, **{name: after[name] - before[name] for name in after}})

    def report(self, step: str, **more) -> dict:
        names = self.changes[0] if self.changes else {}
        return {"step": step, "changes": len(self.changes), **more,
                **{name: spread([c[name] for c in self.changes]) for name in names}}


def spread(values: list) -> dict:
    values = sorted(values)
    return {"mean": round(sum(values) / len(values), 3), "max": round(values[-1], 3),
            "p50": round(values[len(values) // 2], 3),
            "p99": round(values[min(len(values) - 1, int(len(values) * 0.99))], 3)}
