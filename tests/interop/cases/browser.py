# SPDX-License-Identifier: Apache-2.0
"""What browsers ask for: CORS (GEP-1767) and sessions (GEP-1619)."""

import collections
import dataclasses
from typing import Optional

from rig.features import feature
from rig.grpc import GRPC_KINDS, GrpcResult
from rig.objects import cors, rule, session
from rig.process import until
from rig.suite import ENVOYS, Case, Service, with_clients, with_envoy, with_grpc
from rig.traffic import Answer, Http, check_split, get

CALLS = 200
FOO = "https://www.foo.example"
ALLOW = "access-control-allow-"


@dataclasses.dataclass
class Browser:
    """What a script of one origin is told by a Service."""
    address: str
    origin: str

    def preflight(self, method: str = "GET", headers: Optional[str] = None,
                  path: str = "/") -> Answer:
        asks = {"origin": self.origin, "access-control-request-method": method}
        if headers is not None:
            asks["access-control-request-headers"] = headers
        with Http(self.address) as client:
            return client.request("OPTIONS", path, asks)

    def request(self, path: str = "/") -> Answer:
        return get(self.address, path, origin=self.origin)


def is_allowed(answer: Answer, origin: str) -> bool:
    assert answer.status == 200, answer
    told = answer.headers.get(ALLOW + "origin")
    assert told in (None, origin), answer.headers
    return told == origin


def names(answer: Answer, header: str) -> Optional[set]:
    """The items of a header that lists names; None: there is no such header."""
    text = answer.headers.get(header)
    return None if text is None else {name.strip().lower() for name in text.split(",")}


def serve(case: Case, **allowed):
    web, one = case.service("web"), case.service("one", "a")
    case.serve(web, one, case.http_route(web, rule(one.ref(), filters=[cors(**allowed)])))
    return web


# {allowed origin: ({origins that are allowed}, {others})}
ORIGINS = {
    FOO: ({FOO, f"{FOO}:443"}, {"http://www.foo.example", f"{FOO}:8443", "https://foo.example",
                                "https://www.foo.example.evil.test", "https://wwwXfoo.example"}),
    "http://a.example:80": ({"http://a.example", "http://a.example:80"}, {"https://a.example"}),
    "https://*.bar.example": ({"https://www.bar.example", "https://x.y.bar.example"},
                              {"https://bar.example", "https://evilbar.example",
                               "https://a/.bar.example", "https://www.bar.example:8080"}),
    "http://dev.example:3000": ({"http://dev.example:3000"}, {"http://dev.example"}),
    "https://*": ({"https://any.test", "https://[::1]"}, {"http://any.test",
                                                         "https://any.test:444"}),
    "http://*:8080": ({"http://any.test:8080", "http://[::1]:8080"}, {"http://any.test"}),
    "*": ({FOO, "http://x.test:1234", "null"}, set()),
}


@feature("CORS")
@with_envoy
def an_origin_is_allowed_as_the_filter_says(case: Case):
    one = case.service("one", "a")
    webs = [case.service(f"web-{i}") for i in range(len(ORIGINS))]
    case.serve(one, *webs, *[
        case.http_route(web, rule(one.ref(), filters=[cors(allowOrigins=[origin])]), name=web.name)
        for web, origin in zip(webs, ORIGINS)])
    for web, (allowed, (good, bad)) in zip(webs, ORIGINS.items()):
        for origin in good | bad:
            browser = Browser(web.address, origin)
            for answer in browser.preflight(), browser.request():
                assert is_allowed(answer, origin) == (origin in good), (allowed, origin, answer)


@feature("CORS")
@with_envoy
def a_preflight_is_told_what_is_allowed(case: Case):
    web = serve(case, allowOrigins=[FOO], allowMethods=["GET", "PUT"], maxAge=3600,
                allowHeaders=["X-One", "x-two"], exposeHeaders=["x-three", "x-four"])
    answer = Browser(web.address, FOO).preflight("PUT", "x-one")
    assert is_allowed(answer, FOO) and answer.body == ""
    assert names(answer, ALLOW + "methods") == {"get", "put"}
    assert names(answer, ALLOW + "headers") == {"x-one", "x-two"}
    assert answer.headers["access-control-max-age"] == "3600"
    assert ALLOW + "credentials" not in answer.headers


@with_envoy
def a_request_reaches_the_backend_whatever_its_origin(case: Case):
    web = serve(case, allowOrigins=[FOO], exposeHeaders=["x-three", "x-four"])
    answer = Browser(web.address, FOO).request("/x")
    assert answer.backend == "a" and is_allowed(answer, FOO)
    assert names(answer, "access-control-expose-headers") == {"x-three", "x-four"}
    other = Browser(web.address, "https://other.test").request("/x")
    assert other.backend == "a" and not is_allowed(other, "https://other.test")
    assert get(web.address).backend == "a"
    assert get(web.address, method="OPTIONS", origin=FOO).backend == "a", "it is no preflight"


