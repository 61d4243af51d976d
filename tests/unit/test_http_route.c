/* SPDX-License-Identifier: Apache-2.0 */
/* Is an HTTPRoute read with its defaults, and refused where the API would refuse it? */
#include "model/route.h"
#include "model_rig.h"

#define HEAD                                                                                       \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec:\n"
#define RULE HEAD "  rules:\n  - "
#define FILTER RULE "filters:\n    - "
#define BACKEND "backendRefs: [{name: b, port: 1}]"

static void defaults(void **state)
{
    (void)state;
    struct rig rig;
    const struct http_route *route = rig_object(&rig, HEAD "  parentRefs: [{name: g}]\n");
    assert_true(str_eq(route->route.parents.items[0].group, STR(GATEWAY_GROUP)));
    assert_true(str_eq(route->route.parents.items[0].kind, STR("Gateway")));
    assert_false(route->route.parents.items[0].has_group);
    assert_int_equal(route->rules.len, 1);
    assert_int_equal(route->rules.items[0].matches.len, 1);
    assert_int_equal(route->rules.items[0].matches.items[0].path.type, PATH_PREFIX);
    assert_true(str_eq(route->rules.items[0].matches.items[0].path.value, STR("/")));
    rig_release(&rig);

    route = rig_object(&rig, RULE "matches: [{method: GET}]\n    " BACKEND "\n");
    const struct http_rule *rule = &route->rules.items[0];
    assert_int_equal(rule->line, 6);
    assert_true(str_eq(rule->matches.items[0].path.value, STR("/")));
    assert_true(str_eq(rule->matches.items[0].method, STR("GET")));
    assert_int_equal(rule->backends.items[0].weight, 1);
    assert_true(str_eq(rule->backends.items[0].ref.kind, STR("Service")));
    assert_int_equal(rule->backends.items[0].ref.group.len, 0);
    rig_release(&rig);

    route = rig_object(&rig, RULE "matches: []\n    " BACKEND "\n");
    assert_int_equal(route->rules.items[0].matches.len, 1);
    rig_release(&rig);

    route = rig_object(&rig, FILTER "type: RequestRedirect\n      requestRedirect: {}\n");
    assert_int_equal(route->rules.items[0].filters.items[0].redirect->status, 302);
    rig_release(&rig);
}

static const char everything[] = HEAD
    "  parentRefs:\n"
    "  - {group: \"\", kind: Service, name: s, namespace: n, port: 80}\n"
    "  - {group: \"\", kind: Service, name: s, namespace: n, port: 81}\n"
    "  hostnames: [a.example.com, \"*.example.com\"]\n"
    "  useDefaultGateways: None\n"
    "  rules:\n"
    "  - name: first\n"
    "    matches:\n"
    "    - path: {type: Exact, value: /a%20b}\n"
    "      headers: [{name: x, value: y}, {name: z, type: RegularExpression, value: \"a.*\"}]\n"
    "      queryParams: [{name: q, value: \"any%20thing\"}]\n"
    "      method: POST\n"
    "    - path: {type: RegularExpression, value: \"/(a|b)//\"}\n"
    "    filters:\n"
    "    - type: RequestHeaderModifier\n"
    "      requestHeaderModifier:\n"
    "        set: [{name: a, value: b}]\n"
    "        add: [{name: a, value: b}]\n"
    "        remove: [c, d]\n"
    "    - type: ResponseHeaderModifier\n"
    "      responseHeaderModifier: {remove: [c]}\n"
    "    - type: RequestMirror\n"
    "      requestMirror: {backendRef: {name: m, port: 1}, percent: 0}\n"
    "    - type: RequestMirror\n"
    "      requestMirror: {backendRef: {name: m, port: 1}, fraction: {numerator: 1}}\n"
    "    - type: CORS\n"
    "      cors:\n"
    "        allowOrigins: [\"https://*.example.com\"]\n"
    "        allowMethods: [GET, PUT]\n"
    "        allowCredentials: true\n"
    "    - type: ExtensionRef\n"
    "      extensionRef: {group: \"\", kind: X, name: x}\n"
    "    - type: ExternalAuth\n"
    "      externalAuth:\n"
    "        protocol: HTTP\n"
    "        backendRef: {name: auth, port: 1}\n"
    "        http: {path: /check, allowedHeaders: [a]}\n"
    "        forwardBody: {maxSize: 10}\n"
    "    backendRefs:\n"
    "    - {name: b, port: 1, weight: 0}\n"
    "    - name: c\n"
    "      port: 2\n"
    "      weight: 1000000\n"
    "      filters:\n"
    "      - type: RequestHeaderModifier\n"
    "        requestHeaderModifier: {set: [{name: a, value: b}]}\n"
    "    timeouts: {request: 10s, backendRequest: 0s}\n"
    "    retry: {codes: [500, 503], attempts: 0, backoff: 100ms}\n"
    "    sessionPersistence:\n"
    "      absoluteTimeout: 1h\n"
    "      cookie: {name: k, lifetimeType: Permanent}\n"
    "  - matches: [{path: {value: /old}}]\n"
    "    filters:\n"
    "    - type: RequestRedirect\n"
    "      requestRedirect:\n"
    "        scheme: https\n"
    "        hostname: b.example.com\n"
    "        port: 8443\n"
    "        statusCode: 308\n"
    "        path: {type: ReplacePrefixMatch, replacePrefixMatch: \"\"}\n";

