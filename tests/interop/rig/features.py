# SPDX-License-Identifier: Apache-2.0
"""What heddle does with which client, as docs/interop.md tells it: from the tests themselves.

A test says which features it proves:

    @feature("weights")                      for every client that it is run with
    @feature("mirrors", reported=["go"])     of these clients it proves that a route's status says
                                             (heddle.dev/Enforced) that they do not apply it

A new row is a line in FEATURES and a test with its name; a cell is there only if a test is run with
that client.
"""

import collections
from typing import Callable, Iterable, Sequence

CLIENTS = {
    "envoy sotw": "Envoy, SotW", "envoy delta": "Envoy, delta", "python": "gRPC Python",
    "go": "gRPC Go", "java": "gRPC Java", "node": "gRPC Node.js",
}
FEATURES = {
    "Who gets a request": [
        "a Service without a route", "weights", "path matches", "gRPC method matches",
        "header matches", "HTTP method matches", "query parameter matches",
        "regular expressions, of the whole text", "random routes and requests, as `heddle why` tells",
        "HTTPRoutes for gRPC calls", "several ports of a Service", "several namespaces",
        "opaque TCP, the server speaking first",
    ],
    "What a request cannot be given": [
        "the share of an invalid backend fails alone", "no rule matches", "no ready endpoint",
        "no such Service, port or namespace: told at once",
        "no such Service: calls that ask to (wait_for_ready) wait",
    ],
    "TCPRoutes, TLSRoutes": [
        "TCPRoutes: weights, for connections", "TCPRoutes: the server speaks first",
        "TCPRoutes: the share of an invalid backend fails alone",
        "TCPRoutes: changes end no connection", "TLSRoutes: the server name chooses",
        "TLSRoutes: weights, for connections", "TLSRoutes: changes end no connection",
    ],
    "Filters": [
        "header modifiers", "redirects", "URL rewrites", "mirrors", "CORS",
    ],
    "Timeouts, retries, sessions": [
        "timeouts.request", "timeouts.request of up to two seconds", "timeouts.backendRequest",
        "retries", "retries of codes other than 429, 502, 503, 504", "retries, more than four",
        "retries, backoff", "sessions in cookies", "sessions in headers",
        "absolute timeout of a session",
    ],
    "Backends": [
        "endpoints that terminate", "sessions at an endpoint that terminates", "dual stack",
        "near endpoints", "WebSockets", "HTTP/2 to the endpoint (h2c)", "what is encrypted",
        "headless Services", "named target ports, slices without a selector", "retry budgets",
        "sessions of a Service",
    ],
    "Changes and faults": [
        "a new weight costs no request", "a new backend and its route in one change",
        "an endpoint that leaves", "a route that comes and goes", "a Service that comes later",
        "a Service that goes", "addresses that move from Service to Service", "a rolling restart fails no request (/drained)",
        "heddle.dev/Propagated holds what it says", "heddle is away", "a broken file changes nothing",
    ],
    "Servers (gRFC A36)": [
        "serves with its Listener, and not before", "every form of address",
        "heddle is away, a server goes on", "one Listener that is rejected",
    ],
    "xDS": [
        "takes every golden case", "over TLS with certificates",
        "names of an authority (gRFC A47)", "several control planes (gRFC A71)",
        "a rejected resource leaves the others in use (gRFC A46)",
    ],
}
HEAD = """\
# What works with which client

Made from the tests in [tests/interop](../tests/interop) by `tools/check-docs --fix`; do not edit.
**enforced**: the named test sees it happen with a real client of this kind. **reported**: it sees
that such a client does not do it, and that the route's status says so (`heddle.dev/Enforced`) while
one is connected. An empty cell: no test says anything. The versions are those of
[tools/env](../tools/env) (Envoy), [requirements.txt](../tests/requirements.txt) (Python),
[go.mod](../tests/interop/go/go.mod), [pom.xml](../tests/interop/java/pom.xml) and
[package.json](../tests/interop/node/package.json).
"""
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_names = {name for names in FEATURES.values() for name in names}


def feature(*names: str, reported: Sequence[str] = ()) -> Callable:
    unknown = {*names} - _names
    if unknown:
        raise ValueError(f"rig/features.py does not list {sorted(unknown)}")

    def note(function: Callable) -> Callable:
        function.features = {**getattr(function, "features", {}),
                             **{name: tuple(reported) for name in names}}
        return function
    return note


def _rows(tests: Iterable) -> dict:
    """{feature: {client: {state: [case]}}}"""
    rows = collections.defaultdict(
        lambda: collections.defaultdict(lambda: collections.defaultdict(list)))
    for test in tests:
        for name, reported in getattr(test.function, "features", {}).items():
            state = "reported" if test.client in reported else "enforced"
            rows[name][test.client][state].append(test.case)
    return rows


def _row(name: str, clients: dict) -> str:
    if not clients:
        raise ValueError(f"no test has the feature '{name}'")
    unknown = {*clients} - {*CLIENTS}
    if unknown:
        raise ValueError(f"'{name}' is tested with {sorted(unknown)}, which are no clients")
    numbers = {}  # of the cases, within this row
    cells = []
    for client in CLIENTS:
        states = []
        for state, cases in clients.get(client, {}).items():
            marks = [str(numbers.setdefault(case, len(numbers) + 1)) for case in cases]
            states.append(state + " ".join(marks).translate(SUPERSCRIPTS))
        cells.append(", ".join(states))
    cases = ", ".join(f"{str(number).translate(SUPERSCRIPTS)} `{case}`"
                      for case, number in numbers.items())
    return "| " + " | ".join([name, *cells, cases]) + " |"


def table(tests: Iterable) -> str:
    rows = _rows(tests)
    lines = [HEAD]
    for title, names in FEATURES.items():
        lines += [f"## {title}", "", "| | " + " | ".join([*CLIENTS.values(), "tests"]) + " |",
                  "|---" * (len(CLIENTS) + 2) + "|"]
        lines += [_row(name, rows.get(name, {})) for name in names]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
