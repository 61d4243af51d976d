/* SPDX-License-Identifier: Apache-2.0 */
/* serving: mints the certificate, and a timer that does it again. What is due is asked of the wall
 * clock, now and then: it may be set, and a machine that sleeps does not count on. */
#include "ca/serving.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/panic.h"
#include "ca/certificate.h"
#include "net/loop.h"
#include "net/tls.h"

#define RETRY_S 60 /* after a failure, and when the CA has ended */

struct serving {
    struct arena arena;
    struct loop *loop;
    uv_timer_t renewal;
    struct str *hosts;
    size_t nhosts;
    const char *const *alpn;
    int64_t life_s;
    unsigned look_ms;
    int64_t (*now_s)(void);
    struct certificate_life life; /* of the present certificate */
    int64_t due_s;                /* when the next one is to be made */
    char *ca_cert, *ca_key;       /* NULL: none yet */
    bool clients;
    char *authorities; /* of clients; NULL: none yet, or they are not asked */
    struct tls_context *tls;
    uint64_t minted;
};

static int64_t wall_s(void)
{
    return (int64_t)(clock_wall_ms() / 1000);
}

struct serving *serving_new(const struct serving_config *config)
{
    struct serving *serving = xcalloc(1, sizeof(*serving));
    ASSERT(config->nhosts <= CERTIFICATE_HOSTS_MAX);
    arena_init(&serving->arena);
    serving->loop = config->loop;
    serving->hosts = ARENA_ARRAY(&serving->arena, config->nhosts, struct str);
    serving->nhosts = config->nhosts;
    serving->alpn = config->alpn;
    serving->clients = config->clients;
    for (size_t i = 0; i < config->nhosts; i++) {
        serving->hosts[i] = arena_str(&serving->arena, config->hosts[i]);
    }
    serving->life_s = config->life_s > 0 ? config->life_s : SERVING_LIFE_S;
    serving->look_ms = config->look_ms > 0 ? config->look_ms : SERVING_LOOK_MS;
    serving->now_s = config->now_s != NULL ? config->now_s : wall_s;
    uv_timer_init(&config->loop->uv, &serving->renewal);
    serving->renewal.data = serving;
    return serving;
}

/* A context with a fresh certificate; *ret_life is the certificate's. */
static struct tls_context *mint(const struct serving *serving, struct certificate_life *ret_life,
                                struct err *err)
{
    struct buf cert, key;
    struct tls_context *tls = NULL;
    int64_t now_s = serving->now_s();
    struct certificate_life life = {now_s - CERTIFICATE_SKEW_S, now_s + serving->life_s};
    buf_init(&cert, CERTIFICATE_PEM_MAX);
    buf_init(&key, CERTIFICATE_PEM_MAX);
    if (certificate_sign(str_from(serving->ca_cert), str_from(serving->ca_key), serving->hosts,
                         serving->nhosts, life, &cert, &key, err) &&
        certificate_read_life(buf_str(&cert), ret_life, err)) {
        const struct tls_options options = {
            .cert = buf_str(&cert),
            .key = buf_str(&key),
            .client_ca = str_from(serving->authorities),
            .alpn = serving->alpn,
        };
        tls = tls_context_new(&options, err);
    }
    if (key.data != NULL) {
        OPENSSL_cleanse(key.data, key.cap);
    }
    buf_release(&cert);
    buf_release(&key);
    return tls;
}

static void look(uv_timer_t *timer);

static void look_in(struct serving *serving, int64_t wait_s)
{
    uint64_t wait_ms = (uint64_t)wait_s * 1000;
    uv_timer_start(&serving->renewal, look, wait_ms < serving->look_ms ? wait_ms : serving->look_ms,
                   0);
}

static void renew(struct serving *serving)
{
    struct err err;
    struct tls_context *tls = mint(serving, &serving->life, &err);
    int64_t now_s = serving->now_s(), wait_s = RETRY_S;
    if (tls == NULL) {
        log_at(LOG_ERROR, "ca", "no serving certificate", KV_TEXT("reason", err.text));
    } else {
        tls_context_unref(serving->tls);
        serving->tls = tls;
        serving->minted++;
        int64_t left_s = (serving->life.to - now_s) * 2 / 3;
        wait_s = left_s > 0 ? left_s : RETRY_S;
        log_at(LOG_INFO, "ca", "serving certificate minted", KV_INT("renewed_in_s", wait_s));
    }
    serving->due_s = now_s + wait_s;
    look_in(serving, wait_s);
}

static void look(uv_timer_t *timer)
{
    struct serving *serving = timer->data;
    int64_t now_s = serving->now_s();
    if (now_s >= serving->due_s || now_s < serving->life.from) {
        renew(serving);
    } else {
        look_in(serving, serving->due_s - now_s);
    }
}

static void forget(char *text)
{
    if (text != NULL) {
        OPENSSL_cleanse(text, strlen(text));
        free(text);
    }
}

void serving_keyring(struct serving *serving, const struct keyring *ring)
{
    struct str authorities = serving->clients ? ring->bundle : STR_NULL;
    if (str_eq(str_from(serving->ca_cert), ring->cert) &&
        str_eq(str_from(serving->ca_key), ring->key) &&
        str_eq(str_from(serving->authorities), authorities)) {
        return;
    }
    forget(serving->ca_cert);
    forget(serving->ca_key);
    serving->ca_cert = str_dup(ring->cert);
    serving->ca_key = str_dup(ring->key);
    free(serving->authorities);
    serving->authorities = serving->clients ? str_dup(authorities) : NULL;
    renew(serving);
}

struct tls_context *serving_tls(const struct serving *serving)
{
    return serving->tls;
}

uint64_t serving_minted(const struct serving *serving)
{
    return serving->minted;
}

static void timer_closed(uv_handle_t *handle)
{
    struct serving *serving = handle->data;
    arena_release(&serving->arena);
    free(serving);
}

void serving_free(struct serving *serving)
{
    if (serving == NULL) {
        return;
    }
    forget(serving->ca_cert);
    forget(serving->ca_key);
    free(serving->authorities);
    serving->ca_cert = serving->ca_key = NULL;
    tls_context_unref(serving->tls);
    uv_close((uv_handle_t *)&serving->renewal, timer_closed);
}
