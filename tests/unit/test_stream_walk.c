/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random walks of an Envoy's stream: listeners that come, go, move and swap their places, secrets
 * of which some are bad, names that are asked for and left, answers that come late or as one. When
 * all is answered the client must have what is published, and thread 0 must know what it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream_rig.h"

#define LISTENERS 6
#define SECRETS 10
#define PLACES 9 /* more than listeners */
#define WALKS 150
#define STEPS 300
#define ANSWERS_MAX 3000 /* until a walk has come to its end */
#define BODY_MAX 32
#define BAD 'B' /* how the body of one that the client refuses begins */

struct message {
    enum xds_type type;
    char nonce[24];
    VEC(char *) put; /* "l1|BODY@PLACE" */
    VEC(char *) removed;
};

struct things { /* by their number: body, or empty */
    char listeners[LISTENERS][BODY_MAX];
    char secrets[SECRETS][BODY_MAX];
};

struct walk {
    struct rig rig;
    struct client *client;
    bool delta;
    uint64_t random;
    unsigned version;
    struct things published, had;
    bool named[SECRETS], refused[SECRETS]; /* refused: as thread 0 knows */
    VEC(struct message) messages;          /* unanswered */
    size_t next;
    unsigned clashes; /* listeners at a place that another one had */
};

static struct walk *walk; /* for stream_ops, which know the rig's clients only */

static unsigned pick(unsigned below)
{
    walk->random = walk->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((walk->random >> 33) % below);
}

/* --- what the client hears ------------------------------------------------------------------- */

static void hear_delta(struct message *message, const struct buf *bytes)
{
    Envoy__Service__Discovery__V3__DeltaDiscoveryResponse *m =
        envoy__service__discovery__v3__delta_discovery_response__unpack(NULL, bytes->len,
                                                                        bytes->data);
    assert_true(xds_type_from_url(str_from(m->type_url), &message->type));
    (void)snprintf(message->nonce, sizeof(message->nonce), "%s", m->nonce);
    for (size_t i = 0; i < m->n_resources; i++) {
        ProtobufCBinaryData value = m->resources[i]->resource->value;
        vec_push(&message->put, str_dup(str_span((const char *)value.data, value.len)));
    }
    for (size_t i = 0; i < m->n_removed_resources; i++) {
        vec_push(&message->removed, xstrdup(m->removed_resources[i]));
    }
    envoy__service__discovery__v3__delta_discovery_response__free_unpacked(m, NULL);
}

static void hear_sotw(struct message *message, const struct buf *bytes)
{
    Envoy__Service__Discovery__V3__DiscoveryResponse *m =
        envoy__service__discovery__v3__discovery_response__unpack(NULL, bytes->len, bytes->data);
    assert_true(xds_type_from_url(str_from(m->type_url), &message->type));
    (void)snprintf(message->nonce, sizeof(message->nonce), "%s", m->nonce);
    for (size_t i = 0; i < m->n_resources; i++) {
        ProtobufCBinaryData value = m->resources[i]->value;
        vec_push(&message->put, str_dup(str_span((const char *)value.data, value.len)));
    }
    envoy__service__discovery__v3__discovery_response__free_unpacked(m, NULL);
}

static bool on_send(struct stream *stream, const struct response *response)
{
    struct message message = {.type = XDS_LDS};
    struct buf bytes;
    (void)stream;
    buf_init(&bytes, BUF_UNLIMITED);
    for (size_t i = 0; i < response->pieces.len; i++) {
        buf_add_str(&bytes, response->pieces.items[i].bytes);
    }
    if (walk->delta) {
        hear_delta(&message, &bytes);
    } else {
        hear_sotw(&message, &bytes);
    }
    vec_push(&walk->messages, message);
    buf_release(&bytes);
    return true;
}

static unsigned number(const char *name)
{
    return (unsigned)(name[1] - '0');
}

static void on_verdict(enum xds_type type, struct resource *const *of, size_t nof, bool refused)
{
    for (size_t i = 0; type == XDS_SDS && i < nof; i++) {
        walk->refused[number(of[i]->name.ptr)] = refused;
    }
}

static void on_rejected(struct stream *stream, enum xds_type type, struct resource *const *of,
                        size_t nof, struct str text)
{
    (void)stream;
    (void)text;
    on_verdict(type, of, nof, true);
}

static void on_accepted(struct stream *stream, enum xds_type type, struct resource *const *of,
                        size_t nof)
{
    (void)stream;
    on_verdict(type, of, nof, false);
}

static void on_dropped(struct stream *stream, enum xds_type type, struct str name)
{
    (void)stream;
    if (type == XDS_SDS) {
        walk->refused[number(name.ptr)] = false;
    }
}

