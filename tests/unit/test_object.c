/* SPDX-License-Identifier: Apache-2.0 */
/* Is the identity of a document made out, as far as it can be? */
#include "model_rig.h"

#define GATEWAY_API "gateway.networking.k8s.io"

static void defaults_of_metadata(void **state)
{
    (void)state;
    struct rig rig;
    const struct object *object =
        rig_object(&rig, "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {b: c}}\n");
    assert_int_equal(object->kind, KIND_NAMESPACE);
    assert_int_equal(object->meta.generation, 1);
    assert_int_equal(object->meta.created, 0);
    assert_int_equal(object->meta.ns.len, 0);
    assert_int_equal(object->meta.labels.len, 1);
    assert_true(str_eq(rig.result.key, STR("a")));
    assert_true(str_eq(rig.result.ident, STR("Namespace 'a'")));
    assert_true(str_eq(object->origin.file, STR("test.yaml")));
    assert_int_equal(object->origin.line, 1);
    rig_release(&rig);
}

static void metadata_is_kept(void **state)
{
    (void)state;
    struct rig rig;
    const struct object *object =
        rig_object(&rig, "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n"
                         "  creationTimestamp: \"2026-11-23T11:46:58Z\"\n  generation: 7\n"
                         "  annotations: {Example.com/note: x}\n  uid: u\n  managedFields: []\n");
    assert_int_equal(object->meta.created, 1795434418);
    assert_int_equal(object->meta.generation, 7);
    assert_int_equal(object->meta.annotations.len, 1);
    rig_release(&rig);
}

static void keys(void **state)
{
    (void)state;
    struct rig rig;
    rig_object(&rig, "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: n}\n"
                     "spec: {ports: [{port: 1}]}\n");
    assert_true(str_eq(rig.result.key, STR("n/a")));
    rig_release(&rig);
    rig_object(&rig, "apiVersion: " GATEWAY_API "/v1beta1\nkind: HTTPRoute\nmetadata: {name: a}\n"
                     "spec: {}\n");
    assert_true(str_eq(rig.result.key, STR("HTTPRoute/default/a")));
    struct str name = object_name(&rig.arena, rig.result.object);
    assert_true(str_eq(name, STR("HTTPRoute 'default/a'")));
    rig_release(&rig);
}

static void wrong_heads(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"kind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}]}\n", PROBLEM_no_kind,
         "apiVersion", "the document has no 'apiVersion'"},
        {"apiVersion: v1\nmetadata: {name: a}\n", PROBLEM_no_kind, "kind",
         "the document has no 'kind'"},
        {"apiVersion: v1\nkind: Namespace\n", PROBLEM_no_kind, "metadata.name", NULL},
        {"apiVersion: v1\nkind: Namespace\nmetadata: {}\n", PROBLEM_no_kind, "metadata.name", NULL},
        {"apiVersion: v1\nkind: Namespace\nmetadata: {name: 7}\n", PROBLEM_wrong_type,
         "metadata.name", NULL},
        {"apiVersion: v1\nkind: Namespace\nmetadata: {name: A_b}\n", PROBLEM_no_kind,
         "metadata.name", "'A_b' is not an RFC 1123 label"},
        {"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n", PROBLEM_union,
         "metadata.namespace", NULL},
        {"apiVersion: " GATEWAY_API "\nkind: HTTPRoute\nmetadata: {name: a}\nspec: {}\n",
         PROBLEM_unknown_version, "apiVersion", "apiVersion '" GATEWAY_API "' has no version"},
        {"apiVersion: " GATEWAY_API "/v1alpha2\nkind: HTTPRoute\nmetadata: {name: a}\nspec: {}\n",
         PROBLEM_unknown_version, "apiVersion", NULL},
        {"apiVersion: v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec: {}\n",
         PROBLEM_unknown_version, "apiVersion", "apiVersion 'v1' does not have this kind"},
        {"apiVersion: gateway.networking.k8s.oi/v1\nkind: HTTPRoute\nmetadata: {name: a}\n"
         "spec: {}\n",
         PROBLEM_unknown_version, "apiVersion", NULL},
        {"- a\n", PROBLEM_no_kind, "", "the document is a list, not an object"},
        {"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, label: {b: c}}\n",
         PROBLEM_unknown_field, "metadata.label", "metadata has no field 'label'"},
        {"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {b: \"c d\"}}\n",
         PROBLEM_bad_format, "metadata.labels.b", NULL},
        {"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {\"b c\": d}}\n",
         PROBLEM_bad_format, "metadata.labels.b c", NULL},
    };
    RIG_EXPECT_ALL("", cases);
}

