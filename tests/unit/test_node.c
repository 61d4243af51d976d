/* SPDX-License-Identifier: Apache-2.0 */
/* Are the facts of a node read as they were said, and is too much of them left out? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "codec/pb.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "serve/request.h"

typedef Envoy__Config__Core__V3__Node node_message;
typedef Google__Protobuf__Value value_message;
typedef Google__Protobuf__Struct__FieldsEntry entry_message;

static char *text(const char *s)
{
    return (char *)(uintptr_t)s;
}

/* {labels: {app: web}, inbound_port: 15001, bound: true} */
static struct node *decode_with_metadata(node_message *m)
{
    value_message values[4];
    entry_message entries[4];
    Google__Protobuf__Struct inner = GOOGLE__PROTOBUF__STRUCT__INIT;
    Google__Protobuf__Struct outer = GOOGLE__PROTOBUF__STRUCT__INIT;
    for (unsigned i = 0; i < 4; i++) {
        google__protobuf__value__init(&values[i]);
        google__protobuf__struct__fields_entry__init(&entries[i]);
        entries[i].value = &values[i];
    }
    values[0].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
    values[0].string_value = text("web");
    entries[0].key = text("app");
    values[1].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
    values[1].struct_value = &inner;
    entries[1].key = text("labels");
    values[2].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
    values[2].number_value = 15001;
    entries[2].key = text("inbound_port");
    values[3].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
    values[3].bool_value = 1;
    entries[3].key = text("bound");
    entry_message *inner_fields[] = {&entries[0]};
    entry_message *outer_fields[] = {&entries[1], &entries[2], &entries[3]};
    inner.n_fields = 1;
    inner.fields = inner_fields;
    outer.n_fields = 3;
    outer.fields = outer_fields;
    m->metadata = &outer;
    return node_decode(&m->base);
}

static void metadata_is_flat_and_sorted(void **state)
{
    (void)state;
    node_message m = ENVOY__CONFIG__CORE__V3__NODE__INIT;
    struct node *node = decode_with_metadata(&m);
    assert_int_equal(node->nmetadata, 3);
    assert_true(str_eq(node->metadata[0].key, STR("bound"))); /* by key */
    assert_true(str_eq(node_metadata(node, STR("labels.app")), STR("web")));
    assert_true(str_eq(node_metadata(node, STR("inbound_port")), STR("15001")));
    assert_true(str_eq(node_metadata(node, STR("bound")), STR("true")));
    assert_null(node_metadata(node, STR("absent")).ptr);
    node_free(node);
}

static void facts_are_read(void **state)
{
    (void)state;
    Envoy__Config__Core__V3__Locality locality = ENVOY__CONFIG__CORE__V3__LOCALITY__INIT;
    Envoy__Type__V3__SemanticVersion version = ENVOY__TYPE__V3__SEMANTIC_VERSION__INIT;
    Envoy__Config__Core__V3__BuildVersion build = ENVOY__CONFIG__CORE__V3__BUILD_VERSION__INIT;
    char *features[] = {text("f1"), text("f2")};
    node_message m = ENVOY__CONFIG__CORE__V3__NODE__INIT;
    m.id = text("sidecar/default/a");
    m.cluster = text("sa");
    locality.region = text("r");
    locality.zone = text("z");
    m.locality = &locality;
    m.user_agent_name = text("envoy");
    version.major_number = 1;
    version.minor_number = 40;
    build.version = &version;
    m.user_agent_version_type_case =
        ENVOY__CONFIG__CORE__V3__NODE__USER_AGENT_VERSION_TYPE_USER_AGENT_BUILD_VERSION;
    m.user_agent_build_version = &build;
    m.n_client_features = 2;
    m.client_features = features;
    struct node *node = node_decode(&m.base);
    assert_true(str_eq(node->id, STR("sidecar/default/a")));
    assert_true(str_eq(node->cluster, STR("sa")));
    assert_true(str_eq(node->region, STR("r")) && str_eq(node->zone, STR("z")));
    assert_true(str_eq(node->user_agent, STR("envoy")));
    assert_true(str_eq(node->user_agent_version, STR("1.40.0")));
    assert_int_equal(node->nfeatures, 2);
    node_free(node);
}

