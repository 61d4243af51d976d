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
#include "pipeline/graph.h"
#include "xds/print.h"
#include "xds/refs.h"
#include "xds/row.h"

#define TRANSLATE_CLIENT ((stream_id)1)

struct picked {
    VEC(const struct resource *) items;
    bool *wanted; /* for each item */
    const struct view *view;
};

static unsigned scope_rank(const struct view *view, struct str scope)
{
    unsigned rank = 0;
    while (rank < view->nscopes && !str_eq(view->scopes[rank], scope)) {
        rank++;
    }
    return rank;
}

static void pick(void *user, struct str key, const struct row *row)
{
    struct picked *picked = user;
    const struct resource_row *resources = (const struct resource_row *)row;
    (void)key;
    for (size_t i = 0; i < resources->len; i++) {
        if (scope_rank(picked->view, resources->items[i]->scope) < picked->view->nscopes) {
            vec_push(&picked->items, resources->items[i]);
        }
    }
}

static const struct view *sort_view; /* qsort has no context; this command has one thread */

static int resource_cmp(const void *a, const void *b)
{
    const struct resource *ra = *(const struct resource *const *)a;
    const struct resource *rb = *(const struct resource *const *)b;
    if (ra->type != rb->type) {
        return ra->type < rb->type ? -1 : 1;
    }
    int order = str_cmp(ra->name, rb->name);
    if (order == 0) {
        unsigned rank_a = scope_rank(sort_view, ra->scope);
        unsigned rank_b = scope_rank(sort_view, rb->scope);
        order = (rank_a > rank_b) - (rank_a < rank_b);
    }
    return order;
}

/* A name means the resource of the first scope of the view that has it. */
static void sort_resources(struct picked *picked)
{
    size_t kept = 0;
    sort_view = picked->view;
    if (picked->items.len > 0) {
        qsort(picked->items.items, picked->items.len, sizeof(picked->items.items[0]), resource_cmp);
    }
    for (size_t i = 0; i < picked->items.len; i++) {
        const struct resource *resource = picked->items.items[i];
        const struct resource *last = kept > 0 ? picked->items.items[kept - 1] : NULL;
        if (last == NULL || last->type != resource->type || !str_eq(last->name, resource->name)) {
            picked->items.items[kept++] = resource;
        }
    }
    picked->items.len = kept;
    picked->wanted = xcalloc(kept, sizeof(*picked->wanted));
}

/* Notes that the client asks for the resource, and for all that follows from it. */
static void want(void *user, enum xds_type type, struct str name)
{
    struct picked *picked = user;
    for (size_t i = 0; i < picked->items.len; i++) {
        const struct resource *resource = picked->items.items[i];
        if (resource->type == type && str_eq(resource->name, name) && !picked->wanted[i]) {
            picked->wanted[i] = true;
            xds_each_ref(resource, want, picked);
        }
    }
}

/* Envoy asks for everything, a proxyless client for what it dials. */
static void want_all(struct picked *picked, bool proxyless)
{
    for (size_t i = 0; i < picked->items.len; i++) {
        if (!proxyless || picked->items.items[i]->type == XDS_LDS) {
            want(picked, picked->items.items[i]->type, picked->items.items[i]->name);
        }
    }
}

static void print_resources(const struct picked *picked, struct json *json)
{
    for (unsigned type = 0; type < XDS_TYPE_COUNT; type++) {
        json_key(json, xds_type_info((enum xds_type)type)->name);
        json_open(json, '[');
        for (size_t i = 0; i < picked->items.len; i++) {
            if ((unsigned)picked->items.items[i]->type == type && picked->wanted[i]) {
                xds_print(picked->items.items[i], json);
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
    node->metadata = ARENA_ARRAY(&node->arena, 3, struct node_pair);
    add_pair(node, "inbound", option_text(options, O_inbound)); /* by key */
    add_pair(node, "interception", option_text(options, O_interception));
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
    struct picked picked = {.view = &client->view};
    for (unsigned i = 0; i < resource_tables_len; i++) {
        engine_each(mesh_engine(mesh), resource_tables[i], pick, &picked);
    }
    sort_resources(&picked);
    want_all(&picked, client->class.role == ROLE_PROXYLESS);
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 2);
    json_open(&json, '{');
    print_resources(&picked, &json);
    if (option_flag(options, O_status)) {
        json_key(&json, "status");
        status_store_render(mesh_status(mesh), false, &json);
    }
    json_close(&json, '}');
    printf("%.*s\n", STR_FMT(buf_str(&out)));
    buf_release(&out);
    vec_release(&picked.items);
    free(picked.wanted);
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
    if (!load_paths(options, &loaded, &err)) {
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
    .details =
        "The client is told by --node, --interception, --zone and --node-name; for a proxyless\n"
        "client --dial says what it dials. The output is the same for the same files, on every "
        "machine.\n",
    .run = run,
};
