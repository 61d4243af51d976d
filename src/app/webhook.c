/* SPDX-License-Identifier: Apache-2.0 */
/* webhook: wires keeper, certificate, server and configurations, and answers the API server. */
#include "app/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/daemon.h"
#include "app/kubernetes.h"
#include "base/panic.h"
#include "ca/keeper.h"
#include "ca/serving.h"
#include "kube/kube.h"
#include "pipeline/preview.h"
#include "webhook/admission.h"
#include "webhook/configurations.h"
#include "webhook/server.h"

#define JSON_TYPE "application/json"

struct webhook {
    struct daemon *daemon;
    struct arena arena;
    struct inject_settings settings;
    struct keeper *keeper;
    struct serving *serving;
    struct webhook_server *server;
    struct configurations *configurations;
};

/* --- answers --------------------------------------------------------------------------------- */

static void reply(struct h1_reply *handle, unsigned status, struct buf *out)
{
    h1_reply_send(handle, status, status == 200 ? JSON_TYPE : "text/plain; charset=utf-8",
                  PIECE_COPY(buf_str(out)));
    buf_release(out);
}

/* What the namespace's label says stands in the path: the API server compared it already, and its
 * word is newer than ours. */
static void answer_inject(void *user, const struct h1_request *request, struct h1_reply *handle)
{
    const struct webhook *webhook = user;
    struct str label = request->path;
    struct buf out;
    (void)str_cut(&label, '/');
    (void)str_cut(&label, '/'); /* "", "inject" */
    buf_init(&out, BUF_UNLIMITED);
    reply(handle, admission_inject(&webhook->settings, label, request->body, &out), &out);
}

/* Before all objects are known, what is missing among them cannot be told. */
static void find_among_others(void *user, const struct object *object, struct str key,
                              void (*visit)(void *visitor, const struct problem *problem),
                              void *visitor)
{
    const struct daemon *daemon = user;
    if (daemon->synced) {
        (void)preview_findings(mesh_engine(daemon->mesh), object, key, visit, visitor);
    }
}

static void answer_check(void *user, const struct h1_request *request, struct h1_reply *handle)
{
    const struct webhook *webhook = user;
    const struct options *options = webhook->daemon->options;
    const struct admission_check check = {
        .deny = str_eq(option_text(options, O_admission), STR("deny")),
        .findings = find_among_others,
        .user = webhook->daemon,
    };
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    reply(handle, admission_check(&check, request->body, &out), &out);
}

static const struct webhook_route routes[] = {
    {.path = "/inject", .post = true, .handle = answer_inject},
    {.path = "/inject/", .post = true, .handle = answer_inject},
    {.path = "/check", .post = true, .handle = answer_check},
};

/* --- the keyring ----------------------------------------------------------------------------- */

static void keyring_changed(void *user, const struct keyring *ring)
{
    struct webhook *webhook = user;
    serving_keyring(webhook->serving, ring);
    xds_port_keyring(&webhook->daemon->xds, ring);
    configurations_bundle(webhook->configurations, ring->bundle);
    kubernetes_keyring(webhook->daemon, ring);
}

static struct str token(void *user)
{
    const struct keyring *ring = webhook_keyring(user);
    return ring != NULL ? ring->token : STR_NULL;
}

/* --- start and stop -------------------------------------------------------------------------- */

void webhook_hosts(const struct daemon *daemon, struct arena *arena, const struct str **ret_hosts,
                   size_t *ret_nhosts)
{
    struct str ns = kube_namespace(daemon->kube);
    struct str domain = option_text(daemon->options, O_cluster_domain);
    const struct str hosts[] = {
        arena_printf(arena, "heddle.%.*s.svc", STR_FMT(ns)),
        arena_printf(arena, "heddle.%.*s.svc.%.*s", STR_FMT(ns), STR_FMT(domain)),
        arena_printf(arena, "heddle-replicas.%.*s.svc", STR_FMT(ns)),
        str_from(getenv("POD_IP")), /* last: there may be none */
    };
    size_t nhosts = sizeof(hosts) / sizeof(hosts[0]);
    struct str *copy = ARENA_ARRAY(arena, nhosts, struct str);
    memcpy(copy, hosts, sizeof(hosts));
    *ret_hosts = copy;
    *ret_nhosts = hosts[nhosts - 1].len > 0 ? nhosts : nhosts - 1;
}

static void start_serving(struct webhook *webhook)
{
    /* Of HTTP/2 and HTTP/1.1, which clients offer, only the latter is served. */
    static const char *const alpn[] = {"http/1.1", NULL};
    struct serving_config config = {.loop = &webhook->daemon->loop, .alpn = alpn};
    webhook_hosts(webhook->daemon, &webhook->arena, &config.hosts, &config.nhosts);
    webhook->serving = serving_new(&config);
}

static bool start_server(struct webhook *webhook, struct err *err)
{
    const struct webhook_server_config config = {
        .loop = &webhook->daemon->loop,
        .address = option_text(webhook->daemon->options, O_webhook),
        .serving = webhook->serving,
        .token = token,
        .user = webhook,
    };
    if (!webhook_server_start(&config, &webhook->server, err)) {
        return false;
    }
    webhook_server_routes(webhook->server, routes, sizeof(routes) / sizeof(routes[0]), webhook);
    printf("webhook %s\n", webhook_server_address(webhook->server));
    return true;
}

static void start_keeper(struct webhook *webhook, struct str ns)
{
    const struct keeper_config config = {
        .kube = webhook->daemon->kube,
        .ns = ns,
        .changed = keyring_changed,
        .user = webhook,
    };
    webhook->configurations = configurations_start(webhook->daemon->kube, ns);
    webhook->keeper = keeper_start(&config);
}

bool webhook_start(struct daemon *daemon, struct webhook **ret_webhook, struct err *err)
{
    const struct options *options = daemon->options;
    if (option_text(options, O_webhook).len == 0) {
        return true;
    }
    struct webhook *webhook = xcalloc(1, sizeof(*webhook));
    arena_init(&webhook->arena);
    webhook->daemon = daemon;
    webhook->settings = (struct inject_settings){
        .image = option_text(options, O_image),
        .proxy_image = option_text(options, O_proxy_image),
        .ns = arena_str(&webhook->arena, kube_namespace(daemon->kube)),
        .cluster_domain = option_text(options, O_cluster_domain),
    };
    start_serving(webhook);
    if (!start_server(webhook, err)) {
        webhook_stop(webhook);
        return false;
    }
    start_keeper(webhook, webhook->settings.ns);
    *ret_webhook = webhook;
    return true;
}

bool webhook_ready(const struct webhook *webhook)
{
    return webhook == NULL || serving_tls(webhook->serving) != NULL;
}

void webhook_lead(struct webhook *webhook, bool leads)
{
    if (webhook != NULL) {
        keeper_lead(webhook->keeper, leads);
        configurations_lead(webhook->configurations, leads);
    }
}

struct webhook_server *webhook_server(struct webhook *webhook)
{
    return webhook->server;
}

const struct keyring *webhook_keyring(const struct webhook *webhook)
{
    return webhook != NULL && webhook->keeper != NULL ? keeper_ring(webhook->keeper) : NULL;
}

void webhook_stop(struct webhook *webhook)
{
    if (webhook == NULL) {
        return;
    }
    webhook_server_stop(webhook->server);
    configurations_stop(webhook->configurations);
    keeper_stop(webhook->keeper);
    serving_free(webhook->serving);
    arena_release(&webhook->arena);
    free(webhook);
}
