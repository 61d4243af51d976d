# SPDX-License-Identifier: Apache-2.0
"""Gateways, what becomes of a request's URL and headers: Location of redirects, paths and hosts of
rewrites, the order of headers, and that no spelling of a path passes by its route. What is expected
is computed from the text of the Gateway API (httproute_types.go), or is its own table."""

import collections
import itertools
import socket

from rig.gateway import Gateway, listener
from rig.objects import full_path, header_filter, prefix_path, redirect, rewrite, rule
from rig.raw import exchange
from rig.suite import Case, alone
from rig.tls import Https
from rig.traffic import Http, check_split

from cases.gateways import authority, the_secret

RULES_MAX = 16  # of a route
REQUESTS = 300
WELL_KNOWN = {"http": 80, "https": 443}
STATUS_CODES = (301, 302, 303, 307, 308)
LISTENERS = (("http", 80), ("http", 8080), ("https", 443), ("https", 8443))


def starts_with(path: str) -> dict:
    return {"path": {"type": "PathPrefix", "value": path}}


def routes_of(gateway: Gateway, rules: list, name: str = "route", **more) -> list:
    """As many routes as so many rules need."""
    return [gateway.route(*rules[i:i + RULES_MAX], name=f"{name}-{i // RULES_MAX}", **more)
            for i in range(0, len(rules), RULES_MAX)]


# --- Location ---------------------------------------------------------------------------------

PATHS = {None: "{0}/x%20y", "full": "/new/path", "prefix": "/other/x%20y", "none": "/x%20y"}
MODIFIERS = {None: {}, "full": {"path": full_path("/new/path")},
             "prefix": {"path": prefix_path("/other/")}, "none": {"path": prefix_path("/")}}


def location(scheme: str, port: int, host: str, path: str, wanted: dict) -> str:
    """HTTPRequestRedirectFilter: "If redirect scheme is not-empty, the redirect port MUST be the
    well-known port associated with the redirect scheme. If redirect scheme is empty, the redirect
    port MUST be the Gateway Listener port. SHOULD NOT add the port number … HTTP … port 80 …
    HTTPS … port 443". Ours: where the client itself wrote a port, one is written back, since Envoy
    cannot leave it out; browsers never write the well-known ones (xds/route_action.c)."""
    to = wanted.get("scheme", scheme)
    number = wanted.get("port") or (WELL_KNOWN[to] if "scheme" in wanted else port)
    name, _, written = host.partition(":")
    needless = number == WELL_KNOWN[to] and ("hostname" in wanted or not written)
    return f"{to}://{wanted.get('hostname', name)}{'' if needless else f':{number}'}{path}"


def may_listen(port: int) -> bool:
    """The well-known ones are root's."""
    try:
        socket.create_server(("127.30.255.2", port)).close()
        return True
    except PermissionError:
        return False


@alone
def location_of_every_redirect(case: Case):
    """Scheme, host, port, path and status, on HTTP and HTTPS, of well-known ports and others,
    whether the Host names a port or not."""
    made = authority(case, web="DNS:a.example.com")
    listeners = [(scheme, port) for scheme, port in LISTENERS if may_listen(port)]
    gateway = Gateway(case, *[
        listener(f"{scheme}-{port}", port, scheme.upper(), "a.example.com", ["web"])
        for scheme, port in listeners])
    wishes = []
    for scheme, hostname, port, path in itertools.product(
            (None, "http", "https"), (None, "b.example.org"), (None, 80, 443, 8080, 9999), PATHS):
        spec = {"scheme": scheme, "hostname": hostname, "port": port}
        spec = {key: value for key, value in spec.items() if value}
        wishes.append((spec, path, STATUS_CODES[len(wishes) % len(STATUS_CODES)]))
    rules = [rule(matches=[starts_with(f"/r{i}")],
                  filters=[redirect(**spec, **MODIFIERS[path], statusCode=status)])
             for i, (spec, path, status) in enumerate(wishes)]
    gateway.apply(the_secret(case, made, "web"), *routes_of(gateway, rules))
    wrong = {}
    with gateway.wait_started(*[port for _, port in listeners]):
        for scheme, port in listeners:
            at = gateway.at(port)
            client = Http(at) if scheme == "http" else Https(at, "a.example.com", made)
            for (i, (spec, path, status)), host in itertools.product(
                    enumerate(wishes), ("a.example.com", f"a.example.com:{port}")):
                expected = location(scheme, port, host, PATHS[path].format(f"/r{i}"),
                                    spec) + "?a=b%26c"
                answer = client.request(path=f"/r{i}/x%20y?a=b%26c", headers={"Host": host})
                if (answer.status, answer.location) != (status, expected):
                    wrong[scheme, port, host, i, str(spec)] = (answer.status, answer.location,
                                                               expected)
            client.close()
    assert not wrong, f"{len(wrong)} of {len(wishes) * 8}, such as {list(wrong.items())[:5]}"


