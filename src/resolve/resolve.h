/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve: what Kubernetes objects mean together. The compute and index functions of the tables
 * of rank 1 to 5 and of the conditions (ir/graph.h), each in the file of its name. All are pure;
 * pipeline/graph.c puts them to work. Every rule of the Gateway API that spans objects stands in
 * this folder.
 */
#ifndef HEDDLE_RESOLVE_RESOLVE_H
#define HEDDLE_RESOLVE_RESOLVE_H

#include "engine/engine.h"

/* port.c: T_PORT and its keys; Services by ClusterIP */
const struct row *resolve_port(struct eval *ev, struct str key);
void resolve_services_of_ip(const struct row *row, struct str key, struct group_emit *emit);
void resolve_ports_of_service(const struct row *row, struct str key, struct group_emit *emit);

/* endpoints.c: T_ENDPOINTS; slices.c: slices by Service */
const struct row *resolve_endpoints(struct eval *ev, struct str key);
void resolve_slices_of_service(const struct row *row, struct str key, struct group_emit *emit);
void resolve_slices_of_names(const struct row *row, struct str key, struct group_emit *emit);

/* places.c: T_PLACES; where clients are; the keys of T_ENDPOINTS that follow */
const struct row *resolve_places(struct eval *ev, struct str key);
void resolve_places_of_clients(const struct row *row, struct str key, struct group_emit *emit);
void resolve_endpoints_of_places(const struct row *row, struct str key, struct group_emit *emit);

/* class.c: T_CLASS_STATUS, T_MESH_STATUS */
const struct row *resolve_class_status(struct eval *ev, struct str key);
const struct row *resolve_mesh_status(struct eval *ev, struct str key);

/* fault.c: faults by the objects that they are of */
void resolve_service_faults(const struct row *row, struct str key, struct group_emit *emit);
void resolve_policy_faults(const struct row *row, struct str key, struct group_emit *emit);
void resolve_tls_policy_faults(const struct row *row, struct str key, struct group_emit *emit);

/* cluster.c: T_CLUSTER */
const struct row *resolve_cluster(struct eval *ev, struct str key);

/* policy.c: T_POLICY_STATUS; policies by Service, oldest first */
const struct row *resolve_policy_status(struct eval *ev, struct str key);
void resolve_policies(const struct row *row, struct str key, struct group_emit *emit);
int resolve_policies_order(const struct row *a, const struct row *b);

/* attach.c: T_ATTACHMENT; attachments by the routing they contribute to, oldest route first */
const struct row *resolve_attachment(struct eval *ev, struct str key);
void resolve_attached(const struct row *row, struct str key, struct group_emit *emit);
void resolve_attached_l4(const struct row *row, struct str key, struct group_emit *emit);
void resolve_attached_names(const struct row *row, struct str key, struct group_emit *emit);
int resolve_attached_order(const struct row *a, const struct row *b);

/* admit.c: ReferenceGrants by whom and what they are about */
void resolve_grants(const struct row *row, struct str key, struct group_emit *emit);

/* standings.c: T_STANDINGS */
const struct row *resolve_standings(struct eval *ev, struct str key);

/* routing.c: T_ROUTING */
const struct row *resolve_routing(struct eval *ev, struct str key);

/* gateway.c: T_GATEWAYS; sets.c: ListenerSets by Gateway, oldest first; entries.c: what a Gateway
 * comes to */
const struct row *resolve_gateway(struct eval *ev, struct str key);
void resolve_listener_domains(const struct row *row, struct str key, struct group_emit *emit);
void resolve_entries(const struct row *row, struct str key, struct group_emit *emit);
void resolve_listener_secrets(const struct row *row, struct str key, struct group_emit *emit);
void resolve_sets_of_gateway(const struct row *row, struct str key, struct group_emit *emit);
int resolve_sets_order(const struct row *a, const struct row *b);

/* excerpt.c: T_EXCERPT; the parents that routes may name */
const struct row *resolve_excerpt(struct eval *ev, struct str key);
void resolve_parents(const struct row *row, struct str key, struct group_emit *emit);

/* gateway_status.c: T_GATEWAY_STATUS, T_LISTENERSET_STATUS; fault.c: their faults */
const struct row *resolve_gateway_status(struct eval *ev, struct str key);
const struct row *resolve_listener_set_status(struct eval *ev, struct str key);
void resolve_gateway_faults(const struct row *row, struct str key, struct group_emit *emit);
void resolve_listener_set_faults(const struct row *row, struct str key, struct group_emit *emit);

/* attach_gateway.c: attachments by listener, by listener and hostname, by domain */
void resolve_listener_routes(const struct row *row, struct str key, struct group_emit *emit);
void resolve_listener_hosts(const struct row *row, struct str key, struct group_emit *emit);
void resolve_route_domains(const struct row *row, struct str key, struct group_emit *emit);

/* rivals.c: T_RIVALS */
const struct row *resolve_rivals(struct eval *ev, struct str key);

/* backend_tls.c: T_BACKEND_TLS, and by Service the policies that cannot be read; tls_policy.c:
 * policies by Service, oldest first */
const struct row *resolve_backend_tls(struct eval *ev, struct str key);
void resolve_tls_fault_targets(const struct row *row, struct str key, struct group_emit *emit);
void resolve_tls_policies(const struct row *row, struct str key, struct group_emit *emit);
int resolve_tls_policies_order(const struct row *a, const struct row *b);

/* tls_policy_status.c: T_TLS_POLICY_STATUS; ancestors.c: attachments by the Services their Gateways
 * send to */
const struct row *resolve_tls_policy_status(struct eval *ev, struct str key);
void resolve_gateways_of_services(const struct row *row, struct str key, struct group_emit *emit);

/* gateway_routing.c: T_GATEWAY_ROUTING; gateway_l4.c: T_GATEWAY_L4 */
const struct row *resolve_gateway_routing(struct eval *ev, struct str key);
const struct row *resolve_gateway_l4(struct eval *ev, struct str key);

/* upstream.c: T_GATEWAY_CLUSTER */
const struct row *resolve_upstream(struct eval *ev, struct str key);
void resolve_upstreams(const struct row *row, struct str key, struct group_emit *emit);
void resolve_upstream_secrets(const struct row *row, struct str key, struct group_emit *emit);

/* target.c: T_TARGET; what "did you mean" chooses from */
const struct row *resolve_target(struct eval *ev, struct str key);
void resolve_services_in_ns(const struct row *row, struct str key, struct group_emit *emit);
void resolve_namespaces(const struct row *row, struct str key, struct group_emit *emit);

/* server.c: T_SERVER */
const struct row *resolve_server(struct eval *ev, struct str key);

/* route_status.c: T_STATUS; service_status.c: T_SERVICE_STATUS; status.c: rejections by resource */
const struct row *resolve_status(struct eval *ev, struct str key);
const struct row *resolve_service_status(struct eval *ev, struct str key);
void resolve_scopes_elsewhere(const struct row *row, struct str key, struct group_emit *emit);
void resolve_rejections(const struct row *row, struct str key, struct group_emit *emit);

#endif
