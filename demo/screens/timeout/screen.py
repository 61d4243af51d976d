# SPDX-License-Identifier: Apache-2.0
"""How long a request may take, and each attempt of it.

"request" limits all of it, retries included; "backendRequest" limits each attempt. Who waited too
long is told so: 504, or DEADLINE_EXCEEDED to a gRPC client, which keeps the limit by itself.
"""

from stage import GRPC_TARGET, Stage

LATE_MS = 900  # that an answer may come late on a busy machine
REQUESTS = [  # path, what the backend takes, outcome and after how long
    ("/request", 20, "stable", 20),
    ("/request", 3000, "504", 300),
    ("/attempt", 3000, "504", 600),  # three attempts of 200 ms
    ("/patient", 1000, "stable", 1000),
]
CALLS = [(20, "stable", 20), (3000, "DEADLINE_EXCEEDED", 1000)]


def show(stage: Stage) -> None:
    def check(request: str, takes: int, outcome: str, after: int, observed: str,
              observed_ms: float) -> None:
        good = observed == outcome and after * 0.95 <= observed_ms < after + LATE_MS
        table.check(request, f"takes {takes} ms", expected=f"{outcome} after {after} ms",
                    observed=f"{observed} after {observed_ms:.0f} ms", good=good)

    with stage.table("request", "backend", "expected", "observed") as table:
        for path, takes, outcome, after in REQUESTS:
            answer = stage.request(f"{path}?delay={takes}")
            check(f"GET {path}", takes, outcome, after, answer.outcome, answer.seconds * 1000)
        for takes, outcome, after in CALLS:
            result = stage.grpc("go").call(GRPC_TARGET, metadata={"x-delay": str(takes)})
            check("gRPC, Go", takes, outcome, after, ", ".join(result.counts()),
                  result.first_ms)
