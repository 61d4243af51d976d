# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 as frames (RFC 9113), with headers that no client library would send."""

import socket
import struct
from typing import List, Optional, Tuple

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
HEADER_TABLE_SIZE = 1  # a setting
STATUS = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}  # HPACK's static table
DIGITS = {**{f"{i:05b}": str(i) for i in range(3)}, **{f"{i + 22:06b}": str(i) for i in range(3, 10)}}


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def _text(value: bytes) -> bytes:
    if len(value) < 127:
        return bytes([len(value)]) + value
    rest, length = len(value) - 127, b"\x7f"
    while rest > 127:
        length += bytes([rest & 127 | 128])
        rest >>= 7
    return length + bytes([rest]) + value


def block(headers: List[Tuple[str, str]]) -> bytes:
    """HPACK without a table: literals that are never indexed."""
    return b"".join(b"\x10" + _text(name.encode("latin-1")) + _text(value.encode("latin-1"))
                    for name, value in headers)


def _status(headers: bytes) -> Optional[int]:
    """The first of the headers of an answer, which Envoy indexes or writes in Huffman's code."""
    while headers and headers[0] & 0xe0 == 0x20:  # the size of the table
        headers = headers[1:]
    if headers[0] & 0x80:
        return STATUS.get(headers[0] & 0x7f)
    length, value = headers[1] & 0x7f, headers[2:]
    if not headers[1] & 0x80:
        return int(value[:length])
    bits, text = "".join(f"{byte:08b}" for byte in value[:length]), ""
    while bits and not all(bit == "1" for bit in bits):
        size = 5 if bits[:5] in DIGITS else 6
        text += DIGITS[bits[:size]]
        bits = bits[size:]
    return int(text)


class H2:
    """A connection, on any socket; "reset" is the outcome of a stream that is ended by an error,
    "closed" that of one whose connection is."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self.data = b""
        self.stream = -1
        no_table = struct.pack("!HI", HEADER_TABLE_SIZE, 0)  # _status() has none
        self.connection.sendall(PREFACE + frame(SETTINGS, 0, 0, no_table))

    def __enter__(self) -> "H2":
        return self

    def __exit__(self, *_) -> None:
        self.connection.close()

    def _read(self) -> Optional[tuple]:
        """(type, flags, stream, payload); None: it is closed."""
        try:
            while len(self.data) < 9 or len(self.data) < 9 + self._length():
                part = self.connection.recv(65536)
                if not part:
                    return None
                self.data += part
        except ConnectionResetError:
            return None
        length = self._length()
        head, payload = self.data[3:9], self.data[9:9 + length]
        self.data = self.data[9 + length:]
        return (*struct.unpack("!BBI", head), payload)

    def _length(self) -> int:
        return int.from_bytes(self.data[:3], "big")

    def send(self, headers: List[Tuple[str, str]], body: Optional[bytes] = None,
             ends: bool = True) -> int:
        """Returns the stream. Without a body the headers are all. ends: nothing more will come."""
        self.stream += 2
        flags = END_HEADERS | (END_STREAM if body is None else 0)
        sent = frame(HEADERS, flags, self.stream, block(headers))
        if body is not None:
            sent += frame(DATA, END_STREAM if ends else 0, self.stream, body)
        try:
            self.connection.sendall(sent)
        except OSError:
            pass  # receive() tells
        return self.stream

    def receive(self, stream: int, enough: Optional[int] = None) -> tuple:
        """(status or "reset" or "closed", body) of a stream, or so many bytes of its body."""
        status, body = None, b""
        while found := self._read():
            kind, flags, of, payload = found
            if kind == SETTINGS and not flags & ACK:
                self.connection.sendall(frame(SETTINGS, ACK, 0))
            elif kind == GOAWAY and int.from_bytes(payload[4:8], "big"):
                break
            elif of == stream and kind == RST_STREAM:
                return status or "reset", body
            elif of == stream and kind == HEADERS:
                status = status or _status(payload)
            elif of == stream and kind == DATA:
                body += payload
                if enough is not None and len(body) >= enough:
                    return status, body
            if of == stream and kind in (HEADERS, DATA) and flags & END_STREAM:
                return status, body
        return "closed", body

    def ask(self, headers: List[Tuple[str, str]], body: Optional[bytes] = None) -> tuple:
        return self.receive(self.send(headers, body))


def request(host: str, path: str = "/", *more: Tuple[str, str], method: str = "GET",
            scheme: str = "http") -> List[Tuple[str, str]]:
    return [(":method", method), (":scheme", scheme), (":path", path), (":authority", host), *more]
