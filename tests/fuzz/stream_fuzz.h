/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_fuzz: bytes become what a client says and what thread 0 publishes, on one stream.
 *
 * An event is an operation (low 3 bits of a byte) and its arguments, see stream_fuzz_event().
 * Looked after: at most one response of a type is unacknowledged, and one with each resource of a
 * type whose resources go alone; no resource from outside the view; the sums behind version_info
 * are those of what is wanted; and when all is acknowledged in the end, the client has what the
 * replica wants it to have.
 */
#ifndef HEDDLE_TESTS_STREAM_FUZZ_H
#define HEDDLE_TESTS_STREAM_FUZZ_H

#include "../unit/stream_rig.h"

#define FUZZ_EVENTS_MAX 400
#define FUZZ_NAMES 8
#define FUZZ_SETTLE_ROUNDS 200

struct fuzz {
    struct rig rig;
    struct client *client;
    bool outstanding[XDS_TYPE_COUNT];
    /* What the client has: the body behind "name|", 0: nothing. */
    char has[XDS_TYPE_COUNT][FUZZ_NAMES];
    const uint8_t *at;
    const uint8_t *end;
};

static struct fuzz fuzz;

static inline uint8_t fuzz_byte(void)
{
    return fuzz.at < fuzz.end ? *fuzz.at++ : 0;
}

/* Names are "a" to "h". */
static inline void fuzz_take(enum xds_type type, const Google__Protobuf__Any *any)
{
    const struct replica *replica = &fuzz.rig.env.replica;
    struct str value = str_span((const char *)any->value.data, any->value.len);
    ASSERT(value.len >= 3 && value.ptr[0] >= 'a' && value.ptr[0] < 'a' + FUZZ_NAMES);
    uint32_t id = replica_find(replica, type, str_sub(value, 0, 1));
    ASSERT(id != REPLICA_NONE);
    const struct resource *last = replica_last(replica, fuzz.client->stream->slot, type, id);
    ASSERT(last != NULL && str_eq(resource_message(last), value));
    fuzz.has[type][value.ptr[0] - 'a'] = value.ptr[2];
}

static inline enum xds_type fuzz_hear_delta(const struct buf *all)
{
    Envoy__Service__Discovery__V3__DeltaDiscoveryResponse *m =
        envoy__service__discovery__v3__delta_discovery_response__unpack(NULL, all->len, all->data);
    enum xds_type type = XDS_CDS;
    ASSERT(m != NULL && xds_type_from_url(str_from(m->type_url), &type));
    for (size_t i = 0; i < m->n_resources; i++) {
        fuzz_take(type, m->resources[i]->resource);
    }
    for (size_t i = 0; i < m->n_removed_resources; i++) {
        const char *name = m->removed_resources[i];
        if (name[0] >= 'a' && name[0] < 'a' + FUZZ_NAMES && name[1] == '\0') {
            fuzz.has[type][name[0] - 'a'] = 0;
        }
    }
    envoy__service__discovery__v3__delta_discovery_response__free_unpacked(m, NULL);
    return type;
}

static inline enum xds_type fuzz_hear_sotw(const struct buf *all)
{
    Envoy__Service__Discovery__V3__DiscoveryResponse *m =
        envoy__service__discovery__v3__discovery_response__unpack(NULL, all->len, all->data);
    enum xds_type type = XDS_CDS;
    ASSERT(m != NULL && xds_type_from_url(str_from(m->type_url), &type));
    if (xds_type_info(type)->whole_state) {
        memset(fuzz.has[type], 0, FUZZ_NAMES);
    }
    for (size_t i = 0; i < m->n_resources; i++) {
        fuzz_take(type, m->resources[i]);
    }
    envoy__service__discovery__v3__discovery_response__free_unpacked(m, NULL);
    return type;
}

static inline bool fuzz_send(struct stream *stream, const struct response *response)
{
    struct buf all = {.max = BUF_UNLIMITED};
    for (size_t i = 0; i < response->pieces.len; i++) {
        buf_add_str(&all, response->pieces.items[i].bytes);
    }
    enum xds_type type =
        stream->kind == STREAM_DELTA ? fuzz_hear_delta(&all) : fuzz_hear_sotw(&all);
    const struct subscription *sub = &stream->subs[type];
    ASSERT(!fuzz.outstanding[type] || xds_type_info(type)->alone);
    for (size_t i = 1; i < sub->unanswered.len;
         i++) { /* of two with one id the first is disowned */
        uint32_t last = sub->unanswered.items[sub->unanswered.len - 1].id;
        ASSERT(last == REPLICA_NONE || last != sub->unanswered.items[i - 1].id);
    }
    fuzz.outstanding[type] = true;
    buf_release(&all);
    return true;
}

