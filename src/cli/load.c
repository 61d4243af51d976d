/* SPDX-License-Identifier: Apache-2.0 */
/* load: files of the command line -> a mesh. */
#include "cli/load.h"

#include <stdio.h>

#include "source/source_file.h"

#define WARNINGS_MAX 5 /* of documents that are left out; heddle check tells all */

static void put(void *user, struct object *object, struct str key)
{
    mesh_put(user, object, key);
}

static void removed(void *user, enum kind_id kind, struct str key)
{
    mesh_remove(user, kind, key);
}

bool load_paths(const struct options *options, const char *const *paths, unsigned npaths,
                struct loaded *ret_loaded, struct err *err)
{
    struct str domain = option_text(options, O_cluster_domain);
    struct str trust = option_text(options, O_trust_domain);
    const struct mesh_settings settings = {
        .cluster_domain =
            domain.len > 0 ? domain : str_from(option_info(O_cluster_domain)->fallback),
        .trust_domain = trust.len > 0 ? trust : str_from(option_info(O_trust_domain)->fallback),
        .authorities = options->lists[O_authority].items,
        .authorities_len = options->lists[O_authority].len,
        .check = option_flag(options, O_check_rebuild),
    };
    struct loaded loaded = {.mesh = mesh_new(&settings)};
    const struct file_set_events events = {.user = loaded.mesh, .put = put, .removed = removed};
    loaded.files = file_set_new(&events);
    if (!source_file_read_paths(loaded.files, paths, npaths, err)) {
        loaded_release(&loaded);
        return false;
    }
    *ret_loaded = loaded;
    return true;
}

static void warn_of(void *user, struct str file, const struct problem *problem)
{
    unsigned *told = user;
    struct arena arena;
    if (!problem_is_error(problem) || ++*told > WARNINGS_MAX) {
        return;
    }
    arena_init_sized(&arena, 512);
    fprintf(stderr, "heddle: %.*s:%u: left out: %.*s%s%.*s\n", STR_FMT(file), problem->line,
            STR_FMT(problem->object), problem->object.len > 0 ? ": " : "",
            STR_FMT(problem_words(&arena, problem)));
    arena_release(&arena);
}

void loaded_warn(const struct loaded *loaded, const char *dir)
{
    unsigned told = 0;
    if (file_set_invalid(loaded->files) == 0) {
        return;
    }
    file_set_problems(loaded->files, warn_of, &told);
    fprintf(stderr,
            "heddle: some documents of '%s' are not valid and were left out; heddle check tells "
            "what to do\n",
            dir);
}

void loaded_release(struct loaded *loaded)
{
    file_set_free(loaded->files);
    mesh_free(loaded->mesh);
}
