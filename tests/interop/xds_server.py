#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An xDS-enabled gRPC server over gRPC's C core.

The sibling of xdsserver (tests/interop/go/xdsserver, which documents it): the same arguments, the
same lines, but for those of serving and not serving, of which Python is told nothing: C core opens
the port when it has the Listener, and writes to standard error.
"""

import json
import sys
from concurrent import futures

import grpc

CALL_SECONDS = 5


class Echo(grpc.GenericRpcHandler):
    """Answers every method with what it got."""

    def __init__(self, name: str):
        self.name = name

    def service(self, details):
        metadata = {}
        for key, value in details.invocation_metadata:
            metadata.setdefault(key, []).append(value)
        answer = {"backend": self.name, "method": details.method, "metadata": metadata}
        reply = json.dumps(answer, default=str).encode()
        return grpc.unary_unary_rpc_method_handler(lambda request, context: reply)


def serve(name: str, address: str) -> grpc.Server:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), handlers=[Echo(name)], xds=True)
    # what is given stays when the control plane says nothing of TLS
    server.add_secure_port(address, grpc.xds_server_credentials(grpc.insecure_server_credentials()))
    server.start()
    return server


def call(channel: grpc.Channel, target: str) -> dict:
    try:
        reply = channel.unary_unary("/echo.Echo/Echo")(b"", timeout=CALL_SECONDS)
        return {"target": target, "reply": json.loads(reply)}
    except grpc.RpcError as error:
        return {"target": target, "code": error.code().name, "message": error.details()}


def main() -> None:
    kept = [serve(*backend.split("=", 1)) for backend in sys.argv[1:]]
    for line in sys.stdin:
        target = line.strip()
        channel = grpc.insecure_channel(target)
        kept.append(channel)
        print(json.dumps(call(channel, target)), flush=True)


if __name__ == "__main__":
    main()
