/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubeconfig: one context of some kubeconfig files.
 *
 *   current-context ──► context ──┬──► cluster   server, whom to trust
 *                                 └──► user      who one is
 *
 * Of several files the first that has an entry of a name counts, as a whole; relative paths belong
 * to the folder of the file that says them.
 */
#include <string.h>

#include "base/buf.h"
#include "base/panic.h"
#include "codec/base64.h"
#include "codec/doc.h"
#include "kube/config.h"

#define EXEC_EXTENSION "client.authentication.k8s.io/exec"

/* An entry of a list of named things, and the file that says it. */
struct entry {
    const struct doc_node *node; /* NULL: there is none */
    const struct config_file *file;
    const char *what; /* "cluster", "user", "context" */
    struct str name;
};

struct reading {
    struct kube_config *config;
    const struct config_file *files;
    const struct doc_node *roots[KUBECONFIG_FILES_MAX];
    size_t len;
    struct err *err;
};

static bool parse_file(struct reading *reading, const struct config_file *file)
{
    struct doc *docs;
    size_t len;
    doc_parse(&reading->config->arena, file->text, &docs, &len);
    if (len == 0) {
        reading->roots[reading->len++] = NULL; /* an empty file is fine */
        return true;
    }
    if (docs[0].root == NULL) {
        return err_set(reading->err, "kubeconfig '%.*s' line %u: %.*s", STR_FMT(file->path),
                       docs[0].error.line, STR_FMT(docs[0].error.text));
    }
    if (docs[0].root->type != DOC_MAPPING) {
        return err_set(reading->err, "'%.*s' is no kubeconfig: it is %s", STR_FMT(file->path),
                       doc_type_name(docs[0].root->type));
    }
    reading->roots[reading->len++] = docs[0].root;
    return true;
}

/* --- fields --- */

static struct str text_at(const struct doc_node *node, const char *key)
{
    const struct doc_node *value = doc_get(node, str_from(key));
    bool none = value == NULL || value->type == DOC_SEQUENCE || value->type == DOC_MAPPING ||
                value->type == DOC_NULL;
    return none ? STR_NULL : value->text;
}

static bool flag_at(const struct doc_node *node, const char *key)
{
    const struct doc_node *value = doc_get(node, str_from(key));
    return value != NULL && value->type == DOC_BOOL && value->boolean;
}

static struct str path_of(struct reading *reading, const struct config_file *file, struct str path)
{
    struct arena *arena = &reading->config->arena;
    if (path.len == 0 || path.ptr[0] == '/') {
        return path.len == 0 ? STR_NULL : arena_str(arena, path);
    }
    return arena_printf(arena, "%.*s/%.*s", STR_FMT(file->dir), STR_FMT(path));
}

/* X-data in base64, or X as a file. */
static bool read_pem(struct reading *reading, const struct entry *entry, const char *key,
                     struct config_text *ret_text)
{
    struct arena *arena = &reading->config->arena;
    struct str data_key = arena_printf(arena, "%s-data", key);
    struct str data = text_at(entry->node, data_key.ptr);
    ret_text->file = path_of(reading, entry->file, text_at(entry->node, key));
    if (data.len == 0) {
        return true;
    }
    struct buf pem;
    buf_init(&pem, KUBECONFIG_BYTES_MAX);
    bool good = base64_decode(data, &pem) && buf_ok(&pem);
    if (good) {
        ret_text->text = arena_str(arena, buf_str(&pem));
    }
    buf_release(&pem);
    return good || err_set(reading->err, "kubeconfig '%.*s': %s-data of the %s '%.*s' is no base64",
                           STR_FMT(entry->file->path), key, entry->what, STR_FMT(entry->name));
}

/* --- entries --- */

