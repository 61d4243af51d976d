# SPDX-License-Identifier: Apache-2.0
"""Endpoints that come, go and stay, of Services of every kind."""

import socket

from rig.process import until
from rig.suite import Case, with_envoy, with_grpc
from rig.traffic import CALL_SECONDS, HttpLoad, Http

CALLS = 200


def only(load: HttpLoad, wanted: str, calls: int = 50) -> None:
    """Waits until the last calls went to these backends, and to no other."""
    until(lambda: {a.outcome for a in load.answers[-calls:]} == set(wanted), 5,
          f"requests go to '{wanted}'")


# --- conditions ------------------------------------------------------------------------------


@with_envoy
def what_terminates_gets_nothing_new_beside_what_is_ready(case: Case):
    """Although most endpoints drain: that must not look to Envoy like a Service in ruins."""
    web = case.service("web", "abcd")
    case.serve(web)
    with HttpLoad([web.address]) as load:
        only(load, "abcd")
        web.ready, web.draining = "a", "bcd"
        case.apply(web)
        only(load, "a", CALLS)
        web.ready, web.not_ready, web.draining = "", "a", "bcd"
        case.apply(web)
        only(load, "bcd")
        web.ready, web.not_ready, web.draining = "", "ad", "bc"
        case.apply(web)
        only(load, "bc", CALLS)
    load.check_no_failure()


@with_envoy
def what_terminates_ends_the_work_that_it_has(case: Case):
    """A slow request, and a connection of a protocol that is opaque, while the endpoint drains and
    when it has gone."""
    web, mail = case.service("web", "a"), case.service("mail", "a", kind="tcp")
    case.serve(web, mail)
    with HttpLoad([web.address], path="/?delay=1000") as slow:
        host, port = mail.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=CALL_SECONDS) as session:
            lines = session.makefile()
            assert lines.readline() == "hello from a\n"
            for service in (web, mail):
                service.ready, service.draining = "b", "a"
            case.apply(web, mail)
            with HttpLoad([web.address]) as load:
                only(load, "b")
            for service in (web, mail):
                service.draining = ""
            case.apply(web, mail)
            session.sendall(b"still there?\n")
            assert lines.readline() == "still there?\n"
    assert slow.answers[0].backend == "a", slow.answers
    slow.check_no_failure()


@with_grpc
def what_terminates_gets_no_calls_beside_what_is_ready(case: Case):
    cart = case.service("cart", "abc", "grpc")
    case.apply(cart)
    with case.grpc.watch(cart.target) as watch:
        until(lambda: {e.get("backend") for e in watch.events} >= set("abc"), 5, "all are used")
        cart.ready, cart.draining = "a", "bc"
        case.apply(cart)
        until(lambda: watch.lasts("a", 0.2), 5, "only what is ready is used")
        cart.ready, cart.not_ready, cart.draining = "", "ac", "b"
        case.apply(cart)
        until(lambda: watch.lasts("b", 0.2), 5, "what terminates is used")
    watch.result.check_no_failure()
