# SPDX-License-Identifier: Apache-2.0
"""What would a change do? Nothing is changed to find out.

'heddle plan' works out what a file would do to the running mesh: what is sent to whom, and which
requests would fare differently. Here are two edits of the file below. The second is made in the
end, and what happens is compared with what was said.
"""

import json

from stage import Stage

RULE = """\
  - matches:
    - path: {type: PathPrefix, value: /cart/pay}
    backendRefs: [{name: pay, port: 8000}]
"""
REQUEST = "/cart/pay"


def show(stage: Stage) -> None:
    routes = (stage.mesh.config / "routes.yaml").read_text()
    file = stage.mesh.work / "change.yaml"

    def plan(*options: str) -> str:
        words = ["plan", "-f", file, *options, "--admin", stage.heddle.addresses["admin"]]
        return stage.heddle.command(*words).stdout.replace(f"{stage.mesh.work}/", "")

    def state() -> tuple:
        """What heddle has worked out and sent so far."""
        sent = [t["bytes"] for proxy in stage.heddle.proxies() for t in proxy["types"].values()]
        return stage.heddle.api("engine")["evaluations"], sum(sent)

    before = state()
    for what, text in (("weight: 1 becomes weight: 3", routes.replace("weight: 1", "weight: 3")),
                       (f"a rule is added, {REQUEST} to 'pay'", routes + RULE)):
        file.write_text(text)
        print(f"\n  $ heddle plan -f change.yaml    # {what}")
        stage.quote(plan())
    (said,) = [r for r in json.loads(plan("-o", "json"))["requests"] if REQUEST in r["url"]]
    after = state()

    def backend(side: str) -> str:
        """Where the request goes, as the plan says."""
        (share,) = said[side]["decision"]["backends"]
        return share["backend"].removeprefix("default/").removesuffix(":8000")

    with stage.table("", "expected", "observed") as table:
        table.check("computed and sent meanwhile", expected="nothing",
                    observed="nothing" if after == before else f"{before} became {after}")
        table.check(f"GET {REQUEST}, as before", expected=backend("before"),
                    observed=stage.request(REQUEST).outcome)
        stage.apply(file.read_text())
        table.check(f"GET {REQUEST}, once the rule is added", expected=backend("after"),
                    observed=stage.request(REQUEST).outcome)
