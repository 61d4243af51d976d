# SPDX-License-Identifier: Apache-2.0
"""Headers are set, added and removed, on the way there and on the way back.

"set" replaces what the client sent, "add" appends to it.
"""

from stage import Stage


def show(stage: Stage) -> None:
    answer = stage.request("/", x_shop="mobile", x_seen_by="a proxy", x_secret="42", x_other="kept")
    stable_saw = answer.echo["headers"]
    canary_saw = stage.request("/new").echo["headers"]

    with stage.table("header", "sent", "seen by", "expected", "observed") as table:
        for name, sent, wanted in (("X-Shop", "mobile", "web"), ("X-Secret", "42", "(none)"),
                                   ("X-Seen-By", "a proxy", "a proxy, heddle"),
                                   ("X-Other", "kept", "kept"), ("X-Canary", "(none)", "(none)")):
            table.check(name.lower(), sent, "stable", expected=wanted,
                        observed=", ".join(stable_saw.get(name, ["(none)"])))
        table.check("x-canary", "(none)", "canary", expected="yes",
                    observed=", ".join(canary_saw.get("X-Canary", ["(none)"])))
        for name, sent, wanted in (("cache-control", "(none)", "no-store"),
                                   ("content-type", "application/json", "(none)")):
            table.check(name, sent, "the client", expected=wanted,
                        observed=answer.headers.get(name, "(none)"))