static void every_field(void **state)
{
    (void)state;
    struct rig rig;
    const struct http_route *route = rig_object(&rig, everything);
    const struct http_rule *rule = &route->rules.items[0];
    assert_int_equal(route->route.parents.items[1].port, 81);
    assert_int_equal(rule->filters.len, 7);
    assert_true(rule->filters.items[2].mirror->has_percent);
    assert_int_equal(rule->filters.items[3].mirror->fraction->denominator, 100);
    assert_int_equal(rule->filters.items[4].cors->max_age, 5);
    assert_int_equal(rule->backends.items[0].weight, 0);
    assert_int_equal(rule->timeouts->request_ms, 10000);
    assert_true(rule->timeouts->has_backend);
    assert_int_equal(rule->retry->attempts, 0);
    assert_true(rule->retry->has_attempts);
    assert_int_equal(rule->retry->codes.items[1], 503);
    assert_int_equal(rule->session->cookie->lifetime, COOKIE_PERMANENT);
    assert_int_equal(route->rules.items[1].filters.items[0].redirect->path->type,
                     PATH_MODIFIER_PREFIX);
    rig_release(&rig);
    rig_expect_round_trip(everything);
}

static void wrong_matches(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"matches: [{path: {value: a}}]\n", PROBLEM_bad_format,
         "spec.rules[0].matches[0].path.value", "path 'a' does not begin with '/'"},
        {"matches: [{path: {value: /a//b}}]\n", PROBLEM_bad_format,
         "spec.rules[0].matches[0].path.value", "path '/a//b' contains '//'"},
        {"matches: [{path: {value: /a/../b}}]\n", PROBLEM_bad_format, NULL, NULL},
        {"matches: [{path: {value: /a/..}}]\n", PROBLEM_bad_format, NULL, NULL},
        {"matches: [{path: {value: /a/.}}]\n", PROBLEM_bad_format, NULL, NULL},
        {"matches: [{path: {value: /a%2fb}}]\n", PROBLEM_bad_format, NULL, NULL},
        {"matches: [{path: {value: \"/a#b\"}}]\n", PROBLEM_bad_format, NULL, NULL},
        {"matches: [{path: {value: \"/a b\"}}]\n", PROBLEM_bad_format, NULL, NULL},
        {"matches: [{path: {value: \"/a?b\", type: Exact}}]\n", PROBLEM_bad_format, NULL, NULL},
        {"matches: [{path: {type: Prefix}}]\n", PROBLEM_not_in_enum,
         "spec.rules[0].matches[0].path.type", "'Prefix' is not a value of 'type'"},
        {"matches: [{path: {type: RegularExpression, value: \"/(\"}}]\n", PROBLEM_bad_format, NULL,
         "'/(' is not a regular expression: a ')' is missing"},
        {"matches: [{path: /a}]\n", PROBLEM_wrong_type, "spec.rules[0].matches[0].path",
         "'path' is a string, not a mapping"},
        {"matches: [{method: get}]\n", PROBLEM_not_in_enum, "spec.rules[0].matches[0].method",
         NULL},
        {"matches: [{headers: [{name: a}]}]\n", PROBLEM_required,
         "spec.rules[0].matches[0].headers[0].value", "a header match lacks 'value'"},
        {"matches: [{headers: [{name: a, value: 1}]}]\n", PROBLEM_wrong_type, NULL, NULL},
        {"matches: [{headers: [{name: a b, value: c}]}]\n", PROBLEM_bad_format, NULL, NULL},
        {"matches: [{headers: [{name: a, value: b}, {name: a, value: c}]}]\n", PROBLEM_union,
         "spec.rules[0].matches[0].headers[1]", NULL},
        {"matches: {path: {value: /}}\n", PROBLEM_wrong_type, "spec.rules[0].matches",
         "'matches' is a mapping, not a list"},
        {"matches: [{query: []}]\n", PROBLEM_unknown_field, "spec.rules[0].matches[0].query",
         "an HTTPRoute match has no field 'query'"},
    };
    RIG_EXPECT_ALL(RULE, cases);
}

