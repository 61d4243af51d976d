# SPDX-License-Identifier: Apache-2.0
"""Counts what heddle computes and sends for one change of a large Gateway, which a real Envoy
serves: neither grows with the number of routes, or of listeners and certificates that stay."""

import contextlib

from edge import Edge
from rig.process import until
from work import Count

ROUTES, LISTENERS = 1000, 30
SECONDS = 20
# (evaluations, messages), at most. Both RouteConfigurations, of HTTP and of HTTPS, are one message.
WEIGHT = (10, 1)
ROUTE = (15, 1)
CERTIFICATE = (3, 1)
LISTENER = (LISTENERS + 40, 4)  # each other listener is looked at once, and no route


@contextlib.contextmanager
def at_most(check, count: Count, what: str, most: tuple):
    with count.change():
        yield
    seen = count.changes[-1]
    check(f"{ROUTES} routes of a Gateway, {what}: at most {most[0]} evaluations",
          0 < seen["evaluations"] <= most[0], seen)
    check(f"{ROUTES} routes of a Gateway, {what}: at most {most[1]} messages",
          0 < seen["messages"] <= most[1], seen)


def wait_for(edge: Edge, index: int, outcome: str) -> None:
    """By HTTP and by HTTPS."""
    for client in (edge.plain(index), edge.secure(index)):
        with client:
            until(lambda: client.request().outcome == outcome, SECONDS, f"'{outcome}' answers")


def serial(edge: Edge, index: int) -> str:
    """Of the certificate that a new connection is shown."""
    with edge.secure(index) as client:
        client.request()
        return client.serial


def run(check) -> None:
    """check(name, right, seen) is told each result."""
    edge = Edge(ROUTES, LISTENERS)
    edge.write_all()
    edge.start_heddle()
    edge.start_envoy()
    count = Count(edge)
    with at_most(check, count, "a weight changed", WEIGHT):
        edge.write_route(7, "canary")
        wait_for(edge, 7, "canary")
    with at_most(check, count, "a route added", ROUTE):
        edge.write_route(ROUTES, "canary")
        wait_for(edge, ROUTES, "canary")
    old = serial(edge, 7)
    edge.issue(edge.listener_of(7))
    with at_most(check, count, "a certificate replaced", CERTIFICATE):
        edge.write_secret(edge.listener_of(7))
        until(lambda: serial(edge, 7) != old, SECONDS, "the new certificate is shown")
    with at_most(check, count, "a listener added", LISTENER):
        edge.write_listener(1)
        until(lambda: edge.answers(edge.of_late(1)), SECONDS, "the listener is served")
    check("a Gateway's Envoy has taken it all", not edge.envoy.rejected(), edge.envoy.rejected())
    edge.stop()
