# SPDX-License-Identifier: Apache-2.0
"""HTTP and TCP through Envoy: who gets which request, and what becomes of it."""

from rig.features import feature
from rig.objects import backend, header_filter, rule
from rig.process import until
from rig.suite import Case, with_envoy
from rig.traffic import Http, check_split, get, greeting

CALLS = 1000


def path(kind: str, value: str, **more) -> dict:
    return {"path": {"type": kind, "value": value}, **more}


@feature("a Service without a route")
@with_envoy
def a_service_without_a_route_takes_turns_over_its_ready_endpoints(case: Case):
    web = case.service("web", ready="ab", not_ready="c")
    case.serve(web)
    with Http(web.address) as client:
        counts = client.outcomes(40)
    assert counts.keys() == {"a", "b"} and abs(counts["a"] - counts["b"]) <= 2, counts


@feature("weights")
@with_envoy
def weights_divide_requests(case: Case):
    web, one, two = case.service("web"), case.service("one", "ab"), case.service("two", "c")
    case.serve(web, one, two, case.http_route(web, rule(one.ref(9), two.ref(1))))
    with Http(web.address) as client:
        counts = client.outcomes(CALLS)
    check_split({"one": counts.pop("a") + counts.pop("b"), "two": counts.pop("c"), **counts},
                {"one": 9, "two": 1})


@feature("weights")
@with_envoy
def a_weight_of_zero_gets_nothing(case: Case):
    web, one, two = case.service("web"), case.service("one", "a"), case.service("two", "b")
    case.serve(web, one, two, case.http_route(web, rule(one.ref(1), two.ref(0))))
    with Http(web.address) as client:
        counts = client.outcomes(200)
    assert counts == {"a": 200}, counts


@feature("path matches")
@with_envoy
def paths_match_exactly_or_by_whole_segments(case: Case):
    web = case.service("web")
    exact, prefix = case.service("exact", "a"), case.service("prefix", "b")
    case.serve(web, exact, prefix, case.http_route(
        web,
        rule(prefix.ref(), matches=[path("PathPrefix", "/shop")]),
        rule(exact.ref(), matches=[path("Exact", "/shop/cart")])))
    wanted = {"/shop": "b", "/shop/": "b", "/shop/x": "b", "/shop?q": "b", "/shop/cart": "a",
              "/shop/cart/": "b", "/shopping": "404", "/": "404", "/Shop": "404"}
    assert {p: get(web.address, p).outcome for p in wanted} == wanted


@feature("header matches", "HTTP method matches")
@with_envoy
def headers_and_methods_match(case: Case):
    web, one, two = case.service("web"), case.service("one", "a"), case.service("two", "b")
    version = {"type": "Exact", "name": "x-version", "value": "2"}
    case.serve(web, one, two, case.http_route(
        web,
        rule(two.ref(), matches=[path("PathPrefix", "/", headers=[version])]),
        rule(one.ref(), matches=[path("PathPrefix", "/", method="POST")])))
    assert get(web.address, x_version="2").backend == "b"
    assert get(web.address, x_version="3").status == 404
    assert get(web.address, method="POST").backend == "a"
    assert get(web.address, method="GET").status == 404
    # the match with the method comes before the one with the header
    assert get(web.address, method="POST", x_version="2").backend == "a"


@feature("header modifiers")
@with_envoy
def the_backend_sees_modified_headers(case: Case):
    web, one = case.service("web"), case.service("one", "a")
    modify = header_filter(set={"x-set": "new"}, add={"x-add": "more"}, remove=["x-remove"])
    case.serve(web, one, case.http_route(web, rule(one.ref(), filters=[modify])))
    headers = get(web.address, x_set="old", x_add="some", x_remove="gone",
                  x_other="kept").echo["headers"]
    assert headers["X-Set"] == ["new"], headers
    assert ",".join(headers["X-Add"]).replace(" ", "") == "some,more", headers
    assert "X-Remove" not in headers and headers["X-Other"] == ["kept"], headers


@with_envoy
def the_host_header_does_not_choose_the_service(case: Case):
    web, other = case.service("web", "a"), case.service("other", "b")
    case.serve(web, other)
    for host in (web.host, other.host, "nobody.example", f"{other.name}:{other.port}"):
        echo = get(web.address, host=host).echo
        assert (echo["backend"], echo["host"]) == ("a", host), echo


@feature("no rule matches")
@with_envoy
def a_request_that_no_rule_matches_is_404(case: Case):
    web, one = case.service("web", "b"), case.service("one", "a")
    case.serve(web, one, case.http_route(web, rule(one.ref(), matches=[path("Exact", "/only")])))
    assert get(web.address, "/only").backend == "a"
    assert get(web.address, "/").status == 404


@feature("the share of an invalid backend fails alone")
@with_envoy
def an_invalid_backend_fails_for_its_share_only(case: Case):
    web, one = case.service("web"), case.service("one", "a")
    case.serve(web, one, case.http_route(
        web,
        rule(one.ref(1), backend("missing", 8000, 1), matches=[path("PathPrefix", "/half")]),
        rule(backend("missing", 8000), matches=[path("PathPrefix", "/never")]),
        rule(one.ref(), matches=[path("PathPrefix", "/whole")])))
    with Http(web.address) as client:
        counts = client.outcomes(400, path="/half")
        check_split(counts, {"a": 1, "500": 1})
        assert client.outcomes(5, path="/never") == {"500": 5}
        assert client.outcomes(5, path="/whole") == {"a": 5}


@with_envoy
def an_invalid_backend_is_unavailable_to_grpc_callers(case: Case):
    """Whichever kind the route is: design §10.18."""
    cart, one = case.service("cart", kind="grpc"), case.service("one", "a", "grpc")
    for route in case.http_route, case.grpc_route:
        case.serve(cart, one, route(cart, rule(one.ref(1), backend("missing", 8000, 1))))
        until(lambda: case.grpc.call(cart.address, count=20).counts()["UNAVAILABLE"] > 0, 5,
              "calls fail")
        check_split(case.grpc.call(cart.address, count=400).counts(), {"a": 1, "UNAVAILABLE": 1})


@feature("no ready endpoint")
@with_envoy
def no_ready_endpoint_is_503(case: Case):
    web, idle = case.service("web", "a"), case.service("idle", not_ready="b")
    case.serve(web, idle, case.http_route(web, rule(idle.ref())))
    assert get(web.address).status == 503  # by its route
    assert get(idle.address).status == 503  # without a route


@feature("opaque TCP, the server speaking first")
@with_envoy
def an_opaque_service_lets_the_server_speak_first(case: Case):
    mail = case.service("mail", "c", kind="tcp")
    case.serve(mail)
    assert until(lambda: greeting(mail.address), 5, "a greeting") == "hello from c"


@feature("several namespaces")
@with_envoy
def services_of_all_namespaces_are_reached(case: Case):
    near = case.service("web", "a")
    far = case.service("web", "b")
    far.namespace = f"{case.namespace}-far"
    case.serve(near, far)
    assert (get(near.address).backend, get(far.address).backend) == ("a", "b")
