/* SPDX-License-Identifier: Apache-2.0 */
/* bundle: see bundle.h. */
#include "agent/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "agent/closure.h"
#include "agent/file.h"
#include "base/panic.h"
#include "kube/file.h"

#define FOLDER BUNDLE_PLUGIN ".d"
#define OWNER "owner"
#define FOLDER_MODE 0755
#define LINK_MAX (sizeof(FOLDER) + 64)

/* --- paths and folders ---------------------------------------------------------------------- */

struct path {
    char text[PATH_MAX];
};

/* A path that is cut is found nowhere, which is told then. */
static struct path join(const char *folder, const char *name)
{
    struct path path;
    int len = snprintf(path.text, sizeof(path.text), "%s/%s", folder, name);
    if (len >= (int)sizeof(path.text)) {
        path.text[0] = '\0';
    }
    return path;
}

static void each_in(const char *folder, void (*visit)(void *user, const char *path), void *user)
{
    uv_fs_t scan;
    uv_dirent_t entry;
    if (uv_fs_scandir(NULL, &scan, folder, 0, NULL) >= 0) {
        while (uv_fs_scandir_next(&scan, &entry) == 0) {
            visit(user, join(folder, entry.name).text);
        }
    }
    uv_fs_req_cleanup(&scan);
}

static void remove_file(void *user, const char *path)
{
    (void)user;
    (void)unlink(path);
}

/* One bundle, unless it is the one to be kept. */
static void remove_bundle(void *user, const char *path)
{
    const char *kept = user;
    struct path lib = join(path, "lib");
    if (kept != NULL && strcmp(kept, path) == 0) {
        return;
    }
    each_in(lib.text, remove_file, NULL);
    (void)rmdir(lib.text);
    each_in(path, remove_file, NULL);
    (void)rmdir(path);
}

/* --- copying -------------------------------------------------------------------------------- */

static bool copy(const char *from, const char *folder, const char *name, struct err *err)
{
    uv_fs_t request;
    struct path to = join(folder, name);
    int failed = uv_fs_copyfile(NULL, &request, from, to.text, 0, NULL);
    uv_fs_req_cleanup(&request);
    if (failed != 0 || chmod(to.text, FOLDER_MODE) != 0) {
        return err_set(err, "copy '%s' to '%s': %s", from, to.text,
                       failed != 0 ? uv_strerror(failed) : strerror(errno));
    }
    return true;
}

static bool copy_library(void *user, struct str name, const char *path, bool linker,
                         struct err *err)
{
    const char *lib = user;
    char text[NAME_MAX];
    snprintf(text, sizeof(text), "%.*s", STR_FMT(name));
    return copy(path, lib, linker ? "ld.so" : text, err);
}

static bool copy_program(const char *from, const char *lib, const char *name, struct err *err)
{
    return copy(from, lib, name, err) &&
           closure_walk(from, copy_library, (void *)(uintptr_t)lib, err);
}

static bool find_nft(struct path *ret_path, struct err *err)
{
    const char *path = getenv("PATH");
    struct str rest = str_from(path != NULL ? path : "/usr/sbin:/usr/bin");
    while (rest.len > 0) {
        struct str folder = str_cut(&rest, ':');
        char text[PATH_MAX];
        snprintf(text, sizeof(text), "%.*s", STR_FMT(folder));
        *ret_path = join(text, "nft");
        if (access(ret_path->text, X_OK) == 0) {
            return true;
        }
    }
    return err_set(err,
                   "there is no 'nft' on PATH (Debian's package nftables; the image of heddle's "
                   "proxy has it)");
}

static bool fill(const char *folder, struct err *err)
{
    struct path lib = join(folder, "lib");
    struct path nft;
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len < 0) {
        return err_set_errno(err, errno, "find heddle's executable");
    }
    self[len] = '\0';
    char *slash = strrchr(self, '/');
    ASSERT(slash != NULL);
    if (mkdir(lib.text, FOLDER_MODE) != 0) {
        return err_set_errno(err, errno, "make '%s'", lib.text);
    }
    if (!copy_program(self, lib.text, "heddle", err) || !find_nft(&nft, err) ||
        !copy_program(nft.text, lib.text, "nft", err)) {
        return false;
    }
    *slash = '\0';
    struct path launcher = join(self, BUNDLE_PLUGIN);
    return copy(launcher.text, folder, BUNDLE_PLUGIN, err) &&
           copy(launcher.text, folder, "nft", err);
}

