/* SPDX-License-Identifier: Apache-2.0 */
/* port: one row for each Service port, which is what parentRefs, backendRefs and clients name. */
#include "ir/graph.h"
#include "ir/ir.h"
#include "model/service.h"
#include "resolve/app_protocol.h"
#include "resolve/key.h"
#include "resolve/resolve.h"

static enum ir_protocol port_protocol(const struct service_port *port)
{
    return port->protocol == PROTOCOL_TCP ? app_protocol_read(port->app_protocol) : IR_UDP;
}

/* A Service may have one number twice, for TCP and for UDP; the mesh means TCP. Where there is UDP
 * alone, the mesh's row of it says why it is not carried. */
static const struct service_port *find_port(const struct service *service, int32_t number, bool udp)
{
    const struct service_port *found = NULL;
    for (size_t i = 0; i < service->ports.len; i++) {
        const struct service_port *port = &service->ports.items[i];
        bool wanted = port->protocol == (udp ? PROTOCOL_UDP : PROTOCOL_TCP);
        if (port->port == number && (wanted || (found == NULL && !udp))) {
            found = port;
        }
    }
    return found;
}

void resolve_ports_of_service(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct service *service = (const struct service *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    (void)key;
    for (size_t i = 0; i < service->ports.len; i++) {
        const struct meta *meta = &service->object.meta;
        const struct service_port *port = &service->ports.items[i];
        group_emit(emit, port_key_make(&scratch, meta->ns, meta->name, port->port, STR_NULL));
        if (port->protocol == PROTOCOL_UDP) {
            group_emit(emit, udp_port_key_make(&scratch, meta->ns, meta->name, port->port));
        }
    }
    arena_release(&scratch);
}

static bool has_ips(const struct service *service)
{
    return service->type != SERVICE_EXTERNAL_NAME && service->cluster_ips.len > 0 &&
           !str_eq(service->cluster_ips.items[0], STR("None"));
}

void resolve_services_of_ip(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct service *service = (const struct service *)row;
    (void)key;
    for (size_t i = 0; has_ips(service) && i < service->cluster_ips.len; i++) {
        group_emit(emit, service->cluster_ips.items[i]);
    }
}

/* The Service to which connections to ip:port belong. An API server gives no address twice, but
 * people who write files may: then the first by name has it, since a client rejects a second
 * listener on one address. */
static const struct service *owner_of(struct eval *ev, struct str ip, int32_t port)
{
    struct row_span services = eval_group(ev, X_SERVICES_OF_IP, ip);
    for (size_t i = 0; i < services.len; i++) {
        const struct service *service = (const struct service *)services.rows[i];
        const struct service_port *found = find_port(service, port, false);
        if (found != NULL && found->protocol == PROTOCOL_TCP) {
            return service;
        }
    }
    return NULL; /* nobody has it for TCP */
}

static void copy_ips(struct eval *ev, struct ir_port *port, const struct service *service)
{
    if (!has_ips(service)) {
        return;
    }
    struct arena *arena = &port->row.arena;
    port->ips.items = ARENA_ARRAY(arena, service->cluster_ips.len, struct str);
    for (size_t i = 0; i < service->cluster_ips.len; i++) {
        struct str ip = service->cluster_ips.items[i];
        const struct service *owner =
            port->protocol != IR_UDP ? owner_of(ev, ip, port->port) : service;
        if (owner == service) {
            port->ips.items[port->ips.len++] = arena_str(arena, ip);
        } else if (owner != NULL) {
            port->taken_by = arena_printf(arena, "%.*s/%.*s", STR_FMT(owner->object.meta.ns),
                                          STR_FMT(owner->object.meta.name));
        }
    }
}

/* Dual stack: "the first is the primary one" (ServiceSpec.ipFamilies), and so is the first
 * ClusterIP. */
static enum ir_family port_family(const struct service *service)
{
    bool ipv6 = false;
    if (service->ip_families.len > 0) {
        ipv6 = str_eq(service->ip_families.items[0], STR("IPv6"));
    } else if (has_ips(service)) {
        struct str ip = service->cluster_ips.items[0];
        ipv6 = str_index(ip, ':') < ip.len;
    } else {
        return IR_ANY_FAMILY;
    }
    return ipv6 ? IR_IPV6 : IR_IPV4;
}

static enum ir_nearness port_nearness(const struct service *service)
{
    if (service->internal_policy == TRAFFIC_LOCAL) {
        return IR_ONLY_NODE; /* whatever else is preferred */
    }
    if (str_eq(service->traffic_distribution, STR("PreferSameNode"))) {
        return IR_PREFER_NODE;
    }
    return service->traffic_distribution.len > 0 ? IR_PREFER_ZONE : IR_ANYWHERE;
}

const struct row *resolve_port(struct eval *ev, struct str key)
{
    struct port_key parts = port_key_parse(key);
    const struct service *service = (const struct service *)eval_get(ev, T_SERVICE, parts.object);
    const struct service_port *of =
        service != NULL ? find_port(service, parts.port, parts.udp) : NULL;
    if (of == NULL) {
        return NULL;
    }
    struct ir_port *port = row_new(sizeof(*port), 128);
    struct arena *arena = &port->row.arena;
    port->ns = arena_str(arena, parts.ns);
    port->service = arena_str(arena, parts.service);
    port->port = of->port;
    port->port_name = arena_str(arena, of->name);
    port->app_protocol = arena_str(arena, of->app_protocol);
    port->protocol = (int)port_protocol(of);
    port->publish_not_ready = service->publish_not_ready;
    port->family = (int)port_family(service);
    port->nearness = (int)port_nearness(service);
    port->service_ports = (int32_t)service->ports.len;
    copy_ips(ev, port, service);
    port->backend = service->type != SERVICE_EXTERNAL_NAME &&
                    of->protocol == (parts.udp ? PROTOCOL_UDP : PROTOCOL_TCP);
    if (service->type == SERVICE_EXTERNAL_NAME) {
        port->why_not = STR("the Service is of type ExternalName, which has no endpoints");
    } else if (!port->backend) {
        port->why_not = STR("the port's protocol is not TCP");
    }
    return &port->row;
}
