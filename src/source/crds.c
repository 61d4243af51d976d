/* SPDX-License-Identifier: Apache-2.0 */
/* crds: a watch for each CRD. */
#include "source/crds.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/panic.h"
#include "kube/watch.h"

#define SELECTOR "metadata.name="
#define NAME_MAX_LEN 253

struct crd_watch {
    struct crds *crds;
    char selector[sizeof(SELECTOR) + NAME_MAX_LEN];
    struct str name; /* in it */
    struct kube_watch *watch;
    bool there; /* as last told */
};

struct crds {
    struct crds_events events;
    struct crd_watch watches[KIND_COUNT]; /* of kinds of other APIs: unused */
};

static void tell(struct crd_watch *of, bool there, struct str version)
{
    const struct crds_events *events = &of->crds->events;
    of->there = there;
    events->told(events->user, of->name, bundle_new(there, version));
}

static void on_put(void *user, const struct doc_node *object, struct str raw)
{
    const struct doc_node *meta = doc_get(object, STR("metadata"));
    (void)raw;
    tell(user, true, doc_text(doc_get(meta, STR("annotations")), STR(BUNDLE_ANNOTATION)));
}

static void on_removed(void *user, struct str ns, struct str name)
{
    (void)ns;
    (void)name;
    tell(user, false, STR_NULL);
}

/* The list is complete: what it did not tell of is not there. */
static void on_synced(void *user)
{
    struct crd_watch *of = user;
    if (!of->there) {
        tell(of, false, STR_NULL);
    }
}

static void on_batch(void *user)
{
    (void)user;
}

static void start_one(struct crds *crds, struct kube *kube, enum kind_id kind)
{
    struct crd_watch *of = &crds->watches[kind];
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    struct str name = bundle_crd(&scratch, kind);
    ASSERT(name.len <= NAME_MAX_LEN);
    if (name.len > 0) {
        of->crds = crds;
        (void)snprintf(of->selector, sizeof(of->selector), SELECTOR "%.*s", STR_FMT(name));
        of->name = str_from(of->selector + sizeof(SELECTOR) - 1);
        of->watch = kube_watch_start(&(struct kube_watch_config){
            .kube = kube,
            .group = "apiextensions.k8s.io",
            .versions = "v1",
            .plural = "customresourcedefinitions",
            .field_selector = of->selector,
            .metadata_only = true,
            .events = {of, on_put, on_removed, on_synced, on_synced, on_batch},
        });
    }
    arena_release(&scratch);
}

struct crds *crds_start(struct kube *kube, const struct crds_events *events)
{
    struct crds *crds = xcalloc(1, sizeof(*crds));
    crds->events = *events;
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        start_one(crds, kube, (enum kind_id)i);
    }
    return crds;
}

void crds_stop(struct crds *crds)
{
    if (crds == NULL) {
        return;
    }
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        kube_watch_stop(crds->watches[i].watch);
    }
    free(crds);
}
