# SPDX-License-Identifier: Apache-2.0
"""xDS over TLS: clients show certificates, and none is served without."""

from rig.features import feature
from rig.mesh import Mesh
from rig.objects import endpoints, service
from rig.pki import Authority
from rig.suite import BACKENDS, PORTS, Case, with_clients
from rig.traffic import get

IP = "127.13.0.1"
IDENTITY = "spiffe://cluster.local/ns/default/sa/default"
TARGET = "xds:///web.default.svc.cluster.local:8080"
# Java's "tls" credentials take no files, Node.js has none (docs/xds.md).
SHOW_CERTIFICATES = ("envoy delta", "envoy sotw", "go", "python")


def start_with_tls(mesh: Mesh) -> Authority:
    authority = Authority(mesh.work / "pki")
    authority.issue("server", "IP:127.0.0.1")
    authority.issue("client", "URI:" + IDENTITY)
    mesh.heddle.options = ["--xds-tls", "127.0.0.1:0", "--tls-cert", authority.path("server.pem"),
                           "--tls-key", authority.path("server.key"),
                           "--tls-client-ca", authority.path("ca.pem")]
    backend = BACKENDS["a"]
    ports = {"http": 8000, "grpc": 8080}
    mesh.write("web", service("web", IP, ports, "http"),
               endpoints("web", [backend], {"http": PORTS["http"], "grpc": PORTS["grpc"]}))
    mesh.heddle.start()
    return authority


@feature("over TLS with certificates")
@with_clients(*SHOW_CERTIFICATES)
def a_client_with_a_certificate_is_served(case: Case):
    mesh = Mesh()
    authority = start_with_tls(mesh)
    options = ["--tls-ca", authority.path("ca.pem"), "--tls-cert", authority.path("client.pem"),
               "--tls-key", authority.path("client.key")]
    if case.client.startswith("envoy "):
        mesh.start_envoy("tls", case.client == "envoy sotw", xds="xds-tls", options=options)
        mesh.wait_listening(f"{IP}:8000")
        assert get(f"{IP}:8000").backend == "a"
        shown = [proxy.get("identity") for proxy in mesh.heddle.proxies()]
        assert shown == [IDENTITY], shown
    else:
        mesh.grpc(case.client, xds="xds-tls", options=options).call(TARGET).check_no_failure()
    mesh.stop()


@feature("over TLS with certificates")
@with_clients("go", "python")
def a_client_without_a_certificate_is_not_served(case: Case):
    mesh = Mesh()
    authority = start_with_tls(mesh)
    options = ["--tls-ca", authority.path("ca.pem")]
    client = mesh.grpc(case.client, xds="xds-tls", options=options)
    result = client.call(TARGET, timeout=2)
    assert result.ok == 0 and result.errors, result
    assert not mesh.heddle.proxies(), "a client without a certificate got a stream"
    mesh.stop()
