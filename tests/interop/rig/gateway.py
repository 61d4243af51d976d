# SPDX-License-Identifier: Apache-2.0
"""Envoy as a gateway, where people run it: heddle on a directory, the Gateway's own address."""

import base64
import http.client
import json
import pathlib
import socket
import ssl
from typing import Optional, Sequence

from . import objects
from .envoy import Envoy
from .process import Failed, until
from .suite import Case
from .traffic import CALL_SECONDS, listens

API = "gateway.networking.k8s.io/v1"
CLASS = "heddle"
TAKEN_SECONDS = 10


def _object(api: str, kind: str, name: str, namespace: str, **rest) -> dict:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace},
            **rest}


def gateway_class(**spec) -> dict:
    return {"apiVersion": API, "kind": "GatewayClass", "metadata": {"name": CLASS},
            "spec": {"controllerName": "heddle.dev/gateway-controller", **spec}}


def listener(name: str, port: int, protocol: str = "HTTP", hostname: str = "",
             certificates: Sequence[str] = (), passthrough: bool = False) -> dict:
    """certificates: names of Secrets."""
    tls = {"mode": "Passthrough"} if passthrough else {
        "mode": "Terminate", "certificateRefs": [{"name": c} for c in certificates]}
    return {"name": name, "port": port, "protocol": protocol,
            **({"hostname": hostname} if hostname else {}),
            **({"tls": tls} if protocol in ("HTTPS", "TLS") else {})}


def secret(name: str, folder: pathlib.Path, file: str, namespace: str) -> dict:
    """FILE.pem and FILE.key of the folder."""
    data = {key: base64.b64encode((folder / f"{file}.{end}").read_bytes()).decode()
            for key, end in (("tls.crt", "pem"), ("tls.key", "key"))}
    return _object("v1", "Secret", name, namespace, type="kubernetes.io/tls", data=data)


def config_map(name: str, namespace: str, **data: str) -> dict:
    return _object("v1", "ConfigMap", name, namespace,
                   data={key.replace("_", "."): value for key, value in data.items()})


class GatewayEnvoy(Envoy):
    """The Envoy of one Gateway."""

    def __init__(self, case: Case, name: str, **options: bool):
        super().__init__(case.heddle, case.mesh.work, f"{name}-of-{case.namespace}")
        self.namespace = case.namespace
        self.gateway = name
        self.more = [f"--{option}" for option, given in options.items() if given]

    def bootstrap(self) -> str:
        return self.heddle.command(
            "bootstrap", "envoy", "--xds", self.heddle.addresses[self.xds], "--namespace",
            self.namespace, "--gateway", self.gateway, "--envoy-admin", "127.0.0.1:0",
            *self.more).stdout


class Gateway:
    """A Gateway of a case, with an Envoy for as long as the `with` lasts."""

    def __init__(self, case: Case, *listeners: dict, name: str = "gw",
                 parameters: Optional[dict] = None, sotw: bool = False, **spec):
        self.case = case
        self.name = name
        self.address = f"127.30.{Case.count % 256}.{len(name)}"
        self.listeners = list(listeners)
        self.parameters = parameters
        self.spec = spec
        self.ports = ()
        self.rejects = False  # what it is sent is meant to be rejected
        follows = bool(parameters) and parameters.get("mesh-routes") == "apply"
        self.envoy = GatewayEnvoy(case, name, **{"sotw": sotw, "mesh-routes": follows})

    def objects(self) -> list:
        spec = {"gatewayClassName": CLASS, "listeners": self.listeners, **self.spec,
                "addresses": [{"type": "IPAddress", "value": self.address}]}
        found = [gateway_class()]
        if self.parameters:
            spec["infrastructure"] = {
                "parametersRef": {"group": "", "kind": "ConfigMap", "name": "parameters"}}
            found.append(_object("v1", "ConfigMap", "parameters", self.case.namespace,
                                 data=self.parameters))
        return [*found, _object(API, "Gateway", self.name, self.case.namespace, spec=spec)]

    def apply(self, *things) -> None:
        self.case.apply(*self.objects(), *things)

    def __enter__(self) -> "Gateway":
        self.envoy.start().wait_live()
        for port in self.ports:
            until(lambda: listens(self.at(port)), TAKEN_SECONDS, f"Envoy listens on {port}")
        return self

    def __exit__(self, *_) -> None:
        rejected = self.envoy.rejected() if self.envoy.child.running() else {"it ended": 1}
        self.envoy.stop()
        if bool(rejected) != self.rejects:
            raise Failed(f"the gateway rejected configuration: {rejected}")

    def at(self, port: int) -> str:
        return f"{self.address}:{port}"

    def wait_started(self, *ports: int) -> "Gateway":
        """To be used in a `with`: it listens on these ports."""
        self.ports = ports
        return self

    def route(self, *rules: dict, hostnames: Sequence[str] = (), name: str = "route",
              section: str = "", kind: str = "HTTPRoute", **metadata) -> dict:
        parent = {"name": self.name, **({"sectionName": section} if section else {})}
        route = _object(API, kind, name, self.case.namespace,
                        spec={"parentRefs": [parent], "rules": list(rules)})
        route["metadata"].update(metadata)
        if hostnames:
            route["spec"]["hostnames"] = list(hostnames)
        return route


class Https:
    """A connection of HTTP/1.1 over TLS: `sni` chooses the listener, each request its Host."""

    def __init__(self, address: str, sni: Optional[str], cafile: str,
                 certificate: Optional[tuple] = None, first: bytes = b""):
        """first: what is sent before TLS begins."""
        context = ssl.create_default_context(cafile=cafile)
        context.check_hostname = False
        if certificate:
            context.load_cert_chain(*certificate)
        host, port = address.rsplit(":", 1)
        raw = socket.create_connection((host, int(port)), timeout=CALL_SECONDS)
        raw.sendall(first)
        self.socket = context.wrap_socket(raw, server_hostname=sni)
        self.connection = http.client.HTTPConnection(address)
        self.connection.sock = self.socket

    def request(self, host: str, path: str = "/", **headers: str) -> tuple:
        """(status, backend's echo or the body, headers)"""
        self.connection.request("GET", path, headers={"Host": host, **headers})
        response = self.connection.getresponse()
        body = response.read().decode()
        return (response.status, json.loads(body) if response.status == 200 else body,
                {name.lower(): value for name, value in response.getheaders()})

    def names(self) -> list:
        """Of the certificate that was shown."""
        return [value for _, value in self.socket.getpeercert().get("subjectAltName", ())]

    def serial(self) -> str:
        return self.socket.getpeercert()["serialNumber"]

    def close(self) -> None:
        self.connection.close()
        self.socket.close()


def backend(name: str, port: int = 8000, weight: Optional[int] = None, **more) -> dict:
    return {**objects.backend(name, port, weight), **more}
