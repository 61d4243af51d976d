/* SPDX-License-Identifier: Apache-2.0 */
/* Does the guard stop what would hurt protobuf-c, and let honest messages through? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "codec/pb.h"
#include "envoy/config/listener/v3/listener_components.pb-c.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"

#define REQUEST (&envoy__service__discovery__v3__discovery_request__descriptor)
#define VALUE (&google__protobuf__value__descriptor)

static const struct pb_limits limits = {.depth = 100, .messages = 1000, .elements = 1000};

static struct err err;

/* Puts `levels` lists around what buf holds, from the inside out. */
static void wrap_in_lists(struct buf *buf, unsigned levels)
{
    for (unsigned i = 0; i < levels; i++) {
        struct buf outer;
        buf_init(&outer, BUF_UNLIMITED);
        struct buf list;
        buf_init(&list, BUF_UNLIMITED);
        pb_put_bytes(&list, 1, buf_str(buf));    /* ListValue.values */
        pb_put_bytes(&outer, 6, buf_str(&list)); /* Value.list_value */
        buf_release(&list);
        buf_release(buf);
        *buf = outer;
    }
}

static void expect_refusal(const ProtobufCMessageDescriptor *type, struct str bytes,
                           const char *why)
{
    err.text[0] = '\0';
    assert_false(pb_guard(type, bytes, &limits, &err));
    if (strstr(err.text, why) == NULL) {
        print_error("'%s' does not say '%s'\n", err.text, why);
        fail();
    }
}

static void honest_messages_pass(void **state)
{
    (void)state;
    struct buf value, entry, request;
    buf_init(&value, BUF_UNLIMITED);
    buf_init(&entry, BUF_UNLIMITED);
    buf_init(&request, BUF_UNLIMITED);
    pb_put_bytes(&value, 3, STR("x"));
    wrap_in_lists(&value, 10);
    pb_put_bytes(&entry, 1, STR("key"));
    pb_put_bytes(&entry, 2, buf_str(&value));
    struct buf metadata, node;
    buf_init(&metadata, BUF_UNLIMITED);
    buf_init(&node, BUF_UNLIMITED);
    pb_put_bytes(&metadata, 1, buf_str(&entry));
    pb_put_bytes(&node, 1, STR("sidecar/default/a"));
    pb_put_bytes(&node, 3, buf_str(&metadata));
    pb_put_bytes(&request, 1, STR("v1"));
    pb_put_bytes(&request, 2, buf_str(&node));
    pb_put_bytes(&request, 3, STR("one"));
    pb_put_bytes(&request, 3, STR("two"));
    pb_put_uint(&request, 1000, 7);                    /* unknown */
    pb_put_bytes(&request, 1001, STR("\xff\xff\xff")); /* unknown, not looked into */
    assert_true(pb_guard(REQUEST, buf_str(&request), &limits, &err));
    Envoy__Service__Discovery__V3__DiscoveryRequest *unpacked =
        envoy__service__discovery__v3__discovery_request__unpack(NULL, request.len, request.data);
    assert_non_null(unpacked);
    assert_string_equal(unpacked->node->id, "sidecar/default/a");
    envoy__service__discovery__v3__discovery_request__free_unpacked(unpacked, NULL);
    assert_true(pb_guard(REQUEST, STR_NULL, &limits, &err));
    for (size_t len = 1; len < request.len; len++) {
        struct str cut = str_sub(buf_str(&request), 0, len);
        if (pb_guard(REQUEST, cut, &limits, NULL)) {
            unpacked = envoy__service__discovery__v3__discovery_request__unpack(
                NULL, len, (const uint8_t *)cut.ptr);
            assert_non_null(unpacked);
            envoy__service__discovery__v3__discovery_request__free_unpacked(unpacked, NULL);
        }
    }
    buf_release(&value);
    buf_release(&entry);
    buf_release(&request);
    buf_release(&metadata);
    buf_release(&node);
}

/* 154 KB from any pod that would overflow the stack of the thread that unpacks them. */
static void deep_nesting_is_refused(void **state)
{
    (void)state;
    /* Built backwards in one array: each level is Value{6: ListValue{1: …}}. */
    enum { LEVELS = 20000, ROOM = 200000 };
    static uint8_t room[ROOM];
    size_t at = ROOM;
    for (unsigned level = 0; level < 2 * LEVELS; level++) {
        struct buf header;
        buf_init(&header, 16);
        pb_put_header(&header, level % 2 == 0 ? 1 : 6, ROOM - at);
        at -= header.len;
        memcpy(room + at, header.data, header.len);
        buf_release(&header);
    }
    struct str value = str_span((const char *)room + at, ROOM - at);
    assert_in_range(value.len, 140000, 170000);
    expect_refusal(VALUE, value, "nested too deep (more than 100 levels)");

    struct buf request;
    buf_init(&request, BUF_UNLIMITED);
    struct str tail[] = {STR("\x12"), STR("\x1a"), STR("\x0a"), STR("\x12")}; /* node … value */
    size_t sizes[4];
    sizes[3] = value.len;
    for (size_t i = 3; i > 0; i--) {
        sizes[i - 1] = 1 + pb_varint_size(sizes[i]) + sizes[i];
    }
    for (size_t i = 0; i < 4; i++) {
        buf_add_str(&request, tail[i]);
        pb_put_varint(&request, sizes[i]);
    }
    buf_add_str(&request, value);
    expect_refusal(REQUEST, buf_str(&request), "nested too deep");
    buf_release(&request);
}

