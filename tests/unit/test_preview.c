/* SPDX-License-Identifier: Apache-2.0 */
/* Is of an object that is not there yet told what `heddle check` would tell of it, quickly, and is
 * nothing changed by asking? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mesh_rig.h"
#include "pipeline/preview.h"

#define SERVICE(name)                                                                              \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: shop}\n"            \
    "spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}\n"
#define ROUTE(name, created, parent, rules)                                                        \
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"                             \
    "metadata: {name: " name ", namespace: shop, creationTimestamp: '" created "'}\n"              \
    "spec:\n  parentRefs: [{group: '', kind: Service, name: " parent ", port: 80}]\n"              \
    "  rules: " rules "\n"
#define OLD "2026-01-01T00:00:00Z"
#define NEW "2026-02-01T00:00:00Z"
#define TO(backend) "[{backendRefs: [{name: " backend ", port: 80}]}]"

static void tell(void *user, const struct problem *problem)
{
    struct buf *out = user;
    size_t slip = str_index(problem->remedy, '?'); /* "did you mean 'x'? …" */
    buf_printf(out, "%s %.*s", problem_info(problem->code)->code, STR_FMT(problem->path));
    if (slip < problem->remedy.len) {
        buf_printf(out, " %.*s", STR_FMT(str_sub(problem->remedy, 0, slip + 1)));
    }
    buf_printf(out, "; ");
}

/* Returns what was computed for it. */
static size_t ask(struct mesh *mesh, const char *yaml, const char *expected)
{
    struct arena arena;
    struct doc *docs;
    size_t len;
    struct problems problems;
    struct object_result result;
    struct buf out;
    arena_init(&arena);
    buf_init(&out, BUF_UNLIMITED);
    problems_init(&problems, &arena);
    doc_parse(&arena, str_from(yaml), &docs, &len);
    object_read(&docs[0], STR(""), &problems, &result);
    assert_non_null(result.object);
    size_t evaluations = preview_findings(mesh_engine(mesh), result.object, result.key, tell, &out);
    buf_add_byte(&out, '\0');
    assert_string_equal((char *)out.data, expected);
    row_unref(&result.object->row, NULL);
    buf_release(&out);
    arena_release(&arena);
    return evaluations;
}

static struct mesh *shop(void)
{
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh, SERVICE("web") SERVICE("api") SERVICE("other"));
    rig_turn(mesh);
    return mesh;
}

static void good_objects_are_silent(void **state)
{
    (void)state;
    struct mesh *mesh = shop();
    ask(mesh, ROUTE("a", OLD, "web", TO("api")), "");
    mesh_free(mesh);
}

static void references_are_looked_up(void **state)
{
    (void)state;
    struct mesh *mesh = shop();
    ask(mesh, ROUTE("a", OLD, "wep", TO("api")), "HED103 spec.parentRefs[0] did you mean 'web'?; ");
    ask(mesh, ROUTE("a", OLD, "web", TO("aip")),
        "HED103 spec.rules[0].backendRefs[0] did you mean 'api'?; ");
    /* and once it is there */
    rig_apply(mesh, SERVICE("wep"));
    rig_turn(mesh);
    ask(mesh, ROUTE("a", OLD, "wep", TO("api")), "");
    mesh_free(mesh);
}

static void older_routes_come_first(void **state)
{
    (void)state;
    struct mesh *mesh = shop();
    rig_apply(mesh, ROUTE("old", OLD, "web", TO("api")) ROUTE("far", OLD, "other", TO("api")));
    rig_turn(mesh);
    ask(mesh, ROUTE("new", NEW, "web", TO("api")), "HED102 spec.rules[0]; ");
    /* itself, as it is now, is no older route */
    ask(mesh, ROUTE("old", OLD, "web", TO("api")), "");
    mesh_free(mesh);
}

static void policies_are_asked_about(void **state)
{
    (void)state;
    struct mesh *mesh = shop();
    static const char policy[] =
        "apiVersion: gateway.networking.x-k8s.io/v1alpha1\nkind: XBackendTrafficPolicy\n"
        "metadata: {name: p, namespace: shop}\n"
        "spec: {targetRefs: [{group: '', kind: Service, name: wep}], "
        "retryConstraint: {budget: {percent: 20}}}\n";
    ask(mesh, policy, "HED103 spec.targetRefs[0] did you mean 'web'?; ");
    rig_apply(mesh, SERVICE("wep"));
    rig_turn(mesh);
    ask(mesh, policy, "");
    mesh_free(mesh);
}

/* The API server waits meanwhile, and so does every other object. */
static void large_meshes_are_asked_quickly(void **state)
{
    (void)state;
    enum { MANY = 1000, EVALUATIONS_MAX = 100 };
    const struct mesh_settings settings = {.cluster_domain = STR("cluster.local"),
                                           .trust_domain = STR("cluster.local")};
    struct mesh *mesh = mesh_new(&settings);
    for (unsigned i = 0; i < MANY; i++) {
        struct buf yaml;
        buf_init(&yaml, BUF_UNLIMITED);
        buf_printf(&yaml,
                   "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%u, namespace: shop}\n"
                   "spec: {clusterIP: 10.1.%u.%u, ports: [{port: 80}]}\n"
                   "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
                   "metadata: {name: r%u, namespace: shop}\nspec:\n"
                   "  parentRefs: [{group: '', kind: Service, name: s%u, port: 80}]\n"
                   "  rules: [{backendRefs: [{name: s%u, port: 80}]}]\n",
                   i, i / 250, i % 250 + 1, i, i, i);
        rig_apply_str(mesh, buf_str(&yaml));
        buf_release(&yaml);
    }
    rig_turn(mesh);
    size_t evaluations = ask(mesh, ROUTE("new", NEW, "s7", TO("s8")), "HED102 spec.rules[0]; ");
    assert_in_range(evaluations, 1, EVALUATIONS_MAX);
    /* what was meant is looked for among all nevertheless */
    evaluations = ask(mesh, ROUTE("new", NEW, "t999", TO("s8")),
                      "HED103 spec.parentRefs[0] did you mean 's999'?; ");
    assert_in_range(evaluations, 1, EVALUATIONS_MAX);
    mesh_free(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_objects_are_silent),
        cmocka_unit_test(references_are_looked_up),
        cmocka_unit_test(older_routes_come_first),
        cmocka_unit_test(policies_are_asked_about),
        cmocka_unit_test(large_meshes_are_asked_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
