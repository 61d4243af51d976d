/* SPDX-License-Identifier: Apache-2.0 */
/* test_listener_name: what a client asks for, told from the name of a Listener alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ir/client.h"
#include "resolve/listener_name.h"

#define SERVER "grpc/server?xds.resource.listening_address="
#define LISTENER "/envoy.config.listener.v3.Listener/"
#define XDSTP "xdstp://cluster.local" LISTENER

static struct str more_authorities[] = {STR("east.example"), STR("west.example:80")};
static const struct settings_row settings = {
    .cluster_domain = STR("cluster.local"),
    .trust_domain = STR("mesh.example"),
    .authorities = {more_authorities, 2},
};

/* "dials HOST:PORT", "serves ADDRESS PORT" or "neither: REASON" */
static const char *read_name(struct str name)
{
    static char text[1024];
    struct arena arena;
    arena_init(&arena);
    struct listener_name read = listener_name_read(&arena, name, &settings);
    if (read.use == LISTENER_DIALLED) {
        (void)snprintf(text, sizeof(text), "dials %.*s", STR_FMT(read.host_port));
    } else if (read.use == LISTENER_SERVED) {
        (void)snprintf(text, sizeof(text), "serves %.*s %d", STR_FMT(read.address), (int)read.port);
    } else {
        (void)snprintf(text, sizeof(text), "neither: %.*s", STR_FMT(read.reason));
    }
    arena_release(&arena);
    return text;
}

#define assert_read(name, text) assert_string_equal(read_name(STR(name)), text)

static void assert_no_address(const char *address)
{
    char name[256];
    (void)snprintf(name, sizeof(name), SERVER "%s", address);
    const char *told = read_name(str_from(name));
    if (strncmp(told, "neither: '", 10) != 0 || strstr(told, "is not IP:PORT") == NULL) {
        fail_msg("'%s' is no address, and yet: %s", address, told);
    }
}

static void test_dialled(void **state)
{
    (void)state;
    assert_read("echo.default.svc.cluster.local:8080", "dials echo.default.svc.cluster.local:8080");
    assert_read("", "dials ");
    assert_read("grpc/servers?x=y", "dials grpc/servers?x=y");
}

/* The text is what the server compares: nothing is put into another form. */
static void test_addresses(void **state)
{
    (void)state;
    assert_read(SERVER "0.0.0.0:50051", "serves 0.0.0.0 50051");
    assert_read(SERVER "127.0.0.1:1", "serves 127.0.0.1 1");
    assert_read(SERVER "[::]:50051", "serves :: 50051");
    assert_read(SERVER "[0:0:0:0:0:0:0:1]:65535", "serves 0:0:0:0:0:0:0:1 65535");
    assert_read(SERVER "[::ffff:10.0.0.1]:80", "serves ::ffff:10.0.0.1 80");
    assert_read(SERVER "[fe80::1%eth0]:50051", "serves fe80::1%eth0 50051");
    assert_read(SERVER "[fe80::1%eb0]:50051", "serves fe80::1%eb0 50051");
    assert_read(SERVER "0.0.0.0:0", "serves 0.0.0.0 0");
}

static void test_percent_encoded(void **state)
{
    (void)state;
    assert_read(SERVER "%5B::%5D:50051", "serves :: 50051");
    assert_read(SERVER "%5b%3A%3a%5d%3a50051", "serves :: 50051");
    assert_read(SERVER "127.0.0.1%3A50051", "serves 127.0.0.1 50051");
    assert_read(SERVER "%5Bfe80::1%25eth0%5D:50051", "serves fe80::1%eth0 50051");
}

static void test_more_parameters(void **state)
{
    (void)state;
    assert_read("grpc/server?a=b&xds.resource.listening_address=0.0.0.0:1&c", "serves 0.0.0.0 1");
}

static void test_federated(void **state)
{
    (void)state;
    assert_read(XDSTP "echo.default.svc.cluster.local:8080",
                "dials echo.default.svc.cluster.local:8080");
    assert_read(XDSTP "echo.default%3A8080?project=a&x=%20#alt=y", "dials echo.default:8080");
    assert_read(XDSTP "%65cho.default:8080", "dials echo.default:8080");
    assert_read(XDSTP "grpc/server?xds.resource.listening_address=%5B::%5D:50051",
                "serves :: 50051");
    assert_read(XDSTP "grpc/server?xds.resource.listening_address=[::]:50051", "serves :: 50051");
    assert_read(XDSTP "grpc/server/0.0.0.0:8080?project_id=1234", "serves 0.0.0.0 8080");
    assert_read(XDSTP "grpc/server/%5Bfe80::1%25eth0%5D:8080", "serves fe80::1%eth0 8080");
    assert_no_address("%5B::%5D");
    assert_non_null(strstr(read_name(STR(XDSTP "grpc/server/")), "is not IP:PORT"));
    assert_non_null(strstr(read_name(STR(XDSTP "grpc/server")), "is not IP:PORT"));
}

