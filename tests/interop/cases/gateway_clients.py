# SPDX-License-Identifier: Apache-2.0
"""Gateways, what their clients are: of every protocol, large, slow, many, and hostile. None of them
may be what the backend is told of another, or keep others from being served."""

import json
import ssl
import subprocess
import threading
import time

from rig.envoy import own_address
from rig.gateway import Gateway, listener
from rig.grpc import ECHO
from rig.objects import header_filter, rule
from rig.process import Failed, until
from rig.raw import answers, connect, exchange, read_all, statuses
from rig.suite import BACKENDS, PORTS, Case, alone
from rig.traffic import HttpLoad, get, seen
from rig.websocket import WebSocket

from cases.gateways import authority, the_secret

HOST = "a.example.com"
MIB = 1 << 20
BODY_BYTES = 100 * MIB
GROWTH_BYTES = 24 * MIB  # of Envoy's memory, whatever the size of a body
HEADERS_SECONDS = 30  # xds/gateway_hcm.c
HANDSHAKE_SECONDS = 15  # xds/gateway_chains.c
SILENCE = 1  # seconds after which no more answers are waited for
IDLE = 2000  # connections
SLOW = 100


def both(case: Case, *things, **spec) -> tuple:
    """(a Gateway that listens by HTTP on 8080 and by HTTPS on 8443, its authority), applied."""
    made = authority(case, web=f"DNS:{HOST}")
    gateway = Gateway(case, listener("http", 8080), listener("web", 8443, "HTTPS", HOST, ["web"]),
                      **spec)
    gateway.apply(the_secret(case, made, "web"), *things)
    return gateway, made


