# SPDX-License-Identifier: Apache-2.0
"""Changes under load: they reach every client, and no request fails for them."""

from rig.envoy import Envoy
from rig.features import feature
from rig.objects import rule
from rig.process import until
from rig.suite import Case, alone, with_envoy, with_grpc
from rig.traffic import HttpLoad, get, listens

ROUNDS = 10


def drained(load: HttpLoad, backend: str, calls: int = 50) -> None:
    """Waits until none of the last calls went to the backend."""
    until(lambda: len(load.answers) >= calls
          and all(a.outcome != backend for a in load.answers[-calls:]), 5,
          f"'{backend}' gets no more requests")


@feature("a new weight costs no request")
@with_envoy
def a_new_weight_costs_no_request(case: Case):
    web, one, two = case.service("web"), case.service("one", "a"), case.service("two", "b")

    def weigh(first: int, second: int) -> None:
        case.apply(case.http_route(web, rule(one.ref(first), two.ref(second))), file="route")

    weigh(1, 0)
    case.serve(web, one, two)
    with HttpLoad([web.address]) as load:
        for turn in range(ROUNDS):
            load.wait_for("ab"[turn % 2], times=20)
            weigh(turn % 2, (turn + 1) % 2)
    load.check_no_failure()


@feature("an endpoint that leaves")
@with_envoy
def an_endpoint_that_leaves_is_used_no_more(case: Case):
    web = case.service("web", "ab")
    case.serve(web)
    with HttpLoad([web.address]) as load:
        until(lambda: load.last("a") and load.last("b"), 5, "both endpoints are used")
        web.ready = "b"
        case.apply(web)
        drained(load, "a")
        web.ready = "bc"
        case.apply(web)
        until(lambda: load.last("c"), 5, "the new endpoint is used")
    load.check_no_failure()


@feature("a new backend and its route in one change")
@with_envoy
def a_new_backend_and_its_route_come_in_one_change(case: Case):
    """The route must not arrive before the cluster that it names and its endpoints."""
    web = case.service("web")
    first = case.service("first", "a")
    case.serve(web, first, case.http_route(web, rule(first.ref())))
    with HttpLoad([web.address, web.address]) as load:
        for turn in range(ROUNDS):
            letter = "bc"[turn % 2]
            new = case.service(f"new-{turn}", letter)
            case.apply(web, new, case.http_route(web, rule(new.ref())))  # the old one goes, too
            load.wait_for(letter, times=20)
    load.check_no_failure()


@feature("a route that comes and goes")
@with_envoy
def a_route_that_comes_and_goes_replaces_the_default(case: Case):
    web, one = case.service("web", "a"), case.service("one", "b")
    case.serve(web, one)
    with HttpLoad([web.address]) as load:
        for _ in range(ROUNDS // 2):
            load.wait_for("a", times=20)
            case.apply(web, one, case.http_route(web, rule(one.ref())))
            load.wait_for("b", times=20)
            case.apply(web, one)
        load.wait_for("a", times=20)
    load.check_no_failure()


@feature("a Service that goes")
@with_envoy
def a_service_that_goes_is_no_longer_listened_for(case: Case):
    web, other = case.service("web", "a"), case.service("other", "b")
    case.serve(web, other)
    case.apply(other)
    until(lambda: not listens(web.address), 5, "nobody listens for the Service that is gone")
    assert get(other.address).backend == "b"


def answers(services: list) -> list:
    """What each Service's address leads to: a backend or an error; None: nobody listens."""
    return [get(s.address).outcome if listens(s.address) else None for s in services]


@feature("addresses that move from Service to Service")
@with_envoy
def addresses_move_from_service_to_service(case: Case):
    """In one change each: to an address that becomes free, in either order of names; two that swap
    theirs; three that go round, as one of them comes and another one goes."""
    services = [case.service(name, letter) for name, letter in zip("klm", "abc")]
    first, second, third = (s.ip for s in services)
    fourth, fifth = case.service("n").ip, case.service("o").ip
    case.serve(*services)
    for addresses in ((second, third, fourth), (first, second, third), (first, third, second),
                      (second, first, third), (third, second, first), (second, first, third),
                      (third, second, first), (fifth, third, second), (third, first, second)):
        for service, ip in zip(services, addresses):
            service.ip = ip
        case.apply(*services)
        until(lambda: answers(services) == ["a", "b", "c"], 5, f"{addresses} are listened at")
    new = case.service("j", "d")
    new.ip, services[0].ip = services[0].ip, services[1].ip
    case.apply(new, services[0], services[2])
    until(lambda: answers([new, services[0], services[2]]) == ["d", "a", "c"], 5, "all are there")


@alone
def addresses_move_while_heddle_is_away(case: Case):
    """What Envoy has then is not known: it refuses what comes too early, and is asked again."""
    case.expects_rejections = True
    services = [case.service(name, letter) for name, letter in zip("klm", "abc")]
    addresses = [s.ip for s in services] + [case.service("n").ip]
    for kind in ("delta", "sotw"):
        for service, ip in zip(services, addresses):
            service.ip = ip
        case.apply(*services)
        envoy = Envoy(case.heddle, case.mesh.work, f"away-{kind}", sotw=kind == "sotw").start()
        until(lambda: answers(services) == ["a", "b", "c"], 15, "all are listened for")
        case.heddle.kill()
        for service, ip in zip(services, addresses[1:]):
            service.ip = ip
        case.apply(*services)
        case.heddle.start()
        until(lambda: answers(services) == ["a", "b", "c"], 15, "all have moved")
        assert envoy.rejected(), "or this test shows nothing"
        envoy.stop()


@feature("a new weight costs no request")
@with_grpc
def a_new_weight_costs_no_call(case: Case):
    cart, one, two = (case.service("cart", kind="grpc"), case.service("one", "a", "grpc"),
                      case.service("two", "b", "grpc"))
    weights = [(99, 1), (1, 99)]
    for turn in range(ROUNDS):
        case.apply(cart, one, two,
                   case.grpc_route(cart, rule(one.ref(weights[turn % 2][0]),
                                              two.ref(weights[turn % 2][1]))))
        if turn == 0:
            watch = case.grpc.watch(cart.target)
        until(lambda: watch.lasts("ab"[turn % 2], 0.03), 5, f"weights {weights[turn % 2]}")
    watch.stop().check_no_failure()


@feature("a new backend and its route in one change")
@with_grpc
def a_new_backend_and_its_route_come_in_one_change_for_grpc(case: Case):
    cart, first = case.service("cart", kind="grpc"), case.service("first", "a", "grpc")
    case.apply(cart, first, case.grpc_route(cart, rule(first.ref())))
    with case.grpc.watch(cart.target) as watch:
        watch.wait_for(backend="a")
        for turn in range(ROUNDS):
            letter = "bc"[turn % 2]
            new = case.service(f"new-{turn}", letter, "grpc")
            case.apply(cart, new, case.grpc_route(cart, rule(new.ref())))
            watch.wait_for(backend=letter)
    watch.result.check_no_failure(new_clusters=ROUNDS)


@feature("an endpoint that leaves")
@with_grpc
def an_endpoint_that_leaves_gets_no_more_calls(case: Case):
    cart = case.service("cart", "ab", "grpc")
    case.apply(cart)
    with case.grpc.watch(cart.target) as watch:
        until(lambda: {e.get("backend") for e in watch.events} >= {"a", "b"}, 5,
              "both endpoints are used")
        cart.ready = "b"
        case.apply(cart)
        until(lambda: watch.lasts("b", 0.1), 5, "only one endpoint is used")
    watch.result.check_no_failure()
