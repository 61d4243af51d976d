/* SPDX-License-Identifier: Apache-2.0 */
/* Are messages written by the proto3 JSON mapping, with the forms that google.protobuf has? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "codec/pb.h"
#include "envoy/config/cluster/v3/cluster.pb-c.h"
#include "envoy/config/listener/v3/listener.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "xds_types.h"

static const ProtobufCMessageDescriptor *lookup(struct str type_url)
{
    size_t slash = str_rindex(type_url, '/');
    struct str name = str_sub(type_url, slash + 1, type_url.len);
    return xds_type_lookup(name.ptr, name.len);
}

static void expect_with(const ProtobufCMessage *message, const struct pb_json_options *options,
                        const char *want)
{
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    pb_to_json(message, options, &out);
    if (!str_eq(buf_str(&out), str_from(want))) {
        print_error("got  %.*s\nwant %s\n", (int)out.len, (const char *)out.data, want);
        fail();
    }
    buf_release(&out);
}

static void expect(const ProtobufCMessage *message, const char *want)
{
    expect_with(message, &(struct pb_json_options){.lookup = lookup}, want);
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        int32_t nanos;
        const char *want;
    } cases[] = {
        {0, 0, "\"0s\""},
        {3, 0, "\"3s\""},
        {1, 500000000, "\"1.500s\""},
        {0, 1000, "\"0.000001s\""},
        {0, 1, "\"0.000000001s\""},
        {-1, -250000000, "\"-1.250s\""},
        {0, -1000000, "\"-0.001s\""},
        {315576000000, 999999999, "\"315576000000.999999999s\""},
        {315576000001, 0, "{\"seconds\":\"315576000001\"}"},
        {1, -1, "{\"seconds\":\"1\",\"nanos\":-1}"},
        {INT64_MIN, INT32_MIN, "{\"seconds\":\"-9223372036854775808\",\"nanos\":-2147483648}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
        duration.seconds = cases[i].seconds;
        duration.nanos = cases[i].nanos;
        expect(&duration.base, cases[i].want);
    }
}

static void timestamps(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        int32_t nanos;
        const char *want;
    } cases[] = {
        {0, 0, "\"1970-01-01T00:00:00Z\""},
        {1795434418, 123000000, "\"2026-11-23T11:46:58.123Z\""},
        {-1, 999999999, "\"1969-12-31T23:59:59.999999999Z\""},
        {-62135596800, 0, "\"0001-01-01T00:00:00Z\""},
        {253402300799, 0, "\"9999-12-31T23:59:59Z\""},
        {253402300800, 0, "{\"seconds\":\"253402300800\"}"},
        {0, -1, "{\"nanos\":-1}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        timestamp.seconds = cases[i].seconds;
        timestamp.nanos = cases[i].nanos;
        expect(&timestamp.base, cases[i].want);
    }
}

static void wrappers_are_their_values(void **state)
{
    (void)state;
    Google__Protobuf__BoolValue flag = GOOGLE__PROTOBUF__BOOL_VALUE__INIT;
    expect(&flag.base, "false");
    flag.value = 1;
    expect(&flag.base, "true");
    Google__Protobuf__UInt64Value big = GOOGLE__PROTOBUF__UINT64_VALUE__INIT;
    big.value = UINT64_MAX;
    expect(&big.base, "\"18446744073709551615\"");
    Google__Protobuf__Int32Value small = GOOGLE__PROTOBUF__INT32_VALUE__INIT;
    small.value = -5;
    expect(&small.base, "-5");
    Google__Protobuf__FloatValue real = GOOGLE__PROTOBUF__FLOAT_VALUE__INIT;
    real.value = 0.1F;
    expect(&real.base, "0.1");
    real.value = 16777216.0F;
    expect(&real.base, "16777216");
    real.value = (float)-INFINITY;
    expect(&real.base, "\"-Infinity\"");
    Google__Protobuf__StringValue text = GOOGLE__PROTOBUF__STRING_VALUE__INIT;
    expect(&text.base, "\"\"");
    Google__Protobuf__BytesValue bytes = GOOGLE__PROTOBUF__BYTES_VALUE__INIT;
    expect(&bytes.base, "\"\"");
    bytes.value = (ProtobufCBinaryData){.len = 2, .data = (uint8_t *)"\xff\xfe"};
    expect(&bytes.base, "\"//4=\"");
    char *paths[] = {"a.some_field", "b"};
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    expect(&mask.base, "\"\"");
    mask.n_paths = 2;
    mask.paths = paths;
    expect(&mask.base, "\"a.someField,b\"");
}

static void struct_is_plain_json(void **state)
{
    (void)state;
    Google__Protobuf__Value unset = GOOGLE__PROTOBUF__VALUE__INIT;
    expect(&unset.base, "null");
    Google__Protobuf__Value number = GOOGLE__PROTOBUF__VALUE__INIT;
    number.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
    expect(&number.base, "0");
    number.number_value = 2.5;
    Google__Protobuf__Value null = GOOGLE__PROTOBUF__VALUE__INIT;
    null.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
    Google__Protobuf__Value text = GOOGLE__PROTOBUF__VALUE__INIT;
    text.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
    text.string_value = "";
    Google__Protobuf__Value no = GOOGLE__PROTOBUF__VALUE__INIT;
    no.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;

    Google__Protobuf__Value *items[] = {&number, &null, &text, &no};
    Google__Protobuf__ListValue list = GOOGLE__PROTOBUF__LIST_VALUE__INIT;
    expect(&list.base, "[]");
    list.n_values = 4;
    list.values = items;
    Google__Protobuf__Value wrapped = GOOGLE__PROTOBUF__VALUE__INIT;
    wrapped.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
    wrapped.list_value = &list;

    Google__Protobuf__Struct__FieldsEntry first = GOOGLE__PROTOBUF__STRUCT__FIELDS_ENTRY__INIT;
    first.key = "z_list";
    first.value = &wrapped;
    Google__Protobuf__Struct__FieldsEntry second = GOOGLE__PROTOBUF__STRUCT__FIELDS_ENTRY__INIT;
    Google__Protobuf__Struct__FieldsEntry *entries[] = {&first, &second};
    Google__Protobuf__Struct object = GOOGLE__PROTOBUF__STRUCT__INIT;
    expect(&object.base, "{}");
    object.n_fields = 2;
    object.fields = entries;
    expect(&object.base, "{\"z_list\":[2.5,null,\"\",false],\"\":{}}");
}

static void any_is_opened(void **state)
{
    (void)state;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    expect(&any.base, "{}");
    any.type_url = "type.googleapis.com/google.protobuf.UInt32Value";
    any.value = (ProtobufCBinaryData){.len = 2, .data = (uint8_t *)"\x08\x2a"};
    expect(&any.base,
           "{\"@type\":\"type.googleapis.com/google.protobuf.UInt32Value\",\"value\":42}");
    expect_with(&any.base, NULL,
                "{\"@type\":\"type.googleapis.com/google.protobuf.UInt32Value\","
                "\"value\":\"CCo=\"}");
    any.value.len = 1; /* malformed */
    expect(&any.base, "{\"@type\":\"type.googleapis.com/google.protobuf.UInt32Value\","
                      "\"value\":\"CA==\"}");
    any.type_url = "type.googleapis.com/no.Such";
    any.value.len = 2;
    expect(&any.base, "{\"@type\":\"type.googleapis.com/no.Such\",\"value\":\"CCo=\"}");
    any.type_url = "type.googleapis.com/google.protobuf.Empty";
    any.value.len = 0;
    expect(&any.base, "{\"@type\":\"type.googleapis.com/google.protobuf.Empty\",\"value\":{}}");
    any.type_url = "type.googleapis.com/envoy.config.core.v3.SocketAddress";
    any.value = (ProtobufCBinaryData){.len = 5,
                                      .data = (uint8_t *)"\x12\x03"
                                                         "::1"};
    expect(&any.base, "{\"@type\":\"type.googleapis.com/envoy.config.core.v3.SocketAddress\","
                      "\"address\":\"::1\"}");
}

