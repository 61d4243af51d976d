# SPDX-License-Identifier: Apache-2.0
"""Redirects, rewrites, timeouts, mirrors and retries, as clients and backends see them."""

from typing import Tuple

from cases.grpc import TELL_WHY
from rig.features import feature
from rig.grpc import GRPC_KINDS, GrpcResult
from rig.objects import backend, cors, full_path, header_filter, mirror, prefix_path, redirect
from rig.objects import rewrite, rule, session
from rig.process import until
from rig.suite import BACKENDS, ENVOYS, PORTS, Case, Service, with_envoy, with_grpc
from rig.traffic import Answer, Http, check_split, get, seen, split_bounds

CALLS = 400
MIRROR_SECONDS = 2
CODES = [500, 502, 503, 504]
CALL = "/shop.Cart/Echo"


def at(prefix: str) -> list:
    return [{"path": {"type": "PathPrefix", "value": prefix}}]


def seen_by(name: str, test_id: str) -> list:
    return seen(f"{BACKENDS[name]}:{PORTS['http']}", test_id)


def not_enforced(case: Case) -> str:
    """What the case's route says that clients do not enforce."""
    routes = [i for i in case.heddle.api("status")["items"]
              if i["metadata"]["namespace"] == case.namespace and i["kind"] == "HTTPRoute"]
    return "".join(c["message"] for c in routes[0]["status"]["parents"][0]["conditions"]
                   if c["type"] == "heddle.dev/Enforced")


# --- redirects -------------------------------------------------------------------------------


def check_locations(service: Service, wanted: dict) -> None:
    """wanted: {(Host, path): Location}"""
    got = {(host, path): get(service.address, path, host=host).location for host, path in wanted}
    assert got == wanted, got


@feature("redirects")
@with_envoy
def a_redirect_writes_the_port_that_counts(case: Case):
    web, eighty = case.service("web", "a"), case.service("eighty", "a", port=80)
    rules = [
        rule(matches=at("/explicit"), filters=[redirect(scheme="https", port=8443)]),
        rule(matches=at("/scheme"), filters=[redirect(scheme="https")]),
        rule(matches=at("/known"), filters=[redirect(scheme="https", hostname="n.test", port=443)]),
        rule(matches=at("/host"), filters=[redirect(hostname="n.test")]),
        rule(matches=at("/path"), filters=[redirect(path=full_path("/new"))])]
    case.serve(web, eighty, case.http_route(web, *rules),
               case.http_route(eighty, *rules, name="eighty"))
    check_locations(web, {
        ("web", "/explicit"): "https://web:8443/explicit",
        ("web:8000", "/explicit"): "https://web:8443/explicit",
        ("[::1]:8000", "/explicit"): "https://[::1]:8443/explicit",
        ("web", "/scheme?q=1"): "https://web/scheme?q=1",
        ("[::1]", "/scheme"): "https://[::1]/scheme",
        # Envoy can replace the port of a Host, but not take it away
        ("web:8000", "/scheme"): "https://web:443/scheme",
        ("[::1]:8000", "/scheme"): "https://[::1]:443/scheme",
        ("web:8000", "/known"): "https://n.test/known",
        ("web", "/host"): "http://n.test:8000/host",
        ("web:1234", "/host"): "http://n.test:8000/host",
        ("web", "/path"): "http://web:8000/new",
        ("web:1234", "/path?q=1"): "http://web:8000/new?q=1"})
    check_locations(eighty, {
        ("web", "/host"): "http://n.test/host",
        ("web:80", "/host"): "http://n.test/host",
        ("web", "/path"): "http://web/new",
        ("web:80", "/path"): "http://web:80/new"})


@feature("redirects")
@with_envoy
def a_redirect_has_the_status_that_the_route_asks_for(case: Case):
    web = case.service("web", "a")
    codes = [301, 302, 303, 307, 308]
    case.serve(web, case.http_route(web, rule(filters=[redirect(hostname="n.test")]), *[
        rule(matches=at(f"/{code}"), filters=[redirect(hostname="n.test", statusCode=code)])
        for code in codes]))
    assert [get(web.address, f"/{code}").status for code in codes] == codes
    assert get(web.address).status == 302


