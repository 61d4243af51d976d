/* SPDX-License-Identifier: Apache-2.0 */
/* Are matches and routes put into the order that the spec demands? */
#include "model/precedence.h"
#include "model_rig.h"

#define HEADERS(n) .headers = {.items = headers, .len = (n)}

static struct header_match headers[] = {
    {HEADER_EXACT, {"a", 1}, {"1", 1}},
    {HEADER_EXACT, {"b", 1}, {"1", 1}},
    {HEADER_EXACT, {"A", 1}, {"2", 1}}, /* the same header again */
};

/* Each goes before all that follow. */
static void http_order(void **state)
{
    (void)state;
    static const struct http_match ordered[] = {
        {.path = {PATH_EXACT, {"/abc", 4}}},
        {.path = {PATH_EXACT, {"/a", 2}}, .method = {"GET", 3}},
        {.path = {PATH_REGEX, {"/.*x", 4}}},
        {.path = {PATH_REGEX, {"/.*", 3}}},
        {.path = {PATH_PREFIX, {"/abcd", 5}}},
        {.path = {PATH_PREFIX, {"/abc", 4}}, .method = {"GET", 3}},
        {.path = {PATH_PREFIX, {"/abc/", 5}}, HEADERS(2)},
        {.path = {PATH_PREFIX, {"/abc", 4}}, HEADERS(1), .query = {.items = headers, .len = 2}},
        {.path = {PATH_PREFIX, {"/abc", 4}}, HEADERS(1), .query = {.items = headers, .len = 1}},
        {.path = {PATH_PREFIX, {"/abc", 4}}, .query = {.items = headers, .len = 3}},
        {.path = {PATH_PREFIX, {"/", 1}}},
    };
    for (size_t i = 0; i < sizeof(ordered) / sizeof(ordered[0]); i++) {
        assert_int_equal(http_match_cmp(&ordered[i], &ordered[i]), 0);
        for (size_t j = i + 1; j < sizeof(ordered) / sizeof(ordered[0]); j++) {
            assert_true(http_match_cmp(&ordered[i], &ordered[j]) < 0);
            assert_true(http_match_cmp(&ordered[j], &ordered[i]) > 0);
        }
    }
    /* a header that is named again does not count */
    struct http_match twice = {.path = {PATH_PREFIX, {"/", 1}}, HEADERS(3)};
    struct http_match once = {.path = {PATH_PREFIX, {"/", 1}}, HEADERS(2)};
    assert_int_equal(http_match_cmp(&twice, &once), 0);
}

static void grpc_order(void **state)
{
    (void)state;
    static struct method_match methods[] = {
        {METHOD_EXACT, {"a.Long", 6}, {"M", 1}},    {METHOD_EXACT, {"a.Long", 6}, {NULL, 0}},
        {METHOD_EXACT, {"a.B", 3}, {"Longer", 6}},  {METHOD_EXACT, {"a.B", 3}, {"M", 1}},
        {METHOD_REGEX, {"a.*", 3}, {NULL, 0}},      {METHOD_EXACT, {NULL, 0}, {"Longer", 6}},
        {METHOD_REGEX, {NULL, 0}, {"Longer.*", 8}},
    };
    struct grpc_match ordered[9];
    for (size_t i = 0; i < 7; i++) {
        ordered[i] = (struct grpc_match){.method = &methods[i]};
    }
    ordered[7] = (struct grpc_match){HEADERS(1)};
    ordered[8] = (struct grpc_match){.method = NULL};
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(grpc_match_cmp(&ordered[i], &ordered[i]), 0);
        for (size_t j = i + 1; j < 9; j++) {
            assert_true(grpc_match_cmp(&ordered[i], &ordered[j]) < 0);
            assert_true(grpc_match_cmp(&ordered[j], &ordered[i]) > 0);
        }
    }
}

static void age_order(void **state)
{
    (void)state;
    struct route ordered[4] = {0};
    ordered[0].object.meta = (struct meta){.name = STR("z"), .ns = STR("z"), .created = 0};
    ordered[1].object.meta = (struct meta){.name = STR("z"), .ns = STR("a"), .created = 5};
    ordered[2].object.meta = (struct meta){.name = STR("a"), .ns = STR("b"), .created = 5};
    ordered[3].object.meta = (struct meta){.name = STR("b"), .ns = STR("b"), .created = 5};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(route_age_cmp(&ordered[i], &ordered[i]), 0);
        for (size_t j = i + 1; j < 4; j++) {
            assert_true(route_age_cmp(&ordered[i], &ordered[j]) < 0);
            assert_true(route_age_cmp(&ordered[j], &ordered[i]) > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_order),
        cmocka_unit_test(grpc_order),
        cmocka_unit_test(age_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
