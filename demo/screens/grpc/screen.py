# SPDX-License-Identifier: Apache-2.0
"""A GRPCRoute means the same to an Envoy and to gRPC clients without a proxy.

By way of Envoy the client dials the Service's address; without a proxy it dials
xds:///shop.default.svc.cluster.local:8080, is told the routes and chooses the backend itself.
"""

from stage import GRPC, GRPC_TARGET, SHOP, Stage

CLIENTS = {"Envoy": ("go", f"{SHOP}:{GRPC}"), "Python, xds:///": ("python", GRPC_TARGET),
           "Go, xds:///": ("go", GRPC_TARGET)}
CALLS = [  # metadata, {method: backend}
    ({}, {"/shop.Cart/Add": "cart", "/shop.Cart/Pay": "pay", "/shop.Find/Shoes": "search"}),
    ({"version": "two"}, {"/shop.Cart/Add": "canary", "/shop.Cart/Pay": "pay"}),
]
NO_RULE = "/shop.Admin/Stop"


def show(stage: Stage) -> None:
    def call(metadata: dict, *methods: str) -> list:
        return [stage.grpc(language).call(target, methods=methods, count=len(methods),
                                          metadata=metadata)
                for language, target in CLIENTS.values()]

    with stage.table("call", "expected", *CLIENTS) as table:
        for metadata, wanted in CALLS:
            results = call(metadata, *wanted)
            for method, backend in wanted.items():
                what = "".join([method, *[f", {n}: {v}" for n, v in metadata.items()]])
                observed = [", ".join(r.backends.get(method, ["nobody"])) for r in results]
                table.add(what, backend, *observed, stage.expect(set(observed) == {backend}))
        refused = [", ".join(result.counts()) for result in call({}, NO_RULE)]
        table.add(NO_RULE, "refused", *refused, stage.expect(
            refused == ["UNIMPLEMENTED", "UNAVAILABLE", "UNAVAILABLE"]))