/* To the last response, or to the oldest of those that are unanswered. */
static inline void fuzz_answer(enum xds_type type, const char *error, bool oldest)
{
    char nonce[24];
    const struct subscription *sub = &fuzz.client->stream->subs[type];
    bool first = oldest && sub->unanswered.len > 0;
    (void)snprintf(nonce, sizeof(nonce), "%llu",
                   (unsigned long long)(first ? sub->unanswered.items[0].nonce : sub->nonce));
    if (sub->in_flight) {
        fuzz.outstanding[type] = false;
    }
    if (fuzz.client->stream->kind == STREAM_DELTA) {
        delta_only(fuzz.client, type, "", "", "", nonce, error);
    } else {
        sotw_only(fuzz.client, type, fuzz.client->names[type], "", nonce, error);
    }
}

static inline void fuzz_names(char text[3 * FUZZ_NAMES], uint8_t mask, bool star)
{
    text[0] = '\0';
    for (unsigned i = 0; i < FUZZ_NAMES; i++) {
        if ((mask >> i & 1) != 0) {
            const char name[] = {(char)('a' + i), ' ', '\0'};
            rig_append(text, 3 * FUZZ_NAMES, name);
        }
    }
    if (star) {
        rig_append(text, 3 * FUZZ_NAMES, "*");
    }
}

static inline void fuzz_subscribe(enum xds_type type, bool star)
{
    char add[3 * FUZZ_NAMES];
    char remove[3 * FUZZ_NAMES];
    fuzz_names(add, fuzz_byte(), star);
    if (fuzz.client->stream->kind == STREAM_DELTA) {
        uint8_t drop = fuzz_byte();
        fuzz_names(remove, drop, !star && (drop & 1) != 0);
        delta_only(fuzz.client, type, add, remove, "", NULL, NULL);
    } else {
        sotw_only(fuzz.client, type, add, "", "", NULL);
    }
}

static inline void fuzz_change(enum xds_type type, uint8_t what, bool put_it)
{
    const char name[] = {(char)('a' + what % FUZZ_NAMES), '\0'};
    const char *scope = (what & 64) != 0 ? "s" : (what & 128) != 0 ? "special" : "hidden";
    uint8_t value = fuzz_byte();
    const char body[] = {(char)('A' + value % 16), type == XDS_LDS ? '@' : '\0',
                         (char)('a' + value / 16 % 4), '\0'};
    const char follow[] = {(char)('a' + what / 8 % FUZZ_NAMES), '\0'};
    if (put_it) {
        put_in(&fuzz.rig, type, scope, name, body, type == XDS_CDS ? follow : "");
    } else if (rig_find(&fuzz.rig, type, scope, name) < fuzz.rig.now.len) {
        del_in(&fuzz.rig, type, scope, name);
    }
}

/* A stream has one view, which it is given with its first request. */
static inline void fuzz_view(uint8_t bits)
{
    struct view view = {.nscopes = (bits & 1) != 0 ? 2 : 1, .scopes = {STR("special"), STR("s")}};
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        view.on_demand[t] = (bits >> (t + 1) & 1) != 0 ? (int)view.nscopes - 1 : -1;
    }
    view.response_bytes = (bits & 128) != 0 ? 200 : 1u << 20;
    fuzz.rig.view = view;
}

/* What is added and taken away as names and resources come and go is what one would count now. */
static inline void fuzz_check_sums(void)
{
    const struct stream *stream = fuzz.client->stream;
    for (unsigned t = 0; t < XDS_TYPE_COUNT && stream->slot != REPLICA_NONE; t++) {
        const struct subscription *sub = &stream->subs[t];
        struct hash sum = {0, 0};
        for (uint32_t id = 0; id < replica_ids(sub->replica, sub->type); id++) {
            hash_sum_add(&sum, replica_wanted(sub->replica, sub->slot, sub->type, id));
        }
        ASSERT(hash_eq(sum, sub->sum));
    }
}

/* Operation: bits 0-2; type: bits 3-4; a flag: bit 5. */
static inline void stream_fuzz_event(void)
{
    uint8_t op = fuzz_byte();
    bool flag = (op & 32) != 0;
    enum xds_type type = (enum xds_type)(op >> 3 & 3);
    switch (op & 7) {
    case 0: { /* the message itself */
        size_t len = fuzz_byte();
        len = len < (size_t)(fuzz.end - fuzz.at) ? len : (size_t)(fuzz.end - fuzz.at);
        stream_receive(fuzz.client->stream, str_span((const char *)fuzz.at, len));
        fuzz.at += len;
        break;
    }
    case 1:
        fuzz_change(type, fuzz_byte(), true);
        return;
    case 2:
        fuzz_change(type, fuzz_byte(), false);
        return;
    case 3:
        publish(&fuzz.rig);
        break;
    case 4:
        fuzz_subscribe(type, flag);
        break;
    case 5:
        fuzz_answer(type, NULL, flag);
        break;
    case 6:
        fuzz_answer(type, flag ? "a is bad" : "bad", flag);
        break;
    default:
        if (flag) {
            fuzz_view(fuzz_byte());
        }
        fuzz.client->queued = (op & 8) != 0 ? SIZE_MAX : 0;
        (void)stream_drained(fuzz.client->stream);
        streams_ask_again(&fuzz.rig.env);
        break;
    }
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        fuzz.outstanding[t] &= fuzz.client->stream->subs[t].in_flight;
    }
    streams_pump(&fuzz.rig.env);
}

