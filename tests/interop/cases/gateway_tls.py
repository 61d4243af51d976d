# SPDX-License-Identifier: Apache-2.0
"""Gateways, TLS on both sides: whom clients and backends are, what a change of certificates,
authorities, grants and listeners does to connections that are open."""

import pathlib
import shutil
import socket
import threading

from rig.edge import HttpsBackend
from rig.gateway import Gateway, backend, config_map, listener, secret
from rig.objects import reference_grant, rule
from rig.pki import Authority, openssl
from rig.process import until
from rig.raw import connect
from rig.relay import Relay
from rig.suite import BACKENDS, Case, alone
from rig.tls import Https, TlsBackends
from rig.traffic import HttpLoad, get, listens

from cases.gateways import authority, let_in, the_secret

SECONDS = 5
ROTATIONS = 5
HOST = "a.example.com"
TLS_PORT = 3443


def ca(name: str, case: Case, of: Authority) -> dict:
    return config_map(name, case.namespace, ca_crt=pathlib.Path(of.path("ca.pem")).read_text())


def another(case: Case, name: str, **certificates: str) -> Authority:
    made = Authority(case.mesh.work / f"pki-{name}-{case.namespace}")
    for file, san in certificates.items():
        made.issue(file, san)
    return made


def files(made: Authority, name: str) -> tuple:
    return made.path(f"{name}.pem"), made.path(f"{name}.key")


# --- clients ----------------------------------------------------------------------------------

def validation(*config_maps: str, mode: str = "AllowValidOnly") -> dict:
    refs = [{"group": "", "kind": "ConfigMap", "name": name} for name in config_maps]
    return {"validation": {"mode": mode, "caCertificateRefs": refs}}


@alone
def whom_each_port_lets_in(case: Case):
    """By default, by port, with AllowInsecureFallback; an authority that is replaced."""
    one = case.service("one", "a")
    made = authority(case, web=f"DNS:{HOST}", client="DNS:client")
    other, bad = (another(case, name, client="DNS:client") for name in ("other", "bad"))
    shown = [files(a, "client") for a in (made, other, bad)] + [None]
    ports = (8443, 8444, 8445, 8446)
    frontend = {"default": validation("ca"), "perPort": [
        {"port": 8444, "tls": validation("ca-other")},
        {"port": 8445, "tls": validation("ca", mode="AllowInsecureFallback")},
        {"port": 8446, "tls": validation("none")}]}
    gateway = Gateway(case, *[listener(f"p{p}", p, "HTTPS", HOST, ["web"]) for p in ports],
                      tls={"frontend": frontend})
    things = [one, the_secret(case, made, "web"), ca("ca-other", case, other),
              gateway.route(rule(one.ref()))]
    gateway.apply(*things, ca("ca", case, made))
    table = {8443: [True, False, False, False], 8444: [False, True, False, False],
             8445: [True, True, True, True]}

    def told(port: int) -> list:
        return [let_in(gateway, made, certificate, port) for certificate in shown]

    with gateway.wait_started(*table):
        got = {port: told(port) for port in table}
        assert got == table, got
        assert not listens(gateway.at(8446)), "without an authority nobody is let in"
        gateway.apply(*things, ca("ca", case, bad))  # in place of the one that there was
        until(lambda: told(8443) == [False, False, True, False], SECONDS, "the new one counts")
        assert told(8444) == table[8444] and told(8445) == table[8445]


@alone
def certificates_rotate_under_load(case: Case):
    """No request fails and no connection ends, open ones or new; new ones are shown the newest."""
    one = case.service("one", "a")
    made = authority(case, web=f"DNS:{HOST}")
    gateway = Gateway(case, listener("web", 8443, "HTTPS", HOST, ["web"]))
    route = gateway.route(rule(one.ref()))
    gateway.apply(one, route, the_secret(case, made, "web"))
    with gateway.wait_started(8443):
        at = gateway.at(8443)
        stays, comes = [Https(at, HOST, made) for _ in range(4)], [Https(at, HOST, made)]
        with HttpLoad(stays) as load, HttpLoad(comes, reconnect=True, pause=0) as new:
            load.wait_for("a", times=len(stays))
            new.wait_for("a")
            for number in range(ROTATIONS):
                made.issue("web", f"DNS:{HOST}", rsa=number % 3 == 0)
                gateway.apply(one, route, the_secret(case, made, "web"))
                serial = certificate_serial(made, "web")
                until(lambda: comes[0].serial == serial, SECONDS, "the new certificate is shown")
        load.check_no_failure()
        new.check_no_failure()
        assert [client.connections for client in stays] == [1] * len(stays)


