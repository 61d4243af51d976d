/* SPDX-License-Identifier: Apache-2.0 */
/* test_question: URLs, methods and headers that can be asked about, and those that cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/question.h"

#define assert_str(s, text) assert_true(str_eq((s), STR(text)))

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct question parse(const char *url)
{
    struct question question;
    struct err err;
    if (!question_parse(STR("GET"), str_from(url), &arena, &question, &err)) {
        fail_msg("'%s': %s", url, err.text);
    }
    return question;
}

static void test_parts(void **state)
{
    (void)state;
    struct question question = parse("http://echo.a:8080/b//c%2F?p=1&q#top");
    assert_str(question.host, "echo.a");
    assert_int_equal(question.port, 8080);
    assert_str(question.request.method, "GET");
    assert_str(question.request.path, "/b//c%2F");
    assert_str(question.request.query, "p=1&q");
    assert_true(question.fragment);
    question = parse("xds:///echo.a.svc.cluster.local:90/pkg.S/M");
    assert_str(question.host, "echo.a.svc.cluster.local");
    assert_str(question.request.path, "/pkg.S/M");
    assert_null(question.request.query.ptr);
    assert_false(question.fragment);
    assert_int_equal(question.authority.len, 0);
    question = parse("xds://xds.east.example:443/echo.a:90/pkg.S/M");
    assert_str(question.authority, "xds.east.example:443");
    assert_str(question.host, "echo.a");
    assert_int_equal(question.port, 90);
    assert_str(question.request.path, "/pkg.S/M");
    question = parse("grpc://10.0.0.1:1/?a?b");
    assert_str(question.host, "10.0.0.1");
    assert_str(question.request.query, "a?b");
}

static void test_what_may_be_missing(void **state)
{
    (void)state;
    struct question question = parse("http://echo");
    assert_int_equal(question.port, 80);
    assert_str(question.request.path, "/");
    question = parse("http://echo?");
    assert_str(question.request.path, "/");
    assert_non_null(question.request.query.ptr);
    assert_int_equal(question.request.query.len, 0);
    question = parse("http://echo:81#x?y/z");
    assert_int_equal(question.port, 81);
    assert_str(question.request.path, "/");
    assert_null(question.request.query.ptr);
}

static void test_what_is_no_request(void **state)
{
    static const char *const cases[][3] = {
        {"GET", "echo.a/",
         "'echo.a/' is not a URL; write http://HOST:PORT/PATH, https://…, grpc://…, "
         "xds:///…, tcp://HOST:PORT, tls://HOST:PORT or udp://HOST:PORT"},
        {"POST", "xds://echo.a:80",
         "'xds://echo.a:80' is not a URL; write http://HOST:PORT/PATH, https://…, grpc://…, "
         "xds:///…, tcp://HOST:PORT, tls://HOST:PORT or udp://HOST:PORT"},
        {"GET", "http://:80/", "':80' names no host"},
        {"GET", "http:///x", "'' names no host"},
        {"GET", "http://a:0/", "'a:0' has no port number after the ':'"},
        {"GET", "http://a:65536/", "'a:65536' has no port number after the ':'"},
        {"GET", "http://a:/", "'a:' has no port number after the ':'"},
        {"GET", "http://a/b c",
         "a URL holds printable ASCII only; write ' ' as %20, and 'é' as "
         "%C3%A9"},
        {"GET", "http://a/é",
         "a URL holds printable ASCII only; write ' ' as %20, and 'é' as "
         "%C3%A9"},
        {"", "http://a/", "'' is not an HTTP method"},
        {"G T", "http://a/", "'G T' is not an HTTP method"},
        {"CONNECT", "http://a/", "a CONNECT has no path, and no route takes it"},
        {"GET", "tcp://a:1", "a connection has no method; say heddle why NODE tcp://HOST:PORT"},
        {"", "tcp://a", "'a' names no port"},
        {"", "tcp://a:1/b", "a connection has no path: '/b'"},
        {"", "tls://a?b", "a connection has no path: '?b'"},
        {"", "udp://a", "'a' names no port"},
        {"GET", "udp://a:53", "a connection has no method; say heddle why NODE tcp://HOST:PORT"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct question question;
        struct err err;
        assert_false(
            question_parse(str_from(cases[i][0]), str_from(cases[i][1]), &arena, &question, &err));
        assert_string_equal(err.text, cases[i][2]);
    }
}

static void test_connections(void **state)
{
    (void)state;
    struct err err;
    struct question question;
    assert_true(question_parse(STR_NULL, STR("tcp://db.a:5432/"), &arena, &question, &err));
    assert_int_equal(question.about, ABOUT_TCP);
    assert_str(question.host, "db.a");
    assert_int_equal(question.port, 5432);
    assert_int_equal(question.server_name.len, 0);
    assert_false(question_set_server_name(STR("a"), &question, &err));
    assert_string_equal(err.text,
                        "only a connection of TLS asks for a server name; write tls://… or "
                        "https://…");

    assert_true(question_parse(STR_NULL, STR("tls://db.a"), &arena, &question, &err));
    assert_int_equal(question.about, ABOUT_TLS);
    assert_int_equal(question.port, 443);
    assert_str(question.server_name, "db.a");
    assert_false(question_set_server_name(STR("10.0.0.1"), &question, &err));
    assert_string_equal(err.text, "'10.0.0.1' is not the name of a server");
    assert_true(question_set_server_name(STR("B.example.com"), &question, &err));
    assert_str(question.server_name, "B.example.com");
    assert_true(question_parse(STR_NULL, STR("tls://10.0.0.1:465"), &arena, &question, &err));
    assert_int_equal(question.server_name.len, 0);

    const struct client_class sidecar = {.role = ROLE_SIDECAR};
    const struct client_class proxyless = {.role = ROLE_PROXYLESS};
    question.client = &sidecar;
    assert_true(question_fits(&question, &err));
    question.client = &proxyless;
    assert_false(question_fits(&question, &err));
    question.client = &sidecar;
    assert_true(question_add_header(STR("a: b"), &question.request, &err));
    assert_false(question_fits(&question, &err));
    assert_string_equal(err.text, "a connection has no headers");
}

static void test_what_gateways_are_asked(void **state)
{
    const struct client_class gateway = {.role = ROLE_GATEWAY};
    const struct client_class sidecar = {.role = ROLE_SIDECAR};
    struct err err;
    (void)state;
    struct question question = parse("https://Shop.example.com/cart?x");
    assert_int_equal(question.about, ABOUT_REQUEST);
    assert_true(question.https);
    assert_int_equal(question.port, 443);
    assert_str(question.server_name, "Shop.example.com");
    assert_true(question_set_server_name(STR("a.example.com"), &question, &err));
    assert_str(question.server_name, "a.example.com");
    question.client = &gateway;
    assert_true(question_fits(&question, &err));
    question.client = &sidecar;
    assert_false(question_fits(&question, &err));
    assert_string_equal(err.text, "the mesh sees what applications encrypt as connections; write "
                                  "tls://HOST:PORT, or ask a Gateway: gateway/NAMESPACE/NAME");
    question = parse("https://10.0.0.1:8443");
    assert_int_equal(question.port, 8443);
    assert_int_equal(question.server_name.len, 0);

    assert_true(question_parse(STR_NULL, STR("udp://dns:53"), &arena, &question, &err));
    assert_int_equal(question.about, ABOUT_UDP);
    question.client = &gateway;
    assert_true(question_fits(&question, &err));
    question.client = &sidecar;
    assert_false(question_fits(&question, &err));
    assert_string_equal(err.text, "the mesh carries no UDP; ask a Gateway: gateway/NAMESPACE/NAME");
}

static void test_headers(void **state)
{
    struct request request;
    struct err err;
    (void)state;
    memset(&request, 0, sizeof(request));
    assert_true(question_add_header(STR("X-One:  a:b "), &request, &err));
    assert_str(request.headers[0].name, "X-One");
    assert_str(request.headers[0].value, "a:b");
    assert_true(question_add_header(STR("empty:"), &request, &err));
    assert_int_equal(request.headers[1].value.len, 0);
    assert_false(question_add_header(STR("x-one"), &request, &err));
    assert_string_equal(err.text, "'x-one' is not a header; write 'NAME: VALUE'");
    assert_false(question_add_header(STR(": a"), &request, &err));
    assert_false(question_add_header(STR("x y: a"), &request, &err));
    assert_false(question_add_header(STR("x: a\r\ny: b"), &request, &err));
    assert_string_equal(err.text, "the value of header 'x' holds a control character");
    assert_int_equal(request.nheaders, 2);
    while (request.nheaders < REQUEST_HEADERS_MAX) {
        assert_true(question_add_header(STR("x: a"), &request, &err));
    }
    assert_false(question_add_header(STR("x: a"), &request, &err));
    assert_string_equal(err.text, "more than 100 headers");
}

static void test_who_asks(void **state)
{
    const struct client_class sidecar = {.role = ROLE_SIDECAR};
    const struct client_class proxyless = {.role = ROLE_PROXYLESS};
    struct err err;
    (void)state;
    struct question question = parse("http://echo.a/p.S/M");
    question.client = &sidecar;
    assert_true(question_fits(&question, &err));
    question.client = &proxyless;
    assert_false(question_fits(&question, &err));
    assert_string_equal(err.text, "a proxyless client makes gRPC calls: write POST, and a path "
                                  "/PACKAGE.SERVICE/METHOD without a query");
    question.request.method = STR("POST");
    assert_true(question_fits(&question, &err));
    question.request.query = STR("");
    assert_false(question_fits(&question, &err));
    question = parse("xds://east/echo.a/p.S/M");
    question.client = &sidecar;
    assert_false(question_fits(&question, &err));
    assert_string_equal(err.text,
                        "only gRPC clients dial names of an authority; write xds:///HOST:PORT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_what_may_be_missing),
        cmocka_unit_test(test_what_is_no_request),
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_what_gateways_are_asked),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_who_asks),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