# {(prefix, what replaces it): {request: path}}
PREFIXES = {
    ("/foo", "/xyz"): {"/foo/bar": "/xyz/bar", "/foo": "/xyz", "/foo/": "/xyz/",
                       "/foo/bar/?a=b&c": "/xyz/bar/?a=b&c", "/foo?x": "/xyz?x"},
    ("/foo/", "/xyz"): {"/foo/bar": "/xyz/bar", "/foo": "/xyz"},
    ("/foo", "/xyz/"): {"/foo/bar": "/xyz/bar", "/foo": "/xyz", "/foo/": "/xyz/"},
    ("/foo", ""): {"/foo/bar": "/bar", "/foo/": "/", "/foo": "/", "/foo?x": "/?x",
                   "/foo//bar": "/bar"},
    ("/foo", "/"): {"/foo/bar": "/bar", "/foo/": "/", "/foo": "/"},
    ("/", "/xyz"): {"/": "/xyz/", "/bar": "/xyz/bar", "/bar?x=/foo": "/xyz/bar?x=/foo"},
    ("/", "/"): {"/": "/", "/bar": "/bar"},
    ("/f.o", "/x%41"): {"/f.o/bar": "/x%41/bar"},
}


def serve_prefixes(case: Case, backends: list, replace) -> list:
    """A Service and a route for each of PREFIXES; replace(path modifier) is their filter."""
    services = [case.service(f"web-{i}", "a", port=80) for i in range(len(PREFIXES) + 1)]
    rules = [rule(*[b.ref() for b in backends], matches=at(prefix), filters=[
        replace(prefix_path(new))]) for prefix, new in PREFIXES]
    rules.append(rule(*[b.ref() for b in backends], filters=[replace(full_path("/all/new"))]))
    case.serve(*backends, *services, *[
        case.http_route(web, one, name=web.name) for web, one in zip(services, rules)])
    return services


@feature("redirects")
@with_envoy
def a_redirect_replaces_paths(case: Case):
    services = serve_prefixes(case, [], lambda path: redirect(hostname="n.test", path=path))
    for web, (replaced, wanted) in zip(services, PREFIXES.items()):
        got = {p: get(web.address, p).location for p in wanted}
        assert got == {p: f"http://n.test{new}" for p, new in wanted.items()}, (replaced, got)
    assert get(services[-1].address, "/x/y?q=1").location == "http://n.test/all/new?q=1"


# --- rewrites --------------------------------------------------------------------------------


@feature("URL rewrites")
@with_envoy
def a_rewrite_replaces_paths(case: Case):
    services = serve_prefixes(case, [case.service("one", "a")], lambda path: rewrite(path=path))
    for web, (replaced, wanted) in zip(services, PREFIXES.items()):
        got = {p: get(web.address, p).echo["path"] for p in wanted}
        assert got == wanted, (replaced, got)
    echo = get(services[-1].address, "/x/y?q=1", host="web").echo
    assert (echo["path"], echo["host"]) == ("/all/new?q=1", "web"), echo
    assert not [name for name in echo["headers"] if name.startswith("X-Envoy")], echo


@feature("URL rewrites")
@with_envoy
def a_rewrite_gives_backends_another_host(case: Case):
    web, one, two = case.service("web"), case.service("one", "a"), case.service("two", "b")
    special = {**two.ref(), "filters": [rewrite(hostname="two.test")]}
    both = rewrite(hostname="rule.test", path=prefix_path("/new"))
    case.serve(web, one, two, case.http_route(
        web,
        rule(one.ref(), filters=[rewrite(hostname="rule.test")], matches=at("/rule")),
        rule(one.ref(), special, filters=[both], matches=at("/both")),
        rule(one.ref(), special, matches=at("/backend"))))
    echo = get(web.address, "/rule", host="web").echo
    assert (echo["host"], echo["path"]) == ("rule.test", "/rule"), echo
    with Http(web.address) as client:
        for path, new, host in (("/both/x", "/new/x", "rule.test"),
                                ("/backend", "/backend", "web")):
            echoes = [client.request(path=path, headers={"host": "web"}).echo for _ in range(40)]
            assert {(e["backend"], e["host"], e["path"]) for e in echoes} == {
                ("a", host, new), ("b", "two.test", new)}, echoes


