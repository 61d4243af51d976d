/* SPDX-License-Identifier: Apache-2.0 */
/* plan: `heddle plan -f FILE|DIR…`, what a change would do, before it is made. */
#include <stdio.h>

#include "base/vec.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/fetch.h"
#include "cli/load.h"
#include "cli/plan_text.h"
#include "codec/json.h"
#include "pipeline/plan.h"
#include "source/source_file.h"

/* Read from the command line's files. */
struct change_file {
    struct str name;
    struct str text;
    struct str unreadable; /* why, or empty */
};

struct asking {
    const struct options *options;
    struct arena arena;
    VEC(struct change_file) files;
    VEC(const char *) paths;
};

static void take_text(void *user, struct str name, struct str text)
{
    struct asking *asking = user;
    struct change_file file = {.name = arena_str(&asking->arena, name),
                               .text = arena_str(&asking->arena, text)};
    vec_push(&asking->files, file);
}

static void take_unreadable(void *user, struct str name, struct str reason)
{
    struct asking *asking = user;
    struct change_file file = {.name = arena_str(&asking->arena, name),
                               .unreadable = arena_str(&asking->arena, reason)};
    vec_push(&asking->files, file);
}

static bool read_files(struct asking *asking, struct err *err)
{
    const struct option_values *lists[] = {&asking->options->lists[O_file],
                                           &asking->options->arguments};
    const struct source_reader reader = {asking, take_text, take_unreadable};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (unsigned j = 0; j < lists[i]->len; j++) {
            vec_push(&asking->paths, lists[i]->items[j]);
        }
    }
    return source_file_read_each(&reader, asking->paths.items, (unsigned)asking->paths.len, err);
}

/* --- without a daemon ----------------------------------------------------------------------- */

static int plan_here(const struct asking *asking, struct buf *ret_body, struct err *err)
{
    struct loaded loaded;
    struct json json;
    const char *dir = asking->options->text[O_config];
    if (!load_paths(asking->options, &dir, 1, &loaded, err)) {
        return EXIT_ENVIRONMENT;
    }
    changeset_unref(mesh_turn(loaded.mesh));
    loaded_warn(&loaded, dir);
    struct plan *plan = plan_new(loaded.mesh);
    const struct option_values *deletions = &asking->options->lists[O_delete];
    for (unsigned i = 0; i < deletions->len; i++) {
        plan_delete(plan, str_from(deletions->items[i]));
    }
    for (size_t i = 0; i < asking->files.len; i++) {
        const struct change_file *file = &asking->files.items[i];
        if (file->unreadable.len > 0) {
            plan_unreadable(plan, file->name, file->unreadable);
        } else {
            plan_text(plan, file->name, file->text);
        }
    }
    buf_init(ret_body, BUF_UNLIMITED);
    json_init(&json, ret_body, 0);
    bool good = plan_write(plan, &json, err);
    if (!good) {
        buf_release(ret_body);
    }
    plan_free(plan);
    loaded_release(&loaded);
    return good ? 0 : EXIT_INPUT;
}

/* --- by a daemon ---------------------------------------------------------------------------- */

/* {"files": [{name, text} or {name, unreadable}], "delete": [KIND/NS/NAME]} */
static void write_change(const struct asking *asking, struct json *json)
{
    const struct option_values *deletions = &asking->options->lists[O_delete];
    json_open(json, '{');
    json_key(json, "files");
    json_open(json, '[');
    for (size_t i = 0; i < asking->files.len; i++) {
        const struct change_file *file = &asking->files.items[i];
        bool readable = file->unreadable.len == 0;
        json_open(json, '{');
        json_member_str(json, "name", file->name);
        json_member_str(json, readable ? "text" : "unreadable",
                        readable ? file->text : file->unreadable);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_key(json, "delete");
    json_open(json, '[');
    for (unsigned i = 0; i < deletions->len; i++) {
        json_text(json, deletions->items[i]);
    }
    json_close(json, ']');
    json_close(json, '}');
}

static int plan_there(const struct asking *asking, struct buf *ret_body, struct err *err)
{
    struct buf change;
    struct json json;
    buf_init(&change, BUF_UNLIMITED);
    json_init(&json, &change, 0);
    write_change(asking, &json);
    int code = fetch_post(asking->options, "/api/plan", "content-type: " PLAN_CHANGE_TYPE,
                          buf_str(&change), ret_body, err);
    buf_release(&change);
    return code;
}

/* --- both ----------------------------------------------------------------------------------- */

static int print(const struct options *options, struct buf *body)
{
    json_t *plan = json_loadb((const char *)body->data, body->len, 0, NULL);
    int code = json_integer_value(json_object_get(plan, "errors")) > 0 ? EXIT_INPUT : 0;
    json_decref(plan);
    answer_print(options, body, plan_print);
    return code;
}

static int run(const struct options *options)
{
    struct err err;
    struct buf body;
    struct asking asking = {.options = options};
    int code = EXIT_ENVIRONMENT;
    if (options->arguments.len + options->lists[O_file].len + options->lists[O_delete].len == 0) {
        err_set(&err, "say what would change: heddle plan -f FILE|DIR… or --delete KIND/NS/NAME");
        return command_fail(EXIT_USAGE, &err);
    }
    if (read_files(&asking, &err)) {
        code = options->text[O_config] != NULL ? plan_here(&asking, &body, &err)
                                               : plan_there(&asking, &body, &err);
    }
    if (code == 0) {
        code = print(options, &body);
        buf_release(&body);
    } else {
        command_fail(code, &err);
    }
    vec_release(&asking.files);
    vec_release(&asking.paths);
    arena_release(&asking.arena);
    return code;
}

const struct command command_plan = {
    .name = "plan",
    .bit = CMD_PLAN,
    .arguments = "-f FILE|DIR… [options]",
    .summary = "what a change would do, before it is made",
    .details =
        "Applies the files to what a running heddle serves (--admin), or to the files of --config\n"
        "DIR, in a world of its own, and says which objects and resources change, what connected\n"
        "clients would be sent, which conditions change, and which requests go elsewhere. Nothing\n"
        "is changed. Exit code 1: the files are wrong, as heddle check would say.\n",
    .run = run,
};