def certificate_serial(made: Authority, name: str) -> str:
    """As ssl tells it of a certificate that was shown."""
    return openssl("x509", "-noout", "-serial", "-in", made.path(f"{name}.pem")).partition("=")[2]


@alone
def heddle_is_away_and_a_gateway_is_not(case: Case):
    """Its connections live on, new ones are shown their certificate, and what has changed in the
    meantime is served when heddle is back, without a failed request."""
    one, two = case.service("one", "a"), case.service("two", "b")
    made = authority(case, web=f"DNS:{HOST}")
    gateway = Gateway(case, listener("web", 8443, "HTTPS", HOST, ["web"]))
    gateway.apply(one, two, the_secret(case, made, "web"), gateway.route(rule(one.ref())))
    with gateway.wait_started(8443):
        at = gateway.at(8443)
        stays, comes = [Https(at, HOST, made)], [Https(at, HOST, made)]
        with HttpLoad(stays) as load, HttpLoad(comes, reconnect=True) as new:
            load.wait_for("a")
            case.heddle.kill()
            seen = len(new.answers)
            until(lambda: len(new.answers) > seen + 20, SECONDS, "requests go on")
            made.issue("web", f"DNS:{HOST}")
            gateway.apply(one, two, the_secret(case, made, "web"), gateway.route(rule(two.ref())))
            case.heddle.start()
            serial = certificate_serial(made, "web")
            until(lambda: comes[0].serial == serial, SECONDS, "the new certificate is shown")
            load.wait_for("b", times=5)
        load.check_no_failure()
        new.check_no_failure()
        assert stays[0].connections == 1


@alone
def a_certificate_that_only_envoy_refuses(case: Case):
    """Its listener alone is not served, though all certificates are under way at a time; the Gateway
    is told of it, and nobody else is."""
    case.expects_rejections = True
    letters = "abcdefgh"
    made = authority(case, **{x: f"DNS:{x}.example.com" for x in letters})
    one = case.service("one", "a")
    with Relay(case.heddle, case.mesh.work) as relay:
        relay.spoil(f"cert/{case.namespace}/d")
        case.heddle.addresses["relay"] = relay.address
        for sotw in (False, True):
            gateway = Gateway(case, *[listener(x, 8443, "HTTPS", f"{x}.example.com", [x])
                                      for x in letters], sotw=sotw)
            gateway.envoy.xds, gateway.rejects = "relay", True
            gateway.apply(one, gateway.route(rule(one.ref())),
                          *[the_secret(case, made, x) for x in letters])
            with gateway.wait_started(8443):
                def served(letter: str) -> bool:
                    with Https(gateway.at(8443), f"{letter}.example.com", made) as https:
                        return https.request().outcome == "a"
                until(lambda: all(map(served, letters.replace("d", ""))), SECONDS, "all but one")
                assert not served("d")
                told = until(lambda: [p["types"]["sds"] for p in case.heddle.proxies()
                                      if "rejection" in p["types"].get("sds", {})],
                             SECONDS, "the rejection is shown")
                assert (len(told), told[0]["rejected"]) == (1, 1), told
                until(lambda: "Failed to load private key" in str(conditions(case)), SECONDS,
                      "the Gateway is told")


def conditions(case: Case) -> list:
    """Those of the case's Gateway."""
    return [item["status"]["conditions"] for item in case.heddle.api("status")["items"]
            if (item["kind"], item["metadata"].get("namespace")) == ("Gateway", case.namespace)]


# --- backends ---------------------------------------------------------------------------------

class Listener:
    """A backend that answers nothing and remembers what was said first on each connection."""

    def __init__(self, address: str):
        host, port = address.rsplit(":", 1)
        self.said = []
        self.server = socket.create_server((host, int(port)))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            connection.settimeout(SECONDS)
            try:
                self.said.append(connection.recv(1))
            except OSError:
                pass
            connection.close()

    def close(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


def tls_policy(case: Case, **spec) -> dict:
    """Of the Service `web`; spec: its validation."""
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "BackendTLSPolicy",
            "metadata": {"name": "tls", "namespace": case.namespace},
            "spec": {"targetRefs": [{"group": "", "kind": "Service", "name": "web"}],
                     "validation": spec}}


def trusts(*config_maps: str) -> list:
    return [{"group": "", "kind": "ConfigMap", "name": name} for name in config_maps]