/* --- the link ------------------------------------------------------------------------------- */

static struct path read_link(const char *bin_dir)
{
    struct path link = join(bin_dir, BUNDLE_PLUGIN), to;
    ssize_t len = readlink(link.text, to.text, sizeof(to.text) - 1);
    to.text[len < 0 ? 0 : len] = '\0';
    return to;
}

static void write_target(const struct bundle *bundle, char target[static LINK_MAX])
{
    snprintf(target, LINK_MAX, FOLDER "/%s/" BUNDLE_PLUGIN, bundle->name);
}

static bool make_link(const struct bundle *bundle, struct err *err)
{
    struct path fresh = join(bundle->bin_dir, FOLDER "/link"), link;
    char target[LINK_MAX];
    link = join(bundle->bin_dir, BUNDLE_PLUGIN);
    write_target(bundle, target);
    (void)unlink(fresh.text);
    if (symlink(target, fresh.text) != 0 || rename(fresh.text, link.text) != 0) {
        return err_set_errno(err, errno, "make the link '%s'", link.text);
    }
    return true;
}

/* In which the link's file is. */
static struct path linked_folder(const char *bin_dir)
{
    struct path folder = join(bin_dir, read_link(bin_dir).text);
    char *slash = strrchr(folder.text, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    return folder;
}

bool bundle_is_of_another(const struct bundle *bundle)
{
    struct path present = read_link(bundle->bin_dir);
    char target[LINK_MAX];
    write_target(bundle, target);
    return present.text[0] != '\0' && strcmp(present.text, target) != 0;
}

/* --- all of it ------------------------------------------------------------------------------ */

/* What nobody runs any more. */
static void remove_others(const char *bin_dir, const char *folder)
{
    struct path kept = linked_folder(bin_dir);
    each_in(folder, remove_bundle, kept.text);
}

bool bundle_install(struct bundle *bundle, struct err *err)
{
    struct path folder = join(bundle->bin_dir, FOLDER);
    uv_fs_t request;
    if (mkdir(folder.text, FOLDER_MODE) != 0 && errno != EEXIST) {
        return err_set_errno(err, errno, "make '%s'", folder.text);
    }
    remove_others(bundle->bin_dir, folder.text);
    int failed = uv_fs_mkdtemp(NULL, &request, join(folder.text, "XXXXXX").text, NULL);
    if (failed != 0) {
        uv_fs_req_cleanup(&request);
        return err_set(err, "make a folder in '%s': %s", folder.text, uv_strerror(failed));
    }
    snprintf(bundle->name, sizeof(bundle->name), "%s", strrchr(request.path, '/') + 1);
    bool ok = chmod(request.path, FOLDER_MODE) == 0 || /* mkdtemp makes it for one user */
              err_set_errno(err, errno, "open '%s' for all", request.path);
    ok = ok && fill(request.path, err) &&
         file_replace(join(request.path, OWNER).text, 0644, bundle->owner, err) &&
         make_link(bundle, err);
    if (!ok) {
        remove_bundle(NULL, request.path);
    }
    uv_fs_req_cleanup(&request);
    return ok;
}

bool bundle_check(const char *bin_dir, struct str owner, struct err *err)
{
    struct path link = join(bin_dir, BUNDLE_PLUGIN);
    struct buf present;
    if (access(link.text, X_OK) != 0) {
        return err_set_errno(err, errno, "run '%s'", link.text);
    }
    buf_init(&present, KUBE_FILE_MAX);
    bool ok = kube_file_read(join(linked_folder(bin_dir).text, OWNER).text, &present, err) &&
              (owner.len == 0 || str_eq(buf_str(&present), owner) ||
               err_set(err, "'%s' is another's: '%.*s'", link.text, STR_FMT(buf_str(&present))));
    buf_release(&present);
    return ok;
}

void bundle_remove(const char *bin_dir)
{
    struct path folder = join(bin_dir, FOLDER);
    (void)unlink(join(bin_dir, BUNDLE_PLUGIN).text);
    each_in(folder.text, remove_bundle, NULL);
    (void)unlink(join(folder.text, "link").text);
    (void)rmdir(folder.text);
}
