/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: which files say where the API server is.
 *
 *   --kubeconfig FILE │ in a pod: KUBERNETES_SERVICE_HOST and the service account's files
 *                     │ $KUBECONFIG, a list of files │ ~/.kube/config
 */
#include "kube/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "kube/file.h"
#include "kube/kube.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

static struct str dir_of(struct arena *arena, struct str path)
{
    size_t slash = str_rindex(path, '/');
    if (slash == path.len) {
        return STR(".");
    }
    return slash == 0 ? STR("/") : arena_str(arena, str_sub(path, 0, slash));
}

/* Adds the file to the list. A file that is not there is passed over unless it is needed. */
static bool add_file(struct arena *arena, struct str path, bool needed, struct config_file *files,
                     size_t *len, struct err *err)
{
    struct buf text;
    struct str name = arena_str(arena, path);
    buf_init(&text, KUBECONFIG_BYTES_MAX);
    bool good = kube_file_read(name.ptr, &text, err);
    bool absent = !good && errno == ENOENT;
    if (good) {
        files[(*len)++] = (struct config_file){
            .path = name,
            .dir = dir_of(arena, name),
            .text = arena_str(arena, buf_str(&text)),
        };
    }
    buf_release(&text);
    return good || (absent && !needed);
}

static bool add_list(struct arena *arena, struct str list, struct config_file *files, size_t *len,
                     struct err *err)
{
    while (list.len != 0) {
        struct str path = str_cut(&list, ':');
        if (*len == KUBECONFIG_FILES_MAX) {
            return err_set(err, "$KUBECONFIG names more than %d files", KUBECONFIG_FILES_MAX);
        }
        if (path.len != 0 && !add_file(arena, path, false, files, len, err)) {
            return false;
        }
    }
    return true;
}

static bool load_files(const struct kube_options *options, struct kube_config *config,
                       struct err *err)
{
    struct config_file files[KUBECONFIG_FILES_MAX];
    struct arena *arena = &config->arena;
    size_t len = 0;
    const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
    if (options->kubeconfig != NULL) {
        if (!add_file(arena, str_from(options->kubeconfig), true, files, &len, err)) {
            return false;
        }
    } else if (list != NULL && list[0] != '\0') {
        if (!add_list(arena, str_from(list), files, &len, err)) {
            return false;
        }
    } else if (home != NULL) {
        struct str path = arena_printf(arena, "%s/.kube/config", home);
        if (!add_file(arena, path, false, files, &len, err)) {
            return false;
        }
    }
    if (len == 0) {
        return err_set(err, "no kubeconfig: neither $KUBECONFIG nor ~/.kube/config names a file "
                            "that is there, and this is no pod; use --kubeconfig");
    }
    return kubeconfig_read(files, len, options->context, config, err);
}

/* --- in a pod --- */

static bool load_in_cluster(const char *host, const char *port, struct kube_config *config,
                            struct err *err)
{
    struct arena *arena = &config->arena;
    struct buf ns;
    bool colon = strchr(host, ':') != NULL; /* IPv6 */
    config->server = arena_printf(arena, colon ? "https://[%s]:%s" : "https://%s:%s", host, port);
    config->token.file = STR(SERVICE_ACCOUNT "/token");
    config->ca.file = STR(SERVICE_ACCOUNT "/ca.crt");
    buf_init(&ns, KUBE_FILE_MAX);
    bool good = kube_file_read(SERVICE_ACCOUNT "/namespace", &ns, err);
    if (good) {
        config->ns = arena_str(arena, str_trim(buf_str(&ns)));
    }
    buf_release(&ns);
    return good;
}

bool kube_config_load(const struct kube_options *options, struct kube_config *ret_config,
                      struct err *err)
{
    struct kube_config config = {.insecure = false};
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    bool in_cluster = options->kubeconfig == NULL && options->context == NULL && host != NULL &&
                      port != NULL && access(SERVICE_ACCOUNT "/token", F_OK) == 0;
    arena_init(&config.arena);
    if (!(in_cluster ? load_in_cluster(host, port, &config, err)
                     : load_files(options, &config, err))) {
        kube_config_release(&config);
        return false;
    }
    *ret_config = config;
    return true;
}

void kube_config_release(struct kube_config *config)
{
    arena_release(&config->arena);
}
