# SPDX-License-Identifier: Apache-2.0
"""gRPC calls: through Envoy by address, and proxyless through xds:///."""

from rig.features import feature
from rig.objects import H2C, backend, endpoints, grpc_route, header_filter, rule, service
from rig.suite import Case, with_envoy, with_grpc
from rig.traffic import check_split

ECHO, ECHO_TWO = "/shop.Cart/Echo", "/shop.Cart/EchoTwo"
OTHER = "/shop.Stock/Echo"
TELL_WHY = ("python", "java", "node")  # grpc-go does not tell why a call was dropped


def method(service: str = "", name: str = "", headers=(), kind: str = "Exact") -> dict:
    match = {"type": kind, **({"service": service} if service else {}),
             **({"method": name} if name else {})}
    return {"method": match, **({"headers": list(headers)} if headers else {})}


def routed_by_method(case: Case):
    """A Service whose methods go to different backends: Echo to a, EchoTwo to b."""
    cart = case.service("cart", kind="grpc")
    one, two = case.service("one", "a", "grpc"), case.service("two", "b", "grpc")
    route = case.grpc_route(cart, rule(one.ref(), matches=[method("shop.Cart", "Echo")]),
                            rule(two.ref(), matches=[method("shop.Cart", "EchoTwo")]))
    return cart, [cart, one, two, route]


@feature("gRPC method matches")
@with_envoy
def methods_choose_backends_through_envoy(case: Case):
    cart, things = routed_by_method(case)
    case.serve(*things)
    result = case.grpc.call(cart.address, count=20, methods=[ECHO, ECHO_TWO])
    result.check_no_failure()
    assert result.backends == {ECHO: {"a": 10}, ECHO_TWO: {"b": 10}}, result
    assert result.reply["method"] == ECHO


@feature("no rule matches")
@with_envoy
def a_call_that_no_rule_matches_is_unimplemented(case: Case):
    cart, things = routed_by_method(case)
    case.serve(*things)
    error = case.grpc.call(cart.address, methods=[OTHER]).only_error()
    assert error["code"] == "UNIMPLEMENTED", error


@feature("the share of an invalid backend fails alone")
@with_envoy
def an_invalid_backend_is_unavailable_through_envoy(case: Case):
    cart = case.service("cart", kind="grpc")
    one = case.service("one", "a", "grpc")
    case.serve(cart, one, case.grpc_route(cart, rule(one.ref(1), backend("missing", 8000, 1))))
    counts = case.grpc.call(cart.address, count=300).counts()
    check_split(counts, {"a": 1, "UNAVAILABLE": 1})


@feature("no ready endpoint")
@with_envoy
def no_ready_endpoint_is_unavailable_through_envoy(case: Case):
    cart = case.service("cart", not_ready="a", kind="grpc")
    case.serve(cart)
    assert case.grpc.call(cart.address).only_error()["code"] == "UNAVAILABLE"


@feature("header modifiers")
@with_envoy
def the_backend_sees_modified_metadata(case: Case):
    cart = case.service("cart", kind="grpc")
    one = case.service("one", "a", "grpc")
    modify = header_filter(set={"x-set": "new"}, remove=["x-remove"])
    case.serve(cart, one, case.grpc_route(cart, rule(one.ref(), filters=[modify])))
    result = case.grpc.call(cart.address, metadata={"x-set": "old", "x-remove": "gone"})
    metadata = result.reply["metadata"]
    assert metadata["x-set"] == ["new"] and "x-remove" not in metadata, metadata


@feature("a Service without a route")
@with_grpc
def a_service_without_a_route_takes_turns(case: Case):
    cart = case.service("cart", "ab", "grpc", not_ready="c")
    case.apply(cart)
    result = case.grpc.call(cart.target, count=60)
    result.check_no_failure()
    counts = result.counts()
    # the first calls may all go to the endpoint that was connected first
    assert counts.keys() == {"a", "b"} and min(counts.values()) >= 20, counts


@feature("gRPC method matches")
@with_grpc
def methods_choose_backends(case: Case):
    cart, things = routed_by_method(case)
    case.apply(*things)
    result = case.grpc.call(cart.target, count=20, methods=[ECHO, ECHO_TWO])
    result.check_no_failure()
    assert result.backends == {ECHO: {"a": 10}, ECHO_TWO: {"b": 10}}, result


@feature("gRPC method matches")
@with_grpc
def a_service_match_takes_all_its_methods(case: Case):
    cart, one, two = (case.service("cart", kind="grpc"), case.service("one", "a", "grpc"),
                      case.service("two", "b", "grpc"))
    case.apply(cart, one, two, case.grpc_route(
        cart, rule(one.ref(), matches=[method("shop.Cart")]), rule(two.ref())))
    result = case.grpc.call(cart.target, count=9, methods=[ECHO, ECHO_TWO, OTHER])
    result.check_no_failure()
    assert result.backends == {ECHO: {"a": 3}, ECHO_TWO: {"a": 3}, OTHER: {"b": 3}}, result


