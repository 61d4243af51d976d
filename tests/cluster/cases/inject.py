# SPDX-License-Identifier: Apache-2.0
"""Which pods the webhook changes, what they then are, and that it never stands in the way."""

import json

from rig import objects
from rig.process import Failed
from stage import heddle, kube
from stage.case import Case
from stage.suite import test

CONTAINERS = {"sidecar": "heddle-proxy", "proxyless": "heddle-agent"}
CSM_LABEL = "mesh.cloud.google.com/csm-injection"


def injected(pod: dict) -> str:
    """sidecar, proxyless or ""."""
    names = {c["name"] for c in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]}
    return next((mode for mode, name in CONTAINERS.items() if name in names), "")


def expect(pod: dict, mode: str) -> None:
    if injected(pod) != mode:
        raise Failed(f"pod '{pod['metadata']['name']}' is '{injected(pod)}', expected '{mode}'")


def pod(name: str, labels=None, **spec) -> dict:
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "labels": labels or {}},
            "spec": {"terminationGracePeriodSeconds": 5, **spec, "containers": [
                {"name": "app", "image": "heddle/workload:test", "args": ["rest"]}]}}


@test("sidecar", "proxyless")
def the_namespace_asks(case: Case):
    namespace = case.namespace("", **{heddle.INJECT_LABEL: case.mode})
    namespace.apply("pod.yaml", name="plain")
    namespace.apply(pod("declines", {heddle.INJECT_LABEL: "disabled"}))
    other = "proxyless" if case.mode == "sidecar" else "sidecar"
    namespace.apply(pod("differs", {heddle.INJECT_LABEL: other}))
    namespace.wait_available()
    for name, mode in (("plain", case.mode), ("declines", ""), ("differs", other)):
        expect(namespace.get("pod", name), mode)


@test("sidecar", "proxyless")
def the_label_of_cloud_service_mesh_means_the_same(case: Case):
    namespace = case.namespace("", **{CSM_LABEL: case.mode})
    namespace.apply("pod.yaml", name="plain")
    namespace.apply(pod("declines", {CSM_LABEL: "disabled"}))
    alone = case.namespace("alone")
    alone.apply(pod("asks", {CSM_LABEL: case.mode}))
    expect(namespace.get("pod", "plain"), case.mode)
    expect(namespace.get("pod", "declines"), "")
    expect(alone.get("pod", "asks"), case.mode)


@test
def who_does_not_ask_is_left_alone(case: Case):
    case.ns.apply("pod.yaml", name="plain")
    expect(case.ns.get("pod", "plain"), "")


@test("sidecar", "proxyless")
def a_job_finishes(case: Case):
    case.start("backends.yaml", mode="disabled")
    case.ns.apply("job.yaml", mode=case.mode)
    case.ns.wait_for("job/job", ".status.succeeded", "1", seconds=60)
    (pod_of_job,) = case.ns.list("pod", **{"batch.kubernetes.io/job-name": "job"})
    expect(pod_of_job, case.mode)
    if pod_of_job["status"]["phase"] != "Succeeded":
        raise Failed(f"the Job is done, but its pod is {pod_of_job['status']['phase']}")


@test
def a_job_calls_through_its_sidecar(case: Case):
    """From the first request on: the sidecar is ready before the application starts."""
    case.start("backends.yaml", mode="disabled")
    case.route(case.http_route("echo", objects.rule(objects.backend("echo-v2", 8080))))
    case.ns.apply("job.yaml", mode="sidecar")
    case.ns.wait_for("job/job", ".status.succeeded", "1", seconds=60)
    (pod_of_job,) = case.ns.list("pod", **{"batch.kubernetes.io/job-name": "job"})
    answers = [json.loads(line) for line in
               case.ns.log(pod_of_job["metadata"]["name"], "app").splitlines()]
    backends = {a["body"]["backend"] for a in answers}
    if backends != {"v2"} or len(answers) != 5:
        raise Failed(f"the Job was answered by {backends} in {len(answers)} requests")


@test("sidecar", "proxyless")
def a_stateful_set_runs(case: Case):
    case.ns.apply("statefulset.yaml", mode=case.mode)
    case.ns.wait_for("statefulset/peers", ".status.readyReplicas", "2", seconds=60)
    for item in case.ns.list("pod", app="peers"):
        expect(item, case.mode)
    answers = case.get("peers-0", f"http://peers-1.peers.{case.ns.name}.svc.cluster.local:8080/")
    if answers[0]["status"] != 200 or answers[0]["body"]["backend"] != "peers-1":
        raise Failed(f"peers-1 answers peers-0 with {answers[0]}")


@test
def the_network_of_a_node_is_left_alone_and_the_reason_told(case: Case):
    done = case.ns.told("apply", "-f", "-", stdin=kube.text_of("host-network.yaml",
                                                               {"mode": "sidecar"}))
    if done.returncode != 0:
        raise Failed(done.stderr)
    case.ns.wait_available()
    now = case.ns.get("pod", "host")
    expect(now, "")
    told = done.stderr + json.dumps(now["metadata"].get("annotations", {}))
    if "hostNetwork" not in told:
        raise Failed(f"nothing says why the pod was skipped: {told}")