# --- timeouts --------------------------------------------------------------------------------


@feature("timeouts.request", "timeouts.request of up to two seconds", "timeouts.backendRequest")
@with_envoy
def a_timeout_is_504(case: Case):
    web, one = case.service("web"), case.service("one", "a")
    limits = {"/request": {"request": "600ms"}, "/attempt": {"backendRequest": "600ms"},
              "/both": {"request": "9s", "backendRequest": "600ms"}, "/none": {"request": "0s"}}
    case.serve(web, one, case.http_route(web, *[
        rule(one.ref(), matches=at(path), timeouts=limit) for path, limit in limits.items()]))
    for path in ("/request", "/attempt", "/both"):
        slow = get(web.address, f"{path}?delay=5000")
        assert slow.status == 504 and 0.5 < slow.seconds < 4, (path, slow)
        assert get(web.address, f"{path}?delay=10").backend == "a"
    assert get(web.address, "/none?delay=700").backend == "a"


# --- mirrors ---------------------------------------------------------------------------------


@feature("mirrors")
@with_envoy
def a_mirror_gets_a_copy_whose_answer_nobody_sees(case: Case):
    web = case.service("web")
    one, two, three = case.service("one", "a"), case.service("two", "b"), case.service("three", "c")
    mirrors = [mirror(two.ref()), mirror(backend("missing", 8000)), mirror(three.ref())]
    case.serve(web, one, two, three, case.http_route(web, rule(one.ref(), filters=mirrors)))
    answer = get(web.address, "/x?y", host="web", x_test_id=case.namespace)
    assert answer.backend == "a", answer
    for name in "bc":
        copies = until(lambda: seen_by(name, case.namespace), MIRROR_SECONDS, f"'{name}' got it")
        assert [(c["path"], c["host"]) for c in copies] == [("/x?y", "web")], copies


@with_envoy
def a_mirror_sees_what_the_rewrite_made(case: Case):
    web, one, two = case.service("web"), case.service("one", "a"), case.service("two", "b")
    change = rewrite(hostname="n.test", path=prefix_path("/new"))
    case.serve(web, one, two, case.http_route(
        web, rule(one.ref(), filters=[change, mirror(two.ref())])))
    assert get(web.address, "/x", host="web", x_test_id=case.namespace).echo["host"] == "n.test"
    copies = until(lambda: seen_by("b", case.namespace), MIRROR_SECONDS, "a copy")
    assert [(c["path"], c["host"]) for c in copies] == [("/new/x", "n.test")], copies


@feature("mirrors")
@with_envoy
def a_mirror_gets_its_share(case: Case):
    web, one, two = case.service("web"), case.service("one", "a"), case.service("two", "b")
    missing = backend("missing", 8000, 1)
    shares = {"/percent": ({"percent": 25}, 0.25), "/none": ({"percent": 0}, 0.0),
              "/fraction": ({"fraction": {"numerator": 1, "denominator": 3}}, 1 / 3),
              "/half": ({"percent": 50}, 0.5)}
    case.serve(web, one, two, case.http_route(web, *[
        rule(one.ref(), *([missing] if path == "/half" else []), matches=at(path),
             filters=[mirror(two.ref(), **share)]) for path, (share, _) in shares.items()]))
    for path, (_, share) in shares.items():
        test_id = case.namespace + path
        with Http(web.address) as client:
            counts = client.outcomes(CALLS, path=path, headers={"x-test-id": test_id})
        check_split(counts, {"a": 1, "500": 1} if path == "/half" else {"a": 1})
        wanted = split_bounds(counts["a"], share)
        until(lambda: len(seen_by("b", test_id)) >= wanted.start, MIRROR_SECONDS, "copies")
        assert len(seen_by("b", test_id)) in wanted, (path, len(seen_by("b", test_id)), wanted)


# --- retries ---------------------------------------------------------------------------------


def attempts(case: Case, service: Service, path: str) -> Tuple[Answer, int]:
    """The answer to a request, and how many of it the backend 'a' saw."""
    test_id = case.namespace + path.split("?")[0]
    return get(service.address, path, x_test_id=test_id), len(seen_by("a", test_id))