/* {labels: {app: <long>}, <long>: {app: web}, name: web} */
static void long_texts_are_left_out(void **state)
{
    (void)state;
    char longest[NODE_TEXT_MAX + 1];
    char too_long[2 * NODE_TEXT_MAX + 2];
    memset(longest, 'x', sizeof(longest) - 1);
    memset(too_long, 'x', sizeof(too_long) - 1);
    longest[sizeof(longest) - 1] = too_long[sizeof(too_long) - 1] = '\0';
    value_message values[5];
    entry_message entries[5];
    char *keys[] = {"app", "app", "labels", too_long, "name"};
    char *texts[] = {too_long, "web", NULL, NULL, "web"};
    Google__Protobuf__Struct metadata[3] = {GOOGLE__PROTOBUF__STRUCT__INIT,
                                            GOOGLE__PROTOBUF__STRUCT__INIT,
                                            GOOGLE__PROTOBUF__STRUCT__INIT};
    entry_message *fields[] = {&entries[0], &entries[1], &entries[2], &entries[3], &entries[4]};
    for (unsigned i = 0; i < 5; i++) {
        google__protobuf__value__init(&values[i]);
        google__protobuf__struct__fields_entry__init(&entries[i]);
        entries[i].key = keys[i];
        entries[i].value = &values[i];
        if (texts[i] != NULL) {
            values[i].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
            values[i].string_value = texts[i];
        } else {
            values[i].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
            values[i].struct_value = &metadata[i - 2];
        }
    }
    metadata[0].n_fields = metadata[1].n_fields = 1;
    metadata[0].fields = &fields[0];
    metadata[1].fields = &fields[1];
    metadata[2].n_fields = 3;
    metadata[2].fields = &fields[2];
    node_message m = ENVOY__CONFIG__CORE__V3__NODE__INIT;
    m.id = longest;
    m.cluster = too_long;
    m.metadata = &metadata[2];
    struct node *node = node_decode(&m.base);
    assert_true(str_eq(node->id, str_from(longest)));
    assert_int_equal(node->cluster.len, 0);
    assert_int_equal(node->nmetadata, 1);
    assert_true(str_eq(node_metadata(node, STR("name")), STR("web")));
    node_free(node);
}

/* A long key around thousands of fields that say nothing: none of it may be held on to. */
static void metadata_that_is_not_kept_costs_nothing(void **state)
{
    (void)state;
    enum { NULLS = 20000 };
    char longest[NODE_TEXT_MAX + 1];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    static value_message values[NULLS];
    static entry_message entries[NULLS];
    static entry_message *fields[NULLS];
    for (unsigned i = 0; i < NULLS; i++) {
        google__protobuf__value__init(&values[i]);
        google__protobuf__struct__fields_entry__init(&entries[i]);
        values[i].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
        entries[i].key = text("n");
        entries[i].value = &values[i];
        fields[i] = &entries[i];
    }
    Google__Protobuf__Struct inner = GOOGLE__PROTOBUF__STRUCT__INIT;
    Google__Protobuf__Struct outer = GOOGLE__PROTOBUF__STRUCT__INIT;
    value_message value = GOOGLE__PROTOBUF__VALUE__INIT;
    entry_message entry = GOOGLE__PROTOBUF__STRUCT__FIELDS_ENTRY__INIT;
    entry_message *outer_fields[] = {&entry};
    inner.n_fields = NULLS;
    inner.fields = fields;
    value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
    value.struct_value = &inner;
    entry.key = longest;
    entry.value = &value;
    outer.n_fields = 1;
    outer.fields = outer_fields;
    node_message m = ENVOY__CONFIG__CORE__V3__NODE__INIT;
    m.id = text("a");
    m.metadata = &outer;
    struct node *node = node_decode(&m.base);
    assert_int_equal(node->nmetadata, 0);
    assert_true(arena_footprint(&node->arena) < 10000);
    node_free(node);
}

/* Puts what is in buf inside a field. */
static void wrap(struct buf *buf, uint32_t field)
{
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    pb_put_bytes(&out, field, buf_str(buf));
    buf_release(buf);
    *buf = out;
}

/* Thousands of lists in lists: protobuf-c would overflow the stack. */
static void nesting_is_refused_before_it_is_unpacked(void **state)
{
    (void)state;
    struct buf bytes;
    buf_init(&bytes, BUF_UNLIMITED);
    for (unsigned i = 0; i < 2000; i++) {
        wrap(&bytes, 1); /* ListValue.values */
        wrap(&bytes, 6); /* Value.list_value */
    }
    wrap(&bytes, 2); /* FieldsEntry.value */
    wrap(&bytes, 1); /* Struct.fields */
    wrap(&bytes, 3); /* Node.metadata */
    wrap(&bytes, 2); /* DiscoveryRequest.node */
    struct request *request;
    struct err err;
    struct request_known known = {.node = false};
    assert_false(sotw_decode(buf_str(&bytes), &known, &request, &err));
    /* A node that is not asked for is not even looked at. */
    known.node = true;
    assert_true(sotw_decode(buf_str(&bytes), &known, &request, &err));
    request_free(request);
    buf_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_read),
        cmocka_unit_test(metadata_is_flat_and_sorted),
        cmocka_unit_test(metadata_that_is_not_kept_costs_nothing),
        cmocka_unit_test(long_texts_are_left_out),
        cmocka_unit_test(nesting_is_refused_before_it_is_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
