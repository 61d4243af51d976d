# SPDX-License-Identifier: Apache-2.0
"""What XBackendTrafficPolicies ask of clients."""

import collections
import concurrent.futures

from cases.browser import Visitor, get_with, session, stays
from rig.features import feature
from rig.grpc import GRPC_KINDS
from rig.objects import policy, rule
from rig.process import until
from rig.suite import BACKENDS, PORTS, Case, with_envoy, with_grpc
from rig.traffic import check_split, get, seen

BURST = 10
CALLS = 300


def at(prefix: str) -> list:
    return [{"path": {"type": "PathPrefix", "value": prefix}}]


def retries_of_a_burst(case: Case, address: str, test_id: str) -> int:
    """How many of as many requests at a time, which all fail, are tried again."""
    path = "/?status=503&fail=99&delay=200"
    with concurrent.futures.ThreadPoolExecutor(BURST) as pool:
        answers = list(pool.map(lambda _: get(address, path, x_test_id=test_id), range(BURST)))
    assert {a.status for a in answers} == {503}, answers
    return len(seen(f"{BACKENDS['a']}:{PORTS['http']}", test_id)) - BURST


@feature("retry budgets")
@with_envoy
def a_retry_budget_limits_the_retries_that_are_under_way(case: Case):
    web, one = case.service("web"), case.service("one", "a")
    route = case.http_route(web, rule(one.ref(), retry={"codes": [503], "attempts": 1}))

    def limit(percent: int, seconds: int) -> None:
        case.apply(web, one, route, policy(
            "budget", one.name, namespace=case.namespace, retryConstraint={
                "budget": {"percent": percent, "interval": f"{seconds}s"},
                "minRetryRate": {"count": 1, "interval": "1s"}}))
        until(lambda: f'"budget_interval": "{seconds}s"' in clusters(case), 5, "the budget")

    case.serve(web, one, route)
    assert retries_of_a_burst(case, web.address, f"{case.namespace}-none") == BURST
    limit(100, 1)
    assert retries_of_a_burst(case, web.address, f"{case.namespace}-all") == BURST
    limit(0, 2)
    retries = retries_of_a_burst(case, web.address, f"{case.namespace}-one")
    assert 1 <= retries < BURST // 2, retries
    # the requests of the interval count, also those that are long done
    limit(20, 3600)
    for _ in range(BURST * 6):
        assert get(web.address).backend == "a"
    assert retries_of_a_burst(case, web.address, f"{case.namespace}-interval") == BURST


def clusters(case: Case) -> str:
    return case.envoy.get("/config_dump?resource=dynamic_active_clusters"
                          f"&name_regex={case.namespace}/.*")


@feature("retry budgets", "sessions of a Service", reported=GRPC_KINDS)
@with_grpc
def what_grpc_does_not_enforce_is_told(case: Case):
    cart = case.service("cart", "a", "grpc")
    case.apply(cart, policy("budget", cart.name, namespace=case.namespace, retryConstraint={},
                            sessionPersistence=session()))
    with case.grpc.watch(cart.target) as watch:
        watch.wait_for(backend="a")
        condition = case.heddle.condition("XBackendTrafficPolicy", case.namespace, "budget",
                                          "heddle.dev/Enforced")
        assert condition["status"] == "False", condition
        assert "retryConstraint, sessionPersistence" in condition["message"], condition


# --- sessions --------------------------------------------------------------------------------


def spread(visitors: list) -> bool:
    return len({v.visit().backend for v in visitors}) > 1


@feature("sessions of a Service")
@with_envoy
def a_policy_keeps_sessions_of_a_service(case: Case):
    """With and without a route; a rule's own session counts more."""
    many, web = case.service("many", "abcd"), case.service("web")
    own = session(cookie={"name": "own"})
    case.serve(many, web, policy("sessions", many.name, namespace=case.namespace,
                                 sessionPersistence=session()),
               case.http_route(web, rule(many.ref()),
                               rule(many.ref(), matches=at("/own"), sessionPersistence=own)))
    names = set()
    for address in (many.address, web.address):
        visitors = [Visitor(address) for _ in range(8)]
        assert all(stays(v) for v in visitors) and spread(visitors)
        names |= {v.cookies[0].split("=")[0] for v in visitors}
    assert len(names) == 1 and names.pop().startswith("heddle-"), names
    visitor = Visitor(web.address)
    visitor.visit("/own")
    assert visitor.cookies[0].startswith("own="), visitor.cookies


@feature("sessions of a Service")
@with_envoy
def sessions_of_weighted_backends_are_their_own(case: Case):
    """Weights count first; then each backend has its own session, or none."""
    web = case.service("web")
    one, two, three = case.service("one", "ab"), case.service("two", "cd"), case.service("x", "ef")
    case.serve(web, one, two, three, case.http_route(web, rule(one.ref(), two.ref(), three.ref())),
               policy("sessions", one.name, two.name, namespace=case.namespace,
                      sessionPersistence=session()))
    got = collections.Counter()
    cookies = {}
    for _ in range(CALLS):
        answer = get_with(web.address, "/", {"cookie": "; ".join(cookies.values())})
        got[answer.backend] += 1
        if "set-cookie" in answer.headers:
            name, _, rest = answer.headers["set-cookie"].partition("=")
            cookies[name] = f"{name}={rest.split(';')[0]}"
    assert len(cookies) == 2, cookies
    assert len({"a", "b"} & got.keys()) == 1 and len({"c", "d"} & got.keys()) == 1, got
    assert got["e"] > 0 and got["f"] > 0, got
    check_split({"one": got["a"] + got["b"], "two": got["c"] + got["d"],
                 "three": got["e"] + got["f"]}, {"one": 1, "two": 1, "three": 1})
