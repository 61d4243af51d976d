/* SPDX-License-Identifier: Apache-2.0 */
/* node_access: see node_access.h. */
#include "agent/node_access.h"

#include <stdlib.h>
#include <string.h>

#include "agent/file.h"
#include "base/buf.h"
#include "base/panic.h"
#include "codec/base64.h"
#include "codec/json_tree.h"
#include "kube/config.h"
#include "kube/file.h"
#include "kube/kube.h"

#define FILE_MODE 0600

/* The text, or what the file has that is named in its place. */
static bool read_text(const struct config_text *from, struct buf *ret_text, struct err *err)
{
    if (from->file.len > 0) {
        return kube_file_read(from->file.ptr, ret_text, err);
    }
    buf_add_str(ret_text, from->text);
    return true;
}

static json_t *kubeconfig_of(const struct kube_config *config, struct str ca, struct str token)
{
    struct buf base64;
    buf_init(&base64, 2 * KUBE_FILE_MAX);
    base64_encode(ca, &base64);
    json_t *cluster = json_object();
    json_object_set_new(cluster, "server", json_tree_string(config->server));
    json_object_set_new(cluster, "certificate-authority-data", json_tree_string(buf_str(&base64)));
    json_t *kubeconfig = json_pack(
        "{s:s, s:s, s:s, s:[{s:s, s:o}], s:[{s:s, s:{s:o}}], s:[{s:s, s:{s:s, s:s}}]}", /**/
        "apiVersion", "v1", "kind", "Config", "current-context", "node", "clusters", "name",
        "cluster", "cluster", cluster, "users", "name", "heddle-cni", "user", "token",
        json_tree_string(str_trim(token)), "contexts", "name", "node", "context", "cluster",
        "cluster", "user", "heddle-cni");
    ASSERT(kubeconfig != NULL);
    buf_release(&base64);
    return kubeconfig;
}

static bool write_changed(const char *path, struct str text, bool *ret_changed, struct err *err)
{
    struct buf old;
    struct err absent;
    buf_init(&old, KUBECONFIG_BYTES_MAX);
    bool same = kube_file_read(path, &old, &absent) && str_eq(buf_str(&old), text);
    buf_release(&old);
    if (!same && !file_replace(path, FILE_MODE, text, err)) {
        return false;
    }
    *ret_changed = !same;
    return true;
}

bool node_access_write(const char *path, bool *ret_changed, struct err *err)
{
    const struct kube_options from_pod = {.kubeconfig = NULL};
    struct kube_config config;
    struct buf ca, token;
    if (!kube_config_load(&from_pod, &config, err)) {
        return false;
    }
    buf_init(&ca, KUBE_FILE_MAX);
    buf_init(&token, KUBE_FILE_MAX);
    bool ok = read_text(&config.ca, &ca, err) && read_text(&config.token, &token, err);
    if (ok) {
        json_t *kubeconfig = kubeconfig_of(&config, buf_str(&ca), buf_str(&token));
        char *dump = json_dumps(kubeconfig, JSON_INDENT(1));
        ok = write_changed(path, str_from(dump), ret_changed, err);
        free(dump);
        json_decref(kubeconfig);
    }
    buf_release(&token);
    buf_release(&ca);
    kube_config_release(&config);
    return ok;
}
