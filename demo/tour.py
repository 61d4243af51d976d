# SPDX-License-Identifier: Apache-2.0
"""The tour: what heddle does, told once from beginning to end, with the YAML of examples/echo.

A split that is left to chance may go wrong by itself once in a million runs.
"""

import datetime
import re
import time

from rig.mesh import Mesh, start_echod
from rig.process import REPO, Failed, until
from rig.traffic import Http, HttpLoad, split_bounds

from page import Page

REQUESTS = 1000
EDIT_RPS = 500  # of each client while a weight is edited
HTTP_ADDRESS = "127.10.0.10:8000"
GRPC_ADDRESS = "127.10.0.10:8080"
HOST = "echo-service.default.svc.cluster.local"
ECHO, ECHO_TWO = (f"/echo_basic.grpcecho.GrpcEcho/{name}" for name in ("Echo", "EchoTwo"))
V1, V2 = "grpc-infra-backend-v1", "grpc-infra-backend-v2"
BACKENDS = {
    "http": {"echo-v1": ["127.20.0.11:3000", "127.20.0.12:3000"], "echo-v2": "127.20.0.13:3000"},
    "grpc": {V1: "127.20.0.21:3000", V2: "127.20.0.22:3000"},
}
LANGUAGES = {"python": "Python", "go": "Go"}


class Demo:
    """The running mesh, and the page that it is shown on."""

    def __init__(self, page: Page):
        self.mesh = Mesh("heddle-demo-")
        self.page = page
        self.restore()

    def restore(self) -> None:
        """The YAML as it is in examples/echo."""
        for path in sorted((REPO / "examples/echo").glob("*.yaml")):
            self.mesh.write_text(path.name, path.read_text())

    def edit(self, file: str, old: str, new: str) -> float:
        """Replaces text in one file of the configuration; returns when."""
        text = (self.mesh.config / file).read_text()
        changed, count = re.subn(old, new, text, count=1)
        if count != 1:
            raise Failed(f"'{file}' holds no '{old}'")
        return self.mesh.write_text(file, changed)


def title(demo: Demo, text: str) -> None:
    demo.page.title(text)
    print()


def row(*cells, widths=(22, 34, 24, 9, 9, 0)) -> None:
    print("  " + "".join(f"{str(cell):{width}}" for cell, width in zip(cells, widths)).rstrip(),
          flush=True)


# --- what runs --------------------------------------------------------------------------------


def start(demo: Demo) -> None:
    mesh = demo.mesh
    print("A service mesh on this machine, from the YAML in examples/echo\n")

    began = time.monotonic()
    mesh.heddle.start()
    ready = (time.monotonic() - began) * 1000
    print(f"  heddle    reads a copy of the YAML, serves xDS on {mesh.heddle.addresses['xds']}"
          f" (ready in {ready:.0f} ms)")
    start_echod(mesh.work, **BACKENDS)
    print("  backends  echo-v1 (two endpoints), echo-v2; grpc-infra-backend-v1 and -v2")
    began = time.monotonic()
    mesh.start_envoy("demo")
    mesh.wait_listening(HTTP_ADDRESS, GRPC_ADDRESS)
    live = (time.monotonic() - began) * 1000
    print(f"  Envoy     listens on echo-service's ClusterIP 127.10.0.10 (live in {live:.0f} ms)")
    print("  clients   HTTP and gRPC through Envoy; gRPC in Python and Go without any proxy")


# --- 1. who gets the requests -----------------------------------------------------------------


