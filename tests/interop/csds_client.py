#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a management server for the status of its clients, with gRPC's own stubs.

    csds_client.py ADDR:PORT [NODE-ID...]

Prints {"fetch": answer, "stream": [answer…]}, or {"code", "message"} of the call that failed. An
answer is {NODE-ID: {"TYPE NAME": {"config", "client", "version", "error"}}}.
"""

import json
import sys

import grpc
from envoy.admin.v3 import config_dump_shared_pb2
from envoy.service.status.v3 import csds_pb2, csds_pb2_grpc

SECONDS = 10


def question(ids):
    request = csds_pb2.ClientStatusRequest(exclude_resource_contents=True)
    for node_id in ids:
        request.node_matchers.add().node_id.exact = node_id
    return request


def resources(config):
    return {
        f"{r.type_url.rsplit('.', 1)[-1]} {r.name}": {
            "config": csds_pb2.ConfigStatus.Name(r.config_status),
            "client": config_dump_shared_pb2.ClientResourceStatus.Name(r.client_status),
            "version": r.version_info,
            "error": r.error_state.details,
        }
        for r in config.generic_xds_configs
    }


def answer(response):
    return {config.node.id: resources(config) for config in response.config}


def main():
    address, *ids = sys.argv[1:]
    stub = csds_pb2_grpc.ClientStatusDiscoveryServiceStub(grpc.insecure_channel(address))
    try:
        fetch = stub.FetchClientStatus(question(ids), timeout=SECONDS)
        stream = stub.StreamClientStatus(iter([question(ids), question(["nobody"])]),
                                         timeout=SECONDS)
        told = {"fetch": answer(fetch), "stream": [answer(response) for response in stream]}
    except grpc.RpcError as error:
        told = {"code": error.code().name, "message": error.details()}
    print(json.dumps(told))


main()
