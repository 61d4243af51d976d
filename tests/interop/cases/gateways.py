# SPDX-License-Identifier: Apache-2.0
"""Gateways, with a real Envoy as each: which listener and route has a request or a connection, and
what changes leave alone."""

import collections
import contextlib
import http.client
import pathlib
import socket
import time
from typing import Optional

from rig.edge import Http3Client, HttpsBackend
from rig.envoy import own_address
from rig.gateway import Gateway, Https, config_map, listener, secret
from rig.objects import prefix_path, rewrite, rule
from rig.pki import Authority
from rig.process import until
from rig.suite import BACKENDS, PORTS, Case, alone
from rig.tls import TlsBackends
from rig.traffic import Http, check_split, get, greeter, listens

TAKEN_SECONDS = 5
REQUESTS = 400
PAUSE_SECONDS = 0.002  # a socket holds no more than some hundred datagrams


def outcome(gateway: Gateway, port: int, host: str, path: str = "/") -> str:
    return get(gateway.at(port), path, Host=host).outcome


def authority(case: Case, **certificates: str) -> Authority:
    made = Authority(case.mesh.work / f"pki-{case.namespace}")
    for name, san in certificates.items():
        made.issue(name, san)
    return made


def the_secret(case: Case, made: Authority, name: str) -> dict:
    return secret(name, pathlib.Path(made.folder), name, case.namespace)


@alone
def hosts_fall_through_inside_a_listener(case: Case):
    """What no rule of the more specific hostname takes goes to the less specific ones."""
    one, two = case.service("one", "a"), case.service("two", "b")
    gateway = Gateway(case, listener("http", 8080), listener("own", 8080, hostname="own.example.com"))
    narrow = gateway.route(rule(one.ref(), matches=[{"path": {"type": "PathPrefix", "value": "/a"}}]),
                           hostnames=["a.example.com"], name="narrow", section="http")
    wide = gateway.route(rule(two.ref()), hostnames=["*.example.com"], name="wide", section="http")
    gateway.apply(one, two, narrow, wide)
    with gateway.wait_started(8080):
        table = {("a.example.com", "/a"): "a", ("a.example.com", "/b"): "b",
                 ("b.example.com", "/a"): "b", ("a.example.com:8080", "/a"): "a",
                 ("A.Example.com", "/a"): "a", ("example.com", "/"): "404",
                 ("own.example.com", "/"): "404", ("a.example.com", "/x/../a"): "a"}
        told = {key: outcome(gateway, 8080, *key) for key in table}
        assert told == table, told


@alone
def a_connection_of_another_listener_is_misdirected(case: Case):
    """421 where another listener owns the Host, 404 where nobody does; the SNI chooses the
    certificate."""
    one = case.service("one", "a")
    made = authority(case, exact="DNS:a.example.com", wild="DNS:*.example.com", other="DNS:example.org")
    gateway = Gateway(
        case, listener("exact", 8443, "HTTPS", "a.example.com", ["exact"]),
        listener("wild", 8443, "HTTPS", "*.example.com", ["wild"]),
        listener("other", 8443, "HTTPS", "example.org", ["other"]))
    gateway.apply(one, gateway.route(rule(one.ref())),
                  *[the_secret(case, made, name) for name in ("exact", "wild", "other")])
    with gateway.wait_started(8443):
        def told(sni: str, host: str) -> int:
            https = Https(gateway.at(8443), sni, made.path("ca.pem"))
            answer = https.request(host, **{"x-heddle-listener": "case/gw/other"})
            https.close()
            if answer[0] == 200:
                seen = {name.lower() for name in answer[1]["headers"]}
                assert "x-heddle-listener" not in seen, seen
            return answer[0]

        hosts = ("a.example.com", "b.example.com", "example.org", "example.net")
        table = {"a.example.com": [200, 421, 421, 404], "b.example.com": [421, 200, 421, 404],
                 "c.b.example.com": [421, 200, 421, 404], "example.org": [421, 421, 200, 404]}
        got = {sni: [told(sni, host) for host in hosts] for sni in table}
        assert got == table, got
        names = {sni: Https(gateway.at(8443), sni, made.path("ca.pem")).names() for sni in table}
        assert names["a.example.com"] == ["a.example.com"], names
        assert names["c.b.example.com"] == ["*.example.com"], names