/* The entry `name` of the list `plural`, e.g. of "clusters" what stands under "cluster". */
static struct entry find_entry(const struct reading *reading, const char *plural, const char *what,
                               struct str name)
{
    struct entry entry = {.what = what, .name = name};
    for (size_t f = 0; f < reading->len; f++) {
        const struct doc_node *list = doc_get(reading->roots[f], str_from(plural));
        for (uint32_t i = 0; list != NULL && list->type == DOC_SEQUENCE && i < list->len; i++) {
            if (str_eq(text_at(list->items[i], "name"), name)) {
                entry.node = doc_get(list->items[i], str_from(what));
                entry.file = &reading->files[f];
                return entry;
            }
        }
    }
    return entry;
}

static bool need_entry(const struct reading *reading, const char *plural, const char *what,
                       struct str name, struct entry *ret_entry)
{
    *ret_entry = find_entry(reading, plural, what, name);
    if (ret_entry->node != NULL) {
        return true;
    }
    return err_set(reading->err, "the kubeconfig '%.*s' has no %s '%.*s'",
                   STR_FMT(reading->files[0].path), what, STR_FMT(name));
}

static bool read_cluster(struct reading *reading, const struct entry *entry)
{
    struct kube_config *config = reading->config;
    struct arena *arena = &config->arena;
    struct str server = text_at(entry->node, "server");
    while (server.len != 0 && server.ptr[server.len - 1] == '/') {
        server.len--;
    }
    if (!str_starts_with(server, STR("https://")) && !str_starts_with(server, STR("http://"))) {
        return err_set(reading->err,
                       "the server '%.*s' of the cluster '%.*s' is no https:// or http:// URL",
                       STR_FMT(server), STR_FMT(entry->name));
    }
    config->server = arena_str(arena, server);
    config->server_name = arena_str(arena, text_at(entry->node, "tls-server-name"));
    config->proxy = arena_str(arena, text_at(entry->node, "proxy-url"));
    config->insecure = flag_at(entry->node, "insecure-skip-tls-verify");
    return read_pem(reading, entry, "certificate-authority", &config->ca);
}

static void read_exec_lists(struct arena *arena, const struct doc_node *node,
                            struct config_exec *exec)
{
    const struct doc_node *args = doc_get(node, STR("args")), *env = doc_get(node, STR("env"));
    if (args != NULL && args->type == DOC_SEQUENCE) {
        exec->args = ARENA_ARRAY(arena, args->len, struct str);
        for (uint32_t i = 0; i < args->len; i++) {
            exec->args[exec->args_len++] = arena_str(arena, args->items[i]->text);
        }
    }
    if (env != NULL && env->type == DOC_SEQUENCE) {
        exec->env = ARENA_ARRAY(arena, env->len, struct config_pair);
        for (uint32_t i = 0; i < env->len; i++) {
            exec->env[exec->env_len++] = (struct config_pair){
                text_at(env->items[i], "name"),
                text_at(env->items[i], "value"),
            };
        }
    }
}

/* What the cluster has for the program: its extension of a fixed name. */
static const struct doc_node *exec_settings(const struct doc_node *cluster)
{
    const struct doc_node *list = doc_get(cluster, STR("extensions"));
    for (uint32_t i = 0; list != NULL && list->type == DOC_SEQUENCE && i < list->len; i++) {
        if (str_eq(text_at(list->items[i], "name"), STR(EXEC_EXTENSION))) {
            return doc_get(list->items[i], STR("extension"));
        }
    }
    return NULL;
}

