# SPDX-License-Identifier: Apache-2.0
"""Which rule takes a request, from the text of the Gateway API and from nothing else.

A second opinion for tests: written against HTTPRouteRule.matches, HTTPPathMatch, HTTPHeaderMatch,
HTTPQueryParamMatch, GRPCRouteRule.matches and GEP-1294, never against heddle's sources. What the
specification leaves to implementations is marked "ours" and stands in docs/xds.md.
"""

import dataclasses
import re
from typing import Iterable, List, Optional, Tuple


@dataclasses.dataclass
class Request:
    method: str
    path: str  # as sent: one character for each byte, without the query
    query: Optional[str] = None  # what follows '?'
    headers: List[Tuple[str, str]] = dataclasses.field(default_factory=list)
    joins: bool = False  # the client compares the values of a repeated header as one list

    @property
    def target(self) -> str:
        return self.path + ("" if self.query is None else f"?{self.query}")


def elements(path: str) -> list:
    """"/a/b" -> [a, b]; "/" -> []"""
    return path.split("/")[1:] if path != "/" else []


def full_match(expression: str, text: str) -> bool:
    """Of the whole text. Ours: a character is a byte."""
    return re.fullmatch(expression, text, re.ASCII) is not None


def path_matches(match: dict, path: str) -> bool:
    kind, value = match.get("type", "PathPrefix"), match.get("value", "/")
    if kind == "Exact":
        return path == value
    if kind == "RegularExpression":
        return full_match(value, path)
    prefix = elements(value)
    while prefix and prefix[-1] == "":  # a trailing '/' does not count
        prefix.pop()
    return elements(path)[:len(prefix)] == prefix


def value_matches(match: dict, value: Optional[str]) -> bool:
    if value is None:
        return False
    if match.get("type", "Exact") == "RegularExpression":
        return full_match(match["value"], value)
    return value == match["value"]


def first_of_each_name(matches: Iterable[dict], fold) -> list:
    """"Only the first entry with an equivalent name MUST be considered for a match.\""""
    found = {}
    for match in matches:
        found.setdefault(fold(match["name"]), match)
    return list(found.values())


def header_matches(match: dict, request: Request) -> bool:
    """Of a repeated header "it is implementation-specific behavior as to how this is represented".
    Ours: as the client does it (docs/xds.md)."""
    values = [v.strip(" \t") for n, v in request.headers if n.lower() == match["name"].lower()]
    if request.joins and values:
        values = [",".join(values)]  # as RFC 9110 does, 5.3
    return any(value_matches(match, value) for value in values)


def parameter(request: Request, name: str) -> Optional[str]:
    """"It is recommended that implementations should match against the first value". Ours: both
    are compared as sent, not decoded."""
    for part in (request.query or "").split("&"):
        key, _, value = part.partition("=")
        if part and key == name:
            return value
    return None


def headers_of(match: dict) -> list:
    return first_of_each_name(match.get("headers", []), str.lower)


def parameters_of(match: dict) -> list:
    return first_of_each_name(match.get("queryParams", []), str)


def http_matches(match: dict, request: Request) -> bool:
    return (path_matches(match.get("path", {}), request.path)
            and match.get("method", request.method) == request.method
            and all(header_matches(m, request) for m in headers_of(match))
            and all(value_matches(m, parameter(request, m["name"])) for m in parameters_of(match)))


def http_rank(match: dict) -> tuple:
    """Smaller comes first. Ours: regular expressions stand between Exact and PathPrefix, longer
    ones first."""
    path = match.get("path", {})
    kind, value = path.get("type", "PathPrefix"), path.get("value", "/")
    size = len(value.rstrip("/")) if kind == "PathPrefix" else len(value)
    return (["Exact", "RegularExpression", "PathPrefix"].index(kind), -size,
            "method" not in match, -len(headers_of(match)), -len(parameters_of(match)))


def grpc_matches(match: dict, request: Request) -> bool:
    method = match.get("method", {})
    service, _, name = request.path[1:].rpartition("/")
    if method.get("type", "Exact") == "Exact":
        good = (method.get("service") in (None, service) and method.get("method") in (None, name))
    else:
        good = all(part not in method or full_match(method[part], value)
                   for part, value in (("service", service), ("method", name)))
    return good and all(header_matches(m, request) for m in headers_of(match))


def grpc_rank(match: dict) -> tuple:
    """Ours: an expression comes after an exact name, longer ones first."""
    method = match.get("method", {})
    regex = method.get("type", "Exact") != "Exact"

    def part(name: str) -> tuple:
        return (not method.get(name), regex and bool(method.get(name)), -len(method.get(name, "")))
    return (*part("service"), *part("method"), -len(headers_of(match)))


def winner(routes: List[dict], request: Request) -> Optional[Tuple[str, dict]]:
    """(name of the rule, the rule) of the first match, routes attached to one Service port.
    GEP-1294: where both kinds are, the GRPCRoutes alone count."""
    kind = "GRPCRoute" if any(r["kind"] == "GRPCRoute" for r in routes) else "HTTPRoute"
    matches, rank = {"HTTPRoute": (http_matches, http_rank),
                     "GRPCRoute": (grpc_matches, grpc_rank)}[kind]
    best = None
    for route in (r for r in routes if r["kind"] == kind):
        meta = route["metadata"]
        for number, rule in enumerate(route["spec"]["rules"]):
            for match in rule.get("matches") or [{}]:
                place = (rank(match), meta["creationTimestamp"],
                         f"{meta['namespace']}/{meta['name']}", number)
                if matches(match, request) and (best is None or place < best[0]):
                    best = (place, f"{kind}/{meta['namespace']}/{meta['name']}/{number}", rule)
    return best and best[1:]
