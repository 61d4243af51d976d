/* SPDX-License-Identifier: Apache-2.0 */
/* stream: what does a client ask for next, and what has it got? */
#include "stream.h"

#include <string.h>

#include "request.h"

#define REMOVED_MAX (4u << 20)
#define TOKEN_MAX 4096 /* a version or a nonce */

const char *const class_names[CLASS_COUNT] = {"delta", "sotw", "grpc"};

/* --- what a stream has ----------------------------------------------------------------------- */

static void grow(struct stream *stream)
{
    size_t old = stream->cap;

    if (stream->catalog->entities.len <= old) {
        return;
    }
    stream->cap = stream->catalog->entities.len + stream->catalog->entities.len / 2;
    stream->have = xrealloc(stream->have, stream->cap * sizeof(*stream->have));
    stream->seen = xrealloc(stream->seen, stream->cap * sizeof(*stream->seen));
    stream->wanted = xrealloc(stream->wanted, stream->cap * sizeof(*stream->wanted));
    memset(stream->have + old, 0, (stream->cap - old) * sizeof(*stream->have));
    memset(stream->seen + old, 0, (stream->cap - old) * sizeof(*stream->seen));
    memset(stream->wanted + old, 0, (stream->cap - old) * sizeof(*stream->wanted));
}

static enum kind kind_of(const struct stream *stream, entity_id id)
{
    return stream->catalog->entities.items[id]->kind;
}

static void set_have(struct stream *stream, entity_id id, const struct content *content)
{
    struct subscription *sub = &stream->subs[kind_of(stream, id)];
    bool had = stream->have[id] != NULL;
    bool has = content != NULL;

    stream->have[id] = content;
    sub->have += (unsigned)has - (unsigned)had;
    if (stream->wanted[id]) {
        sub->missing += (unsigned)had - (unsigned)has;
    }
}

static void set_wanted(struct stream *stream, entity_id id, bool wanted)
{
    struct subscription *sub = &stream->subs[kind_of(stream, id)];

    if (stream->wanted[id] == wanted) {
        return;
    }
    stream->wanted[id] = wanted;
    if (stream->have[id] == NULL) {
        sub->missing += wanted ? 1u : -1u;
    } else if (!wanted) {
        stream->have[id] = NULL;
        sub->have--;
    }
}

bool stream_complete(const struct stream *stream)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        if (!stream->subs[kind].answered || stream->subs[kind].missing > 0) {
            return false;
        }
    }
    return true;
}

/* --- asking ---------------------------------------------------------------------------------- */

static struct name_list names_of(const struct subscription *sub)
{
    return (struct name_list){sub->names.items, sub->names.len};
}

static void ask(struct stream *stream, enum kind kind, struct name_list added,
                struct name_list removed)
{
    struct subscription *sub = &stream->subs[kind];
    struct request request = {.kind = kind, .subscribe = added, .unsubscribe = removed};

    if (stream->class != CLASS_DELTA) {
        request.version = buf_str(&sub->version);
        request.nonce = buf_str(&sub->nonce);
    }
    sub->asked = true;
    request_send(stream, &request);
}

static void ask_wildcard(struct stream *stream, enum kind kind)
{
    stream->subs[kind].wildcard = true;
    ask(stream, kind, (struct name_list){0}, (struct name_list){0});
}

