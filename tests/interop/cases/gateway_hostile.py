# SPDX-License-Identifier: Apache-2.0
"""Gateways, what objects others may write: broken, huge, or about what is not theirs. Each has its
condition, all others are served without a failed request, and after the mend all is well."""

import base64
import copy
import pathlib
import time
from typing import Optional

from rig.gateway import API, Gateway, listener
from rig.objects import cors, full_path, header_filter, mirror, prefix_path, redirect, rewrite, rule
from rig.pki import Authority, openssl
from rig.process import until
from rig.suite import Case, alone
from rig.tls import Https
from rig.traffic import Http, HttpLoad, get

from cases.gateways import authority, the_secret

SECONDS = 5
HOST = "a.example.com"
SECRET_BYTES = 1 << 20  # the most that Kubernetes takes
HOSTNAMES = 10000
OF_A_ROUTE = 16
LISTENERS = 1000
OF_A_SET = 64
EARLY, LATE = "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"


def reasons(case: Case, kind: str, name: str, namespace: str = "") -> dict:
    """{listener or "": {type: reason}} of a Gateway, ListenerSet; of a route, of its first parent."""
    for item in case.heddle.api("status")["items"]:
        at = item["metadata"]
        if (item["kind"], at.get("namespace"), at["name"]) == (kind, namespace or case.namespace,
                                                               name):
            status = item["status"]
            parts = {"": status, **{x["name"]: x for x in status.get("listeners", [])}}
            if "parents" in status:
                parts[""] = status["parents"][0]
            return {key: {c["type"]: c["reason"] for c in part.get("conditions", [])}
                    for key, part in parts.items()}
    return {}


def raw_secret(name: str, case: Case, cert: bytes, key: bytes, kind: str = "kubernetes.io/tls",
               **more: bytes) -> dict:
    data = {"tls.crt": cert, "tls.key": key, **more}
    return {"apiVersion": "v1", "kind": "Secret", "type": kind,
            "metadata": {"name": name, "namespace": case.namespace},
            "data": {k: base64.b64encode(v).decode() for k, v in data.items()}}


def listener_set(case: Case, gateway: Gateway, name: str, listeners: list,
                 namespace: Optional[str] = None, created: str = LATE) -> dict:
    parent = {"name": gateway.name, "namespace": case.namespace}
    return {"apiVersion": API, "kind": "ListenerSet",
            "metadata": {"name": name, "namespace": namespace or case.namespace,
                         "creationTimestamp": created},
            "spec": {"parentRef": parent, "listeners": listeners}}


def of_set(route: dict, name: str) -> dict:
    """The route, attached to a ListenerSet."""
    route["spec"]["parentRefs"] = [{"group": "gateway.networking.k8s.io", "kind": "ListenerSet",
                                    "name": name}]
    return route


ALLOWED = {"namespaces": {"from": "All"}}


# --- certificates -----------------------------------------------------------------------------