def who_gets_the_requests(demo: Demo) -> None:
    title(demo, f"1. Who gets the requests? {REQUESTS:,} each way")
    row("client", "dials", "backend", "expected", "observed")

    def show(client: str, dials: str, expected: dict, observed: dict) -> None:
        for backend in sorted({*expected, *observed}):
            share = expected.get(backend, 0) / sum(expected.values())
            count = observed.get(backend, 0)
            good = count in split_bounds(sum(expected.values()), share)
            row(client, dials, backend, expected.get(backend, 0), count, demo.page.expect(good))
            client = dials = ""

    with Http(HTTP_ADDRESS) as client:
        observed = client.outcomes(REQUESTS)
    show("HTTP, Envoy", HTTP_ADDRESS, {"echo-v1": REQUESTS * 9 // 10, "echo-v2": REQUESTS // 10},
         observed)

    # Half of the calls are of each method, and the method decides: nothing is left to chance.
    ways = [("gRPC, Envoy", "go", GRPC_ADDRESS)]
    ways += [(f"gRPC, {name}", kind, f"xds:///{HOST}:8080") for kind, name in LANGUAGES.items()]
    for client, kind, target in ways:
        result = demo.mesh.grpc(kind).call(target, count=REQUESTS, methods=[ECHO, ECHO_TWO])
        short = target.replace(".default.svc.cluster.local", "…")
        for method, backend in ((ECHO, V1), (ECHO_TWO, V2)):
            observed = result.backends.get(method, {})
            good = observed == {backend: REQUESTS // 2}
            name = method.rsplit("/", 1)[1]
            count = observed.get(backend, 0)
            row(client, short, f"{name} to {backend[-2:]}", REQUESTS // 2, count,
                demo.page.expect(good))
            client = short = ""
        for error in result.errors:
            row("", "", error["message"])


# --- 2. an edited weight ----------------------------------------------------------------------


def last_acknowledgement(demo: Demo) -> float:
    """When a client last accepted routes, as heddle tells it (heddle proxies)."""
    times = [proxy["types"]["rds"]["lastAcked"] for proxy in demo.mesh.heddle.proxies()
             if "lastAcked" in proxy["types"].get("rds", {})]
    return max(datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp()
               for t in times)


def an_edited_weight(demo: Demo) -> None:
    title(demo, "2. An edited weight: when had each client got it?")
    row("edit", "client", "first answer after it", widths=(36, 34, 0))

    with HttpLoad([HTTP_ADDRESS], pause=0) as load:
        load.wait_for("echo-v2")
        renamed = demo.edit("httproute.yaml", "weight: 9", "weight: 0")
        load.wait_for("echo-v2", times=100)
    load.check_no_failure()
    last_old = max(a.sent for a in load.answers if a.outcome == "echo-v1")
    first_new = next(a for a in load.answers if a.sent > max(last_old, renamed))
    http_ms = (first_new.received - renamed) * 1000
    row("HTTPRoute: echo-v1 weight 9 to 0", "HTTP, Envoy", f"{http_ms:5.1f} ms",
        widths=(36, 34, 0))

    clients = {"gRPC, Envoy": demo.mesh.grpc("go").watch(GRPC_ADDRESS, EDIT_RPS, [ECHO])}
    for kind, name in LANGUAGES.items():
        client = demo.mesh.grpc(kind)
        clients[f"gRPC, {name}"] = client.watch(f"xds:///{HOST}:8080", EDIT_RPS, [ECHO])
    for watch in clients.values():
        watch.wait_for(backend=V1)
    time.sleep(0.2)  # until all send evenly
    renamed = demo.edit("grpcroute.yaml", r"weight: 1(?s:(.*?))weight: 0", r"weight: 0\1weight: 1")
    moved = {name: watch.wait_for(backend=V2)["at"] for name, watch in clients.items()}
    what = "GRPCRoute: Echo from v1 to v2"
    for name, at in moved.items():
        row(what, name, f"{(at - renamed) * 1000:5.1f} ms", widths=(36, 34, 0))
        what = ""
    for watch in clients.values():
        watch.stop().check_no_failure()

    last = max([http_ms] + [(at - renamed) * 1000 for at in moved.values()])
    acked = (last_acknowledgement(demo) - renamed) * 1000
    print(f"""
  The last client had it {last:.1f} ms after the file was renamed into place, as seen by the
  clients, each of which calls every {1000 / EDIT_RPS:.0f} ms; none had a failure. heddle had the
  last acknowledgement after {acked:.0f} ms.""")
    demo.restore()


# --- 3. a mistake -----------------------------------------------------------------------------


def a_mistake(demo: Demo) -> None:
    title(demo, "3. A mistake in the YAML: the traffic does not notice")
    watches = [demo.mesh.grpc(kind).watch(f"xds:///{HOST}:8080", EDIT_RPS, [ECHO])
               for kind in LANGUAGES]
    with HttpLoad([HTTP_ADDRESS]) as load:
        for watch in watches:
            until(lambda: watch.events, 5, "the clients send")
        demo.edit("httproute.yaml", "backendRefs:", "backendRef:")
        done = demo.mesh.heddle.command("check", demo.mesh.config, expect=None)
        time.sleep(1)
    results = [watch.stop() for watch in watches]

    folder = f"{demo.mesh.config}/"
    print("  $ heddle check .")
    demo.page.quote((done.stdout + done.stderr).replace(folder, ""))
    print(f"  exit code {done.returncode} {demo.page.expect(done.returncode == 1)}\n")

    failed = sum(a.status != 200 for a in load.answers)
    failed += sum(result.sent - result.ok for result in results)
    sent = len(load.answers) + sum(result.sent for result in results)
    print(f"  meanwhile: {sent:,} requests by three clients, {failed} failed "
          f"{demo.page.expect(failed == 0 and sent > 0)}; the last good version stays in force")
    demo.restore()


# --- 4. a missing Service ---------------------------------------------------------------------


def a_missing_service(demo: Demo) -> None:
    title(demo, "4. A Service that does not exist: an answer at once, and why")
    target = f"xds:///{HOST.replace('service', 'servce')}:8080"
    print(f"  {target}")
    for kind, name in LANGUAGES.items():
        result = demo.mesh.grpc(kind).call(target, timeout=10)
        error = result.only_error()
        good = result.first_ms < 1000 and "echo-servce" in error["message"]
        print(f"  {name}, after {result.first_ms:.0f} ms: {error['code']} {demo.page.expect(good)}")
        demo.page.quote(error["message"])


def show(page: Page) -> None:
    demo = Demo(page)
    start(demo)
    for part in (who_gets_the_requests, an_edited_weight, a_mistake, a_missing_service):
        part(demo)