@feature("retries", "retries of codes other than 429, 502, 503, 504")
@with_envoy
def retries_follow_codes_and_attempts(case: Case):
    web, one = case.service("web"), case.service("one", "a")
    retries = {"/enough": {"codes": CODES, "attempts": 3}, "/few": {"codes": CODES, "attempts": 2},
               "/default": {"codes": CODES}, "/never": {"codes": CODES, "attempts": 0},
               "/other": {"codes": [500], "attempts": 3}, "/no-codes": {"attempts": 3},
               "/backoff": {"codes": CODES, "attempts": 3, "backoff": "50ms"}}
    case.serve(web, one, case.http_route(web, *[
        rule(one.ref(), matches=at(path), retry=retry) for path, retry in retries.items()]))
    for code in CODES:
        answer, count = attempts(case, web, f"/enough/{code}?status={code}&fail=3")
        assert (answer.status, count) == (200, 4), (code, answer, count)
    wanted = {"/few": 3, "/default": 2, "/never": 1, "/other": 1, "/no-codes": 1, "/backoff": 4}
    for path, expected in wanted.items():
        answer, count = attempts(case, web, f"{path}?status=503&fail=9")
        assert (answer.status, count) == (503, expected), (path, answer, count)


@feature("retries, backoff", reported=ENVOYS)
@with_envoy
def a_backoff_that_is_not_kept_is_told(case: Case):
    web, one = case.service("web"), case.service("one", "a")
    case.serve(web, one, case.http_route(web, rule(
        one.ref(), retry={"codes": [503], "attempts": 1, "backoff": "80ms"})))
    until(lambda: "may retry sooner than rules[0].retry.backoff" in not_enforced(case), 5,
          "a condition")


@feature("retries", "retries, more than four")
@with_envoy
def connection_errors_are_retried(case: Case):
    web, one = case.service("web"), case.service("one", "a")
    service, slice_ = one.objects()
    slice_["endpoints"].append({"addresses": ["127.20.9.9"], "conditions": {"ready": True}})
    case.serve(web, service, slice_, case.http_route(web, rule(one.ref(), retry={"attempts": 20})))
    with Http(web.address) as client:
        assert client.outcomes(100) == {"a": 100}


@feature("timeouts.backendRequest")
@with_envoy
def attempts_that_time_out_are_retried_within_the_request(case: Case):
    web, one = case.service("web"), case.service("one", "a")
    case.serve(web, one, case.http_route(
        web,
        rule(one.ref(), matches=at("/ok"), retry={"codes": [504], "attempts": 2},
             timeouts={"request": "9s", "backendRequest": "500ms"}),
        rule(one.ref(), matches=at("/late"), retry={"codes": [504], "attempts": 20},
             timeouts={"request": "1500ms", "backendRequest": "500ms"})))
    answer, count = attempts(case, web, "/ok?delay=8000&fail=2")
    assert (answer.status, count) == (200, 3) and answer.seconds < 7, (answer, count)
    answer, count = attempts(case, web, "/late?delay=8000&fail=99")
    assert answer.status == 504 and answer.seconds < 7 and count in (2, 3), (answer, count)


# --- proxyless -------------------------------------------------------------------------------


@feature("redirects", reported=GRPC_KINDS)
@with_grpc
def a_redirect_fails(case: Case):
    web = case.service("web", "a", "grpc")
    case.apply(web, case.http_route(web, rule(filters=[redirect(hostname="n.test")])))
    with case.grpc.watch(web.target, rps=20) as watch:
        message = watch.wait_for(code="UNAVAILABLE")["message"]
        assert case.client not in TELL_WHY or "clients do not follow" in message, message
        until(lambda: "do not apply rules[0].filters[0]" in not_enforced(case), 5, "a condition")


@feature("header modifiers", "URL rewrites", "mirrors", "CORS", "sessions in headers",
         "retries of codes other than 429, 502, 503, 504", "retries, more than four",
         "timeouts.backendRequest", reported=GRPC_KINDS)