def broken_secrets(case: Case, made: Authority) -> dict:
    """{what is wrong: Secret}"""
    read = {file: pathlib.Path(made.path(file)).read_bytes()
            for file in ("web.pem", "web.key", "other.key")}
    pem, key = read["web.pem"], read["web.key"]
    weak = made.path("weak.pem"), made.path("weak.key")
    openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak", "-days", "2",
            "-keyout", weak[1], "-out", weak[0])
    short = [pathlib.Path(path).read_bytes() for path in weak]
    openssl("genpkey", "-algorithm", "ed25519", "-out", made.path("ed.key"))
    openssl("req", "-x509", "-key", made.path("ed.key"), "-subj", "/CN=ed", "-days", "2",
            "-out", made.path("ed.pem"))
    ed = [pathlib.Path(made.path(f"ed.{end}")).read_bytes() for end in ("pem", "key")]
    damaged = bytearray(pem)
    damaged[len(pem) // 2] ^= 1
    return {
        "text": raw_secret("text", case, b"hello", b"world"),
        "empty": raw_secret("empty", case, b"", b""),
        "binary": raw_secret("binary", case, bytes(range(256)) * 16, key),
        "swapped": raw_secret("swapped", case, key, pem),
        "mismatch": raw_secret("mismatch", case, pem, read["other.key"]),
        "half": raw_secret("half", case, pem[:len(pem) // 2], key),
        "damaged": raw_secret("damaged", case, bytes(damaged), key),
        "weak": raw_secret("weak", case, *short),
        "ed25519": raw_secret("ed25519", case, *ed),
        "opaque": raw_secret("opaque", case, pem, key, kind="Opaque"),
        "large": raw_secret("large", case, b"#" * SECRET_BYTES, key),
        "many": raw_secret("many", case, b"-----BEGIN CERTIFICATE-----\n" * 37000, key),
    }


@alone
def certificates_that_are_none(case: Case):
    """Of every kind of brokenness, one listener each; the listener beside them, with a chain of
    1 MiB, is served all the time; each is served once it is mended."""
    one = case.service("one", "a")
    made = authority(case, web=f"DNS:{HOST},DNS:*.bad.example.com", other="DNS:other")
    broken = broken_secrets(case, made)
    gateway = Gateway(case, listener("web", 8443, "HTTPS", HOST, ["web"]), *[
        listener(name, 8443, "HTTPS", f"{name}.bad.example.com", [name]) for name in broken],
        listener("all", 8443, "HTTPS", "all.bad.example.com", [*broken][:7] + ["web"]))
    pem = pathlib.Path(made.path("web.pem")).read_bytes()
    key = pathlib.Path(made.path("web.key")).read_bytes()
    huge = raw_secret("web", case, pem + b"\n# " + b"x" * (SECRET_BYTES - 4096), key)
    things = [one, gateway.route(rule(one.ref()))]
    gateway.apply(*things, huge)
    with gateway.wait_started(8443):
        at = gateway.at(8443)

        def served(name: str) -> bool:
            with Https(at, f"{name}.bad.example.com", made) as https:
                return https.request().outcome == "a"

        with HttpLoad([Https(at, HOST, made), Https(at, HOST, made)]) as load, \
                HttpLoad([Https(at, HOST, made)], reconnect=True) as new:
            load.wait_for("a", times=2)
            gateway.apply(*things, huge, *broken.values())
            told = until(lambda: reasons(case, "Gateway", gateway.name), SECONDS, "status")
            wrong = {name: told[name] for name in broken
                     if (told[name].get("ResolvedRefs"), told[name].get("Programmed"))
                     != ("InvalidCertificateRef", "Invalid")}
            assert not wrong, wrong
            assert told["web"]["ResolvedRefs"] == "ResolvedRefs", told["web"]
            assert [name for name in broken if served(name)] == []
            until(lambda: served("all"), SECONDS, "a good one among bad ones serves")
            good = [raw_secret(name, case, pem, key) for name in broken]
            gateway.apply(*things, huge, *good)
            until(lambda: all(served(name) for name in broken), SECONDS, "what is mended serves")
            gateway.apply(*things, huge, *[*broken.values()][1:])  # one has none at all
            until(lambda: not any(served(name) for name in broken), SECONDS, "and breaks again")
            gateway.apply(*things, huge, *good)
            until(lambda: all(served(name) for name in broken), SECONDS, "and is mended")
        load.check_no_failure()
        new.check_no_failure()
        assert [client.connections for client in load.clients] == [1, 1]
        told = reasons(case, "Gateway", gateway.name)
        assert {t["ResolvedRefs"] for t in told.values() if "ResolvedRefs" in t} == {"ResolvedRefs"}


# --- routes -----------------------------------------------------------------------------------

TAKEN = {  # expressions that are bounded in what they cost Envoy, which has RE2
    "nested": "/(a*)*b", "backtracking": "(a|a?)+$" + "x" * 20, "dots": ".*" * 200,
    "long": "(" + "|".join(f"word{i}" for i in range(120)) + ")",
}
REFUSED = {  # which it would not take, or not in reasonable space
    "wide": r"\p{L}{1,50}[^\x00-\x7f]*", "product": "((a{100}){100}){100}",
    "counted": "a{1000}" * 30, "broken": "(unclosed", "lookahead": "(?=a)b",
    "backreference": r"(a)\1", "empty": "",
}


def matching(*expressions: str) -> list:
    return [{"path": {"type": "RegularExpression", "value": text}} for text in expressions]


@alone
def expressions_that_explode(case: Case):
    """One that Envoy would not take is told to its author, by the name of the route; what it takes
    answers a hostile path at once; a thousand long ones are no matter."""
    one = case.service("one", "a")
    gateway = Gateway(case, listener("http", 8080))
    good = gateway.route(rule(one.ref()), name="good", hostnames=[HOST])
    many = [gateway.route(*[
        rule(one.ref(), matches=matching(*[f"/{i}-{j}/" + "([a-z]+|[0-9]+)*" * 50
                                           for j in range(8)])) for i in range(16)],
        name=f"many-{k}", hostnames=[f"many-{k}.example.com"]) for k in range(8)]
    gateway.apply(one, good)
    with gateway.wait_started(8080):
        at = gateway.at(8080)
        with HttpLoad([Http(at, HOST)]) as load:
            for name, text in {**TAKEN, **REFUSED}.items():
                route = gateway.route(rule(one.ref(), matches=matching(text)), name=name,
                                      hostnames=[f"{name}.example.com"])
                case.apply(route, file=name)
            case.apply(*many, file="many")
            until(lambda: get(at, "/1-1/a", host="many-7.example.com").outcome == "a",
                  2 * SECONDS, "the many serve")
            for name in TAKEN:
                assert reasons(case, "HTTPRoute", name)[""]["Accepted"] == "Accepted", name
                answer = get(at, "/" + "a" * 20000, host=f"{name}.example.com")
                assert answer.seconds < 1, (name, answer.seconds)
            told = {p["object"].rpartition("/")[2] for p in case.heddle.api("problems")["problems"]}
            assert told == {*REFUSED}, told
            for name in REFUSED:
                case.apply(gateway.route(rule(one.ref()), name=name,
                                         hostnames=[f"{name}.example.com"]), file=name)
            until(lambda: {get(at, host=f"{name}.example.com").outcome for name in REFUSED} == {"a"},
                  SECONDS, "what is mended serves")
        load.check_no_failure()


@alone
def ten_thousand_hostnames(case: Case):
    """Of routes on one Gateway; the Gateway beside it is served, and so is each of them."""
    one, two = case.service("one", "a"), case.service("two", "b")
    gateway = Gateway(case, listener("http", 8080))
    beside = Gateway(case, listener("http", 8080), name="beside")
    routes = [gateway.route(rule(one.ref()), name=f"r{i}", hostnames=[
        f"h{i * OF_A_ROUTE + j}.example.com" for j in range(OF_A_ROUTE)])
        for i in range(HOSTNAMES // OF_A_ROUTE)]
    gateway.apply(one, two)
    case.apply(*beside.objects(), beside.route(rule(two.ref()), name="beside"), file="beside")
    with gateway, beside.wait_started(8080):
        with HttpLoad([beside.at(8080)]) as load:
            start = time.monotonic()
            case.apply(*routes, file="routes")
            last = f"h{HOSTNAMES - 1}.example.com"
            until(lambda: get(gateway.at(8080), host=last).outcome == "a", 30, "all serve")
            first = time.monotonic() - start
            with Http(gateway.at(8080)) as client:
                for i in range(0, HOSTNAMES, 97):
                    host = {"Host": f"h{i}.example.com"}
                    assert client.request(headers=host).outcome == "a", host
                assert client.request(headers={"Host": "x.example.com"}).status == 404
            start = time.monotonic()
            routes[0]["spec"]["rules"] = [rule(two.ref())]
            case.apply(*routes, file="routes")
            until(lambda: get(gateway.at(8080), host="h0.example.com").outcome == "b", 30, "changed")
            print(f"# 10,000 hostnames: {first:.1f} s, a change {time.monotonic() - start:.1f} s")
        load.check_no_failure()
        worst = max(answer.seconds for answer in load.answers)
        assert worst < 2, worst


# --- others' hosts ----------------------------------------------------------------------------

@alone
def hostnames_of_other_people(case: Case):
    """ListenerSets and routes of another namespace that claim what is served already: the
    Gateway's own listener and the older ListenerSet keep it, and the older route; each loser is
    told, and a listener of theirs that nobody else has is served nonetheless."""
    one, two = case.service("one", "a"), case.service("two", "b")
    evil = copy.copy(case)
    evil.namespace += "-evil"
    bad = evil.service("bad", "c")
    gateway = Gateway(case, {**listener("own", 8080, hostname=HOST), "allowedRoutes": ALLOWED},
                      allowedListeners=ALLOWED)
    theirs = listener_set(case, gateway, "old", [listener("x", 8080, hostname="x.example.com")],
                          created=EARLY)
    claims = listener_set(case, gateway, "claims", [
        listener("own", 8080, hostname=HOST), listener("x", 8080, hostname="x.example.com"),
        listener("tcp", 8080, "TCP"), listener("free", 8080, hostname="free.example.com")],
        namespace=evil.namespace, created=LATE)

    def route(of: Case, name: str, service, created: str, **more) -> dict:
        made = gateway.route(rule(service.ref()), name=name, creationTimestamp=created, **more)
        made["metadata"]["namespace"] = of.namespace
        made["spec"]["parentRefs"][0]["namespace"] = case.namespace
        return made

    things = [one, two, theirs, route(case, "own", one, EARLY, hostnames=[HOST]),
              of_set(gateway.route(rule(two.ref()), name="x"), "old")]
    intruders = [bad, claims, of_set(route(evil, "claims", bad, LATE), "claims"),
                 *[route(evil, f"shadow-{i}", bad, LATE, hostnames=names)
                   for i, names in enumerate(([HOST], ["*.example.com"], ["*.com"], []))]]
    gateway.apply(*things)
    with gateway.wait_started(8080):
        at = gateway.at(8080)
        with HttpLoad([Http(at, HOST)]) as own, HttpLoad([Http(at, "x.example.com")]) as older:
            own.wait_for("a")
            older.wait_for("b")
            case.apply(*intruders, file="intruders")
            until(lambda: get(at, host="free.example.com").outcome == "c", SECONDS, "its own serves")
            told = until(lambda: reasons(case, "ListenerSet", "claims", evil.namespace), SECONDS,
                         "status")
            conflicts = {name: told[name].get("Conflicted") for name in ("own", "x", "tcp", "free")}
            assert conflicts == {"own": "HostnameConflict", "x": "HostnameConflict",
                                 "tcp": "ProtocolConflict", "free": "NoConflicts"}, conflicts
            assert get(at, host="y.example.com").status == 404
            told = reasons(case, "ListenerSet", "old")
            assert told["x"]["Conflicted"] == "NoConflicts", told
        for load, wanted in ((own, "a"), (older, "b")):
            assert {answer.outcome for answer in load.answers} == {wanted}


@alone
def routes_of_two_kinds_on_one_host(case: Case):
    """Of an HTTPRoute and a GRPCRoute on one host the older has it, and the other is told; when
    the older goes, the other serves."""
    web, calls = case.service("web", "a"), case.service("calls", "b", "grpc")
    gateway = Gateway(case, listener("http", 8080))
    older = gateway.route(rule(web.ref()), name="web", hostnames=[HOST], creationTimestamp=EARLY)
    younger = gateway.route(rule(calls.ref()), name="calls", hostnames=["*.example.com"],
                            kind="GRPCRoute", creationTimestamp=LATE)
    gateway.apply(web, calls, older, younger)
    go = case.mesh.grpc("go")

    def call() -> dict:
        return go.call(gateway.at(8080), authority=HOST).counts()

    with gateway.wait_started(8080):
        at = gateway.at(8080)
        assert get(at, host=HOST).outcome == "a"
        assert reasons(case, "HTTPRoute", "web")[""]["Accepted"] == "Accepted"
        refused = reasons(case, "GRPCRoute", "calls")[""]["Accepted"]
        assert refused != "Accepted" and call() != {"b": 1}, refused
        gateway.apply(web, calls, younger)
        until(lambda: call() == {"b": 1}, SECONDS, "the GRPCRoute serves")
        assert reasons(case, "GRPCRoute", "calls")[""]["Accepted"] == "Accepted"
        gateway.apply(web, calls, younger, older)
        until(lambda: get(at, host=HOST).outcome == "a", SECONDS, "the older is back")
        assert reasons(case, "GRPCRoute", "calls")[""]["Accepted"] == refused


@alone
def gateways_of_one_name(case: Case):
    """In two namespaces: neither has anything of the other's, whatever the other does."""
    other = copy.copy(case)
    other.namespace, other._files = f"{case.namespace}-b", set()
    made = [(case, case.service("svc", "a")), (other, other.service("svc", "b"))]
    gateways = [Gateway(of, listener("http", 8080)) for of, _ in made]
    gateways[1].address = f"{gateways[0].address[:-1]}99"
    for gateway, (_, service) in zip(gateways, made):
        gateway.apply(service, gateway.route(rule(service.ref())))
    try:
        with gateways[0].wait_started(8080), gateways[1].wait_started(8080):
            with HttpLoad([gateways[0].at(8080)]) as load:
                load.wait_for("a")
                assert get(gateways[1].at(8080)).outcome == "b"
                gateways[1].apply(made[1][1])
                until(lambda: get(gateways[1].at(8080)).status == 404, SECONDS, "its route is gone")
                other.apply(made[1][1])
                until(lambda: get(gateways[1].at(8080)).status == 0, SECONDS, "it is gone")
            load.check_no_failure()
    finally:
        other.end()


@alone
def a_thousand_listeners(case: Case):
    """Of ListenerSets, on one port of HTTPS, each with a hostname; one more set, and one that goes,
    disturb no connection."""
    one = case.service("one", "a")
    made = authority(case, web="DNS:*.example.com")
    own = listener("own", 8443, "HTTPS", "own.example.com", ["web"])
    gateway = Gateway(case, own, allowedListeners=ALLOWED)

    def a_set(number: int, size: int) -> list:
        names = [f"l{number}-{i}" for i in range(size)]
        return [listener_set(case, gateway, f"set-{number}", [
                    listener(name, 8443, "HTTPS", f"{name}.example.com", ["web"]) for name in names]),
                of_set(gateway.route(rule(one.ref()), name=f"route-{number}"), f"set-{number}")]

    sets = [thing for number in range((LISTENERS - 1) // OF_A_SET)
            for thing in a_set(number, OF_A_SET)]
    sets += a_set(99, (LISTENERS - 1) % OF_A_SET)
    gateway.apply(one, the_secret(case, made, "web"), gateway.route(rule(one.ref())))
    with gateway.wait_started(8443):
        at = gateway.at(8443)

        def serves(host: str) -> bool:
            with Https(at, host, made) as https:
                return https.request().outcome == "a"

        with HttpLoad([Https(at, "own.example.com", made)]) as load:
            load.wait_for("a")
            start = time.monotonic()
            case.apply(*sets, file="sets")
            until(lambda: serves("l99-38.example.com"), 30, "all serve")
            first = time.monotonic() - start
            for number in range(0, (LISTENERS - 1) // OF_A_SET):
                assert serves(f"l{number}-{number}.example.com"), number
            start = time.monotonic()
            case.apply(*a_set(100, 1), file="more")
            until(lambda: serves("l100-0.example.com"), 30, "one more serves")
            print(f"# 1,000 listeners: {first:.1f} s, one more {time.monotonic() - start:.1f} s")
            case.apply(file="more")
            until(lambda: not serves("l100-0.example.com"), 30, "it is gone")
            told = reasons(case, "ListenerSet", "set-3")
            assert len(told) == OF_A_SET + 1 and told["l3-9"]["Programmed"] == "Programmed", told
        load.check_no_failure()
        assert load.clients[0].connections == 1


# --- what routes can ask for ------------------------------------------------------------------

def _set(name: str, value: str) -> dict:
    return {"filters": [header_filter(set={name: value})]}


def _answer(name: str, value: str) -> dict:
    return {"filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": {
        "add": [{"name": name, "value": value}]}}]}


def _match(**match) -> dict:
    return {"matches": [match]}


def _header(name: str, value: str, kind: str = "Exact") -> dict:
    return _match(headers=[{"name": name, "value": value, "type": kind}])


ODD_NAMES = ("Host", ":path", ":authority", ":method", "x y", "x:y", "x\n", "ü", "Connection", "TE",
             "Content-Length", "Transfer-Encoding", "Upgrade", "x-envoy-retry-on", "Cookie", "_", "-",
             "x-" + "n" * 254, "x-heddle-listener", "keep-alive", "proxy-connection")
ODD_VALUES = ("", " ", " x ", "%", "%%", "%REQ(x)%", "%UNKNOWN%", "%START_TIME(", "a\nb: c", "a\r\nb",
              "a\x00b", "\x7f", "ü", "\u2028", '"', "\\", "x" * 4096, "\t")
ODD_PATHS = ("/", "//", "/%", "/%zz", "/a b", "/a?b", "/a#b", "/{x}", "/*", "/**", "/../a", "/a/./b",
             "/ü", "/" + "p" * 1023, "a", "", "/a\\b", "/a%2Fb", "/\x00", "/a\n", "/:x", "/[a]")
ODD_HOSTS = ("*", "*.com", "*.*.com", "a.*.com", "a..com", "-a.com", "a_b.com", "ü.com", "1.2.3.4", "::1",
             "a.com:80", "A.COM", "xn--tda.com", "a.com.", "l" * 64 + ".com", ".com", "a",
             ".".join(["l" * 60] * 4) + ".com", "*.a", "*a.com", "")


def odd_rules() -> dict:
    """{what it is: the members of a rule}"""
    found = {f"match {kind} {path!r}": _match(path={"type": kind, "value": path})
             for kind in ("Exact", "PathPrefix", "RegularExpression") for path in ODD_PATHS}
    for name in ODD_NAMES:
        found |= {f"set {name!r}": _set(name, "x"), f"answer {name!r}": _answer(name, "x"),
                  f"remove {name!r}": {"filters": [header_filter(remove=[name])]},
                  f"header {name!r}": _header(name, "x"),
                  f"parameter {name!r}": _match(queryParams=[{"name": name, "value": "x"}])}
    for value in ODD_VALUES:
        found |= {f"set to {value!r}": _set("x-a", value), f"answer {value!r}": _answer("x-a", value),
                  f"header of {value!r}": _header("x-a", value),
                  f"header like {value!r}": _header("x-a", value, "RegularExpression"),
                  f"parameter of {value!r}": _match(queryParams=[{"name": "a", "value": value}])}
    for path in ODD_PATHS:
        found |= {f"{what} {path!r}": {"filters": [make(path=change(path))],
                                       **_match(path={"type": "PathPrefix", "value": "/a"})}
                  for what, make, change in (("rewrite to", rewrite, prefix_path),
                                             ("rewrite all to", rewrite, full_path),
                                             ("redirect to", redirect, prefix_path),
                                             ("redirect all to", redirect, full_path))}
    for host in ODD_HOSTS:
        found |= {f"host {host!r}": {"filters": [rewrite(hostname=host)]},
                  f"redirect host {host!r}": {"filters": [redirect(hostname=host)]},
                  f"origin {host!r}": {"filters": [cors(allowOrigins=[f"https://{host}"])]}}
    found |= {f"port {port}": {"filters": [redirect(port=port)]} for port in (0, 1, 65535, 65536, -1)}
    found |= {f"timeout {t!r}": {"timeouts": {"request": t, "backendRequest": t}} for t in (
        "0s", "1ms", "99999h", "1.5s", "-1s", "1", "", "1d", "0h0m0s")}
    return found


@alone
def whatever_routes_ask_for(case: Case):
    """Odd names, values, paths and hosts in every place, a route for each: Envoy takes all that it
    is sent, so that nobody's route waits for another's, and each is either told or accepted."""
    one = case.service("one", "a")
    gateway = Gateway(case, listener("http", 8080))
    gateway.apply(one, gateway.route(rule(one.ref()), name="good", hostnames=[HOST]))
    rules = odd_rules()
    routes = {}
    for i, (what, members) in enumerate(rules.items()):
        backends = [] if "redirect" in what or "port" in what else [one.ref()]
        routes[what] = gateway.route(rule(*backends, **members), name=f"odd-{i}",
                                     hostnames=[f"odd-{i}.example.com"])
    for i, host in enumerate(ODD_HOSTS):
        routes[f"for {host!r}"] = gateway.route(rule(one.ref()), name=f"host-{i}", hostnames=[host])
    with gateway.wait_started(8080):
        with HttpLoad([Http(gateway.at(8080), HOST)]) as load:
            for what, route in routes.items():
                case.apply(route, file=route["metadata"]["name"])
            case.apply(gateway.route(rule(one.ref()), name="last", hostnames=["last.example.com"]),
                       file="zz-last")
            until(lambda: get(gateway.at(8080), host="last.example.com").outcome == "a", 20,
                  "the last serves")
            known = {problem["object"].rpartition("/")[2]
                     for problem in case.heddle.api("problems")["problems"]}
            status = {item["metadata"]["name"]: item["status"]["parents"]
                      for item in case.heddle.api("status")["items"] if item["kind"] == "HTTPRoute"}
            silent = [what for what, route in routes.items()
                      if route["metadata"]["name"] not in known
                      and not status.get(route["metadata"]["name"])]
            assert not silent, silent
            print(f"# {len(known)} of {len(routes)} refused")
            rejected = gateway.envoy.rejected()
            assert not rejected, (rejected, gateway.envoy.child.log_text()[-1500:])
        load.check_no_failure()


@alone
def routes_that_lead_back_to_the_gateway(case: Case):
    """A Service whose endpoint is the Gateway itself, as a backend and as two mirrors: a request
    goes round a few times, whatever its rule does to headers; others are served all the time."""
    one, loop = case.service("one", "a"), case.service("loop")
    gateway = Gateway(case, listener("http", 8080))
    objects = loop.objects()
    objects[1]["endpoints"] = [{"addresses": [gateway.address], "conditions": {"ready": True}}]
    objects[1]["ports"][0]["port"] = 8080
    hides = [header_filter(set={"x-heddle-passed": "nobody"}), header_filter(remove=["X-Heddle-Passed"])]
    rules = {"loop": rule(loop.ref()),
             "mirrors": rule(one.ref(), filters=[mirror(loop.ref()), mirror(loop.ref())]),
             "sets": rule(loop.ref(), filters=hides[:1]),
             "removes": rule({**loop.ref(), "filters": hides[1:]})}
    gateway.apply(one, *objects, gateway.route(rule(one.ref()), name="good", hostnames=[HOST]), *[
        gateway.route(a_rule, name=name, hostnames=[f"{name}.example.com"])
        for name, a_rule in rules.items()])
    outcomes = {"loop": 508, "mirrors": 200, "sets": 500, "removes": 500}
    with gateway.wait_started(8080):
        at = gateway.at(8080)
        with HttpLoad([Http(at, HOST)]) as load:
            load.wait_for("a")
            got = {name: get(at, host=f"{name}.example.com").status for name in rules}
            assert got == outcomes, got
            told = {said: get(at, host=HOST, **({"x_heddle_passed": said} if said else {})).outcome
                    for said in ("", "x", "-+++", "x++++")}
            assert told == {"": "a", "x": "a", "-+++": "a", "x++++": "508"}, told
        load.check_no_failure()
        until(lambda: gateway.envoy.stats("downstream_rq_active").get(
            f"http.gateway/{case.namespace}/gw:8080.downstream_rq_active", 0) == 0, SECONDS,
              "all have come to an end")
