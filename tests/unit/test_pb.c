/* SPDX-License-Identifier: Apache-2.0 */
/* Is what pb writes the wire format, so that parts spliced by hand unpack as one message? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "codec/pb.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"

static struct buf out;

static int out_start(void **state)
{
    (void)state;
    buf_init(&out, BUF_UNLIMITED);
    return 0;
}

static int out_end(void **state)
{
    (void)state;
    buf_release(&out);
    return 0;
}

static void varints_take_seven_bits_a_byte(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        struct str bytes;
    } cases[] = {
        {0, {"\0", 1}},
        {127, {"\x7f", 1}},
        {128, {"\x80\x01", 2}},
        {300, {"\xac\x02", 2}},
        {UINT32_MAX, {"\xff\xff\xff\xff\x0f", 5}},
        {UINT64_MAX, {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_clear(&out);
        pb_put_varint(&out, cases[i].value);
        assert_true(str_eq(buf_str(&out), cases[i].bytes));
        assert_int_equal(pb_varint_size(cases[i].value), cases[i].bytes.len);
    }
}

static void fields_have_tags(void **state)
{
    (void)state;
    pb_put_bytes(&out, 2, STR("testing"));
    assert_true(str_eq(buf_str(&out), STR("\x12\x07testing")));
    buf_clear(&out);
    pb_put_bytes(&out, 1, STR_NULL);
    assert_true(str_eq(buf_str(&out), STR("\x0a\0")));
    buf_clear(&out);
    pb_put_uint(&out, 16, 150);
    assert_true(str_eq(buf_str(&out), STR("\x80\x01\x96\x01")));
    buf_clear(&out);
    pb_put_header(&out, 536870911, 1);
    assert_true(str_eq(buf_str(&out), STR("\xfa\xff\xff\xff\x0f\x01")));
}

/* A DiscoveryResponse put together as serve/ does it. */
static void spliced_parts_are_one_message(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    Google__Protobuf__UInt32Value number = GOOGLE__PROTOBUF__UINT32_VALUE__INIT;
    number.value = 42;
    struct str packed = pb_pack(&arena, &number.base);
    struct str type_url = pb_type_url(&arena, number.base.descriptor);
    assert_string_equal(type_url.ptr, "type.googleapis.com/google.protobuf.UInt32Value");

    pb_put_bytes(&out, 1, STR("v1"));
    for (unsigned i = 0; i < 3; i++) {
        Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
        char url[64];
        snprintf(url, sizeof(url), "%.*s", STR_FMT(type_url));
        any.type_url = url;
        any.value = (ProtobufCBinaryData){.len = packed.len, .data = (uint8_t *)packed.ptr};
        pb_put_message(&out, 2, &any.base);
    }
    pb_put_uint(&out, 3, 1);
    pb_put_header(&out, 5, 5);
    buf_add_text(&out, "nonce");

    Envoy__Service__Discovery__V3__DiscoveryResponse *response =
        envoy__service__discovery__v3__discovery_response__unpack(NULL, out.len, out.data);
    assert_non_null(response);
    assert_string_equal(response->version_info, "v1");
    assert_int_equal(response->n_resources, 3);
    assert_string_equal(response->resources[2]->type_url, type_url.ptr);
    assert_memory_equal(response->resources[2]->value.data, "\x08\x2a", 2);
    assert_true(response->canary);
    assert_string_equal(response->nonce, "nonce");
    envoy__service__discovery__v3__discovery_response__free_unpacked(response, NULL);
    arena_release(&arena);
}

static void empty_and_oversized_messages(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    Google__Protobuf__StringValue text = GOOGLE__PROTOBUF__STRING_VALUE__INIT;
    assert_int_equal(pb_pack(&arena, &text.base).len, 0);
    pb_put_message(&out, 1, &text.base);
    assert_true(str_eq(buf_str(&out), STR("\x0a\0")));
    struct buf small;
    buf_init(&small, 4);
    text.value = "too long for it";
    pb_put_message(&small, 1, &text.base);
    assert_false(buf_ok(&small));
    buf_release(&small);
    arena_release(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, out_start, out_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(varints_take_seven_bits_a_byte),
        TEST(fields_have_tags),
        TEST(spliced_parts_are_one_message),
        TEST(empty_and_oversized_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
