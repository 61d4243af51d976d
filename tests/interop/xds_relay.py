#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands between clients and heddle, and spoils resources, since heddle sends none that clients
reject.

  xds_relay.py UPSTREAM     prints the address that it listens on

A line NAME of standard input: resources of this name are passed on from now on with something in
them that gRPC, of secrets Envoy, does not take. It answers with a line. It ends when standard input does.
"""

import sys
from concurrent import futures

import grpc
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
METHODS = {"StreamAggregatedResources": discovery_pb2.DiscoveryResponse,
           "DeltaAggregatedResources": discovery_pb2.DeltaDiscoveryResponse}
STREAMS_MAX = 20  # each has a thread

spoiled = set()


def spoil_cluster(cluster: cluster_pb2.Cluster) -> None:
    cluster.lb_policy = cluster_pb2.Cluster.MAGLEV


def spoil_listener(listener: listener_pb2.Listener) -> None:
    """A server's: its chain is to have one filter (gRFC A36)."""
    listener.default_filter_chain.filters.append(listener.default_filter_chain.filters[0])


def spoil_secret(secret: secret_pb2.Secret) -> None:
    secret.tls_certificate.private_key.inline_bytes = b"none"


SPOILERS = {
    "type.googleapis.com/envoy.config.cluster.v3.Cluster": (cluster_pb2.Cluster, spoil_cluster),
    "type.googleapis.com/envoy.config.listener.v3.Listener":
        (listener_pb2.Listener, spoil_listener),
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret":
        (secret_pb2.Secret, spoil_secret),
}


def pass_on(text: bytes, of_kind) -> bytes:
    response = of_kind.FromString(text)
    if response.type_url in SPOILERS:
        kind, spoil = SPOILERS[response.type_url]
        for resource in response.resources:
            if hasattr(resource, "resource"):  # delta
                resource = resource.resource
            message = kind.FromString(resource.value)
            if message.name in spoiled:
                spoil(message)
                resource.value = message.SerializeToString()
    return response.SerializeToString()


def relay(upstream: grpc.Channel, method: str):
    stream = upstream.stream_stream(f"/{SERVICE}/{method}")

    def handle(requests, context):
        call = stream(requests)
        context.add_callback(call.cancel)
        try:
            for response in call:
                yield pass_on(response, METHODS[method])
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
    return grpc.stream_stream_rpc_method_handler(handle)


def main() -> None:
    upstream = grpc.insecure_channel(sys.argv[1])
    handlers = {method: relay(upstream, method) for method in METHODS}
    server = grpc.server(futures.ThreadPoolExecutor(STREAMS_MAX),
                         handlers=[grpc.method_handlers_generic_handler(SERVICE, handlers)])
    print(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", flush=True)
    server.start()
    for line in sys.stdin:
        spoiled.add(line.strip())
        print("spoiled", flush=True)
    server.stop(None)


if __name__ == "__main__":
    main()
