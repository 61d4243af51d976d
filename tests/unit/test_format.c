/* SPDX-License-Identifier: Apache-2.0 */
/* Are the forms of texts told apart as the APIs do? */
#include "codec/rfc3339.h"
#include "model/format.h"
#include "model_rig.h"

struct format_case {
    const struct format *format;
    const char *good[8];
    const char *bad[12];
};

static bool accepts(const struct format *format, struct str text)
{
    if (text.len == 0) {
        return format->allow_empty;
    }
    return (format->max == 0 || text.len <= format->max) && format->matches(text);
}

static void formats_have_bounds(void **state)
{
    (void)state;
    static const struct format_case cases[] = {
        {&format_label, {"a", "a-b", "0a9"}, {"", "-a", "a-", "A", "a.b", "a_b", "ä"}},
        {&format_subdomain, {"a", "a.b-c.d"}, {"", "a..b", ".a", "a.", "a.-b", "A.b"}},
        {&format_service_name, {"a", "a1"}, {"1a", "a.b", "a-"}},
        {&format_port_name, {"http", "a1-b"}, {"1", "a--b", "-a", "sixteen-letters-x", "Http"}},
        {&format_hostname, {"example.com", "1.2.3.4"}, {"*.example.com", "a:80", "Example.com"}},
        {&format_hostname_any, {"*.example.com", "a"}, {"*", "*.", "a.*.b", "*a.b", "*.*.a"}},
        {&format_server_name, {"*.example.com", "a", "1.2.3"}, {"1.2.3.4", "*", "A", "::1"}},
        {&format_group, {"", "gateway.networking.k8s.io"}, {"Gateway", "a/b", "a."}},
        {&format_kind, {"Service", "x", "A-b"}, {"", "1a", "a_b", "a-", "a b"}},
        {&format_header_name, {"x-a", "A!#$%&'*+-.^_`|~9"}, {"", "a b", "a:b", "a\x7f", "ä"}},
        {&format_header_value, {"a", "a b", "a\tb"}, {" a", "a ", "a  b", "a\nb", "\x01"}},
        {&format_origin,
         {"*", "https://a", "http://*.b.c:80", "https://*:443", "http://A-b.c"},
         {"", "a", "ftp://a", "https://", "https://a:", "https://a:123456", "https://a/",
          "https://a.*", "https://*a", "https://a..b"}},
        {&format_label_key,
         {"app", "app.kubernetes.io/name", "a_b.C"},
         {"", "/a", "a/", "a/b/c", "A.b/c", "-a"}},
        {&format_annotation_key, {"Example.com/Note", "a"}, {"a b", "/a"}},
        {&format_ip, {"10.0.0.1", "::1", "fe80::1:2"}, {"10.0.0", "1.2.3.256", "a", "1.2.3.4 "}},
        {&format_cluster_ip, {"", "None", "127.0.0.1", "::"}, {"none", "a"}},
        {&format_external_name, {"a.b", "a.b."}, {".", "a..", "A"}},
        {&format_cookie_path, {"", "/", "/a/b=c,d"}, {"/a;b", "/a b", "/a\r\nx: y", "/\xc3\xa9"}},
        {&format_url_path, {"/a%2Fb", "a~:@"}, {"", "a b", "%2", "%zz", "a?b", "a#b"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t j = 0; j < 8 && cases[i].good[j] != NULL; j++) {
            if (!accepts(cases[i].format, str_from(cases[i].good[j]))) {
                fail_msg("'%s' is %s", cases[i].good[j], cases[i].format->name);
            }
        }
        for (size_t j = 0; j < 12 && cases[i].bad[j] != NULL; j++) {
            if (accepts(cases[i].format, str_from(cases[i].bad[j]))) {
                fail_msg("'%s' is not %s", cases[i].bad[j], cases[i].format->name);
            }
        }
    }
}

static void nul_bytes_are_no_letters(void **state)
{
    (void)state;
    struct str text = STR("a\0b");
    assert_false(format_header_name.matches(text));
    assert_false(format_is_path(text));
    assert_false(format_is_label(text));
    assert_false(format_is_ipv4(STR("1.2.3.4\0")));
    assert_false(format_label_key.matches(text));
}

static void grpc_names(void **state)
{
    (void)state;
    assert_true(format_is_grpc_service(STR("echo_basic.grpcecho.GrpcEcho")));
    assert_true(format_is_grpc_service(STR(".a")));
    assert_false(format_is_grpc_service(STR("")));
    assert_false(format_is_grpc_service(STR(".")));
    assert_false(format_is_grpc_service(STR("a..b")));
    assert_false(format_is_grpc_service(STR("a/b")));
    assert_true(format_is_grpc_method(STR("Echo2_")));
    assert_false(format_is_grpc_method(STR("2Echo")));
    assert_false(format_is_grpc_method(STR("a.b")));
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
        const char *written;
    } cases[] = {
        {"0s", 0, "0s"},
        {"1h30m", 5400000, "1h30m"},
        {"90m", 5400000, "1h30m"},
        {"1500ms", 1500, "1s500ms"},
        {"1h1m1s1ms", 3661001, "1h1m1s1ms"},
        {"99999h99999h", FORMAT_DURATION_MAX_MS, "99999h"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = -1;
        struct buf text;
        buf_init(&text, 64);
        assert_true(format_read_duration(str_from(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].ms);
        format_write_duration(ms, &text);
        assert_true(str_eq(buf_str(&text), str_from(cases[i].written)));
        buf_release(&text);
    }
    static const char *const bad[] = {"",    "1",       "s",          "1d", "1.5s",
                                      "-1s", "100000s", "1h1h1h1h1h", "1s "};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ms;
        assert_false(format_read_duration(str_from(bad[i]), &ms));
    }
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-23T11:46:58Z", 1795434418},
        {"2000-02-29T23:59:59Z", 951868799},
        {"2026-11-23T12:46:58+01:00", 1795434418},
        {"1969-12-31T23:59:59Z", -1},
        {"2026-11-23T11:46:58.123Z", 1795434418},
        {"9999-12-31T23:59:59Z", 253402300799},
        {"0001-01-01T00:00:00Z", -62135596800},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t seconds, again;
        struct buf text;
        buf_init(&text, 64);
        assert_true(rfc3339_read(str_from(cases[i].text), &seconds));
        assert_int_equal(seconds, cases[i].seconds);
        rfc3339_write(seconds, &text);
        assert_true(rfc3339_read(buf_str(&text), &again));
        assert_int_equal(again, seconds);
        buf_release(&text);
    }
    static const char *const bad[] = {"",
                                      "2026-11-23",
                                      "2026-02-29T00:00:00Z",
                                      "2026-11-23T24:00:00Z",
                                      "2026-11-23T11:46:58",
                                      "2026-11-23T11:46:58Zx",
                                      "2026-13-01T00:00:00Z"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t seconds;
        assert_false(rfc3339_read(str_from(bad[i]), &seconds));
    }
}

static void values_hold_no_nul(void **state)
{
    (void)state;
    assert_true(format_any_value.matches(str_from("any\ttext")));
    assert_false(format_any_value.matches(str_span("a\0b", 3)));
    assert_false(format_query_value.matches(str_span("a\0b", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_hold_no_nul),
        cmocka_unit_test(formats_have_bounds),
        cmocka_unit_test(nul_bytes_are_no_letters),
        cmocka_unit_test(grpc_names),
        cmocka_unit_test(durations),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
