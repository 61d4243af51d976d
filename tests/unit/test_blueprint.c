/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_blueprint: which objects are made of a Gateway. A folder of tests/unit/blueprint for each
 * case: its gateway.yaml in, its objects.json out. HEDDLE_UPDATE_GOLDEN=1 writes the latter anew:
 * read every line of the diff.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <jansson.h>

#include "ir/gateway.h"
#include "mesh_rig.h"
#include "provision/blueprint.h"

#define CASES_MAX 64

static const struct provision_settings settings = {
    .image = {"heddle/proxy:TEST", 17},
    .ns = {"heddle-system", 13},
    .cluster_domain = {"cluster.local", 13},
    .trust_domain = {"mesh.example", 12},
};

static struct mesh *cluster_mesh(void)
{
    return mesh_new(&(struct mesh_settings){
        .cluster_domain = settings.cluster_domain,
        .trust_domain = settings.trust_domain,
        .kubernetes = true,
        .check = true,
    });
}

static char *read_file(const char *path)
{
    struct buf text;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return NULL;
    }
    buf_init(&text, 1u << 20);
    char piece[4096];
    for (size_t n = fread(piece, 1, sizeof(piece), file); n > 0;
         n = fread(piece, 1, sizeof(piece), file)) {
        buf_add(&text, piece, n);
    }
    fclose(file);
    return buf_steal(&text, NULL);
}

struct drawing {
    const struct engine *engine;
    json_t *objects;
};

static void draw(void *user, struct str key, const struct row *row)
{
    const struct drawing *drawing = user;
    struct arena arena;
    struct blueprint blueprint;
    const struct ir_gateway *ir = (const struct ir_gateway *)row;
    const struct gateway *gateway =
        (const struct gateway *)engine_get(drawing->engine, T_GATEWAY, key);
    arena_init(&arena);
    const struct blueprint_question question = {
        .settings = &settings,
        .gateway = gateway,
        .ir = ir,
        .uid = STR("2b0c"),
        .stem = part_stem(&arena, gateway->object.meta.name, gateway->class),
    };
    assert_true(ir->accepted);
    blueprint_make(&arena, &question, &blueprint);
    for (unsigned i = 0; i < PART_COUNT; i++) {
        if (blueprint.part[i].len > 0) {
            json_t *object = json_loadb(blueprint.part[i].ptr, blueprint.part[i].len, 0, NULL);
            assert_non_null(object);
            json_array_append_new(drawing->objects, object);
        }
    }
    arena_release(&arena);
}

/* The objects of all its Gateways. */
static char *objects_of(const char *yaml)
{
    struct mesh *mesh = cluster_mesh();
    rig_apply(mesh, "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\n"
                    "metadata: {name: heddle}\n"
                    "spec: {controllerName: heddle.dev/gateway-controller}\n");
    rig_apply(mesh, yaml);
    changeset_unref(mesh_turn(mesh));
    struct drawing drawing = {mesh_engine(mesh), json_array()};
    engine_each(drawing.engine, T_GATEWAYS, draw, &drawing);
    assert_true(json_array_size(drawing.objects) > 0);
    char *text = json_dumps(drawing.objects, JSON_INDENT(2) | JSON_SORT_KEYS);
    json_decref(drawing.objects);
    mesh_free(mesh);
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", text);
    fclose(file);
}

static void test_case(void **state)
{
    const char *name = *state;
    char in[512], out[512];
    (void)snprintf(in, sizeof(in), "%s/blueprint/%s/gateway.yaml", getenv("UNIT_DATA"), name);
    (void)snprintf(out, sizeof(out), "%s/blueprint/%s/objects.json", getenv("UNIT_DATA"), name);
    char *yaml = read_file(in);
    assert_non_null(yaml);
    char *objects = objects_of(yaml);
    if (getenv("HEDDLE_UPDATE_GOLDEN") != NULL) {
        write_file(out, objects);
    }
    char *expected = read_file(out);
    assert_non_null(expected);
    expected[strlen(expected) - 1] = '\0'; /* the file's last line feed */
    assert_string_equal(objects, expected);
    free(expected);
    free(objects);
    free(yaml);
}

