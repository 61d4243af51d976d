/* SPDX-License-Identifier: Apache-2.0 */
/* Is the API server answered what it understands, also when it asks nonsense? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "codec/base64.h"
#include "json_patch.h"
#include "webhook/admission.h"
#include "webhook/review.h"

static const struct inject_settings settings = {
    .image = STR("heddle"),
    .proxy_image = STR("proxy"),
    .ns = STR("heddle-system"),
    .cluster_domain = STR("cluster.local"),
};

#define POD(labels, rest)                                                                          \
    "{\"metadata\":{\"labels\":{" labels "}},\"spec\":{" rest                                      \
    "\"containers\":[{\"name\":\"app\"}]}}"
#define ROUTE(spec)                                                                                \
    "{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"HTTPRoute\","                     \
    "\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"managedFields\":[{}]},"               \
    "\"status\":{\"parents\":[]},\"spec\":{" spec "}}"

static char body[8192];

static struct str review_of(const char *operation, const char *group, const char *kind,
                            const char *object)
{
    int len = snprintf(body, sizeof(body),
                       "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                       "\"request\":{\"uid\":\"u-1\",\"operation\":\"%s\",\"namespace\":\"shop\","
                       "\"kind\":{\"group\":\"%s\",\"version\":\"v1\",\"kind\":\"%s\"},"
                       "\"object\":%s}}",
                       operation, group, kind, object);
    assert_true(len > 0 && (size_t)len < sizeof(body));
    return str_span(body, (size_t)len);
}

/* The response, whose form is checked. */
static json_t *response_of(unsigned status, struct buf *out)
{
    assert_int_equal(status, 200);
    json_t *root = json_loadb((const char *)out->data, out->len, 0, NULL);
    buf_release(out);
    assert_string_equal(json_string_value(json_object_get(root, "kind")), "AdmissionReview");
    assert_string_equal(json_string_value(json_object_get(root, "apiVersion")),
                        "admission.k8s.io/v1");
    json_t *response = json_incref(json_object_get(root, "response"));
    json_decref(root);
    assert_string_equal(json_string_value(json_object_get(response, "uid")), "u-1");
    return response;
}

static json_t *inject(const char *operation, const char *kind, const char *ns_label,
                      const char *object)
{
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    unsigned status = admission_inject(&settings, str_from(ns_label),
                                       review_of(operation, "", kind, object), &out);
    return response_of(status, &out);
}

/* What the API server makes of the pod. */
static json_t *patched(const json_t *response, const char *object)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    assert_string_equal(json_string_value(json_object_get(response, "patchType")), "JSONPatch");
    assert_true(
        base64_decode(str_from(json_string_value(json_object_get(response, "patch"))), &text));
    json_t *patch = json_loadb((const char *)text.data, text.len, 0, NULL);
    json_t *pod = json_loads(object, 0, NULL);
    json_t *result = json_patch_apply(pod, patch);
    assert_non_null(result);
    json_decref(pod);
    json_decref(patch);
    buf_release(&text);
    return result;
}

static const char *first_warning(const json_t *response)
{
    const char *text = json_string_value(json_array_get(json_object_get(response, "warnings"), 0));
    return text != NULL ? text : "";
}

static bool allowed(const json_t *response)
{
    return json_is_true(json_object_get(response, "allowed"));
}

static void pods_are_injected(void **state)
{
    (void)state;
    static const char pod[] = POD("\"heddle.dev/inject\":\"sidecar\"", "");
    json_t *response = inject("CREATE", "Pod", "", pod);
    assert_true(allowed(response));
    json_t *result = patched(response, pod);
    const json_t *init = json_object_get(json_object_get(result, "spec"), "initContainers");
    assert_int_equal(json_array_size(init), 2);
    json_decref(response);

    /* again, as the API server does when another webhook has changed the pod since */
    char *text = json_dumps(result, 0);
    response = inject("CREATE", "Pod", "", text);
    assert_true(allowed(response));
    assert_null(json_object_get(response, "patch"));
    assert_string_equal(first_warning(response), "");
    free(text);
    json_decref(response);
    json_array_append_new(json_object_get(json_object_get(result, "spec"), "containers"),
                          json_pack("{s:s}", "name", "late"));
    text = json_dumps(result, 0);
    response = inject("CREATE", "Pod", "", text);
    json_t *again = patched(response, text);
    const json_t *late =
        json_array_get(json_object_get(json_object_get(again, "spec"), "containers"), 1);
    assert_non_null(json_object_get(late, "lifecycle"));
    free(text);
    json_decref(response);
    json_decref(again);
    json_decref(result);
}

