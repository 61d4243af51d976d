/* SPDX-License-Identifier: Apache-2.0 */
/* stream_world: thread 0's half of stream_rig.h: what is published to the streams of a rig. */
#ifndef HEDDLE_TESTS_STREAM_WORLD_H
#define HEDDLE_TESTS_STREAM_WORLD_H

#include "base/log.h"
#include "stream_ears.h"

static inline struct serve_limits rig_limits(void)
{
    return (struct serve_limits){.request_bytes = 4u << 20,
                                 .names_per_type = 20000,
                                 .name_bytes = 2048,
                                 .requests_per_second = 100000,
                                 .interest_names = 50000,
                                 .interest_per_peer = 50000,
                                 .response_bytes = 3u << 20,
                                 .whole_state_bytes = 64u << 20,
                                 .queued_bytes = 1u << 20};
}

/* One scope, "s"; nothing is on demand. */
static inline void rig_init(struct rig *rig)
{
    struct serve_limits limits = rig_limits();
    log_set_level(LOG_ERROR); /* clients misbehave on purpose here */
    *rig = (struct rig){.view = {.nscopes = 1, .scopes = {STR("s")}}};
    memset(rig->view.on_demand, -1, sizeof(rig->view.on_demand));
    stream_env_init(&rig->env, &limits, &rig_ops, &rig->names, rig);
}

static inline void rig_release(struct rig *rig)
{
    for (size_t i = 0; i < rig->env.by_slot.len; i++) {
        stream_free(rig->env.by_slot.items[i]); /* of a test that failed */
    }
    for (size_t i = 0; i < rig->now.len; i++) {
        resource_unref(rig->now.items[i]);
    }
    vec_release(&rig->now);
    vec_release(&rig->pending);
    stream_env_release(&rig->env);
}

static inline size_t rig_find(const struct rig *rig, enum xds_type type, const char *scope,
                              const char *name)
{
    for (size_t i = 0; i < rig->now.len; i++) {
        const struct resource *r = rig->now.items[i];
        if (r->type == type && str_eq(r->scope, str_from(scope)) &&
            str_eq(r->name, str_from(name))) {
            return i;
        }
    }
    return rig->now.len;
}

/* "body@place" */
static inline uint64_t rig_place(const char *body)
{
    const char *at = strchr(body, '@');
    return at != NULL ? hash_bytes(str_from(at)).low : 0;
}

static inline void put_in(struct rig *rig, enum xds_type type, const char *scope, const char *name,
                          const char *body, const char *follow)
{
    char message[RIG_TEXT_MAX];
    (void)snprintf(message, sizeof(message), "%s|%s", name, body);
    struct resource *r =
        resource_new(type, str_from(scope), str_from(name), str_from(follow), str_from(message));
    r->place = rig_place(body);
    size_t at = rig_find(rig, type, scope, name);
    struct resource *old = NULL;
    if (at < rig->now.len) {
        old = rig->now.items[at];
        rig->now.items[at] = resource_ref(r);
    } else {
        vec_push(&rig->now, resource_ref(r));
    }
    vec_push(&rig->pending, ((struct change){.put = r, .removed = old}));
}

static inline void put(struct rig *rig, enum xds_type type, const char *name, const char *body)
{
    put_in(rig, type, "s", name, body, "");
}

static inline void del_in(struct rig *rig, enum xds_type type, const char *scope, const char *name)
{
    size_t at = rig_find(rig, type, scope, name);
    ASSERT(at < rig->now.len);
    vec_push(&rig->pending, ((struct change){.put = NULL, .removed = rig->now.items[at]}));
    vec_swap_remove(&rig->now, at);
}

static inline void del(struct rig *rig, enum xds_type type, const char *name)
{
    del_in(rig, type, "s", name);
}

/* The version a resource has now, as text that lives with it. */
static inline const char *version_of(const struct rig *rig, enum xds_type type, const char *name)
{
    size_t at = rig_find(rig, type, "s", name);
    ASSERT(at < rig->now.len);
    return rig->now.items[at]->version;
}

static inline void publish(struct rig *rig)
{
    size_t len = rig->pending.len;
    struct change *items = xmalloc(len * sizeof(*items));
    if (len > 0) {
        memcpy(items, rig->pending.items, len * sizeof(*items));
    }
    vec_clear(&rig->pending);
    struct changeset *cs = changeset_new(++rig->seq, items, len);
    stream_env_apply(&rig->env, cs);
    changeset_unref(cs);
    streams_pump(&rig->env);
}

#endif
