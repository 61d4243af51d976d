# SPDX-License-Identifier: Apache-2.0
"""Who comes back is answered by the same endpoint.

The Service 'chat' has three. The first answer brings a cookie or a header that holds which of them
it was; a client that sends it back stays there, for as long as that endpoint lives.
"""

from stage import Stage

REQUESTS = 30


def show(stage: Stage) -> None:
    def check(client: str, expected: str, counts: dict, good: bool) -> None:
        table.check(client, REQUESTS, expected=expected, good=good,
                    observed=", ".join(f"{pod}: {n}" for pod, n in sorted(counts.items())))

    with stage.table("client", "requests", "expected", "observed") as table:
        counts = stage.requests(REQUESTS, "/cookie")
        check("without a cookie", "all three", counts, len(counts) == 3)

        first = stage.request("/cookie")
        cookie = first.headers.get("set-cookie", "").split(";")[0]
        counts = stage.requests(REQUESTS, "/cookie", cookie=cookie)
        check(f"with the cookie of {first.outcome}", f"{first.outcome}: {REQUESTS}", counts,
              counts == {first.outcome: REQUESTS})

        other = stage.request("/header")
        session = other.headers.get("x-chat", "")
        counts = stage.requests(REQUESTS, "/header", x_chat=session)
        check(f"with the header of {other.outcome}", f"{other.outcome}: {REQUESTS}", counts,
              counts == {other.outcome: REQUESTS})

        stage.wait_acknowledged(stage.write_services(but_for=first.outcome))
        counts = stage.requests(REQUESTS, "/cookie", cookie=cookie)
        check(f"the same cookie, {first.outcome} gone", "the others", counts,
              len(counts) == 2 and first.outcome not in counts)
        stage.wait_acknowledged(stage.write_services())
