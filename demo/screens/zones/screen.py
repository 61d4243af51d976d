# SPDX-License-Identifier: Apache-2.0
"""Requests stay in the zone that they come from, while somebody there can answer.

A request that leaves its zone takes longer and may cost money. Clients say their zone ('heddle
bootstrap --zone'), EndpointSlices that of each endpoint: of Service 'near', chat-1 is in zone east,
chat-2 and chat-3 are in west. Where none is ready in a client's zone, it uses all others.
"""

from rig.process import until
from rig.traffic import HttpLoad

from stage import GRPC_TARGET, HTTP, LANGUAGES, SHOP, Stage

REQUESTS = 60
RPS = 400  # slow enough that a client has connected to all endpoints before the last call
SECONDS = 5
ALL = ["chat-1", "chat-2", "chat-3"]
WANTED = {"east": ALL[:1], "west": ALL[1:], "north": ALL, "": ALL}  # by the client's zone
CHAT_1 = "- {addresses: [127.20.8.1], zone: east} # chat-1\n"


def show(stage: Stage) -> None:
    routes = (stage.mesh.config / "routes.yaml").read_text()

    def check(*cells: str, wanted: list, counts: dict) -> None:
        table.check(*cells, expected=", ".join(wanted), observed=", ".join(sorted(counts)))

    with stage.table("client", "in zone", "expected", "observed") as table:
        for language, name in LANGUAGES.items():
            for zone, wanted in WANTED.items():
                client = stage.grpc(language, zone=zone)
                counts = client.call(GRPC_TARGET, count=REQUESTS, rps=RPS).counts()
                check(f"gRPC, {name}", zone or "(not told)", wanted=wanted, counts=counts)
        for zone in ("west", "east"):
            stage.start_envoy(zone=zone)
            check("HTTP, Envoy", zone, wanted=WANTED[zone], counts=stage.requests(REQUESTS, "/"))

        with HttpLoad([f"{SHOP}:{HTTP}"]) as load:
            for what, text, wanted in (("chat-1 goes", routes.replace(CHAT_1, ""), ALL[1:]),
                                       ("chat-1 comes back", routes, ALL[:1])):
                stage.apply(text)
                sent = len(load.answers)
                until(lambda: len(load.answers) >= sent + REQUESTS, SECONDS, "requests are answered")
                check(what, zone, wanted=wanted, counts=stage.requests(REQUESTS, "/"))
        failed = sum(answer.status != 200 for answer in load.answers)
        table.check(f"meanwhile {len(load.answers)} requests", zone, expected="0 failed",
                    observed=f"{failed} failed", good=failed == 0 and len(load.answers) > 0)
    stage.start_envoy()