@with_envoy
def the_default_is_to_allow_little(case: Case):
    answer = Browser(serve(case, allowOrigins=[FOO]).address, FOO).preflight("PUT", "x-one")
    assert is_allowed(answer, FOO)
    assert names(answer, ALLOW + "methods") is None and names(answer, ALLOW + "headers") is None
    assert answer.headers["access-control-max-age"] == "5"


@with_envoy
def any_method_and_header_without_credentials(case: Case):
    web = serve(case, allowOrigins=["*"], allowMethods=["*"], allowHeaders=["*"],
                exposeHeaders=["*"])
    browser = Browser(web.address, FOO)
    answer = browser.preflight("PATCH", "x-one, x-two")
    assert is_allowed(answer, FOO)
    assert names(answer, ALLOW + "methods") in ({"*"}, {"patch"})
    assert names(answer, ALLOW + "headers") in ({"*"}, {"x-one", "x-two"})
    assert names(browser.request(), "access-control-expose-headers") == {"*"}
    assert ALLOW + "credentials" not in answer.headers


@with_envoy
def nothing_is_told_with_a_star_beside_credentials(case: Case):
    web = serve(case, allowOrigins=["*"], allowMethods=["*"], allowHeaders=["*"],
                exposeHeaders=["*"], allowCredentials=True)
    browser = Browser(web.address, FOO)
    answer = browser.preflight("PATCH", "x-one, x-two")
    assert is_allowed(answer, FOO) and answer.headers[ALLOW + "credentials"] == "true"
    assert names(answer, ALLOW + "methods") == {"patch"}
    assert names(answer, ALLOW + "headers") == {"x-one", "x-two"}
    bare = browser.preflight("DELETE")
    assert is_allowed(bare, FOO) and names(bare, ALLOW + "methods") == {"delete"}
    assert names(bare, ALLOW + "headers") is None
    simple = browser.request()
    assert is_allowed(simple, FOO) and simple.headers[ALLOW + "credentials"] == "true"
    assert not any("*" in value for name, value in simple.headers.items()
                   if name.startswith("access-control"))


# --- sessions --------------------------------------------------------------------------------


class Visitor:
    """A client that keeps its session: a cookie or a header that it was given."""

    def __init__(self, address: str, header: Optional[str] = None):
        self.address = address
        self.header = header
        self.kept = {}
        self.cookies = []  # as they were set

    def visit(self, path: str = "/") -> Answer:
        answer = get_with(self.address, path, self.kept)
        if self.header and self.header in answer.headers:
            self.kept = {self.header: answer.headers[self.header]}
        elif "set-cookie" in answer.headers:
            self.cookies.append(answer.headers["set-cookie"])
            self.kept = {"cookie": self.cookies[-1].split(";")[0]}
        return answer


def get_with(address: str, path: str, headers: dict) -> Answer:
    with Http(address) as client:
        return client.request(path=path, headers=headers)


def stays(visitor: Visitor, calls: int = 20) -> bool:
    return len({visitor.visit().backend for _ in range(calls)}) == 1


@feature("sessions in cookies")
@with_envoy
def a_cookie_keeps_a_session_at_its_endpoint(case: Case):
    web, many = case.service("web"), case.service("many", "abcd")
    case.serve(web, many, case.http_route(web, rule(many.ref(), sessionPersistence=session())))
    visitors = [Visitor(web.address) for _ in range(8)]
    assert all(stays(v) for v in visitors)
    assert len({v.visit().backend for v in visitors}) > 1, "new sessions are spread"
    cookie = visitors[0].cookies[0].lower()
    assert cookie.startswith("heddle-") and "path=/" in cookie
    assert "max-age" not in cookie and "expires" not in cookie
    assert len({c.split("=")[0] for v in visitors for c in v.cookies}) == 1


@with_envoy
def a_permanent_cookie_has_its_age(case: Case):
    web, many = case.service("web"), case.service("many", "abcd")
    kept = session(cookie={"name": "cart", "path": "/shop", "lifetimeType": "Permanent"},
                   absoluteTimeout="1h")
    case.serve(web, many, case.http_route(web, rule(many.ref(), sessionPersistence=kept)))
    visitor = Visitor(web.address)
    visitor.visit("/shop/x")
    cookie = visitor.cookies[0].lower()
    assert cookie.startswith("cart=") and "max-age=3600" in cookie and "path=/shop" in cookie


@feature("sessions in headers")
@with_envoy
def a_header_keeps_a_session_at_its_endpoint(case: Case):
    web, many = case.service("web"), case.service("many", "abcd")
    case.serve(web, many, case.http_route(web, rule(
        many.ref(), sessionPersistence=session(header="X-Cart"))))
    visitors = [Visitor(web.address, "x-cart") for _ in range(8)]
    assert all(stays(v) for v in visitors)
    assert len({v.visit().backend for v in visitors}) > 1, "new sessions are spread"


