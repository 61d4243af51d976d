# SPDX-License-Identifier: Apache-2.0
"""The validating webhook says what heddle check says, and stands in nobody's way."""

import json

from rig import objects
from rig.process import Failed
from stage import heddle
from stage.case import Case
from stage.suite import test


def applied(case: Case, thing: dict):
    return case.ns.told("apply", "-f", "-", stdin=json.dumps(thing))


@test
def a_rule_that_is_never_reached_is_warned_of(case: Case):
    everything = {"path": {"type": "PathPrefix", "value": "/"}}
    route = case.http_route("echo", objects.rule(objects.backend("a", 80), matches=[everything]),
                            objects.rule(objects.backend("b", 80), matches=[everything]))
    done = applied(case, route)
    if done.returncode != 0:
        raise Failed(f"the route was refused: {done.stderr}")
    if "Warning" not in done.stderr or "never" not in done.stderr:
        raise Failed(f"no warning, but: {done.stderr!r}")


@test
def a_good_route_is_not_warned_of(case: Case):
    case.start("backends.yaml")
    done = applied(case, case.http_route("echo", objects.rule(objects.backend("echo-v1", 8080))))
    if done.returncode != 0 or done.stderr.strip():
        raise Failed(f"a good route is met with {done.stderr!r}")


@test
def an_expression_that_nobody_can_run_is_told(case: Case):
    """The API server takes it; Envoy and gRPC would not."""
    case.start("backends.yaml")
    bad = {"path": {"type": "RegularExpression", "value": "/a(?!b)"}}
    route = case.http_route("echo", objects.rule(objects.backend("echo-v1", 8080), matches=[bad]),
                            objects.rule(objects.backend("echo-v2", 8080)))
    done = applied(case, route)
    if done.returncode == 0:  # then its status says so, and its sibling works
        if "Warning" not in done.stderr:
            raise Failed("an expression that no client runs was taken without a word")
        case.expect(route, "PartiallyInvalid", "True", "UnsupportedValue")


@test
def a_slip_in_a_namespaces_label_is_told(case: Case):
    """It is made nevertheless, and a good one is not spoken of."""
    for value, warned in (("sidcar", True), ("sidecar", False), ("enabled", True)):
        done = case.ns.told("label", "namespace", case.ns.name, "--overwrite",
                            f"{heddle.INJECT_LABEL}={value}")
        if done.returncode != 0:
            raise Failed(f"'{value}' is refused: {done.stderr}")
        if (f"'{value}' is no value of this label" in done.stderr) != warned:
            raise Failed(f"'{value}' is met with {done.stderr!r}")
