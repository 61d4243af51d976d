# SPDX-License-Identifier: Apache-2.0
"""Two heddles that serve one directory: what each says of clients, it says of both their clients."""

import contextlib
import signal
import socket
from typing import Iterator, List

from cases.drain import drained
from rig import objects
from rig.envoy import Envoy
from rig.heddle import Heddle
from rig.mesh import Mesh
from rig.objects import rule
from rig.process import until
from rig.suite import Case, alone

WAIT_SECONDS = 20
NODES = {"sidecar/default/envoy", "proxyless/default/client-in-go"}


def free_ports(count: int) -> List[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def replicas() -> Iterator[List[Mesh]]:
    """Two meshes whose heddles read the directory of the first."""
    ports = free_ports(2)
    both = [Mesh(), Mesh()]
    both[1].heddle.config = both[0].config
    try:
        for i, mesh in enumerate(both):
            token = mesh.work / "token"
            token.write_text("a token that both have\n")
            mesh.heddle.options = ["--replica-listen", f"127.0.0.1:{ports[i]}",
                                   "--replica", f"127.0.0.1:{ports[1 - i]}",
                                   "--replica-token-file", str(token), "--clients-return-ms", "1",
                                   "--agents", "127.0.0.1:0"]
            mesh.heddle.start()
        yield both
    finally:
        for mesh in both:
            mesh.stop()


def propagated(heddle: Heddle, case: Case, reason: str, count: str) -> bool:
    told = heddle.condition("HTTPRoute", case.namespace, "route", "heddle.dev/Propagated")
    return told is not None and told["reason"] == reason and told["message"].startswith(count)


@alone
def a_pod_is_drained_when_all_replicas_say_so(case: Case):
    """The first has no client at all; what the client of the second has, counts."""
    web = case.service("web", "a")
    with replicas() as (one, two):
        one.write("main", *web.objects())
        envoy = two.start_envoy("envoy")
        two.wait_listening(web.address)
        service, both = web.objects()
        address = both["endpoints"][0]["addresses"][0]
        both["endpoints"].append(objects.endpoint("127.21.254.1", objects.READY))
        both["endpoints"][0]["conditions"] = objects.DRAINING
        envoy.child.process.send_signal(signal.SIGSTOP)
        one.write("main", service, both)
        status, text = drained(one.heddle, web.namespace, address, 3)
        assert status == 504 and "at replica" in text, (status, text)
        envoy.child.process.send_signal(signal.SIGCONT)
        assert drained(one.heddle, web.namespace, address, WAIT_SECONDS)[0] == 200
        assert drained(two.heddle, web.namespace, address, WAIT_SECONDS)[0] == 200
        two.heddle.kill()  # its clients are nowhere
        until(lambda: "does not answer" in drained(one.heddle, web.namespace, address, 1)[1],
              WAIT_SECONDS, "the other replica is waited for")


@alone
def what_a_client_of_another_replica_rejects_is_told(case: Case):
    """Until it goes, and until its replica does."""
    web = case.service("web", "a")
    with replicas() as (one, two):
        one.write("main", *web.objects())
        one.start_envoy("first")
        one.wait_listening(web.address)

        def told(heddle: Heddle) -> str:
            """In whose words the Service's listener is rejected."""
            condition = heddle.condition("Service", case.namespace, "web", "heddle.dev/Programmed")
            return condition["message"] if condition else ""

        def is_rejected_everywhere() -> bool:
            return all("rejected by 'sidecar/default/twin'" in told(heddle)
                       for heddle in (one.heddle, two.heddle))
        for end in (lambda twin: twin.stop(), lambda _: two.heddle.kill()):
            twin = Envoy(two.heddle, two.work, "twin").start()  # on the addresses of the first
            until(is_rejected_everywhere, WAIT_SECONDS, "the rejection is told")
            end(twin)
            until(lambda: not told(one.heddle), 2 * WAIT_SECONDS, "the rejection is taken back")
        twin.stop()


@alone
def clients_of_all_replicas_are_told(case: Case):
    web = case.service("web", "a", kind="grpc")
    route = case.http_route(web, rule(web.ref()))
    with replicas() as (one, two), contextlib.ExitStack() as stack:
        one.write("main", *web.objects(), route)
        envoy = one.start_envoy("envoy")
        one.wait_listening(web.address)
        stack.enter_context(two.grpc("go").watch(web.target)).wait_for(code=None)
        for heddle in (one.heddle, two.heddle):
            until(lambda: {p["node"] for p in heddle.proxies()} == NODES, WAIT_SECONDS,
                  "both clients are listed")
            for node in NODES:
                why = heddle.command("why", node, "POST", f"http://{web.host}:{web.port}/a.B/C",
                                     "--admin", heddle.addresses["admin"]).stdout
                assert "has acknowledged these routes" in why, why
        assert one.heddle.api("digest")["digest"] == two.heddle.api("digest")["digest"]
        route["metadata"]["generation"] = 2
        one.write("main", *web.objects(), route)
        for heddle in (one.heddle, two.heddle):
            until(lambda: propagated(heddle, case, "AllAcknowledged", "2 of 2 "), WAIT_SECONDS,
                  "both clients are counted")
        two.heddle.kill()
        route["metadata"]["generation"] = 3
        one.write("main", *web.objects(), route)
        until(lambda: propagated(one.heddle, case, "Pending", "1 of 1 "), WAIT_SECONDS,
              "a replica that does not answer is waited for")
        assert envoy.child.running()
