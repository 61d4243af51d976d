/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provision_server: an API server that keeps objects: it lists, watches, makes, applies and
 * deletes, notes whose fields are whose as far as provision looks, and, when asked to, gives
 * ClusterIPs.
 */
#ifndef HEDDLE_TESTS_PROVISION_SERVER_H
#define HEDDLE_TESTS_PROVISION_SERVER_H

#include <jansson.h>

#include "api_fixture.h"
#include "base/log.h"
#include "codec/hash.h"
#include "provision/provision.h"

#define STREAMS_MAX 8

struct prig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    struct provision *provision;
    struct arena arena;
    struct keyring ring;
    int64_t now_s;
    /* the server */
    json_t *objects; /* path -> object */
    struct ask *streams[STREAMS_MAX];
    char stream_of[STREAMS_MAX][32]; /* plural */
    unsigned version, applies, deletes, gets, posts;
    bool allocates;  /* ClusterIPs: 10.96.0.100 and on */
    unsigned given;  /* so many of them */
    bool unanswered; /* what is made or deleted is told to watches before the answer is given */
    char deleted[64][256];             /* paths, the last ones */
    char applied[64][1024];            /* paths, the last ones */
    unsigned refuse;                   /* answers the next writes so, */
    unsigned refusals;                 /* so many of them, */
    const char *refuse_path, *message; /* of paths that contain it, with these words */
    const char *withheld;              /* lists of this plural: there is trouble */
    const char *undone; /* somebody merges this into Services whenever heddle has written one */
    const char *hasty;  /* somebody merges this into Services before the answer is read */
    /* the Gateway a/web and what follows from it */
    const char *image;
    unsigned rollouts_max, linger_ms;
    enum provision_class class;
    struct gateway gateway, others[2]; /* as web but for the name: a/other-0, … */
    struct ir_gateway ir;
    struct ir_parameters parameters;
    struct ir_listener listener;
    struct ir_address wanted[2];
    bool there;
    /* what was told */
    struct placed_row *placed;
    unsigned told;
};

/* --- the server ------------------------------------------------------------------------------ */

static inline json_t *member(json_t *object, const char *a, const char *b)
{
    json_t *value = json_object_get(object, a);
    return b != NULL ? json_object_get(value, b) : value;
}

/* "/apis/apps/v1/namespaces/a/deployments/x" -> "deployments" */
static inline struct str plural_of(struct str path)
{
    struct str rest = path, word = STR_NULL;
    while (rest.len > 0) {
        word = str_cut(&rest, '/');
        if (str_eq(word, STR("namespaces"))) {
            (void)str_cut(&rest, '/');
            return str_cut(&rest, '/');
        }
    }
    return word;
}

static inline void prig_say(struct prig *rig, const char *type, const char *path, json_t *object)
{
    struct str plural = plural_of(str_from(path));
    for (unsigned i = 0; i < STREAMS_MAX; i++) {
        if (rig->streams[i] != NULL && str_eq(str_from(rig->stream_of[i]), plural)) {
            json_t *event = json_pack("{s:s, s:O}", "type", type, "object", object);
            char *text = json_dumps(event, JSON_COMPACT);
            struct buf line;
            buf_init(&line, BUF_UNLIMITED);
            buf_printf(&line, "%s\n", text);
            free(text);
            text = buf_steal(&line, NULL);
            api_say(rig->streams[i], text);
            free(text);
            json_decref(event);
        }
    }
}

/* Only what has heddle's label is told to watches with heddle's selector. */
static inline bool is_labelled(json_t *object)
{
    json_t *labels = member(object, "metadata", "labels");
    const char *manager = json_string_value(json_object_get(labels, PART_MANAGER_LABEL));
    return manager != NULL && strcmp(manager, PART_MANAGER) == 0;
}

/* Takes the object. fields: whose set heddle's then is. */
static inline void prig_store(struct prig *rig, const char *path, json_t *object, json_t *fields)
{
    char version[16], uid[32];
    json_t *meta = json_object_get(object, "metadata");
    json_t *before = json_object_get(rig->objects, path);
    bool was = before != NULL && is_labelled(before);
    (void)snprintf(version, sizeof(version), "%u", ++rig->version);
    (void)snprintf(uid, sizeof(uid), "uid-%u", rig->version);
    json_object_set_new(meta, "resourceVersion", json_string(version));
    if (json_object_get(meta, "uid") == NULL) {
        json_object_set_new(meta, "uid", json_string(uid));
    }
    if (fields != NULL) {
        json_object_set_new(meta, "managedFields",
                            json_pack("[{s:s, s:s, s:o}]", "manager", PART_MANAGER, "operation",
                                      "Apply", "fieldsV1", fields));
    }
    bool is = is_labelled(object);
    json_incref(object);
    json_object_set_new(rig->objects, path, object);
    if (is || was) {
        prig_say(rig, is ? (was ? "MODIFIED" : "ADDED") : "DELETED", path, object);
    }
    json_decref(object);
}