# --- paths ------------------------------------------------------------------------------------

# HTTPPathModifier.replacePrefixMatch, its table and what follows from it: match, replacement,
# request, what the backend gets.
PREFIXES = (
    ("/foo", "/xyz", "/foo/bar", "/xyz/bar"), ("/foo", "/xyz/", "/foo/bar", "/xyz/bar"),
    ("/foo/", "/xyz", "/foo/bar", "/xyz/bar"), ("/foo/", "/xyz/", "/foo/bar", "/xyz/bar"),
    ("/foo", "/xyz", "/foo", "/xyz"), ("/foo", "/xyz", "/foo/", "/xyz/"),
    ("/foo", "", "/foo/bar", "/bar"), ("/foo", "", "/foo/", "/"), ("/foo", "", "/foo", "/"),
    ("/foo", "/", "/foo/", "/"), ("/foo", "/", "/foo", "/"), ("/foo", "/", "/foo/bar", "/bar"),
    ("/", "/xyz", "/", "/xyz/"), ("/", "/xyz", "/bar", "/xyz/bar"),
    ("/foo", "/xyz", "/foo?q=/foo", "/xyz?q=/foo"), ("/foo", "/", "/foo?q", "/?q"),
    ("/foo", "/xyz", "/foo//bar", "/xyz//bar"), ("/foo", "/xyz", "/foo/%2F;p=1", "/xyz/%2F;p=1"),
    ("/foo", "/x.y", "/foo/a+b", "/x.y/a+b"), ("/foo", r"/\1", "/foo/b", r"/\1/b"),
    ("/f.o", "/xyz", "/f.o/bar", "/xyz/bar"),
)


@alone
def paths_and_hosts_that_backends_get(case: Case):
    """The specification's table of prefixes, each on a hostname of its own; whole paths; hosts."""
    one = case.service("one", "a")
    gateway = Gateway(case, listener("http", 8080))
    rows = list(PREFIXES)
    routes = [gateway.route(
        rule(one.ref(), matches=[starts_with(match)],
             filters=[rewrite(path=prefix_path(to), hostname="inner.example.org")]),
        hostnames=[f"h{i}.example.com"], name=f"prefix-{i}") for i, (match, to, *_) in enumerate(rows)]
    routes.append(gateway.route(
        rule(one.ref(), matches=[starts_with("/full")],
             filters=[rewrite(path=full_path("/a-b"))]),
        rule(one.ref(), matches=[{"path": {"type": "Exact", "value": "/exact"}}],
             filters=[rewrite(path=full_path("/"))]),
        rule(one.ref(), matches=[{"path": {"type": "RegularExpression", "value": "/re[0-9]+"}}],
             filters=[rewrite(hostname="re.example.org")]),
        hostnames=["full.example.com"], name="full"))
    gateway.apply(one, *routes)
    with gateway.wait_started(8080):
        with Http(gateway.at(8080)) as client:
            got = []
            for i, row in enumerate(rows):
                answer = client.request(path=row[2], headers={"Host": f"h{i}.example.com"})
                got.append((*row[:3], answer.echo["path"]))
                assert answer.echo["host"] == "inner.example.org", answer.echo
            assert got == rows, [pair for pair in zip(got, rows) if pair[0] != pair[1]]
            whole = {"/full/x/y?q=1": ("/a-b?q=1", "full.example.com"),
                     "/exact": ("/", "full.example.com"),
                     "/re12": ("/re12", "re.example.org")}
            for path, expected in whole.items():
                echo = client.request(path=path, headers={"Host": "full.example.com"}).echo
                assert (echo["path"], echo["host"]) == expected, echo


@alone
def each_backend_has_its_path_and_host(case: Case):
    """Weights beside rewrites of single backends; a share that does not resolve; the rule's own."""
    one, two, three = (case.service(name, letter) for name, letter in
                       (("one", "a"), ("two", "b"), ("three", "c")))
    gateway = Gateway(case, listener("http", 8080))
    moves = (rewrite(path=prefix_path("/one"), hostname="one.example.org"),
             rewrite(path=full_path("/two")), rewrite(hostname="three.example.org"))
    gateway.apply(one, two, three, gateway.route(rule(
        {**one.ref(1), "filters": [moves[0]]}, {**two.ref(2), "filters": [moves[1]]},
        {**three.ref(1), "filters": [moves[2]]}, {"name": "none", "port": 8000, "weight": 1},
        matches=[starts_with("/x")])))
    with gateway.wait_started(8080):
        counts = collections.Counter()
        with Http(gateway.at(8080)) as client:
            for _ in range(REQUESTS):
                answer = client.request(path="/x/y", headers={"Host": "h.example.com"})
                counts["500" if answer.status == 500 else " ".join(
                    answer.echo[key] for key in ("backend", "host", "path"))] += 1
        check_split(counts, {"a one.example.org /one/y": 1, "b h.example.com /two": 2,
                             "c three.example.org /x/y": 1, "500": 1})


