# SPDX-License-Identifier: Apache-2.0
"""Does deploy/ hold what heddle needs, and nothing more?

Prints "ok NAME" or "not ok NAME" for each test.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

REPO = pathlib.Path(__file__).resolve().parent.parent.parent
NAMESPACE = "heddle-system"
READ = ["list", "watch"]
MAKE = [*READ, "get", "create", "patch", "delete"]


def documents(folder):
    for path in sorted((REPO / folder).rglob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from (d for d in yaml.safe_load_all(path.read_text()) if d)


OBJECTS = {
    (o["kind"], o["metadata"]["name"]): o
    for folder in ("deploy/base", "deploy/cni", "deploy/components")
    for o in documents(folder)
}
VERSION = re.search(r"^  version: '(.+)'", (REPO / "meson.build").read_text(), re.M).group(1)


def rules():
    for (kind, name), role in OBJECTS.items():
        if kind in ("Role", "ClusterRole"):
            for rule in role["rules"]:
                yield kind, name, rule


def rights():
    """(group, resource, verb) of everything that heddle itself may do in the whole cluster."""
    return {
        (group, resource, verb)
        for kind, name, rule in rules()
        if (kind, name) == ("ClusterRole", "heddle") and "resourceNames" not in rule
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def pod_templates():
    for (kind, name), item in OBJECTS.items():
        if kind in ("Deployment", "DaemonSet"):
            yield name, item["spec"]["template"]["spec"]


def test_no_wildcard():
    """No rule says "*"."""
    for kind, name, rule in rules():
        for field in ("apiGroups", "resources", "verbs"):
            assert "*" not in rule[field], f"{kind} {name}: {rule}"


def parts():
    """(group, resource) of what heddle makes for Gateways."""
    table = (REPO / "src/provision/part.c").read_text()
    found = re.findall(r'= \{"\w+", "(.*?)", "\w+",\s*"(\w+)"', table)
    assert len(found) == 6, f"part.c was not understood: {found}"
    return set(found)


def kinds():
    """(group, resource) of src/model/kind.def."""
    kind_def = (REPO / "src/model/kind.def").read_text()
    found = re.findall(r'^KIND\(\w+, "\w+", "(.*?)", ".*?", "(.*?)"', kind_def, re.M)
    assert len(found) > 5, "kind.def was not understood"
    return found


def test_kinds():
    """Every kind of src/model/kind.def can be read, what Gateways are made of can be written, too,
    and nothing else."""
    wanted = {(*kind, verb) for kind in kinds() for verb in READ}
    wanted |= {(*part, verb) for part in parts() for verb in MAKE}
    has = {right for right in rights() if right[2] not in ("create", "patch") or right[:2] in parts()}
    assert has == wanted, f"missing: {wanted - has}, too much: {has - wanted}"


def test_crds():
    """Of the kinds of the Gateway API the CRDs can be seen (src/source/crds.c), and no others."""
    (names,) = [set(rule["resourceNames"]) for _, _, rule in rules()
                if rule["resources"] == ["customresourcedefinitions"] and set(rule["verbs"]) == set(READ)]
    wanted = {f"{resource}.{group}" for group, resource in kinds() if "gateway.networking" in group}
    assert names == wanted, f"missing: {wanted - names}, too much: {names - wanted}"


def test_writes():
    """heddle writes status and Events, what it makes for Gateways, and by name its own objects;
    nothing else."""
    for group, resource, verb in rights():
        if verb not in READ and (group, resource) not in parts():
            own = group == "events.k8s.io" or resource.endswith("/status") and verb == "patch"
            assert own, f"{verb} {resource}.{group}"
    for kind, name, rule in rules():
        if kind == "Role" and rule["verbs"] != ["create"]:
            assert rule.get("resourceNames"), f"Role {name}: {rule} is for any name"


def test_images():
    """Images have the tag of this version."""
    for name, pod in pod_templates():
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["image"].endswith(f":{VERSION}"), f"{name}: {container['image']}"


def test_restricted():
    """The control plane is what Pod Security calls restricted, and its namespace asks for that."""
    labels = OBJECTS["Namespace", NAMESPACE]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    pod = dict(pod_templates())["heddle"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_cni():
    """The plugin reads pods and nothing else; who installs it has two folders of the node and no
    capability, in the only namespace that Pod Security lets do that."""
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    assert OBJECTS["ClusterRole", "heddle-cni"]["rules"] == [rule]
    own = {key[0] for key in OBJECTS if key[1] == "heddle-cni"}
    assert own == {"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "DaemonSet"}
    daemons = OBJECTS["DaemonSet", "heddle-cni"]["spec"]
    update = daemons["updateStrategy"]["rollingUpdate"]
    assert update == {"maxUnavailable": 0, "maxSurge": 1}, "a node would be without it"
    pod = daemons["template"]["spec"]
    assert pod["hostNetwork"] is True, "its own pod would wait for the plugin"
    (container,) = pod["containers"]
    context = container["securityContext"]
    assert context["capabilities"] == {"drop": ["ALL"]} and "privileged" not in context
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    folders = {v["name"]: v["hostPath"]["path"] for v in pod["volumes"]}
    given = {e["name"]: e.get("value") for e in container["env"]}
    assert mounts == folders, "the plugin's files name paths of the node"
    assert (given["HEDDLE_CNI_BIN_DIR"], given["HEDDLE_CNI_CONF_DIR"]) == (
        folders["bin"],
        folders["conf"],
    )


def test_services():
    """Services lead to ports that the pods have, and none to the admin port."""
    pod = dict(pod_templates())["heddle"]
    ports = {p["name"]: p["containerPort"] for p in pod["containers"][0]["ports"]}
    for (kind, name), service in OBJECTS.items():
        if kind == "Service":
            targets = [port["targetPort"] for port in service["spec"]["ports"]]
            assert set(targets) <= set(ports) - {"admin"}, f"{name}: {targets}"
    seen = {p["port"]: ports[p["targetPort"]] for p in OBJECTS["Service", "heddle"]["spec"]["ports"]}
    assert seen == {15010: 15010, 15011: 15011, 15012: 15012, 443: 15017}, seen


def selected(selector, labels):
    """Whether a label selector takes an object with these labels (Kubernetes API: LabelSelector)."""
    for term in selector["matchExpressions"]:
        value, values = labels.get(term["key"]), term.get("values", [])
        if not {
            "In": value is not None and value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[term["operator"]]:
            return False
    return True


def test_injection():
    """Which pods are asked about: those that the labels mean, once, and never a system's."""
    own, csm = "heddle.dev/inject", "mesh.cloud.google.com/csm-injection"
    webhooks = OBJECTS["MutatingWebhookConfiguration", "heddle-inject"]["webhooks"]

    def paths(namespace, pod, name="app"):
        namespace = {"kubernetes.io/metadata.name": name, **namespace}
        return [
            w["clientConfig"]["service"]["path"]
            for w in webhooks
            if selected(w["namespaceSelector"], namespace) and selected(w["objectSelector"], pod)
        ]

    def calls(namespace, pod, name="app"):
        return len(paths(namespace, pod, name))

    for mode in ("sidecar", "proxyless"):
        for label in (own, csm):
            on, off = {label: mode}, {label: "disabled"}
            assert calls(on, {}) == calls({}, on) == calls(on, on) == calls(off, on) == 1, label
            assert calls(on, off) == calls({}, off) == calls(off, {}) == 0, label
            assert paths(on, {}) == [f"/inject/{mode}"] and paths(on, on) == ["/inject"], label
            assert calls({}, {label: "Sidecar"}) == 1, "what nobody means is asked about, and told"
            for system in ("kube-system", "kube-node-lease", "kube-public", NAMESPACE):
                assert calls(on, {}, system) == calls({}, on, system) == 0, system
        assert calls({own: mode, csm: mode}, {own: mode, csm: mode}) == 1
        assert calls({own: mode}, {csm: mode}) == calls({csm: mode}, {own: mode}) == 1
    assert calls({}, {}) == 0