static inline json_t *object_at(const struct prig *rig, const char *path)
{
    return json_object_get(rig->objects, path);
}

/* Somebody else writes: `change` is merged in. mine: into a field that heddle had set. */
static inline void prig_edit(struct prig *rig, const char *path, const char *change, bool mine)
{
    json_t *object = json_deep_copy(object_at(rig, path));
    json_t *patch = json_loads(change, 0, NULL);
    assert_non_null(patch);
    json_object_update_recursive(object, patch);
    json_decref(patch);
    prig_store(rig, path, object, mine ? json_pack("{s:s}", "f:edited", change) : NULL);
}

static inline void reply_json(struct ask *ask, unsigned status, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    api_reply(ask, status, text);
    free(text);
}

static inline json_t *fields_of(json_t *body)
{
    char hash[HASH_TEXT_LEN];
    char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    hash_text(hash_bytes(str_from(text)), hash);
    free(text);
    json_t *spec = json_object();
    if (member(body, "spec", "replicas") != NULL) {
        json_object_set_new(spec, "f:replicas", json_object());
    }
    return json_pack("{s:s, s:o}", "f:hash", hash, "f:spec", spec);
}

/* As it does of kinds that have one. */
static inline void count_generation(json_t *object, json_t *before)
{
    json_int_t generation = json_integer_value(member(object, "metadata", "generation"));
    bool same =
        before != NULL && json_equal(member(object, "spec", NULL), member(before, "spec", NULL));
    json_object_set_new(member(object, "metadata", NULL), "generation",
                        json_integer(generation + !same));
}

static inline const char *cluster_ip(json_t *service)
{
    return json_string_value(member(service, "spec", "clusterIP"));
}

/* As the API server does: one that is set stays, and nobody has another's. Words of the refusal;
 * NULL: `object` has one. */
static inline const char *allocate(struct prig *rig, const char *path, json_t *object,
                                   json_t *before)
{
    char next[32];
    const char *key, *wanted = cluster_ip(object);
    json_t *other;
    if (before != NULL && wanted != NULL && strcmp(wanted, cluster_ip(before)) != 0) {
        return "spec.clusterIPs[0]: Invalid value: may not change once set";
    }
    json_object_foreach(rig->objects, key, other)
    {
        if (wanted != NULL && strcmp(key, path) != 0 && cluster_ip(other) != NULL &&
            strcmp(cluster_ip(other), wanted) == 0) {
            return "failed to allocate IP: provided IP is already allocated";
        }
    }
    (void)snprintf(next, sizeof(next), "10.96.0.%u", 100 + rig->given);
    if (wanted == NULL) {
        rig->given++;
        json_object_set_new(member(object, "spec", NULL), "clusterIP", json_string(next));
    }
    json_object_set_new(member(object, "spec", NULL), "clusterIPs",
                        json_pack("[O]", member(object, "spec", "clusterIP")));
    return NULL;
}

static inline bool is_allocated(struct prig *rig, struct ask *ask, const char *path, json_t *object,
                                json_t *before)
{
    if (!rig->allocates || strstr(path, "/services/") == NULL) {
        return true;
    }
    const char *words = allocate(rig, path, object, before);
    if (words != NULL) {
        json_t *status =
            json_pack("{s:s, s:s, s:s}", "kind", "Status", "reason", "Invalid", "message", words);
        reply_json(ask, 422, status);
        json_decref(status);
    }
    return words == NULL;
}

static inline void answer_post(struct prig *rig, struct ask *ask, const char *path)
{
    char name[64], whole[1200];
    json_t *body = json_loadb(ask->body.ptr, ask->body.len, 0, NULL);
    json_t *meta = json_object_get(body, "metadata");
    assert_non_null(meta);
    (void)snprintf(name, sizeof(name), "%sx%04u",
                   json_string_value(json_object_get(meta, "generateName")), ++rig->posts);
    (void)snprintf(whole, sizeof(whole), "%s/%s", path, name);
    json_object_set_new(meta, "name", json_string(name));
    if (!is_allocated(rig, ask, whole, body, NULL)) {
        json_decref(body);
        return;
    }
    json_incref(body);
    prig_store(rig, whole, body, fields_of(body));
    if (rig->unanswered) {
        turn(&rig->loop, 30); /* the watch is read first */
    }
    reply_json(ask, 201, body);
    json_decref(body);
}

