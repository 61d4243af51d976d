# SPDX-License-Identifier: Apache-2.0
"""A gRPC server that asks heddle before it serves.

An xDS-enabled gRPC server asks its control plane for the Listener of its address, and takes no call
before it has it. Here the two endpoints of Service 'till' are such servers. Their clients need no
proxy either: both ends of a call are told what to do by heddle, which the call does not pass.
"""

import contextlib

from rig.process import until
from rig.server import XdsServer

from stage import GRPC_TARGET, LANGUAGES, Stage

SERVERS = {"go": "127.20.90.1:3001", "python": "127.20.90.2:3001"}
NOWHERE = {"xds_servers": [{"server_uri": "127.20.90.9:1",  # in a bootstrap: nobody listens there
                            "channel_creds": [{"type": "insecure"}],
                            "server_features": ["xds_v3"]}]}
CALLS = 100
RPS = 400  # slow enough that a client has connected to both servers before the last call
SECONDS = 5


def show(stage: Stage) -> None:
    def start(language: str, **more) -> XdsServer:
        return XdsServer(language, stage.heddle, stage.mesh.work, SERVERS[language],
                         name=LANGUAGES[language], **more)

    def outcome(server: XdsServer) -> str:
        """Of a call that dials its address."""
        line = server.call(server.address)
        return "it answers" if "reply" in line else line["code"].upper()

    with stage.table("", "", "expected", "observed") as table, contextlib.ExitStack() as stack:
        for language, name in LANGUAGES.items():
            with start(language, change=NOWHERE) as server:
                table.check(f"server in {name}", "does not reach heddle", expected="UNAVAILABLE",
                            observed=outcome(server))
        for language, name in LANGUAGES.items():
            server = stack.enter_context(start(language))
            asked = server.wait_acknowledged(stage.heddle)["asks"]
            until(lambda: outcome(server) == "it answers", SECONDS, f"the server in {name} serves")
            table.check(f"server in {name}", "gets the Listener of", expected=server.address,
                        observed=", ".join(a["listens"] for a in asked))
        for language, name in LANGUAGES.items():
            counts = stage.grpc(language).call(GRPC_TARGET, count=CALLS, rps=RPS).counts()
            table.check(f"client in {name}", f"{CALLS} calls through xds:///", expected="Go, Python",
                        observed=", ".join(sorted(counts)))
        with stage.grpc("go").watch(GRPC_TARGET) as watch:
            until(lambda: watch.result.sent >= CALLS, SECONDS, "calls are made")
            stage.heddle.restart()
            stage.start_envoy()
            server.wait_acknowledged(stage.heddle)
        sent, ok = watch.result.sent, watch.result.ok
        table.check("heddle is started anew", f"{sent} calls meanwhile", expected=f"{sent} answered",
                    observed=f"{ok} answered")
        words = [server.node, "POST", f"grpc://{server.address}/shop.Till/Pay"]
        why = stage.heddle.command("why", *words, "--admin", stage.heddle.addresses["admin"]).stdout
    print(f"\n  $ heddle why {' '.join(words)}")
    stage.quote(why)
