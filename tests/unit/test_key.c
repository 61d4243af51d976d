/* SPDX-License-Identifier: Apache-2.0 */
/* test_key: the keys of Service ports, made and taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolve/key.h"

#define assert_str(s, text) assert_true(str_eq((s), STR(text)))

static void test_of_all_clients(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct str key = port_key_make(&arena, STR("shop"), STR("cart"), 8080, STR_NULL);
    assert_str(key, "shop/cart:8080");
    struct port_key parts = port_key_parse(key);
    assert_str(parts.ns, "shop");
    assert_str(parts.service, "cart");
    assert_str(parts.object, "shop/cart");
    assert_str(parts.port_key, "shop/cart:8080");
    assert_int_equal(parts.port, 8080);
    assert_int_equal(parts.client_ns.len, 0);
    arena_release(&arena);
}

static void test_of_one_namespace(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct str key = port_key_make(&arena, STR("shop"), STR("cart"), 65535, STR("mobile"));
    assert_str(key, "shop/cart:65535@mobile");
    struct port_key parts = port_key_parse(key);
    assert_str(parts.port_key, "shop/cart:65535");
    assert_str(parts.object, "shop/cart");
    assert_str(parts.client_ns, "mobile");
    assert_int_equal(parts.port, 65535);
    arena_release(&arena);
}

static void test_of_udp(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct str key = udp_port_key_make(&arena, STR("shop"), STR("dns"), 53);
    assert_str(key, "shop/dns:53/udp");
    struct port_key parts = port_key_parse(STR("shop/dns:53/udp@zone/z"));
    assert_str(parts.port_key, "shop/dns:53/udp");
    assert_str(parts.object, "shop/dns");
    assert_str(parts.client_ns, "zone/z");
    assert_int_equal(parts.port, 53);
    assert_true(parts.udp);
    assert_false(port_key_parse(STR("shop/dns:53")).udp);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_all_clients),
        cmocka_unit_test(test_of_one_namespace),
        cmocka_unit_test(test_of_udp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
