/* SPDX-License-Identifier: Apache-2.0 */
/* findings_service: Services whose address is taken or whose ports nobody serves, EndpointSlices
 * that belong to no Service. */
#include "ir/graph.h"
#include "model/service.h"
#include "pipeline/findings_internal.h"
#include "pipeline/meant.h"
#include "resolve/slices.h"

#define PORTS_TOLD_MAX 8

static void check_address(struct finding_walk *walk, const struct service *service,
                          const struct status *status)
{
    for (size_t i = 0; status != NULL && i < status->conditions.len; i++) {
        if (status->conditions.items[i].id == C_address_taken) {
            finding_report(walk, &service->object, PROBLEM_address_taken,
                           service->object.origin.line, STR("spec.clusterIP"),
                           status->conditions.items[i].message,
                           STR("give every Service a ClusterIP of its own"));
        }
    }
}

/* --- ports and EndpointSlices --------------------------------------------------------------- */

/* One without endpoints has no ports either: nothing is ready. Of names HED108 is told. */
static bool counts(const struct endpoint_slice *slice)
{
    return slice->endpoints.len > 0 && slice->address_type != ADDRESS_FQDN;
}

static struct str port_text(struct arena *arena, struct str name)
{
    return name.len > 0 ? arena_printf(arena, "named '%.*s'", STR_FMT(name))
                        : STR("without a name");
}

static struct str list_ports(struct arena *arena, const struct endpoint_slice *slice)
{
    struct str all = STR_NULL;
    for (size_t i = 0; i < slice->ports.len && i < PORTS_TOLD_MAX; i++) {
        const struct endpoint_port *port = &slice->ports.items[i];
        all = arena_printf(arena, "%.*s%s'%.*s'%s", STR_FMT(all), i > 0 ? ", " : "",
                           STR_FMT(port->name), port->protocol == PROTOCOL_TCP ? "" : " (not TCP)");
    }
    return slice->ports.len > PORTS_TOLD_MAX ? arena_printf(arena, "%.*s, …", STR_FMT(all)) : all;
}

static void report_port(struct finding_walk *walk, const struct service *service, size_t index,
                        const struct endpoint_slice *slice)
{
    struct arena *arena = &walk->scratch;
    const struct service_port *port = &service->ports.items[index];
    struct str ports = list_ports(arena, slice);
    finding_report(walk, &service->object, PROBLEM_no_effect, port->line,
                   arena_printf(arena, "spec.ports[%zu]", index),
                   arena_printf(arena,
                                "no EndpointSlice of the Service has a TCP port %.*s: nobody "
                                "serves it",
                                STR_FMT(port_text(arena, port->name))),
                   ports.len == 0 ? STR("give the EndpointSlice such a port")
                                  : arena_printf(arena,
                                                 "give the ports one name: those of EndpointSlice "
                                                 "'%.*s' are %.*s",
                                                 STR_FMT(slice->object.meta.name), STR_FMT(ports)));
}

/* There are endpoints, but none with the port. */
static void check_port(struct finding_walk *walk, const struct service *service, size_t index,
                       struct row_span slices)
{
    const struct endpoint_slice *first = NULL;
    for (size_t i = 0; i < slices.len; i++) {
        const struct endpoint_slice *slice = (const struct endpoint_slice *)slices.rows[i];
        if (slice_port(slice, service->ports.items[index].name, PROTOCOL_TCP) != 0) {
            return;
        }
        first = first == NULL && counts(slice) ? slice : first;
    }
    if (first != NULL) {
        report_port(walk, service, index, first);
    }
}

static void check_ports(struct finding_walk *walk, const struct service *service, struct str key)
{
    struct row_span slices = engine_group(walk->engine, X_SLICES_OF_SERVICE, key);
    for (size_t i = 0; slices.len > 0 && i < service->ports.len; i++) {
        if (service->ports.items[i].protocol == PROTOCOL_TCP &&
            service->type != SERVICE_EXTERNAL_NAME) {
            check_port(walk, service, i, slices);
        }
    }
}

void finding_visit_service(void *user, struct str key, const struct row *row)
{
    struct finding_walk *walk = user;
    const struct service *service = (const struct service *)row;
    check_address(walk, service,
                  (const struct status *)engine_get(walk->engine, T_SERVICE_STATUS, key));
    check_ports(walk, service, key);
    arena_reset(&walk->scratch);
}

void finding_visit_slice(void *user, struct str key, const struct row *row)
{
    struct finding_walk *walk = user;
    const struct endpoint_slice *slice = (const struct endpoint_slice *)row;
    const struct object *object = &slice->object;
    struct str service = arena_printf(&walk->scratch, "%.*s/%.*s", STR_FMT(object->meta.ns),
                                      STR_FMT(slice->service));
    (void)key;
    if (slice->service.len == 0) {
        finding_report(
            walk, object, PROBLEM_no_effect, object->origin.line, STR("metadata.labels"),
            STR("without the label '" SERVICE_NAME_LABEL "' the endpoints belong to no Service"),
            STR("name the Service in it"));
    } else if (engine_get(walk->engine, T_SERVICE, service) == NULL) {
        struct str meant =
            meant_service(walk->known, object->meta.ns, slice->service, &walk->scratch);
        finding_report(
            walk, object, PROBLEM_unresolved_reference, object->origin.line, STR("metadata.labels"),
            arena_printf(&walk->scratch, "no Service '%.*s' in namespace '%.*s'",
                         STR_FMT(slice->service), STR_FMT(object->meta.ns)),
            str_ends_with(meant, STR("?"))
                ? meant
                : STR("name a Service of its own namespace in the label '" SERVICE_NAME_LABEL "'"));
    }
    arena_reset(&walk->scratch);
}
