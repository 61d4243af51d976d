/* SPDX-License-Identifier: Apache-2.0 */
/* conflist: see conflist.h. */
#include "agent/conflist.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "agent/file.h"
#include "base/buf.h"
#include "base/panic.h"
#include "kube/file.h"

#define LIST ".conflist"
#define ASIDE ".heddle-cni" /* after the whole name */
#define FILE_MODE 0600      /* of a list that is new: it may hold secrets of plugins */

/* --- the configuration ---------------------------------------------------------------------- */

static bool is_of_type(const json_t *plugin, const char *type)
{
    const char *own = json_string_value(json_object_get(plugin, "type"));
    return own != NULL && strcmp(own, type) == 0;
}

static void take(json_t *list, const char *type)
{
    json_t *plugins = json_object_get(list, "plugins");
    for (size_t i = json_array_size(plugins); i > 0; i--) {
        if (is_of_type(json_array_get(plugins, i - 1), type)) {
            json_array_remove(plugins, i - 1);
        }
    }
}

json_t *conflist_without(const json_t *config, const char *type)
{
    json_t *list = json_deep_copy(config);
    take(list, type);
    return list;
}

/* A list's version and name are those of its only plugin. */
static json_t *list_of_one(const json_t *config)
{
    static const char *const shared[] = {"cniVersion", "name"};
    json_t *list = json_object();
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        json_t *value = json_object_get(config, shared[i]);
        if (value != NULL) {
            json_object_set(list, shared[i], value);
        }
    }
    json_t *plugins = json_array();
    json_array_append_new(plugins, json_deep_copy(config));
    json_object_set_new(list, "plugins", plugins);
    return list;
}

json_t *conflist_with(const json_t *config, const json_t *entry, struct err *err)
{
    const char *type = json_string_value(json_object_get(entry, "type"));
    ASSERT(type != NULL);
    bool one = json_object_get(config, "plugins") == NULL &&
               json_is_string(json_object_get(config, "type"));
    json_t *list = one ? list_of_one(config) : json_deep_copy(config);
    take(list, type);
    json_t *plugins = json_object_get(list, "plugins");
    if (json_array_size(plugins) == 0) {
        err_set(err, "there are no plugins in it");
        json_decref(list);
        return NULL;
    }
    json_array_append_new(plugins, json_deep_copy(entry));
    return list;
}

/* --- files ---------------------------------------------------------------------------------- */

struct path {
    char text[PATH_MAX];
};

static json_t *load(const char *path, struct err *err)
{
    json_error_t why;
    struct buf text;
    buf_init(&text, CONFLIST_BYTES_MAX);
    json_t *config = NULL;
    if (kube_file_read(path, &text, err)) {
        config = json_loadb((const char *)text.data, text.len, 0, &why);
        if (config == NULL) {
            err_set(err, "'%s': line %d: %s", path, why.line, why.text);
        }
    }
    buf_release(&text);
    return config;
}

static bool store(const char *path, mode_t mode, const json_t *config, struct err *err)
{
    char *text = json_dumps(config, JSON_INDENT(2));
    ASSERT(text != NULL);
    bool ok = file_replace(path, mode, str_from(text), err);
    free(text);
    return ok;
}

static bool is_configuration(struct str name)
{
    return str_ends_with(name, STR(LIST)) || str_ends_with(name, STR(".conf")) ||
           str_ends_with(name, STR(".json"));
}

/* The configuration that the runtime takes: the first one, by bytes. */
static bool find_first(const char *dir, struct path *ret_path, struct err *err)
{
    uv_fs_t scan;
    uv_dirent_t entry;
    char first[NAME_MAX + 1] = "";
    int failed = uv_fs_scandir(NULL, &scan, dir, 0, NULL);
    while (failed >= 0 && uv_fs_scandir_next(&scan, &entry) == 0) {
        if (is_configuration(str_from(entry.name)) &&
            (first[0] == '\0' || strcmp(entry.name, first) < 0)) {
            snprintf(first, sizeof(first), "%s", entry.name);
        }
    }
    uv_fs_req_cleanup(&scan);
    if (failed < 0) {
        return err_set(err, "read '%s': %s", dir, uv_strerror(failed));
    }
    if (first[0] == '\0') {
        return err_set(err,
                       "'%s' has no network configuration yet: the cluster's network plugin "
                       "makes one, and --cni-conf-dir tells where",
                       dir);
    }
    int len = snprintf(ret_path->text, sizeof(ret_path->text), "%s/%s", dir, first);
    return len < (int)sizeof(ret_path->text) || err_set(err, "the name '%s' is too long", dir);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mode & 0777 : FILE_MODE;
}