@with_grpc
def what_a_client_does_not_apply_is_told_while_it_is_there(case: Case):
    web, one = case.service("web", kind="grpc"), case.service("one", "a", "grpc")
    modify = header_filter(set={"x-set": "new"})
    case.apply(web, one, case.http_route(web, rule(
        one.ref(), filters=[modify, rewrite(hostname="n.test"), mirror(one.ref()), cors()],
        retry={"codes": [500], "attempts": 5}, timeouts={"backendRequest": "9s"},
        sessionPersistence=session(header="x-cart"))))
    wanted = ("proxyless gRPC clients do not apply rules[0].filters[0], rules[0].filters[1], "
              "rules[0].filters[2], rules[0].filters[3], rules[0].retry.codes[0], "
              "rules[0].retry.attempts above 4, rules[0].timeouts.backendRequest, "
              "rules[0].sessionPersistence")
    with case.grpc.watch(web.target, rps=20) as watch:
        watch.wait_for(backend="a")
        until(lambda: wanted in not_enforced(case), 5, "a condition")
        assert "x-set" not in watch.result.reply["metadata"], watch.result.reply
    # a client in Node.js keeps its stream
    until(lambda: case.client == "node" or not_enforced(case) == "", 5, "no condition")


def check_too_late(case: Case, result: GrpcResult) -> None:
    """A server keeps the limit, too, and may be the first to end the call: by a reset, which
    grpc-js passes on as it is."""
    code = result.only_error()["code"]
    assert code == "DEADLINE_EXCEEDED" or (case.client, code) == ("node", "CANCELLED"), result


@feature("timeouts.request")
@with_grpc
def a_timeout_is_deadline_exceeded(case: Case):
    web, one = case.service("web", kind="grpc"), case.service("one", "a", "grpc")
    case.apply(web, one, case.http_route(web, rule(one.ref(), timeouts={"request": "3s"})))
    # C-core takes up to two seconds off such a limit (grpc/grpc#34547)
    check_too_late(case, case.grpc.call(web.target, metadata={"x-delay": "7000"}, timeout=9))
    case.grpc.call(web.target, metadata={"x-delay": "10"}).check_no_failure()


@feature("timeouts.request of up to two seconds", reported=["python"])
@with_grpc
def a_short_timeout_is_kept_or_told(case: Case):
    """C-core takes up to two seconds off a limit, and may fail calls at once."""
    web, one = case.service("web", kind="grpc"), case.service("one", "a", "grpc")
    case.apply(web, one, case.http_route(web, rule(one.ref(), timeouts={"request": "800ms"})))
    with case.grpc.watch(web.target, rps=20) as watch:
        if case.client == "python":
            until(lambda: "take up to two seconds off rules[0].timeouts" in not_enforced(case), 5,
                  "a condition")
            return
        watch.wait_for(backend="a")
        slow = case.grpc.call(web.target, metadata={"x-delay": "5000"}, timeout=8)
        check_too_late(case, slow)
        assert 700 < slow.first_ms < 4000, slow
        assert not_enforced(case) == "", not_enforced(case)


@feature("retries")
@with_grpc
def calls_are_retried(case: Case):
    web, one = case.service("web", kind="grpc"), case.service("one", "a", "grpc")
    case.apply(web, one, case.http_route(web, rule(
        one.ref(), retry={"codes": [503], "attempts": 2, "backoff": "20ms"})))
    for failures, code in ((2, None), (3, "UNAVAILABLE")):
        metadata = {"x-test-id": f"{case.namespace}-{failures}", "x-fail": str(failures)}
        result = case.grpc.call(web.target, methods=[CALL], metadata=metadata)
        assert [e["code"] for e in result.errors] == ([code] if code else []), result


@feature("retries, backoff")
@with_grpc
def a_retry_comes_no_sooner_than_the_backoff(case: Case):
    web, one = case.service("web", kind="grpc"), case.service("one", "a", "grpc")
    case.apply(web, one, case.http_route(web, rule(
        one.ref(), retry={"codes": [503], "attempts": 1, "backoff": "80ms"})))
    case.grpc.call(web.target).check_no_failure()
    for number in range(20):
        metadata = {"x-test-id": f"{case.namespace}-{number}", "x-fail": "1"}
        result = case.grpc.call(web.target, metadata=metadata)
        result.check_no_failure()
        assert result.first_ms > 79, result
