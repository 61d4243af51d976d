# SPDX-License-Identifier: Apache-2.0
"""Gateways, connections and datagrams: weights beside a share that is refused, the backend that a
client of UDP keeps, addresses of both families, PROXY protocol of both versions."""

import collections
import socket
import struct
import threading

from rig.envoy import own_address
from rig.gateway import Gateway, listener
from rig.objects import rule
from rig.process import until
from rig.raw import connect, exchange, read_all
from rig.suite import BACKENDS, Case, alone
from rig.traffic import check_split, greeter

SECONDS = 5
CONNECTIONS = 400
CLIENTS = 150  # of UDP
DATAGRAMS = 5  # of each
UDP_PORT = 3005
NONE = {"name": "none", "port": 8000}  # does not resolve


class UdpBackends:
    """Each answers with its name what it gets, for as long as the `with` lasts."""

    def __init__(self, letters: str):
        self.sockets = {}
        for letter in letters:
            self.sockets[letter] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sockets[letter].bind((BACKENDS[letter], UDP_PORT))
            threading.Thread(target=self._serve, args=(letter,), daemon=True).start()

    def _serve(self, letter: str) -> None:
        while True:
            try:
                data, peer = self.sockets[letter].recvfrom(2048)
                if not data:
                    return
                self.sockets[letter].sendto(letter.encode() + data, peer)
            except OSError:
                return

    def __enter__(self) -> "UdpBackends":
        return self

    def __exit__(self, *_) -> None:
        for letter, server in self.sockets.items():
            server.sendto(b"", (BACKENDS[letter], UDP_PORT))


def udp_service(case: Case, name: str, letters: str) -> list:
    objects = case.service(name, letters, kind="tcp").objects()
    objects[0]["spec"]["ports"][0]["protocol"] = "UDP"
    objects[1]["ports"] = [{"name": "main", "port": UDP_PORT, "protocol": "UDP"}]
    return objects


def asks(client: socket.socket, gateway: Gateway, port: int) -> str:
    """The backend that answered a datagram; "lost": none did."""
    client.sendto(b"?", (gateway.address, port))
    try:
        return client.recv(2048)[:1].decode()
    except (TimeoutError, ConnectionRefusedError):
        return "lost"


def new_client(timeout: float) -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(timeout)
    return client


@alone
def a_client_of_udp_keeps_its_backend(case: Case):
    """By weight, as long as nothing changes; answers come back; where a backend leaves, its clients
    have another, and clients of the others keep theirs."""
    gateway = Gateway(case, listener("udp", 8053, "UDP"))
    route = gateway.route(rule({"name": "one", "port": 8000, "weight": 1},
                               {"name": "two", "port": 8000, "weight": 2}), kind="UDPRoute")
    with UdpBackends("ab"):
        gateway.apply(*udp_service(case, "one", "a"), *udp_service(case, "two", "b"), route)
        with gateway:
            first = new_client(0.2)
            until(lambda: asks(first, gateway, 8053) != "lost", SECONDS, "it listens")
            clients = [new_client(SECONDS) for _ in range(CLIENTS)]
            told = [{asks(client, gateway, 8053) for _ in range(DATAGRAMS)} for client in clients]
            assert all(len(backends) == 1 for backends in told), "a client had several"
            check_split(collections.Counter(next(iter(b)) for b in told), {"a": 1, "b": 2})
            before = [next(iter(backends)) for backends in told]
            gateway.apply(*udp_service(case, "one", "a"), *udp_service(case, "two", ""), route)
            until(lambda: "b" not in {asks(new_client(0.05), gateway, 8053) for _ in range(12)},
                  SECONDS, "new clients do not get what has left")
            now = [asks(client, gateway, 8053) for client, had in zip(clients, before) if had == "a"]
            assert set(now) == {"a"}, now


