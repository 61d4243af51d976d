/* SPDX-License-Identifier: Apache-2.0 */
/* view: from a node to its class, from a class to its chain of scopes. */
#include "pipeline/view.h"

#include <string.h>

#include "base/panic.h"
#include "model/format.h"
#include "net/addr.h"
#include "xds/row.h"

#define NS_MAX 63 /* RFC 1123 label */

/* What a gRPC library can do, by the beginning of its user agent; where two can do the same, they
 * share scopes, and so resources. The last row is for those that are not known. */
static const struct dialect {
    const char *user_agent;
    const char *listeners; /* how it is told why a call must fail (xds/target.c) */
    const char *trait;     /* a scope that holds nothing: what status/ has to tell of it */
} dialects[] = {
    /* clang-format off */
    {"gRPC C-core", SCOPE_GRPC_CORE, SCOPE_GRPC_EARLY}, /* C++, Python, Ruby, PHP, C#, … */
    {"gRPC Java", SCOPE_GRPC_CORE, SCOPE_GRPC_STATELESS},
    {"gRPC Go", SCOPE_GRPC_GO, SCOPE_GRPC_STATELESS},
    {"gRPC Node", SCOPE_GRPC_NODE, SCOPE_GRPC_STATELESS},
    {"", SCOPE_GRPC_CORE, SCOPE_GRPC_STATELESS},
    /* clang-format on */
};

static const char *const role_names[] = {
    [ROLE_SIDECAR] = "sidecar",
    [ROLE_GATEWAY] = "gateway",
    [ROLE_PROXYLESS] = "proxyless",
};

const char *client_role_name(enum client_role role)
{
    return role_names[role];
}

static const struct dialect *dialect_of(const struct node *node)
{
    const struct dialect *dialect = dialects;
    while (!str_starts_with(node->user_agent, str_from(dialect->user_agent))) {
        dialect++;
    }
    return dialect;
}

static bool is_grpc(const struct node *node)
{
    return str_starts_with(node->user_agent, STR("gRPC")) ||
           str_starts_with(node->user_agent, STR("grpc"));
}

/* A namespace becomes part of scope names, so it must look like one. */
static bool is_namespace(struct str text)
{
    if (text.len == 0 || text.len > NS_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') {
            return false;
        }
    }
    return true;
}

static bool parse_id(struct str id, struct client_class *class)
{
    struct str rest = id;
    struct str role = str_cut(&rest, '/');
    struct str ns = str_cut(&rest, '/');
    if (!is_namespace(ns) || rest.len == 0 || str_index(rest, '/') < rest.len) {
        return false;
    }
    for (size_t i = 0; i < sizeof(role_names) / sizeof(role_names[0]); i++) {
        if (str_eq(role, str_from(role_names[i]))) {
            class->role = (enum client_role)i;
            class->ns = ns;
            return true;
        }
    }
    return false;
}

static bool check_inbound(struct str inbound, struct err *err)
{
    struct str rest = inbound;
    struct str listen = str_cut(&rest, '>');
    struct sockaddr_storage addr;
    if (!addr_parse(listen, &addr, err) || !addr_parse(rest, &addr, err)) {
        return err_prefix(err, "node.metadata.inbound '%.*s' is not LISTEN>APP", STR_FMT(inbound));
    }
    return true;
}

static bool classify_sidecar(const struct node *node, struct client_class *class, struct err *err)
{
    struct str mode = node_metadata(node, STR("interception"));
    if (mode.len > 0 && !str_eq(mode, STR("redirect")) && !str_eq(mode, STR("none"))) {
        return err_set(err, "node.metadata.interception is '%.*s'; it must be redirect or none",
                       STR_FMT(mode));
    }
    class->bind = str_eq(mode, STR("none"));
    class->ipv6 = !class->bind && str_eq(node_metadata(node, STR("ipv6")), STR("true"));
    class->inbound = class->bind ? node_metadata(node, STR("inbound")) : STR_NULL;
    return class->inbound.len == 0 || check_inbound(class->inbound, err);
}

/* Both become part of scope names. What cannot be the name of a zone or node of a cluster has no
 * endpoints either: it is as good as unknown. */
static void classify_place(const struct node *node, struct client_class *class)
{
    struct str machine = node_metadata(node, STR("node_name"));
    if (node->zone.len > 0 && format_is_label_value(node->zone)) {
        class->zone = node->zone;
    }
    if (machine.len > 0 && machine.len <= format_subdomain.max &&
        format_subdomain.matches(machine)) {
        class->machine = machine;
    }
}

/* A Deployment's pods are all of one Gateway; where people run Envoy, the node is called after it.
 */
static bool classify_gateway(const struct node *node, struct arena *arena,
                             struct client_class *class, struct err *err)
{
    struct str said = node_metadata(node, STR("gateway"));
    struct str name =
        said.len > 0 ? said : str_sub(node->id, str_rindex(node->id, '/') + 1, SIZE_MAX);
    if (name.len > format_subdomain.max || !format_subdomain.matches(name)) {
        return err_set(err,
                       "node '%.*s': '%.*s' is no Gateway's name; set node.metadata.gateway to the "
                       "name of its Gateway",
                       STR_FMT(node->id), STR_FMT(name));
    }
    class->gateway = arena_printf(arena, "%.*s/%.*s", STR_FMT(class->ns), STR_FMT(name));
    class->ipv6 = str_eq(node_metadata(node, STR("ipv6")), STR("true"));
    class->mesh_routes = str_eq(node_metadata(node, STR("mesh_routes")), STR("true"));
    return true;
}