/* A wrong document still says which object it is, so that the last good version stays. */
static void wrong_documents_have_names(void **state)
{
    (void)state;
    struct rig rig;
    rig_read(&rig, "apiVersion: " GATEWAY_API "\nkind: HTTPRoute\nmetadata: {name: a}\n"
                   "spec: {rule: []}\n");
    assert_int_equal(rig.problems.len, 2); /* the version and the field */
    assert_true(str_eq(rig.result.key, STR("HTTPRoute/default/a")));
    assert_true(str_eq(rig.problems.items[1].object, STR("HTTPRoute default/a")));
    assert_true(str_eq(rig.problems.items[1].remedy, STR("did you mean 'rules'?")));
    rig_release(&rig);

    rig_read(&rig, "apiVersion: v1\nkind: Service\nmetadata: {name: A}\n");
    assert_int_equal(rig.result.key.len, 0);
    assert_null(rig.result.object);
    rig_release(&rig);
}

static void other_kinds_are_skipped(void **state)
{
    (void)state;
    static const char *const yamls[] = {
        "apiVersion: v1\nkind: LimitRange\nmetadata: {name: a}\nspec: {b: c}\n",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n",
        "apiVersion: example.com/v1\nkind: Thing\n",
    };
    for (size_t i = 0; i < sizeof(yamls) / sizeof(yamls[0]); i++) {
        struct rig rig;
        rig_read(&rig, yamls[i]);
        assert_true(rig.result.skipped);
        assert_int_equal(rig.problems.len, 1);
        assert_int_equal(rig.problems.items[0].code, PROBLEM_unknown_kind);
        assert_int_equal(rig.problems.errors, 0);
        rig_release(&rig);
    }
}

static void equality_leaves_out_places(void **state)
{
    (void)state;
    static const char head[] = "apiVersion: v1\nkind: Service\n";
    static const char *const tails[] = {
        "metadata: {name: a, annotations: {x: y}}\nspec: {ports: [{port: 1}]}\n",
        "\n\n\nmetadata: {name: a}\nspec:\n  ports:\n  - port: 1\n",
        "metadata: {name: a}\nspec: {ports: [{port: 2}]}\n",
    };
    struct rig rigs[3];
    const struct object *objects[3];
    for (size_t i = 0; i < 3; i++) {
        char yaml[512];
        snprintf(yaml, sizeof(yaml), "%s%s", head, tails[i]);
        objects[i] = rig_object(&rigs[i], yaml);
    }
    assert_true(object_equal(&objects[0]->row, &objects[1]->row));
    assert_false(object_equal(&objects[0]->row, &objects[2]->row));
    for (size_t i = 0; i < 3; i++) {
        rig_release(&rigs[i]);
    }
}

/* A slip that has an obvious mend: the document counts as broken, but is looked at further. */
static void mended_documents_are_not_used(void **state)
{
    (void)state;
    struct rig rig;
    rig_read(&rig, "apiVersion: " GATEWAY_API "/v1\nkind: GRPCRoute\nmetadata:\n  name: a\nspec:\n"
                   "  rules:\n  - matches:\n    - method:\n        service:a.B\n"
                   "        method: C\n    backendRefs:\n    - name: b\n");
    assert_null(rig.result.object);
    assert_true(str_eq(rig.result.key, STR("GRPCRoute/default/a")));
    assert_int_equal(rig.problems.len, 2);
    assert_int_equal(rig.problems.items[0].code, PROBLEM_syntax);
    assert_int_equal(rig.problems.items[0].line, 9);
    assert_true(str_contains(rig.problems.items[0].remedy, STR("'service: a.B'")));
    assert_int_equal(rig.problems.items[1].code, PROBLEM_union); /* no port */
    rig_release(&rig);
}

/* How many items the first document has as a List; -1: it is none, -2: it has none because of a
 * problem, which is printed to `ret_problem`. */