/* Makes the subscription of `child` the set of names in what is had of `parent`. */
static void follow(struct stream *stream, enum kind parent, enum kind child)
{
    struct subscription *sub = &stream->subs[child];
    uint32_t *marks = catalog_new_marks(stream->catalog);
    uint32_t mark = stream->catalog->mark;
    VEC(entity_id) names = {0}, added = {0}, removed = {0};

    grow(stream);
    for (size_t id = 0; id < stream->cap; id++) {
        const struct content *content = stream->have[id];
        if (content == NULL || kind_of(stream, (entity_id)id) != parent) {
            continue;
        }
        for (uint32_t i = 0; i < content->nrefs; i++) {
            entity_id ref = content->refs[i];
            if (marks[ref] == mark) {
                continue;
            }
            marks[ref] = mark;
            vec_push(&names, ref);
            if (!stream->wanted[ref]) {
                vec_push(&added, ref);
            }
        }
    }
    for (size_t i = 0; i < sub->names.len; i++) {
        if (marks[sub->names.items[i]] != mark) {
            vec_push(&removed, sub->names.items[i]);
            set_wanted(stream, sub->names.items[i], false);
        }
    }
    for (size_t i = 0; i < added.len; i++) {
        set_wanted(stream, added.items[i], true);
    }
    vec_release(&sub->names);
    sub->names.items = names.items;
    sub->names.len = names.len;
    sub->names.cap = names.cap;
    request_keep_names(stream, sub);
    if (added.len > 0 || removed.len > 0) {
        ask(stream, child, (struct name_list){added.items, added.len},
            (struct name_list){removed.items, removed.len});
    }
    vec_release(&added);
    vec_release(&removed);
}

/* The kind that resources of this kind make a client of this class ask for; else KIND_COUNT. */
static enum kind child_of(enum client_class class, enum kind kind)
{
    switch (kind) {
    case KIND_CDS:
        return KIND_EDS;
    case KIND_LDS:
        return KIND_RDS;
    case KIND_RDS:
        return class == CLASS_GRPC ? KIND_CDS : KIND_COUNT;
    case KIND_EDS:
    case KIND_COUNT:
        break;
    }
    return KIND_COUNT;
}

/* --- taking responses ------------------------------------------------------------------------ */

static bool take_resource(struct stream *stream, struct str entry, struct err *err)
{
    struct response *response = &stream->response;
    const struct content *content =
        catalog_content(stream->catalog, entry, stream->class == CLASS_DELTA, err);

    if (content == NULL) {
        return false;
    }
    grow(stream);
    entity_id id = content->entity;
    enum kind kind = kind_of(stream, id);
    if (response->known_kind && response->kind != kind) {
        return err_set(err, "a response holds resources of two types");
    }
    response->kind = kind;
    response->known_kind = true;
    response->resources++;
    stream->seen[id] = stream->responses;
    if (!stream->wanted[id] && !stream->subs[kind].wildcard) {
        stream->tally.unasked++; /* it may have crossed with the end of the subscription */
        return true;
    }
    const struct content *before = stream->have[id];
    if (before == content) {
        stream->tally.repeats++;
        return true;
    }
    response->refs_changed |= before == NULL || before->refs_hash != content->refs_hash;
    response->news++;
    stream->tally.news++;
    set_have(stream, id, content);
    return true;
}

/* Delta: names. They wait for the end of the message, since the type may come behind them. */
static void note_removed(struct stream *stream, struct str name)
{
    wire_put_bytes(&stream->response.removed, 6, name);
}

static void take_removed(struct stream *stream)
{
    struct response *response = &stream->response;
    struct wire wire = wire_over(buf_str(&response->removed));
    struct wire_field field;

    while (wire_next(&wire, &field)) {
        entity_id id = catalog_entity(stream->catalog, response->kind, field.bytes);
        grow(stream);
        stream->tally.removed += stream->have[id] != NULL;
        response->refs_changed |= stream->have[id] != NULL;
        set_have(stream, id, NULL);
    }
}

/* State of the world: what a listener or cluster response leaves out is gone. */
static void take_omitted(struct stream *stream)
{
    struct response *response = &stream->response;
    struct subscription *sub = &stream->subs[response->kind];

    if ((response->kind != KIND_CDS && response->kind != KIND_LDS) ||
        response->resources == sub->have) {
        return;
    }
    for (size_t id = 0; id < stream->catalog->entities.len && id < stream->cap; id++) {
        if (stream->have[id] != NULL && kind_of(stream, (entity_id)id) == response->kind &&
            stream->seen[id] != stream->responses) {
            stream->tally.removed++;
            response->refs_changed = true;
            set_have(stream, (entity_id)id, NULL);
        }
    }
}

