/* SPDX-License-Identifier: Apache-2.0 */
/* kubernetes: the parts of the Kubernetes mode, and how they are wired. */
#include "app/kubernetes.h"

#include <stdlib.h>

#include "app/daemon.h"
#include "app/webhook.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "ir/graph.h"
#include "source/cluster.h"

struct kubernetes {
    struct daemon *daemon;
    struct cluster *cluster;
    struct webhook *webhook; /* NULL: none is wanted */
    unsigned stopping;       /* parts that have not stopped yet */
};

/* --- objects ------------------------------------------------------------------------------- */

static void object_put(void *user, struct object *object, struct str key)
{
    mesh_put(((struct kubernetes *)user)->daemon->mesh, object, key);
}

static void object_removed(void *user, enum kind_id kind, struct str key)
{
    mesh_remove(((struct kubernetes *)user)->daemon->mesh, kind, key);
}

/* Lists tell what was told before: it is logged once. */
static void object_fault(void *user, struct fault *fault, struct str key)
{
    struct mesh *mesh = ((struct kubernetes *)user)->daemon->mesh;
    const struct fault *known = mesh_fault(mesh, (enum kind_id)fault->kind, key);
    if (known == NULL || !fault_equal(&known->row, &fault->row)) {
        log_at(LOG_WARN, "source", "an object cannot be read; what was in force of it stays",
               KV_TEXT("kind", kind_info((enum kind_id)fault->kind)->kind), KV("ns", fault->ns),
               KV("name", fault->name), KV_INT("generation", fault->generation),
               KV("path", fault->path), KV("text", fault->text), KV("remedy", fault->remedy));
    }
    mesh_put_fault(mesh, fault, key);
}

static void objects_batch(void *user)
{
    struct kubernetes *kubernetes = user;
    metric_set(M_kinds_missing, (int64_t)cluster_kinds_missing(kubernetes->cluster));
    if (cluster_synced(kubernetes->cluster)) {
        daemon_synced(kubernetes->daemon);
    }
}

/* --- start and stop ------------------------------------------------------------------------ */

bool kubernetes_start(struct daemon *daemon, struct err *err)
{
    const struct options *options = daemon->options;
    const struct kube_options kube = {
        .kubeconfig = options->text[O_kubeconfig],
        .context = options->text[O_context],
    };
    if (!kube_new(&daemon->loop, &kube, &daemon->kube, err)) {
        return err_prefix(err, "kubernetes");
    }
    log_at(LOG_INFO, "app", "following a cluster", KV("server", kube_server(daemon->kube)));
    struct kubernetes *kubernetes = xcalloc(1, sizeof(*kubernetes));
    kubernetes->daemon = daemon;
    daemon->kubernetes = kubernetes;
    const struct cluster_events events = {
        .user = kubernetes,
        .put = object_put,
        .fault = object_fault,
        .removed = object_removed,
        .batch = objects_batch,
    };
    kubernetes->cluster = cluster_start(daemon->kube, &events);
    if (!webhook_start(daemon, &kubernetes->webhook, err)) {
        return false;
    }
    webhook_lead(kubernetes->webhook, true); /* two that lead write the same, in turn */
    return true;
}

bool kubernetes_ready(const struct daemon *daemon)
{
    return daemon->kubernetes == NULL || webhook_ready(daemon->kubernetes->webhook);
}

void kubernetes_stop(struct daemon *daemon)
{
    struct kubernetes *kubernetes = daemon->kubernetes;
    if (kubernetes == NULL) {
        return;
    }
    webhook_stop(kubernetes->webhook);
    kubernetes->webhook = NULL;
    cluster_stop(kubernetes->cluster);
    kubernetes->cluster = NULL;
}

bool kubernetes_stopping(const struct daemon *daemon)
{
    return daemon->kubernetes != NULL && daemon->kubernetes->stopping > 0;
}

void kubernetes_free(struct daemon *daemon)
{
    kube_free(daemon->kube);
    free(daemon->kubernetes);
    daemon->kube = NULL;
    daemon->kubernetes = NULL;
}