# --- headers ----------------------------------------------------------------------------------

@alone
def the_order_of_headers(case: Case):
    """Within a name values stay in order; what is set replaces all, what is added comes last; a
    backend's filters after the rule's; Host and what the gateway itself says are no one's."""
    one = case.service("one", "a")
    gateway = Gateway(case, listener("http", 8080))
    of_rule = header_filter(set={"X-Set": "rule", "X-Both": "rule"},
                            add={"X-Add": "rule", "X-Percent": "100%REQ(host)%"}, remove=["x-gone"])
    of_backend = header_filter(set={"x-both": "backend"}, add={"x-add": "backend"})
    response = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {
        "set": [{"name": "Cache-Control", "value": "no-store"}],
        "add": [{"name": "X-Served", "value": "first"}, {"name": "x-more", "value": "a, b"}],
        "remove": ["content-type"]}}
    gateway.apply(one, gateway.route(rule({**one.ref(), "filters": [of_backend]},
                                          filters=[of_rule, response])))
    with gateway.wait_started(8080):
        answer = exchange(gateway.at(8080), (
            b"GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n"
            b"X-Add: 1\r\nx-set: old\r\nX-ADD: 2\r\nX-Set: older\r\nx-gone: 1\r\nX-Gone: 2\r\n"
            b"x-keep: z\r\nx-keep: a\r\nX-Keep: m\r\n\r\n"))
        headers = answer.json()["headers"]
        seen = {name: headers.get(name) for name in
                ("X-Set", "X-Add", "X-Both", "X-Gone", "X-Percent", "X-Keep")}
        assert seen == {"X-Set": ["rule"], "X-Add": ["1", "2", "rule", "backend"],
                        "X-Both": ["backend"], "X-Gone": None, "X-Percent": ["100%REQ(host)%"],
                        "X-Keep": ["z", "a", "m"]}, seen
        told = {name: answer.all(name) for name in
                ("cache-control", "x-served", "x-more", "content-type")}
        assert told == {"cache-control": ["no-store"], "x-served": ["first"], "x-more": ["a, b"],
                        "content-type": []}, told


# --- no way around a route --------------------------------------------------------------------

# What is sent; which route has it, as what the backend gets. "." and "..", also escaped, and '\'
# are resolved before routes are asked, as is "..;", which some servers take for ".."; "//", "%2F"
# and ";" are not touched, neither for the routes nor for the backend: both speak of one path.
SPELLINGS = {
    "/secret": "b /secret", "/secret/": "b /secret/", "/secret/x": "b /secret/x",
    "/open/../secret": "b /secret", "/./secret": "b /secret", "/secret/.": "b /secret/",
    "/open/%2e%2e/secret": "b /secret", "/open/.%2E/secret": "b /secret", "/%2e/secret": "b /secret",
    "/../../secret": "b /secret", r"/open\..\secret": "b /secret", r"/\secret": "a //secret",
    "/%73ecret": "b /secret", "/s%65cret/x": "b /secret/x",
    "/secret;x": "a /secret;x", "/secret;/x": "a /secret;/x", "//secret": "a //secret",
    "/secret%2Fx": "a /secret%2Fx", "/Secret": "a /Secret", "/secretx": "a /secretx",
    "/secret?/../open": "b /secret?/../open", "/secret/../open": "a /open",
    "/open/..;/secret": "b /secret", "/open/%252e%252e/secret": "a /open/%252e%252e/secret",
    "/secret%00": "400", "/secret#x": "400",
}


@alone
def no_spelling_passes_by_a_route(case: Case):
    """The backend behind "/" never gets a path that it could take for "/secret" by the rules of
    URLs (RFC 3986, 5.2.4, 6.2.2)."""
    one, two = case.service("one", "a"), case.service("two", "b")
    gateway = Gateway(case, listener("http", 8080))
    gateway.apply(one, two, gateway.route(
        rule(one.ref(), matches=[starts_with("/")]),
        rule(two.ref(), matches=[starts_with("/secret")])))
    with gateway.wait_started(8080):
        def told(path: str) -> str:
            answer = exchange(gateway.at(8080), (f"GET {path} HTTP/1.1\r\nHost: a.example.com\r\n"
                                                 "Connection: close\r\n\r\n").encode())
            if answer.status != 200:
                return str(answer.status)
            return f"{answer.json()['backend']} {answer.json()['path']}"

        got = {path: told(path) for path in SPELLINGS}
        wrong = {path: (got[path], wanted) for path, wanted in SPELLINGS.items()
                 if got[path] != wanted}
        assert not wrong, wrong