@alone
def which_backends_are_trusted(case: Case):
    """By name, by alternative names, by authority, by one that is replaced; a policy that does not
    resolve. Never is anything said in plain text."""
    made = authority(case, server="DNS:web.example.com,DNS:*.wild.example.com,"
                                  "URI:spiffe://example.com/web", own="DNS:gateway")
    other = another(case, "other")
    web = case.service("web", "a")
    objects = web.objects()
    objects[1]["ports"][0]["port"] = TLS_PORT
    gateway = Gateway(case, listener("http", 8080))
    things = [ca("ca", case, made), ca("bad", case, other), *objects,
              gateway.route(rule(web.ref()))]

    def san(kind: str, value: str) -> dict:
        return {"type": kind, {"Hostname": "hostname", "URI": "uri"}[kind]: value}

    good, name = trusts("ca"), "web.example.com"
    table = (  # validation, status
        ({"hostname": name, "caCertificateRefs": good}, 200),
        ({"hostname": "other.example.com", "caCertificateRefs": good}, 503),
        ({"hostname": name, "caCertificateRefs": trusts("bad")}, 503),
        ({"hostname": name, "caCertificateRefs": trusts("bad", "ca")}, 200),
        ({"hostname": "x.wild.example.com", "caCertificateRefs": good}, 200),
        ({"hostname": "x.y.wild.example.com", "caCertificateRefs": good}, 503),
        ({"hostname": "wild.example.com", "caCertificateRefs": good}, 503),
        ({"hostname": "sni.example.com", "caCertificateRefs": good,
          "subjectAltNames": [san("URI", "spiffe://example.com/web")]}, 200),
        ({"hostname": "sni.example.com", "caCertificateRefs": good,
          "subjectAltNames": [san("URI", "spiffe://example.com/other")]}, 503),
        ({"hostname": name, "caCertificateRefs": good,
          "subjectAltNames": [san("Hostname", "other.example.com")]}, 503),
        ({"hostname": name, "caCertificateRefs": good,
          "subjectAltNames": [san("Hostname", "other.example.com"), san("Hostname", name)]}, 200),
        ({"hostname": name, "wellKnownCACertificates": "System"}, 503),
        ({"hostname": name, "caCertificateRefs": trusts("none")}, 500),
    )
    address = f"{BACKENDS['a']}:{TLS_PORT}"
    with HttpsBackend(address, made) as https:
        gateway.apply(*things, tls_policy(case, **table[0][0]))
        with gateway.wait_started(8080):
            def become(spec: dict, status: int) -> None:
                gateway.apply(*things, tls_policy(case, **spec))
                until(lambda: (get(gateway.at(8080)).status == status
                               and (status != 200 or https.asked[-1] == spec["hostname"])),
                      SECONDS, f"{spec} gives {status}")

            for spec, status in table:
                become(*(table[1] if status == 200 else table[0]))  # what it is not
                become(spec, status)
            become(*table[0])
            things[0] = ca("ca", case, other)  # in place of the one that there was
            become(table[0][0], 503)
            things[0] = ca("ca", case, made)
            become(*table[0])
    plain = Listener(address)
    with gateway:
        for spec, _ in table:
            gateway.apply(*things, tls_policy(case, **spec))
            get(gateway.at(8080))
        until(lambda: get(gateway.at(8080)).status >= 500, SECONDS, "nobody is there")
    plain.close()
    assert set(plain.said) <= {b"\x16", b""}, plain.said


class SystemFolder:
    """What an Envoy takes for its system's folder of authorities, to be used in a `with` of its
    Gateway: a bundle that is replaced by a rename, or, as volumes of Kubernetes are, a link to a
    folder that is exchanged."""

    def __init__(self, case: Case, volume: bool):
        self.folder = case.mesh.work / f"system-of-{case.namespace}"
        self.folder.mkdir()
        self.volume = volume
        self.count = 0

    def put(self, authority: Authority) -> None:
        text = pathlib.Path(authority.path("ca.pem")).read_text()
        self.count += 1
        if not self.volume:
            new = self.folder / "ca-certificates.crt.new"
            new.write_text(text)
            new.rename(self.folder / "ca-certificates.crt")
            return
        version, link = self.folder / f"..{self.count}", self.folder / "..data_tmp"
        version.mkdir()
        (version / "ca-certificates.crt").write_text(text)
        link.symlink_to(version.name)
        link.rename(self.folder / "..data")
        if self.count == 1:
            (self.folder / "ca-certificates.crt").symlink_to("..data/ca-certificates.crt")

    def mounted(self) -> list:
        return ["unshare", "--mount", "sh", "-c",
                f"mount --bind {self.folder} /etc/ssl/certs && exec \"$@\"", "sh"]


