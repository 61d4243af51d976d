/* SPDX-License-Identifier: Apache-2.0 */
/* xds_port: see xds_port.h. */
#include "app/xds_port.h"

#include <stdio.h>
#include <unistd.h>

#include "app/daemon.h"
#include "app/kubernetes.h"
#include "app/webhook.h"
#include "base/log.h"
#include "ca/serving.h"
#include "kube/kube.h"
#include "net/listener.h"
#include "net/tls.h"

static const char *const alpn[] = {"h2", NULL};

/* --- connections --------------------------------------------------------------------------- */

static void accepted_plain(void *user, int fd, const struct sockaddr_storage *peer)
{
    const struct xds_port *port = user;
    serve_adopt(port->daemon->serve, fd, (const struct sockaddr *)peer, NULL);
}

static void accepted_secure(void *user, int fd, const struct sockaddr_storage *peer)
{
    const struct xds_port *port = user;
    struct tls_context *tls = port->serving != NULL ? serving_tls(port->serving) : port->tls;
    if (tls == NULL) {
        (void)close(fd); /* the Secret is not read yet; the client comes again */
        return;
    }
    serve_adopt(port->daemon->serve, fd, (const struct sockaddr *)peer, tls);
}

/* --- certificates -------------------------------------------------------------------------- */

static struct tls_context *load_tls(const struct options *options, struct err *err)
{
    const struct tls_options tls = {
        .cert_file = options->text[O_tls_cert],
        .key_file = options->text[O_tls_key],
        .client_ca_file = options->text[O_tls_client_ca],
        .alpn = alpn,
    };
    return tls_context_new(&tls, err);
}

void xds_port_reload(struct xds_port *port)
{
    struct err err;
    if (port->tls == NULL) {
        return;
    }
    struct tls_context *fresh = load_tls(port->daemon->options, &err);
    if (fresh == NULL) {
        log_at(LOG_ERROR, "app", "certificates not reloaded", KV_TEXT("reason", err.text));
        return;
    }
    tls_context_unref(port->tls);
    port->tls = fresh;
    log_at(LOG_INFO, "app", "certificates reloaded");
}

void xds_port_keyring(struct xds_port *port, const struct keyring *ring)
{
    if (port->serving != NULL) {
        serving_keyring(port->serving, ring);
    }
}

static void mint(struct xds_port *port)
{
    struct daemon *daemon = port->daemon;
    struct serving_config config = {.loop = &daemon->loop, .alpn = alpn, .clients = true};
    struct arena scratch;
    arena_init_sized(&scratch, 1024);
    webhook_hosts(daemon, &scratch, &config.hosts, &config.nhosts);
    port->serving = serving_new(&config);
    arena_release(&scratch);
    const struct keyring *ring = webhook_keyring(kubernetes_webhook(daemon));
    if (ring != NULL) {
        serving_keyring(port->serving, ring);
    }
}

/* --- start and stop ------------------------------------------------------------------------ */

static bool has(const struct options *options, enum option_id id)
{
    return option_text(options, id).len > 0;
}

bool xds_port_check(const struct options *options, struct err *err)
{
    bool secure = has(options, O_xds_tls);
    bool files =
        has(options, O_tls_cert) || has(options, O_tls_key) || has(options, O_tls_client_ca);
    if (options->lists[O_xds].len > 1) {
        return err_set(err, "heddle serves xDS on one address; several --xds are for bootstrap");
    }
    if (!secure && files) {
        return err_set(err,
                       "--tls-cert, --tls-key and --tls-client-ca are for --xds-tls ADDR:PORT");
    }
    if (!secure && str_eq(option_text(options, O_xds), STR("none"))) {
        return err_set(err, "--xds none serves nobody without --xds-tls ADDR:PORT");
    }
    if (!secure || (has(options, O_tls_cert) && has(options, O_tls_key))) {
        return true;
    }
    if (files || !option_flag(options, O_kubernetes)) {
        return err_set(err, "--xds-tls needs --tls-cert and --tls-key");
    }
    return has(options, O_webhook) ||
           err_set(err, "--xds-tls needs --tls-cert and --tls-key, or --webhook ADDR:PORT, with "
                        "which heddle keeps a CA of its own");
}

static bool start_secure(struct xds_port *port, struct str address, struct err *err)
{
    struct daemon *daemon = port->daemon;
    if (!has(daemon->options, O_tls_cert)) {
        mint(port);
    } else if ((port->tls = load_tls(daemon->options, err)) == NULL) {
        return false;
    }
    port->secure = listener_new(&daemon->loop, address, accepted_secure, port, err);
    return port->secure != NULL || err_prefix(err, "xds-tls");
}

bool xds_port_start(struct xds_port *port, struct daemon *daemon, struct err *err)
{
    struct str plain = option_text(daemon->options, O_xds);
    struct str secure = option_text(daemon->options, O_xds_tls);
    port->daemon = daemon;
    if (!str_eq(plain, STR("none"))) {
        port->plain = listener_new(&daemon->loop, plain, accepted_plain, port, err);
        if (port->plain == NULL) {
            return err_prefix(err, "xds");
        }
    }
    return secure.len == 0 || start_secure(port, secure, err);
}

void xds_port_print(const struct xds_port *port)
{
    if (port->plain != NULL) {
        printf("xds %s\n", listener_address(port->plain));
    }
    if (port->secure != NULL) {
        printf("xds-tls %s\n", listener_address(port->secure));
    }
}

void xds_port_close(struct xds_port *port)
{
    listener_free(port->plain);
    listener_free(port->secure);
    serving_free(port->serving);
    port->plain = port->secure = NULL;
    port->serving = NULL;
}

void xds_port_release(struct xds_port *port)
{
    tls_context_unref(port->tls);
    port->tls = NULL;
}