@alone
def a_listener_that_comes_disturbs_no_connection(case: Case):
    """Of the same port: only filter chains change. A new certificate changes not even these."""
    one = case.service("one", "a")
    made = authority(case, first="DNS:a.example.com", second="DNS:b.example.com")
    gateway = Gateway(case, listener("first", 8443, "HTTPS", "a.example.com", ["first"]))
    route = gateway.route(rule(one.ref()))
    gateway.apply(one, route, the_secret(case, made, "first"), the_secret(case, made, "second"))
    with gateway.wait_started(8443):
        https = Https(gateway.at(8443), "a.example.com", made.path("ca.pem"))
        assert https.request("a.example.com")[0] == 200
        serial = https.serial()
        gateway.listeners.append(listener("second", 8443, "HTTPS", "b.example.com", ["second"]))
        gateway.apply(one, route, the_secret(case, made, "first"), the_secret(case, made, "second"))

        def serves(sni: str) -> bool:
            try:
                new = Https(gateway.at(8443), sni, made.path("ca.pem"))
                return new.request(sni)[0] == 200
            except OSError:
                return False

        until(lambda: serves("b.example.com"), TAKEN_SECONDS, "the second listener serves")
        made.issue("first", "DNS:a.example.com")
        gateway.apply(one, route, the_secret(case, made, "first"), the_secret(case, made, "second"))
        until(lambda: Https(gateway.at(8443), "a.example.com", made.path("ca.pem")).serial()
              != serial, TAKEN_SECONDS, "the new certificate is shown")
        draining = gateway.envoy.stats("total_.*draining")
        assert not any(draining.values()), draining
        status, _, headers = https.request("a.example.com")
        assert status == 200 and headers.get("connection") != "close", headers


@alone
def connections_of_tls_and_tcp_listeners(case: Case):
    """TLS that ends at the gateway, TLS that passes through, HTTPS on one port; TCP by weight."""
    one, two = case.service("one", "a", "tcp"), case.service("two", "b", "tcp")
    web = case.service("web", "c")
    made = authority(case, end="DNS:end.example.com", web="DNS:web.example.com")
    gateway = Gateway(
        case, listener("end", 8443, "TLS", "end.example.com", ["end"]),
        listener("web", 8443, "HTTPS", "web.example.com", ["web"]), listener("tcp", 8081, "TCP"),
        listener("idle", 8082, "TCP"))
    gateway.apply(
        one, two, web, the_secret(case, made, "end"), the_secret(case, made, "web"),
        gateway.route(rule(one.ref()), hostnames=["end.example.com"], name="end", section="end",
                      kind="TLSRoute"),
        gateway.route(rule(web.ref()), name="web", section="web"),
        gateway.route(rule(one.ref(1), two.ref(3)), name="tcp", section="tcp", kind="TCPRoute"))
    with gateway.wait_started(8443, 8081, 8082):
        https = Https(gateway.at(8443), "web.example.com", made.path("ca.pem"))
        assert https.request("web.example.com")[1]["backend"] == "c"
        tls = Https(gateway.at(8443), "end.example.com", made.path("ca.pem"))
        assert tls.socket.makefile().readline().strip() == "hello from a"
        counts = collections.Counter(greeter(gateway.at(8081)) for _ in range(REQUESTS))
        check_split(counts, {"a": 1, "b": 3})
        assert greeter(gateway.at(8082)) == "refused"


