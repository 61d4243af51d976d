# SPDX-License-Identifier: Apache-2.0
"""A GRPCRoute means the same to an Envoy and to gRPC clients without a proxy.

By way of Envoy a client dials the Service's address; without a proxy, in any language, it dials
xds:///shop.default.svc.cluster.local:8080, is told the routes and chooses the backend itself. A
call that no rule matches is refused: UNIMPLEMENTED by Envoy, UNAVAILABLE in the client.
"""

from rig.grpc import a_call

from stage import GRPC, GRPC_TARGET, SHOP, Stage

CLIENTS = {  # heading: language, what is dialled, a refusal
    "Envoy": ("go", f"{SHOP}:{GRPC}", "UNIMPLEMENTED"),
    "Python": ("python", GRPC_TARGET, "UNAVAILABLE"),
    "Go": ("go", GRPC_TARGET, "UNAVAILABLE"),
    "Java": ("java", GRPC_TARGET, "UNAVAILABLE"),
    "Node.js": ("node", GRPC_TARGET, "UNAVAILABLE"),
}
CALLS = [  # method, metadata, backend
    ("/shop.Cart/Add", {}, "cart"),
    ("/shop.Cart/Pay", {}, "pay"),
    ("/shop.Cart/Add", {"version": "two"}, "canary"),
    ("/shop.Cart/Pay", {"version": "two"}, "pay"),
    ("/shop.Find/Shoes", {}, "search"),
    ("/shop.Admin/Stop", {}, "refused"),
]


def show(stage: Stage) -> None:
    calls = [a_call(method, metadata.items()) for method, metadata, _ in CALLS]
    outcomes = []  # of each client
    for language, target, refusal in CLIENTS.values():
        result = stage.grpc(language).each(target, calls)
        outcomes.append(["refused" if o == refusal else o for o in result.outcomes])
    with stage.table("call", "expected", *CLIENTS) as table:
        for (method, metadata, backend), *observed in zip(CALLS, *outcomes):
            what = "".join([method, *[f", {n}: {v}" for n, v in metadata.items()]])
            table.add(what, backend, *observed, stage.expect(set(observed) == {backend}))
