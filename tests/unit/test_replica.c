/* SPDX-License-Identifier: Apache-2.0 */
/* Are exactly those told whom a change concerns, and does it stay small with many streams? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>

#include "base/clock.h"
#include "stream_rig.h"

#define STREAMS 500
#define NAMES 1000 /* of each type */
#define RESOURCES (NAMES * XDS_TYPE_COUNT)
#define STATE_BYTES_MAX (6u << 20)

static struct view view_of(struct str scope)
{
    struct view view = {.nscopes = 1, .scopes = {scope}};
    memset(view.on_demand, -1, sizeof(view.on_demand));
    return view;
}

static void fill(struct rig *rig)
{
    for (unsigned i = 0; i < RESOURCES; i++) {
        char name[32];
        char message[64];
        enum xds_type type = (enum xds_type)(i % XDS_TYPE_COUNT);
        snprintf(name, sizeof(name), "default/service-%u", i / XDS_TYPE_COUNT);
        snprintf(message, sizeof(message), "%s|1", name);
        struct resource *r =
            resource_new(type, STR("s"), str_from(name), STR_NULL, str_from(message));
        vec_push(&rig->pending, ((struct change){.put = r, .removed = NULL}));
    }
    publish(rig);
}

/* ACKs until nothing is in flight; clients are wordless, so nonces are counted here. */
static void settle(struct client *c)
{
    for (unsigned round = 0; round < 64; round++) {
        bool any = false;
        for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
            const struct subscription *sub = &c->stream->subs[t];
            if (sub->in_flight) {
                char nonce[24];
                snprintf(nonce, sizeof(nonce), "%llu", (unsigned long long)sub->nonce);
                delta_only(c, (enum xds_type)t, "", "", "", nonce, NULL);
                any = true;
            }
        }
        streams_pump(&c->rig->env);
        if (!any) {
            return;
        }
    }
    fail();
}

static struct client *named_client(struct rig *rig, unsigned first)
{
    struct client *c = client_new(rig, STREAM_DELTA);
    char names[1024] = "";
    c->wordless = true;
    for (unsigned i = 0; i < 10; i++) {
        char name[40];
        snprintf(name, sizeof(name), "default/service-%u ", (first + i) % NAMES);
        rig_append(names, sizeof(names), name);
    }
    delta(c, XDS_EDS, names, "", "");
    settle(c);
    return c;
}

static void many_streams_stay_small(void **state)
{
    (void)state;
    struct rig rig;
    struct client *clients[STREAMS];
    rig_init(&rig);
    fill(&rig);
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < STREAMS; i++) {
        struct client *c = clients[i] = client_new(&rig, STREAM_DELTA);
        c->wordless = true;
        for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
            if (t != XDS_SDS) { /* those go one by one, and nobody has a thousand */
                delta(c, (enum xds_type)t, "*", "", "");
            }
        }
        settle(c);
        assert_int_equal(c->stream->subs[XDS_EDS].known.count, NAMES);
    }
    size_t used = mallinfo2().uordblks - before;
    print_message("%u streams x %u resources: %zu KiB for streams, %zu KiB for the replica\n",
                  STREAMS, RESOURCES, used / 1024, replica_footprint(&rig.env.replica) / 1024);
    assert_true(used < STATE_BYTES_MAX);
    assert_true(replica_footprint(&rig.env.replica) < STATE_BYTES_MAX);

    uint64_t start = clock_mono_ns();
    put(&rig, XDS_EDS, "default/service-7", "2");
    publish(&rig);
    uint64_t spent = clock_mono_ns() - start;
    print_message("one change to %u streams: %llu us\n", STREAMS,
                  (unsigned long long)(spent / 1000));
    for (unsigned i = 0; i < STREAMS; i++) {
        assert_true(clients[i]->stream->subs[XDS_EDS].in_flight);
        client_free(clients[i]);
    }
    rig_release(&rig);
}

static void exactly_the_subscribed_get_exactly_one(void **state)
{
    (void)state;
    struct rig rig;
    struct client *clients[STREAMS];
    size_t before[STREAMS];
    rig_init(&rig);
    fill(&rig);
    for (unsigned i = 0; i < STREAMS; i++) {
        clients[i] = named_client(&rig, i * 2);
        before[i] = clients[i]->messages;
    }
    put(&rig, XDS_EDS, "default/service-100", "2");
    put(&rig, XDS_CDS, "default/service-100", "2"); /* nobody asked for clusters */
    publish(&rig);
    for (unsigned i = 0; i < STREAMS; i++) {
        unsigned first = i * 2;
        bool subscribed = first <= 100 && 100 < first + 10;
        subscribed |= first > 900 && (first + 9) % 1000 >= 100 && first + 9 >= 1100;
        assert_int_equal(clients[i]->messages - before[i], subscribed ? 1 : 0);
        client_free(clients[i]);
    }
    rig_release(&rig);
}

