/* SPDX-License-Identifier: Apache-2.0 */
/* credential: keeps what the files and the program said, and knows when to ask them again. */
#include "kube/credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/panic.h"
#include "kube/config.h"
#include "kube/file.h"
#include "kube/plugin.h"
#include "net/httpc.h"
#include "net/loop.h"

/* A text of the config that a file may have. */
struct source {
    const struct config_text *said;
    struct kube_file file;
};

struct credential {
    struct loop *loop;
    const struct kube_config *config;
    struct source ca, cert, key, token;
    struct buf basic;
    struct httpc_trust *trust;
    unsigned generation;
    uint64_t looked_ms; /* at the files */
    /* Of the program. */
    struct plugin *plugin; /* runs now */
    struct buf plugin_token, plugin_cert, plugin_key;
    int64_t expires_s;
    uint64_t ran_ms;
    bool ran;     /* once at least */
    bool stale;   /* what it said was refused */
    bool useless; /* it failed, see why */
    struct err why;
    void (*settled)(void *user);
    void *user;
};

/* --- files --- */

static void source_init(struct source *source, const struct config_text *said)
{
    source->said = said;
    kube_file_init(&source->file, said->file.ptr);
}

static bool source_refresh(struct source *source, bool *changed, struct err *err)
{
    bool this_changed = false;
    if (source->said->file.len == 0) {
        return true;
    }
    bool good = kube_file_refresh(&source->file, &this_changed, err);
    *changed = *changed || this_changed;
    return good;
}

static struct str source_text(const struct source *source)
{
    return source->said->text.len != 0 ? source->said->text : buf_str(&source->file.text);
}

static struct str token_text(const struct credential *credential)
{
    struct str token = str_trim(buf_str(&credential->token.file.text));
    return token.len != 0 ? token : credential->config->token.text;
}

static void make_trust(struct credential *credential)
{
    struct str cert = buf_str(&credential->plugin_cert), key = buf_str(&credential->plugin_key);
    const struct httpc_tls tls = {
        .ca = source_text(&credential->ca),
        .cert = cert.len != 0 ? cert : source_text(&credential->cert),
        .key = cert.len != 0 ? key : source_text(&credential->key),
        .server_name = credential->config->server_name,
        .proxy = credential->config->proxy,
        .insecure = credential->config->insecure,
    };
    httpc_trust_unref(credential->trust);
    credential->trust = httpc_trust_new(&tls);
    credential->generation++;
}

/* False: at least one cannot be read; what it said before stays. */
static bool look_at_files(struct credential *credential, struct err *err)
{
    bool trust = false, token = false;
    credential->looked_ms = loop_now_ms(credential->loop);
    bool good = source_refresh(&credential->ca, &trust, err);
    good = source_refresh(&credential->cert, &trust, good ? err : NULL) && good;
    good = source_refresh(&credential->key, &trust, good ? err : NULL) && good;
    good = source_refresh(&credential->token, &token, good ? err : NULL) && good;
    if (trust) {
        make_trust(credential);
    }
    credential->generation += token ? 1 : 0;
    return good;
}

/* --- the program --- */

static void take_text(struct buf *into, struct str text)
{
    if (into->data != NULL) {
        explicit_bzero(into->data, into->len);
    }
    buf_clear(into);
    buf_add_str(into, text);
}

static void on_plugin(void *user, const struct plugin_result *result)
{
    struct credential *credential = user;
    credential->plugin = NULL;
    credential->ran_ms = loop_now_ms(credential->loop);
    credential->ran = true;
    credential->stale = false;
    credential->useless = result->why.len != 0;
    if (credential->useless) {
        err_set(&credential->why, "%.*s", STR_FMT(result->why));
    } else {
        credential->expires_s = result->expires_s;
        take_text(&credential->plugin_token, result->token);
        take_text(&credential->plugin_cert, result->cert);
        take_text(&credential->plugin_key, result->key);
        make_trust(credential);
    }
    if (credential->settled != NULL) {
        credential->settled(credential->user);
    }
}

static bool plugin_expired(const struct credential *credential)
{
    int64_t now_s = (int64_t)(clock_wall_ms() / 1000);
    return credential->expires_s != 0 && now_s + CREDENTIAL_EARLY_S >= credential->expires_s;
}

