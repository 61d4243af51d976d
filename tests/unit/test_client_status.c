/* SPDX-License-Identifier: Apache-2.0 */
/* Is it told of a client what it has, waits for and rejects, and only of clients that were asked
 * for? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "envoy/service/status/v3/csds.pb-c.h"
#include "serve/client_status.h"
#include "stream_rig.h"

typedef Envoy__Service__Status__V3__ClientStatusRequest status_request;
typedef Envoy__Service__Status__V3__ClientStatusResponse status_response;
typedef Envoy__Service__Status__V3__ClientConfig client_config;
typedef Envoy__Service__Status__V3__ClientConfig__GenericXdsConfig generic_config;

static int setup(void **state)
{
    struct rig *rig = xmalloc(sizeof(*rig));
    rig_init(rig);
    rig->env.keep_nodes = true;
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    rig_release(*state);
    free(*state);
    return 0;
}

/* --- what is told ---------------------------------------------------------------------------- */

static const char *const config_names[] = {"unknown", "synced", "not-sent", "stale", "error"};
static const char *const client_names[] = {"unknown", "requested", "does-not-exist", "acked",
                                           "nacked"};

/* "cds a synced/acked; cds b error/nacked (words)", by type and name. */
static void check(const struct client *c, const char *wanted)
{
    struct buf bytes;
    struct buf text;
    buf_init(&bytes, BUF_UNLIMITED);
    buf_init(&text, BUF_UNLIMITED);
    client_status_encode(c->stream, &bytes);
    status_response *m =
        envoy__service__status__v3__client_status_response__unpack(NULL, bytes.len, bytes.data);
    assert_non_null(m);
    assert_int_equal(m->n_config, 1);
    for (size_t i = 0; i < m->config[0]->n_generic_xds_configs; i++) {
        const generic_config *r = m->config[0]->generic_xds_configs[i];
        enum xds_type type = XDS_CDS;
        assert_true(xds_type_from_url(str_from(r->type_url), &type));
        buf_printf(&text, "%s%s %s %s/%s", i > 0 ? "; " : "", xds_type_info(type)->name, r->name,
                   config_names[r->config_status], client_names[r->client_status]);
        if (r->error_state != NULL) {
            buf_printf(&text, " (%s)", r->error_state->details);
            assert_string_equal(r->error_state->version_info, r->version_info);
        }
    }
    buf_add_byte(&text, 0);
    assert_string_equal(text.data, wanted);
    envoy__service__status__v3__client_status_response__free_unpacked(m, NULL);
    buf_release(&bytes);
    buf_release(&text);
}

static void each_resource_has_its_state(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    put(rig, XDS_CDS, "b", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    check(c, "cds a stale/requested; cds b stale/requested");
    put(rig, XDS_CDS, "c", "1"); /* waits for the ACK */
    put(rig, XDS_CDS, "b", "2");
    publish(rig);
    check(c, "cds a stale/requested; cds b not-sent/acked; cds c not-sent/requested");
    ack(c, XDS_CDS);
    nack(c, XDS_CDS, "b is bad");
    check(c, "cds a synced/acked; cds b error/nacked (b is bad); cds c synced/acked");
    put(rig, XDS_CDS, "a", "2");
    publish(rig);
    ack(c, XDS_CDS); /* it has nothing to do with b */
    check(c, "cds a synced/acked; cds b error/nacked (b is bad); cds c synced/acked");
    delta(c, XDS_EDS, "gone", "", "");
    check(c, "cds a synced/acked; cds b error/nacked (b is bad); cds c synced/acked;"
             " eds gone unknown/does-not-exist");
    ack(c, XDS_EDS);
    delta(c, XDS_LDS, "", "", ""); /* unanswered: what it may name stays */
    del(rig, XDS_CDS, "c");
    publish(rig);
    check(c, "cds a synced/acked; cds b error/nacked (b is bad); cds c not-sent/acked;"
             " eds gone unknown/does-not-exist");
    client_free(c);
}

static void on_demand_names_are_requested_or_denied(void **state)
{
    struct rig *rig = *state;
    rig->view.on_demand[XDS_LDS] = 0;
    rig->env.limits.interest_names = 1;
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_LDS, "a b");
    check(c, "lds a not-sent/requested; lds b unknown/does-not-exist");
    client_free(c);
}