/* What would be no text stays percent-encoded: reasons repeat it. */
static void test_what_is_not_decoded(void **state)
{
    (void)state;
    assert_read(XDSTP "a%00%ff%20%7f%2", "dials a%00%ff%20%7f%2");
    assert_read(XDSTP "a%", "dials a%");
    assert_read(XDSTP "a%zz%4", "dials a%zz%4");
}

static void test_authorities(void **state)
{
    (void)state;
    static const char *const ours[] = {
        "", "cluster.local", "mesh.example", "east.example", "west.example:80", "%65ast.example"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        char name[256];
        (void)snprintf(name, sizeof(name), "xdstp://%s" LISTENER "a.b:1", ours[i]);
        assert_string_equal(read_name(str_from(name)), "dials a.b:1");
    }
    assert_read("xdstp://other.example" LISTENER "a.b:1",
                "neither: heddle does not answer for authority 'other.example', but for "
                "'cluster.local'; heddle serve --authority adds others");
    assert_non_null(strstr(read_name(STR("xdstp://Cluster.Local" LISTENER "a.b:1")), "neither"));
    assert_non_null(
        strstr(read_name(STR("xdstp://x" LISTENER "grpc/server/0.0.0.0:1")), "neither"));
}

static void test_not_the_name_of_a_listener(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "xdstp:",
        "xdstp:/",
        "xdstp://",
        "xdstp:///",
        "xdstp://cluster.local",
        "xdstp://cluster.local/",
        "xdstp://cluster.local/envoy.config.listener.v3.Listener",
        "xdstp://cluster.local/envoy.config.listener.v3.Listener/",
        "xdstp://cluster.local/envoy.config.listener.v3.Listener/?a=b",
        "xdstp://cluster.local/envoy.config.route.v3.RouteConfiguration/a.b:1",
        "xdstp:cluster.local/envoy.config.listener.v3.Listener/a.b:1",
        "xdstp://cluster.local?/envoy.config.listener.v3.Listener/a.b:1",
        "xdstp://cluster.local#/envoy.config.listener.v3.Listener/a.b:1",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (strstr(read_name(str_from(wrong[i])), "is not the name of a Listener") == NULL) {
            fail_msg("'%s' is no Listener, and yet: %s", wrong[i], read_name(str_from(wrong[i])));
        }
    }
}

static void test_valid_authorities(void **state)
{
    (void)state;
    assert_true(authority_is_valid(STR("xds.example.com:443")));
    assert_true(authority_is_valid(STR("a_b~C-1")));
    static const char *const wrong[] = {"", "a/b", "a b", "a%20b", "a?b", "a#b", "\xc3\xa9", "a@b"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(authority_is_valid(str_from(wrong[i])));
    }
    char longest[AUTHORITY_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    assert_true(authority_is_valid(str_span(longest, AUTHORITY_MAX)));
    assert_false(authority_is_valid(str_span(longest, AUTHORITY_MAX + 1)));
}

static void test_no_addresses(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        ":",
        ":50051",
        "50051",
        "0.0.0.0",
        "0.0.0.0:",
        "0.0.0.0:x",
        "0.0.0.0:-1",
        "0.0.0.0:65536",
        "0.0.0.0:99999999999999999999",
        "0.0.0:1",
        "localhost:50051",
        "unix:/tmp/socket",
        "::1:50051",
        "[::1]50051",
        "[::1:50051",
        "::1]:50051",
        "[]:50051",
        "[127.0.0.1]:50051",
        "[::1%]:50051",
        "[::1%e/h]:50051",
        "[::1%%]:50051",
        "%",
        "%5",
        "%5B::%5:1",
        "%00:1",
        "0.0.0.0%00:1",
        "\xff\xfe:1",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_no_address(wrong[i]);
    }
    assert_non_null(strstr(read_name(STR("grpc/server")), "is not IP:PORT"));
    assert_non_null(strstr(read_name(STR("grpc/server?x=0.0.0.0:1")), "is not IP:PORT"));
    /* no NUL ends a text early */
    assert_non_null(strstr(read_name(STR(SERVER "0.0.0.0\0:1")), "is not IP:PORT"));
    assert_non_null(strstr(read_name(STR(SERVER "0.0.0.0:1\0")), "is not IP:PORT"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialled),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_percent_encoded),
        cmocka_unit_test(test_more_parameters),
        cmocka_unit_test(test_no_addresses),
        cmocka_unit_test(test_federated),
        cmocka_unit_test(test_what_is_not_decoded),
        cmocka_unit_test(test_authorities),
        cmocka_unit_test(test_not_the_name_of_a_listener),
        cmocka_unit_test(test_valid_authorities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
