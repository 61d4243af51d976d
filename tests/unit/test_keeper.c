/* SPDX-License-Identifier: Apache-2.0 */
/* Is there one CA for all replicas, from the first start through races, nonsense, renewal and
 * deletion? Against an API server of ours that holds one Secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "api_fixture.h"
#include "base/log.h"
#include "ca/keeper.h"

#define DAY INT64_C(86400)
#define SECRETS "/api/v1/namespaces/heddle-system/secrets"

static int64_t now = INT64_C(1800000000);

static int64_t now_s(void)
{
    return now;
}

struct rig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    struct keeper *keeper;
    struct ask *stream;
    json_t *secret; /* NULL: there is none */
    unsigned version;
    unsigned posts, patches, changes;
    bool listed;     /* the list had it */
    unsigned refuse; /* the status of the next write, once */
    json_t *first;   /* what another replica writes just before the next POST; NULL: nobody does */
};

static void say(struct rig *rig, const char *type, const json_t *secret)
{
    json_t *event = json_pack("{s:s, s:O}", "type", type, "object", secret);
    char *text = json_dumps(event, JSON_COMPACT);
    struct buf line;
    buf_init(&line, BUF_UNLIMITED);
    buf_printf(&line, "%s\n", text);
    buf_add_byte(&line, '\0');
    if (rig->stream != NULL) {
        api_say(rig->stream, (const char *)line.data);
    }
    buf_release(&line);
    free(text);
    json_decref(event);
}

static void store(struct rig *rig, json_t *secret)
{
    char version[16];
    snprintf(version, sizeof(version), "%u", ++rig->version);
    json_t *metadata = json_object_get(secret, "metadata");
    json_object_set_new(metadata, "resourceVersion", json_string(version));
    json_object_set_new(metadata, "namespace", json_string("heddle-system"));
    json_object_set_new(metadata, "name", json_string(KEEPER_SECRET));
    bool fresh = rig->secret == NULL;
    json_decref(rig->secret);
    rig->secret = secret;
    say(rig, fresh ? "ADDED" : "MODIFIED", secret);
}

static void reply(struct ask *ask, unsigned status, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    api_reply(ask, status, text);
    free(text);
}

static void answer_write(struct rig *rig, struct ask *ask)
{
    json_t *body = json_loadb(ask->body.ptr, ask->body.len, 0, NULL);
    bool post = strcmp(ask->method, "POST") == 0;
    unsigned status = rig->refuse;
    assert_non_null(body);
    assert_string_equal(ask->path, post ? SECRETS : SECRETS "/" KEEPER_SECRET);
    rig->posts += post;
    rig->patches += !post;
    rig->refuse = 0;
    if (post && rig->first != NULL) {
        store(rig, rig->first);
        rig->first = NULL;
    }
    if (status == 0) {
        const json_t *version =
            json_object_get(json_object_get(body, "metadata"), "resourceVersion");
        bool stale =
            !post && !json_equal(version, json_object_get(json_object_get(rig->secret, "metadata"),
                                                          "resourceVersion"));
        status = (post && rig->secret != NULL) || stale ? 409 : post ? 201 : 200;
    }
    if (status < 300) {
        json_t *secret = post ? json_incref(body) : json_deep_copy(rig->secret);
        if (!post) {
            json_object_update(json_object_get(secret, "data"), json_object_get(body, "data"));
        }
        store(rig, secret);
    }
    reply(ask, status, body);
    json_decref(body);
}

static void answer(void *user, struct ask *ask)
{
    struct rig *rig = user;
    if (strcmp(ask->method, "GET") != 0) {
        answer_write(rig, ask);
    } else if (strstr(ask->path, "watch=true") != NULL) {
        assert_non_null(strstr(ask->path, "fieldSelector=metadata.name%3D" KEEPER_SECRET));
        rig->stream = ask;
        api_begin(ask);
        if (rig->secret != NULL && !rig->listed) { /* made between list and watch */
            say(rig, "ADDED", rig->secret);
        }
    } else {
        rig->listed = rig->secret != NULL;
        json_t *list = json_pack("{s:s, s:s, s:{s:s}, s:[]}", "kind", "SecretList", "apiVersion",
                                 "v1", "metadata", "resourceVersion", "0", "items");
        if (rig->secret != NULL) {
            json_array_append(json_object_get(list, "items"), rig->secret);
        }
        reply(ask, 200, list);
        json_decref(list);
    }
}

static void changed(void *user, const struct keyring *ring)
{
    assert_true(ring->token.len > 0);
    ((struct rig *)user)->changes++;
}

static void start(struct rig *rig)
{
    log_set_level(LOG_ERROR + 1);
    now = INT64_C(1800000000);
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
    rig->kube = api_kube(rig->api);
    const struct keeper_config config = {.kube = rig->kube,
                                         .ns = STR("heddle-system"),
                                         .now_s = now_s,
                                         .changed = changed,
                                         .user = rig};
    rig->keeper = keeper_start(&config);
    assert_null(keeper_ring(rig->keeper));
}

