/* SPDX-License-Identifier: Apache-2.0 */
/* cluster: from watches to objects and faults. */
#include "source/cluster.h"

#include <stdlib.h>

#include "base/panic.h"
#include "model/secret.h"

/* Of which objects of a kind the API server tells; not named: all. */
static const char *const field_selectors[KIND_COUNT] = {
    [KIND_SECRET] = "type=" SECRET_TLS_TYPE,
};

/* Of which only labels are read. */
static const bool metadata_only[KIND_COUNT] = {
    [KIND_NAMESPACE] = true,
    [KIND_NODE] = true,
};

struct kind_watch {
    struct cluster *cluster;
    enum kind_id kind;
    struct kube_watch *watch;
    bool missing;
};

struct cluster {
    struct cluster_events events;
    struct kind_watch kinds[KIND_COUNT];
};

/* Objects that are about to go count until they are gone, as everywhere in Kubernetes. */
static void on_put(void *user, const struct doc_node *node, struct str raw)
{
    struct kind_watch *of = user;
    const struct cluster_events *events = &of->cluster->events;
    const struct doc_node *meta = doc_get(node, STR("metadata"));
    struct str ns = doc_text(meta, STR("namespace"));
    struct str name = doc_text(meta, STR("name"));
    (void)raw;
    if (name.len == 0) {
        return; /* no object of an API server */
    }
    if (events->seen != NULL) {
        events->seen(events->user, of->kind, ns, name, node);
    }
    struct arena scratch;
    struct problems problems;
    arena_init(&scratch);
    problems_init(&problems, &scratch);
    struct str key = object_key_of(&scratch, of->kind, ns, name);
    struct object *object = object_read_stored(of->kind, node, &problems);
    if (object != NULL) {
        events->put(events->user, object, key);
    } else {
        events->fault(events->user, fault_new(of->kind, node, &problems), key);
    }
    arena_release(&scratch);
}

static void on_removed(void *user, struct str ns, struct str name)
{
    struct kind_watch *of = user;
    const struct cluster_events *events = &of->cluster->events;
    struct arena scratch;
    arena_init_sized(&scratch, OBJECT_KEY_MAX);
    if (events->gone != NULL) {
        events->gone(events->user, of->kind, ns, name);
    }
    events->removed(events->user, of->kind, object_key_of(&scratch, of->kind, ns, name));
    arena_release(&scratch);
}

static void on_synced(void *user)
{
    struct kind_watch *of = user;
    of->missing = false;
}

static void on_missing(void *user)
{
    struct kind_watch *of = user;
    of->missing = true;
}

static void on_batch(void *user)
{
    struct cluster *cluster = ((struct kind_watch *)user)->cluster;
    cluster->events.batch(cluster->events.user);
}

static void start_kind(struct cluster *cluster, struct kube *kube, enum kind_id kind)
{
    const struct kind_info *info = kind_info(kind);
    struct kind_watch *of = &cluster->kinds[kind];
    *of = (struct kind_watch){.cluster = cluster, .kind = kind};
    const struct kube_watch_config config = {
        .kube = kube,
        .group = info->group,
        .versions = info->versions,
        .plural = info->plural,
        .field_selector = field_selectors[kind],
        .metadata_only = metadata_only[kind],
        .events =
            {
                .user = of,
                .put = on_put,
                .removed = on_removed,
                .synced = on_synced,
                .missing = on_missing,
                .batch = on_batch,
            },
    };
    of->watch = kube_watch_start(&config);
}

struct cluster *cluster_start(struct kube *kube, const struct cluster_events *events)
{
    struct cluster *cluster = xcalloc(1, sizeof(*cluster));
    cluster->events = *events;
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        start_kind(cluster, kube, (enum kind_id)i);
    }
    return cluster;
}

bool cluster_synced(const struct cluster *cluster)
{
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        if (!kube_watch_synced(cluster->kinds[i].watch)) {
            return false;
        }
    }
    return true;
}

size_t cluster_kinds_missing(const struct cluster *cluster)
{
    size_t missing = 0;
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        missing += cluster->kinds[i].missing ? 1 : 0;
    }
    return missing;
}

void cluster_stop(struct cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        kube_watch_stop(cluster->kinds[i].watch);
    }
    free(cluster);
}