/* What is sent over xDS is in none of the pods: they stay when it changes. */
static void test_pods_do_not_know_listeners(void **state)
{
    static const char *const yaml =
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
        "metadata: {name: web, namespace: a}\nspec:\n  gatewayClassName: heddle\n  listeners:\n";
    static const char *const more[] = {
        "  - {name: a, port: 80, protocol: HTTP}\n",
        "  - {name: b, port: 8443, protocol: UDP, hostname: null}\n"
        "  - {name: c, port: 9000, protocol: TCP}\n",
    };
    char *deployments[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), "%s%s", yaml, more[i]);
        char *objects = objects_of(text);
        json_t *list = json_loads(objects, 0, NULL);
        deployments[i] = json_dumps(json_array_get(list, PART_DEPLOYMENT), JSON_SORT_KEYS);
        json_decref(list);
        free(objects);
    }
    assert_non_null(strstr(deployments[0], "Deployment"));
    assert_string_equal(deployments[0], deployments[1]);
    free(deployments[0]);
    free(deployments[1]);
}

static void test_names_tell_gateways_apart(void **state)
{
    struct arena arena;
    char long_name[253];
    (void)state;
    arena_init(&arena);
    assert_true(str_eq(part_stem(&arena, STR("web"), STR("heddle")), STR("web-heddle")));
    struct str dotted = part_stem(&arena, STR("a.b"), STR("heddle"));
    struct str dashed = part_stem(&arena, STR("a-b"), STR("heddle"));
    assert_true(str_starts_with(dotted, STR("a-b-heddle-")) && !str_eq(dotted, dashed));
    memset(long_name, 'a', sizeof(long_name));
    struct str one = part_stem(&arena, str_span(long_name, 253), STR("heddle"));
    struct str other = part_stem(&arena, str_span(long_name, 252), STR("heddle"));
    assert_int_equal(one.len, PART_NAME_MAX);
    assert_false(str_eq(one, other));
    struct str apart = part_stem_apart(&arena, STR("a-b"), STR("c"));
    assert_true(str_starts_with(apart, STR("a-b-c-")) && apart.len <= PART_NAME_MAX);
    assert_false(str_eq(apart, part_stem_apart(&arena, STR("a"), STR("b-c"))));
    assert_true(part_stem_apart(&arena, str_span(long_name, 253), STR("heddle")).len <=
                PART_NAME_MAX);
    assert_true(str_starts_with(part_stem(&arena, STR("9"), STR("heddle")), STR("gateway-9-")));
    assert_true(str_eq(part_label(&arena, STR("a.b")), STR("a.b")));
    assert_int_equal(part_label(&arena, str_span(long_name, 253)).len, PART_NAME_MAX);
    arena_release(&arena);
}

static int no_dot(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(void)
{
    struct CMUnitTest tests[CASES_MAX + 2] = {
        cmocka_unit_test(test_pods_do_not_know_listeners),
        cmocka_unit_test(test_names_tell_gateways_apart),
    };
    struct dirent **names;
    char folder[512];
    (void)snprintf(folder, sizeof(folder), "%s/blueprint", getenv("UNIT_DATA"));
    int len = scandir(folder, &names, no_dot, alphasort);
    assert_true(len > 0 && len <= CASES_MAX);
    for (int i = 0; i < len; i++) {
        tests[i + 2] = (struct CMUnitTest){
            .name = names[i]->d_name, .test_func = test_case, .initial_state = names[i]->d_name};
    }
    int failed = _cmocka_run_group_tests("blueprint", tests, (size_t)len + 2, NULL, NULL);
    for (int i = 0; i < len; i++) {
        free(names[i]);
    }
    free(names);
    return failed;
}