static void scopes_keep_streams_apart(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.view = view_of(STR("x"));
    struct client *x = client_new(&rig, STREAM_DELTA);
    delta(x, XDS_CDS, "", "", "");
    rig.view = view_of(STR("y"));
    struct client *y = client_new(&rig, STREAM_DELTA);
    delta(y, XDS_CDS, "", "", "");
    said(x, "cds");
    said(y, "cds");
    ack(x, XDS_CDS);
    ack(y, XDS_CDS);
    put_in(&rig, XDS_CDS, "x", "a", "1", "");
    publish(&rig);
    said(x, "cds a");
    quiet(y);
    client_free(x);
    client_free(y);
    rig_release(&rig);
}

static void ids_are_used_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    for (unsigned i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%u", i);
        put(&rig, XDS_CDS, name, "1");
        publish(&rig);
        del(&rig, XDS_CDS, name);
        publish(&rig);
    }
    assert_int_equal(replica_ids(&rig.env.replica, XDS_CDS), 1);
    rig_release(&rig);
}

static void tombstones_last_until_all_were_told(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    put(&rig, XDS_CDS, "a", "1");
    publish(&rig);
    struct client *fast = client_new(&rig, STREAM_DELTA);
    struct client *slow = client_new(&rig, STREAM_DELTA);
    delta(fast, XDS_CDS, "", "", "");
    delta(slow, XDS_CDS, "", "", "");
    ack(fast, XDS_CDS);
    uint32_t id = replica_find(&rig.env.replica, XDS_CDS, STR("a"));
    del(&rig, XDS_CDS, "a");
    publish(&rig);
    assert_null(replica_wanted(&rig.env.replica, slow->stream->slot, XDS_CDS, id));
    assert_non_null(replica_last(&rig.env.replica, slow->stream->slot, XDS_CDS, id));
    ack(slow, XDS_CDS);
    assert_int_equal(replica_find(&rig.env.replica, XDS_CDS, STR("a")), REPLICA_NONE);
    client_free(fast);
    client_free(slow);
    rig_release(&rig);
}

static void a_resource_is_encoded_for_both_protocols(void **state)
{
    (void)state;
    char long_message[300];
    memset(long_message, 'x', sizeof(long_message));
    struct str message = str_span(long_message, sizeof(long_message));
    struct resource *r = resource_new(XDS_RDS, STR("scope"), STR("name"), STR("follow"), message);
    assert_true(str_eq(resource_message(r), message));
    assert_true(str_eq(r->scope, STR("scope")) && str_eq(r->follow, STR("follow")));
    Envoy__Service__Discovery__V3__Resource *delta_form =
        envoy__service__discovery__v3__resource__unpack(NULL, r->entry->len, r->entry->data);
    assert_non_null(delta_form);
    assert_string_equal(delta_form->name, "name");
    assert_string_equal(delta_form->version, r->version);
    assert_int_equal(delta_form->resource->value.len, sizeof(long_message));
    envoy__service__discovery__v3__resource__free_unpacked(delta_form, NULL);
    Envoy__Service__Discovery__V3__DiscoveryResponse *sotw_form =
        envoy__service__discovery__v3__discovery_response__unpack(NULL, r->entry->len - r->any_at,
                                                                  r->entry->data + r->any_at);
    assert_non_null(sotw_form);
    assert_int_equal(sotw_form->n_resources, 1);
    assert_string_equal(sotw_form->resources[0]->type_url, xds_type_info(XDS_RDS)->url.ptr);
    envoy__service__discovery__v3__discovery_response__free_unpacked(sotw_form, NULL);
    resource_unref(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_streams_stay_small),
        cmocka_unit_test(exactly_the_subscribed_get_exactly_one),
        cmocka_unit_test(scopes_keep_streams_apart),
        cmocka_unit_test(ids_are_used_again),
        cmocka_unit_test(tombstones_last_until_all_were_told),
        cmocka_unit_test(a_resource_is_encoded_for_both_protocols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
