/* SPDX-License-Identifier: Apache-2.0 */
/* Does a selector meet the labels that apimachinery would let it meet? */
#include "model/gateway.h"
#include "model_rig.h"

#define HEAD                                                                                       \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec:\n"        \
    "  gatewayClassName: c\n"                                                                      \
    "  listeners: [{name: l, port: 1, protocol: TCP}]\n"                                           \
    "  allowedListeners: {namespaces: {from: Selector, selector: "
#define TAIL "}}\n"

static void meets(void **state)
{
    static const struct {
        const char *selector;
        bool met;
    } cases[] = {
        {"{}", true},
        {"{matchLabels: {app: web}}", true},
        {"{matchLabels: {app: db}}", false},
        {"{matchLabels: {zone: ''}}", true},
        {"{matchLabels: {none: ''}}", false},
        {"{matchLabels: {app: web, tier: b}}", false},
        {"{matchExpressions: [{key: app, operator: In, values: [db, web]}]}", true},
        {"{matchExpressions: [{key: app, operator: In, values: [db]}]}", false},
        {"{matchExpressions: [{key: none, operator: In, values: [db]}]}", false},
        {"{matchExpressions: [{key: app, operator: NotIn, values: [db]}]}", true},
        {"{matchExpressions: [{key: app, operator: NotIn, values: [db, web]}]}", false},
        {"{matchExpressions: [{key: none, operator: NotIn, values: [db]}]}", true},
        {"{matchExpressions: [{key: zone, operator: Exists}]}", true},
        {"{matchExpressions: [{key: none, operator: Exists}]}", false},
        {"{matchExpressions: [{key: none, operator: DoesNotExist}]}", true},
        {"{matchExpressions: [{key: tier, operator: DoesNotExist}]}", false},
        {"{matchLabels: {app: web}, matchExpressions: [{key: tier, operator: Exists},"
         " {key: zone, operator: DoesNotExist}]}",
         false},
    };
    static const struct str_pair labels[] = {
        {STR("app"), STR("web")}, {STR("tier"), STR("a")}, {STR("zone"), STR("")}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        char yaml[1024];
        snprintf(yaml, sizeof(yaml), HEAD "%s" TAIL, cases[i].selector);
        const struct gateway *gateway = rig_object(&rig, yaml);
        assert_int_equal(gateway->sets_from, FROM_SELECTOR);
        if (selector_meets(gateway->sets_selector, labels, 3) != cases[i].met) {
            fail_msg("%s", cases[i].selector);
        }
        rig_release(&rig);
    }
    assert_false(selector_meets(NULL, labels, 3));
}

static void no_labels(void **state)
{
    struct label_selector empty = {.labels = {NULL, 0}};
    (void)state;
    assert_true(selector_meets(&empty, NULL, 0));
}

static void wrong_selectors(void **state)
{
    static const struct bad_case cases[] = {
        {"{matchExpressions: [{key: a, operator: In}]}" TAIL, PROBLEM_union,
         "spec.allowedListeners.namespaces.selector.matchExpressions[0].values", NULL},
        {"{matchExpressions: [{key: a, operator: Exists, values: [b]}]}" TAIL, PROBLEM_union,
         "spec.allowedListeners.namespaces.selector.matchExpressions[0].values", NULL},
        {"{matchExpressions: [{key: a, operator: Gt, values: ['1']}]}" TAIL, PROBLEM_not_in_enum,
         "spec.allowedListeners.namespaces.selector.matchExpressions[0].operator", NULL},
        {"{matchLabels: {a: '-'}}" TAIL, PROBLEM_bad_format,
         "spec.allowedListeners.namespaces.selector.matchLabels.a", NULL},
    };
    (void)state;
    RIG_EXPECT_ALL(HEAD, cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meets),
        cmocka_unit_test(no_labels),
        cmocka_unit_test(wrong_selectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