/* Thread 0 makes every on-demand name that is asked for. False: there is one that cannot be made
 * here, as its name is not of this world. */
static inline bool fuzz_make_awaited(void)
{
    const struct stream *stream = fuzz.client->stream;
    bool all = true;
    for (unsigned t = 0; t < XDS_TYPE_COUNT && stream->slot != REPLICA_NONE; t++) {
        const struct subscription *sub = &stream->subs[t];
        bitmap_for_each (id, &sub->awaited) {
            struct str letter = replica_name(sub->replica, sub->type, id);
            struct str in = sub->replica->slots.items[stream->slot].on_demand[t]->name;
            char name[2] = "";
            char scope[16];
            if (letter.len != 1 || letter.ptr[0] < 'a' || letter.ptr[0] >= 'a' + FUZZ_NAMES) {
                all = false;
                continue;
            }
            name[0] = letter.ptr[0];
            (void)snprintf(scope, sizeof(scope), "%.*s", STR_FMT(in));
            put_in(&fuzz.rig, (enum xds_type)t, scope, name, "A", "");
        }
    }
    return all;
}

/* Everything is made and acknowledged until the stream is quiet; then both sides must agree. */
static inline void fuzz_settle(void)
{
    struct stream *stream = fuzz.client->stream;
    bool rejected = false;
    fuzz.client->queued = 0;
    (void)stream_drained(stream);
    publish(&fuzz.rig);
    bool made = fuzz_make_awaited();
    publish(&fuzz.rig);
    for (unsigned i = 0; i < FUZZ_SETTLE_ROUNDS; i++) {
        enum xds_type type = (enum xds_type)(i % XDS_TYPE_COUNT);
        if (stream->subs[type].in_flight) {
            fuzz_answer(type, NULL, i % 3 == 0);
            streams_pump(&fuzz.rig.env);
        }
        rejected |= stream->subs[type].rejected || stream->subs[type].refused.count > 0;
    }
    for (unsigned t = 0; t < XDS_TYPE_COUNT && !stream->ended && stream->slot != REPLICA_NONE;
         t++) {
        const struct subscription *sub = &stream->subs[t];
        ASSERT(!sub->in_flight);
        if (!made) {
            continue; /* answers wait for it, and others for these */
        }
        ASSERT(sub->dirty.count == 0 && sub->awaited.count == 0);
        bool in_use = t == XDS_CDS && stream->kind == STREAM_SOTW && !sub->wildcard;
        ASSERT(rejected || in_use || sub->removing.count == 0); /* in_use: see ads_order.c */
        for (unsigned i = 0; i < FUZZ_NAMES; i++) {
            const char name = (char)('a' + i);
            uint32_t id = replica_find(sub->replica, sub->type, str_span(&name, 1));
            const struct resource *wanted =
                id != REPLICA_NONE ? replica_wanted(sub->replica, sub->slot, sub->type, id) : NULL;
            ASSERT(wanted == NULL || resource_message(wanted).ptr[2] == fuzz.has[t][i]);
        }
    }
}

static inline void stream_fuzz_run(enum stream_protocol protocol, const uint8_t *data, size_t size)
{
    static struct stream_ops ops;
    ops = rig_ops;
    ops.send = fuzz_send;
    memset(&fuzz, 0, sizeof(fuzz));
    fuzz.at = data;
    fuzz.end = data + size;
    rig_init(&fuzz.rig);
    fuzz.rig.env.ops = &ops;
    fuzz.rig.env.limits.names_per_type = 64;
    fuzz.rig.env.limits.interest_names = FUZZ_NAMES / 2;
    fuzz.client = client_new(&fuzz.rig, protocol);
    for (unsigned i = 0; i < FUZZ_EVENTS_MAX && fuzz.at < fuzz.end; i++) {
        stream_fuzz_event();
        fuzz_check_sums();
    }
    fuzz_settle();
    client_free(fuzz.client);
    ASSERT(fuzz.rig.names == 0 && fuzz.rig.peer_names == 0);
    rig_release(&fuzz.rig);
}

#endif