/* protobuf's strings are UTF-8, and one that is not would spoil the answer for all clients. */
static void words_of_clients_are_made_utf8(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_SOTW);
    sotw(c, XDS_CDS, "a \xff\xc3");
    nack(c, XDS_CDS, "a: caf\xc3\xa9 \xc3");
    check(c, "cds a error/nacked (a: caf\xc3\xa9 ?); cds ?? unknown/does-not-exist");
    client_free(c);
}

static void the_node_is_told(void **state)
{
    struct rig *rig = *state;
    struct client *c = client_new(rig, STREAM_DELTA);
    struct node node = {.id = STR("i"),
                        .cluster = STR("c"),
                        .zone = STR("z"),
                        .user_agent = STR("u"),
                        .user_agent_version = STR("1.2.3")};
    delta(c, XDS_EDS, "", "", "");
    buf_clear(&c->stream->node);
    node_pack(&node, &c->stream->node);
    struct buf bytes;
    buf_init(&bytes, BUF_UNLIMITED);
    client_status_encode(c->stream, &bytes);
    status_response *m =
        envoy__service__status__v3__client_status_response__unpack(NULL, bytes.len, bytes.data);
    assert_non_null(m);
    const Envoy__Config__Core__V3__Node *told = m->config[0]->node;
    assert_string_equal(told->id, "i");
    assert_string_equal(told->cluster, "c");
    assert_string_equal(told->locality->zone, "z");
    assert_string_equal(told->user_agent_name, "u");
    assert_string_equal(told->user_agent_version, "1.2.3");
    envoy__service__status__v3__client_status_response__free_unpacked(m, NULL);
    buf_release(&bytes);
    client_free(c);
}

static void what_passes_the_maximum_is_not_begun(void **state)
{
    struct rig *rig = *state;
    put(rig, XDS_CDS, "a", "1");
    publish(rig);
    struct client *c = client_new(rig, STREAM_DELTA);
    delta(c, XDS_CDS, "", "", "");
    struct buf bytes;
    buf_init(&bytes, 50);
    client_status_encode(c->stream, &bytes);
    assert_false(buf_ok(&bytes));
    assert_int_equal(bytes.len, 0);
    buf_release(&bytes);
    client_free(c);
}

/* --- who is asked for ------------------------------------------------------------------------ */

enum { MATCHERS = CLIENT_STATUS_MATCHERS_MAX + 1 };

struct question {
    status_request m;
    Envoy__Type__Matcher__V3__NodeMatcher matchers[MATCHERS];
    Envoy__Type__Matcher__V3__NodeMatcher *pointers[MATCHERS];
    Envoy__Type__Matcher__V3__StringMatcher texts[MATCHERS];
};

/* Each matches a node id by this text. */
static void ask(struct question *q, size_t len, const char *text)
{
    envoy__service__status__v3__client_status_request__init(&q->m);
    for (size_t i = 0; i < len; i++) {
        envoy__type__matcher__v3__node_matcher__init(&q->matchers[i]);
        envoy__type__matcher__v3__string_matcher__init(&q->texts[i]);
        q->texts[i].match_pattern_case =
            ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_EXACT;
        q->texts[i].exact = (char *)(uintptr_t)text;
        q->matchers[i].node_id = &q->texts[i];
        q->pointers[i] = &q->matchers[i];
    }
    q->m.n_node_matchers = len;
    q->m.node_matchers = q->pointers;
}

static bool decode(const struct question *q, struct arena *arena, struct client_filter *filter,
                   struct err *err)
{
    struct str bytes = pb_pack(arena, &q->m.base);
    return client_filter_decode(bytes, arena, filter, err);
}