def test_webhooks():
    """Webhooks say that they have no side effects, and wait no longer than a user would."""
    for (kind, name), item in OBJECTS.items():
        if kind.endswith("WebhookConfiguration"):
            for webhook in item["webhooks"]:
                assert webhook["sideEffects"] == "None", name
                assert webhook["timeoutSeconds"] <= 5, name
                service = webhook["clientConfig"]["service"]
                assert (service["namespace"], service["name"]) == (NAMESPACE, "heddle"), name
                assert "caBundle" not in webhook["clientConfig"], "heddle keeps it"


def test_chart():
    """The Helm chart can be made."""
    run = subprocess.run(REPO / "tools/make-chart", capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr


# What a kubectl answers that knows two Gateways, both of which heddle has once written to: `mine`, and
# `theirs`, which has a class of another controller now.
KUBECTL = """#!/usr/bin/env bash
echo "$*" >>"$KUBECTL_LOG"
case "$*" in
"api-resources -o name") printf '%s.gateway.networking.k8s.io\\n' gatewayclasses gateways listenersets ;;
*"get gatewayclasses"*controllerName*) echo "other example.com/controller" ;;
*"get gateways"*gatewayClassName*) printf '%s\\n' "shop mine heddle" "shop theirs other" ;;
*"get gateways"*managedFields*) printf 'shop|%s|heddle example||\\n' mine theirs ;;
*"get listenersets"*managedFields*) printf '%s\\n' "a|of-mine|heddle|shop|mine" "shop|of-theirs|heddle||theirs" ;;
esac
"""


def test_undeploy():
    """It takes back what heddle said, and not what the next controller says."""
    with tempfile.TemporaryDirectory() as folder:
        kubectl, log = pathlib.Path(folder, "kubectl"), pathlib.Path(folder, "log")
        kubectl.write_text(KUBECTL)
        kubectl.chmod(0o755)
        run = subprocess.run([REPO / "tools/deploy", "down"], capture_output=True, text=True, timeout=60,
                             env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}",
                                  "KUBECTL_LOG": str(log)})
        assert run.returncode == 0, run.stderr
        patched = re.findall(r"^-n (\S+) patch (\w+)\S* (\S+) --subresource", log.read_text(), re.M)
    assert patched == [("shop", "gateways", "mine"), ("a", "listenersets", "of-mine")], patched


def main():
    failed = 0
    for name, test in [(n, t) for n, t in globals().items() if n.startswith("test_")]:
        try:
            test()
            print(f"ok deploy {name[5:]}")
        except Exception as error:  # whatever it is, the next test runs
            failed += 1
            print(f"not ok deploy {name[5:]}\n# {error!r}")
    return 1 if failed else 0


sys.exit(main())
