# SPDX-License-Identifier: Apache-2.0
"""Producer and consumer routes (GEP-1426): whom a route concerns depends on where it stands."""

from rig import objects
from rig.process import Failed
from stage.case import Case
from stage.suite import test


def consumer_route(case: Case, here, service: str, port: int) -> dict:
    """A route in the consumer's namespace for a Service of the producer's."""
    route = objects.http_route("ours", service, objects.rule(
        {**objects.backend("echo-v2", port), "namespace": case.ns.name}), namespace=here.name)
    route["spec"]["parentRefs"][0].update(namespace=case.ns.name, port=port)
    return route


@test("sidecar", "proxyless")
def a_consumer_route_concerns_its_namespace_only(case: Case):
    port = 8080 if case.mode == "sidecar" else 9000
    here = case.namespace("consumer")
    case.start("backends.yaml", "client.yaml")
    here.apply("client.yaml", mode=case.mode)
    here.wait_available()
    case.route(case.http_route("echo", objects.rule(objects.backend("echo-v1", port)), port=port))
    case.route(consumer_route(case, here, "echo", port))

    if case.mode == "sidecar":
        ours = case.backends("client", case.url("echo"), count=20, namespace=here)
        theirs = case.backends("client", case.url("echo"), count=20)
    else:
        ours = case.grpc("client", "go", here).call(case.target("echo"), count=20).counts()
        theirs = case.grpc("client", "go").call(case.target("echo"), count=20).counts()
    if set(ours) != {"v2"} or set(theirs) != {"v1"}:
        raise Failed(f"the consumer's namespace reached {dict(ours)}, the producer's "
                     f"{dict(theirs)}")


@test
def a_producer_route_concerns_everybody(case: Case):
    case.mode = "sidecar"
    here = case.namespace("consumer")
    case.start("backends.yaml", "client.yaml")
    here.apply("client.yaml", mode="sidecar")
    here.wait_available()
    case.route(case.http_route("echo", objects.rule(objects.backend("echo-v2", 8080))))
    for namespace in (case.ns, here):
        got = case.backends("client", case.url("echo"), count=20, namespace=namespace)
        if set(got) != {"v2"}:
            raise Failed(f"from '{namespace.name}': {dict(got)}")
