/* SPDX-License-Identifier: Apache-2.0 */
/* Are XBackendTrafficPolicies read as the API server would? */
#include "model/policy.h"
#include "model_rig.h"

#define POLICY                                                                                     \
    "apiVersion: gateway.networking.x-k8s.io/v1alpha1\nkind: XBackendTrafficPolicy\n"              \
    "metadata: {name: a}\nspec:\n"
#define TARGET "  targetRefs: [{group: \"\", kind: Service, name: s}]\n"

static void policies(void **state)
{
    (void)state;
    struct rig rig;
    const struct backend_policy *policy = rig_object(&rig, POLICY TARGET);
    assert_int_equal(policy->targets.len, 1);
    assert_null(policy->retry);
    assert_null(policy->session);
    rig_release(&rig);
    rig_expect_round_trip(POLICY TARGET "  retryConstraint:\n"
                                        "    budget: {percent: 30, interval: 1m}\n"
                                        "    minRetryRate: {count: 3, interval: 500ms}\n"
                                        "  sessionPersistence: {cookie: {name: c}}\n");
}

/* Each part has the API's default, however little is written. */
static void defaults(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        int32_t percent;
        int64_t interval;
        int32_t count;
        int64_t rate_interval;
    } cases[] = {
        {"{}", 20, 10000, 10, 1000},
        {"{budget: {}}", 20, 10000, 10, 1000},
        {"{budget: {percent: 0}}", 0, 10000, 10, 1000},
        {"{budget: {interval: 1h}}", 20, 3600000, 10, 1000},
        {"{minRetryRate: {count: 1000000}}", 20, 10000, 1000000, 1000},
        {"{minRetryRate: {interval: 1ms}}", 20, 10000, 10, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char yaml[512];
        struct rig rig;
        snprintf(yaml, sizeof(yaml), POLICY TARGET "  retryConstraint: %s\n", cases[i].written);
        const struct backend_policy *policy = rig_object(&rig, yaml);
        const struct retry_constraint *retry = policy->retry;
        assert_int_equal(retry->budget.percent, cases[i].percent);
        assert_int_equal(retry->budget.interval_ms, cases[i].interval);
        assert_int_equal(retry->min_rate.count, cases[i].count);
        assert_int_equal(retry->min_rate.interval_ms, cases[i].rate_interval);
        rig_release(&rig);
    }
}

static void wrong_policies(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"  retryConstraint: {}\n", PROBLEM_required, "spec.targetRefs", NULL},
        {"  targetRefs: []\n", PROBLEM_out_of_range, "spec.targetRefs", NULL},
        {"  targetRefs: [{kind: Service, name: s}]\n", PROBLEM_required, "spec.targetRefs[0].group",
         NULL},
        {"  targetRefs: [{group: g, kind: K, name: s}, {group: g, kind: K, name: s}]\n",
         PROBLEM_union, "spec.targetRefs[1]", "two targetRefs are the same"},
        {TARGET "  retryConstraint: {budget: {percent: 101}}\n", PROBLEM_out_of_range,
         "spec.retryConstraint.budget.percent", NULL},
        {TARGET "  retryConstraint: {budget: {interval: 999ms}}\n", PROBLEM_out_of_range,
         "spec.retryConstraint.budget.interval", "'interval' is too short"},
        {TARGET "  retryConstraint: {budget: {interval: 61m}}\n", PROBLEM_out_of_range,
         "spec.retryConstraint.budget.interval", "'interval' is too long"},
        {TARGET "  retryConstraint: {minRetryRate: {count: 0}}\n", PROBLEM_out_of_range,
         "spec.retryConstraint.minRetryRate.count", NULL},
        {TARGET "  retryConstraint: {minRetryRate: {interval: 0s}}\n", PROBLEM_out_of_range,
         "spec.retryConstraint.minRetryRate.interval", NULL},
        {TARGET "  sessionPersistence: {type: Header}\n", PROBLEM_union, NULL, NULL},
    };
    RIG_EXPECT_ALL(POLICY, cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies),
        cmocka_unit_test(defaults),
        cmocka_unit_test(wrong_policies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