@alone
def datagrams_go_by_weight(case: Case):
    """A share that does not resolve is lost, and nobody else's."""
    servers = {}
    for letter, host in (("a", "127.20.1.1"), ("b", "127.20.1.2")):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((host, 3005))
        server.settimeout(0.3)
        servers[letter] = server
    things = []
    for name, ip in (("one", "127.20.1.1"), ("two", "127.20.1.2")):
        objects = case.service(name, kind="tcp").objects()
        objects[0]["spec"]["ports"][0]["protocol"] = "UDP"
        objects[1]["ports"] = [{"name": "main", "port": 3005, "protocol": "UDP"}]
        objects[1]["endpoints"] = [{"addresses": [ip], "conditions": {"ready": True}}]
        things += objects
    gateway = Gateway(case, listener("udp", 8053, "UDP"))
    ref = {"name": "one", "port": 8000}
    gateway.apply(*things, gateway.route(
        rule({**ref, "weight": 1}, {**ref, "name": "two", "weight": 2},
             {**ref, "name": "none", "weight": 1}), kind="UDPRoute"))
    with gateway:
        until(lambda: gateway.envoy.stats("listener_manager.total_listeners_active")
              .get("listener_manager.total_listeners_active") == 1, TAKEN_SECONDS, "it listens")
        clients = []
        for _ in range(REQUESTS):
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            client.sendto(b"x", (gateway.address, 8053))
            clients.append(client)
            time.sleep(PAUSE_SECONDS)
        counts = collections.Counter()
        for letter, server in servers.items():
            try:
                while server.recv(10):
                    counts[letter] += 1
            except TimeoutError:
                server.close()
        counts["lost"] = REQUESTS - sum(counts.values())
        check_split(counts, {"a": 1, "b": 2, "lost": 1})


@alone
def what_an_edge_is_for(case: Case):
    """Large headers, HTTP/1.0, what clients may not say of themselves, PROXY protocol."""
    one = case.service("one", "a")
    gateway = Gateway(case, listener("http", 8080))
    gateway.apply(one, gateway.route(rule(one.ref())))
    with gateway.wait_started(8080):
        address = gateway.at(8080)
        assert get(address, x_large="x" * 90000).outcome == "a"
        assert get(address, x_large="x" * 100000).outcome == "431"
        headers = get(address, x_forwarded_for="1.2.3.4", x_envoy_retry_on="5xx").echo["headers"]
        assert headers["X-Forwarded-For"] == [f"1.2.3.4,{own_address()}"], headers
        assert "X-Envoy-Retry-On" not in headers and headers["X-Forwarded-Proto"] == ["http"]
        with socket.create_connection((gateway.address, 8080)) as raw:
            raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert raw.makefile().readline().split()[1] == "200"


@alone
def a_backend_has_a_path_of_its_own(case: Case):
    """URLRewrite of backendRefs, by weight, beside a share that does not resolve."""
    one, two = case.service("one", "a"), case.service("two", "b")
    gateway = Gateway(case, listener("http", 8080))
    gateway.apply(one, two, gateway.route(rule(
        {**one.ref(1), "filters": [rewrite(path=prefix_path("/one"))]},
        {**two.ref(2), "filters": [rewrite(path=prefix_path("/two"))]}, two.ref(1),
        {"name": "none", "port": 8000, "weight": 1},
        matches=[{"path": {"type": "PathPrefix", "value": "/x"}}])))
    with gateway.wait_started(8080):
        counts = collections.Counter()
        with Http(gateway.at(8080)) as client:
            for _ in range(REQUESTS):
                answer = client.request(path="/x/y")
                counts[answer.echo["backend"] + answer.echo["path"] if answer.status == 200
                       else answer.outcome] += 1
        check_split(counts, {"a/one/y": 1, "b/two/y": 2, "b/x/y": 1, "500": 1})


@alone
def routes_of_the_mesh_apply_where_they_are_to(case: Case):
    """With mesh-routes: apply, to requests of either HTTP version and to gRPC's."""
    web, one, two = case.service("web", "a"), case.service("one", "b"), case.service("two", "c")
    gateway = Gateway(case, listener("http", 8080), parameters={"mesh-routes": "apply"})
    split = case.http_route(web, rule(one.ref(1), two.ref(1)), name="of-the-service")
    gateway.apply(web, one, two, split, gateway.route(rule(web.ref())))
    with gateway.wait_started(8080):
        with Http(gateway.at(8080)) as client:
            check_split(client.outcomes(REQUESTS), {"b": 1, "c": 1})
        gateway.apply(web, one, two, gateway.route(rule(web.ref())))
        until(lambda: get(gateway.at(8080)).outcome == "a", TAKEN_SECONDS, "the Service's route is gone")


def frontend(mode: str, *config_maps: str) -> dict:
    """The Gateway's spec.tls."""
    refs = [{"group": "", "kind": "ConfigMap", "name": name} for name in config_maps]
    return {"frontend": {"default": {"validation": {"mode": mode, "caCertificateRefs": refs}}}}


