# SPDX-License-Identifier: Apache-2.0
"""A pod without Kubernetes: this process is in a network namespace of its own (the pod), another one
is the network around it; heddle, Envoy, backends and an application are real.

  outside 10.1.0.1, fd00:1::1, backend :8080, :8081 ──veth── pod 10.1.0.2, fd00:1::2, application :9090
"""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.parse
from typing import Optional, Sequence

from rig.heddle import Heddle
from rig.process import Child, Failed, heddle_program, temporary_folder, tool, until

HERE = pathlib.Path(__file__).resolve().parent
PROXY, SOMEBODY, EXCLUDED = 15000, 1000, 1001  # user ids
POD, POD6, OUTSIDE, OUTSIDE6 = "10.1.0.2", "fd00:1::2", "10.1.0.1", "fd00:1::1"
SERVICE, SERVICE6 = "10.96.0.10", "fd00:96::10"
APPLICATION, BACKEND, OTHER = 9090, 8080, 8081
XDS, AGENTS = "127.0.0.1:15010", "127.0.0.1:15012"
SECONDS = 10

MESH = [
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
     "spec": {"clusterIP": SERVICE, "clusterIPs": [SERVICE, SERVICE6],
              "ports": [{"name": "http", "port": 80, "appProtocol": "http"}]}},
    {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
     "metadata": {"name": "web", "namespace": "default",
                  "labels": {"kubernetes.io/service-name": "web"}},
     "addressType": "IPv4", "ports": [{"name": "http", "port": BACKEND}],
     "endpoints": [{"addresses": [OUTSIDE], "conditions": {"ready": True}}]},
    {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
     "metadata": {"name": "web", "namespace": "default"},
     "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": "web"}],
              "rules": [{"backendRefs": [{"name": "web", "port": 80}],
                         "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {
                             "set": [{"name": "x-route", "value": "web"}]}}]}]}},
]