def request(*headers: str, line: str = "GET / HTTP/1.1", host: str = HOST, body: str = "") -> bytes:
    """One that ends the connection."""
    lines = [line, *([f"Host: {host}"] if host else []), "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


# --- what clients say of themselves -----------------------------------------------------------

LIES = {
    "x-heddle-listener": "case/gw/other", "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-upstream-rq-per-try-timeout-ms": "1", "x-envoy-retry-on": "5xx,retriable-status-codes",
    "x-envoy-retry-grpc-on": "unavailable", "x-envoy-max-retries": "3",
    "x-envoy-retriable-status-codes": "503", "x-envoy-retriable-header-names": "x",
    "x-envoy-hedge-on-per-try-timeout": "true", "x-envoy-upstream-alt-stat-name": "evil",
    "x-envoy-expected-rq-timeout-ms": "1", "x-envoy-decorator-operation": "evil",
    "x-envoy-internal": "true", "x-envoy-force-trace": "true", "x-envoy-ip-tags": "evil",
    "x-envoy-downstream-service-cluster": "evil", "x-envoy-downstream-service-node": "evil",
    "x-envoy-original-path": "/evil", "x-envoy-original-host": "evil",
    "x-envoy-external-address": "1.2.3.4", "x-forwarded-client-cert": "By=evil",
}


@alone
def what_clients_say_of_themselves(case: Case):
    """x-envoy-* is neither obeyed nor passed on, nor is the header by which listeners are told
    apart; the address and the protocol are those of the connection."""
    one = case.service("one", "a")
    gateway, made = both(case)
    tried = {"type": "RequestHeaderModifier",
             "requestHeaderModifier": {"set": [{"name": "x-heddle-listener", "value": "mine"}]}}
    gateway.apply(one, the_secret(case, made, "web"), gateway.route(
        rule(one.ref(), matches=[{"path": {"value": "/tried"}}], filters=[tried]), rule(one.ref())))
    lies = [f"{name}: {value}" for name, value in LIES.items()]
    claims = ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: gopher", "X-Request-Id: mine"]
    with gateway.wait_started(8080, 8443):
        ways = {"http": (gateway.at(8080), {}),
                "https": (gateway.at(8443), {"sni": HOST, "cafile": made.path("ca.pem")})}
        for scheme, (at, tls) in ways.items():
            answer = exchange(at, request(*lies, *claims, line="GET /?delay=150 HTTP/1.1"), **tls)
            assert answer.status == 200, f"{scheme}: {answer.status}: a timeout was obeyed"
            headers = {name.lower(): values for name, values in answer.json()["headers"].items()}
            passed = {name for name, value in LIES.items() if value in headers.get(name, ())}
            assert not passed, f"{scheme}: the backend got {passed}"
            assert headers["x-forwarded-for"] == [f"1.2.3.4,{own_address()}"], headers
            assert headers["x-forwarded-proto"] == [scheme], headers
            assert headers["x-request-id"] == ["mine"], headers
            kept = [name for name, _ in answer.headers if name.startswith("x-envoy")]
            assert not kept, f"{scheme}: the client got {kept}"
            number = f"{case.namespace}-{scheme}"
            failing = request(*lies, f"X-Test-Id: {number}", line="GET /?status=503 HTTP/1.1")
            assert exchange(at, failing, **tls).status == 503
            assert len(seen(f"{BACKENDS['a']}:{PORTS['http']}", number)) == 1, "it was retried"
            # no route can write it either, and none of the client's names is matched
            by_route = exchange(at, request(line="GET /tried HTTP/1.1"), **tls).json()["headers"]
            assert "X-Heddle-Listener" not in by_route, by_route


# --- hosts ------------------------------------------------------------------------------------

# What is sent as Host, or the whole target; which route answers.
HOSTS = {
    "a.example.com": "a", "A.EXAMPLE.com": "a", "a.example.com:8080": "a", "a.example.com:1": "a",
    "a.example.com.": "a",  # the same name, absolute: strip_trailing_host_dot
    "a.example.com.:8080": "a", "b.example.com": "b", "x.b.example.com": "b", "B.Example.Com": "b",
    "example.com": "c", "a.example.com.evil.org": "c", "[::1]": "c", "[::1]:8080": "c",
    "127.0.0.1": "c", "localhost": "c", "*.example.com": "b", "a.example.com:x": "a", "": "c",
    "user@a.example.com": "400", "a.example.com/": "400", "a example.com": "400",
    "a.example.com, b.example.com": "400",
}


@alone
def hosts_as_they_are_written(case: Case):
    """Case, ports and the last dot of a Host mean nothing; the absolute form wins over Host (RFC
    9112, 3.2.2); without a Host it is no request of HTTP/1.1. Envoy makes of two Hosts one, with a
    comma: that is nobody's name, and the backend gets it like that, so that both read the same."""
    services = {letter: case.service(f"svc-{letter}", letter) for letter in "abc"}
    gateway = Gateway(case, listener("http", 8080))
    names = {"a": ["a.example.com"], "b": ["*.example.com"], "c": []}
    gateway.apply(*services.values(), *[
        gateway.route(rule(services[letter].ref()), hostnames=hostnames, name=letter)
        for letter, hostnames in names.items()])
    with gateway.wait_started(8080):
        def told(sent: bytes) -> str:
            answer = exchange(gateway.at(8080), sent)
            return answer.json()["backend"] if answer.status == 200 else str(answer.status)

        got = {host: told(request(f"Host: {host}", host="")) for host in HOSTS}
        wrong = {host: (got[host], HOSTS[host]) for host in HOSTS if got[host] != HOSTS[host]}
        others = {
            "absolute": (request(line="GET http://b.example.com/ HTTP/1.1"), "b"),
            "absolute, with a port": (request(line="GET http://b.example.com:80/x HTTP/1.1"), "b"),
            "two": (request("Host: b.example.org"), "c"), "none": (request(host=""), "400"),
        }
        wrong |= {name: (told(sent), wanted) for name, (sent, wanted) in others.items()
                  if told(sent) != wanted}
        assert not wrong, wrong


# --- requests within requests -----------------------------------------------------------------

# Each tries to hide "GET /hidden" from the gateway, or to make the backend see it.
HIDDEN = "GET /hidden HTTP/1.1\r\nHost: a.example.com\r\nX-Test-Id: {id}\r\n\r\n"
LENGTH = "Content-Length: 6"
CHUNKED = "Transfer-Encoding: chunked"
SMUGGLERS = {  # by headers, body, what the answers are; a first line of its own
    "both lengths": ([CHUNKED, "Content-Length: {len}"], "0\r\n\r\n{hidden}", [400]),
    "both lengths, turned": (["Content-Length: {len}", CHUNKED], "0\r\n\r\n{hidden}", [400]),
    "two lengths": ([LENGTH, "Content-Length: {len}"], "hidden{hidden}", [400]),
    "a list of lengths": (["Content-Length: 6, {len}"], "hidden{hidden}", [400]),
    "a signed length": (["Content-Length: +6"], "hidden{hidden}", [400]),
    "a long length": (["Content-Length: 99999999999999999999"], "hidden{hidden}", [400]),
    "an odd coding": (["Transfer-Encoding: xchunked"], "0\r\n\r\n{hidden}", [501]),
    "two codings": (["Transfer-Encoding: chunked, identity"], "0\r\n\r\n{hidden}", [501]),
    "an odd space before it": (["Transfer-Encoding:\x0bchunked"], "0\r\n\r\n{hidden}", [400]),
    "a space before the colon": (["Transfer-Encoding : chunked"], "0\r\n\r\n{hidden}", [400]),
    "NUL": (["X-Nul: a\x00b"], "{hidden}", [400]),
    # one value of one header: no body, and "0" is no request
    "a folded line": (["X-Folded: 1", " " + CHUNKED], "0\r\n\r\n{hidden}", [200, 400]),
    "CR": (["X-Cr: a\r" + CHUNKED], "0\r\n\r\n{hidden}", [200, 400]),
    # trailers of HTTP/1.1 are dropped, none is taken for a header; what follows is a request: 404
    "trailers": ([CHUNKED], "0\r\nContent-Length: 9\r\nX-Late: 1\r\n\r\n{hidden}", [200, 404]),
    "a wrong chunk": ([CHUNKED], "zz\r\n{hidden}", [400]),
    "a long chunk": ([CHUNKED], "fffffffffffffffff\r\n{hidden}", [400]),
    "a method with a space": ([], "", [400], "GET /x GET / HTTP/1.1"),
    # HTTP/0.9 and what follows: of no host that is served
    "an old version": ([], "", [404], "GET /\r\n{hidden}"),
}


@alone
def nothing_is_smuggled(case: Case):
    """What Envoy and a backend could read as different requests is refused, or read as one."""
    one = case.service("one", "a")
    gateway = Gateway(case, listener("http", 8080))
    gateway.apply(one, gateway.route(rule(one.ref(), matches=[{"path": {"value": "/open"}}]),
                                     hostnames=[HOST]))
    backend = f"{BACKENDS['a']}:{PORTS['http']}"
    with gateway.wait_started(8080):
        got = {}
        for number, (name, (headers, body, _, *line)) in enumerate(SMUGGLERS.items()):
            hidden = HIDDEN.format(id=f"{case.namespace}-{number}")
            body = body.format(hidden=hidden)
            lines = [*(line or ["POST /open HTTP/1.1"]), f"Host: {HOST}", *headers, "", body]
            sent = "\r\n".join(lines).format(len=len(body), hidden=hidden)
            with connect(gateway.at(8080)) as connection:
                connection.sendall(sent.encode("latin-1"))
                got[name] = statuses(connection, SILENCE)
            assert not seen(backend, f"{case.namespace}-{number}"), f"{name}: it got through"
        wrong = {name: (got[name], wanted) for name, (_, _, wanted, *_) in SMUGGLERS.items()
                 if got[name] != wanted}
        assert not wrong, wrong
        offer = get(gateway.at(8080), "/open", host=HOST, upgrade="h2c",
                    connection="Upgrade, HTTP2-Settings", http2_settings="AAMAAABkAARA")
        headers = {name.lower() for name in offer.echo["headers"]}
        assert not headers & {"upgrade", "http2-settings"}, headers


# --- protocols --------------------------------------------------------------------------------

def curl(address: str, *words: str, port: int = 8443, host: str = HOST) -> tuple:
    """(HTTP version, status, backend's echo)"""
    ip, at = address.rsplit(":", 1)
    done = subprocess.run(
        ["curl", "-sS", "-m", "10", "--resolve", f"{host}:{at}:{ip}", "-w",
         "\n%{http_version} %{http_code}", *words], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    body, _, end = done.stdout.rpartition("\n")
    if done.returncode != 0:
        raise Failed(f"curl {words[-1]}: {done.stdout.strip()}")
    version, status = end.split()
    return version, int(status), json.loads(body) if status == "200" else body


@alone
def every_protocol_on_every_listener(case: Case):
    """HTTP/1.0, HTTP/1.1 with requests on end, HTTP/2 by ALPN and with prior knowledge, WebSockets,
    gRPC, of one answer and of many."""
    web, calls = case.service("web", "a"), case.service("calls", "b", "grpc")
    gateway, made = both(case)
    gateway.apply(web, calls, the_secret(case, made, "web"),
                  gateway.route(rule(web.ref()), name="web", hostnames=[HOST]),
                  gateway.route(rule(calls.ref()), name="calls", kind="GRPCRoute",
                                hostnames=["grpc.example.com"], section="http"))
    ca = ["--cacert", made.path("ca.pem")]
    with gateway.wait_started(8080, 8443):
        plain, tls = gateway.at(8080), gateway.at(8443)
        ways = {
            "1.0": [("1", (plain, "--http1.0", f"http://{HOST}:8080/")),
                    ("1", (tls, *ca, "--http1.0", f"https://{HOST}:8443/"))],
            "1.1": [("1.1", (plain, "--http1.1", f"http://{HOST}:8080/")),
                    ("1.1", (tls, *ca, "--http1.1", f"https://{HOST}:8443/")),
                    ("1.1", (tls, *ca, "--no-alpn", f"https://{HOST}:8443/"))],
            "2": [("2", (plain, "--http2-prior-knowledge", f"http://{HOST}:8080/")),
                  ("2", (tls, *ca, "--http2", f"https://{HOST}:8443/"))],
        }
        for version, clients in ways.items():
            for shown, words in clients:
                answer = curl(*words)
                assert answer[:2] == (shown, 200), (version, words, answer)
                assert answer[2]["protocol"] == "HTTP/1.1", answer  # what the Service speaks
        # requests on end are answered in their order
        paths = [f"/{i}?delay={60 - i}" for i in range(0, 60, 10)]
        sent = b"".join(f"GET {p} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode() for p in paths[:-1])
        sent += request(line=f"GET {paths[-1]} HTTP/1.1")
        with connect(plain) as connection:
            connection.sendall(sent)
            got = [answer.json()["path"] for answer in answers(read_all(connection))]
        assert got == paths, got
        with WebSocket(plain, headers={"Host": HOST}) as socket_:
            assert socket_.status == 101 and socket_.receive() == "hello from a"
            socket_.send("and back")
            assert socket_.receive() == "and back"
        with connect(tls, HOST, made.path("ca.pem"), ["http/1.1"]) as raw:
            raw.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: "
                        "Upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
                        .encode())
            assert raw.recv(12) == b"HTTP/1.1 101", "WebSockets over TLS"
        go = case.mesh.grpc("go")
        for messages in (0, 20):
            told = go.call(plain, authority="grpc.example.com", messages=messages, count=5,
                           methods=(ECHO, "/echo.Echo/Other"))
            assert told.ok == 5 and set(told.counts()) == {"b"}, told
        assert go.call(plain, authority="none.example.com").only_error()["code"] == "UNIMPLEMENTED"


@alone
def grpc_over_https(case: Case):
    """A GRPCRoute on an HTTPS listener: calls, streams, what no rule takes, and what a client may
    not know: a Service that does not say what it speaks is spoken HTTP/2 to."""
    calls = case.service("calls", "b", "grpc", protocol="")
    gateway, made = both(case)
    by_method = {"method": {"service": "echo.Echo", "method": "Echo"}}
    gateway.apply(calls, the_secret(case, made, "web"), gateway.route(
        rule(calls.ref(), matches=[by_method], filters=[header_filter(add={"x-by": "gateway"})]),
        kind="GRPCRoute", section="web"))
    with gateway.wait_started(8080, 8443):
        go, tls = case.mesh.grpc("go"), {"authority": HOST, "cafile": made.path("ca.pem")}
        for messages in (0, 50):
            told = go.call(gateway.at(8443), messages=messages, count=3, **tls)
            assert told.ok == 3 and told.reply["metadata"]["x-by"] == ["gateway"], told
        other = go.call(gateway.at(8443), methods=["/echo.Echo/Other"], **tls)
        assert other.only_error()["code"] == "UNIMPLEMENTED", other


# --- large, slow, many ------------------------------------------------------------------------

@alone
def large_headers(case: Case):
    """Up to 96 KiB; more are 431, and the connection's others are served."""
    one = case.service("one", "a")
    gateway, made = both(case)
    gateway.apply(one, the_secret(case, made, "web"), gateway.route(rule(one.ref())))
    ways = {8080: {}, 8443: {"sni": HOST, "cafile": made.path("ca.pem")}}
    table = {1: 200, 8: 200, 60: 200, 90: 200, 97: 431}
    with gateway.wait_started(8080, 8443):
        for port, tls in ways.items():
            got = {}
            for size in table:
                big = "x" * (size * 1024)
                answer = exchange(gateway.at(port), request(f"X-Big: {big}"), **tls)
                got[size] = answer.status
                assert answer.status != 200 or answer.json()["headers"]["X-Big"] == [big]
            assert got == table, (port, got)
        many = [f"X-N{i}: {i}" for i in range(80)]
        echo = exchange(gateway.at(8080), request(*many)).json()
        assert sum(name.startswith("X-N") for name in echo["headers"]) == 80
        long_path = "/" + "p" * 60000
        assert exchange(gateway.at(8080), request(line=f"GET {long_path} HTTP/1.1")
                        ).json()["path"] == long_path


def memory(gateway: Gateway) -> int:
    """What Envoy has of the system's, in bytes."""
    status = open(f"/proc/{gateway.envoy.child.pid}/status", encoding="ascii").read()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def client_hello(sni: str) -> bytes:
    """What a client of TLS sends first."""
    sent = ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname=sni
                                              ).do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise Failed("a handshake has ended that has not begun")


def send_body(address: str, size: int) -> int:
    """The bytes that came back of a body of zeros that is sent while the answer is read."""
    block = bytes(64 * 1024)
    connection = connect(address)
    connection.sendall(request(f"Content-Length: {size}", line="POST /back HTTP/1.1"))

    def send():
        for _ in range(size // len(block)):
            connection.sendall(block)

    sender = threading.Thread(target=send)
    sender.start()
    got = 0
    while part := connection.recv(MIB):
        got += len(part)
    sender.join()
    connection.close()
    return got


class SlowClients:
    """Connections that have sent the first half of something, and when each was ended."""

    def __init__(self, address: str, first: bytes, count: int):
        self.started = time.monotonic()
        self.connections = [connect(address, timeout=60) for _ in range(count)]
        for connection in self.connections:
            connection.sendall(first)

    def ended_after(self) -> float:
        """Waits until the last is ended; the seconds that the first lasted."""
        first = None
        for connection in self.connections:
            read_all(connection)
            first = first or time.monotonic() - self.started
            connection.close()
        return first


@alone
def slow_large_and_idle_clients_disturb_nobody(case: Case):
    """Half a request, or half a handshake, is ended in time; bodies of 100 MiB flow both ways, and
    wait for a slow reader, in the same memory; idle connections cost others nothing."""
    one = case.service("one", "a")
    gateway, made = both(case)
    gateway.apply(one, the_secret(case, made, "web"), gateway.route(rule(one.ref())))
    with gateway.wait_started(8080, 8443):
        at = gateway.at(8080)
        slow = SlowClients(at, b"GET / HTTP/1.1\r\nHost: a.exa", SLOW)
        hello = client_hello(HOST)
        slow_tls = [SlowClients(gateway.at(8443), first, SLOW // 2)
                    for first in (b"", hello[:20], hello)]
        with HttpLoad([at, at], reconnect=False) as load:
            load.wait_for("a", times=20)
            idle = [connect(at) for _ in range(IDLE)]
            before = memory(gateway)
            got = send_body(at, BODY_BYTES)
            assert got > BODY_BYTES, f"{got} bytes of {BODY_BYTES} came back"
            with connect(at) as reader:  # that does not read
                reader.sendall(request(line=f"GET /bytes?n={BODY_BYTES} HTTP/1.1"))
                time.sleep(1)
                reader.recv(1)
            grown = memory(gateway) - before
            assert grown < GROWTH_BYTES, f"Envoy has grown by {grown // MIB} MiB"
            for connection in idle[:100]:  # they are alive
                connection.sendall(request())
            for connection in idle[:100]:
                assert answers(read_all(connection))[0].status == 200
            for connection in idle:
                connection.close()
            for clients in slow_tls:
                seconds = clients.ended_after()
                assert seconds < HANDSHAKE_SECONDS + 5, f"a handshake may take {seconds} s"
            seconds = slow.ended_after()
            assert HEADERS_SECONDS - 2 < seconds < HEADERS_SECONDS + 5, f"after {seconds} s"
        load.check_no_failure()
        worst = max(answer.seconds for answer in load.answers)
        assert worst < 2, f"a request took {worst:.1f} s"
        until(lambda: gateway.envoy.stats("downstream_cx_active").get(
            f"http.gateway/{case.namespace}/gw:8080.downstream_cx_active", 0) <= 2,
              5, "what has ended is forgotten")
