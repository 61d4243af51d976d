# SPDX-License-Identifier: Apache-2.0
"""Which web pages of other origins may call, and how (CORS).

Before a script of another origin sends more than a plain request, the browser asks by a preflight
(OPTIONS), which Envoy answers by itself. A plain request reaches the backend in any case: it is the
browser that keeps the answer from a script whose origin is not allowed.
"""

from stage import Stage

SHOP, ALLY, OTHER = "https://shop.test", "https://eu.ally.test", "https://other.test"
TOLD = {"allow-methods": "GET, PUT", "allow-headers": "x-cart", "max-age": "600"}


def show(stage: Stage) -> None:
    def preflight(origin: str):
        return stage.request("/", "OPTIONS", origin=origin, access_control_request_method="PUT",
                             access_control_request_headers="x-cart")

    def told(answer, name: str) -> str:
        return answer.headers.get(f"access-control-{name}", "(not told)")

    with stage.table("request", "from", "answer", "expected", "observed") as table:
        for origin, wanted in ((SHOP, SHOP), (ALLY, ALLY), (OTHER, "(not told)")):
            table.check("preflight", origin, "allow-origin", expected=wanted,
                        observed=told(preflight(origin), "allow-origin"))
        answer = preflight(SHOP)
        for name, wanted in TOLD.items():
            table.check("preflight", SHOP, name, expected=wanted, observed=told(answer, name))
        for origin, wanted in ((SHOP, SHOP), (OTHER, "(not told)")):
            answer = stage.request("/", origin=origin)
            table.check("GET", origin, "by", expected="stable", observed=answer.outcome)
            table.check("GET", origin, "allow-origin", expected=wanted,
                        observed=told(answer, "allow-origin"))
