# SPDX-License-Identifier: Apache-2.0
"""HTTP through sidecars: Locations as callers see them, paths as backends do."""

from rig import objects
from rig.process import Failed, until
from stage.case import Case
from stage.suite import test

MANY = 200


def to(service: str, *, filters=(), prefix: str = "/", **more) -> dict:
    match = {"path": {"type": "PathPrefix", "value": prefix}}
    return objects.rule(objects.backend(service, 8080), matches=[match], filters=filters, **more)


def away(prefix: str, **spec) -> dict:
    """A rule that redirects; it has no backend."""
    match = {"path": {"type": "PathPrefix", "value": prefix}}
    return objects.rule(matches=[match], filters=[objects.redirect(**spec)])


def start(case: Case) -> None:
    case.mode = "sidecar"
    case.start("backends.yaml", "client.yaml")


def equal(what: str, got, wanted) -> None:
    if got != wanted:
        raise Failed(f"{what} is {got!r}, expected {wanted!r}")


@test
def a_service_without_a_route_behaves_as_ever(case: Case):
    start(case)
    got = case.backends("client", case.url("echo"), count=MANY)
    if set(got) != {"v1", "v2"}:
        raise Failed(f"both versions should answer, got {dict(got)}")


@test
def a_route_chooses_by_path_and_header(case: Case):
    start(case)
    by_header = {"headers": [{"name": "x-version", "value": "two"}]}
    case.route(case.http_route(
        "echo", to("echo-v1", prefix="/one"),
        objects.rule(objects.backend("echo-v2", 8080), matches=[by_header])))
    equal("/one/x", set(case.backends("client", case.url("echo", "/one/x"), count=20)), {"v1"})
    equal("x-version", set(case.backends("client", case.url("echo"), "-H", "x-version: two",
                                         count=20)), {"v2"})
    equal("no match", set(case.backends("client", case.url("echo", "/none"))), {"404"})


@test
def weights_divide_requests(case: Case):
    start(case)
    case.route(case.http_route("echo", objects.rule(objects.backend("echo-v1", 8080, 90),
                                                    objects.backend("echo-v2", 8080, 10))))
    got = case.backends("client", case.url("echo"), count=1000)
    if not 60 <= got["v2"] <= 140 or sum(got.values()) != got["v1"] + got["v2"]:
        raise Failed(f"90 to 10 gave {dict(got)}")


@test
def a_redirect_names_the_place(case: Case):
    start(case)
    case.route(case.http_route(
        "echo",
        away("/host", hostname="example.org", statusCode=301),
        away("/path", path=objects.full_path("/new"), statusCode=302),
        away("/old/prefix", path=objects.prefix_path("/fresh"), statusCode=302),
        away("/port", port=8443),
        away("/secure", scheme="https", hostname="example.org", port=443),
        *[away(f"/code-{code}", hostname="example.org", statusCode=code)
          for code in (301, 302, 303, 307, 308)]))
    here = f"http://{case.host('echo')}:8080"
    for path, status, place in (
            ("/host/a?b=c", 301, "http://example.org:8080/host/a?b=c"),
            ("/path/a", 302, f"{here}/new"),
            ("/old/prefix/a?b=c", 302, f"{here}/fresh/a?b=c"),
            ("/port", 302, f"http://{case.host('echo')}:8443/port"),
            ("/secure/x", 302, "https://example.org/secure/x"),
            *((f"/code-{code}", code, f"http://example.org:8080/code-{code}")
              for code in (301, 302, 303, 307, 308))):
        (answer,) = case.get("client", case.url("echo", path))
        equal(f"the status of {path}", answer["status"], status)
        equal(f"the Location of {path}", answer["headers"]["Location"], [place])


@test
def a_rewritten_path_is_what_the_backend_sees(case: Case):
    start(case)
    case.route(case.http_route(
        "echo",
        to("echo-v1", prefix="/full", filters=[objects.rewrite(path=objects.full_path("/one"))]),
        to("echo-v1", prefix="/prefix/old",
           filters=[objects.rewrite(path=objects.prefix_path("/new"))]),
        to("echo-v1", prefix="/strip", filters=[objects.rewrite(path=objects.prefix_path("/"))]),
        to("echo-v1", prefix="/host", filters=[objects.rewrite(hostname="one.example.org")])))
    for sent, seen in (("/full/a/b", "/one"), ("/prefix/old/a?b=c", "/new/a?b=c"),
                       ("/prefix/old", "/new"), ("/strip/a", "/a"), ("/strip", "/")):
        (answer,) = case.get("client", case.url("echo", sent))
        equal(f"what the backend saw of {sent}", answer["body"]["path"], seen)
    (answer,) = case.get("client", case.url("echo", "/host/a"))
    equal("the Host", answer["body"]["host"], "one.example.org")
    equal("the path beside a new Host", answer["body"]["path"], "/host/a")


@test
def headers_are_changed_on_both_ways(case: Case):
    start(case)
    back = {"type": "ResponseHeaderModifier",
            "responseHeaderModifier": {"set": [{"name": "x-back", "value": "yes"}]}}
    there = objects.header_filter(set={"x-set": "new"}, add={"x-add": "more"}, remove=["x-gone"])
    case.route(case.http_route("echo", to("echo-v1", filters=[there, back])))
    (answer,) = case.get("client", case.url("echo"), "-H", "x-set: old", "-H", "x-add: some",
                         "-H", "x-gone: soon")
    headers = answer["body"]["headers"]
    equal("X-Set", headers.get("X-Set"), ["new"])
    equal("X-Add", ",".join(headers.get("X-Add", [])).replace(" ", ""), "some,more")
    equal("X-Gone", headers.get("X-Gone"), None)
    equal("X-Back", answer["headers"].get("X-Back"), ["yes"])


@test
def the_share_of_a_missing_backend_fails_alone(case: Case):
    start(case)
    case.route(case.http_route("echo", to("nobody", prefix="/bad"), to("echo-v1")))
    equal("/bad", set(case.backends("client", case.url("echo", "/bad"), count=10)), {"500"})
    equal("/good", set(case.backends("client", case.url("echo", "/good"), count=10)), {"v1"})


@test
def the_cluster_ip_is_matched_and_not_the_host(case: Case):
    start(case)
    case.route(case.http_route("echo", to("echo-v1")))
    ip = case.ns.get("service", "echo")["spec"]["clusterIP"]
    got = case.backends("client", f"http://{ip}:8080/", "-host", "whatever.example", count=20)
    equal("by the address", set(got), {"v1"})


@test
def pods_are_reached_by_their_own_addresses(case: Case):
    """What is sent to no Service passes."""
    start(case)
    case.route(case.http_route("echo", to("echo-v1")))
    (pod,) = case.ns.list("pod", app="echo", version="v2")
    got = case.backends("client", f"http://{pod['status']['podIP']}:8080/", count=5)
    equal("by the pod's address", set(got), {"v2"})


@test
def a_server_may_speak_first(case: Case):
    start(case)
    line = case.ns.exec("client", "/workload", "hello", f"{case.host('echo-v1')}:9001")
    equal("the greeting", line.strip(), "hello from v1")


@test
def a_route_that_is_deleted_leaves_the_service_as_it_was(case: Case):
    start(case)
    case.route(case.http_route("echo", to("echo-v1")))
    case.ns.kubectl("delete", "httproute", "route")

    def both() -> bool:
        return set(case.backends("client", case.url("echo"), count=50)) == {"v1", "v2"}
    until(both, 10, "both versions answer again")