static const struct stream_ops ops = {on_send,     rig_queued,  rig_opened, rig_interest,
                                      on_rejected, on_accepted, on_dropped, rig_end};

/* --- what it does with that ------------------------------------------------------------------ */

static const char *place_of(const char *body)
{
    const char *at = strchr(body, '@');
    return at != NULL ? at : "";
}

/* As lds_api.cc: what goes is taken away, then one after the other is put. */
static void take_listeners(const struct message *message)
{
    bool named[LISTENERS] = {false};
    for (size_t i = 0; i < message->put.len; i++) {
        named[number(message->put.items[i])] = true;
    }
    for (unsigned i = 0; !walk->delta && i < LISTENERS; i++) {
        walk->had.listeners[i][0] = named[i] ? walk->had.listeners[i][0] : '\0';
    }
    for (size_t i = 0; i < message->removed.len; i++) {
        walk->had.listeners[number(message->removed.items[i])][0] = '\0';
    }
    for (size_t i = 0; i < message->put.len; i++) {
        unsigned id = number(message->put.items[i]);
        const char *body = strchr(message->put.items[i], '|') + 1;
        for (unsigned j = 0; j < LISTENERS; j++) {
            const char *other = walk->had.listeners[j];
            walk->clashes +=
                j != id && other[0] != '\0' && strcmp(place_of(other), place_of(body)) == 0;
        }
        (void)snprintf(walk->had.listeners[id], BODY_MAX, "%s", body);
    }
}

/* False: it is refused. */
static bool take_secrets(const struct message *message)
{
    bool good = true;
    assert_true(message->put.len <= 1);
    for (size_t i = 0; i < message->removed.len; i++) {
        walk->had.secrets[number(message->removed.items[i])][0] = '\0';
    }
    for (size_t i = 0; i < message->put.len; i++) {
        unsigned id = number(message->put.items[i]);
        const char *body = strchr(message->put.items[i], '|') + 1;
        good = body[0] != BAD;
        if (good && walk->named[id]) {
            (void)snprintf(walk->had.secrets[id], BODY_MAX, "%s", body);
        }
    }
    return good;
}

static void names_text(char *out)
{
    out[0] = '\0';
    for (unsigned i = 0; i < SECRETS; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "s%u ", i);
        rig_append(out, RIG_TEXT_MAX, walk->named[i] ? name : "");
    }
}

static bool is_waiting(void)
{
    return walk->next < walk->messages.len;
}

static struct message *take_next(bool *ret_good)
{
    struct message *message = &walk->messages.items[walk->next++];
    if (message->type == XDS_LDS) {
        take_listeners(message);
        *ret_good = true;
    } else {
        *ret_good = take_secrets(message);
    }
    return message;
}

static void answer_next(void)
{
    bool good;
    const struct message *message = take_next(&good);
    char names[RIG_TEXT_MAX] = "";
    if (walk->delta) {
        delta_only(walk->client, message->type, "", "", "", message->nonce, good ? NULL : "bad");
    } else {
        while (good && message->type == XDS_SDS && is_waiting() && pick(3) == 0) {
            const struct message *then = &walk->messages.items[walk->next];
            if (then->type != XDS_SDS || then->put.len != 1 ||
                strchr(then->put.items[0], '|')[1] == BAD) {
                break;
            }
            message = take_next(&good);
        }
        if (message->type == XDS_SDS) {
            names_text(names);
        }
        sotw_only(walk->client, message->type, names, "1", message->nonce, good ? NULL : "bad");
    }
    streams_pump(&walk->rig.env);
}

/* --- what happens ---------------------------------------------------------------------------- */

static void put_listener(unsigned id, const char *place)
{
    char name[8];
    char body[BODY_MAX];
    (void)snprintf(name, sizeof(name), "l%u", id);
    (void)snprintf(body, sizeof(body), "%u%s", ++walk->version, place);
    memcpy(walk->published.listeners[id], body, sizeof(body));
    put(&walk->rig, XDS_LDS, name, body);
}

static bool is_taken(const char *place)
{
    bool taken = false;
    for (unsigned i = 0; i < LISTENERS; i++) {
        taken = taken || strcmp(place_of(walk->published.listeners[i]), place) == 0;
    }
    return taken;
}

static void change_listener(void)
{
    unsigned id = pick(LISTENERS);
    unsigned other = pick(LISTENERS);
    char name[8];
    char place[BODY_MAX], others[BODY_MAX];
    (void)snprintf(name, sizeof(name), "l%u", id);
    (void)snprintf(place, sizeof(place), "%s", place_of(walk->published.listeners[id]));
    (void)snprintf(others, sizeof(others), "%s", place_of(walk->published.listeners[other]));
    unsigned what = pick(5);
    if (what == 0 && place[0] != '\0') {
        walk->published.listeners[id][0] = '\0';
        del(&walk->rig, XDS_LDS, name);
    } else if (what == 1 && place[0] != '\0' && others[0] != '\0' && id != other) {
        put_listener(id, others);
        put_listener(other, place);
    } else {
        while (place[0] == '\0' || (what > 2 && is_taken(place))) {
            (void)snprintf(place, sizeof(place), "@%u", pick(PLACES));
            what = 3;
        }
        put_listener(id, place);
    }
}