bool client_classify(const struct node *node, struct arena *arena, struct client_class *ret_class,
                     struct err *err)
{
    struct client_class class;
    memset(&class, 0, sizeof(class));
    if (!parse_id(node->id, &class)) {
        struct str ns = node_metadata(node, STR("namespace"));
        class.foreign = true;
        class.role = is_grpc(node) ? ROLE_PROXYLESS : ROLE_SIDECAR;
        class.ns = ns.len > 0 ? ns : STR("default");
        if (!is_namespace(class.ns)) {
            return err_set(err, "node.metadata.namespace '%.*s' is not a namespace", STR_FMT(ns));
        }
    }
    class.dialect = "envoy";
    if (class.role == ROLE_PROXYLESS) {
        const struct dialect *dialect = dialect_of(node);
        class.dialect = dialect->listeners;
        class.trait = dialect->trait;
    } else if (!(class.role == ROLE_GATEWAY ? classify_gateway(node, arena, &class, err)
                                            : classify_sidecar(node, &class, err))) {
        return false;
    }
    classify_place(node, &class);
    *ret_class = class;
    return true;
}

bool client_prove(const struct node *node, const struct client_class *class,
                  const struct settings_row *settings, struct err *err)
{
    if (class->role != ROLE_GATEWAY || !settings->kubernetes) {
        return true;
    }
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    struct str wanted = arena_printf(&scratch, "spiffe://%.*s/" SCOPE_GATEWAY "%.*s",
                                     STR_FMT(settings->trust_domain), STR_FMT(class->gateway));
    bool proven = str_eq(node->identity, wanted);
    if (!proven && node->identity.len == 0) {
        err_set(
            err,
            "node '%.*s' shows no certificate, and only who proves to be Gateway '%.*s' is sent "
            "its keys; connect to heddle's port for TLS (--xds-tls, 15011) with a client "
            "certificate for '%.*s'",
            STR_FMT(node->id), STR_FMT(class->gateway), STR_FMT(wanted));
    } else if (!proven) {
        err_set(err,
                "node '%.*s' says to be of Gateway '%.*s', but its certificate is for '%.*s'; it "
                "must be for '%.*s', or node.id and node.metadata.gateway must say another Gateway",
                STR_FMT(node->id), STR_FMT(class->gateway), STR_FMT(node->identity),
                STR_FMT(wanted));
    }
    arena_release(&scratch);
    return proven;
}

static void push(struct view *view, struct str scope)
{
    ASSERT(view->nscopes < VIEW_SCOPES_MAX);
    view->scopes[view->nscopes++] = scope;
}

/* Endpoints: of the node, else of the zone, else for everybody. */
static void push_endpoints(const struct client_class *class, struct arena *arena, struct view *view)
{
    if (class->machine.len > 0) {
        push(view, arena_printf(arena, SCOPE_NODE "%.*s", STR_FMT(class->machine)));
    }
    if (class->zone.len > 0) {
        push(view, arena_printf(arena, SCOPE_ZONE "%.*s", STR_FMT(class->zone)));
    }
    push(view, STR(SCOPE_ALL));
}

void client_view(const struct client_class *class, struct arena *arena, struct view *ret_view)
{
    memset(ret_view, 0, sizeof(*ret_view));
    for (unsigned i = 0; i < XDS_TYPE_COUNT; i++) {
        ret_view->on_demand[i] = -1;
    }
    if (class->role == ROLE_PROXYLESS) {
        /* What consumer routes make of a name comes first, in the words of its dialect where these
         * differ. */
        push(ret_view, scope_of(arena, str_from(class->dialect), class->ns));
        push(ret_view, scope_of(arena, STR(SCOPE_GRPC), class->ns));
        ret_view->on_demand[XDS_LDS] = (int)ret_view->nscopes;
        ret_view->keeps_valid = true;
        push(ret_view, str_from(class->dialect));
        push(ret_view, STR(SCOPE_GRPC));
        push_endpoints(class, arena, ret_view);
        push(ret_view, str_from(class->trait));
        return;
    }
    if (class->role == ROLE_GATEWAY) {
        if (class->ipv6) {
            push(ret_view, arena_printf(arena, SCOPE_GATEWAY6 "%.*s", STR_FMT(class->gateway)));
        }
        push(ret_view, arena_printf(arena, SCOPE_GATEWAY "%.*s", STR_FMT(class->gateway)));
        if (class->mesh_routes) { /* as those of its namespace's sidecars */
            push(ret_view, scope_of(arena, STR(SCOPE_ENVOY), class->ns));
            push(ret_view, STR(SCOPE_ENVOY));
        }
        push_endpoints(class, arena, ret_view);
        return;
    }
    if (class->inbound.len > 0) {
        push(ret_view, arena_printf(arena, SCOPE_INBOUND "%.*s", STR_FMT(class->inbound)));
    }
    if (class->ipv6) {
        push(ret_view, STR(SCOPE_REDIRECT6));
    }
    struct str base = class->bind ? STR(SCOPE_BIND) : STR(SCOPE_REDIRECT);
    push(ret_view, scope_of(arena, base, class->ns));
    push(ret_view, base);
    push(ret_view, scope_of(arena, STR(SCOPE_ENVOY), class->ns));
    push(ret_view, STR(SCOPE_ENVOY));
    push_endpoints(class, arena, ret_view);
}