static void namespaces_say_it_by_the_path(void **state)
{
    (void)state;
    static const char pod[] = POD("", "");
    json_t *response = inject("CREATE", "Pod", "proxyless", pod);
    json_t *result = patched(response, pod);
    json_decref(result);
    json_decref(response);
    response = inject("CREATE", "Pod", "", pod);
    assert_true(allowed(response));
    assert_null(json_object_get(response, "patch"));
    assert_string_equal(first_warning(response), "");
    json_decref(response);
}

static void what_is_not_done_is_told(void **state)
{
    (void)state;
    json_t *response = inject("CREATE", "Pod", "sidecar", POD("", "\"hostNetwork\":true,"));
    assert_true(allowed(response));
    assert_null(json_object_get(response, "patch"));
    assert_non_null(
        strstr(first_warning(response), "heddle: the pod is not in the mesh: hostNetwork: "));
    json_decref(response);
    response = inject("CREATE", "Pod", "sidecar",
                      "{\"metadata\":{\"annotations\":{\"heddle.dev/interception\":\"x\"}},"
                      "\"spec\":{}}");
    assert_false(allowed(response));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(response, "status"), "message")),
        "annotation 'heddle.dev/interception': 'x' is neither 'redirect' nor 'cni'");
    json_decref(response);
}

static void other_objects_pass(void **state)
{
    (void)state;
    static const char pod[] = POD("", "");
    const struct {
        const char *operation, *kind, *object;
    } cases[] = {{"UPDATE", "Pod", pod}, {"DELETE", "Pod", "null"}, {"CREATE", "Node", pod}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *response = inject(cases[i].operation, cases[i].kind, "sidecar", cases[i].object);
        assert_true(allowed(response));
        assert_null(json_object_get(response, "patch"));
        json_decref(response);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *text, *why;
    } cases[] = {
        {"", "line 1 of the review: "},
        {"{", "line 1 of the review: "},
        {"[]", "this is no AdmissionReview of admission.k8s.io/v1\n"},
        {"{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\"}",
         "this is no AdmissionReview of admission.k8s.io/v1\n"},
        {"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"}",
         "the review's request lacks uid, operation or kind\n"},
    };
    const struct admission_check check = {.deny = true};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;
        buf_init(&out, BUF_UNLIMITED);
        assert_int_equal(admission_inject(&settings, STR_NULL, str_from(cases[i].text), &out), 400);
        assert_true(str_starts_with(buf_str(&out), str_from(cases[i].why)));
        buf_clear(&out);
        assert_int_equal(admission_check(&check, str_from(cases[i].text), &out), 400);
        assert_true(str_starts_with(buf_str(&out), str_from(cases[i].why)));
        buf_release(&out);
    }
}

/* --- check ----------------------------------------------------------------------------------- */

static void one_finding(void *user, const struct object *object, struct str key,
                        void (*visit)(void *visitor, const struct problem *problem), void *visitor)
{
    (void)user;
    (void)object;
    assert_true(str_eq(key, STR("HTTPRoute/shop/web")));
    const struct problem problems[] = {
        {.code = PROBLEM_unresolved_reference,
         .path = STR("spec.parentRefs[0]"),
         .text = STR("no Service"),
         .remedy = STR("make one")},
        {.code = PROBLEM_not_enforced, .text = STR("a note")},
    };
    visit(visitor, &problems[0]);
    visit(visitor, &problems[1]);
}

static json_t *check(bool deny, const char *operation, const char *group, const char *kind,
                     const char *object)
{
    struct buf out;
    const struct admission_check config = {.deny = deny, .findings = one_finding};
    buf_init(&out, BUF_UNLIMITED);
    unsigned status = admission_check(&config, review_of(operation, group, kind, object), &out);
    return response_of(status, &out);
}

#define GROUP "gateway.networking.k8s.io"
#define BAD_PATH                                                                                   \
    "\"rules\":[{\"matches\":[{\"path\":{\"type\":\"RegularExpression\",\"value\":\"(\"}}]}]"