@test
def grpc_without_a_proxy_may_use_the_network_of_a_node(case: Case):
    case.ns.apply(pod("host", {heddle.INJECT_LABEL: "proxyless"}, hostNetwork=True,
                      dnsPolicy="ClusterFirstWithHostNet"))
    case.ns.wait_available()
    expect(case.ns.get("pod", "host"), "proxyless")


@test("sidecar", "proxyless")
def files_are_injected_without_the_webhook(case: Case):
    """heddle inject -f, in a namespace that does not ask."""
    text = kube.text_of("client.yaml", {"mode": case.mode})
    injected_text = kube.kubectl("-n", heddle.NAMESPACE, "exec", "-i", "deployment/heddle", "--",
                                 "heddle", "inject", "-f", "-",
                                 stdin=text)
    if CONTAINERS[case.mode] not in injected_text:
        raise Failed(f"heddle inject writes {injected_text[:500]}")
    case.ns.kubectl("apply", "-f", "-", stdin=injected_text)
    case.ns.wait_available()
    expect(case.ns.get("pod", "client"), case.mode)


@test
def a_pod_is_injected_once(case: Case):
    """A second pass over an injected pod, as other webhooks cause it, changes nothing."""
    case.start("client.yaml", mode="sidecar")
    now = case.ns.get("pod", "client")
    again = {"apiVersion": "v1", "kind": "Pod",
             "metadata": {"name": "again", "labels": now["metadata"]["labels"],
                          "annotations": now["metadata"].get("annotations", {})},
             "spec": {key: now["spec"][key] for key in ("initContainers", "containers", "volumes")}}
    for part in ("initContainers", "containers"):
        for container in again["spec"][part]:
            container["volumeMounts"] = [m for m in container.get("volumeMounts", [])
                                         if "serviceaccount" not in m["mountPath"]]
    again["spec"]["volumes"] = [v for v in again["spec"]["volumes"]
                                if not v["name"].startswith("kube-api-access")]
    case.ns.apply(again)
    twice = case.ns.get("pod", "again")
    names = [c["name"] for c in twice["spec"]["initContainers"] + twice["spec"]["containers"]]
    if len(names) != len(set(names)) or set(names) != {c["name"] for c in now["spec"][
            "initContainers"] + now["spec"]["containers"]}:
        raise Failed(f"the containers are {names}")


@test("kube-system", "heddle-system")
def the_system_is_never_injected(case: Case):
    """Even where a pod asks for it."""
    name = f"heddle-test-{case.mode}"
    kube.told("-n", case.mode, "delete", "pod", name, "--ignore-not-found", "--wait=false")
    case.finally_do(lambda: kube.told("-n", case.mode, "delete", "pod", name, "--wait=false",
                                      "--grace-period=0", "--force"))
    asks = pod(name, {heddle.INJECT_LABEL: "sidecar"})
    asks["spec"]["securityContext"] = {"runAsNonRoot": True, "runAsUser": 65532,
                                       "seccompProfile": {"type": "RuntimeDefault"}}
    asks["spec"]["containers"][0]["securityContext"] = {
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    kube.kubectl("-n", case.mode, "create", "-f", "-", stdin=json.dumps(asks))
    expect(json.loads(kube.kubectl("-n", case.mode, "get", "pod", name, "-o", "json")), "")


@test
def no_webhook_of_heddle_selects_the_system(case: Case):
    """Not by heddle's grace but by the API server's selectors: heddle away blocks nobody there."""
    for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        items = json.loads(kube.kubectl("get", kind, "-o", "json"))["items"]
        for item in items:
            if not item["metadata"]["name"].startswith("heddle"):
                continue
            for webhook in item["webhooks"]:
                excluded = {value for e in webhook["namespaceSelector"].get("matchExpressions", [])
                            if e["key"] == "kubernetes.io/metadata.name"
                            and e["operator"] == "NotIn" for value in e["values"]}
                if (webhook["failurePolicy"] == "Fail"
                        and not {"kube-system", heddle.NAMESPACE} <= excluded):
                    raise Failed(f"'{webhook['name']}' may block the system's pods: it excludes "
                                 f"{excluded}")


@test
def a_sidecar_is_ready_when_it_has_acknowledged(case: Case):
    """A pod that is ready routes by what there is, from its first request."""
    case.mode = "sidecar"
    case.start("backends.yaml", mode="disabled")
    case.route(case.http_route("echo", objects.rule(objects.backend("echo-v2", 8080))))
    for turn in range(3):
        case.ns.apply(pod(f"caller-{turn}", {heddle.INJECT_LABEL: "sidecar"}))
        case.ns.wait_available()
        got = case.backends(f"caller-{turn}", case.url("echo"), count=20)
        if set(got) != {"v2"}:
            raise Failed(f"the first requests of a ready pod were answered by {dict(got)}")


@test
def a_deployment_scales(case: Case):
    case.ns.apply("backends.yaml", mode="sidecar")
    case.ns.kubectl("scale", "deployment/echo-v1", "--replicas=3")
    case.ns.wait_available()
    case.ns.wait_for("deployment/echo-v1", ".status.readyReplicas", "3")
    for item in case.ns.list("pod", app="echo"):
        expect(item, "sidecar")
