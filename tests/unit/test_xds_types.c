/* SPDX-License-Identifier: Apache-2.0 */
/* test_xds_types: is every message type of the generated xDS protos found by its name? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "xds_types.h"

#define LOOKUP(name) xds_type_lookup((name), strlen(name))

static void every_type_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < XDS_MESSAGE_TYPES; i++) {
        assert_ptr_equal(LOOKUP(xds_types[i]->name), xds_types[i]);
    }
}

static void roots_are_there(void **state)
{
    (void)state;
    assert_non_null(LOOKUP("envoy.service.discovery.v3.DeltaDiscoveryRequest"));
    assert_non_null(LOOKUP("envoy.config.route.v3.RouteConfiguration"));
    assert_non_null(LOOKUP("envoy.config.route.v3.VirtualHost"));
    assert_non_null(LOOKUP("envoy.extensions.transport_sockets.tls.v3.Secret"));
    assert_non_null(LOOKUP("google.protobuf.Any"));
}

static void other_names_are_not_found(void **state)
{
    (void)state;
    assert_null(xds_type_lookup("", 0));
    assert_null(LOOKUP("envoy.config.route.v3"));
    assert_null(LOOKUP("envoy.config.route.v3.VirtualHos"));
    assert_null(LOOKUP("envoy.config.route.v3.VirtualHostt"));
    assert_null(xds_type_lookup("google.protobuf.Any\0", 20));
    assert_null(LOOKUP("zzz"));
}

static void length_counts(void **state)
{
    const char *text = "google.protobuf.AnyThing";

    (void)state;
    assert_non_null(xds_type_lookup(text, strlen("google.protobuf.Any")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_found),
        cmocka_unit_test(roots_are_there),
        cmocka_unit_test(other_names_are_not_found),
        cmocka_unit_test(length_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
