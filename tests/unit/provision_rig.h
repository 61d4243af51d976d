/* SPDX-License-Identifier: Apache-2.0 */
/* provision_rig: provision before an API server (provision_server.h). */
#ifndef HEDDLE_TESTS_PROVISION_RIG_H
#define HEDDLE_TESTS_PROVISION_RIG_H

#include "provision_server.h"

#define PRIG_LINGER_MS 100

static struct prig *prig_now; /* whose clock it is */

static inline int64_t prig_clock(void)
{
    return prig_now->now_s;
}

/* --- heddle's side --------------------------------------------------------------------------- */

static inline bool prig_find(void *user, struct str key, struct provision_gateway *ret_gateway)
{
    struct prig *rig = user;
    const struct gateway *gateway = &rig->gateway;
    for (size_t i = 0; i < 2; i++) {
        if (str_eq(str_sub(key, 2, key.len), rig->others[i].object.meta.name)) {
            gateway = &rig->others[i];
        }
    }
    *ret_gateway = (struct provision_gateway){rig->class, gateway, &rig->ir};
    return rig->there;
}

static inline void prig_placed(void *user, struct str key, struct placed_row *row)
{
    struct prig *rig = user;
    if (!str_eq(key, STR("a/web"))) {
        row_unref(row != NULL ? &row->row : NULL, NULL);
        return;
    }
    row_unref(rig->placed != NULL ? &rig->placed->row : NULL, NULL);
    rig->placed = row;
    rig->told++;
}

static inline void prig_gateway(struct prig *rig)
{
    rig->class = PROVISION_OURS;
    rig->there = true;
    rig->gateway.object.meta.ns = STR("a");
    rig->gateway.object.meta.name = STR("web");
    rig->gateway.class = STR("heddle");
    rig->others[0] = rig->others[1] = rig->gateway;
    rig->others[0].object.meta.name = STR("other-0");
    rig->others[1].object.meta.name = STR("other-1");
    rig->image = "heddle/proxy:1";
    rig->linger_ms = PRIG_LINGER_MS;
    rig->parameters = (struct ir_parameters){
        .service_type = STR("LoadBalancer"),
        .external_traffic_policy = STR("Cluster"),
        .ip_families = STR("PreferDualStack"),
        .replicas = 1,
        .target_cpu = 80,
        .cpu_request = STR("100m"),
        .memory_request = STR("128Mi"),
        .memory_limit = STR("1Gi"),
        .log_level = STR("warning"),
    };
    rig->listener = (struct ir_listener){
        .name = STR("http"), .port = 80, .protocol = IR_LISTENER_HTTP, .served = true};
    rig->ir.ns = STR("a");
    rig->ir.name = STR("web");
    rig->ir.accepted = true;
    rig->ir.parameters = &rig->parameters;
    rig->ir.listeners.items = &rig->listener;
    rig->ir.listeners.len = 1;
    rig->ir.wanted.items = rig->wanted;
}

static inline void prig_start(struct prig *rig)
{
    rig->provision = provision_new(&(struct provision_config){
        .kube = rig->kube,
        .settings = {str_from(rig->image), STR("heddle-system"), STR("cluster.local"),
                     STR("mesh.example")},
        .address_ms = 100,
        .rollouts_max = rig->rollouts_max,
        .linger_ms = rig->linger_ms,
        .now_s = prig_clock,
        .find = prig_find,
        .placed = prig_placed,
        .user = rig,
    });
    provision_keyring(rig->provision, &rig->ring);
    provision_seen(rig->provision, STR("a"), STR("web"), STR("gateway-uid"));
    provision_changed(rig->provision, STR("a/web"));
}

static inline struct prig *prig_new(void)
{
    struct prig *rig = xcalloc(1, sizeof(*rig));
    struct err err;
    log_set_level(LOG_ERROR + 1);
    prig_now = rig;
    rig->now_s = 1700000000;
    rig->objects = json_object();
    rig->message = "no";
    arena_init(&rig->arena);
    assert_true(keyring_make(rig->now_s, &rig->ring, &err));
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
    rig->kube = api_kube(rig->api);
    prig_gateway(rig);
    prig_start(rig);
    until(&rig->loop, rig->placed != NULL);
    return rig;
}

/* Another replica begins, before an API server that has what was made already. */
static inline void prig_restart(struct prig *rig)
{
    provision_free(rig->provision);
    memset(rig->streams, 0, sizeof(rig->streams));
    turn(&rig->loop, 30);
    assert_null(rig->placed);
    prig_start(rig);
}

static inline void prig_free(struct prig *rig)
{
    provision_free(rig->provision);
    kube_free(rig->kube);
    api_free(rig->api);
    loop_release(&rig->loop);
    row_unref(rig->placed != NULL ? &rig->placed->row : NULL, NULL);
    keyring_release(&rig->ring);
    arena_release(&rig->arena);
    json_decref(rig->objects);
    free(rig);
}

static inline void prig_others(struct prig *rig)
{
    provision_seen(rig->provision, STR("a"), STR("other-0"), STR("uid-0"));
    provision_seen(rig->provision, STR("a"), STR("other-1"), STR("uid-1"));
    provision_changed(rig->provision, STR("a/other-0"));
    provision_changed(rig->provision, STR("a/other-1"));
}

#define DEPLOYMENT_OF(name) "/apis/apps/v1/namespaces/a/deployments/" name "-heddle"
#define ACCOUNT "/api/v1/namespaces/a/serviceaccounts/web-heddle"
#define IDENTITY "/api/v1/namespaces/a/secrets/web-heddle-identity"
#define SERVICE "/api/v1/namespaces/a/services/web-heddle"
#define DEPLOYMENT "/apis/apps/v1/namespaces/a/deployments/web-heddle"
#define BUDGET "/apis/policy/v1/namespaces/a/poddisruptionbudgets/web-heddle"
#define AUTOSCALER "/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers/web-heddle"

/* Leads, and waits until the five parts are there. */
static inline void prig_lead(struct prig *rig)
{
    provision_lead(rig->provision, true);
    until(&rig->loop, json_object_size(rig->objects) >= 5);
    turn(&rig->loop, 30);
}

#endif
