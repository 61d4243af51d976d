# SPDX-License-Identifier: Apache-2.0
"""What stands on either side of a gateway: a backend that speaks HTTPS, a client of HTTP/3."""

import http.server
import json
import pathlib
import ssl
import subprocess
import threading

from .pki import Authority
from .process import Child, tool, until
from .traffic import Answer, get, listens

START_SECONDS = 15
TLS = "type.googleapis.com/envoy.extensions.transport_sockets"
HTTP = "type.googleapis.com/envoy.extensions"


class HttpsBackend:
    """Has the certificate `server`; answers with the name that it was asked for (SNI) and that of
    the certificate which the client showed."""

    def __init__(self, address: str, authority: Authority):
        host, port = address.rsplit(":", 1)
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                names = (self.connection.getpeercert() or {}).get("subjectAltName", ())
                shown = ",".join(value for _, value in names)
                body = f"{asked[-1]} {shown}".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.path("server.pem"), authority.path("server.key"))
        context.load_verify_locations(authority.path("ca.pem"))
        context.verify_mode = ssl.CERT_OPTIONAL
        context.minimum_version = ssl.TLSVersion.TLSv1_3  # which Envoy does not speak by itself
        context.sni_callback = lambda _, sni, __: asked.append(sni)
        self.server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def __enter__(self) -> "HttpsBackend":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()


class Http3Client:
    """An Envoy that sends on by HTTP/3 what it hears by HTTP/1.1."""

    def __init__(self, folder: pathlib.Path, address: str, sni: str, cafile: str):
        """folder: is made, for its files."""
        self.folder = folder
        self.folder.mkdir()
        self.address = "127.30.255.1:9080"
        host, port = address.rsplit(":", 1)
        socket = {"socket_address": {"address": host, "port_value": int(port)}}
        quic = {"@type": f"{TLS}.quic.v3.QuicUpstreamTransport", "upstream_tls_context": {
            "sni": sni, "common_tls_context": {"validation_context": {
                "trusted_ca": {"filename": cafile}}}}}
        options = {"@type": f"{HTTP}.upstreams.http.v3.HttpProtocolOptions",
                   "explicit_http_config": {"http3_protocol_options": {}}}
        cluster = {
            "name": "gateway", "type": "STATIC",
            "load_assignment": {"cluster_name": "gateway", "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": socket}}]}]},
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
            "transport_socket": {"name": "envoy.transport_sockets.quic",
                                 "typed_config": quic}}
        route = {"match": {"prefix": "/"}, "route": {"cluster": "gateway"}}
        hcm = {"@type": f"{HTTP}.filters.network.http_connection_manager.v3.HttpConnectionManager",
               "stat_prefix": "client",
               "route_config": {"virtual_hosts": [
                   {"name": "all", "domains": ["*"], "routes": [route]}]},
               "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
                   "@type": f"{HTTP}.filters.http.router.v3.Router"}}]}
        own, own_port = self.address.rsplit(":", 1)
        listener = {"name": "client",
                    "address": {"socket_address": {"address": own, "port_value": int(own_port)}},
                    "filter_chains": [{"filters": [{"name": "hcm", "typed_config": hcm}]}]}
        self.bootstrap = self.folder / "bootstrap.json"
        self.bootstrap.write_text(json.dumps(
            {"static_resources": {"clusters": [cluster], "listeners": [listener]}}))

    def __enter__(self) -> "Http3Client":
        self.child = Child("envoy 'http3'", [
            tool("HEDDLE_ENVOY"), "-c", self.bootstrap, "--concurrency", "1",
            "--disable-hot-restart", "--log-level", "warning",
        ], self.folder / "log", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lambda: listens(self.address), START_SECONDS, "the client of HTTP/3 listens")
        return self

    def __exit__(self, *_) -> None:
        self.child.stop()

    def get(self, host: str) -> Answer:
        return get(self.address, Host=host)
