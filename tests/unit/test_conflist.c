/* SPDX-License-Identifier: Apache-2.0 */
/* test_conflist: what a chain of CNI plugins becomes with heddle's, and without it. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/conflist.h"

#define TYPE "heddle-cni"
#define ENTRY "{'type':'heddle-cni','kubeconfig':'/k'}"

/* JSON with single quotes. */
static json_t *json(const char *text)
{
    char copy[1024];
    json_error_t why;
    size_t len = 0;
    for (; text[len] != '\0'; len++) {
        assert_true(len + 1 < sizeof(copy));
        copy[len] = text[len] == '\'' ? '"' : text[len];
    }
    json_t *value = json_loadb(copy, len, 0, &why);
    assert_non_null(value);
    return value;
}

static void expect_equal(json_t *is, const char *wanted)
{
    json_t *want = json(wanted);
    assert_true(json_equal(is, want));
    json_decref(want);
    json_decref(is);
}

static json_t *with(const char *config, struct err *err)
{
    json_t *before = json(config);
    json_t *entry = json(ENTRY);
    json_t *list = conflist_with(before, entry, err);
    json_decref(entry);
    json_decref(before);
    return list;
}

static void comes_last(void **state)
{
    struct err err;
    (void)state;
    expect_equal(with("{'cniVersion':'1.0.0','name':'n','more':1,"
                      "'plugins':[{'type':'ptp'},{'type':'portmap'}]}",
                      &err),
                 "{'cniVersion':'1.0.0','name':'n','more':1,"
                 "'plugins':[{'type':'ptp'},{'type':'portmap'}," ENTRY "]}");
}

static void is_there_once(void **state)
{
    struct err err;
    (void)state;
    expect_equal(with("{'name':'n','plugins':[{'type':'heddle-cni','kubeconfig':'/old'},"
                      "{'type':'ptp'}," ENTRY "]}",
                      &err),
                 "{'name':'n','plugins':[{'type':'ptp'}," ENTRY "]}");
}

static void one_plugin_becomes_a_list(void **state)
{
    struct err err;
    (void)state;
    expect_equal(with("{'cniVersion':'0.4.0','name':'n','type':'bridge','ipam':{}}", &err),
                 "{'cniVersion':'0.4.0','name':'n','plugins':["
                 "{'cniVersion':'0.4.0','name':'n','type':'bridge','ipam':{}}," ENTRY "]}");
}

static void what_makes_no_network_is_refused(void **state)
{
    static const char *const wrong[] = {
        "{}", "[]", "{'plugins':[]}", "{'plugins':{}}", "{'type':1}", "{'plugins':[" ENTRY "]}",
        ENTRY};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct err err = {.text = ""};
        assert_null(with(wrong[i], &err));
        assert_string_equal(err.text, "there are no plugins in it");
    }
}

static void is_taken_out(void **state)
{
    json_t *list = json("{'name':'n','plugins':[" ENTRY ",{'type':'ptp'}," ENTRY "]}");
    (void)state;
    expect_equal(conflist_without(list, TYPE), "{'name':'n','plugins':[{'type':'ptp'}]}");
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_last),
        cmocka_unit_test(is_there_once),
        cmocka_unit_test(one_plugin_becomes_a_list),
        cmocka_unit_test(what_makes_no_network_is_refused),
        cmocka_unit_test(is_taken_out),
    };
    return cmocka_run_group_tests_name("conflist", tests, NULL, NULL);
}
