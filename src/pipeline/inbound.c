/* SPDX-License-Identifier: Apache-2.0 */
/* inbound: see inbound.h. */
#include "pipeline/inbound.h"

#include "ir/graph.h"
#include "ir/ir.h"
#include "model/format.h"

struct search {
    const struct question *question;
    struct str ip; /* of the question, without brackets */
    const struct ir_server *found;
    struct str key;
};

static bool is_wildcard(struct str address)
{
    return str_eq(address, STR("0.0.0.0")) || str_eq(address, STR("::"));
}

static void visit_server(void *user, struct str key, const struct row *row)
{
    struct search *search = user;
    const struct ir_server *server = (const struct ir_server *)row;
    bool exact = str_eq(server->address, search->ip);
    if (!str_eq(server->scope, str_from(search->question->client->dialect)) ||
        server->port != search->question->port || !(exact || is_wildcard(server->address))) {
        return;
    }
    if (search->found == NULL || (exact && !str_eq(search->found->address, search->ip))) {
        search->found = server;
        search->key = key;
    }
}

static struct str without_brackets(struct str host)
{
    bool brackets = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    return brackets ? str_sub(host, 1, host.len - 2) : host;
}

struct str inbound_explain(const struct engine *engine, const struct question *question,
                           struct arena *arena, struct json *json)
{
    struct search search = {.question = question, .ip = without_brackets(question->host)};
    if (question->client->role != ROLE_PROXYLESS ||
        !(format_is_ipv4(search.ip) || format_is_ipv6(search.ip))) {
        return STR_NULL;
    }
    engine_each(engine, T_SERVER, visit_server, &search);
    if (search.found == NULL) {
        return STR_NULL;
    }
    json_member_str(json, "routing",
                    arena_printf(arena, "server listener: what comes in at %.*s",
                                 STR_FMT(ir_server_text(arena, search.found))));
    json_key(json, "decision");
    json_open(json, '{');
    json_member_text(json, "action", "accept");
    json_member_text(json, "outcome",
                     "the server answers itself: nothing is demanded of who calls");
    json_close(json, '}');
    return search.key;
}