static void a_real_cluster(void **state)
{
    (void)state;
    Google__Protobuf__Duration timeout = GOOGLE__PROTOBUF__DURATION__INIT;
    timeout.nanos = 250000000;
    Envoy__Config__Core__V3__AggregatedConfigSource ads =
        ENVOY__CONFIG__CORE__V3__AGGREGATED_CONFIG_SOURCE__INIT;
    Envoy__Config__Core__V3__ConfigSource source = ENVOY__CONFIG__CORE__V3__CONFIG_SOURCE__INIT;
    source.config_source_specifier_case =
        ENVOY__CONFIG__CORE__V3__CONFIG_SOURCE__CONFIG_SOURCE_SPECIFIER_ADS;
    source.ads = &ads;
    source.resource_api_version = ENVOY__CONFIG__CORE__V3__API_VERSION__V3;
    Envoy__Config__Cluster__V3__Cluster__EdsClusterConfig eds =
        ENVOY__CONFIG__CLUSTER__V3__CLUSTER__EDS_CLUSTER_CONFIG__INIT;
    eds.eds_config = &source;
    Google__Protobuf__Any options = GOOGLE__PROTOBUF__ANY__INIT;
    options.type_url = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    options.value = (ProtobufCBinaryData){.len = 4, .data = (uint8_t *)"\x1a\x02\x12\x00"};
    Envoy__Config__Cluster__V3__Cluster__TypedExtensionProtocolOptionsEntry entry =
        ENVOY__CONFIG__CLUSTER__V3__CLUSTER__TYPED_EXTENSION_PROTOCOL_OPTIONS_ENTRY__INIT;
    entry.key = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    entry.value = &options;
    Envoy__Config__Cluster__V3__Cluster__TypedExtensionProtocolOptionsEntry *entries[] = {&entry};

    Envoy__Config__Cluster__V3__Cluster cluster = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__INIT;
    cluster.name = "default/echo:8080";
    cluster.connect_timeout = &timeout;
    cluster.cluster_discovery_type_case =
        ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
    cluster.type = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS;
    cluster.eds_cluster_config = &eds;
    cluster.lb_policy = 999; /* unknown here: a number */
    cluster.n_typed_extension_protocol_options = 1;
    cluster.typed_extension_protocol_options = entries;
    static const char camel[] =
        "{\"name\":\"default/echo:8080\",\"type\":\"EDS\",\"edsClusterConfig\":{\"edsConfig\":"
        "{\"ads\":{},\"resourceApiVersion\":\"V3\"}},\"connectTimeout\":\"0.250s\","
        "\"lbPolicy\":999,\"typedExtensionProtocolOptions\":{"
        "\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\":{\"@type\":"
        "\"type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\","
        "\"explicitHttpConfig\":{\"http2ProtocolOptions\":{}}}}}";
    expect(&cluster.base, camel);
    cluster.n_typed_extension_protocol_options = 0;
    cluster.lb_policy = 0;
    expect_with(&cluster.base, &(struct pb_json_options){.proto_names = true},
                "{\"name\":\"default/echo:8080\",\"type\":\"EDS\",\"eds_cluster_config\":{"
                "\"eds_config\":{\"ads\":{},\"resource_api_version\":\"V3\"}},"
                "\"connect_timeout\":\"0.250s\"}");
}

