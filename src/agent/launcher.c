/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launcher: the program `heddle-cni`: runs on nodes what was made for heddle's image.
 *
 * Container runtimes start plugins on the node, which may have another libc, none of the libraries
 * and no shell. So this one is linked statically, and starts the program that its own name tells by
 * the image's dynamic linker, with the image's libraries, which lie beside it (agent/bundle.c):
 *
 *   heddle-cni ─► lib/ld.so --library-path lib lib/heddle cni ─► nft, found first on PATH
 *   nft        ─► lib/ld.so --library-path lib lib/nft …
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define EXIT_CANNOT_RUN 127 /* as of shells */

static const struct {
    const char *name, *program, *word;
} programs[] = {{"heddle-cni", "heddle", "cni"}, {"nft", "nft", NULL}};

struct place {
    char self[PATH_MAX];
    char lib[PATH_MAX + 8], loader[PATH_MAX + 16], program[PATH_MAX + 16];
    const char *word;
};

static int fail(const char *what)
{
    fprintf(stderr, "heddle-cni: %s: %s\n", what, strerror(errno));
    return EXIT_CANNOT_RUN;
}

/* The folder comes first, so that nft is this one, whatever the node has. */
static void set_path(const char *folder)
{
    char path[2 * PATH_MAX];
    const char *rest = getenv("PATH");
    int len = snprintf(path, sizeof(path), "%s:%s", folder, rest != NULL ? rest : "");
    setenv("PATH", len < (int)sizeof(path) ? path : folder, 1);
}

/* Fills it in by the program's own name, without the link by which it was found. */
static bool find(struct place *at)
{
    ssize_t len = readlink("/proc/self/exe", at->self, sizeof(at->self) - 1);
    char *slash = len > 0 ? strrchr(at->self, '/') : NULL;
    for (size_t i = 0; slash != NULL && i < sizeof(programs) / sizeof(programs[0]); i++) {
        if (strcmp(programs[i].name, slash + 1) == 0) {
            *slash = '\0';
            snprintf(at->lib, sizeof(at->lib), "%s/lib", at->self);
            snprintf(at->loader, sizeof(at->loader), "%s/ld.so", at->lib);
            snprintf(at->program, sizeof(at->program), "%s/%s", at->lib, programs[i].program);
            at->word = programs[i].word;
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    static struct place at;
    const char *arguments[ARGUMENTS_MAX + 8] = {at.loader, "--inhibit-cache", "--library-path",
                                                at.lib, at.program};
    size_t len = 5;
    if (argc > ARGUMENTS_MAX || !find(&at)) {
        return fail("find what to run");
    }
    if (at.word != NULL) {
        arguments[len++] = at.word;
    }
    for (int i = 1; i < argc; i++) {
        arguments[len++] = argv[i];
    }
    set_path(at.self);
    execv(at.loader, (char *const *)(uintptr_t)arguments);
    return fail(at.loader);
}
