/* SPDX-License-Identifier: Apache-2.0 */
/* gateways: between the mesh's tables and provision. */
#include "app/gateways.h"

#include <stdlib.h>

#include "app/daemon.h"
#include "app/kubernetes.h"
#include "base/panic.h"
#include "ir/graph.h"
#include "kube/kube.h"
#include "provision/provision.h"

struct gateways {
    struct daemon *daemon;
    struct provision *provision;
    bool stopping;
};

/* --- what provision asks and tells ----------------------------------------------------------- */

/* Its class decides: a GatewayClass that is not there says nothing. */
static bool find(void *user, struct str key, struct provision_gateway *ret_gateway)
{
    const struct daemon *daemon = ((struct gateways *)user)->daemon;
    const struct engine *engine = mesh_engine(daemon->mesh);
    const struct gateway *gateway = (const struct gateway *)engine_get(engine, T_GATEWAY, key);
    if (gateway == NULL) {
        return false;
    }
    const struct ir_gateway *ir = (const struct ir_gateway *)engine_get(engine, T_GATEWAYS, key);
    bool classless = engine_get(engine, T_CLASS, gateway->class) == NULL;
    *ret_gateway = (struct provision_gateway){
        .class = ir != NULL  ? PROVISION_OURS
                 : classless ? PROVISION_UNKNOWN
                             : PROVISION_OTHERS,
        .gateway = gateway,
        .ir = ir,
    };
    return true;
}

static void placed(void *user, struct str key, struct placed_row *row)
{
    const struct gateways *gateways = user;
    if (gateways->stopping) {
        row_unref(row != NULL ? &row->row : NULL, NULL);
        return;
    }
    mesh_put_placed(gateways->daemon->mesh, key, row);
    daemon_turn_soon(gateways->daemon);
}

static void synced(void *user)
{
    kubernetes_gateways_synced(((struct gateways *)user)->daemon);
}

/* --- what provision is told ------------------------------------------------------------------ */

void gateways_seen(struct gateways *gateways, struct str ns, struct str name,
                   const struct doc_node *object)
{
    provision_seen(gateways->provision, ns, name,
                   doc_text(doc_get(object, STR("metadata")), STR("uid")));
}

void gateways_gone(struct gateways *gateways, struct str ns, struct str name)
{
    provision_gone(gateways->provision, ns, name);
}

/* Both: labels for what is made are of the Gateway alone. */
void gateways_turned(struct gateways *gateways)
{
    static const unsigned tables[] = {T_GATEWAY, T_GATEWAYS};
    const struct engine *engine = mesh_engine(gateways->daemon->mesh);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        struct row_changes changes = engine_changes(engine, tables[i]);
        for (size_t k = 0; k < changes.len; k++) {
            provision_changed(gateways->provision, changes.items[k].key);
        }
    }
}

void gateways_keyring(struct gateways *gateways, const struct keyring *ring)
{
    provision_keyring(gateways->provision, ring);
}

void gateways_lead(struct gateways *gateways, bool leads)
{
    provision_lead(gateways->provision, leads);
}

/* --- start and stop -------------------------------------------------------------------------- */

struct gateways *gateways_start(struct daemon *daemon)
{
    const struct options *options = daemon->options;
    struct gateways *gateways = xcalloc(1, sizeof(*gateways));
    gateways->daemon = daemon;
    gateways->provision = provision_new(&(struct provision_config){
        .kube = daemon->kube,
        .settings =
            {
                .image = option_text(options, O_proxy_image),
                .ns = kube_namespace(daemon->kube),
                .cluster_domain = option_text(options, O_cluster_domain),
                .trust_domain = option_text(options, O_trust_domain),
            },
        .find = find,
        .placed = placed,
        .synced = synced,
        .user = gateways,
    });
    return gateways;
}

bool gateways_synced(const struct gateways *gateways)
{
    return provision_synced(gateways->provision);
}

void gateways_stop(struct gateways *gateways)
{
    if (gateways == NULL) {
        return;
    }
    gateways->stopping = true;
    provision_free(gateways->provision);
    free(gateways);
}
