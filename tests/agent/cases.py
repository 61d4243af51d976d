# SPDX-License-Identifier: Apache-2.0
"""What the agent does in a pod."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from pod import (AGENTS, APPLICATION, BACKEND, EXCLUDED, MESH, OTHER, OUTSIDE, OUTSIDE6, POD, POD6,
                 PROXY, SECONDS, SERVICE, SERVICE6, SOMEBODY, Api, Pod, as_user, run)
from rig.process import Failed, heddle_program, tool, until

AT_ONCE = 2.0  # on a busy machine
_cases = []


def case(intercepted=True, served=True, options=(), rules=()):
    """A test with a sidecar that is ready; options of the agent, rules of `agent intercept`."""
    def add(function):
        def start(pod):
            try:
                if intercepted:
                    pod.intercept(*rules)
                if served:
                    pod.heddle.start()
                if intercepted and served:
                    pod.start_agent(options=options)
                    pod.wait_ready()
                function(pod)
            finally:
                pod.stop()
        _cases.append((function.__name__.replace("_", " "), start))
        return function
    return add


def expect(true, what):
    if not true:
        raise Failed(what)


def expect_way(pod, url, through, outbound=True, **options):
    """Whether a connection goes through Envoy; returns the answer."""
    before = pod.connections(outbound)
    answer = pod.get(url, **options)
    went = pod.connections(outbound) - before
    expect(went == (1 if through else 0), f"{url}: {went} connections through Envoy: {answer}")
    return answer


# --- interception

@case()
def a_service_is_reached_by_its_route(pod):
    for url in (f"http://{SERVICE}/", f"http://[{SERVICE6}]/"):
        answer = expect_way(pod, url, through=True)
        expect(answer.startswith("backend\n") and "x-route: web" in answer, f"{url}: {answer}")


@case()
def what_is_no_service_passes_through(pod):
    for host in (OUTSIDE, f"[{OUTSIDE6}]"):
        answer = expect_way(pod, f"http://{host}:{OTHER}/", through=True)
        expect(answer.startswith("other\n") and "x-route" not in answer, answer)


@case(rules=("--exclude-outbound-ports", OTHER, "--exclude-uids", EXCLUDED,
             "--exclude-outbound-cidrs", "fd00:1::/64", "--exclude-inbound-ports", APPLICATION))
def what_is_excluded_goes_its_own_way(pod):
    expect_way(pod, f"http://{OUTSIDE}:{BACKEND}/", through=True)
    expect_way(pod, f"http://{OUTSIDE}:{OTHER}/", through=False)
    expect_way(pod, f"http://{OUTSIDE}:{BACKEND}/", through=False, uid=EXCLUDED)
    expect_way(pod, f"http://{OUTSIDE}:{BACKEND}/", through=False, uid=PROXY)
    expect_way(pod, f"http://[{OUTSIDE6}]:{BACKEND}/", through=False)
    expect_way(pod, f"http://{POD}:{APPLICATION}/", through=False, outbound=False,
               where=pod.outside_words())


@case()
def the_loopback_interface_is_left_alone(pod):
    for host in (POD, f"[{POD6}]"):
        expect_way(pod, f"http://{host}:{APPLICATION}/", through=False)
        expect_way(pod, f"http://{host}:{APPLICATION}/", through=False, outbound=False)


@case()
def what_comes_in_goes_through_envoy(pod):
    for host in (POD, f"[{POD6}]"):
        answer = expect_way(pod, f"http://{host}:{APPLICATION}/", through=True, outbound=False,
                            where=pod.outside_words())
        expect(answer.startswith("application\n"), answer)
        answer = expect_way(pod, f"http://{host}:15020/ready", through=False, outbound=False,
                            where=pod.outside_words())
        expect(answer == "ready\n", answer)


@case()
def nobody_reaches_envoys_ports_as_such(pod):
    reset = 7  # curl: could not connect
    pod.get(f"http://{POD}:15006/", where=pod.outside_words(), expect=reset)
    for address in (f"{POD}:15006", "127.0.0.1:15001", "[::1]:15001", f"[{POD6}]:15006"):
        pod.get(f"http://{address}/", expect=reset)


@case()
def rules_are_made_anew_and_removed(pod):
    first = run("nft", "list", "ruleset")
    pod.intercept()
    expect(run("nft", "list", "ruleset") == first, "again makes something else")
    pod.intercept("--remove")
    pod.intercept("--remove")
    expect(run("nft", "list", "ruleset") == "", "something is left")


@case(intercepted=False, served=False)
def no_sidecar_starts_without_interception(pod):
    for mode, words in (("redirect", "heddle agent intercept"), ("cni", "CNI plugin")):
        agent = pod.start_agent(options=["--interception", mode])
        expect(pod.exit_code() == 3, "it did not end with 3")
        expect(words in agent.log_text(), f"{mode}: {agent.log_text()}")
        pod.stop_agent()


# --- readiness and place

@case(served=False)
def ready_once_the_configuration_is_there(pod):
    pod.start_agent()
    until(lambda: pod.get_agent("/live") == 200, SECONDS, "live")
    time.sleep(1)
    pod.get_agent("/ready", expect=503)
    until(lambda: 'lacks="a connection to heddle"' in pod.agent.log_text(), 12, "it says why")
    waiting = []
    thread = threading.Thread(target=lambda: waiting.append(pod.get_agent("/ready?wait")))
    thread.start()
    pod.heddle.start()
    thread.join()
    expect(waiting == [200], f"/ready?wait: {waiting}")
    pod.get_agent("/ready", expect=200)
    expect("heddle_agent_ready 1" in run("curl", "-s", "http://127.0.0.1:15020/metrics"), "metrics")


@case()
def the_bootstrap_says_who_and_where(pod):
    path = pod.work / "run/envoy.json"
    expect(path.stat().st_mode & 0o777 == 0o600, "others can read it")
    node = json.loads(path.read_text())["node"]
    expect(node == {"id": "sidecar/default/app-1", "cluster": "app",
                    "locality": {"region": "east", "zone": "east-1"},
                    "metadata": {"namespace": "default", "service_account": "app",
                                 "node_name": "node-1", "interception": "redirect", "ipv6": True}},
           f"{node}")
    expect(pod.control.queries("/place") == [{"node": "node-1"}], f"{pod.control.asked}")


@case(served=False)
def without_a_place_it_goes_on(pod):
    pod.heddle.start()
    pod.start_agent(options=["--control", "127.0.0.1:1", "--place-wait-ms", 300])
    pod.wait_ready()
    node = json.loads((pod.work / "run/envoy.json").read_text())["node"]
    expect(node["locality"] == {}, f"{node}")
    expect("going on without region and zone" in pod.agent.log_text(), pod.agent.log_text())


@case(intercepted=False, served=False)
def names_that_nobody_resolves_block_nothing(pod):
    """DNS that does not answer: a cluster that starts. Neither place nor drain waits for it."""
    config = pod.work / "resolv.conf"
    config.write_text("nameserver 127.0.0.1\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 53))
        pod.start_agent("proxyless", options=["--control", "heddle.test:1", "--place-wait-ms", 300],
                        before=["unshare", "--mount", "sh", "-c",
                                f"mount --bind {config} /etc/resolv.conf && exec \"$@\"", "sh"])
        start = time.monotonic()
        until(lambda: pod.get_agent("/ready", seconds=0.5) == 200, SECONDS, "ready")
        took = time.monotonic() - start
        expect(took < 2 + AT_ONCE, f"/ready: after {took:.1f} s")
        start = time.monotonic()
        pod.get_agent("/drain", expect=200)
        took = time.monotonic() - start
        expect(2.5 < took < 4 + AT_ONCE, f"/drain: after {took:.1f} s")
        pod.agent.process.send_signal(signal.SIGTERM)
        expect(pod.exit_code(AT_ONCE) == 0, "exit code")


# --- drain

@case()
def drain_waits_for_heddle_once_for_all(pod):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(pod.get_agent("/drain")))
               for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: pod.control.queries("/drained"), SECONDS, "heddle is asked")
    time.sleep(0.5)
    expect(answers == [], f"answered early: {answers}")
    pod.control.drained.set()
    for thread in threads:
        thread.join()
    expect(answers == [200, 200, 200], f"{answers}")
    asked = pod.control.queries("/drained")
    expect(asked == [{"namespace": "default", "pod": "app-1", "ip": POD, "wait": "24"}], f"{asked}")


@case(options=("--control", AGENTS))
def drain_waits_until_heddle_has_let_go(pod):
    """With heddle itself: the pod is an endpoint, which the sidecar itself is a client of."""
    slice_of = json.loads(json.dumps(MESH[1]))
    slice_of["metadata"]["name"] = "web-2"
    slice_of["endpoints"] = [{"addresses": [POD], "conditions": {"ready": True}}]

    def put():
        hidden = pod.config / ".slice"
        hidden.write_text(json.dumps(slice_of))
        hidden.rename(pod.config / "slice.yaml")

    put()
    try:
        until(lambda: POD in run("curl", "-s", "http://127.0.0.1:15000/clusters"), SECONDS, "endpoint")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(pod.get_agent("/drain", 200)))
        thread.start()
        time.sleep(0.5)
        expect(answers == [], "answered early")
        slice_of["endpoints"][0]["conditions"]["ready"] = False
        put()
        thread.join()
        expect(answers == [200] and "drained" in (pod.work / "answer").read_text(), f"{answers}")
        expect("msg=drained" in pod.agent.log_text(), pod.agent.log_text())
    finally:
        (pod.config / "slice.yaml").unlink()


@case(options=("--drain-wait-s", 1))
def drain_has_an_end(pod):
    start = time.monotonic()
    pod.get_agent("/drain", expect=200)
    took = time.monotonic() - start
    expect(0.9 < took < 1 + AT_ONCE, f"after {took:.1f} s")
    expect("without knowing whether it is drained" in pod.agent.log_text(), pod.agent.log_text())


@case()
def drain_does_not_wait_for_nobody(pod):
    pod.control.stop()
    start = time.monotonic()
    pod.get_agent("/drain", expect=200)
    took = time.monotonic() - start
    expect(2.5 < took < 3 + AT_ONCE, f"after {took:.1f} s")


# --- the end

@case()
def it_ends_at_once_without_traffic(pod):
    pod.get(f"http://{SERVICE}/")
    start = time.monotonic()
    pod.agent.process.send_signal(signal.SIGTERM)
    expect(pod.exit_code() == 0, "exit code")
    took = time.monotonic() - start
    expect(took < AT_ONCE, f"after {took:.1f} s")


@case()
def requests_under_way_are_finished(pod):
    answers = []
    slow = threading.Thread(target=lambda: answers.append(pod.get(f"http://{SERVICE}/slow")))
    slow.start()
    time.sleep(0.3)
    pod.agent.process.send_signal(signal.SIGTERM)
    until(lambda: pod.get_agent("/ready") == 503, AT_ONCE, "not ready any more")
    expect(pod.exit_code() == 0, "exit code")
    slow.join()
    expect(answers and answers[0].startswith("backend"), f"{answers}")


@case(options=("--terminate-wait-s", 1))
def a_connection_that_stays_does_not_keep_it(pod):
    staying = subprocess.Popen(
        [*as_user(SOMEBODY), "curl", "-sN", f"telnet://{OUTSIDE}:{OTHER}"], stdin=subprocess.PIPE)
    until(lambda: pod.connections(outbound=True) == 1, SECONDS, "a connection")
    start = time.monotonic()
    pod.agent.process.send_signal(signal.SIGTERM)
    expect(pod.exit_code() == 0, "exit code")
    took = time.monotonic() - start
    staying.kill()
    staying.wait()
    expect(0.9 < took < 1 + AT_ONCE, f"after {took:.1f} s")


def envoy_of(pod):
    children = f"/proc/{pod.agent.pid}/task/{pod.agent.pid}/children"
    return int(pathlib.Path(children).read_text().split()[0])


@case()
def it_ends_with_an_envoy_that_ends(pod):
    run("kill", "-9", envoy_of(pod))
    expect(pod.exit_code() == 128 + 9, "exit code")
    expect("Envoy has ended by itself" in pod.agent.log_text(), pod.agent.log_text())


@case(served=False)
def an_envoy_that_is_not_there_is_told(pod):
    pod.start_agent(options=["--envoy", "/no/envoy"])
    expect(pod.exit_code() == 3, "exit code")
    expect("run '/no/envoy': no such file" in pod.agent.log_text(), pod.agent.log_text())


@case(served=False)
def orphans_are_reaped(pod):
    """As the first process of a container; what stands for Envoy leaves a child behind."""
    script = pod.work / "envoy.sh"
    script.write_text(f"#!/bin/sh\nsh -c 'sleep 0.2 & sleep 0.3 &'\nexec {tool('HEDDLE_ENVOY')} \"$@\"\n")
    script.chmod(0o755)
    pod.heddle.start()
    agent = pod.start_agent(options=["--envoy", script],
                            before=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
    pod.wait_ready()
    time.sleep(1)
    first = envoy_of(pod)  # unshare's child: the agent
    states = [pathlib.Path(f"/proc/{child}/stat").read_text().rsplit(") ", 1)[1][0] for child in
              pathlib.Path(f"/proc/{first}/task/{first}/children").read_text().split()]
    expect(len(states) == 1 and "Z" not in states, f"children of the agent: {states}")
    run("kill", "-TERM", first)
    expect(agent.process.wait(SECONDS) == 0, "exit code")


# --- without Envoy

@case(intercepted=False, served=False)
def proxyless_writes_the_bootstrap(pod):
    pod.start_agent("proxyless", xds="heddle.heddle-system.svc:15010")
    pod.wait_ready()
    path = pod.work / "run/grpc.json"
    expect(path.stat().st_mode & 0o777 == 0o644, "others cannot read it")
    bootstrap = json.loads(path.read_text())
    expect(bootstrap["node"]["id"] == "proxyless/default/app-1", f"{bootstrap}")
    expect(bootstrap["node"]["locality"] == {"region": "east", "zone": "east-1"}, f"{bootstrap}")
    expect([s["server_uri"] for s in bootstrap["xds_servers"]] ==
           ["heddle.heddle-system.svc:15010"], f"{bootstrap}")
    pod.control.drained.set()
    pod.get_agent("/drain", expect=200)
    pod.agent.process.send_signal(signal.SIGTERM)
    expect(pod.exit_code() == 0, "exit code")


# --- as a CNI plugin

PREVIOUS = {"cniVersion": "1.0.0", "ips": [{"address": "10.1.0.2/24"}], "dns": {}}


# --- gateways

METRICS = "http://127.0.0.1:15090"


def status(url, method="GET"):
    """Of an answer, with the header connection; "000": there is none."""
    return subprocess.run(["curl", "-s", "-o", "/dev/null", "-m", "5", "-X", method, "-w",
                           "%{http_code} %header{connection}", url],
                          stdout=subprocess.PIPE, text=True).stdout.strip()


@case(intercepted=False)
def a_gateway_needs_no_interception(pod):
    pod.start_agent("gateway", ["--gateway", "front"])
    pod.wait_ready()
    node = json.loads((pod.work / "run" / "envoy.json").read_text())["node"]
    expect(node["id"] == "gateway/default/app-1" and node["cluster"] == "front"
           and node["metadata"]["gateway"] == "front", node)
    expect(node["locality"] == {"region": "east", "zone": "east-1"}, node)


@case(intercepted=False)
def a_gateways_metrics_are_all_that_is_told(pod):
    pod.start_agent("gateway", ["--gateway", "front"])
    pod.wait_ready()
    expect(status(METRICS + "/stats/prometheus") == "200", "metrics")
    for path in ("/", "/stats", "/config_dump", "/stats/prometheus/x"):
        expect(status(METRICS + path) == "404", path)
    expect(status(METRICS + "/quitquitquit", "POST") == "404", "quitquitquit")
    expect(status(METRICS + "/stats/prometheus", "POST") == "404", "POST")


@case(intercepted=False)
def a_gateway_serves_who_still_comes(pod):
    pod.start_agent("gateway", ["--gateway", "front", "--leave-wait-s", 2])
    pod.wait_ready()
    began = time.monotonic()
    pod.agent.process.send_signal(signal.SIGTERM)
    until(lambda: status(METRICS + "/stats/prometheus") == "200 close", SECONDS, "close")
    expect(pod.get_agent("/ready") == 503, "it is ready, and goes")
    expect(pod.exit_code() == 0, "its exit code")
    lasted = time.monotonic() - began
    expect(2 <= lasted < 2 + AT_ONCE, f"it ended after {lasted:.1f} s")


@case(intercepted=False)
def a_gateway_says_whose_it_is(pod):
    pod.start_agent("gateway")
    expect(pod.exit_code() == 2, "without --gateway")


def cni(pod, api, verb, name, expect=0, **config):
    """What the plugin says when the runtime asks it for a pod whose network is `outside`."""
    config = {"cniVersion": "1.0.0", "name": "net", "type": "heddle", "prevResult": PREVIOUS,
              "kubeconfig": str(api.kubeconfig), **config}
    done = subprocess.run(
        [heddle_program(), "cni"], input=json.dumps(config), stdout=subprocess.PIPE, text=True,
        timeout=SECONDS, env={**os.environ, "CNI_COMMAND": verb, "CNI_CONTAINERID": "c",
                              "CNI_IFNAME": "eth0", "CNI_NETNS": f"/proc/{pod.outside.pid}/ns/net",
                              "CNI_ARGS": f"IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={name}"})
    if done.returncode != expect:
        raise Failed(f"{verb}: exit code {done.returncode}: {done.stdout}")
    return json.loads(done.stdout) if done.stdout else None


@case(intercepted=False, served=False)
def a_cni_plugin_makes_the_rules(pod):
    api = Api(pod.work)
    api.add("plain")
    api.add("wants", interception="cni", exclude_uids="77")
    api.add("wrong", interception="cni", exclude_uids="root")
    rules = [*pod.outside_words(), "nft", "list", "ruleset"]
    expect(cni(pod, api, "VERSION", "")["supportedVersions"][-1] == "1.1.0", "version")
    expect(cni(pod, api, "ADD", "plain") == PREVIOUS and run(*rules) == "", "of a pod without a wish")
    expect(cni(pod, api, "ADD", "gone", expect=1)["msg"] ==
           "pod 'default/gone': NotFound: no such pod", "of a pod that is not there")
    expect("exclude-uids" in cni(pod, api, "ADD", "wrong", expect=1)["msg"], "of a wrong annotation")
    expect(cni(pod, api, "ADD", "wants", expect=1, prevResult=None)["code"] == 7, "alone")
    expect(run(*rules) == "", "rules in spite of errors")
    expect(cni(pod, api, "ADD", "wants") == PREVIOUS, "the result of the chain")
    expect("skuid 77 return" in run(*rules), run(*rules))
    expect("heddle" not in run("nft", "list", "ruleset"), "rules in the runtime's own network")
    expect(cni(pod, api, "DEL", "wants") is None, "DEL says something")
    run(*pod.outside_words(), "nft", "flush", "ruleset")


def all_cases():
    pod = Pod()
    for name, start in _cases:
        yield name, lambda start=start: start(pod)
