# SPDX-License-Identifier: Apache-2.0
"""The edge: a Gateway's own certificate in running pods, HTTP/3, the PROXY protocol."""

import base64
import http.client
import json
import pathlib
import socket

from rig import objects
from rig.edge import Http3Client
from rig.pki import Authority, openssl
from rig.process import Failed, temporary_folder, until
from rig.traffic import listens
from stage import heddle, kube
from stage.case import Case, Skip
from stage.suite import alone, test

from cases.provision import (API, CALLS_LEAST, SECONDS, cluster_ip, expect, gateway, made,
                             under_load)

ENVOY_ADMIN = 15000
VOLUME_SECONDS = 150  # the kubelet looks after volumes once in a minute or so
CA_SECRET = "heddle-ca"
HOST = "shop.example.com"


# --- a Gateway's own certificate ---------------------------------------------------------------------


def text_of(secret: dict, key: str) -> str:
    return base64.b64decode(secret["data"][key]).decode()


def number_of(certificate: str) -> str:
    """Its serial number, as Envoy writes it."""
    file = temporary_folder("heddle-cluster-") / "certificate.pem"
    file.write_text(certificate)
    return openssl("x509", "-noout", "-serial", "-in", file).split("=")[1].lower().lstrip("0")


def identity(case: Case) -> dict:
    return case.ns.get("secret", "web-heddle-identity")


def numbers_in_envoy(case: Case) -> set:
    """Serial numbers of the certificates that the Gateway's Envoy has."""
    (pod,) = made(case, "pod")
    with kube.forwarded(case.ns.name, pod["metadata"]["name"], ENVOY_ADMIN) as url:
        told = json.loads(kube.fetch(f"{url}/certs"))["certificates"]
    return {c["serial_number"].lstrip("0") for entry in told for c in entry.get("cert_chain", [])}


def pods_of(case: Case) -> list:
    return [(p["metadata"]["uid"], [c["restartCount"] for c in p["status"]["containerStatuses"]])
            for p in made(case, "pod")]


def renewed(case: Case, replace) -> None:
    """What replace() leads to comes to the running Envoy; with it it comes back to a heddle that has
    begun anew, which steers it as before."""
    under_load(case)
    load, pods = case.load(), pods_of(case)
    before = number_of(text_of(identity(case), "tls.crt"))
    if before not in numbers_in_envoy(case):
        raise Failed(f"Envoy has {numbers_in_envoy(case)}, not {before}")
    replace()

    def has_next() -> bool:
        now = number_of(text_of(identity(case), "tls.crt"))
        return now != before and numbers_in_envoy(case) == {now}
    until(has_next, VOLUME_SECONDS, "Envoy has the next certificate, and no other", interval=1)
    kube.kubectl("-n", heddle.NAMESPACE, "rollout", "restart", f"deployment/{heddle.NAME}")
    heddle.wait_ready(120)
    case.ns.apply({"apiVersion": f"{API}/v1", "kind": "HTTPRoute", "metadata": {"name": "all"},
                   "spec": {"parentRefs": [{"name": "web"}],
                            "rules": [objects.rule(objects.backend("echo-v2", 8080))]}})
    until(lambda: all(t["backends"].get("v2") for t in load.since().values()), SECONDS,
          "the change is followed", interval=0.2)
    load.wait_calls(CALLS_LEAST)
    load.check_no_failure(CALLS_LEAST)
    if pods_of(case) != pods:
        raise Failed(f"the pods are others: {pods_of(case)}, not {pods}")


@alone
@test
def a_gateways_certificate_is_renewed(case: Case):
    renewed(case, lambda: case.ns.kubectl("delete", "secret", "web-heddle-identity"))


