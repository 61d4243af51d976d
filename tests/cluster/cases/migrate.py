# SPDX-License-Identifier: Apache-2.0
"""The steps of docs/migrate-from-cloud-service-mesh.md and docs/migrate-from-istio.md, as far as they
concern heddle."""

import json

from rig import objects
from rig.process import Failed
from stage import heddle, kube
from stage.case import Case
from stage.suite import test

from .inject import CSM_LABEL, expect, pod

OWN_BOOTSTRAP = "/etc/own/bootstrap.json"


@test
def a_namespace_moves_by_its_label_and_a_restart(case: Case):
    """From another mesh's label to heddle's, and back."""
    case.namespace("", **{"istio-injection": "enabled"})
    case.start("backends.yaml", mode="disabled")
    case.ns.kubectl("create", "deployment", "web", "--image=heddle/workload:test", "--", "/workload",
                    "rest")
    case.ns.kubectl("rollout", "status", "deployment/web", "--timeout=60s")

    def restart() -> dict:
        case.ns.kubectl("rollout", "restart", "deployment/web")
        case.ns.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        return next(p for p in case.ns.list("pod", app="web")
                    if "deletionTimestamp" not in p["metadata"])
    expect(case.ns.list("pod", app="web")[0], "")
    kube.kubectl("label", "namespace", case.ns.name, "istio-injection-", "heddle.dev/inject=sidecar")
    expect(restart(), "sidecar")
    kube.kubectl("label", "namespace", case.ns.name, "heddle.dev/inject-")
    expect(restart(), "")


@test
def what_was_written_for_cloud_service_mesh_runs_unchanged(case: Case):
    """Its label, its routes, its targets."""
    case.namespace("", **{CSM_LABEL: "proxyless"})
    case.ns.apply("backends.yaml", mode="disabled")
    case.ns.apply(pod("client"))
    case.ns.wait_available()
    case.route(case.grpc_route("echo", objects.rule(
        objects.backend("echo-v2", 9000), matches=[{"method": {"service": "echo.Echo"}}])))
    got = case.grpc("client", "go").call(case.target("echo"), count=20).counts()
    if set(got) != {"v2"}:
        raise Failed(f"calls went to {dict(got)}")


@test
def a_container_keeps_a_bootstrap_of_its_own(case: Case):
    own = pod("client", {heddle.INJECT_LABEL: "proxyless"})
    own["spec"]["containers"][0]["env"] = [{"name": "GRPC_XDS_BOOTSTRAP", "value": OWN_BOOTSTRAP}]
    case.ns.apply(own)
    case.ns.wait_available()
    now = json.loads(case.ns.exec("client", "/workload", "env"))["GRPC_XDS_BOOTSTRAP"]
    if now != OWN_BOOTSTRAP:
        raise Failed(f"GRPC_XDS_BOOTSTRAP became '{now}'")


@test
def heddles_own_label_counts_more(case: Case):
    case.namespace("", **{CSM_LABEL: "proxyless", heddle.INJECT_LABEL: "sidecar"})
    case.ns.apply("pod.yaml", name="plain")
    expect(case.ns.get("pod", "plain"), "sidecar")


@test
def the_meshes_of_two_namespaces_call_each_other(case: Case):
    """A pod that no mesh has injected calls one that heddle has, and the other way round."""
    case.start("backends.yaml", mode="sidecar")
    other = case.namespace("other")
    other.apply("client.yaml", "backends.yaml", mode="disabled")
    other.wait_available()
    case.start("client.yaml", mode="sidecar")
    there = case.backends("client", f"http://{case.host('echo-v1', other)}:8080/", count=5)
    back = case.backends("client", case.url("echo-v2"), count=5, namespace=other)
    if set(there) != {"v1"} or set(back) != {"v2"}:
        raise Failed(f"there {dict(there)}, back {dict(back)}")


@test
def clients_are_told_of_by_the_commands_of_the_documents(case: Case):
    """proxies, why and dump, from whichever replica is asked."""
    case.mode = "sidecar"
    case.start("backends.yaml", "client.yaml")
    case.route(case.http_route("echo", objects.rule(objects.backend("echo-v1", 8080))))
    node = f"sidecar/{case.ns.name}/client"

    def run(*words) -> str:
        return kube.kubectl("-n", heddle.NAMESPACE, "exec", "deployment/heddle", "--", "heddle",
                            *words)
    for words, wanted in ((["proxies"], node),
                          (["why", node, "GET", f"http://echo.{case.ns.name}:8080/"], "route/0"),
                          (["dump", node], "echo-v1")):
        text = run(*words)
        if wanted not in text:
            raise Failed(f"'{wanted}' is not in what heddle {words[0]} says: {text[:500]}")
