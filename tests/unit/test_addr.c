/* SPDX-License-Identifier: Apache-2.0 */
/* Are addresses read and printed as people write them, and is what is wrong said clearly? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "net/addr.h"

static void text_survives_the_round_trip(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"127.0.0.1:15010", "127.0.0.1:15010"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"[::1]:65535", "[::1]:65535"},
        {"[2001:db8:0:0::1]:80", "[2001:db8::1]:80"},
        {"localhost:8080", "127.0.0.1:8080"},
        {"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:1",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sockaddr_storage addr;
        struct err err = {""};
        char text[ADDR_TEXT_MAX];
        assert_true(addr_parse(str_from(cases[i][0]), &addr, &err));
        addr_text(&addr, text);
        assert_string_equal(text, cases[i][1]);
    }
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"127.0.0.1", "no port"},
        {"", "no port"},
        {":80", "0.0.0.0:80 means all"},
        {"127.0.0.1:", "not a number"},
        {"127.0.0.1:65536", "not a number"},
        {"127.0.0.1:-1", "not a number"},
        {"127.0.0.1:0x50", "not a number"},
        {"example.com:80", "not an IP address"},
        {"::1:80", "not an IP address"},
        {"[::1]", "write ADDRESS:PORT"},
        {"[::1]80", "write ADDRESS:PORT"},
        {"[::1:80", "write ADDRESS:PORT"},
        {"[127.0.0.1]:80", "not an IP address"},
        {"[::1%lo]:80", "not an IP address"},
        {"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26:80",
         "not an IP address"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sockaddr_storage addr = {.ss_family = 77};
        struct err err = {""};
        assert_false(addr_parse(str_from(cases[i][0]), &addr, &err));
        assert_non_null(strstr(err.text, cases[i][1]));
        assert_int_equal(addr.ss_family, 77); /* untouched on failure */
    }
}

static void questions_about_an_address(void **state)
{
    (void)state;
    struct sockaddr_storage addr;
    char text[ADDR_TEXT_MAX];
    assert_true(addr_parse(STR("[::ffff:127.0.0.1]:443"), &addr, NULL));
    assert_int_equal(addr_port(&addr), 443);
    assert_true(addr_parse(STR("10.0.0.1:443"), &addr, NULL));
    addr_host_text(&addr, text);
    assert_string_equal(text, "10.0.0.1");
    addr = (struct sockaddr_storage){.ss_family = AF_UNIX};
    addr_text(&addr, text);
    assert_string_equal(text, "unknown");
}

static void a_peer_is_a_host(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"10.0.0.1:443", "10.0.0.1"},
        {"[::ffff:10.0.0.1]:443", "10.0.0.1"},
        {"[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"},
        {"[2001:db8:1:2::]:1", "2001:db8:1:2::/64"},
        {"[2001:db8:1:3::1]:1", "2001:db8:1:3::/64"},
        {"[2001:db8:1111:2222:3333:4444:5555:6666]:1", "2001:db8:1111:2222::/64"},
        {"[::1]:1", "::/64"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sockaddr_storage addr;
        char text[ADDR_TEXT_MAX];
        assert_true(addr_parse(str_from(cases[i][0]), &addr, NULL));
        addr_peer_text(&addr, text);
        assert_string_equal(text, cases[i][1]);
    }
}

static void this_host_is_known(void **state)
{
    static const struct {
        const char *text;
        bool loopback;
    } addresses[] = {
        {"127.0.0.1:1", true},
        {"127.255.0.9:1", true},
        {"[::1]:1", true},
        {"[::ffff:127.0.0.1]:1", true},
        {"[::ffff:10.1.2.127]:1", false},
        {"10.127.0.1:1", false},
        {"0.0.0.0:1", false},
        {"[::]:1", false},
        {"[fe80::1]:1", false},
        {"[7f00::1]:1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct sockaddr_storage addr;
        assert_true(addr_parse(str_from(addresses[i].text), &addr, NULL));
        assert_int_equal(addr_is_loopback(&addr), addresses[i].loopback);
    }
    const struct sockaddr_storage none = {.ss_family = AF_UNIX};
    assert_false(addr_is_loopback(&none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_survives_the_round_trip), cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(questions_about_an_address),   cmocka_unit_test(a_peer_is_a_host),
        cmocka_unit_test(this_host_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