static bool read_exec(struct reading *reading, const struct entry *user,
                      const struct entry *cluster)
{
    const struct doc_node *node = doc_get(user->node, STR("exec"));
    struct arena *arena = &reading->config->arena;
    struct config_exec *exec = ARENA_NEW(arena, struct config_exec);
    struct str command = text_at(node, "command");
    exec->api_version = text_at(node, "apiVersion");
    exec->install_hint = text_at(node, "installHint");
    exec->cluster_info = flag_at(node, "provideClusterInfo");
    exec->settings = exec_settings(cluster->node);
    bool bare = str_index(command, '/') == command.len; /* to be looked up in PATH */
    exec->command = bare ? arena_str(arena, command) : path_of(reading, user->file, command);
    read_exec_lists(arena, node, exec);
    if (command.len == 0) {
        return err_set(reading->err, "exec of the user '%.*s' has no command", STR_FMT(user->name));
    }
    if (!str_eq(exec->api_version, STR("client.authentication.k8s.io/v1")) &&
        !str_eq(exec->api_version, STR("client.authentication.k8s.io/v1beta1"))) {
        return err_set(reading->err,
                       "exec of the user '%.*s' speaks '%.*s'; use client.authentication.k8s.io/v1",
                       STR_FMT(user->name), STR_FMT(exec->api_version));
    }
    if (str_eq(text_at(node, "interactiveMode"), STR("Always"))) {
        return err_set(reading->err,
                       "exec of the user '%.*s' wants to ask somebody (interactiveMode Always); "
                       "heddle runs without",
                       STR_FMT(user->name));
    }
    reading->config->exec = exec;
    return true;
}

/* What would change who one is, but is not done here, must not be passed over. */
static bool refuse_unknown(const struct reading *reading, const struct entry *user)
{
    static const char *const keys[] = {"as", "as-uid", "as-groups", "as-user-extra"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (doc_get(user->node, str_from(keys[i])) != NULL) {
            return err_set(reading->err,
                           "the user '%.*s' acts for another ('%s'), which heddle does not do; use "
                           "a user that has the rights itself",
                           STR_FMT(user->name), keys[i]);
        }
    }
    if (doc_get(user->node, STR("auth-provider")) != NULL) {
        return err_set(reading->err,
                       "the user '%.*s' has an auth-provider, which kubectl gave up in 1.26; use "
                       "exec",
                       STR_FMT(user->name));
    }
    return true;
}

static bool read_user(struct reading *reading, const struct entry *user,
                      const struct entry *cluster)
{
    struct kube_config *config = reading->config;
    struct arena *arena = &config->arena;
    config->token.text = arena_str(arena, text_at(user->node, "token"));
    config->token.file = path_of(reading, user->file, text_at(user->node, "tokenFile"));
    config->user = arena_str(arena, text_at(user->node, "username"));
    config->password = arena_str(arena, text_at(user->node, "password"));
    bool exec = doc_get(user->node, STR("exec")) != NULL;
    return refuse_unknown(reading, user) &&
           read_pem(reading, user, "client-certificate", &config->cert) &&
           read_pem(reading, user, "client-key", &config->key) &&
           (!exec || read_exec(reading, user, cluster));
}

static bool read_context(struct reading *reading, struct str name)
{
    struct entry context, cluster, user = {.what = "user"};
    if (!need_entry(reading, "contexts", "context", name, &context) ||
        !need_entry(reading, "clusters", "cluster", text_at(context.node, "cluster"), &cluster)) {
        return false;
    }
    struct str user_name = text_at(context.node, "user");
    if (user_name.len != 0 && !need_entry(reading, "users", "user", user_name, &user)) {
        return false;
    }
    reading->config->ns = arena_str(&reading->config->arena, text_at(context.node, "namespace"));
    return read_cluster(reading, &cluster) &&
           (user.node == NULL || read_user(reading, &user, &cluster));
}

static struct str current_context(const struct reading *reading)
{
    struct str name = STR_NULL;
    for (size_t i = 0; i < reading->len && name.len == 0; i++) {
        name = text_at(reading->roots[i], "current-context");
    }
    return name;
}

bool kubeconfig_read(const struct config_file *files, size_t len, const char *context,
                     struct kube_config *config, struct err *err)
{
    struct reading reading = {.config = config, .files = files, .err = err};
    ASSERT(len != 0 && len <= KUBECONFIG_FILES_MAX);
    for (size_t i = 0; i < len; i++) {
        if (!parse_file(&reading, &files[i])) {
            return false;
        }
    }
    struct str name = context != NULL ? str_from(context) : current_context(&reading);
    if (name.len == 0) {
        return err_set(err, "the kubeconfig '%.*s' has no current-context; name one (--context)",
                       STR_FMT(files[0].path));
    }
    return read_context(&reading, name);
}