static bool may_run(const struct credential *credential)
{
    return !credential->ran ||
           loop_now_ms(credential->loop) - credential->ran_ms >= CREDENTIAL_RETRY_MS;
}

static enum credential_state ask_plugin(struct credential *credential, struct err *err)
{
    bool good = credential->ran && !credential->useless && !credential->stale &&
                !plugin_expired(credential);
    if (good) {
        return CREDENTIAL_READY;
    }
    if (credential->plugin == NULL && !may_run(credential)) {
        if (!credential->useless) {
            return CREDENTIAL_READY; /* the clocks may differ: let the API server say */
        }
        err_set(err, "%s", credential->why.text);
        return CREDENTIAL_FAILED;
    }
    if (credential->plugin == NULL) {
        credential->plugin =
            plugin_run(credential->loop, credential->config, PLUGIN_MS, on_plugin, credential);
    }
    return CREDENTIAL_PENDING;
}

/* --- the interface --- */

bool credential_new(struct loop *loop, const struct kube_config *config,
                    struct credential **ret_credential, struct err *err)
{
    struct credential *credential = xcalloc(1, sizeof(*credential));
    credential->loop = loop;
    credential->config = config;
    source_init(&credential->ca, &config->ca);
    source_init(&credential->cert, &config->cert);
    source_init(&credential->key, &config->key);
    source_init(&credential->token, &config->token);
    buf_init(&credential->basic, KUBE_FILE_MAX);
    buf_init(&credential->plugin_token, PLUGIN_OUTPUT_MAX);
    buf_init(&credential->plugin_cert, PLUGIN_OUTPUT_MAX);
    buf_init(&credential->plugin_key, PLUGIN_OUTPUT_MAX);
    if (config->user.len != 0) {
        buf_printf(&credential->basic, "%.*s:%.*s", STR_FMT(config->user),
                   STR_FMT(config->password));
    }
    if (!look_at_files(credential, err)) {
        credential_free(credential);
        return false;
    }
    make_trust(credential);
    *ret_credential = credential;
    return true;
}

void credential_free(struct credential *credential)
{
    if (credential == NULL) {
        return;
    }
    if (credential->plugin != NULL) {
        plugin_cancel(credential->plugin);
    }
    kube_file_release(&credential->ca.file);
    kube_file_release(&credential->cert.file);
    kube_file_release(&credential->key.file);
    kube_file_release(&credential->token.file);
    take_text(&credential->basic, STR_NULL);
    take_text(&credential->plugin_token, STR_NULL);
    take_text(&credential->plugin_key, STR_NULL);
    buf_release(&credential->basic);
    buf_release(&credential->plugin_token);
    buf_release(&credential->plugin_cert);
    buf_release(&credential->plugin_key);
    httpc_trust_unref(credential->trust);
    free(credential);
}

void credential_on_settled(struct credential *credential, void (*settled)(void *user), void *user)
{
    credential->settled = settled;
    credential->user = user;
}

enum credential_state credential_get(struct credential *credential,
                                     struct credential_view *ret_view, struct err *err)
{
    if (loop_now_ms(credential->loop) - credential->looked_ms >= CREDENTIAL_CHECK_MS) {
        look_at_files(credential, NULL); /* what cannot be read now was read before */
    }
    enum credential_state state = CREDENTIAL_READY;
    struct str bearer = token_text(credential);
    if (credential->config->exec != NULL) {
        state = ask_plugin(credential, err);
        bearer = buf_str(&credential->plugin_token);
    }
    if (state == CREDENTIAL_READY) {
        *ret_view = (struct credential_view){
            .bearer = bearer,
            .basic = buf_str(&credential->basic),
            .trust = credential->trust,
            .generation = credential->generation,
        };
    }
    return state;
}

bool credential_refused(struct credential *credential, unsigned generation)
{
    if (generation != credential->generation) {
        return true;
    }
    look_at_files(credential, NULL);
    if (credential->config->exec != NULL && may_run(credential)) {
        credential->stale = true;
        return true;
    }
    return generation != credential->generation;
}