@alone
def system_authorities_that_change(case: Case):
    """A bundle that is replaced counts for the next connection: neither Envoy nor anything of its
    configuration begins anew."""
    made, other = authority(case, server="DNS:web.example.com"), another(case, "other")
    web = case.service("web", "a")
    objects = web.objects()
    objects[1]["ports"][0]["port"] = TLS_PORT
    policy = tls_policy(case, hostname="web.example.com", wellKnownCACertificates="System")
    for volume in (False, True):
        gateway = Gateway(case, listener("http", 8080), name=f"gw-{volume}".lower())
        system = SystemFolder(case, volume)
        gateway.envoy.before = system.mounted()
        system.put(made)
        gateway.apply(*objects, gateway.route(rule(web.ref())), policy)
        with HttpsBackend(f"{BACKENDS['a']}:{TLS_PORT}", made), gateway.wait_started(8080):
            def becomes(status: int) -> None:
                until(lambda: get(gateway.at(8080)).status == status, SECONDS,
                      f"{status}, volume: {volume}")

            becomes(200)
            for of, status in ((other, 503), (made, 200), (other, 503)):
                system.put(of)
                becomes(status)
        shutil.rmtree(system.folder)


# --- one port for all -------------------------------------------------------------------------

@alone
def passthrough_beside_termination(case: Case):
    """On one port, by SNI: what passes through is answered with the backend's certificate, what
    ends here with the listener's; a name of nobody is refused, as is what is no TLS."""
    made = authority(case, end="DNS:end.example.com", web="DNS:web.example.com")
    web, plain = case.service("web", "c"), case.service("plain", "b", "tcp")
    secure = case.service("secure", "a", "tcp")
    objects = secure.objects()
    objects[1]["ports"][0]["port"] = TLS_PORT
    gateway = Gateway(
        case, listener("end", 8443, "TLS", "end.example.com", ["end"]),
        listener("web", 8443, "HTTPS", "web.example.com", ["web"]),
        listener("through", 8443, "TLS", "*.example.com", passthrough=True))
    gateway.apply(
        web, plain, *objects, the_secret(case, made, "end"), the_secret(case, made, "web"),
        gateway.route(rule(plain.ref()), hostnames=["end.example.com"], name="end", section="end",
                      kind="TLSRoute"),
        gateway.route(rule(secure.ref()), hostnames=["mail.a.example.com", "x.example.com"],
                      name="through", section="through", kind="TLSRoute"),
        gateway.route(rule(web.ref()), name="web", section="web"))
    folder = case.mesh.work / f"pki-through-{case.namespace}"
    with TlsBackends(folder, {"a": f"{BACKENDS['a']}:{TLS_PORT}"}) as backends:
        with gateway.wait_started(8443):
            at = gateway.at(8443)
            table = {"x.example.com": "a", "X.EXAMPLE.com": "a", "mail.a.example.com": "a",
                     "y.example.com": "refused", "example.org": "refused", None: "refused"}
            got = {name: backends.outcome(at, name) for name in table}
            assert got == table, got
            with Https(at, "web.example.com", made) as https:
                assert https.request().outcome == "c"
            assert get(at, host="web.example.com").status == 0, "plain HTTP"


@alone
def a_tcproute_where_tls_ends(case: Case):
    """It has what comes out of the TLS of a listener that names the kind: by the listener's hostname,
    beside a TLSRoute that has one name of it; what is no TLS and what has no such name is refused."""
    made = authority(case, end="DNS:*.example.com")
    plain, named = case.service("plain", "a", "tcp"), case.service("named", "b", "tcp")
    gateway = Gateway(case, listener("end", 8443, "TLS", "*.example.com", ["end"]),
                      listener("default", 8444, "TLS", "*.example.com", ["end"]))
    gateway.listeners[0]["allowedRoutes"] = {"kinds": [{"kind": "TCPRoute"}, {"kind": "TLSRoute"}]}
    gateway.apply(
        plain, named, the_secret(case, made, "end"),
        gateway.route(rule(plain.ref()), name="all", kind="TCPRoute"),
        gateway.route(rule(named.ref()), hostnames=["b.example.com"], name="named", section="end",
                      kind="TLSRoute"))

    def letter(port: int, name: str) -> str:
        """The backend, which speaks first; empty: the connection is ended."""
        try:
            with connect(gateway.at(port), name, made.path("ca.pem")) as connection:
                return connection.recv(64).decode().strip().removeprefix("hello from ")
        except OSError:
            return ""

    with gateway.wait_started(8443, 8444):
        table = {"a.example.com": "a", "x.y.example.com": "a", "b.example.com": "b"}
        got = {name: letter(8443, name) for name in table}
        assert got == table, got
        assert letter(8444, "a.example.com") == "", "the kind is not named"
        assert get(gateway.at(8443), host="a.example.com").status == 0, "plain HTTP"