static void a_real_listener(void **state)
{
    (void)state;
    Envoy__Config__Core__V3__SocketAddress socket = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__INIT;
    socket.address = "10.96.0.1";
    socket.port_specifier_case = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
    socket.port_value = 0; /* chosen in a oneof: shown although zero */
    Envoy__Config__Core__V3__Address address = ENVOY__CONFIG__CORE__V3__ADDRESS__INIT;
    address.address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS;
    address.socket_address = &socket;
    Google__Protobuf__BoolValue bind = GOOGLE__PROTOBUF__BOOL_VALUE__INIT;
    uint32_t ports[] = {80, 0, 443};
    Envoy__Config__Listener__V3__FilterChainMatch match =
        ENVOY__CONFIG__LISTENER__V3__FILTER_CHAIN_MATCH__INIT;
    match.n_source_ports = 3;
    match.source_ports = ports;
    Envoy__Config__Listener__V3__FilterChain chain =
        ENVOY__CONFIG__LISTENER__V3__FILTER_CHAIN__INIT;
    chain.filter_chain_match = &match;
    Envoy__Config__Listener__V3__FilterChain *chains[] = {&chain};
    Envoy__Config__Listener__V3__Listener listener = ENVOY__CONFIG__LISTENER__V3__LISTENER__INIT;
    listener.name = "out";
    listener.address = &address;
    listener.n_filter_chains = 1;
    listener.filter_chains = chains;
    listener.bind_to_port = &bind;
    listener.traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__OUTBOUND;
    expect(&listener.base,
           "{\"name\":\"out\",\"address\":{\"socketAddress\":{\"address\":\"10.96.0.1\","
           "\"portValue\":0}},\"filterChains\":[{\"filterChainMatch\":{\"sourcePorts\":[80,0,443]}"
           "}],\"trafficDirection\":\"OUTBOUND\",\"bindToPort\":false}");
}

static void too_deep_is_said_not_shown(void **state)
{
    (void)state;
    enum { LEVELS = 300 };
    static Google__Protobuf__Value values[LEVELS];
    static Google__Protobuf__ListValue lists[LEVELS];
    static Google__Protobuf__Value *items[LEVELS];
    for (unsigned i = 0; i < LEVELS; i++) {
        google__protobuf__value__init(&values[i]);
        google__protobuf__list_value__init(&lists[i]);
        if (i + 1 < LEVELS) {
            values[i].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
            values[i].list_value = &lists[i];
            items[i] = &values[i + 1];
            lists[i].n_values = 1;
            lists[i].values = &items[i];
        }
    }
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    pb_to_json(&values[0].base, NULL, &out);
    assert_true(str_contains(buf_str(&out), STR("[\"(nested too deep to show)\"]")));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(timestamps),
        cmocka_unit_test(wrappers_are_their_values),
        cmocka_unit_test(struct_is_plain_json),
        cmocka_unit_test(any_is_opened),
        cmocka_unit_test(a_real_cluster),
        cmocka_unit_test(a_real_listener),
        cmocka_unit_test(too_deep_is_said_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
