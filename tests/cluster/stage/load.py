# SPDX-License-Identifier: Apache-2.0
"""A pod of objects/load*.yaml, which calls without rest and counts what fails."""

import json

from rig.process import Failed, until

from . import kube


class Load:
    """What its pod has counted since this was made."""

    def __init__(self, namespace: kube.Namespace, pod: str):
        self.namespace = namespace
        self.pod = pod
        until(self._all_answered, 30, f"every target of '{pod}' answers", interval=0.2)
        self._before = self._stats()

    def _stats(self) -> dict:
        return json.loads(self.namespace.exec(self.pod, "/workload", "stats"))

    def _all_answered(self) -> bool:
        return all(t["backends"] for t in self._stats().values())

    def since(self) -> dict:
        """{target: {sent, failed, errors}}"""
        now = self._stats()
        result = {}
        for target, tally in now.items():
            before = self._before[target]
            result[target] = {"sent": tally["sent"] - before["sent"],
                              "failed": tally["failed"] - before["failed"],
                              "backends": {name: count - before["backends"].get(name, 0)
                                           for name, count in tally["backends"].items()},
                              "errors": [e for e in tally["errors"]
                                         if e not in before["errors"]]}
        return result

    def wait_calls(self, count: int, seconds: float = 60) -> None:
        """Until each target was called so often since this was made."""
        until(lambda: all(t["sent"] >= count for t in self.since().values()), seconds,
              f"{count} calls of each target", interval=0.5)

    def check_no_failure(self, least: int = 100) -> None:
        """least: fewer calls would prove nothing."""
        for target, tally in self.since().items():
            if tally["failed"] or tally["sent"] < least:
                raise Failed(f"'{target}': {tally['failed']} of {tally['sent']} calls failed: "
                             + "; ".join(tally["errors"][:5]))
