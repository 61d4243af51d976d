/* SPDX-License-Identifier: Apache-2.0 */
/* Is each generation of a route counted over the names that it touches, and settled once? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mesh_rig.h"
#include "pipeline/spread_text.h"

#define WATCHES_MAX 32

struct watched {
    char names[256]; /* "lds a/b:80 rds a/b:80" */
    serve_acks_fn *changed;
    void *about;
    bool on;
};

struct world {
    struct mesh *mesh;
    struct spread *spread;
    struct watched watches[WATCHES_MAX];
    watch_id last;
    unsigned told;
};

static watch_id watch(void *user, const struct acks_name *names, size_t len, serve_acks_fn *changed,
                      void *about)
{
    struct world *w = user;
    struct watched *watched = &w->watches[++w->last];
    assert_true(w->last < WATCHES_MAX);
    *watched = (struct watched){.changed = changed, .about = about, .on = true};
    for (size_t i = 0; i < len; i++) {
        size_t at = strlen(watched->names);
        (void)snprintf(watched->names + at, sizeof(watched->names) - at, "%s%s %.*s",
                       i > 0 ? " " : "", xds_type_info(names[i].type)->name,
                       STR_FMT(names[i].name));
    }
    return w->last;
}

static void cancel(void *user, watch_id id)
{
    struct world *w = user;
    assert_true(w->watches[id].on);
    w->watches[id].on = false;
}

