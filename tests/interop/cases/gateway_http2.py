# SPDX-License-Identifier: Apache-2.0
"""Gateways, HTTP/2 as an attacker speaks it: one connection for hosts of several listeners, and
requests that would be others in HTTP/1.1, which is what the backend is spoken."""

import json

from rig.gateway import Gateway, listener
from rig.h2 import H2, request
from rig.objects import rule
from rig.raw import connect, statuses
from rig.suite import BACKENDS, PORTS, Case, alone
from rig.traffic import Http, HttpLoad, seen

from cases.gateways import authority, the_secret

HOST = "a.example.com"
STREAMS = 100  # at a time: xds/gateway_hcm.c
HIDDEN = "GET /hidden HTTP/1.1\r\nHost: a.example.com\r\nX-Test-Id: {id}\r\n\r\n"


@alone
def one_connection_for_several_listeners(case: Case):
    """As browsers use one where the certificate allows it: 421 for what another listener has, the
    stream alone, whatever the client says of the listener."""
    one = case.service("one", "a")
    made = authority(case, web="DNS:*.example.com")
    gateway = Gateway(case, *[listener(name, 8443, "HTTPS", f"{name}.example.com", ["web"])
                              for name in "ab"], listener("wild", 8443, "HTTPS", "*.example.com", ["web"]))
    gateway.apply(one, the_secret(case, made, "web"), gateway.route(rule(one.ref())))
    lie = ("x-heddle-listener", f"{case.namespace}/gw/b")
    with gateway.wait_started(8443):
        with H2(connect(gateway.at(8443), HOST, made.path("ca.pem"), ["h2"])) as client:
            table = {"a.example.com": 200, "b.example.com": 421, "c.example.com": 421,
                     "example.org": 404, "A.EXAMPLE.COM:8443": 200, "b.example.com:443": 421}
            for _ in range(2):
                got = {host: client.ask(request(host, "/", lie, scheme="https"))[0]
                       for host in table}
                assert got == table, got
            _, body = client.ask(request(HOST, "/", lie, lie, scheme="https"))
            assert "x-heddle-listener" not in body.decode().lower(), body
            streams = [client.send(request(HOST, f"/{i}?delay=50", scheme="https"))
                       for i in range(STREAMS // 2)]
            paths = {json.loads(client.receive(stream)[1])["path"] for stream in streams[-1:]}
            assert paths == {f"/{STREAMS // 2 - 1}?delay=50"}, paths


@alone
def websockets_and_other_tunnels(case: Case):
    """A WebSocket in a stream (RFC 8441), as browsers have it, beside requests; but a gateway is
    nobody's proxy: CONNECT leads nowhere, whatever it names."""
    one = case.service("one", "a")
    made = authority(case, web="DNS:*.example.com")
    gateway = Gateway(case, listener("web", 8443, "HTTPS", HOST, ["web"]), listener("http", 8080))
    gateway.apply(one, the_secret(case, made, "web"), gateway.route(rule(one.ref())))
    text = b"\x81\x85\0\0\0\0again"  # a frame of a client (RFC 6455), its mask nothing
    with gateway.wait_started(8080, 8443):
        with H2(connect(gateway.at(8443), HOST, made.path("ca.pem"), ["h2"])) as client:
            stream = client.send(
                request(HOST, "/", (":protocol", "websocket"), ("sec-websocket-version", "13"),
                        method="CONNECT", scheme="https"), text, ends=False)
            greeting, echo = b"\x81\x0chello from a", b"\x81\x05again"
            wanted = 200, greeting + echo
            assert client.receive(stream, enough=len(wanted[1])) == wanted
            assert client.ask(request(HOST, scheme="https"))[0] == 200
        targets = (HOST, f"{HOST}:8080", f"{BACKENDS['a']}:{PORTS['http']}", "evil.example.org:443")
        for target in targets:
            with connect(gateway.at(8080)) as raw:
                raw.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
                assert statuses(raw, 1)[0] in (400, 404, 405), target
            with H2(connect(gateway.at(8080))) as client:
                status, _ = client.ask([(":method", "CONNECT"), (":authority", target)])
                assert status in (400, 404, 405, "reset"), (target, status)


# Headers that are added, a body, what the stream comes to, another path.
ODD = {
    "a coding": ([("transfer-encoding", "chunked")], "0\r\n\r\n{hidden}", "reset"),
    "a shorter length": ([("content-length", "1")], "x{hidden}", "reset"),
    "a longer length": ([("content-length", "999")], "{hidden}", "reset"),
    "two lengths": ([("content-length", "1"), ("content-length", "2")], "x{hidden}", "reset"),
    "a line in a value": ([("x-a", "b\r\n\r\n{hidden}")], None, "reset"),
    "a line feed in a value": ([("x-a", "b\n{hidden}")], None, "reset"),
    "NUL in a value": ([("x-a", "b\0c")], None, "reset"),
    "a line in a name": ([("x-a: b\r\n\r\n{hidden}", "c")], None, "reset"),
    "a colon in a name": ([("x-a: b", "c")], None, "reset"),
    "an upper-case name": ([("X-Upper", "1")], None, "reset"),
    "a connection's header": ([("connection", "x-a"), ("x-a", "b")], None, "reset"),
    "an upgrade": ([("upgrade", "websocket"), ("connection", "upgrade")], None, "reset"),
    "a line in the path": ([], None, "reset", "/ HTTP/1.1\r\n\r\n{hidden}"),
    "a space in the path": ([], None, "reset", "/ HTTP/1.1"),
    "no path": ([], None, "reset", ""),
    "a whole URL as the path": ([], None, "reset", "http://evil.example.com/hidden"),
    "another Host": ([("host", "evil.example.com")], None, 200),
    "two paths": ([(":path", "/hidden")], None, "reset"),
    "an unknown pseudo-header": ([(":evil", "1")], None, "reset"),
}


@alone
def nothing_is_smuggled_through_http2(case: Case):
    """Each stream is refused, or is one request of the backend's; the connection's others go on,
    and so do those of others."""
    one = case.service("one", "a")
    gateway = Gateway(case, listener("http", 8080))
    gateway.apply(one, gateway.route(rule(one.ref(), matches=[{"path": {"value": "/open"}}]),
                                     hostnames=[HOST]))
    backend = f"{BACKENDS['a']}:{PORTS['http']}"
    with gateway.wait_started(8080):
        got, streams = {}, {}
        with HttpLoad([Http(gateway.at(8080), HOST)], path="/open") as load:
            for number, (name, (headers, body, _, *path)) in enumerate(ODD.items()):
                hidden = HIDDEN.format(id=f"{case.namespace}-{number}")
                headers = [tuple(part.format(hidden=hidden) for part in pair) for pair in headers]
                asked = path[0].format(hidden=hidden) if path else "/open"
                client = H2(connect(gateway.at(8080)))
                streams[name] = client, client.send(
                    request(HOST, asked, *headers, method="GET" if body is None else "POST"),
                    None if body is None else body.format(hidden=hidden).encode())
            for number, (name, (client, stream)) in enumerate(streams.items()):
                with client:
                    got[name], answer = client.receive(stream)
                assert got[name] != 200 or json.loads(answer)["host"] == HOST, (name, answer)
                if got[name] in ("closed", 400):  # as the error is of the stream or of more
                    got[name] = "reset"
                assert not seen(backend, f"{case.namespace}-{number}"), f"{name}: it got through"
        load.check_no_failure()
        wrong = {name: (got[name], wanted) for name, (_, _, wanted, *_) in ODD.items()
                 if got[name] != wanted}
        assert not wrong, wrong
