# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around heddle must not reach the traffic."""

import json
import time

from rig.envoy import Envoy
from rig.features import feature
from rig.heddle import Heddle
from rig.objects import rule
from rig.process import Failed, until
from rig.suite import Case, with_envoy, with_grpc
from rig.traffic import HttpLoad, get

RECONNECT_SECONDS = 10
BROKEN = "apiVersion: v1\nkind: Service\nmetadata: {name: broken\n  oops: [\n"


def updates(case: Case) -> dict:
    """How often Envoy took something from heddle, by statistic; not of other cases' routes, which
    listeners that drain still ask for."""
    return {name: value for name, value in case.envoy.stats("update_success$").items()
            if ".rds." not in name or case.namespace + "/" in name}


def wait_connected(envoy: Envoy) -> None:
    until(lambda: envoy.stats("^control_plane.connected_state$").get(
        "control_plane.connected_state") == 1, RECONNECT_SECONDS, "Envoy is connected again")


def node_is_known(heddle: Heddle, name: str) -> bool:
    return any(name in json.dumps(proxy) for proxy in heddle.proxies())


@feature("heddle is away")
@with_envoy
def a_restart_resends_nothing_to_delta_and_disturbs_nobody(case: Case):
    web, one = case.service("web"), case.service("one", "a")
    case.serve(web, one, case.http_route(web, rule(one.ref())))
    with HttpLoad([web.address]) as load:
        before = updates(case)
        case.heddle.restart()
        wait_connected(case.envoy)
        until(lambda: node_is_known(case.heddle, case.envoy.name), RECONNECT_SECONDS,
              "heddle knows the Envoy again")
        time.sleep(0.3)  # for what should not come
        after = updates(case)
        if case.client == "envoy delta":
            assert after == before, {n: (before.get(n), v) for n, v in after.items()
                                     if before.get(n) != v}
    load.check_no_failure()


@feature("heddle is away")
@with_envoy
def traffic_goes_on_without_heddle(case: Case):
    web, one, two = case.service("web"), case.service("one", "a"), case.service("two", "b")
    case.serve(web, one, two, case.http_route(web, rule(one.ref())))
    with HttpLoad([web.address], reconnect=True) as load:
        load.wait_for("a", times=20)
        case.heddle.kill()
        until(lambda: case.envoy.stats("^control_plane.connected_state$").get(
            "control_plane.connected_state") == 0, 5, "Envoy has lost heddle")
        count = len(load.answers)
        until(lambda: len(load.answers) > count + 100, 5, "requests go on")
        case.apply(web, one, two, case.http_route(web, rule(two.ref())))
        case.heddle.start()
        load.wait_for("b", timeout=RECONNECT_SECONDS, times=20)
    load.check_no_failure()


@feature("heddle is away")
@with_grpc
def calls_go_on_without_heddle(case: Case):
    cart, one, two = (case.service("cart", kind="grpc"), case.service("one", "a", "grpc"),
                      case.service("two", "b", "grpc"))
    case.apply(cart, one, two, case.grpc_route(cart, rule(one.ref())))
    with case.grpc.watch(cart.target, rps=200) as watch:
        watch.wait_for(backend="a")
        case.heddle.kill()
        time.sleep(0.5)
        case.apply(cart, one, two, case.grpc_route(cart, rule(two.ref())))
        case.heddle.start()
        watch.wait_for(timeout=RECONNECT_SECONDS, backend="b")
    watch.result.check_no_failure(new_clusters=1)


@feature("a broken file changes nothing")
@with_envoy
def a_broken_file_changes_nothing_and_is_explained(case: Case):
    web, one, two = case.service("web"), case.service("one", "a"), case.service("two", "b")
    case.serve(web, one, two)
    route = case.http_route(web, rule(one.ref()))
    case.apply(route, file="route")
    name = f"{case.namespace}-route.yaml"
    until(lambda: get(web.address).outcome == "a", 5, "the route is in force")
    with HttpLoad([web.address]) as load:
        load.wait_for("a", times=20)
        case.mesh.write_text(name, BROKEN)
        done = case.heddle.command("check", case.mesh.config, expect=1)
        assert name in done.stdout + done.stderr, done
        three = case.service("three", "c")  # the neighbours go on changing
        case.apply(three, file="other")
        case.mesh.wait_listening(three.address)
        assert {a.outcome for a in load.answers[-20:]} == {"a"}

        case.heddle.restart()  # what was good last lives in the state
        wait_connected(case.envoy)
        assert get(web.address).backend == "a"

        case.apply(case.http_route(web, rule(two.ref())), file="route")
        load.wait_for("b", timeout=RECONNECT_SECONDS, times=20)
    load.check_no_failure()
    case.heddle.command("check", case.mesh.config)


@with_envoy
def a_directory_that_is_gone_changes_nothing_and_is_told(case: Case):
    web, one, two = case.service("web"), case.service("one", "a"), case.service("two", "b")
    case.serve(web, one, two)
    case.apply(case.http_route(web, rule(one.ref())), file="route")
    until(lambda: get(web.address).outcome == "a", 5, "the route is in force")

    def told() -> bool:
        failed = case.heddle.metric("heddle_config_directory_failed") == 1
        codes = [problem["code"] for problem in case.heddle.api("problems")["problems"]]
        assert failed == ("HED013" in codes), codes
        return failed

    with HttpLoad([web.address]) as load:
        load.wait_for("a", times=20)
        config, away = case.mesh.config, case.mesh.work / "away"
        assert not told()
        config.rename(away)
        until(told, 5, "the problem is told")
        count = len(load.answers)
        until(lambda: len(load.answers) > count + 100, 5, "requests go on")
        assert {a.outcome for a in load.answers[count:]} == {"a"}
        away.rename(config)
        until(lambda: not told(), 5, "the problem is gone")
        case.apply(case.http_route(web, rule(two.ref())), file="route")
        load.wait_for("b", times=20)
    load.check_no_failure()


@with_envoy
def a_fresh_envoy_gets_the_last_good_after_a_restart(case: Case):
    web, one = case.service("web"), case.service("one", "a")
    case.serve(web, one)
    case.apply(case.http_route(web, rule(one.ref())), file="route")
    until(lambda: get(web.address).outcome == "a", 5, "the route is in force")
    case.mesh.write_text(f"{case.namespace}-route.yaml", BROKEN)
    case.heddle.restart()
    case.envoy.stop()
    case.mesh.start_envoy(case.envoy.name, sotw=case.client == "envoy sotw")
    assert get(web.address).backend == "a"


@with_envoy
def a_second_sidecar_on_the_same_addresses_is_rejected_and_shown(case: Case):
    web = case.service("web", "a")
    case.serve(web)
    case.expects_rejections = True
    twin = Envoy(case.heddle, case.mesh.work, "twin", sotw=case.client == "envoy sotw").start()
    try:
        def rejection():
            return next((proxy["types"]["lds"]["rejection"] for proxy in case.heddle.proxies()
                         if proxy["node"] == "sidecar/default/twin"
                         and "rejection" in proxy["types"].get("lds", {})), None)
        text = until(rejection, 10, "'heddle proxies' shows the rejection")
        assert "bind" in text and web.address in text, text
        assert get(web.address).backend == "a"
    finally:
        twin.stop()
    if case.envoy.rejected():
        raise Failed("the first sidecar rejected something as well")
