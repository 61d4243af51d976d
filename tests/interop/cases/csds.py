# SPDX-License-Identifier: Apache-2.0
"""ClientStatusDiscoveryService: what a client of gRPC's stubs is told of all others."""

import json
import subprocess

from rig.envoy import Envoy
from rig.heddle import Heddle
from rig.mesh import Mesh
from rig.objects import backend, endpoints, http_route, rule, service
from rig.process import Failed, program, until
from rig.suite import BACKENDS, PORTS, Case, alone

IP = "127.13.1.1"
TARGET = "xds:///web.default.svc.cluster.local:8080"
SECONDS = 20
ACKED = {"config": "SYNCED", "client": "ACKED"}


def ask(heddle: Heddle, *ids: str) -> dict:
    done = subprocess.run([*program("python", "csds_client"), heddle.addresses["xds"], *ids],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=SECONDS)
    if done.returncode != 0:
        raise Failed(f"csds_client: {done.stderr}")
    return json.loads(done.stdout)


def start(*options: str) -> Mesh:
    mesh = Mesh(options=options)
    mesh.write("web", service("web", IP, {"http": 8000, "grpc": 8080}, "http"),
               endpoints("web", [BACKENDS["a"]], {"http": PORTS["http"], "grpc": PORTS["grpc"]}),
               http_route("web", "web", rule(backend("web", 8000)), port=8000))
    mesh.heddle.start()
    return mesh


def state(resource: dict) -> dict:
    return {key: resource[key] for key in ("config", "client")}


def check_what_is_told(heddle: Heddle) -> None:
    names = {"sidecar/default/one", "proxyless/default/client-in-python"}

    def told():
        return ask(heddle)["fetch"]

    until(lambda: set(told()) == names, SECONDS, "both clients are told of")
    until(lambda: all(state(r) == ACKED for client in told().values() for r in client.values()),
          SECONDS, "all is acknowledged")
    one, grpc = (told()[name] for name in sorted(names, reverse=True))
    for name in ("Cluster default/web:8000", "Listener default/web:8000",
                 "RouteConfiguration default/web:8000", "ClusterLoadAssignment default/web:8000"):
        assert len(one[name]["version"]) == 16 and not one[name]["error"], one
    assert "Listener web.default.svc.cluster.local:8080" in grpc, grpc


@alone
def clients_are_told_of_with_what_they_have(_: Case):
    mesh = start("--csds")
    mesh.start_envoy("one")
    mesh.wait_listening(f"{IP}:8000")
    with mesh.grpc("python").watch(TARGET, rps=10) as calls:
        calls.wait_for(backend="a")
        check_what_is_told(mesh.heddle)
    chosen = ask(mesh.heddle, "sidecar/default/one")
    assert set(chosen["fetch"]) == {"sidecar/default/one"}, chosen
    assert [set(answer) for answer in chosen["stream"]] == [{"sidecar/default/one"}, set()], chosen
    mesh.stop()


@alone
def a_rejection_is_told_with_its_words(_: Case):
    mesh = start("--csds")
    mesh.start_envoy("one")
    mesh.wait_listening(f"{IP}:8000")
    second = Envoy(mesh.heddle, mesh.work, "two").start()  # cannot bind the same addresses

    def rejected():
        listener = ask(mesh.heddle, "sidecar/default/two").get("fetch", {}).get(
            "sidecar/default/two", {}).get("Listener default/web:8000", {})
        return listener if listener.get("config") == "ERROR" else None

    until(rejected, SECONDS, "the rejection is told")
    assert rejected()["client"] == "NACKED", rejected()
    assert "Address already in use" in rejected()["error"], rejected()
    second.stop()
    mesh.stop()


@alone
def it_is_off_by_default(_: Case):
    mesh = start()
    told = ask(mesh.heddle)
    assert told == {"code": "UNIMPLEMENTED",
                    "message": "client status is off; heddle serve --csds turns it on"}, told
    mesh.stop()