def let_in(gateway: Gateway, made: Authority, certificate: Optional[tuple],
           port: int = 8443) -> bool:
    try:
        https = Https(gateway.at(port), "a.example.com", made.path("ca.pem"), certificate)
        return https.request("a.example.com")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


@alone
def clients_show_certificates(case: Case):
    """Of any of the authorities; with AllowInsecureFallback of none."""
    one = case.service("one", "a")
    made = authority(case, web="DNS:a.example.com", client="DNS:client")
    others = [Authority(case.mesh.work / f"pki-{name}-{case.namespace}") for name in ("two", "bad")]
    for other in others:
        other.issue("client", "DNS:client")
    shown = [(a.path("client.pem"), a.path("client.key")) for a in (made, *others)]
    trusted = [config_map(name, case.namespace, ca_crt=pathlib.Path(a.path("ca.pem")).read_text())
               for name, a in (("ca-one", made), ("ca-two", others[0]))]
    gateway = Gateway(case, listener("web", 8443, "HTTPS", "a.example.com", ["web"]),
                      tls=frontend("AllowValidOnly", "ca-one", "ca-two"))
    things = [one, *trusted, the_secret(case, made, "web"), gateway.route(rule(one.ref()))]
    gateway.apply(*things)
    with gateway.wait_started(8443):
        told = [let_in(gateway, made, certificate) for certificate in (*shown, None)]
        assert told == [True, True, False, False], told
        gateway.spec["tls"] = frontend("AllowInsecureFallback", "ca-one")
        gateway.apply(*things)
        until(lambda: let_in(gateway, made, None), TAKEN_SECONDS, "nobody needs a certificate")
        assert let_in(gateway, made, shown[2])


@alone
def backends_are_spoken_tls_to(case: Case):
    """By BackendTLSPolicy: SNI, whom to trust, the name, a certificate of the gateway's own."""
    made = authority(case, server="DNS:web.example.com", own="DNS:gateway")
    web = case.service("web", "a")
    objects = web.objects()
    objects[1]["ports"][0]["port"] = 3443
    target = {"group": "", "kind": "Service", "name": "web"}

    def policy(hostname: str) -> dict:
        return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "BackendTLSPolicy",
                "metadata": {"name": "tls", "namespace": case.namespace},
                "spec": {"targetRefs": [target], "validation": {
                    "hostname": hostname, "caCertificateRefs": [
                        {"group": "", "kind": "ConfigMap", "name": "ca"}]}}}

    gateway = Gateway(case, listener("http", 8080),
                      tls={"backend": {"clientCertificateRef": {"name": "own"}}})
    ca = config_map("ca", case.namespace, ca_crt=pathlib.Path(made.path("ca.pem")).read_text())
    things = [*objects, ca, the_secret(case, made, "own"), gateway.route(rule(web.ref()))]
    with HttpsBackend(BACKENDS["a"] + ":3443", made) as backend:
        gateway.apply(*things, policy("web.example.com"))
        with gateway.wait_started(8080):
            assert get(gateway.at(8080)).body == "web.example.com gateway"
            gateway.apply(*things, policy("other.example.com"))
            until(lambda: get(gateway.at(8080)).status == 503, TAKEN_SECONDS, "the name is wrong")
            assert "other.example.com" in backend.asked


@alone
def proxy_protocol(case: Case):
    """The client's address is what the load balancer says; without its word nobody is let in."""
    one = case.service("one", "a")
    made = authority(case, web="DNS:a.example.com")
    gateway = Gateway(case, listener("http", 8080),
                      listener("web", 8443, "HTTPS", "a.example.com", ["web"]),
                      parameters={"proxy-protocol": "true"})
    gateway.apply(one, the_secret(case, made, "web"), gateway.route(rule(one.ref())))
    words = b"PROXY TCP4 192.0.2.7 127.0.0.1 5555 8080\r\n"
    with gateway.wait_started(8080, 8443):
        with socket.create_connection((gateway.address, 8080)) as raw:
            raw.sendall(words + b"GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n\r\n")
            answer = raw.makefile().read()
            assert '"192.0.2.7"' in answer, answer
        assert get(gateway.at(8080)).status == 0
        https = Https(gateway.at(8443), "a.example.com", made.path("ca.pem"), first=words)
        assert https.request("a.example.com")[1]["headers"]["X-Forwarded-For"] == ["192.0.2.7"]


