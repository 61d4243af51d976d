#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTP server: backend.py NAME ADDRESS PORT. It answers its name and the headers that it got;
/slow after a second."""

import http.server
import socket
import socketserver
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/slow":
            time.sleep(1)
        body = f"{sys.argv[1]}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)  # HTTPServer's would ask DNS for our name

server = Server((sys.argv[2], int(sys.argv[3])), Handler)
print("ready", flush=True)
server.serve_forever()