static int count_items(const char *yaml, struct buf *ret_problem)
{
    struct arena arena;
    struct problems problems;
    struct doc *docs;
    size_t len;
    const struct doc_node *items;
    arena_init(&arena);
    problems_init(&problems, &arena);
    doc_parse(&arena, str_from(yaml), &docs, &len);
    assert_true(len > 0 && docs[0].root != NULL);
    bool list = object_list_read(docs[0].root, &problems, &items);
    int count = !list ? -1 : items == NULL ? -2 : (int)items->len;
    buf_clear(ret_problem);
    for (size_t i = 0; i < problems.len; i++) {
        const struct problem *problem = &problems.items[i];
        buf_printf(ret_problem, "%u:%u %.*s: %.*s; %.*s", problem->line, problem->column,
                   STR_FMT(problem->path), STR_FMT(problem->text), STR_FMT(problem->remedy));
    }
    arena_release(&arena);
    return count;
}

static void lists(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        int items;
        const char *problem;
    } cases[] = {
        {"apiVersion: v1\nkind: ServiceList\nitems: [{}, {}]\n", 2, ""},
        {"kind: List\nmetadata: {resourceVersion: \"\"}\nitems:\n", 0, ""},
        {"kind: PodList\nitems: [{}]\n", 1, ""},
        {"kind: PodList\nitmes: [{}]\n", -1, ""}, /* skipped as any kind that is not served */
        {"kind: AllowList\nspec: {}\n", -1, ""},
        {"kind: Service\nitems: []\n", -1, ""},
        {"[List]", -1, ""},
        {"apiVersion: v1\nkind: List\nitmes: [{}]\n", -2,
         "3:1 itmes: a List has no field 'itmes'; did you mean 'items'?"},
        {"kind: HTTPRouteList\nitem: [{}]\n", -2,
         "2:1 item: a List has no field 'item'; did you mean 'items'?"},
        {"kind: List\n", -2, "1:1 items: a List lacks 'items'; add 'items'"},
        {"kind: List\nitems: {a: b}\n", -2,
         "2:8 items: 'items' is a mapping, not a list; begin each item of a list with '- '"},
        {"kind: List\nitems: [{}]\nitem: [{}]\n", 1,
         "3:1 item: a List has no field 'item'; did you mean 'items'?"},
    };
    struct buf problem;
    buf_init(&problem, BUF_UNLIMITED);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int items = count_items(cases[i].yaml, &problem);
        if (items != cases[i].items || !str_eq(buf_str(&problem), str_from(cases[i].problem))) {
            fail_msg("%s: %d, %.*s", cases[i].yaml, items, STR_FMT(buf_str(&problem)));
        }
    }
    buf_release(&problem);
}

/* Of a List that does not parse nothing is said but that: it is no kind that is not served. */
static void a_mended_list_is_not_skipped(void **state)
{
    (void)state;
    struct rig rig;
    rig_read(&rig, "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n"
                   "  metadata:\n    name:a\n    labels: {}\n");
    assert_int_equal(rig.problems.len, 1);
    assert_int_equal(rig.problems.items[0].code, PROBLEM_syntax);
    assert_int_equal(rig.result.key.len, 0);
    rig_release(&rig);
}

static void problems_are_bounded(void **state)
{
    (void)state;
    struct arena arena;
    struct problems problems;
    arena_init(&arena);
    problems_init(&problems, &arena);
    for (unsigned i = 0; i < PROBLEMS_MAX + 50; i++) {
        problems_report(&problems, PROBLEM_syntax, 1, 1, STR_NULL, STR_NULL, "no %u", i);
    }
    assert_int_equal(problems.len, PROBLEMS_MAX + 1);
    assert_int_equal(problems.errors, PROBLEMS_MAX + 50);
    /* what stands for the rest is as grave as the gravest of it */
    problems_init(&problems, &arena);
    for (unsigned i = 0; i < PROBLEMS_MAX + 50; i++) {
        problems_report(&problems, i == PROBLEMS_MAX + 1 ? PROBLEM_syntax : PROBLEM_no_effect, 1, 1,
                        STR_NULL, STR_NULL, "no %u", i);
    }
    assert_int_equal(problems.items[PROBLEMS_MAX].code, PROBLEM_syntax);
    struct str quoted = problem_quote(&arena, STR("a\x1b[31mb"));
    assert_true(str_eq(quoted, STR("a?[31mb")));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_of_metadata),
        cmocka_unit_test(metadata_is_kept),
        cmocka_unit_test(keys),
        cmocka_unit_test(wrong_heads),
        cmocka_unit_test(wrong_documents_have_names),
        cmocka_unit_test(other_kinds_are_skipped),
        cmocka_unit_test(equality_leaves_out_places),
        cmocka_unit_test(mended_documents_are_not_used),
        cmocka_unit_test(lists),
        cmocka_unit_test(a_mended_list_is_not_skipped),
        cmocka_unit_test(problems_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
