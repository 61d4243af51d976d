# SPDX-License-Identifier: Apache-2.0
"""Each backend gets its share of the requests.

The weights of a rule divide the requests that it takes. Each request is drawn anew, so the counts
differ a little from run to run; what is allowed is what chance exceeds once in a million runs.
"""

from rig.traffic import split_bounds

from stage import GRPC_TARGET, LANGUAGES, Stage

REQUESTS = 400
HTTP = {"/careful": {"stable": 9, "canary": 1}, "/even": {"stable": 1, "canary": 1, "debug": 1},
        "/off": {"stable": 1, "canary": 0}}
CALLS = {"stable": 3, "canary": 1}


def check(table, what: str, weights: dict, counts: dict) -> None:
    for backend in {**weights, **counts}:
        weight = weights.get(backend, 0)
        share = weight / sum(weights.values())
        bounds = split_bounds(REQUESTS, share)
        count = counts.get(backend, 0)
        table.check(what, backend, weight, expected=f"{REQUESTS * share:.0f}", observed=count,
                    good=count in bounds)
        what = ""


def show(stage: Stage) -> None:
    with stage.table(f"{REQUESTS} requests", "backend", "weight", "expected", "observed") as table:
        for path, weights in HTTP.items():
            check(table, f"GET {path}", weights, stage.requests(REQUESTS, path))
        for language, name in LANGUAGES.items():
            result = stage.grpc(language).call(GRPC_TARGET, count=REQUESTS)
            check(table, f"gRPC, {name}", CALLS, result.counts())