static void wrong_filters(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"type: RequestMirror\n", PROBLEM_union, "spec.rules[0].filters[0].requestMirror",
         "a filter of type 'RequestMirror' lacks 'requestMirror'"},
        {"type: CORS\n      cors: {}\n      urlRewrite: {}\n", PROBLEM_union,
         "spec.rules[0].filters[0].urlRewrite", "'urlRewrite' is set in a filter of type 'CORS'"},
        {"requestRedirect: {}\n", PROBLEM_required, "spec.rules[0].filters[0].type", NULL},
        {"type: CORS\n      cors: {}\n    - type: CORS\n      cors: {}\n", PROBLEM_union,
         "spec.rules[0].filters[1].type", NULL},
        {"type: URLRewrite\n      urlRewrite: {}\n    - type: RequestRedirect\n"
         "      requestRedirect: {}\n",
         PROBLEM_union, "spec.rules[0].filters[1].type",
         "'RequestRedirect' and 'URLRewrite' exclude each other"},
        {"type: RequestRedirect\n      requestRedirect: {}\n    " BACKEND "\n", PROBLEM_union,
         "spec.rules[0].backendRefs", "a rule that redirects requests cannot have backendRefs"},
        {"type: RequestRedirect\n      requestRedirect: {statusCode: 300}\n", PROBLEM_not_in_enum,
         "spec.rules[0].filters[0].requestRedirect.statusCode", NULL},
        {"type: RequestRedirect\n      requestRedirect: {scheme: ftp}\n", PROBLEM_not_in_enum,
         "spec.rules[0].filters[0].requestRedirect.scheme", NULL},
        {"type: RequestRedirect\n      requestRedirect: {port: 0}\n", PROBLEM_out_of_range,
         "spec.rules[0].filters[0].requestRedirect.port", "'port' is 0, less than 1"},
        {"type: URLRewrite\n      urlRewrite: {path: {type: ReplaceFullPath}}\n", PROBLEM_union,
         NULL, "type 'ReplaceFullPath' demands 'replaceFullPath'"},
        {"type: URLRewrite\n      urlRewrite: {path: {type: ReplacePrefixMatch, "
         "replacePrefixMatch: /}}\n    matches: [{path: {type: Exact, value: /a}}]\n",
         PROBLEM_union, "spec.rules[0].filters", NULL},
        {"type: RequestMirror\n      requestMirror: {backendRef: {name: b, port: 1}, percent: 1, "
         "fraction: {numerator: 1}}\n",
         PROBLEM_union, NULL, "both 'percent' and 'fraction' are set"},
        {"type: RequestMirror\n      requestMirror: {backendRef: {name: b, port: 1}, "
         "fraction: {numerator: 101}}\n",
         PROBLEM_union, NULL, NULL},
        {"type: RequestMirror\n      requestMirror: {backendRef: {name: b}}\n", PROBLEM_union,
         "spec.rules[0].filters[0].requestMirror.backendRef.port",
         "the backendRef to Service 'b' lacks 'port'"},
        {"type: RequestHeaderModifier\n      requestHeaderModifier: {set: [{name: a, value: b}, "
         "{name: a, value: c}]}\n",
         PROBLEM_union, NULL, NULL},
        {"type: RequestHeaderModifier\n      requestHeaderModifier: {remove: [a, a]}\n",
         PROBLEM_union, NULL, NULL},
        {"type: CORS\n      cors: {allowMethods: [\"*\", GET]}\n", PROBLEM_union, NULL, NULL},
        {"type: CORS\n      cors: {maxAge: 0}\n", PROBLEM_out_of_range, NULL, NULL},
        {"type: CORS\n      cors: {allowOrigins: [example.com]}\n", PROBLEM_bad_format, NULL, NULL},
    };
    RIG_EXPECT_ALL(FILTER, cases);
}

