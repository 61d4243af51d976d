# SPDX-License-Identifier: Apache-2.0
"""What the API server takes and heddle cannot read becomes a condition, and the rest is served."""

from rig import objects
from rig.process import Failed, until
from stage import heddle, kube
from stage.case import Case
from stage.suite import alone, test

TOLD_SECONDS = 10
LOOK_AHEAD = {"path": {"type": "RegularExpression", "value": "/a(?=b)"}}  # RE2 knows none
POLICY = "xbackendtrafficpolicy.gateway.networking.x-k8s.io"


def service(case: Case) -> None:
    case.ns.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "echo"},
                   "spec": {"ports": [{"name": "http", "port": 8080, "appProtocol": "http"}]}})


def demand(good: bool, told) -> None:
    if not good:
        raise Failed(f"what is told: {told}")


def rule(*matches: dict) -> dict:
    return objects.rule(objects.backend("echo", 8080), matches=list(matches))


def policy(path: str) -> dict:
    return {"apiVersion": "gateway.networking.x-k8s.io/v1alpha1", "kind": "XBackendTrafficPolicy",
            "metadata": {"name": "policy"},
            "spec": {"targetRefs": [{"group": "", "kind": "Service", "name": "echo"}],
                     "sessionPersistence": {"cookie": {"path": path}}}}


@test
def one_rule_is_told_and_its_siblings_are_served(case: Case):
    service(case)
    route = case.http_route("echo", rule(LOOK_AHEAD), rule({"path": {"value": "/b"}}))
    case.ns.apply(route)
    case.expect(route, "Accepted", "True", "Accepted")
    told = case.expect(route, "PartiallyInvalid", "True", "UnsupportedValue")
    demand(told["message"].startswith("Dropped Rule: rules[0].matches[0].path.value: "), told)
    route["spec"]["rules"].pop(0)
    case.ns.apply(route)
    case.expect(route, "Accepted", "True", "Accepted")
    (parent,) = case.parents(route)
    demand("PartiallyInvalid" not in [c["type"] for c in parent["conditions"]], parent)


@test
def a_route_of_such_rules_is_not_accepted(case: Case):
    service(case)
    route = case.http_route("echo", rule(LOOK_AHEAD))
    case.ns.apply(route)
    case.expect(route, "Accepted", "False", "UnsupportedValue")
    route["spec"]["rules"] = [rule({"path": {"value": "/b"}})]
    case.ns.apply(route)
    case.expect(route, "Accepted", "True", "Accepted")


def accepted(case: Case) -> tuple:
    """Of the policy: status, reason, generation and message."""
    ancestors = case.ns.get(POLICY, "policy").get("status", {}).get("ancestors", [])
    return next(((c["status"], c["reason"], c["observedGeneration"], c["message"])
                 for a in ancestors for c in a["conditions"] if c["type"] == "Accepted"),
                (None, None, None, ""))


def spoil(case: Case) -> None:
    """A policy as a whole: its cookie's path would end the cookie in Set-Cookie."""
    service(case)
    case.ns.apply(policy("/"))
    until(lambda: accepted(case)[:3] == ("True", "Accepted", 1), TOLD_SECONDS, "it is accepted")
    case.ns.apply(policy("/;domain=x"))
    until(lambda: accepted(case)[:3] == ("False", "Invalid", 2), TOLD_SECONDS,
          "it is not accepted")


@test
def what_was_readable_stays_in_force(case: Case):
    spoil(case)
    told = accepted(case)[3]
    demand(told.startswith("sessionPersistence.cookie.path: "), told)
    demand(told.endswith(" (generation 1 stays in force)"), told)
    case.ns.apply(policy("/b"))
    until(lambda: accepted(case)[:3] == ("True", "Accepted", 3), TOLD_SECONDS,
          "it is accepted again")


@alone
@test
def what_was_readable_outlives_a_rollout(case: Case):
    """New replicas hear it from the old ones."""
    heddle.wait_ready()
    spoil(case)
    before = heddle.pod_names()
    kube.kubectl("-n", heddle.NAMESPACE, "rollout", "restart", f"deployment/{heddle.NAME}")
    heddle.wait_ready(120)
    until(lambda: not set(before) & set(heddle.pod_names()) and heddle.leader() in
          heddle.pod_names(), 60, "new replicas serve, and one leads", interval=0.5)
    for pod in heddle.pod_names():
        said = [str(i) for i in heddle.api(pod, "status")["items"] if case.ns.name in str(i)]
        demand(len(said) == 1 and "(generation 1 stays in force)" in said[0], said)
