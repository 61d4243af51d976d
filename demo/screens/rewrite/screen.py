# SPDX-License-Identifier: Apache-2.0
"""Backends see another path or host than clients ask for.

The client does not notice. The query stays as it is.
"""

from stage import Stage

SEEN = {  # request: what the backend sees
    "/shop": "stable shop/",
    "/shop/shoes?size=9": "stable shop/shoes?size=9",
    "/v1/cart": "cart cart.internal/cart",
    "/v1/cart/7/items": "cart cart.internal/cart/7/items",
    "/legacy/a/b?c": "admin shop/gone?c",
}


def show(stage: Stage) -> None:
    with stage.table("request", "backend, host and path: expected", "observed") as table:
        for path, wanted in SEEN.items():
            answer = stage.request(path)
            seen = ("{backend} {host}{path}".format(**answer.echo) if answer.status == 200
                    else answer.outcome)
            table.check(f"GET {path}", expected=wanted, observed=seen)
