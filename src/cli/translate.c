/* SPDX-License-Identifier: Apache-2.0 */
/* translate: `heddle translate FILE|DIR…`, the xDS that a client would get. */
#include <stdio.h>
#include <stdlib.h>

#include "base/panic.h"
#include "base/vec.h"
#include "cli/authority.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "codec/json.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "pipeline/holdings.h"
#include "xds/print.h"

#define TRANSLATE_CLIENT ((stream_id)1)

static void print_resources(const struct holdings *holdings, struct json *json)
{
    for (unsigned type = 0; type < XDS_TYPE_COUNT; type++) {
        json_key(json, xds_type_info((enum xds_type)type)->name);
        json_open(json, '[');
        for (size_t i = 0; i < holdings->items.len; i++) {
            const struct holding *holding = &holdings->items.items[i];
            if ((unsigned)holding->resource->type == type && holding->wanted) {
                xds_print(holding->resource, json);
            }
        }
        json_close(json, ']');
    }
}

static void add_pair(struct node *node, const char *key, struct str value)
{
    if (value.len > 0) {
        node->metadata[node->nmetadata++] = (struct node_pair){str_from(key), value};
    }
}

static struct node *make_node(const struct options *options)
{
    struct node *node = xcalloc(1, sizeof(*node));
    arena_init(&node->arena);
    node->id = option_text(options, O_node);
    node->user_agent = option_text(options, O_user_agent);
    if (node->user_agent.len == 0) {
        node->user_agent =
            str_starts_with(node->id, STR("proxyless/")) ? STR("gRPC C-core") : STR("envoy");
    }
    node->zone = option_text(options, O_zone);
    node->metadata = ARENA_ARRAY(&node->arena, 5, struct node_pair);
    add_pair(node, "inbound", option_text(options, O_inbound)); /* by key */
    add_pair(node, "interception", option_text(options, O_interception));
    add_pair(node, "ipv6", option_flag(options, O_ipv6) ? STR("true") : STR_NULL);
    add_pair(node, "mesh_routes", option_flag(options, O_mesh_routes) ? STR("true") : STR_NULL);
    add_pair(node, "node_name", option_text(options, O_node_name));
    return node;
}

struct dialing {
    struct mesh *mesh;
    const struct mesh_client *client;
    struct str domain;
    VEC(char *) names;
};

/* Without --dial: every Service port, by its full name. */
static void dial_port(void *user, struct str key, const struct row *row)
{
    struct dialing *dialing = user;
    const struct ir_port *port = (const struct ir_port *)row;
    struct buf name;
    (void)key;
    buf_init(&name, BUF_UNLIMITED);
    buf_printf(&name, "%.*s.%.*s.svc.%.*s:%d", STR_FMT(port->service), STR_FMT(port->ns),
               STR_FMT(dialing->domain), (int)port->port);
    vec_push(&dialing->names, buf_steal(&name, NULL));
}

static void dial(const struct options *options, struct mesh *mesh, const struct mesh_client *client)
{
    int scope = client->view.on_demand[XDS_LDS];
    if (scope < 0) {
        return;
    }
    struct dialing dialing = {mesh, client, option_text(options, O_cluster_domain), {NULL, 0, 0}};
    const struct option_values *given = &options->lists[O_dial];
    for (unsigned i = 0; i < given->len; i++) {
        vec_push(&dialing.names, str_dup(str_from(given->items[i])));
    }
    if (given->len == 0) {
        changeset_unref(mesh_turn(mesh)); /* so that the ports are known */
        engine_each(mesh_engine(mesh), T_PORT, dial_port, &dialing);
    }
    for (size_t i = 0; i < dialing.names.len; i++) {
        mesh_interest(mesh, client->view.scopes[scope], str_from(dialing.names.items[i]), true);
        free(dialing.names.items[i]);
    }
    vec_release(&dialing.names);
}

static void print_all(const struct options *options, struct mesh *mesh,
                      const struct mesh_client *client)
{
    struct holdings holdings;
    holdings_init(&holdings, mesh_engine(mesh), &client->view);
    for (unsigned type = 0; type < XDS_TYPE_COUNT; type++) {
        if (client->class.role != ROLE_PROXYLESS || type == XDS_LDS) {
            holdings_want_all(&holdings, (enum xds_type)type); /* of proxyless: what it dials */
        }
    }
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 2);
    json_open(&json, '{');
    print_resources(&holdings, &json);
    if (option_flag(options, O_status)) {
        json_key(&json, "status");
        status_store_render(mesh_status(mesh), false, &json);
    }
    json_close(&json, '}');
    printf("%.*s\n", STR_FMT(buf_str(&out)));
    buf_release(&out);
    holdings_release(&holdings);
}

static int run(const struct options *options)
{
    struct err err;
    struct loaded loaded;
    if (options->arguments.len == 0) {
        err_set(&err, "say what to translate: heddle translate FILE|DIR… --node ROLE/NS/NAME");
        return command_fail(EXIT_USAGE, &err);
    }
    if (!authorities_check(options, &err)) {
        return command_fail(EXIT_USAGE, &err);
    }
    if (!load_paths(options, options->arguments.items, options->arguments.len, &loaded, &err)) {
        return command_fail(EXIT_ENVIRONMENT, &err);
    }
    const struct mesh_client *client;
    int code = EXIT_USAGE;
    if (!mesh_open(loaded.mesh, TRANSLATE_CLIENT, make_node(options), &client, &err)) {
        command_fail(EXIT_USAGE, &err);
    } else {
        dial(options, loaded.mesh, client);
        changeset_unref(mesh_turn(loaded.mesh));
        print_all(options, loaded.mesh, client);
        code = file_set_invalid(loaded.files) > 0 ? EXIT_INPUT : 0;
    }
    if (code == EXIT_INPUT) {
        fprintf(stderr, "heddle: some documents are not valid and were left out; heddle check "
                        "tells what is wrong\n");
    }
    loaded_release(&loaded);
    return code;
}

const struct command command_translate = {
    .name = "translate",
    .bit = CMD_TRANSLATE,
    .arguments = "FILE|DIR… [options]",
    .summary = "print the xDS that a client would get, as JSON",
    .details = "The client is told by --node, --interception, --ipv6, --mesh-routes, --zone and\n"
               "--node-name; for a proxyless client --dial says what it dials. The output is the "
               "same for\n"
               "the same files, on every machine.\n",
    .run = run,
};