static void wrong_rules(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"  rules: []\n", PROBLEM_out_of_range, "spec.rules", NULL},
        {"  rule: []\n", PROBLEM_unknown_field, "spec.rule",
         "an HTTPRoute's spec has no field 'rule'"},
        {"  rules: [{backendRef: []}]\n", PROBLEM_unknown_field, "spec.rules[0].backendRef", NULL},
        {"  rules: [{name: a, matches: [{path: {value: /a}}]}, {name: a}]\n", PROBLEM_union,
         "spec.rules[1]", NULL},
        {"  rules: [{timeouts: {request: 1s, backendRequest: 2s}}]\n", PROBLEM_union,
         "spec.rules[0].timeouts.backendRequest", "'backendRequest' is longer than 'request'"},
        {"  rules: [{timeouts: {request: 10}}]\n", PROBLEM_wrong_type,
         "spec.rules[0].timeouts.request", "'request' is an integer, not a duration"},
        {"  rules: [{timeouts: {request: 1.5s}}]\n", PROBLEM_bad_format, NULL, NULL},
        {"  rules: [{retry: {codes: [200]}}]\n", PROBLEM_out_of_range,
         "spec.rules[0].retry.codes[0]", NULL},
        {"  rules: [{retry: {codes: [500, 500]}}]\n", PROBLEM_union, NULL, NULL},
        {"  rules: [{retry: {attempts: -1}}]\n", PROBLEM_out_of_range, NULL, NULL},
        {"  rules: [{backendRefs: [{name: b, port: 1, weight: 1000001}]}]\n", PROBLEM_out_of_range,
         "spec.rules[0].backendRefs[0].weight", "'weight' is 1000001, more than 1000000"},
        {"  rules: [{backendRefs: [{name: b, port: \"1\"}]}]\n", PROBLEM_wrong_type,
         "spec.rules[0].backendRefs[0].port", "'port' is a string, not an integer"},
        {"  rules: [{backendRefs: [{port: 1}]}]\n", PROBLEM_required, NULL,
         "a backendRef lacks 'name'"},
        {"  rules: [{backendRefs: [{name: b}]}]\n", PROBLEM_union, NULL, NULL},
        {"  rules: [{backendRefs: [{name: b, port: 1, namespace: A}]}]\n", PROBLEM_bad_format, NULL,
         NULL},
        {"  rules: [{sessionPersistence: {type: Header}}]\n", PROBLEM_union, NULL, NULL},
        {"  rules: [{sessionPersistence: {cookie: {lifetimeType: Permanent}}}]\n", PROBLEM_union,
         NULL, NULL},
        {"  rules: [{sessionPersistence: {cookie: {path: \"/a; Domain=b\"}}}]\n",
         PROBLEM_bad_format, "spec.rules[0].sessionPersistence.cookie.path", NULL},
        {"  hostnames: [\"*\"]\n", PROBLEM_bad_format, "spec.hostnames[0]",
         "'*' is not a hostname"},
        {"  hostnames: a\n", PROBLEM_wrong_type, "spec.hostnames", NULL},
        {"  parentRefs: [{name: a}, {name: a}]\n", PROBLEM_union, "spec.parentRefs[1]",
         "the same parent as on line 5"},
        {"  parentRefs: [{name: a}, {name: a, port: 1}]\n", PROBLEM_union, "spec.parentRefs[1]",
         NULL},
        {"  parentRefs: [{name: \"\"}]\n", PROBLEM_out_of_range, "spec.parentRefs[0].name",
         "'name' is empty"},
        {"  useDefaultGateways: Some\n", PROBLEM_not_in_enum, "spec.useDefaultGateways", NULL},
    };
    RIG_EXPECT_ALL(HEAD, cases);
}

static void counts_are_bounded(void **state)
{
    (void)state;
    char yaml[16384];
    size_t len = (size_t)snprintf(yaml, sizeof(yaml), HEAD "  rules:\n");
    for (unsigned i = 0; i < 3; i++) { /* 3 rules of 43 matches: 129 in all */
        len += (size_t)snprintf(yaml + len, sizeof(yaml) - len, "  - matches:\n");
        for (unsigned j = 0; j < 43; j++) {
            len += (size_t)snprintf(yaml + len, sizeof(yaml) - len, "    - path: {value: /%u-%u}\n",
                                    i, j);
        }
    }
    rig_expect(yaml, PROBLEM_out_of_range, "spec.rules",
               "the rules have 129 matches in all, more than 128");

    len = (size_t)snprintf(yaml, sizeof(yaml), HEAD "  rules:\n");
    for (unsigned i = 0; i < 17; i++) {
        len += (size_t)snprintf(yaml + len, sizeof(yaml) - len,
                                "  - matches: [{path: {value: /%u}}]\n", i);
    }
    rig_expect(yaml, PROBLEM_out_of_range, "spec.rules", "'rules' has 17 items, more than 16");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),      cmocka_unit_test(every_field),
        cmocka_unit_test(wrong_matches), cmocka_unit_test(wrong_filters),
        cmocka_unit_test(wrong_rules),   cmocka_unit_test(counts_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