static void stop(struct rig *rig)
{
    keeper_stop(rig->keeper);
    kube_free(rig->kube);
    api_free(rig->api);
    json_decref(rig->secret);
    json_decref(rig->first);
    loop_release(&rig->loop);
}

/* A Secret as another replica makes it. */
static json_t *others_secret(struct keyring *ret_ring)
{
    struct err err;
    struct buf out;
    struct json json;
    assert_true(keyring_make(now, ret_ring, &err));
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    json_open(&json, '{');
    keyring_write(ret_ring, &json);
    json_close(&json, '}');
    json_t *data = json_loadb((const char *)out.data, out.len, 0, NULL);
    buf_release(&out);
    return json_pack("{s:{}, s:o}", "metadata", "data", data);
}

static void the_first_replica_makes_it(void **state)
{
    (void)state;
    struct rig rig = {.posts = 0};
    start(&rig);
    until(&rig.loop, rig.changes == 1);
    turn(&rig.loop, 20);
    assert_int_equal(rig.posts, 1);
    assert_int_equal(rig.patches, 0);
    assert_int_equal(rig.changes, 1);
    assert_non_null(keeper_ring(rig.keeper));
    stop(&rig);
}

static void the_second_replica_takes_the_first_ones(void **state)
{
    (void)state;
    struct rig rig = {.posts = 0};
    struct keyring other;
    rig.first = others_secret(&other);
    start(&rig);
    until(&rig.loop, rig.changes == 1);
    turn(&rig.loop, 20);
    assert_int_equal(rig.posts, 1);
    assert_true(keyring_equal(keeper_ring(rig.keeper), &other));
    keyring_release(&other);
    stop(&rig);
}

static void what_is_there_is_taken(void **state)
{
    (void)state;
    struct rig rig = {.posts = 0};
    struct keyring other;
    rig.secret = others_secret(&other);
    json_object_set_new(json_object_get(rig.secret, "metadata"), "name",
                        json_string(KEEPER_SECRET));
    start(&rig);
    until(&rig.loop, rig.changes == 1);
    assert_int_equal(rig.posts, 0);
    assert_true(keyring_equal(keeper_ring(rig.keeper), &other));
    keyring_release(&other);
    stop(&rig);
}

static void nonsense_changes_nothing(void **state)
{
    (void)state;
    struct rig rig = {.posts = 0};
    start(&rig);
    until(&rig.loop, rig.changes == 1);
    keeper_lead(rig.keeper, true);
    store(&rig, json_pack("{s:{}, s:{s:s}}", "metadata", "data", "ca.crt", "bm8="));
    now += 310 * DAY;
    turn(&rig.loop, 20);
    keeper_lead(rig.keeper, true);
    turn(&rig.loop, 20);
    assert_int_equal(rig.changes, 1);
    assert_int_equal(rig.posts + rig.patches, 1);
    assert_non_null(keeper_ring(rig.keeper));
    stop(&rig);
}

static void the_leader_renews_it(void **state)
{
    (void)state;
    struct rig rig = {.posts = 0};
    start(&rig);
    until(&rig.loop, rig.changes == 1);
    now += 310 * DAY;
    keeper_lead(rig.keeper, false);
    turn(&rig.loop, 20);
    assert_int_equal(rig.patches, 0);
    keeper_lead(rig.keeper, true);
    until(&rig.loop, rig.changes == 2);
    assert_int_equal(rig.patches, 1);
    assert_true(keeper_ring(rig.keeper)->next_key.len > 0);
    now += 3 * DAY;
    keeper_lead(rig.keeper, true);
    until(&rig.loop, rig.changes == 3);
    assert_int_equal(keeper_ring(rig.keeper)->next_key.len, 0);
    assert_null(
        json_string_value(json_object_get(json_object_get(rig.secret, "data"), "next.key")));
    stop(&rig);
}

static void a_deleted_one_is_made_anew(void **state)
{
    (void)state;
    struct rig rig = {.posts = 0};
    start(&rig);
    until(&rig.loop, rig.changes == 1);
    json_t *secret = rig.secret;
    rig.secret = NULL;
    say(&rig, "DELETED", secret);
    json_decref(secret);
    until(&rig.loop, rig.changes == 2);
    assert_int_equal(rig.posts, 2);
    stop(&rig);
}

static void failures_are_tried_again(void **state)
{
    (void)state;
    struct rig rig = {.refuse = 500};
    start(&rig);
    until(&rig.loop, rig.changes == 1);
    assert_int_equal(rig.posts, 2);
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_replica_makes_it),
        cmocka_unit_test(the_second_replica_takes_the_first_ones),
        cmocka_unit_test(what_is_there_is_taken),
        cmocka_unit_test(nonsense_changes_nothing),
        cmocka_unit_test(the_leader_renews_it),
        cmocka_unit_test(a_deleted_one_is_made_anew),
        cmocka_unit_test(failures_are_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
