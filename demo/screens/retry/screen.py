# SPDX-License-Identifier: Apache-2.0
"""A failed attempt is made again, before the client notices.

The backend fails as often as the request asks it to, and remembers how often it was tried.
"""

from stage import GRPC_TARGET, LANGUAGES, Stage

OFTEN = {1: "once", 2: "twice", 3: "three times", 9: "always"}
REQUESTS = [  # path, status that the backend fails with, how often, outcome, attempts
    ("/cart", 503, 1, "stable", 2),
    ("/cart", 500, 2, "stable", 3),
    ("/cart", 503, 9, "503", 3),
    ("/cart", 404, 9, "404", 1),
    ("/pay", 503, 1, "503", 1),
]


def show(stage: Stage) -> None:
    with stage.table("request", "the backend fails", "expected", "observed") as table:
        for path, status, failures, outcome, attempts in REQUESTS:
            test_id = stage.new_id()
            answer = stage.request(f"{path}?status={status}&fail={failures}", x_test_id=test_id)
            observed = len(stage.seen("stable", test_id))
            table.check(f"GET {path}", f"{OFTEN[failures]} with {status}",
                        expected=f"{outcome} (attempts: {attempts})",
                        observed=f"{answer.outcome} (attempts: {observed})")
        for language, name in LANGUAGES.items():
            for failures, outcome in ((2, "stable"), (3, "UNAVAILABLE")):
                headers = {"x-test-id": stage.new_id(), "x-fail": str(failures)}
                result = stage.grpc(language).call(GRPC_TARGET, metadata=headers)
                table.check(f"gRPC, {name}", OFTEN[failures],
                            expected=outcome, observed=", ".join(result.counts()))
