# SPDX-License-Identifier: Apache-2.0
"""Broken YAML does no harm.

Each mistake is saved over the good file while a client sends requests. heddle goes on with what was
good, even when it is started anew, and says what is wrong and where; 'heddle check' says so before
a file is saved. A mended file is in force at once.
"""

from rig.process import until
from rig.traffic import HttpLoad

from stage import HTTP, SHOP, Stage

MISTAKES = [  # what it is, what is written instead of what, the problem's code and line
    ("a bracket is missing", ("8000}]\n", "8000}\n"), "HED001 in line 9"),
    ("a field that does not exist", ("backendRefs", "backends"), "HED004 in line 8"),
    ("a word for a number", ("8000}]\n", "web}]\n"), "HED005 in line 8"),
    ("a number too high", ("8000}]\n", "80000}]\n"), "HED009 in line 8"),
]
REQUESTS = 100  # after each mistake


def show(stage: Stage) -> None:
    routes = (stage.mesh.config / "routes.yaml").read_text()

    def told() -> str:
        """What the running heddle says is wrong."""
        return ", ".join(f"{p['code']} in line {p['line']}"
                         for p in stage.heddle.api("problems")["problems"]
                         if p["severity"] == "error") or "(nothing)"

    with HttpLoad([f"{SHOP}:{HTTP}"]) as load, \
            stage.table("mistake", "expected", "observed") as table:
        for what, (right, wrong), problem in MISTAKES:
            before = told()
            head, _, tail = routes.rpartition(right)
            stage.mesh.write_text("routes.yaml", head + wrong + tail)
            until(lambda: told() != before, 5, "heddle sees the mistake")
            table.check(what, expected=problem, observed=told())
            sent = len(load.answers)
            until(lambda: len(load.answers) >= sent + REQUESTS, 5, "requests are answered")
    with stage.table("", "expected", "observed") as table:
        good = sum(answer.outcome == "stable" for answer in load.answers)
        table.check("requests meanwhile that 'stable' answered", expected=len(load.answers),
                    observed=good)
        stage.heddle.restart()
        stage.start_envoy()
        table.check("after a new start of heddle and Envoy", expected="stable",
                    observed=stage.request("/").outcome)
        check = stage.heddle.command("check", stage.mesh.config, expect=None)
        table.check("exit code of heddle check", expected=1, observed=check.returncode)
        stage.apply(routes.replace("stable", "canary"))
        table.check("the file is mended, and names 'canary'", expected="canary",
                    observed=stage.request("/").outcome)
    print("\n  $ heddle check .")
    stage.quote(check.stdout.replace(f"{stage.mesh.config}/", ""))
