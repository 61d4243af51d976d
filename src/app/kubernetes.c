/* SPDX-License-Identifier: Apache-2.0 */
/* kubernetes: the parts of the Kubernetes mode, and how they are wired. */
#include "app/kubernetes.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/daemon.h"
#include "app/gateways.h"
#include "app/webhook.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "ir/graph.h"
#include "kube/lease.h"
#include "pipeline/spread.h"
#include "pipeline/standing.h"
#include "source/cluster.h"
#include "source/crds.h"
#include "status/writer.h"
#include "webhook/server.h"

#define LEASE_NAME "heddle"
#define LEASE_STOP_MS 2000 /* to give it back */
/* A pod's name has at most 253 bytes, and it is its end that tells it from others. */
#define IDENTITY_MAX 256

struct kubernetes {
    struct daemon *daemon;
    struct cluster *cluster;
    struct crds *crds;
    struct webhook *webhook; /* NULL: none is wanted */
    struct status_writer *status;
    struct gateways *gateways;
    struct lease *lease;
    bool leads;
    char identity[IDENTITY_MAX]; /* of this replica */
    unsigned stopping;           /* parts that have not stopped yet */
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

static void crd_told(void *user, struct str name, struct bundle_row *row)
{
    struct daemon *daemon = ((struct kubernetes *)user)->daemon;
    mesh_put_bundle(daemon->mesh, name, row);
    daemon_turn_soon(daemon);
}

/* --- status, and who leads ------------------------------------------------------------------ */

static void object_seen(void *user, enum kind_id kind, struct str ns, struct str name,
                        const struct doc_node *object)
{
    struct kubernetes *kubernetes = user;
    status_writer_seen(kubernetes->status, kind, ns, name, object);
    if (kind == KIND_GATEWAY) {
        gateways_seen(kubernetes->gateways, ns, name, object);
    }
}

static void object_gone(void *user, enum kind_id kind, struct str ns, struct str name)
{
    struct kubernetes *kubernetes = user;
    status_writer_gone(kubernetes->status, kind, ns, name);
    if (kind == KIND_GATEWAY) {
        gateways_gone(kubernetes->gateways, ns, name);
    }
}

static bool object_unclear(void *user, enum kind_id kind, struct str ns, struct str name)
{
    return standing_unclear(((struct kubernetes *)user)->daemon->mesh, kind, ns, name);
}

static void status_changed(void *user, enum kind_id kind, struct str ns, struct str name)
{
    status_writer_touch(((struct kubernetes *)user)->status, kind, ns, name);
}

/* Who has yet to hear what is in force of what cannot be read (inheritance.h) would write that the
 * routes of such a Gateway have no parent, and take the ports of such a ListenerSet out of a
 * Service. Of the CA and the webhooks it takes care meanwhile. */
static void set_writing(struct kubernetes *kubernetes)
{
    bool writes = kubernetes->leads && kubernetes->daemon->fleet.inheritance.done;
    status_writer_lead(kubernetes->status, writes);
    gateways_lead(kubernetes->gateways, writes);
}

static void lead_turned(void *user, bool leads)
{
    struct kubernetes *kubernetes = user;
    kubernetes->leads = leads;
    set_writing(kubernetes);
    webhook_lead(kubernetes->webhook, leads);
}

void kubernetes_turned(struct daemon *daemon)
{
    struct kubernetes *kubernetes = daemon->kubernetes;
    if (kubernetes != NULL && kubernetes->status != NULL) {
        status_writer_turned(kubernetes->status);
        gateways_turned(kubernetes->gateways);
        set_writing(kubernetes);
    }
}

void kubernetes_keyring(struct daemon *daemon, const struct keyring *ring)
{
    gateways_keyring(daemon->kubernetes->gateways, ring);
}

/* The pod's name; elsewhere a machine may have several processes that must not lead as one. */
static void find_identity(struct kubernetes *kubernetes)
{
    const char *pod = getenv("POD_NAME");
    char host[UV_MAXHOSTNAMESIZE];
    size_t size = sizeof(host);
    if (pod != NULL && pod[0] != '\0') {
        (void)snprintf(kubernetes->identity, sizeof(kubernetes->identity), "%s", pod);
        return;
    }
    const char *stem = uv_os_gethostname(host, &size) == 0 ? host : "heddle";
    (void)snprintf(kubernetes->identity, sizeof(kubernetes->identity), "%s-%ld", stem,
                   (long)getpid());
}

static void start_status(struct kubernetes *kubernetes)
{
    struct daemon *daemon = kubernetes->daemon;
    find_identity(kubernetes);
    kubernetes->status = status_writer_new(&(struct status_writer_config){
        .loop = &daemon->loop,
        .kube = daemon->kube,
        .store = mesh_status(daemon->mesh),
        .instance = str_from(kubernetes->identity),
        .unclear = object_unclear,
        .user = kubernetes,
    });
    mesh_watch_status(daemon->mesh, status_changed, kubernetes);
    spread_watch(daemon->fleet.spread, status_changed, kubernetes);
}

/* Only who knows all objects may lead: a replica that never gets to know them (it lacks a right,
 * say) would keep the others from writing. One that has yet to read what was made of Gateways
 * would write that they are not programmed. */
static void run_for_lead(struct kubernetes *kubernetes)
{
    struct daemon *daemon = kubernetes->daemon;
    if (kubernetes->lease != NULL || !cluster_synced(kubernetes->cluster) ||
        !gateways_synced(kubernetes->gateways)) {
        return;
    }
    kubernetes->lease = lease_start(&(struct lease_config){
        .kube = daemon->kube,
        .loop = &daemon->loop,
        .ns = kube_namespace(daemon->kube),
        .name = STR(LEASE_NAME),
        .identity = str_from(kubernetes->identity),
        .changed = lead_turned,
        .user = kubernetes,
    });
}

static void lease_stopped(void *user)
{
    ((struct kubernetes *)user)->stopping--;
}

/* Another replica may lead as soon as this one writes no more. */
static void stop_status(struct kubernetes *kubernetes)
{
    mesh_watch_status(kubernetes->daemon->mesh, NULL, NULL);
    if (kubernetes->daemon->fleet.started) {
        spread_watch(kubernetes->daemon->fleet.spread, NULL, NULL);
    }
    status_writer_free(kubernetes->status);
    kubernetes->status = NULL;
    if (kubernetes->lease != NULL) {
        kubernetes->stopping++;
        lease_stop(kubernetes->lease, LEASE_STOP_MS, lease_stopped, kubernetes);
    }
}

static void objects_batch(void *user)
{
    struct kubernetes *kubernetes = user;
    metric_set(M_kinds_missing, (int64_t)cluster_kinds_missing(kubernetes->cluster));
    if (cluster_synced(kubernetes->cluster)) {
        daemon_synced(kubernetes->daemon);
        run_for_lead(kubernetes);
    }
}

void kubernetes_gateways_synced(struct daemon *daemon)
{
    run_for_lead(daemon->kubernetes);
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
    start_status(kubernetes);
    kubernetes->gateways = gateways_start(daemon);
    const struct cluster_events events = {
        .user = kubernetes,
        .seen = object_seen,
        .gone = object_gone,
        .put = object_put,
        .fault = object_fault,
        .removed = object_removed,
        .batch = objects_batch,
    };
    kubernetes->cluster = cluster_start(daemon->kube, &events);
    kubernetes->crds = crds_start(daemon->kube, &(struct crds_events){kubernetes, crd_told});
    if (!webhook_start(daemon, &kubernetes->webhook, err)) {
        return false;
    }
    if (kubernetes->webhook != NULL) {
        webhook_server_routes(webhook_server(kubernetes->webhook), replica_routes,
                              replica_routes_len, daemon);
    }
    return true;
}

const struct webhook *kubernetes_webhook(const struct daemon *daemon)
{
    return daemon->kubernetes != NULL ? daemon->kubernetes->webhook : NULL;
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
    gateways_stop(kubernetes->gateways);
    kubernetes->gateways = NULL;
    webhook_stop(kubernetes->webhook);
    kubernetes->webhook = NULL;
    cluster_stop(kubernetes->cluster);
    crds_stop(kubernetes->crds);
    kubernetes->crds = NULL;
    kubernetes->cluster = NULL;
    stop_status(kubernetes);
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