static void the_depth_limit_is_exact(void **state)
{
    (void)state;
    struct buf value;
    buf_init(&value, BUF_UNLIMITED);
    wrap_in_lists(&value, 50); /* 100 messages below the first */
    assert_true(pb_guard(VALUE, buf_str(&value), &limits, &err));
    wrap_in_lists(&value, 1);
    expect_refusal(VALUE, buf_str(&value), "nested too deep");
    buf_release(&value);
}

static void numbers_are_limited(void **state)
{
    (void)state;
    struct buf list;
    buf_init(&list, BUF_UNLIMITED);
    for (unsigned i = 0; i < 1000; i++) {
        pb_put_bytes(&list, 1, STR_NULL);
    }
    const ProtobufCMessageDescriptor *type = &google__protobuf__list_value__descriptor;
    assert_true(pb_guard(type, buf_str(&list), &limits, &err));
    struct pb_limits fewer = limits;
    fewer.messages = 999;
    assert_false(pb_guard(type, buf_str(&list), &fewer, &err));
    assert_non_null(strstr(err.text, "too many messages"));
    pb_put_bytes(&list, 1, STR_NULL);
    expect_refusal(type, buf_str(&list), "too many elements");
    buf_clear(&list); /* unknown fields cost memory too */
    for (unsigned i = 0; i < 1001; i++) {
        pb_put_uint(&list, 99, 0);
    }
    expect_refusal(type, buf_str(&list), "too many elements");
    buf_clear(&list); /* and so does saying a thing again and again */
    for (unsigned i = 0; i < 1002; i++) {
        pb_put_bytes(&list, 1, STR("v"));
    }
    expect_refusal(REQUEST, buf_str(&list), "too many elements");
    buf_release(&list);
}

static void packed_numbers_are_counted(void **state)
{
    (void)state;
    /* FilterChainMatch.source_ports (7) is repeated uint32. */
    const ProtobufCMessageDescriptor *type =
        &envoy__config__listener__v3__filter_chain_match__descriptor;
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    pb_put_bytes(&out, 7, STR("\x01\x80\x01\x7f"));
    pb_put_uint(&out, 7, 8080);
    assert_true(pb_guard(type, buf_str(&out), &limits, &err));
    Envoy__Config__Listener__V3__FilterChainMatch *match =
        envoy__config__listener__v3__filter_chain_match__unpack(NULL, out.len, out.data);
    assert_non_null(match);
    assert_int_equal(match->n_source_ports, 4);
    envoy__config__listener__v3__filter_chain_match__free_unpacked(match, NULL);
    buf_clear(&out);
    pb_put_bytes(&out, 7, STR("\x01\x80"));
    expect_refusal(type, buf_str(&out), "packed field is cut off");
    buf_clear(&out);
    static const char ones[1001] = {1};
    pb_put_bytes(&out, 7, str_span(ones, 1000));
    assert_true(pb_guard(type, buf_str(&out), &limits, &err));
    buf_clear(&out);
    pb_put_bytes(&out, 7, str_span(ones, 1001));
    expect_refusal(type, buf_str(&out), "too many elements");
    buf_release(&out);
}

static void malformed_bytes_are_refused(void **state)
{
    (void)state;
    static const struct str bad[] = {
        STR("\x0a"), /* no length */
        STR("\x0a\x05"
            "abc"),                                              /* too short */
        STR("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),     /* a huge length */
        STR("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* a varint of 11 bytes */
        STR("\x80"),                                             /* half a tag */
        STR("\x80\x80\x80\x80\x80\x01"),                         /* a tag of 6 bytes */
        STR("\xff\xff\xff\xff\x7f"),                             /* a tag of 35 bits */
        STR("\x02\x00"),                                         /* field 0 */
        STR("\x0b\x0c"),                                         /* a group */
        STR("\x0e"),                                             /* wire type 6 */
        STR("\x0f"),                                             /* wire type 7 */
        STR("\x09\x01\x02"),                                     /* half a 64-bit number */
        STR("\x0d\x01\x02"),                                     /* half a 32-bit number */
        STR("\x08\x01"),                                         /* version_info as a number */
        STR("\x12\x01\x0a"),                                     /* a broken node */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char copy[32]; /* so that ASan sees a read past the end */
        memcpy(copy + sizeof(copy) - bad[i].len, bad[i].ptr, bad[i].len);
        expect_refusal(REQUEST, str_span(copy + sizeof(copy) - bad[i].len, bad[i].len),
                       "is malformed");
    }
    expect_refusal(REQUEST, STR("\x12\x00\x12\x00"), "occurs twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_messages_pass),       cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(the_depth_limit_is_exact),   cmocka_unit_test(numbers_are_limited),
        cmocka_unit_test(packed_numbers_are_counted), cmocka_unit_test(malformed_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