static void change_secret(void)
{
    unsigned id = pick(SECRETS);
    char *body = walk->published.secrets[id];
    char name[8];
    (void)snprintf(name, sizeof(name), "s%u", id);
    if (body[0] != '\0' && pick(4) == 0) {
        body[0] = '\0';
        del(&walk->rig, XDS_SDS, name);
    } else {
        (void)snprintf(body, BODY_MAX, "%s%u", pick(3) == 0 ? "B" : "", ++walk->version);
        put(&walk->rig, XDS_SDS, name, body);
    }
}

static void name_secret(void)
{
    unsigned id = pick(SECRETS);
    char text[RIG_TEXT_MAX];
    walk->named[id] = !walk->named[id];
    walk->had.secrets[id][0] = walk->named[id] ? walk->had.secrets[id][0] : '\0';
    if (walk->delta) {
        (void)snprintf(text, sizeof(text), "s%u", id);
        delta_only(walk->client, XDS_SDS, walk->named[id] ? text : "", walk->named[id] ? "" : text,
                   "", NULL, NULL);
    } else {
        names_text(text);
        sotw_only(walk->client, XDS_SDS, text, "1", "", NULL);
    }
    streams_pump(&walk->rig.env);
}

static void step(void)
{
    unsigned what = pick(10);
    unsigned times = 1 + pick(3);
    for (unsigned i = 0; i < times; i++) {
        if (what < 3) {
            change_listener();
        } else if (what < 5) {
            change_secret();
        } else if (what > 5 && is_waiting()) {
            answer_next();
        }
    }
    if (what == 5) {
        name_secret();
    } else if (what < 5) {
        publish(&walk->rig);
    }
}

/* --- how it ends ----------------------------------------------------------------------------- */

static void check(void)
{
    assert_int_equal(walk->clashes, 0);
    assert_true(subscription_settled(&walk->client->stream->subs[XDS_LDS]));
    for (unsigned i = 0; i < LISTENERS; i++) {
        assert_string_equal(walk->had.listeners[i], walk->published.listeners[i]);
    }
    for (unsigned i = 0; i < SECRETS; i++) {
        const char *body = walk->published.secrets[i];
        bool bad = walk->named[i] && body[0] == BAD;
        assert_int_equal(walk->refused[i], bad);
        /* the state of the world has no word for a secret that is gone */
        if (walk->named[i] && !bad && (walk->delta || body[0] != '\0')) {
            assert_string_equal(walk->had.secrets[i], body);
        }
    }
    const struct subscription *sds = &walk->client->stream->subs[XDS_SDS];
    assert_false(sds->in_flight);
    assert_int_equal(sds->dirty.count + sds->removing.count + sds->sent.count, 0);
}

static void go(uint64_t seed, bool delta)
{
    walk = xcalloc(1, sizeof(*walk));
    walk->random = seed;
    walk->delta = delta;
    rig_init(&walk->rig);
    walk->rig.env.ops = &ops;
    walk->rig.view.keeps_valid = true;
    walk->rig.view.response_bytes = pick(2) == 0 ? 50 + pick(400) : 0;
    walk->client = client_new(&walk->rig, delta ? STREAM_DELTA : STREAM_SOTW);
    if (delta) {
        delta_only(walk->client, XDS_LDS, "", "", "", NULL, NULL);
    } else {
        sotw_only(walk->client, XDS_LDS, "", "", "", NULL);
    }
    streams_pump(&walk->rig.env);
    for (unsigned i = 0; i < STEPS; i++) {
        step();
    }
    for (unsigned i = 0; is_waiting(); i++) {
        assert_true(i < ANSWERS_MAX);
        answer_next();
    }
    check();
    client_free(walk->client);
    rig_release(&walk->rig);
    for (size_t i = 0; i < walk->messages.len; i++) {
        struct message *message = &walk->messages.items[i];
        for (size_t j = 0; j < message->put.len; j++) {
            free(message->put.items[j]);
        }
        for (size_t j = 0; j < message->removed.len; j++) {
            free(message->removed.items[j]);
        }
        vec_release(&message->put);
        vec_release(&message->removed);
    }
    vec_release(&walk->messages);
    free(walk);
}

static void what_is_published_arrives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        go(seed, false);
        go(seed, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_published_arrives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