# --- permissions, listeners -------------------------------------------------------------------

@alone
def a_grant_that_is_given_and_taken(case: Case):
    """For a backend and for a certificate, under load: each comes and goes, and nobody else's
    requests fail."""
    one = case.service("one", "a")
    made = authority(case, web=f"DNS:{HOST}", far="DNS:far.example.com")
    far = f"{case.namespace}-far"
    there = case.service("there", "b")
    there.namespace = far
    gateway = Gateway(case, listener("web", 8443, "HTTPS", HOST, ["web"]),
                      listener("far", 8443, "HTTPS", "far.example.com", ["far"]),
                      listener("http", 8080))
    gateway.listeners[1]["tls"]["certificateRefs"][0]["namespace"] = far
    things = [one, there, the_secret(case, made, "web"), secret("far", made.folder, "far", far),
              gateway.route(rule(one.ref()), name="near", hostnames=[HOST]),
              gateway.route(rule(one.ref()), name="far", section="far"),
              gateway.route(rule(backend("there", namespace=far)), name="there", section="http",
                            hostnames=["there.example.com"])]
    grants = [reference_grant(name, far, case.namespace, kind, to) for name, kind, to in (
        ("certificates", "Gateway", "Secret"), ("backends", "HTTPRoute", "Service"))]
    gateway.apply(*things)
    with gateway.wait_started(8443, 8080):
        def there_outcome() -> str:
            return get(gateway.at(8080), host="there.example.com").outcome

        def far_outcome() -> str:
            with Https(gateway.at(8443), "far.example.com", made) as https:
                return https.request().outcome

        with HttpLoad([Https(gateway.at(8443), HOST, made)]) as load:
            load.wait_for("a")
            for _ in range(3):
                until(lambda: (there_outcome(), far_outcome()) == ("500", "0"), SECONDS,
                      "without a grant there is neither backend nor certificate")
                gateway.apply(*things, *grants)
                until(lambda: (there_outcome(), far_outcome()) == ("b", "a"), SECONDS, "granted")
                gateway.apply(*things)
        load.check_no_failure()
        assert load.clients[0].connections == 1
        until(lambda: case.heddle.condition("HTTPRoute", case.namespace, "there", "ResolvedRefs")
              ["reason"] == "RefNotPermitted", SECONDS, "the route says why")


@alone
def a_listener_that_goes_while_it_is_used(case: Case):
    """Its connections end without a failed request, or stay until they do; those of the others,
    on its port or another, are not touched."""
    one = case.service("one", "a")
    made = authority(case, web=f"DNS:{HOST}", gone="DNS:gone.example.com")
    leaves = [listener("gone", 8443, "HTTPS", "gone.example.com", ["gone"]), listener("port", 8081)]
    gateway = Gateway(case, listener("web", 8443, "HTTPS", HOST, ["web"]), *leaves,
                      listener("http", 8080))
    things = [one, the_secret(case, made, "web"), the_secret(case, made, "gone"),
              gateway.route(rule(one.ref()))]
    gateway.apply(*things)
    with gateway.wait_started(8443, 8080, 8081):
        def outcomes() -> tuple:
            with Https(gateway.at(8443), "gone.example.com", made) as https:
                return https.request().outcome, listens(gateway.at(8081))

        with HttpLoad([Https(gateway.at(8443), HOST, made), gateway.at(8080)]) as load:
            load.wait_for("a", times=2)
            for _ in range(3):
                until(lambda: outcomes() == ("a", True), SECONDS, "the listeners serve")
                open_one = Https(gateway.at(8443), "gone.example.com", made)
                answer = open_one.request()
                assert answer.outcome == "a", answer
                gateway.listeners = [x for x in gateway.listeners if x not in leaves]
                gateway.apply(*things)
                until(lambda: outcomes() == ("0", False), SECONDS, "the listeners are gone")
                assert open_one.request().outcome in ("404", "0")  # nobody's host now
                open_one.close()
                gateway.listeners += leaves
                gateway.apply(*things)
        load.check_no_failure()
        assert load.clients[0].connections == 1