@alone
def http3_beside_http2(case: Case):
    """Told by alt-svc; another Envoy is the client."""
    one = case.service("one", "a")
    made = authority(case, web="DNS:a.example.com")
    gateway = Gateway(case, listener("web", 8443, "HTTPS", "a.example.com", ["web"]),
                      parameters={"http3": "true"})
    gateway.apply(one, the_secret(case, made, "web"), gateway.route(rule(one.ref())))
    with gateway.wait_started(8443):
        https = Https(gateway.at(8443), "a.example.com", made.path("ca.pem"))
        assert https.request("a.example.com")[2]["alt-svc"] == 'h3=":8443"; ma=86400'
        folder = case.mesh.work / f"http3-of-{case.namespace}"
        with Http3Client(folder, gateway.at(8443), "a.example.com", made.path("ca.pem")) as client:
            until(lambda: client.get("a.example.com").outcome == "a", TAKEN_SECONDS, "HTTP/3 works")
            assert client.get("b.example.com").status == 404


@alone
def a_gateway_that_speaks_sotw(case: Case):
    """Listeners, certificates, routes and connections in the other variant of the protocol."""
    one, two = case.service("one", "a"), case.service("two", "b", "tcp")
    made = authority(case, web="DNS:a.example.com")
    gateway = Gateway(case, listener("web", 8443, "HTTPS", "a.example.com", ["web"]), sotw=True)
    things = [one, two, the_secret(case, made, "web"),
              gateway.route(rule(one.ref()), name="web", section="web")]
    gateway.apply(*things)
    with gateway.wait_started(8443):
        https = Https(gateway.at(8443), "a.example.com", made.path("ca.pem"))
        assert https.request("a.example.com")[0] == 200
        gateway.listeners.append(listener("tcp", 8081, "TCP"))
        gateway.apply(*things, gateway.route(rule(two.ref()), name="tcp", section="tcp",
                                             kind="TCPRoute"))
        until(lambda: listens(gateway.at(8081)) and greeter(gateway.at(8081)) == "b",
              TAKEN_SECONDS, "the new listener serves")
        gateway.listeners.pop()
        gateway.apply(*things)
        until(lambda: not listens(gateway.at(8081)), TAKEN_SECONDS, "it is gone")
        assert https.request("a.example.com")[0] == 200


@alone
def what_is_a_listeners_own_goes_to_no_broader_one(case: Case):
    """TLS that passes through, beside an HTTPS listener of any hostname with two certificates: the
    SNI chooses between these, and what no route of the TLS listener takes is refused."""
    one, two = case.service("one", "a"), case.service("two", "b", "tls")
    made = authority(case, here="DNS:here.example.com", there="DNS:there.example.com")
    gateway = Gateway(case, listener("any", 8443, "HTTPS", "", ["here", "there"]),
                      listener("through", 8443, "TLS", "*.a.example.com", passthrough=True))
    gateway.apply(one, two, the_secret(case, made, "here"), the_secret(case, made, "there"),
                  gateway.route(rule(one.ref()), name="web", section="any"),
                  gateway.route(rule(two.ref()), hostnames=["x.a.example.com"], name="through",
                                section="through", kind="TLSRoute"))
    folder = case.mesh.work / f"tls-{case.namespace}"
    with TlsBackends(folder, {"b": f"{BACKENDS['b']}:{PORTS['tls']}"}) as backends:
        with gateway.wait_started(8443):
            for name in ("here", "there"):
                https = Https(gateway.at(8443), f"{name}.example.com", made.path("ca.pem"))
                assert https.names() == [f"{name}.example.com"], https.names()
                assert https.request("any.example.net")[1]["backend"] == "a"
            assert backends.outcome(gateway.at(8443), "x.a.example.com") == "b"
            assert backends.outcome(gateway.at(8443), "y.a.example.com") == "refused"