static void on_told(void *user, enum kind_id kind, struct str ns, struct str name)
{
    assert_true(kind == KIND_HTTPROUTE && str_eq(ns, STR("a")) && name.len == 1);
    ((struct world *)user)->told++;
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    const struct spread_counting counting = {w, watch, cancel};
    w->mesh = rig_mesh();
    w->spread = spread_new(&counting);
    spread_watch(w->spread, on_told, w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    spread_free(w->spread);
    for (watch_id id = 0; id < sizeof(w->watches) / sizeof(w->watches[0]); id++) {
        assert_false(w->watches[id].on); /* nobody is told any more */
    }
    mesh_free(w->mesh);
    free(w);
    return 0;
}

static void turn(struct world *w)
{
    struct changeset *changes = mesh_turn(w->mesh);
    changeset_unref(changes);
    spread_turn(w->spread, mesh_engine(w->mesh), 1000);
}

static void service(struct world *w, const char *name, const char *ip)
{
    char yaml[512];
    (void)snprintf(yaml, sizeof(yaml),
                   "{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: a}, "
                   "spec: {clusterIP: %s, ports: [{port: 80}]}}",
                   name, ip);
    rig_apply(w->mesh, yaml);
}

static void route(struct world *w, int generation, const char *parent, const char *path)
{
    char yaml[512];
    (void)snprintf(yaml, sizeof(yaml),
                   "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, "
                   "metadata: {name: r, namespace: a, generation: %d}, spec: {"
                   "parentRefs: [{group: '', kind: Service, name: %s, port: 80}], rules: [{"
                   "matches: [{path: {value: %s}}], backendRefs: [{name: %s, port: 80}]}]}}",
                   generation, parent, path, parent);
    rig_apply(w->mesh, yaml);
}

static void acked(struct world *w, unsigned acknowledged, unsigned streams)
{
    const struct watched *last = &w->watches[w->last];
    const struct acks acks = {.streams = streams, .acknowledged = acknowledged};
    assert_true(last->on);
    last->changed(last->about, &acks);
}

static void is(struct world *w, int64_t generation, unsigned acknowledged, unsigned clients,
               bool settled)
{
    struct propagated p;
    assert_true(spread_of(w->spread, KIND_HTTPROUTE, STR("a"), STR("r"), generation, &p));
    assert_int_equal(p.acknowledged, acknowledged);
    assert_int_equal(p.clients, clients);
    assert_int_equal(p.settled, settled);
    assert_int_equal(spread_pending(w->spread), !settled);
}

static void begin(struct world *w)
{
    service(w, "s", "10.0.0.1");
    service(w, "t", "10.0.0.2");
    route(w, 1, "s", "/1");
    (void)rig_open(w->mesh, 1, "sidecar/default/app", "envoy");
    turn(w);
}

static void a_generation_is_settled_once(void **state)
{
    struct world *w = *state;
    begin(w);
    is(w, 1, 0, 0, false); /* clients are coming back */
    assert_int_equal(w->last, 0);
    spread_know(w->spread, mesh_engine(w->mesh), true);
    assert_string_equal(w->watches[1].names, "rds a/s:80 lds a/s:80");
    is(w, 1, 0, 0, false);
    acked(w, 1, 2);
    is(w, 1, 1, 2, false);
    acked(w, 2, 2);
    is(w, 1, 2, 2, true);
    assert_false(w->watches[1].on);
    service(w, "t", "10.0.0.3"); /* nothing to it */
    turn(w);
    is(w, 1, 2, 2, true);
    route(w, 2, "s", "/2");
    turn(w);
    is(w, 2, 0, 0, false);
    struct propagated p;
    assert_false(spread_of(w->spread, KIND_HTTPROUTE, STR("a"), STR("r"), 1, &p));
    acked(w, 2, 2);
    is(w, 2, 2, 2, true);
    rig_delete(w->mesh, KIND_HTTPROUTE, "HTTPRoute/a/r");
    turn(w);
    assert_false(spread_of(w->spread, KIND_HTTPROUTE, STR("a"), STR("r"), 2, &p));
}

static void what_it_left_counts_too(void **state)
{
    struct world *w = *state;
    begin(w);
    spread_know(w->spread, mesh_engine(w->mesh), true);
    acked(w, 1, 1);
    route(w, 2, "t", "/1");
    turn(w);
    assert_string_equal(w->watches[2].names, "rds a/t:80 lds a/t:80 rds a/s:80 lds a/s:80");
    acked(w, 1, 1);
    route(w, 3, "t", "/2");
    turn(w);
    assert_string_equal(w->watches[3].names, "rds a/t:80 lds a/t:80");
}

static void a_route_that_waits_for_its_service(void **state)
{
    struct world *w = *state;
    begin(w);
    spread_know(w->spread, mesh_engine(w->mesh), true);
    acked(w, 1, 1);
    route(w, 2, "u", "/1");
    turn(w);
    acked(w, 1, 1); /* it left a/s:80 */
    route(w, 3, "u", "/2");
    turn(w);
    assert_string_equal(w->watches[w->last].names, "");
    acked(w, 0, 0);
    is(w, 3, 0, 0, true);
    service(w, "u", "10.0.0.4");
    turn(w);
    is(w, 3, 0, 0, false);
    assert_string_equal(w->watches[w->last].names, "rds a/u:80 lds a/u:80");
    acked(w, 1, 1);
    is(w, 3, 1, 1, true);
}

static void all_replicas_are_added_up(void **state)
{
    struct world *w = *state;
    begin(w);
    spread_set_others(w->spread, true);
    spread_know(w->spread, mesh_engine(w->mesh), true);
    acked(w, 2, 2);
    is(w, 1, 2, 2, false); /* nothing is known of the others */
    struct spread_count count = {.clients = 3, .acknowledged = 1};
    spread_others(w->spread, STR("HTTPRoute/a/r"), 7, &count, 2000); /* another generation */
    is(w, 1, 2, 2, false);
    spread_others(w->spread, STR("HTTPRoute/a/r"), 1, &count, 2000);
    is(w, 1, 3, 5, false);
    count = (struct spread_count){.clients = 3, .acknowledged = 3, .settled = true};
    unsigned told = w->told;
    spread_others(w->spread, STR("HTTPRoute/a/r"), 1, &count, 2000);
    is(w, 1, 5, 5, true);
    assert_int_equal(w->told, told + 1);
    assert_true(spread_here(w->spread, STR("HTTPRoute/a/r"), 1, &count));
    assert_true(count.settled && count.clients == 2);
    assert_false(spread_here(w->spread, STR("HTTPRoute/a/r"), 2, &count));
    route(w, 2, "s", "/2");
    turn(w);
    acked(w, 2, 2);
    is(w, 2, 2, 2, false);
    spread_set_others(w->spread, false); /* they are gone */
    is(w, 2, 2, 2, true);
}

/* Its clients are on their way to the others. */
static void nothing_settles_while_clients_come_back(void **state)
{
    struct world *w = *state;
    begin(w);
    spread_know(w->spread, mesh_engine(w->mesh), true);
    spread_know(w->spread, mesh_engine(w->mesh), false);
    acked(w, 1, 1);
    is(w, 1, 1, 1, false);
    spread_know(w->spread, mesh_engine(w->mesh), true);
    is(w, 1, 0, 0, false); /* all are counted anew */
    acked(w, 1, 2);
    is(w, 1, 1, 2, false);
    acked(w, 2, 2);
    is(w, 1, 2, 2, true);
    spread_know(w->spread, mesh_engine(w->mesh), false);
    spread_know(w->spread, mesh_engine(w->mesh), true);
    is(w, 1, 2, 2, true); /* what was settled stays so */
}

static void replicas_ask_and_answer(void **state)
{
    struct world *w = *state;
    struct spread_round round;
    struct buf question;
    struct buf answer;
    buf_init(&question, BUF_UNLIMITED);
    buf_init(&answer, BUF_UNLIMITED);
    begin(w);
    spread_set_others(w->spread, true);
    spread_know(w->spread, mesh_engine(w->mesh), true);
    spread_round_begin(&round, w->spread, 2, &question);
    assert_true(str_eq(buf_str(&question), STR("HTTPRoute/a/r 1\n")));
    spread_answer(w->spread, buf_str(&question), &answer);
    assert_true(str_eq(buf_str(&answer), STR("HTTPRoute/a/r 1 0 0 0 pending\n")));
    acked(w, 2, 2);
    buf_clear(&answer);
    spread_answer(w->spread, STR("HTTPRoute/a/r 1\nHTTPRoute/a/r 2\nnonsense\n"), &answer);
    assert_true(str_eq(buf_str(&answer), STR("HTTPRoute/a/r 1 2 2 0 settled\n")));
    spread_round_hear(&round, buf_str(&answer));
    spread_round_end(&round, w->spread, 2000); /* the second replica said nothing */
    is(w, 1, 4, 4, false);
    spread_round_begin(&round, w->spread, 2, &question);
    spread_round_hear(&round, buf_str(&answer));
    spread_round_hear(&round, STR("HTTPRoute/a/r 1 5 5 0 settled\nHTTPRoute/a/r 1 9 9 0 settled"));
    spread_round_end(&round, w->spread, 2000);
    is(w, 1, 9, 9, true);
    buf_release(&question);
    buf_release(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_generation_is_settled_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_it_left_counts_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_route_that_waits_for_its_service, setup, teardown),
        cmocka_unit_test_setup_teardown(all_replicas_are_added_up, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_settles_while_clients_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(replicas_ask_and_answer, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
