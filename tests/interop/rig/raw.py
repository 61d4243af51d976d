# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as bytes: what a client library would not send, and all of what comes back."""

import json
import socket
import ssl
from typing import Optional

from .traffic import CALL_SECONDS


class RawAnswer:
    """One response; status 0: the connection ended without one."""

    def __init__(self, head: bytes, body: bytes):
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        self.status = int(words[1]) if len(words) > 1 else 0
        self.version = words[0]
        pairs = [line.partition(":") for line in lines[1:] if line]
        self.headers = [(name.lower(), value.strip()) for name, _, value in pairs]
        self.body = body

    def all(self, name: str) -> list:
        return [value for key, value in self.headers if key == name]

    def json(self) -> dict:
        return json.loads(self.body)


def connect(address: str, sni: Optional[str] = None, cafile: str = "",
            alpn: Optional[list] = None, timeout: float = CALL_SECONDS) -> socket.socket:
    """Over TLS when there is a cafile."""
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=timeout)
    if not cafile:
        return connection
    context = ssl.create_default_context(cafile=cafile)
    context.check_hostname = False
    if alpn:
        context.set_alpn_protocols(alpn)
    return context.wrap_socket(connection, server_hostname=sni)


def read_all(connection: socket.socket) -> bytes:
    """Until it is closed, in whatever manner."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def _dechunk(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            break
        parts.append(body[:length])
        body = body[length + 2:]
    return b"".join(parts)


def answers(data: bytes) -> list:
    """The responses in what a server sent; the last may go on until the end."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        answer = RawAnswer(head, b"")
        length = answer.all("content-length")
        if length:
            answer.body, data = data[:int(length[0])], data[int(length[0]):]
        elif answer.all("transfer-encoding"):
            end = data.find(b"0\r\n\r\n")
            answer.body, data = _dechunk(data), data[end + 5:] if end >= 0 else b""
        elif answer.status >= 200 and answer.status not in (204, 304):
            answer.body, data = data, b""
        found.append(answer)
    return found


def exchange(address: str, sent: bytes, **tls) -> RawAnswer:
    """What is answered first to these bytes. They should ask to close the connection; after an
    error Envoy waits for a second before it does."""
    data, found = b"", []
    with connect(address, **tls) as connection:
        connection.sendall(sent)
        try:
            while part := connection.recv(65536):
                data += part
                found = answers(data) if b"\r\n\r\n" in data else []
                if found and found[0].all("content-length") == [str(len(found[0].body))]:
                    break
        except ConnectionResetError:
            pass
    return found[0] if found else RawAnswer(b"", b"")


def statuses(connection: socket.socket, silence: float) -> list:
    """Of all answers up to one that is an error, or until it is silent for so many seconds."""
    data, found = b"", []
    connection.settimeout(silence)
    try:
        while not found or found[-1] < 400:
            part = connection.recv(65536)
            if not part:
                break
            data += part
            found = [answer.status for answer in answers(data)]
    except (ConnectionResetError, TimeoutError):
        pass
    return found
