# SPDX-License-Identifier: Apache-2.0
"""What is missing is told at once, and only what needs it fails.

A backendRef that leads nowhere fails for its share of the requests, and the route's status says
why. A gRPC client that dials what does not exist hears the reason instead of waiting.
"""

from rig.traffic import split_bounds

from stage import GRPC, LANGUAGES, Stage

REQUESTS = 200
AT_ONCE_MS = 1000
DIALLED = {  # target: what Python's message must hold (Go's names what was dialled)
    f"xds:///shopp.default:{GRPC}": "did you mean 'shop'?",
    "xds:///shop.default:9999": "8000, 8080",
    f"xds:///idle.default:{GRPC}": "",
}


def show(stage: Stage) -> None:
    with stage.table(f"{REQUESTS} requests", "", "expected", "observed") as table:
        for path, shares in (("/half", {"stable": 0.5, "500": 0.5}), ("/whole", {"stable": 1}),
                             ("/idle", {"503": 1}), ("/other", {"404": 1})):
            counts = stage.requests(REQUESTS, path)
            for outcome, share in shares.items():
                count = counts.get(outcome, 0)
                table.check(f"GET {path}", outcome, expected=round(REQUESTS * share),
                            observed=count, good=count in split_bounds(REQUESTS, share))
        condition = stage.heddle.condition("HTTPRoute", "default", "shop", "ResolvedRefs")
        table.check("the route's status", "ResolvedRefs", expected="BackendNotFound",
                    observed=condition["reason"])
    stage.say("The status says why:")
    stage.quote(condition["message"])

    messages = {}
    with stage.table("dialled", "client", "expected", "observed") as table:
        for target, text in DIALLED.items():
            for language, name in LANGUAGES.items():
                result = stage.grpc(language).call(target, timeout=10)
                error = result.only_error()
                table.check(target, name, expected="UNAVAILABLE at once",
                            observed=f"{error['code']} after {result.first_ms:.0f} ms",
                            good=error["code"] == "UNAVAILABLE" and result.first_ms < AT_ONCE_MS
                            and (text in error["message"] or language == "go"))
                messages[target, language] = error["message"]
    stage.say("What the first of them hears:")
    stage.quote(messages[next(iter(DIALLED)), "python"])
