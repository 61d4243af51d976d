# SPDX-License-Identifier: Apache-2.0
"""Kubernetes objects as short calls. They are written as JSON, which is YAML."""

from typing import Optional, Sequence, Union

Object = dict
H2C = "kubernetes.io/h2c"


def _object(api: str, kind: str, name: str, namespace: str, **rest) -> Object:
    metadata = {"name": name, "namespace": namespace, **rest.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def service(name: str, ip: str, ports: Union[int, dict], protocol: Optional[str] = "http",
            namespace: str = "default") -> Object:
    """ports: a number, or {name: number}; protocol: the appProtocol of all, None for opaque TCP."""
    named = ports if isinstance(ports, dict) else {"main": ports}
    spec = [{"name": port_name, "port": port, **({"appProtocol": protocol} if protocol else {})}
            for port_name, port in named.items()]
    return _object("v1", "Service", name, namespace, spec={"clusterIP": ip, "ports": spec})


READY = {"ready": True}
NOT_READY = {"ready": False}
DRAINING = {"ready": False, "serving": True, "terminating": True}


def endpoint(address: str, conditions: dict, **more) -> dict:
    """more: zone, nodeName, targetRef, … as in an EndpointSlice."""
    return {"addresses": [address], "conditions": conditions, **more}


def endpoint_slice(service_name: str, endpoints: Sequence[dict], port: Union[int, dict],
                   namespace: str = "default", family: str = "IPv4", name: str = "1") -> Object:
    """port: as in service()."""
    named = port if isinstance(port, dict) else {"main": port}
    return _object("discovery.k8s.io/v1", "EndpointSlice", f"{service_name}-{name}", namespace,
                   metadata={"labels": {"kubernetes.io/service-name": service_name}},
                   addressType=family, endpoints=list(endpoints),
                   ports=[{"name": n, "port": p, "protocol": "TCP"} for n, p in named.items()])


def endpoints(service_name: str, addresses: Sequence[str], port: Union[int, dict],
              namespace: str = "default") -> Object:
    """All of them ready."""
    return endpoint_slice(service_name, [endpoint(a, READY) for a in addresses], port, namespace)


def backend(name: str, port: int, weight: Optional[int] = None) -> dict:
    return {"name": name, "port": port, **({} if weight is None else {"weight": weight})}


def rule(*backends: dict, matches: Sequence[dict] = (), filters: Sequence[dict] = (),
         **more) -> dict:
    """more: timeouts, retry."""
    return {"backendRefs": list(backends), **({"matches": list(matches)} if matches else {}),
            **({"filters": list(filters)} if filters else {}), **more}


def _route(kind: str, name: str, parent: str, port: Optional[int], rules, namespace: str) -> Object:
    ref = {"group": "", "kind": "Service", "name": parent, **({"port": port} if port else {})}
    return _object("gateway.networking.k8s.io/v1", kind, name, namespace,
                   spec={"parentRefs": [ref], "rules": list(rules)})


def http_route(name: str, parent: str, *rules: dict, port: Optional[int] = None,
               namespace: str = "default") -> Object:
    return _route("HTTPRoute", name, parent, port, rules, namespace)


def grpc_route(name: str, parent: str, *rules: dict, port: Optional[int] = None,
               namespace: str = "default") -> Object:
    return _route("GRPCRoute", name, parent, port, rules, namespace)


def l4_route(kind: str, name: str, parent: str, *backends: dict, hostnames: Sequence[str] = (),
             parent_namespace: Optional[str] = None, created: Optional[str] = None,
             namespace: str = "default") -> Object:
    """A TCPRoute or TLSRoute, of one rule."""
    route = _route(kind, name, parent, None, [rule(*backends)], namespace)
    if hostnames:
        route["spec"]["hostnames"] = list(hostnames)
    if parent_namespace:
        route["spec"]["parentRefs"][0]["namespace"] = parent_namespace
    if created:
        route["metadata"]["creationTimestamp"] = created
    return route


def reference_grant(name: str, namespace: str, from_namespace: str, kind: str, to: str) -> Object:
    """Objects of a kind of Gateway API may refer to those of kind `to`, of the core group."""
    return _object("gateway.networking.k8s.io/v1", "ReferenceGrant", name, namespace, spec={
        "from": [{"group": "gateway.networking.k8s.io", "kind": kind,
                  "namespace": from_namespace}],
        "to": [{"group": "", "kind": to}]})


def policy(name: str, *services: str, namespace: str = "default", **spec) -> Object:
    """An XBackendTrafficPolicy; spec: retryConstraint, sessionPersistence."""
    targets = [{"group": "", "kind": "Service", "name": service} for service in services]
    return _object("gateway.networking.x-k8s.io/v1alpha1", "XBackendTrafficPolicy", name,
                   namespace, spec={"targetRefs": targets, **spec})


def header_filter(set: Optional[dict] = None, add: Optional[dict] = None,
                  remove: Sequence[str] = ()) -> dict:
    def pairs(headers):
        return [{"name": name, "value": value} for name, value in headers.items()]
    modifier = {**({"set": pairs(set)} if set else {}), **({"add": pairs(add)} if add else {}),
                **({"remove": list(remove)} if remove else {})}
    return {"type": "RequestHeaderModifier", "requestHeaderModifier": modifier}


def redirect(**spec) -> dict:
    return {"type": "RequestRedirect", "requestRedirect": spec}


def rewrite(**spec) -> dict:
    return {"type": "URLRewrite", "urlRewrite": spec}


def mirror(to: dict, **share) -> dict:
    return {"type": "RequestMirror", "requestMirror": {"backendRef": to, **share}}


def full_path(path: str) -> dict:
    return {"type": "ReplaceFullPath", "replaceFullPath": path}


def prefix_path(path: str) -> dict:
    return {"type": "ReplacePrefixMatch", "replacePrefixMatch": path}


def cors(**spec) -> dict:
    return {"type": "CORS", "cors": spec}


def session(cookie: Optional[dict] = None, header: Optional[str] = None, **more) -> dict:
    """A rule's sessionPersistence: in a cookie unless a header is named."""
    if header:
        return {"type": "Header", "header": {"name": header}, **more}
    return {"cookie": cookie or {}, **more}
