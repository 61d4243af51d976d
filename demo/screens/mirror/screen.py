# SPDX-License-Identifier: Apache-2.0
"""A backend gets copies of the requests, and nobody waits for it.

Only the answer of the rule's own backend reaches the client, so a new version meets real requests
before it matters.
"""

from rig.process import Failed, until
from rig.traffic import split_bounds

from stage import Stage

REQUESTS = 200
COPY_SECONDS = 2


def show(stage: Stage) -> None:
    def copies(test_id: str, enough: int) -> int:
        """They may come later than the answer."""
        try:
            until(lambda: len(stage.seen("canary", test_id)) >= enough, COPY_SECONDS, "copies")
        except Failed:
            pass  # the table tells
        return len(stage.seen("canary", test_id))

    with stage.table(f"{REQUESTS} requests", "", "expected", "observed") as table:
        for path, share in (("/all", 1), ("/some", 0.25), ("/down", 0)):
            test_id = stage.new_id()
            counts = stage.requests(REQUESTS, path, x_test_id=test_id)
            table.check(f"GET {path}", "stable answers", expected=REQUESTS,
                        observed=counts.get("stable", 0))
            bounds = split_bounds(REQUESTS, share)
            count = copies(test_id, bounds.start)
            table.check("", "canary sees", expected=round(REQUESTS * share), observed=count,
                        good=count in bounds)