@alone
def connections_by_weight_beside_a_refused_share(case: Case):
    """TCPRoutes of Gateways: the share of what does not resolve is refused, and nobody else's;
    connections that are open outlive changes."""
    one, two = case.service("one", "a", "tcp"), case.service("two", "b", "tcp")
    gateway = Gateway(case, listener("tcp", 8081, "TCP"))
    gateway.apply(one, two, gateway.route(
        rule(one.ref(2), two.ref(1), {**NONE, "weight": 1}), kind="TCPRoute"))
    with gateway.wait_started(8081):
        at = gateway.at(8081)
        counts = collections.Counter(greeter(at) for _ in range(CONNECTIONS))
        check_split(counts, {"a": 2, "b": 1, "refused": 1})
        gateway.apply(one, two, gateway.route(rule(one.ref()), kind="TCPRoute"))
        until(lambda: {greeter(at) for _ in range(10)} == {"a"}, SECONDS, "only one backend")
        with connect(at) as connection:
            stream = connection.makefile("rw")
            assert stream.readline() == "hello from a\n"
            gateway.apply(one, two, gateway.route(rule(two.ref()), kind="TCPRoute"))
            until(lambda: greeter(at) == "b", SECONDS, "the other backend")
            stream.write("still here\n")
            stream.flush()
            assert stream.readline() == "still here\n"


@alone
def addresses_of_both_families(case: Case):
    """Each that the Gateway asks for, on each port, a Host that is a literal among them."""
    one, two = case.service("one", "a"), case.service("two", "b", "tcp")
    gateway = Gateway(case, listener("http", 8080), listener("tcp", 8081, "TCP"))
    *others, of_gateway = gateway.objects()
    of_gateway["spec"]["addresses"].append({"type": "IPAddress", "value": "::1"})
    case.apply(*others, of_gateway, one, two,
               gateway.route(rule(one.ref()), section="http", name="http"),
               gateway.route(rule(two.ref()), section="tcp", name="tcp", kind="TCPRoute"))
    with gateway.wait_started(8080, 8081):
        for host in (gateway.address, "::1"):
            shown = f"[{host}]" if ":" in host else host
            with socket.create_connection((host, 8080)) as connection:
                connection.sendall(f"GET / HTTP/1.1\r\nHost: {shown}:8080\r\n"
                                   "Connection: close\r\n\r\n".encode())
                answer = read_all(connection)
            assert f'"host":"{shown}:8080"'.encode() in answer, answer
            with socket.create_connection((host, 8081)) as connection:
                assert connection.makefile().readline() == "hello from b\n"


PREFACE = b"\r\n\r\n\x00\r\nQUIT\n"  # of version 2


def version_2(family: int, addresses: bytes, command: int = 1) -> bytes:
    return PREFACE + struct.pack("!BBH", 0x20 | command, family, len(addresses)) + addresses


CLIENT4 = socket.inet_aton("192.0.2.7") + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 5, 80)
CLIENT6 = (socket.inet_pton(socket.AF_INET6, "2001:db8::7") + socket.inet_pton(socket.AF_INET6, "::1")
           + struct.pack("!HH", 5, 80))
WORDS = {  # what comes first; who the client is then, None: it is not let in
    b"PROXY TCP4 192.0.2.7 127.0.0.1 5 80\r\n": "192.0.2.7",
    b"PROXY TCP6 2001:db8::7 ::1 5 80\r\n": "2001:db8::7",
    b"PROXY UNKNOWN\r\n": own_address(),
    version_2(0x11, CLIENT4): "192.0.2.7", version_2(0x21, CLIENT6): "2001:db8::7",
    version_2(0x00, b"", command=0): own_address(),  # the load balancer's own check
    b"PROXY TCP4 192.0.2.7\r\n": None, b"PROXY " + b"x" * 200: None, version_2(0x11, b"x"): None,
    b"": None,
}


@alone
def proxy_protocol_of_both_versions(case: Case):
    """Of HTTP and of TCP, whose backend is not told; without a good header nobody is let in."""
    one, two = case.service("one", "a"), case.service("two", "b", "tcp")
    gateway = Gateway(case, listener("http", 8080), listener("tcp", 8081, "TCP"),
                      parameters={"proxy-protocol": "true"})
    gateway.apply(one, two, gateway.route(rule(one.ref()), section="http", name="http"),
                  gateway.route(rule(two.ref()), section="tcp", name="tcp", kind="TCPRoute"))
    request = b"GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n\r\n"
    with gateway.wait_started(8080, 8081):
        for words, client in WORDS.items():
            answer = exchange(gateway.at(8080), words + request)
            assert (answer.status == 200) == (client is not None), (words, answer.status)
            if client:
                told = answer.json()["headers"]["X-Forwarded-For"]
                assert told == [client], (words, told)
                with connect(gateway.at(8081)) as connection:
                    connection.sendall(words)
                    assert connection.makefile().readline() == "hello from b\n", words