static inline void answer_apply(struct prig *rig, struct ask *ask, const char *path)
{
    json_t *body = json_loadb(ask->body.ptr, ask->body.len, 0, NULL);
    json_t *before = json_object_get(rig->objects, path);
    bool ours = strstr(ask->path, "fieldManager=heddle&") != NULL;
    assert_non_null(body);
    assert_non_null(strstr(ask->path, "force=true"));
    (void)snprintf(rig->applied[rig->applies++ % 64], sizeof(rig->applied[0]), "%s", ask->path);
    json_t *object = before != NULL ? json_deep_copy(before) : json_object();
    json_object_update_recursive(object, body);
    if (ours && member(body, "spec", "replicas") == NULL && member(object, "spec", NULL) != NULL &&
        member(object, "spec", "handed") == NULL) {
        json_object_del(member(object, "spec", NULL), "replicas");
    }
    if (!ours) {
        json_object_set_new(member(object, "spec", NULL), "handed", json_true());
    }
    if (!is_allocated(rig, ask, path, object, before)) {
        json_decref(object);
        json_decref(body);
        return;
    }
    count_generation(object, before);
    prig_store(rig, path, object, ours ? fields_of(body) : NULL);
    json_t *said = json_deep_copy(object_at(rig, path));
    if (rig->hasty != NULL && strstr(path, "/services/") != NULL) {
        prig_edit(rig, path, rig->hasty, false);
        turn(&rig->loop, 30); /* the watch is read first */
    }
    reply_json(ask, 200, said);
    if (rig->undone != NULL && strstr(path, "/services/") != NULL) {
        prig_edit(rig, path, rig->undone, true);
    }
    json_decref(said);
    json_decref(body);
}

static inline void prig_remove(struct prig *rig, const char *path)
{
    json_t *object = json_incref(json_object_get(rig->objects, path));
    json_object_del(rig->objects, path);
    prig_say(rig, "DELETED", path, object);
    json_decref(object);
}

static inline void answer_delete(struct prig *rig, struct ask *ask, const char *path)
{
    bool there = object_at(rig, path) != NULL;
    if (!rig->unanswered) {
        api_reply(ask, there ? 200 : 404, "{}");
    }
    if (there) {
        prig_remove(rig, path);
    }
    if (rig->unanswered) {
        turn(&rig->loop, 30);
        api_reply(ask, there ? 200 : 404, "{}");
    }
}

static inline void answer_list(struct prig *rig, struct ask *ask, struct str path)
{
    struct str plural = plural_of(path);
    json_t *object;
    const char *key;
    char version[16];
    assert_non_null(strstr(ask->path, "labelSelector=app.kubernetes.io"));
    if (rig->withheld != NULL && str_eq(plural, str_from(rig->withheld))) {
        api_reply(ask, 503, "{}");
        return;
    }
    (void)snprintf(version, sizeof(version), "%u", rig->version);
    json_t *items = json_array();
    json_object_foreach(rig->objects, key, object)
    {
        if (str_eq(plural_of(str_from(key)), plural) && is_labelled(object)) {
            json_array_append(items, object);
        }
    }
    json_t *list = json_pack("{s:s, s:s, s:{s:s}, s:o}", "kind", "XList", "apiVersion", "v1",
                             "metadata", "resourceVersion", version, "items", items);
    reply_json(ask, 200, list);
    json_decref(list);
}

static inline void answer_watch(struct prig *rig, struct ask *ask, struct str path)
{
    assert_non_null(strstr(ask->path, "labelSelector=app.kubernetes.io"));
    for (unsigned i = 0; i < STREAMS_MAX; i++) {
        if (rig->streams[i] == NULL) {
            rig->streams[i] = ask;
            (void)snprintf(rig->stream_of[i], sizeof(rig->stream_of[i]), "%.*s",
                           STR_FMT(plural_of(path)));
            api_begin(ask);
            return;
        }
    }
    assert_true(false);
}

static inline bool refuses(struct prig *rig, struct ask *ask)
{
    if (rig->refusals == 0 || strcmp(ask->method, "GET") == 0 ||
        strstr(ask->path, rig->refuse_path) == NULL) {
        return false;
    }
    rig->refusals--;
    json_t *status = json_pack("{s:s, s:s, s:s}", "kind", "Status", "reason", "Because", "message",
                               rig->message);
    reply_json(ask, rig->refuse, status);
    json_decref(status);
    return true;
}

static inline void answer(void *user, struct ask *ask)
{
    struct prig *rig = user;
    struct str rest = str_from(ask->path);
    struct str cut = str_cut(&rest, '?');
    char path[1024];
    (void)snprintf(path, sizeof(path), "%.*s", STR_FMT(cut));
    json_t *object = json_object_get(rig->objects, path);
    if (refuses(rig, ask)) {
        return;
    }
    if (strcmp(ask->method, "PATCH") == 0) {
        answer_apply(rig, ask, path);
    } else if (strcmp(ask->method, "POST") == 0) {
        answer_post(rig, ask, path);
    } else if (strcmp(ask->method, "DELETE") == 0) {
        assert_true(str_contains(ask->body, STR("preconditions")));
        (void)snprintf(rig->deleted[rig->deletes++ % 64], sizeof(rig->deleted[0]), "%.255s", path);
        answer_delete(rig, ask, path);
    } else if (strstr(ask->path, "watch=true") != NULL) {
        answer_watch(rig, ask, cut);
    } else if (strstr(ask->path, "limit=") != NULL) {
        answer_list(rig, ask, cut);
    } else if (object != NULL) {
        rig->gets++;
        reply_json(ask, 200, object);
    } else {
        rig->gets++;
        api_reply(ask, 404, "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"none\"}");
    }
}

#endif
