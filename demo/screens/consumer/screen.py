# SPDX-License-Identifier: Apache-2.0
"""A team changes where its own requests go, and nobody else's.

A route in the Service's own namespace is the producer's: all clients follow it. A route for the
same Service in another namespace is a consumer's: it replaces the producer's for the clients of
that namespace, here 'testers', and nobody else notices.
"""

from stage import GRPC_TARGET, LANGUAGES, Stage

WANTED = {"default": "stable", "orders": "stable", "testers": "canary"}  # by the client's namespace


def show(stage: Stage) -> None:
    with stage.table("client", "of namespace", "expected", "observed") as table:
        for namespace in ("default", "testers"):
            stage.start_envoy(namespace)
            table.check("HTTP, Envoy", namespace, expected=WANTED[namespace],
                        observed=stage.request("/").outcome)
        for language, name in LANGUAGES.items():
            for namespace, backend in WANTED.items():
                result = stage.grpc(language, namespace).call(GRPC_TARGET)
                table.check(f"gRPC, {name}", namespace, expected=backend,
                            observed=", ".join(result.counts()))
    stage.start_envoy()