@feature("header matches")
@with_grpc
def headers_match(case: Case):
    cart, one, two = (case.service("cart", kind="grpc"), case.service("one", "a", "grpc"),
                      case.service("two", "b", "grpc"))
    beta = {"type": "Exact", "name": "x-version", "value": "beta"}
    case.apply(cart, one, two, case.grpc_route(
        cart, rule(two.ref(), matches=[{"headers": [beta]}]), rule(one.ref())))
    assert case.grpc.call(cart.target).counts() == {"a": 1}
    assert case.grpc.call(cart.target, metadata={"x-version": "beta"}).counts() == {"b": 1}


@feature("gRPC method matches")
@with_grpc
def methods_are_told_apart_by_case(case: Case):
    cart, one, two = (case.service("cart", kind="grpc"), case.service("one", "a", "grpc"),
                      case.service("two", "b", "grpc"))
    case.apply(cart, one, two, case.grpc_route(
        cart, rule(two.ref(), matches=[method("shop.Cart", "echo"), method("Shop.cart")]),
        rule(one.ref())))
    assert case.grpc.call(cart.target, methods=[ECHO]).counts() == {"a": 1}
    assert case.grpc.call(cart.target, methods=["/shop.Cart/echo"]).counts() == {"b": 1}


@feature("regular expressions, of the whole text")
@with_grpc
def an_expression_is_of_the_whole_text(case: Case):
    cart, one, two = (case.service("cart", kind="grpc"), case.service("one", "a", "grpc"),
                      case.service("two", "b", "grpc"))
    version = {"type": "RegularExpression", "name": "x-version", "value": "1|2"}
    path = {"type": "RegularExpression", "value": "/shop.Cart/Echo|/shop.Stock/Echo"}
    case.apply(cart, one, two, case.http_route(
        cart, rule(two.ref(), matches=[{"headers": [version]}, {"path": path}]), rule(one.ref())))
    calls = [(ECHO_TWO, {"x-version": "1"}, "b"), (ECHO_TWO, {"x-version": "2"}, "b"),
             (ECHO_TWO, {"x-version": "12"}, "a"), (ECHO_TWO, {"x-version": "22"}, "a"),
             (ECHO, {}, "b"), (OTHER, {}, "b"), (ECHO_TWO, {}, "a"), ("/x" + OTHER, {}, "a")]
    for name, metadata, backend_name in calls:
        result = case.grpc.call(cart.target, methods=[name], metadata=metadata)
        assert result.counts() == {backend_name: 1}, (name, metadata, result)


@feature("weights")
@with_grpc
def weights_divide_calls(case: Case):
    cart, one, two = (case.service("cart", kind="grpc"), case.service("one", "a", "grpc"),
                      case.service("two", "b", "grpc"))
    case.apply(cart, one, two, case.grpc_route(cart, rule(one.ref(9), two.ref(1))))
    result = case.grpc.call(cart.target, count=1000)
    result.check_no_failure()
    check_split(result.counts(), {"a": 9, "b": 1})


@feature("HTTPRoutes for gRPC calls", "path matches")
@with_grpc
def an_http_route_holds_for_grpc_too(case: Case):
    cart, one, two = (case.service("cart", kind="grpc"), case.service("one", "a", "grpc"),
                      case.service("two", "b", "grpc"))
    case.apply(cart, one, two, case.http_route(
        cart, rule(two.ref(), matches=[{"path": {"type": "PathPrefix", "value": "/shop.Stock"}}]),
        rule(one.ref())))
    result = case.grpc.call(cart.target, count=4, methods=[ECHO, OTHER])
    result.check_no_failure()
    assert result.backends == {ECHO: {"a": 2}, OTHER: {"b": 2}}, result


@feature("the share of an invalid backend fails alone")
@with_grpc
def an_invalid_backend_fails_for_its_share_only(case: Case):
    cart, one = case.service("cart", kind="grpc"), case.service("one", "a", "grpc")
    case.apply(cart, one, case.grpc_route(cart, rule(one.ref(1), backend("missing", 8000, 1))))
    result = case.grpc.call(cart.target, count=300)
    check_split(result.counts(), {"a": 1, "UNAVAILABLE": 1})
    if case.client in TELL_WHY:
        assert all("no Service 'missing'" in e["message"] for e in result.errors), result.errors


@with_grpc
def channels_of_one_process_do_not_disturb_each_other(case: Case):
    services = [case.service(f"cart-{letter}", letter, "grpc") for letter in "abcd"]
    case.apply(*services)
    results = case.grpc.calls(*[s.target for s in services], count=20)
    assert len(results) == len(services)
    for service in services:
        results[service.target].check_no_failure()
        assert results[service.target].counts() == {service.ready: 20}, results


@feature("several ports of a Service")
@with_grpc
def several_ports_of_a_service_are_told_apart(case: Case):
    ip = case.service("unused").ip
    one = case.service("one", "a", "grpc")
    case.apply(one, service("cart", ip, {"new": 8001, "old": 8002}, H2C, case.namespace),
               endpoints("cart", ["127.20.1.2"], {"new": 3001, "old": 3001},
                         namespace=case.namespace),
               grpc_route("route", "cart", rule(one.ref()), port=8001, namespace=case.namespace))
    host = f"xds:///cart.{case.namespace}.svc.cluster.local"
    assert case.grpc.call(f"{host}:8001").counts() == {"a": 1}
    assert case.grpc.call(f"{host}:8002").counts() == {"b": 1}