static void acknowledge(struct stream *stream)
{
    struct response *response = &stream->response;
    struct request ack = {.kind = response->kind, .nonce = buf_str(&response->nonce)};

    if (stream->class != CLASS_DELTA) {
        ack.version = buf_str(&response->version);
    }
    request_send(stream, &ack);
}

/* After a response: asks for what it names, acknowledges it, and goes on to listeners. */
static void respond(struct stream *stream)
{
    struct response *response = &stream->response;
    enum kind kind = response->kind;
    enum kind child = child_of(stream->class, kind);
    struct subscription *lds = &stream->subs[KIND_LDS];

    if (response->refs_changed && child != KIND_COUNT) {
        follow(stream, kind, child);
    } else if (stream->class == CLASS_SOTW && kind == KIND_CDS && response->news > 0) {
        ask(stream, KIND_EDS, (struct name_list){0}, (struct name_list){0});
    }
    acknowledge(stream);
    if (stream->class != CLASS_GRPC && !lds->asked && stream->subs[KIND_CDS].answered &&
        stream->subs[KIND_EDS].missing == 0) {
        ask_wildcard(stream, KIND_LDS);
    }
}

static bool on_field(void *user, const struct wire_field *field, struct err *err)
{
    struct stream *stream = user;
    struct response *response = &stream->response;
    bool delta = stream->class == CLASS_DELTA;

    if (field->type != WIRE_BYTES) {
        return true;
    }
    switch (field->number) {
    case 1:
        buf_add_str(&response->version, field->bytes);
        return true;
    case 2:
        return take_resource(stream, field->bytes, err);
    case 4: {
        enum kind kind;
        if (!kind_from_url(field->bytes, &kind) ||
            (response->known_kind && kind != response->kind)) {
            return err_set(err, "a response has type_url '%.*s'", STR_FMT(field->bytes));
        }
        response->kind = kind;
        response->known_kind = true;
        return true;
    }
    case 5:
        buf_add_str(&response->nonce, field->bytes);
        return true;
    case 6:
        if (delta) {
            note_removed(stream, field->bytes);
        }
        return true;
    default:
        return true;
    }
}

static void swap_bufs(struct buf *a, struct buf *b)
{
    struct buf kept = *a;

    *a = *b;
    *b = kept;
}

static bool on_message_end(void *user, struct err *err)
{
    struct stream *stream = user;
    struct response *response = &stream->response;

    if (!response->known_kind || response->nonce.len == 0) {
        return err_set(err, "a response has no type_url or no nonce");
    }
    struct subscription *sub = &stream->subs[response->kind];
    if (!sub->asked) {
        return err_set(err, "a response of type %s came unasked", kind_names[response->kind]);
    }
    if (stream->class == CLASS_DELTA) {
        take_removed(stream);
    } else {
        take_omitted(stream);
    }
    sub->answered = true;
    stream->tally.messages[response->kind]++;
    stream->tally.payload += stream->link.message_size;
    if (response->news > 0) {
        stream->tally.arrived_ns[response->kind] = stream->now_ns;
    }
    respond(stream);
    swap_bufs(&sub->version, &response->version);
    swap_bufs(&sub->nonce, &response->nonce);
    buf_clear(&response->version);
    buf_clear(&response->nonce);
    buf_clear(&response->removed);
    response->known_kind = response->refs_changed = false;
    response->resources = response->news = 0;
    stream->responses++;
    return true;
}

/* --- life ------------------------------------------------------------------------------------ */

