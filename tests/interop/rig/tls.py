# SPDX-License-Identifier: Apache-2.0
"""TLS servers that say who they are, and a client that says what it heard; HTTP over TLS."""

import http.client
import pathlib
import socket
import ssl
import threading
from typing import Optional

from .pki import Authority
from .traffic import Http

SECONDS = 5
NAMES = "DNS:*.example.com,DNS:*.a.example.com,DNS:example.com,DNS:mail.example.org"


class TlsBackends:
    """Servers with a certificate for NAMES, each {name: ADDR:PORT}, for as long as the `with`
    lasts. Each sends the line "hello from NAME to SNI"."""

    def __init__(self, folder: pathlib.Path, backends: dict):
        self.authority = Authority(folder)
        self.authority.issue("server", NAMES)
        self.backends = backends
        self.listeners = []

    def __enter__(self):
        for name, address in self.backends.items():
            host, port = address.rsplit(":", 1)
            listener = socket.create_server((host, int(port)))
            self.listeners.append(listener)
            threading.Thread(target=self._serve, args=(name, listener), daemon=True).start()
        return self

    def __exit__(self, *_):
        for listener in self.listeners:
            listener.shutdown(socket.SHUT_RDWR)  # so that accept() returns
            listener.close()

    def _serve(self, name: str, listener: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.path("server.pem"),
                                self.authority.path("server.key"))
        asked = {}
        context.sni_callback = lambda tls, sni, _: asked.__setitem__(tls, sni)
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(SECONDS)
            try:
                with context.wrap_socket(connection, server_side=True) as tls:
                    tls.sendall(f"hello from {name} to {asked.pop(tls, None)}\n".encode())
            except OSError:
                connection.close()

    def outcome(self, address: str, sni: Optional[str], alpn: Optional[list] = None) -> str:
        """"a": the backend that took the handshake, with a certificate for the name that was asked
        for; "refused" when the connection ended before one was shown."""
        context = ssl.create_default_context(cafile=self.authority.path("ca.pem"))
        context.check_hostname = sni is not None
        if alpn:
            context.set_alpn_protocols(alpn)
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=SECONDS) as connection:
            try:
                with context.wrap_socket(connection, server_hostname=sni) as tls:
                    words = tls.makefile().readline().split()
            except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
                return "refused"
        assert words[:2] == ["hello", "from"] and words[4] == str(sni), words
        return words[2]


class Https(Http):
    """Asks ADDR:PORT for the server name `name`, takes no certificate but one for it of `authority`,
    and asks for that host."""

    def __init__(self, address: str, name: str, authority: Authority):
        super().__init__(address, name)
        self.context = ssl.create_default_context(cafile=authority.path("ca.pem"))
        self.serial = ""  # of the certificate that was shown last
        self.connections = 0  # that there have been

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        connection = super().connect(timeout)
        connection.sock = self.context.wrap_socket(connection.sock, server_hostname=self.host)
        self.serial = connection.sock.getpeercert()["serialNumber"]
        self.connections += 1
        return connection
