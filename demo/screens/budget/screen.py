# SPDX-License-Identifier: Apache-2.0
"""A budget keeps retries from making a bad hour worse.

When all requests fail, a retry of each doubles the load on backends that are in trouble already. A
budget limits the retries that are under way to a part of the requests. Of two backends that fail
'pay' has one, 'cart' has none; each gets its requests all at once, and counts the retries.
"""

import concurrent.futures

from rig.process import Failed

from stage import Stage

REQUESTS = 20  # at a time
FAILING = "?status=503&fail=99&delay=500"  # each attempt, after 500 ms
MOST_RETRIES = REQUESTS // 2  # 20 % of them, and others once the first have ended


def show(stage: Stage) -> None:
    def retries(backend: str) -> int:
        test_id = stage.new_id()

        def fail(_) -> int:
            return stage.request(f"/{backend}{FAILING}", x_test_id=test_id).status
        with concurrent.futures.ThreadPoolExecutor(REQUESTS) as pool:
            statuses = set(pool.map(fail, range(REQUESTS)))
        if statuses != {503}:
            raise Failed(f"the requests to '{backend}' were to fail with 503, not {statuses}")
        return len(stage.seen(backend, test_id)) - REQUESTS

    with stage.table(f"{REQUESTS} requests", "budget", "retries: expected", "observed") as table:
        table.check("GET /cart", "none", expected=REQUESTS, observed=retries("cart"))
        few = retries("pay")
        table.check("GET /pay", "20 %", expected=f"1 to {MOST_RETRIES}", observed=few,
                    good=1 <= few <= MOST_RETRIES)
