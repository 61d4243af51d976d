# SPDX-License-Identifier: Apache-2.0
"""xDS over TLS: clients show certificates, and none is served without."""

import json
import pathlib
import subprocess

from rig.mesh import Mesh
from rig.process import Failed
from rig.suite import BACKENDS, PORTS, Case, alone
from rig.objects import endpoints, service
from rig.traffic import GRPC_KINDS, Grpc, get

IP = "127.13.0.1"
TARGET = "xds:///web.default.svc.cluster.local:8080"


def openssl(*words) -> None:
    done = subprocess.run(["openssl", *[str(word) for word in words]], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failed(f"openssl {words[0]} failed: {done.stdout}")


class Authority:
    """A CA, and certificates that it signs: NAME.pem and NAME.key in its folder."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        folder.mkdir()
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=test CA", "-days", "2", "-keyout", folder / "ca.key",
                "-out", folder / "ca.pem")

    def issue(self, name: str, san: str) -> None:
        folder = self.folder
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key",
                "-out", folder / f"{name}.csr")
        (folder / f"{name}.ext").write_text(f"subjectAltName={san}\n")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem",
                "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", folder / f"{name}.ext", "-out", folder / f"{name}.pem")

    def path(self, file: str) -> str:
        return str(self.folder / file)


def start_with_tls(mesh: Mesh) -> Authority:
    authority = Authority(mesh.work / "pki")
    authority.issue("server", "IP:127.0.0.1")
    authority.issue("client", "URI:spiffe://cluster.local/ns/default/sa/default")
    mesh.heddle.options = ["--xds-tls", "127.0.0.1:0", "--tls-cert", authority.path("server.pem"),
                           "--tls-key", authority.path("server.key"),
                           "--tls-client-ca", authority.path("ca.pem")]
    backend = BACKENDS["a"]
    ports = {"http": 8000, "grpc": 8080}
    mesh.write("web", service("web", IP, ports, "http"),
               endpoints("web", [backend], {"http": PORTS["http"], "grpc": PORTS["grpc"]}))
    mesh.heddle.start()
    return authority


def envoy_over_tls(mesh: Mesh, authority: Authority, certificate: bool):
    """Changes a bootstrap so that the stream to heddle uses TLS."""
    context = {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
                        "UpstreamTlsContext",
               "common_tls_context": {
                   "alpn_protocols": ["h2"],
                   "validation_context": {
                       "trusted_ca": {"filename": authority.path("ca.pem")},
                       "match_typed_subject_alt_names": [
                           {"san_type": "IP_ADDRESS", "matcher": {"exact": "127.0.0.1"}}]}}}
    if certificate:
        context["common_tls_context"]["tls_certificates"] = [
            {"certificate_chain": {"filename": authority.path("client.pem")},
             "private_key": {"filename": authority.path("client.key")}}]
    plain = int(mesh.heddle.addresses["xds"].rsplit(":", 1)[1])
    secure = int(mesh.heddle.addresses["xds-tls"].rsplit(":", 1)[1])

    def change(bootstrap: dict) -> None:
        changed = 0
        for cluster in bootstrap["static_resources"]["clusters"]:
            for locality in cluster.get("load_assignment", {}).get("endpoints", []):
                for endpoint in locality["lb_endpoints"]:
                    address = endpoint["endpoint"]["address"]["socket_address"]
                    if address["port_value"] == plain:
                        address["port_value"] = secure
                        cluster["transport_socket"] = {"name": "envoy.transport_sockets.tls",
                                                       "typed_config": context}
                        changed += 1
        assert changed == 1, "the bootstrap has no cluster for heddle"
    return change


def grpc_over_tls(mesh: Mesh, kind: str, config: dict) -> Grpc:
    plain = mesh.grpc(kind)
    bootstrap = json.loads(plain.bootstrap.read_text())
    server = bootstrap["xds_servers"][0]
    server["server_uri"] = mesh.heddle.addresses["xds-tls"]
    server["channel_creds"] = [{"type": "tls", "config": config}]
    path = mesh.work / f"grpc-{kind}-tls.json"
    path.write_text(json.dumps(bootstrap))
    return Grpc(kind, path)


@alone
def clients_with_a_certificate_are_served(case: Case):
    mesh = Mesh()
    authority = start_with_tls(mesh)
    mesh.start_envoy("tls", change=envoy_over_tls(mesh, authority, certificate=True))
    mesh.wait_listening(f"{IP}:8000")
    assert get(f"{IP}:8000").backend == "a"
    config = {"certificate_file": authority.path("client.pem"),
              "private_key_file": authority.path("client.key"),
              "ca_certificate_file": authority.path("ca.pem")}
    for kind in GRPC_KINDS:
        grpc_over_tls(mesh, kind, config).call(TARGET).check_no_failure()
    mesh.stop()


@alone
def a_client_without_a_certificate_is_not_served(case: Case):
    mesh = Mesh()
    authority = start_with_tls(mesh)
    config = {"ca_certificate_file": authority.path("ca.pem")}
    for kind in GRPC_KINDS:
        result = grpc_over_tls(mesh, kind, config).call(TARGET, timeout=2)
        assert result.ok == 0 and result.errors, result
    assert not mesh.heddle.proxies(), "a client without a certificate got a stream"
    mesh.stop()