static void clients_are_chosen_by_their_ids(void **state)
{
    (void)state;
    static struct question q;
    struct arena arena;
    struct client_filter filter;
    struct err err;
    arena_init(&arena);
    ask(&q, 0, "");
    assert_true(decode(&q, &arena, &filter, &err));
    assert_true(client_filter_takes(&filter, STR("anybody")));
    ask(&q, 2, "a");
    q.texts[1].exact = (char *)(uintptr_t) "b";
    assert_true(decode(&q, &arena, &filter, &err));
    assert_true(client_filter_takes(&filter, STR("a")));
    assert_true(client_filter_takes(&filter, STR("b")));
    assert_false(client_filter_takes(&filter, STR("c")));
    arena_release(&arena);
}

static void other_questions_are_refused(void **state)
{
    (void)state;
    static struct question q;
    struct arena arena;
    struct client_filter filter = {.len = 77};
    struct err err;
    Envoy__Type__Matcher__V3__StructMatcher metadata =
        ENVOY__TYPE__MATCHER__V3__STRUCT_MATCHER__INIT;
    Envoy__Type__Matcher__V3__StructMatcher *metadatas[] = {&metadata};
    arena_init(&arena);
    ask(&q, MATCHERS, "a");
    assert_false(decode(&q, &arena, &filter, &err));
    assert_string_equal(err.text, "more than 100 node_matchers");
    ask(&q, 2, "a");
    q.matchers[1].node_id = NULL;
    assert_false(decode(&q, &arena, &filter, &err));
    assert_string_equal(err.text, "node_matchers[1] is not served; use node_id.exact alone");
    ask(&q, 1, "a");
    q.texts[0].match_pattern_case = ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_PREFIX;
    assert_false(decode(&q, &arena, &filter, &err));
    ask(&q, 1, "a");
    q.texts[0].ignore_case = true;
    assert_false(decode(&q, &arena, &filter, &err));
    ask(&q, 1, "a");
    q.matchers[0].n_node_metadatas = 1;
    q.matchers[0].node_metadatas = metadatas;
    assert_false(decode(&q, &arena, &filter, &err));
    assert_false(client_filter_decode(STR("\x0a\xff"), &arena, &filter, &err));
    assert_int_equal(filter.len, 77); /* untouched */
    arena_release(&arena);
}

/* A node's metadata, nested deeper than an unpacking without a limit would survive. */
static void nesting_is_looked_at_first(void **state)
{
    (void)state;
    enum { DEPTH = 20001 }; /* odd: the outermost is a Value */
    struct arena arena;
    struct client_filter filter;
    struct err err;
    struct buf inner;
    struct buf outer;
    arena_init(&arena);
    buf_init(&inner, BUF_UNLIMITED);
    buf_init(&outer, BUF_UNLIMITED);
    for (unsigned i = 0; i < DEPTH; i++) { /* Value.list_value, ListValue.values */
        buf_clear(&outer);
        pb_put_bytes(&outer, i % 2 == 0 ? 6 : 1, buf_str(&inner));
        struct buf swap = inner;
        inner = outer;
        outer = swap;
    }
    const unsigned fields[] = {2, 1, 3, 2}; /* value, fields, metadata, node */
    for (unsigned i = 0; i < 4; i++) {
        buf_clear(&outer);
        pb_put_bytes(&outer, fields[i], buf_str(&inner));
        struct buf swap = inner;
        inner = outer;
        outer = swap;
    }
    assert_false(client_filter_decode(buf_str(&inner), &arena, &filter, &err));
    assert_non_null(strstr(err.text, "nested"));
    buf_release(&inner);
    buf_release(&outer);
    arena_release(&arena);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_resource_has_its_state),
        T(on_demand_names_are_requested_or_denied),
        T(words_of_clients_are_made_utf8),
        T(the_node_is_told),
        T(what_passes_the_maximum_is_not_begun),
        cmocka_unit_test(clients_are_chosen_by_their_ids),
        cmocka_unit_test(other_questions_are_refused),
        cmocka_unit_test(nesting_is_looked_at_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
