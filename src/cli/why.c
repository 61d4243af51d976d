/* SPDX-License-Identifier: Apache-2.0 */
/* why: `heddle why NODE METHOD URL`, which rule, backend and endpoints a request takes, and why. */
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/fetch.h"
#include "cli/load.h"
#include "cli/why_text.h"
#include "pipeline/explain.h"

/* --- a running heddle ----------------------------------------------------------------------- */

static void add_word(struct buf *path, struct arena *arena, const char *name, struct str value)
{
    buf_add_text(path, name);
    buf_add_str(path, fetch_escape(arena, value));
}

static int ask_there(const struct options *options, struct buf *ret_body, struct err *err)
{
    bool connection = options->arguments.len == 2; /* it has no method */
    struct arena arena;
    struct buf path;
    const char **arguments = options->arguments.items;
    arena_init(&arena);
    buf_init(&path, 1u << 20);
    add_word(&path, &arena, "/api/why?node=", str_from(arguments[0]));
    add_word(&path, &arena, "&method=", connection ? STR("") : str_from(arguments[1]));
    add_word(&path, &arena, "&url=", str_from(arguments[connection ? 1 : 2]));
    add_word(&path, &arena, "&sni=", option_text(options, O_sni));
    const struct option_values *headers = &options->lists[O_header];
    for (unsigned i = 0; i < headers->len; i++) {
        add_word(&path, &arena, "&header=", str_from(headers->items[i]));
    }
    buf_add_byte(&path, '\0');
    int code = fetch(options, (const char *)path.data, ret_body, err);
    buf_release(&path);
    arena_release(&arena);
    return code;
}

/* --- files ---------------------------------------------------------------------------------- */

/* Of the command line; the texts point into it. */
static bool read_question(const struct options *options, struct arena *arena,
                          struct question *ret_question, struct err *err)
{
    const char **arguments = options->arguments.items;
    bool connection = options->arguments.len == 2;
    struct str method = connection ? STR("") : str_from(arguments[1]);
    struct str sni = option_text(options, O_sni);
    const struct option_values *headers = &options->lists[O_header];
    if (!question_parse(method, str_from(arguments[connection ? 1 : 2]), arena, ret_question,
                        err) ||
        (sni.len > 0 && !question_set_server_name(sni, ret_question, err))) {
        return false;
    }
    for (unsigned i = 0; i < headers->len; i++) {
        if (!question_add_header(str_from(headers->items[i]), &ret_question->request, err)) {
            return false;
        }
    }
    return true;
}

static bool classify(const char *id, struct arena *arena, struct client_class *ret_class,
                     struct err *err)
{
    const struct node node = {.id = str_from(id)};
    if (!client_classify(&node, arena, ret_class, err)) {
        return false;
    }
    return !ret_class->foreign ||
           err_set(err,
                   "'%s' is no client of these files; say sidecar/NAMESPACE/NAME, "
                   "proxyless/NAMESPACE/NAME or gateway/NAMESPACE/NAME",
                   id);
}

static void answer_from(const struct loaded *loaded, const char *node,
                        const struct question *question, struct arena *arena, struct buf *ret_body)
{
    struct json json;
    buf_init(ret_body, BUF_UNLIMITED);
    json_init(&json, ret_body, 0);
    json_open(&json, '{');
    json_member_text(&json, "client", node);
    (void)explain(mesh_engine(loaded->mesh), question, 0, arena, &json);
    json_close(&json, '}');
}

static int ask_here(const struct options *options, struct buf *ret_body, struct err *err)
{
    const char *node = options->arguments.items[0];
    const char *dir = options->text[O_config];
    struct arena arena;
    struct question question;
    struct client_class class;
    struct loaded loaded;
    int code = EXIT_USAGE;
    arena_init(&arena);
    if (read_question(options, &arena, &question, err) && classify(node, &arena, &class, err)) {
        question.client = &class;
        code = question_fits(&question, err) ? 0 : EXIT_USAGE;
    }
    if (code == 0 && !load_paths(options, &dir, 1, &loaded, err)) {
        code = EXIT_ENVIRONMENT;
    } else if (code == 0) {
        changeset_unref(mesh_turn(loaded.mesh));
        loaded_warn(&loaded, dir);
        answer_from(&loaded, node, &question, &arena, ret_body);
        loaded_release(&loaded);
    }
    arena_release(&arena);
    return code;
}

/* --- both ----------------------------------------------------------------------------------- */

static int run(const struct options *options)
{
    struct err err;
    struct buf body;
    if (options->arguments.len != 2 && options->arguments.len != 3) {
        err_set(&err, "say who asks what: heddle why ROLE/NAMESPACE/NAME GET "
                      "http://HOST:PORT/PATH, or tcp://HOST:PORT without a method");
        return command_fail(EXIT_USAGE, &err);
    }
    int code = options->text[O_config] != NULL ? ask_here(options, &body, &err)
                                               : ask_there(options, &body, &err);
    if (code != 0) {
        return command_fail(code, &err);
    }
    answer_print(options, &body, why_print);
    buf_release(&body);
    return 0;
}

const struct command command_why = {
    .name = "why",
    .bit = CMD_WHY,
    .arguments = "NODE [METHOD] URL [-H 'name: value'] [options]",
    .summary = "which rule, backend and endpoints a request or connection takes, and why",
    .details =
        "Asks a running heddle (--admin), or the files of --config DIR.\n"
        "NODE is a connected client (heddle proxies), or sidecar/NAMESPACE/NAME or\n"
        "proxyless/NAMESPACE/NAME for one that might be. The host of URL is a Service's name or\n"
        "ClusterIP. For gRPC the method is POST and the path /package.Service/Method.\n"
        "What comes in at a Gateway is asked of gateway/NAMESPACE/GATEWAY, with the host and port\n"
        "that clients outside use.\n"
        "\n"
        "    heddle why sidecar/default/app GET http://echo-service.default:8000/path\n"
        "    heddle why proxyless/default/app POST \\\n"
        "        xds:///echo-service.default:8080/echo_basic.grpcecho.GrpcEcho/Echo\n"
        "\n"
        "    heddle why gateway/default/web GET https://shop.example.com/cart\n"
        "\n"
        "A connection that nobody looks into has no method, and with TLS a server name:\n"
        "\n"
        "    heddle why sidecar/default/app tcp://db.default:5432\n"
        "    heddle why sidecar/default/app tls://mail.default:465 --sni mail.example.com\n",
    .run = run,
};
