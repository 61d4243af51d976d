# SPDX-License-Identifier: Apache-2.0
"""A WebSocket as a client has it (RFC 6455), for short texts."""

import base64
import hashlib
import os
import socket
from typing import Optional

from .process import Failed
from .traffic import CALL_SECONDS

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT = 0x81  # the last frame of a text
MASKED = 0x80


class WebSocket:
    """Opened at once; `status` is that of the answer, and tells whether it is one."""

    def __init__(self, address: str, path: str = "/", headers: Optional[dict] = None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=CALL_SECONDS)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        lines = {"Host": address, "Upgrade": "websocket", "Connection": "Upgrade",
                 "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        self.status = int(self.stream.readline().split()[1])
        answer = {}
        for line in iter(self.stream.readline, b"\r\n"):
            name, _, value = line.decode().partition(":")
            answer[name.lower()] = value.strip()
        wanted = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()
        if self.status == 101 and answer.get("sec-websocket-accept") != wanted:
            raise Failed(f"the server answered another handshake: {answer}")

    def send(self, text: str) -> None:
        mask, payload = os.urandom(4), text.encode()
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.socket.sendall(bytes([TEXT, MASKED | len(payload)]) + mask + masked)

    def receive(self) -> str:
        kind, length = self.stream.read(2)
        if kind != TEXT:
            raise Failed(f"a frame of kind {kind:#x}, not a text")
        return self.stream.read(length).decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()