/* As a list beside it; then it goes aside, so that the runtime takes the list. In that order there
 * is a configuration at all times. */
static bool convert(const char *path, const json_t *list, struct err *err)
{
    struct path beside, aside;
    size_t stem = str_rindex(str_from(path), '.');
    if (snprintf(beside.text, sizeof(beside.text), "%.*s" LIST, (int)stem, path) >=
            (int)sizeof(beside.text) ||
        snprintf(aside.text, sizeof(aside.text), "%s" ASIDE, path) >= (int)sizeof(aside.text)) {
        return err_set(err, "the name '%s' is too long", path);
    }
    return store(beside.text, mode_of(path), list, err) &&
           (rename(path, aside.text) == 0 ||
            err_set_errno(err, errno, "rename '%s' to '%s'", path, aside.text));
}

bool conflist_put(const char *dir, const json_t *entry, bool *ret_changed, struct err *err)
{
    struct path path;
    if (!find_first(dir, &path, err)) {
        return false;
    }
    json_t *config = load(path.text, err);
    if (config == NULL) {
        return false;
    }
    bool is_list = str_ends_with(str_from(path.text), STR(LIST));
    json_t *list = conflist_with(config, entry, err);
    bool ok = list != NULL || err_prefix(err, "'%s'", path.text);
    bool changed = ok && !json_equal(config, list);
    if (changed) {
        ok = is_list ? store(path.text, mode_of(path.text), list, err)
                     : convert(path.text, list, err);
    }
    json_decref(list);
    json_decref(config);
    if (ok) {
        *ret_changed = changed;
    }
    return ok;
}

static bool has_type(const json_t *config, const char *type)
{
    size_t i;
    const json_t *plugin;
    json_array_foreach(json_object_get(config, "plugins"), i, plugin)
    {
        if (is_of_type(plugin, type)) {
            return true;
        }
    }
    return false;
}

bool conflist_check(const char *dir, const char *type, struct err *err)
{
    struct path path;
    json_t *config = find_first(dir, &path, err) ? load(path.text, err) : NULL;
    bool ok =
        config != NULL && (has_type(config, type) ||
                           err_set(err, "'%s' does not have the plugin '%s'", path.text, type));
    json_decref(config);
    return ok;
}

/* --- taking it out -------------------------------------------------------------------------- */

static bool take_from(const char *path, const char *type, struct err *err)
{
    struct err ignored; /* what is no JSON is not heddle's */
    json_t *config = load(path, &ignored);
    bool ok = true;
    if (has_type(config, type)) {
        json_t *list = conflist_without(config, type);
        ok = store(path, mode_of(path), list, err);
        json_decref(list);
    }
    json_decref(config);
    return ok;
}

/* It comes first by name as soon as it is there again; then the list goes that was made of it. One
 * that somebody has written meanwhile is newer, and stays. */
static bool bring_back(const char *aside, struct err *err)
{
    struct path original, list;
    size_t len = strlen(aside) - strlen(ASIDE);
    snprintf(original.text, sizeof(original.text), "%.*s", (int)len, aside);
    size_t stem = str_rindex(str_from(original.text), '.');
    snprintf(list.text, sizeof(list.text), "%.*s" LIST, (int)stem, original.text);
    bool ok =
        access(original.text, F_OK) == 0 ? unlink(aside) == 0 : rename(aside, original.text) == 0;
    ok = ok && (unlink(list.text) == 0 || errno == ENOENT);
    return ok || err_set_errno(err, errno, "bring back '%s'", original.text);
}

bool conflist_take(const char *dir, const char *type, struct err *err)
{
    uv_fs_t scan;
    uv_dirent_t entry;
    bool ok = true;
    int failed = uv_fs_scandir(NULL, &scan, dir, 0, NULL);
    while (failed >= 0 && uv_fs_scandir_next(&scan, &entry) == 0) {
        struct path path;
        struct str name = str_from(entry.name);
        snprintf(path.text, sizeof(path.text), "%s/%s", dir, entry.name);
        if (str_ends_with(name, STR(ASIDE))) {
            ok = bring_back(path.text, err) && ok;
        } else if (str_ends_with(name, STR(LIST))) {
            ok = take_from(path.text, type, err) && ok;
        }
    }
    uv_fs_req_cleanup(&scan);
    return failed >= 0 ? ok : err_set(err, "read '%s': %s", dir, uv_strerror(failed));
}