@with_envoy
def a_session_outlives_its_endpoint(case: Case):
    web, many = case.service("web"), case.service("many", "abc")
    route = case.http_route(web, rule(many.ref(), sessionPersistence=session()))
    case.serve(web, many, route)
    visitor = Visitor(web.address)
    gone = visitor.visit().backend
    many.ready = many.ready.replace(gone, "")
    case.apply(web, many, route)
    until(lambda: gone not in {get(web.address).backend for _ in range(10)}, 5,
          "new sessions go elsewhere")
    assert visitor.visit().backend != gone
    assert stays(visitor)


@feature("sessions in cookies")
@with_envoy
def a_session_does_not_override_weights(case: Case):
    """GEP-1619: first the backend by its weight, then the session's endpoint of it."""
    web, one, two = case.service("web"), case.service("one", "ab"), case.service("two", "cd")
    case.serve(web, one, two, case.http_route(web, rule(
        one.ref(7), two.ref(3), sessionPersistence=session())))
    visitor = Visitor(web.address)
    got = collections.Counter("one" if visitor.visit().backend in "ab" else "two"
                              for _ in range(CALLS))
    check_split(got, {"one": 7, "two": 3})


@feature("absolute timeout of a session", reported=ENVOYS)
@with_envoy
def an_absolute_timeout_that_is_not_kept_is_told(case: Case):
    web, many = case.service("web"), case.service("many", "ab")
    case.serve(web, many, case.http_route(web, rule(many.ref(), sessionPersistence=session(
        absoluteTimeout="1h"))))
    assert stays(Visitor(web.address))
    condition = case.heddle.condition("HTTPRoute", case.namespace, "route", "heddle.dev/Enforced")
    assert "rules[0].sessionPersistence.absoluteTimeout" in condition["message"], condition


# --- sessions of gRPC clients ----------------------------------------------------------------


def not_enforced(case: Case) -> str:
    condition = case.heddle.condition("GRPCRoute", case.namespace, "route", "heddle.dev/Enforced")
    return condition["message"] if condition else ""


def stays_by(case: Case, service: Service, first: GrpcResult) -> bool:
    """Whether calls with the cookie of the first one go where that went."""
    kept = case.grpc.call(service.target, count=20,
                          metadata={"cookie": first.cookies[0].split(";")[0]})
    return kept.counts() == {first.reply["backend"]: 20}


@feature("sessions in cookies", reported=["go", "java", "node"])
@with_grpc
def a_cookie_keeps_the_session_of_a_grpc_client(case: Case):
    """gRFC A55: C-core tells the application its cookie, and goes by the one that it sends."""
    web, many = case.service("web", kind="grpc"), case.service("many", "abcd", "grpc")
    case.apply(web, many, case.grpc_route(web, rule(many.ref(), sessionPersistence=session())))
    with case.grpc.watch(web.target, rps=20) as watch:
        watch.wait_for(code=None)
        if case.client != "python":
            until(lambda: "rules[0].sessionPersistence" in not_enforced(case), 5, "a condition")
            return
        first = [case.grpc.call(web.target) for _ in range(8)]
        assert len({call.reply["backend"] for call in first}) > 1, "new sessions are spread"
        assert all(call.cookies[0].startswith("heddle-") for call in first), first[0].cookies
        assert all(stays_by(case, web, call) for call in first), first
        assert not_enforced(case) == ""


@with_clients("python")
def a_session_of_a_grpc_client_does_not_override_weights(case: Case):
    """C-core would keep the backend, too (gRFC A60), which GEP-1619 forbids: so it has no session."""
    web = case.service("web", kind="grpc")
    one, two = case.service("one", "a", "grpc"), case.service("two", "b", "grpc")
    case.apply(web, one, two, case.grpc_route(web, rule(
        one.ref(7), two.ref(3), sessionPersistence=session())))
    with case.grpc.watch(web.target, rps=20) as watch:
        watch.wait_for(code=None)
        until(lambda: "rules[0].sessionPersistence" in not_enforced(case), 5, "a condition")
        result = case.grpc.call(web.target, count=CALLS)
    assert not result.cookies, result.cookies
    check_split(result.counts(), {"a": 7, "b": 3})


@feature("absolute timeout of a session", reported=GRPC_KINDS)
@with_grpc
def an_absolute_timeout_that_no_client_keeps_is_told(case: Case):
    web, many = case.service("web", kind="grpc"), case.service("many", "ab", "grpc")
    case.apply(web, many, case.grpc_route(web, rule(many.ref(), sessionPersistence=session(
        absoluteTimeout="1h"))))
    what = "rules[0].sessionPersistence" + (".absoluteTimeout" if case.client == "python" else "")
    with case.grpc.watch(web.target, rps=20) as watch:
        watch.wait_for(code=None)
        until(lambda: f"do not apply {what}" in not_enforced(case), 5, "a condition")
