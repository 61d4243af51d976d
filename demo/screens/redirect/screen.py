# SPDX-License-Identifier: Apache-2.0
"""Clients are sent to another place.

Envoy answers by itself; no backend sees the request. What the filter does not name stays as the
client asked for it.
"""

from stage import Stage

LOCATIONS = {
    "GET /secure?q=1": "301 https://shop/secure?q=1",
    "GET /moved/x": "302 http://new.test:8443/moved/x",
    "GET /old": "302 http://shop:8000/new",
    "GET /old/hat?size=9": "302 http://shop:8000/new/hat?size=9",
    "POST /form": "303 http://shop:8000/thanks",
}


def show(stage: Stage) -> None:
    with stage.table("request", "expected", "observed") as table:
        for request, location in LOCATIONS.items():
            method, path = request.split()
            answer = stage.request(path, method)
            table.check(request, expected=location, observed=f"{answer.status} {answer.location}")