def run(*words, expect: int = 0, **options) -> str:
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS, **options)
    if done.returncode != expect:
        raise Failed(f"{words}: exit code {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def as_user(uid: int) -> list:
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


class Control:
    """What heddle answers agents: where a node is, whether a pod is drained."""

    def __init__(self):
        self.drained = threading.Event()
        self.asked = []  # (path, query)
        control = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                url = urllib.parse.urlparse(self.path)
                control.asked.append((url.path, dict(urllib.parse.parse_qsl(url.query))))
                answer = {}
                if url.path == "/place":
                    answer = {"region": "east", "zone": "east-1"}
                else:
                    control.drained.wait(SECONDS)
                try:
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(json.dumps(answer).encode())
                except BrokenPipeError:
                    pass  # the agent did not wait

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def queries(self, path: str) -> list:
        return [query for asked, query in self.asked if asked == path]

    def stop(self) -> None:
        self.drained.set()
        self.server.shutdown()
        self.server.server_close()


class Pod:
    def __init__(self):
        self.work = temporary_folder("heddle-agent-")
        self.work.chmod(0o777)
        self.outside = Child("outside", ["unshare", "-n", "sleep", "1000000"], stdin=subprocess.DEVNULL)
        self.children = []
        self.agent: Optional[Child] = None
        self.control: Optional[Control] = None
        self.connect()
        for name, where, addresses, port in (
                ("backend", self.outside_words(), (OUTSIDE, OUTSIDE6), BACKEND),
                ("other", self.outside_words(), (OUTSIDE, OUTSIDE6), OTHER),
                ("application", [], (POD, POD6), APPLICATION)):
            for address in addresses:
                self.children.append(start_backend(name, where, address, port))
        config = self.work / "config"
        config.mkdir()
        (config / "mesh.yaml").write_text("\n---\n".join(json.dumps(o) for o in MESH))
        self.config = config
        self.heddle = Heddle(config, self.work, ["--agents", AGENTS, "--clients-return-ms", "1"],
                             xds=XDS)

    def outside_words(self) -> list:
        return ["nsenter", f"--net=/proc/{self.outside.pid}/ns/net"]

    def connect(self) -> None:
        """The network; addresses can be used at once (nodad)."""
        mine = os.readlink("/proc/self/ns/net")
        until(lambda: os.readlink(f"/proc/{self.outside.pid}/ns/net") != mine, SECONDS, "outside")
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns",
            self.outside.pid)
        for where, four, six in (([], POD, POD6), (self.outside_words(), OUTSIDE, OUTSIDE6)):
            run(*where, "ip", "link", "set", "lo", "up")
            run(*where, "ip", "addr", "add", f"{four}/24", "dev", "eth0")
            run(*where, "ip", "addr", "add", f"{six}/64", "dev", "eth0", "nodad")
            run(*where, "ip", "link", "set", "eth0", "up")
        run("ip", "route", "add", "default", "via", OUTSIDE)
        run("ip", "-6", "route", "add", "default", "via", OUTSIDE6)

    # --- the agent

    def intercept(self, *options, expect: int = 0) -> str:
        return run(heddle_program(), "agent", "intercept", *options, expect=expect)

    def start_agent(self, mode: str = "sidecar", options: Sequence = (), before: Sequence = (),
                    xds: str = XDS) -> Child:
        self.control = Control()
        name = "grpc.json" if mode == "proxyless" else "envoy.json"
        environment = {"POD_NAME": "app-1", "POD_NAMESPACE": "default", "POD_IP": POD,
                       "NODE_NAME": "node-1", "SERVICE_ACCOUNT": "app"}
        mine = ["--envoy", tool("HEDDLE_ENVOY"), "--concurrency", 1] if mode != "proxyless" else []
        self.agent = Child("agent", [
            *before, *as_user(PROXY), heddle_program(), "agent", mode, "--xds", xds,
            "--control", self.control.address, "--bootstrap-file", self.work / "run" / name,
            *mine, *options], self.work / "agent.log", stdin=subprocess.DEVNULL, env=environment)
        return self.agent

    def get_agent(self, path: str, expect: Optional[int] = None, seconds: float = SECONDS) -> int:
        """The status of an answer of the agent; 0: there is none."""
        text = subprocess.run(
            [*as_user(PROXY), "curl", "-s", "-o", self.work / "answer", "-w", "%{http_code}", "-m",
             str(seconds), f"http://127.0.0.1:15020{path}"], stdout=subprocess.PIPE, text=True).stdout
        if expect is not None and int(text) != expect:
            raise Failed(f"{path}: {text}, not {expect}")
        return int(text)

    def wait_ready(self) -> None:
        until(lambda: self.get_agent("/ready?wait") == 200 or self.ended(), SECONDS, "ready")

    def ended(self) -> bool:
        if not self.agent.running():
            raise self.agent.fail("it ended")
        return False

    def exit_code(self, seconds: float = SECONDS) -> int:
        return self.agent.process.wait(seconds)

    def stop_agent(self) -> None:
        if self.agent:
            self.agent.stop()
            self.agent = None
        if self.control:
            self.control.stop()
            self.control = None

    def stop(self) -> None:
        self.stop_agent()
        if self.heddle.child:
            self.heddle.stop()
        run(heddle_program(), "agent", "intercept", "--remove")

    # --- connections

    def get(self, url: str, uid: int = SOMEBODY, where: Sequence = (), expect: int = 0) -> str:
        return run(*where, *as_user(uid), "curl", "-sg", "--noproxy", "*", "-m", 5, url, expect=expect)

    def connections(self, outbound: bool) -> int:
        """How many connections Envoy has had. One that 15001 hands over is its new listener's."""
        text = run(*as_user(PROXY), "curl", "-s",
                   "http://127.0.0.1:15000/stats?filter=^listener\\..*downstream_cx_total$")
        found = [line.rsplit(": ", 1) for line in text.splitlines()]
        return sum(int(value) for name, value in found if ".worker_" not in name
                   and "listener.admin" not in name and outbound == ("_15006." not in name))


class Api:
    """An API server that knows pods: {"NS/NAME": object}."""

    def __init__(self, folder: pathlib.Path):
        self.pods = {}
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                words = self.path.split("/")  # /api/v1/namespaces/NS/pods/NAME
                pod = api.pods.get(f"{words[4]}/{words[6]}")
                self.send_response(200 if pod else 404)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(pod or {"kind": "Status", "reason": "NotFound",
                                                    "message": "no such pod"}).encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {
                "server": "http://127.0.0.1:%d" % self.server.server_address[1]}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))

    def add(self, name: str, **annotations) -> None:
        """A pod with a sidecar; exclude_uids="1" is the annotation."""
        self.pods[f"default/{name}"] = {
            "metadata": {"name": name, "annotations": {
                "heddle.dev/" + key.replace("_", "-"): value for key, value in annotations.items()}},
            "spec": {"initContainers": [{"name": "heddle-proxy"}]}}


def start_backend(name: str, where: Sequence, address: str, port: int) -> Child:
    child = Child(name, [*where, sys.executable, HERE / "backend.py", name, address, port],
                  stdin=subprocess.DEVNULL)
    if child.process.stdout.readline().strip() != "ready":
        raise child.fail(f"it does not listen on {address}, port {port}")
    return child