@alone
@test
def a_ca_of_ones_own(case: Case):
    """That signs, while the one before is trusted still."""
    folder = temporary_folder("heddle-cluster-")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=our own CA", "-days", "365", "-keyout", folder / "ca.key", "-out",
            folder / "ca.pem")
    own = (folder / "ca.pem").read_text()
    secret = json.loads(kube.kubectl("-n", heddle.NAMESPACE, "get", "secret", CA_SECRET, "-o",
                                     "json"))

    def put(ca: str, key: str) -> None:
        data = {name: base64.b64encode(text.encode()).decode()
                for name, text in (("ca.crt", ca), ("ca.key", key))}
        kube.kubectl("-n", heddle.NAMESPACE, "patch", "secret", CA_SECRET, "--type=merge", "-p",
                     json.dumps({"data": data}))

    def replace() -> None:
        case.finally_do(lambda: put(text_of(secret, "ca.crt"), text_of(secret, "ca.key")))
        put(own + text_of(secret, "ca.crt"), (folder / "ca.key").read_text())
    renewed(case, replace)
    now = identity(case)
    (folder / "tls.pem").write_text(text_of(now, "tls.crt"))
    openssl("verify", "-CAfile", folder / "ca.pem", folder / "tls.pem")
    if own.strip() not in text_of(now, "ca.crt"):
        raise Failed("the Envoys are not told to trust the CA")


# --- other protocols ---------------------------------------------------------------------------------


def with_backend(case: Case, **parameters: str) -> None:
    """A Gateway whose requests reach echo-v1, at `:80` and, with the Secret `web`, at `:443`."""
    case.mode = ""
    tls = {"certificateRefs": [{"name": "web"}]}
    gateway(case, parameters=parameters, listeners=[
        {"name": "http", "port": 80, "protocol": "HTTP"},
        {"name": "https", "port": 443, "protocol": "HTTPS", "tls": tls}])
    case.ns.apply("backends.yaml", mode="disabled")
    case.ns.apply({"apiVersion": f"{API}/v1", "kind": "HTTPRoute", "metadata": {"name": "all"},
                   "spec": {"parentRefs": [{"name": "web"}],
                            "rules": [objects.rule(objects.backend("echo-v1", 8080))]}})
    case.ns.wait_available()
    expect(case, "Programmed", "True")


def reached_from_here(case: Case) -> str:
    address = cluster_ip(case, "web-heddle")
    try:
        until(lambda: listens(f"{address}:80"), SECONDS, "")
    except Failed:
        raise Skip("ClusterIPs are not reached from where the tests run") from None
    return address


def the_certificate(case: Case) -> str:
    """Makes the Secret `web`; the file of whom to trust."""
    authority = Authority(temporary_folder("heddle-cluster-") / "pki")
    authority.issue("web", f"DNS:{HOST}")
    case.ns.kubectl("create", "secret", "tls", "web", f"--cert={authority.path('web.pem')}",
                    f"--key={authority.path('web.key')}")
    return authority.path("ca.pem")


@test
def http3_through_the_service(case: Case):
    trusted = the_certificate(case)
    with_backend(case, http3="true")
    address = reached_from_here(case)
    ports = {(p["port"], p["protocol"]) for p in case.ns.get("service", "web-heddle")["spec"]["ports"]}
    if (443, "UDP") not in ports:
        raise Failed(f"the Service lacks the port of QUIC: {ports}")
    folder = temporary_folder("heddle-cluster-") / "client"
    with Http3Client(pathlib.Path(folder), f"{address}:443", HOST, trusted) as client:
        until(lambda: client.get(HOST).status == 200, SECONDS, "HTTP/3 is answered", interval=0.2)
        if client.get(HOST).echo["backend"] != "v1":
            raise Failed(f"answered by {client.get(HOST).echo}")


@test
def proxy_protocol_through_the_service(case: Case):
    """Whoever says whose the connection is is believed; who does not is not heard."""
    the_certificate(case)
    with_backend(case, **{"proxy-protocol": "true"})
    address = reached_from_here(case)

    def ask(first: bytes):
        with socket.create_connection((address, 80), timeout=SECONDS) as raw:
            raw.sendall(first + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = http.client.HTTPResponse(raw)
            try:
                answer.begin()
                return json.loads(answer.read())["headers"] if answer.status == 200 else None
            except (OSError, http.client.HTTPException):
                return None

    def followed() -> bool:
        headers = ask(b"PROXY TCP4 192.0.2.7 192.0.2.8 5555 80\r\n") or {}
        return headers.get("X-Forwarded-For") == ["192.0.2.7"]
    until(followed, SECONDS, "the client's address is taken from the header", interval=0.2)
    if ask(b"") is not None:
        raise Failed("a connection without the header was answered")