static void findings_are_warnings(void **state)
{
    (void)state;
    json_t *response = check(true, "CREATE", GROUP, "HTTPRoute", ROUTE(""));
    assert_true(allowed(response));
    assert_string_equal(first_warning(response),
                        "heddle: HED103 spec.parentRefs[0]: no Service; make one");
    assert_int_equal(json_array_size(json_object_get(response, "warnings")), 1);
    json_decref(response);
}

static void errors_are_denied_where_that_is_wanted(void **state)
{
    (void)state;
    json_t *response = check(false, "UPDATE", GROUP, "HTTPRoute", ROUTE(BAD_PATH));
    assert_true(allowed(response));
    assert_non_null(strstr(first_warning(response), "spec.rules[0].matches[0].path.value"));
    json_decref(response);
    response = check(true, "UPDATE", GROUP, "HTTPRoute", ROUTE(BAD_PATH));
    assert_false(allowed(response));
    assert_non_null(
        strstr(json_string_value(json_object_get(json_object_get(response, "status"), "message")),
               "spec.rules[0].matches[0].path.value"));
    json_decref(response);
    response = check(true, "DELETE", GROUP, "HTTPRoute", ROUTE(BAD_PATH));
    assert_true(allowed(response));
    json_decref(response);
    response = check(true, "DELETE", GROUP, "HTTPRoute", "null");
    assert_true(allowed(response));
    json_decref(response);
    response =
        check(true, "CREATE", "", "LimitRange",
              "{\"apiVersion\":\"v1\",\"kind\":\"LimitRange\",\"metadata\":{\"name\":\"a\"}}");
    assert_true(allowed(response));
    assert_string_equal(first_warning(response), "");
    json_decref(response);
}

#define NAMESPACE(labels)                                                                          \
    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"a\","                  \
    "\"labels\":{" labels "}},\"status\":{\"phase\":\"Active\"}}"

static void slips_in_labels_are_warned_of(void **state)
{
    (void)state;
    const struct admission_check config = {.deny = true};
    static const struct {
        const char *object;
        unsigned warnings;
    } cases[] = {
        {NAMESPACE("\"heddle.dev/inject\":\"sidcar\""), 1},
        {NAMESPACE("\"heddle.dev/inject\":\"sidecar\""), 0},
        {NAMESPACE("\"heddle.dev/injected\":\"sidcar\""), 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;
        buf_init(&out, BUF_UNLIMITED);
        unsigned status =
            admission_check(&config, review_of("UPDATE", "", "Namespace", cases[i].object), &out);
        json_t *response = response_of(status, &out);
        assert_true(allowed(response));
        assert_int_equal(json_array_size(json_object_get(response, "warnings")), cases[i].warnings);
        if (cases[i].warnings > 0) {
            assert_string_equal(first_warning(response),
                                "heddle: HED119 metadata.labels[heddle.dev/inject]: 'sidcar' is no "
                                "value of this label: pods are not brought into the mesh; "
                                "write sidecar, proxyless or disabled");
        }
        json_decref(response);
    }
}

static void warnings_have_bounds(void **state)
{
    (void)state;
    struct arena arena;
    struct review_verdict verdict = {.denied = false};
    char text[400];
    arena_init(&arena);
    memset(text, 'a', sizeof(text));
    memcpy(text + 252, "\xc3\xbc", 2); /* would be cut in its middle */
    for (unsigned i = 0; i < REVIEW_WARNINGS_MAX + 1; i++) {
        review_warn(&verdict, &arena, str_span(text, sizeof(text)));
    }
    assert_int_equal(verdict.nwarnings, REVIEW_WARNINGS_MAX);
    assert_int_equal(verdict.warnings[0].len, 252 + 3);
    assert_true(str_ends_with(verdict.warnings[0], STR("a...")));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_are_injected),
        cmocka_unit_test(namespaces_say_it_by_the_path),
        cmocka_unit_test(what_is_not_done_is_told),
        cmocka_unit_test(other_objects_pass),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(findings_are_warnings),
        cmocka_unit_test(errors_are_denied_where_that_is_wanted),
        cmocka_unit_test(slips_in_labels_are_warned_of),
        cmocka_unit_test(warnings_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
