# SPDX-License-Identifier: Apache-2.0
"""A gRPC client that dials what is not there is told so at once, and recovers by itself."""

from rig.features import feature
from rig.objects import rule
from rig.process import until
from rig.suite import Case, with_clients, with_grpc

AT_ONCE_MS = 4000  # on a busy machine; what is not told takes 5 s, as the call has, or more


def fails_at_once(case: Case, target: str, *texts: str) -> None:
    """texts: what the message must hold. Go's names only the dialled host and port; and its first
    calls may fail before the resolver has told the balancer why ("produced zero addresses")."""
    result = case.grpc.call(target, count=5, rps=20, timeout=10)
    assert result.counts() == {"UNAVAILABLE": 5}, result
    assert result.first_ms < AT_ONCE_MS, f"it took {result.first_ms} ms: {result.errors}"
    for text in [target.removeprefix("xds:///")] if case.client == "go" else texts:
        assert any(text in e["message"] for e in result.errors), f"no '{text}' in {result.errors}"


@feature("no such Service, port or namespace: told at once")
@with_grpc
def a_missing_service_is_named(case: Case):
    case.apply(case.service("paint", "a", "grpc"))
    fails_at_once(case, f"xds:///paintt.{case.namespace}.svc.cluster.local:8000",
                  "no Service 'paintt'", case.namespace, "'paint'")


@feature("no such Service, port or namespace: told at once")
@with_grpc
def a_missing_port_is_named(case: Case):
    paint = case.service("paint", "a", "grpc")
    case.apply(paint)
    fails_at_once(case, f"xds:///{paint.host}:8001", "8001", "8000")


@feature("no such Service, port or namespace: told at once")
@with_grpc
def a_missing_namespace_is_named(case: Case):
    case.apply(case.service("paint", "a", "grpc"))
    fails_at_once(case, "xds:///paint.nowhere.svc.cluster.local:8000", "nowhere")


@feature("no ready endpoint")
@with_grpc
def no_ready_endpoint_is_unavailable(case: Case):
    idle = case.service("idle", not_ready="a", kind="grpc")
    case.apply(idle)
    result = case.grpc.call(idle.target)
    assert result.only_error()["code"] == "UNAVAILABLE", result
    assert result.first_ms < AT_ONCE_MS, result


@feature("no rule matches")
@with_grpc
def a_call_that_no_rule_matches_is_unavailable(case: Case):
    cart, one = case.service("cart", kind="grpc"), case.service("one", "a", "grpc")
    match = {"method": {"type": "Exact", "service": "shop.Cart", "method": "Echo"}}
    case.apply(cart, one, case.grpc_route(cart, rule(one.ref(), matches=[match])))
    case.grpc.call(cart.target, methods=["/shop.Cart/Echo"]).check_no_failure()
    result = case.grpc.call(cart.target, methods=["/shop.Cart/Other"])
    assert result.only_error()["code"] == "UNAVAILABLE", result
    assert result.first_ms < AT_ONCE_MS, result
    told = "no matched route" if case.client == "go" else "no rule of its routes takes the request"
    assert told in result.only_error()["message"], result


@feature("a Service that comes later")
@with_grpc
def a_service_that_comes_later_is_found_by_the_same_channel(case: Case):
    late = case.service("late", "a", "grpc")
    with case.grpc.watch(late.target, rps=50) as watch:
        watch.wait_for(code="UNAVAILABLE")
        case.apply(late)
        watch.wait_for(backend="a")
        case.apply(case.service("other", "b", "grpc"))
        watch.wait_for(code="UNAVAILABLE")
        case.apply(late)
        watch.wait_for(backend="a")


@feature("no such Service: calls that ask to (wait_for_ready) wait")
@with_clients("go", "python", "java")  # grpc-js is told reasons in a way that fails such calls, too
def a_call_may_wait_for_a_service(case: Case):
    """It has its cluster from its start, which may be the one that is the reason; so the last call
    begins when the client knows the Service."""
    case.apply(case.service("other", "b", "grpc"))
    late = case.service("late", "a", "grpc")
    waiting = case.grpc.call(late.target, waits=True, timeout=0.5)
    assert waiting.only_error()["code"] == "DEADLINE_EXCEEDED", waiting
    assert case.grpc.call(late.target).counts() == {"UNAVAILABLE": 1}
    case.apply(late)
    until(lambda: case.grpc.call(late.target).ok, 5, "the client knows the Service")
    case.grpc.call(late.target, waits=True).check_no_failure()
