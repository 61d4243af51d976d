/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blueprint_service: the Service of a Gateway: where its listeners are reached.
 *
 * Every port of a listener whose protocol is known, served or not, so that a certificate that is
 * missing for a while takes no port away: a load balancer would give it another one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "codec/json_tree.h"
#include "provision/blueprint_internal.h"

#define HTTP_PORT 80

struct service_port {
    int32_t port;
    bool udp;
};

typedef VEC(struct service_port) service_ports;

static int compare(const void *a, const void *b)
{
    const struct service_port *x = a, *y = b;
    return x->port != y->port ? (x->port < y->port ? -1 : 1) : (int)x->udp - (int)y->udp;
}

static service_ports ports_of(const struct ir_gateway *ir)
{
    service_ports ports = {.len = 0};
    for (size_t i = 0; i < ir->listeners.len; i++) {
        const struct ir_listener *listener = &ir->listeners.items[i];
        struct service_port port = {listener->port, listener->protocol == IR_LISTENER_UDP};
        if (listener->protocol == IR_LISTENER_UNKNOWN) {
            continue;
        }
        vec_push(&ports, port);
        if (listener->protocol == IR_LISTENER_HTTPS && ir->parameters->http3) {
            port.udp = true;
            vec_push(&ports, port);
        }
    }
    if (ports.len == 0) { /* a Service must have one; nobody listens there */
        struct service_port none = {HTTP_PORT, false};
        vec_push(&ports, none);
    }
    qsort(ports.items, ports.len, sizeof(*ports.items), compare);
    return ports;
}

static json_t *write_port(const struct service_port *port)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%s-%d", port->udp ? "udp" : "tcp", (int)port->port);
    return json_pack("{s:s, s:i, s:i, s:s}", "name", name, "port", port->port, "targetPort",
                     ir_bound_port(true, port->port), "protocol", port->udp ? "UDP" : "TCP");
}

static json_t *write_ports(const struct ir_gateway *ir)
{
    service_ports ports = ports_of(ir);
    json_t *list = json_array();
    for (size_t i = 0; i < ports.len; i++) {
        if (i == 0 || compare(&ports.items[i - 1], &ports.items[i]) != 0) {
            json_array_append_new(list, write_port(&ports.items[i]));
        }
    }
    vec_release(&ports);
    return list;
}

struct str blueprint_address(const struct ir_gateway *ir)
{
    for (size_t i = 0; i < ir->wanted.len; i++) {
        if (str_eq(ir->wanted.items[i].type, STR("IPAddress"))) {
            return ir->wanted.items[i].value;
        }
    }
    return STR_NULL;
}

json_t *blueprint_service(const struct drafter *drafter)
{
    const struct ir_gateway *ir = drafter->question->ir;
    const struct ir_parameters *parameters = ir->parameters;
    struct str address = blueprint_address(ir);
    bool inside = str_eq(parameters->service_type, STR("ClusterIP"));
    bool balanced = str_eq(parameters->service_type, STR("LoadBalancer"));
    json_t *spec = json_pack("{s:o, s:o, s:o}", "type", json_tree_string(parameters->service_type),
                             "selector", blueprint_selector(drafter), "ports", write_ports(ir));
    if (!inside) {
        json_object_set_new(spec, "externalTrafficPolicy",
                            json_tree_string(parameters->external_traffic_policy));
    }
    if (address.len == 0) { /* an address is of one family */
        json_object_set_new(spec, "ipFamilyPolicy", json_tree_string(parameters->ip_families));
    } else {
        json_object_set_new(spec, balanced ? "loadBalancerIP" : "clusterIP",
                            json_tree_string(address));
    }
    return spec;
}