void stream_init(struct stream *stream, struct catalog *catalog, enum client_class class,
                 unsigned number, struct str target)
{
    *stream = (struct stream){.catalog = catalog,
                              .class = class,
                              .number = number,
                              .target = target,
                              .responses = 1,
                              .link.fd = -1};
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        buf_init(&stream->subs[kind].version, TOKEN_MAX);
        buf_init(&stream->subs[kind].nonce, TOKEN_MAX);
        buf_init(&stream->subs[kind].all_names, REQUEST_MAX);
    }
    buf_init(&stream->response.version, TOKEN_MAX);
    buf_init(&stream->response.nonce, TOKEN_MAX);
    buf_init(&stream->response.removed, REMOVED_MAX);
}

void stream_free(struct stream *stream)
{
    link_close(&stream->link);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        buf_release(&stream->subs[kind].version);
        buf_release(&stream->subs[kind].nonce);
        buf_release(&stream->subs[kind].all_names);
        vec_release(&stream->subs[kind].names);
    }
    buf_release(&stream->response.version);
    buf_release(&stream->response.nonce);
    buf_release(&stream->response.removed);
    free(stream->have);
    free(stream->seen);
    free(stream->wanted);
}

static bool open_link(struct stream *stream, const struct sockaddr_storage *to, socklen_t to_len,
                      struct err *err)
{
    static const struct link_events events = {on_field, on_message_end};
    struct str path =
        stream->class == CLASS_DELTA
            ? STR("/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources")
            : STR("/envoy.service.discovery.v3.AggregatedDiscoveryService/"
                  "StreamAggregatedResources");

    link_close(&stream->link);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        stream->subs[kind].answered = false;
        buf_clear(&stream->subs[kind].nonce);
    }
    return link_open(&stream->link, to, to_len, path, &events, stream, err);
}

/* Asks for everything that the stream wants at once, in the order of the kinds. */
static void ask_again(struct stream *stream, bool with_node)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        struct subscription *sub = &stream->subs[kind];
        struct request request = {.kind = (enum kind)kind,
                                  .with_node = with_node && kind == 0,
                                  .subscribe = names_of(sub),
                                  .with_versions = true,
                                  .version = buf_str(&sub->version)};
        sub->asked = true;
        request_send(stream, &request);
    }
}

bool stream_connect(struct stream *stream, const struct sockaddr_storage *to, socklen_t to_len,
                    struct err *err)
{
    bool again = stream->responses > 1;
    bool grpc = stream->class == CLASS_GRPC;
    enum kind first = grpc ? KIND_LDS : KIND_CDS;
    struct subscription *sub = &stream->subs[first];

    if (!open_link(stream, to, to_len, err)) {
        return false;
    }
    if (again) {
        ask_again(stream, true);
        return link_flush(&stream->link, err);
    }
    if (grpc) {
        entity_id id = catalog_entity(stream->catalog, KIND_LDS, stream->target);
        grow(stream);
        set_wanted(stream, id, true);
        vec_push(&sub->names, id);
        request_keep_names(stream, sub);
    }
    sub->asked = true;
    sub->wildcard = !grpc;
    struct request request = {.kind = first, .with_node = true};
    request_send(stream, &request);
    return link_flush(&stream->link, err);
}

bool stream_connect_blind(struct stream *stream, const struct sockaddr_storage *to,
                          socklen_t to_len, const struct stream *like, unsigned times,
                          struct err *err)
{
    if (!open_link(stream, to, to_len, err)) {
        return false;
    }
    grow(stream);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        const struct subscription *other = &like->subs[kind];
        struct subscription *sub = &stream->subs[kind];
        sub->wildcard = other->wildcard;
        for (size_t i = 0; i < other->names.len; i++) {
            vec_push(&sub->names, other->names.items[i]);
            set_wanted(stream, other->names.items[i], true);
        }
        request_keep_names(stream, sub);
    }
    for (unsigned i = 0; i < times; i++) {
        ask_again(stream, i == 0);
    }
    return link_flush(&stream->link, err);
}

void stream_reset_tally(struct stream *stream)
{
    stream->tally = (struct tally){.bytes = 0};
}

unsigned stream_messages(const struct stream *stream)
{
    unsigned messages = 0;

    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        messages += stream->tally.messages[kind];
    }
    return messages;
}