@alone
def clients_are_counted(case: Case):
    """Of --max-clients one more is closed, and who looks after the gateway is none of them."""
    one = case.service("one", "a")
    gateway = Gateway(case, listener("http", 8080))
    gateway.envoy.more += ["--max-clients", "3", "--memory-limit-mib", "64",
                           "--envoy-metrics", f"{gateway.address}:15090"]
    gateway.apply(one, gateway.route(rule(one.ref())))
    with gateway.wait_started(8080):
        with contextlib.ExitStack() as clients:
            for _ in range(3):
                assert clients.enter_context(Http(gateway.at(8080))).request().outcome == "a"
            assert get(gateway.at(8080)).status == 0, "there is one client too many"
            # its admin endpoint has a port that nobody knows, so that this is all it can say
            assert get(gateway.at(15090), "/stats/prometheus").status == 503
            pressure = lambda: sum(gateway.envoy.stats("overload.*fixed_heap.pressure").values())
            until(lambda: 0 < pressure() < 80, TAKEN_SECONDS, "the heap is watched")
        until(lambda: get(gateway.at(8080)).outcome == "a", TAKEN_SECONDS, "there is room again")


@alone
def certificates_that_envoy_would_refuse(case: Case):
    """They are out, and nothing else of the port is: Envoy rejects a certificate that promises OCSP
    responses, and an ECDSA key that may not sign."""
    one = case.service("one", "a")
    made = authority(case, good="DNS:a.example.com")
    made.issue("stapled", "DNS:b.example.com", "tlsfeature=status_request")
    made.issue("agrees", "DNS:c.example.com", "keyUsage=keyAgreement")
    names = ("good", "stapled", "agrees")
    gateway = Gateway(case, *[listener(name, 8443, "HTTPS", f"{letter}.example.com", [name])
                              for letter, name in zip("abc", names)])
    gateway.apply(one, gateway.route(rule(one.ref())),
                  *[the_secret(case, made, name) for name in names])
    with gateway.wait_started(8443):
        https = Https(gateway.at(8443), "a.example.com", made.path("ca.pem"))
        assert https.request("a.example.com")[0] == 200


@alone
def an_authority_that_cannot_be_read(case: Case):
    """A revocation list that cannot be read, beside a good certificate: Envoy, if it got that, would
    refuse the certificate of other listeners with it. The listener that trusts it lets nobody in, and
    the others are not kept waiting."""
    one = case.service("one", "a")
    made = authority(case, web="DNS:*.example.com", client="DNS:client")
    broken = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"
    ca = config_map("ca", case.namespace,
                    ca_crt=pathlib.Path(made.path("ca.pem")).read_text() + broken)
    asks = {"perPort": [{"port": 8444, "tls": frontend("AllowValidOnly", "ca")["frontend"]["default"]}]}
    gateway = Gateway(case, *[listener(f"web-{port}", port, "HTTPS", "a.example.com", ["web"])
                              for port in (8443, 8444)],
                      tls={"frontend": {"default": {}, **asks}})
    gateway.apply(one, ca, the_secret(case, made, "web"), gateway.route(rule(one.ref())))
    with gateway.wait_started(8443):
        until(lambda: let_in(gateway, made, None), TAKEN_SECONDS, "the good one serves")
        try:
            https = Https(gateway.at(8444), "a.example.com", made.path("ca.pem"),
                          (made.path("client.pem"), made.path("client.key")))
            assert https.request("a.example.com")[0] == 0, "it was let in"
        except (OSError, http.client.HTTPException):
            pass


@alone
def no_plain_text_once_tls_is_asked_for(case: Case):
    """A BackendTLSPolicy comes after requests went in plain text, with an authority that
    cannot be read: then nobody is sent to, rather than as before."""
    one = case.service("one", "a")
    made = authority(case)
    broken = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"
    ca = config_map("ca", case.namespace,
                    ca_crt=pathlib.Path(made.path("ca.pem")).read_text() + broken)
    policy = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "BackendTLSPolicy",
              "metadata": {"name": "tls", "namespace": case.namespace},
              "spec": {"targetRefs": [{"group": "", "kind": "Service", "name": "one"}], "validation": {
                  "hostname": "one.example.com",
                  "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}]}}}
    gateway = Gateway(case, listener("http", 8080))
    things = [one, gateway.route(rule(one.ref()))]
    gateway.apply(*things)
    with gateway.wait_started(8080):
        assert get(gateway.at(8080)).outcome == "a"
        gateway.apply(*things, ca, policy)
        until(lambda: get(gateway.at(8080)).status == 500, TAKEN_SECONDS, "plain text has ended")
        time.sleep(0.5)
        assert get(gateway.at(8080)).status == 500
