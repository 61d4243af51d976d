/* SPDX-License-Identifier: Apache-2.0 */
/* inject: `heddle inject -f FILE|DIR…`, what the webhook would do, with files. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "codec/doc.h"
#include "inject/manifest.h"
#include "source/source_file.h"

#define STDIN_PIECE 65536

struct input {
    struct str name, text;
};

struct injecting {
    const struct options *options;
    struct arena arena;
    VEC(struct input) inputs;
    struct map namespaces; /* name -> struct str *, what its label says */
    struct str file;       /* that is being worked on */
    bool failed;
};

/* --- input ----------------------------------------------------------------------------------- */

static void take_text(void *user, struct str name, struct str text)
{
    struct injecting *injecting = user;
    struct input input = {arena_str(&injecting->arena, name), arena_str(&injecting->arena, text)};
    vec_push(&injecting->inputs, input);
}

static void take_unreadable(void *user, struct str name, struct str reason)
{
    struct injecting *injecting = user;
    fprintf(stderr, "%.*s: %.*s\n", STR_FMT(name), STR_FMT(reason));
    injecting->failed = true;
}

static bool read_stdin(struct injecting *injecting, struct err *err)
{
    struct buf text;
    char piece[STDIN_PIECE];
    buf_init(&text, DOC_BYTES_MAX);
    for (size_t len; (len = fread(piece, 1, sizeof(piece), stdin)) > 0;) {
        buf_add(&text, piece, len);
    }
    bool ok = buf_ok(&text) && ferror(stdin) == 0;
    if (ok) {
        take_text(injecting, STR("-"), buf_str(&text));
    }
    buf_release(&text);
    return ok ||
           err_set(err, "standard input cannot be read, or is longer than %u bytes", DOC_BYTES_MAX);
}

static bool read_inputs(struct injecting *injecting, struct err *err)
{
    const struct option_values *lists[] = {&injecting->options->lists[O_file],
                                           &injecting->options->arguments};
    const struct source_reader reader = {injecting, take_text, take_unreadable};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (unsigned j = 0; j < lists[i]->len; j++) {
            const char *path = lists[i]->items[j];
            bool ok = strcmp(path, "-") == 0 ? read_stdin(injecting, err)
                                             : source_file_read_each(&reader, &path, 1, err);
            if (!ok) {
                return false;
            }
        }
    }
    return true;
}

/* --- what is told ---------------------------------------------------------------------------- */

static void found_namespace(void *user, struct str ns, struct str label)
{
    struct injecting *injecting = user;
    struct str *value = ARENA_NEW(&injecting->arena, struct str);
    *value = arena_str(&injecting->arena, label);
    map_put(&injecting->namespaces, arena_str(&injecting->arena, ns), value);
}

static struct str label_of(void *user, struct str ns)
{
    const struct injecting *injecting = user;
    const struct str *label = map_get(&injecting->namespaces, ns);
    return label != NULL ? *label : option_text(injecting->options, O_namespace_label);
}

static void told(void *user, uint32_t line, struct str kind, struct str ns, struct str name,
                 const struct inject_answer *answer)
{
    static const char *const outcomes[] = {
        [INJECT_SKIPPED] = "skipped", [INJECT_DONE] = "injected", [INJECT_REFUSED] = "error"};
    struct injecting *injecting = user;
    fprintf(stderr, "%.*s:%u: ", STR_FMT(injecting->file), line);
    if (kind.len > 0) {
        fprintf(stderr, "%.*s '%.*s/%.*s': ", STR_FMT(kind), STR_FMT(ns), STR_FMT(name));
    }
    fprintf(stderr, "%s: %.*s\n", outcomes[answer->outcome], STR_FMT(answer->reason));
    injecting->failed = injecting->failed || answer->outcome == INJECT_REFUSED;
}

/* --- the command ----------------------------------------------------------------------------- */

static void inject_all(struct injecting *injecting)
{
    const struct inject_settings settings = {
        .image = option_text(injecting->options, O_image),
        .proxy_image = option_text(injecting->options, O_proxy_image),
        .ns = option_text(injecting->options, O_system_namespace),
        .cluster_domain = option_text(injecting->options, O_cluster_domain),
    };
    const struct manifest manifest = {.settings = &settings,
                                      .ns_label = label_of,
                                      .told = told,
                                      .found = found_namespace,
                                      .user = injecting};
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    for (size_t i = 0; i < injecting->inputs.len; i++) {
        manifest_namespaces(&manifest, injecting->inputs.items[i].text);
    }
    for (size_t i = 0; i < injecting->inputs.len; i++) {
        const struct input *input = &injecting->inputs.items[i];
        injecting->file = input->name;
        bool apart = out.len > 0 && out.data[out.len - 1] == '\n';
        if (out.len > 0 && !str_starts_with(input->text, STR("---"))) {
            buf_add_text(&out, apart ? "---\n" : "\n---\n");
        }
        manifest_inject(&manifest, input->text, &out);
    }
    fwrite(out.data, 1, out.len, stdout);
    buf_release(&out);
}

static int run(const struct options *options)
{
    struct err err;
    struct injecting injecting = {.options = options};
    int code = 0;
    arena_init(&injecting.arena);
    if (options->arguments.len + options->lists[O_file].len == 0) {
        err_set(&err, "say into what: heddle inject -f FILE|DIR…");
        code = command_fail(EXIT_USAGE, &err);
    } else if (!read_inputs(&injecting, &err)) {
        code = command_fail(EXIT_ENVIRONMENT, &err);
    } else {
        inject_all(&injecting);
        code = injecting.failed ? EXIT_INPUT : 0;
    }
    vec_release(&injecting.inputs);
    map_release(&injecting.namespaces);
    arena_release(&injecting.arena);
    return code;
}

const struct command command_inject = {
    .name = "inject",
    .bit = CMD_INJECT,
    .arguments = "-f FILE|DIR… [options]",
    .summary = "put sidecars, or what proxyless gRPC needs, into files of Kubernetes YAML",
    .details =
        "What the webhook does when pods are made, without it: writes all documents to standard\n"
        "output, those that make pods of the mesh changed, all others as they are; says on\n"
        "standard error what was done with each, and why. docs/injection.md tells the rules.\n",
    .run = run,
};
