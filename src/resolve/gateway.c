/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway: a Gateway of one of heddle's classes, with its ListenerSets as one list of listeners:
 * what of it is valid and served, what it asks of the data plane (T_GATEWAYS).
 *
 * Accepted is False for what no listener can do without: parameters that cannot be read, addresses
 * of a type that heddle cannot give, no valid listener at all. Everything else is told by the
 * listener that it is about. A listener without a usable certificate is not served, but does not
 * take the Gateway's acceptance: its address may be what the certificate's issuer asks for.
 */
#include "base/panic.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "resolve/listener.h"
#include "resolve/parameters.h"
#include "resolve/resolve.h"
#include "resolve/sets.h"
#include "resolve/status.h"

#define CONDITIONS_MAX 3

static const struct class_object *class_of(struct eval *ev, const struct gateway *gateway)
{
    const struct class_object *class =
        (const struct class_object *)eval_get(ev, T_CLASS, gateway->class);
    return class != NULL && str_eq(class->controller, STR(CONTROLLER_NAME)) ? class : NULL;
}

/* --- what a Gateway is refused for ------------------------------------------------------------ */

static struct str judge_parameters(struct judging *judging, const struct class_object *class)
{
    const struct gateway *gateway = judging->gateway;
    struct eval *ev = judging->ev;
    struct arena *arena = &judging->row->row.arena;
    struct faults faults = {.arena = eval_scratch(ev)};
    struct ir_parameters *parameters = parameters_new(arena);
    const struct class_parameters *own =
        gateway->infrastructure != NULL ? gateway->infrastructure->parameters : NULL;
    const struct str found[] = {
        parameters_read(ev, class->parameters, STR_NULL, arena, parameters),
        parameters_read(ev, own, gateway->object.meta.ns, arena, parameters),
        parameters_clash(faults.arena, parameters),
    };
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        if (found[i].len > 0) {
            faults_add(&faults, found[i]);
        }
    }
    judging->row->parameters = parameters;
    return faults_text(&faults);
}

/* "An implementation MUST NOT satisfy a Cluster or prefixed entry with an address of a different
 * routability" (GEP-5093). That of a Service of type ClusterIP is one of the cluster. */
static bool is_routable(const struct ir_parameters *parameters, struct str routability)
{
    bool cluster =
        str_eq(routability, STR("Cluster")) && str_eq(parameters->service_type, STR("ClusterIP"));
    return routability.len == 0 || cluster;
}

/* An address without a value asks for any of its type: there is one anyhow. */
static struct str judge_addresses(struct judging *judging)
{
    const struct gateway *gateway = judging->gateway;
    struct ir_gateway *row = judging->row;
    struct arena *arena = &row->row.arena;
    struct faults faults = {.arena = eval_scratch(judging->ev)};
    row->wanted.items = ARENA_ARRAY(arena, gateway->addresses.len, struct ir_address);
    for (size_t i = 0; i < gateway->addresses.len; i++) {
        const struct gateway_address *address = &gateway->addresses.items[i];
        bool hostname = str_eq(address->type, STR("Hostname")) && judging->kubernetes;
        if (!hostname && !str_eq(address->type, STR("IPAddress"))) {
            faults_add(&faults,
                       arena_printf(faults.arena, "addresses[%zu]: type '%.*s' is not supported%s",
                                    i, STR_FMT(address->type),
                                    judging->kubernetes ? ": use IPAddress or Hostname"
                                                        : ": use IPAddress"));
        } else if (!is_routable(row->parameters, address->routability)) {
            faults_add(&faults,
                       arena_printf(faults.arena,
                                    "addresses[%zu]: routability '%.*s' cannot be given: 'Cluster' "
                                    "can, with the parameter service-type: ClusterIP",
                                    i, STR_FMT(address->routability)));
        } else if (address->value.len > 0) {
            row->wanted.items[row->wanted.len++] = (struct ir_address){
                arena_str(arena, address->type), arena_str(arena, address->value)};
        }
    }
    return faults_text(&faults);
}

/* --- conditions ------------------------------------------------------------------------------ */

static void add(struct ir_gateway *row, enum condition_id id, struct str message)
{
    ASSERT(row->conditions.len < CONDITIONS_MAX);
    row->conditions.items[row->conditions.len++] =
        (struct condition){(int)id, arena_str(&row->row.arena, message)};
}

struct tally { /* of listeners */
    size_t all, out, unresolved;
    struct faults unserved; /* their names */
};

/* "'web'", of a ListenerSet "'ns/set/web'". */
static struct str quote(struct arena *arena, const struct ir_listener *listener)
{
    return arena_printf(arena, "'%.*s%s%.*s'", STR_FMT(listener->set),
                        listener->set.len > 0 ? "/" : "", STR_FMT(listener->name));
}

static struct tally count(const struct judging *judging)
{
    struct arena *scratch = eval_scratch(judging->ev);
    struct tally tally = {.all = judging->drafts.len, .unserved = {.arena = scratch}};
    for (size_t i = 0; i < judging->drafts.len; i++) {
        const struct draft *draft = &judging->drafts.items[i];
        tally.out += listener_is_out(draft);
        tally.unresolved += draft->resolved.id != C_listener_resolved;
        if (!draft->listener->served) {
            faults_add(&tally.unserved, quote(scratch, draft->listener));
        }
    }
    return tally;
}

/* "That Condition SHOULD clearly indicate in the Message which Listeners are conflicted, and which
 * are Accepted" (GatewaySpec.listeners): those that are not named are. */
static void accepted_condition(struct judging *judging, const struct tally *tally)
{
    struct arena *scratch = eval_scratch(judging->ev);
    if (tally->out == tally->all) {
        add(judging->row, C_gateway_no_listener, STR("no listener is valid: each says why"));
    } else if (tally->unserved.len > 0) {
        add(judging->row, C_gateway_partly,
            arena_printf(scratch, "%zu of %zu listeners cannot be served: %.*s; each says why",
                         tally->unserved.len, tally->all, STR_FMT(faults_text(&tally->unserved))));
    } else {
        add(judging->row, C_gateway_accepted, STR("the Gateway is valid"));
    }
}

static void resolved_condition(struct judging *judging, const struct tally *tally)
{
    struct condition certificate = listener_client_certificate(judging);
    if (certificate.id != C_gateway_resolved) {
        add(judging->row, (enum condition_id)certificate.id, certificate.message);
    } else if (tally->unresolved > 0) {
        add(judging->row, C_gateway_not_resolved,
            arena_printf(eval_scratch(judging->ev),
                         "references of %zu of %zu listeners do not resolve: each says which",
                         tally->unresolved, tally->all));
    } else {
        add(judging->row, C_gateway_resolved, STR("all references resolve"));
    }
}

static bool is_insecure(const struct frontend_validation *validation)
{
    return validation != NULL && validation->mode == FRONTEND_ALLOW_INSECURE_FALLBACK;
}

static void insecure_condition(struct judging *judging)
{
    const struct gateway_tls *tls = judging->gateway->tls;
    bool insecure = tls != NULL && is_insecure(tls->frontend);
    for (size_t i = 0; tls != NULL && i < tls->ports.len; i++) {
        insecure = insecure || is_insecure(tls->ports.items[i].validation);
    }
    if (insecure) {
        add(judging->row, C_gateway_insecure,
            STR("AllowInsecureFallback: clients are let in without a certificate, and with one "
                "that nobody vouches for"));
    }
}

/* --- the row --------------------------------------------------------------------------------- */

static void judge(struct judging *judging, const struct class_object *class, struct str key)
{
    struct ir_gateway *row = judging->row;
    struct str parameters = judge_parameters(judging, class);
    struct str addresses = judge_addresses(judging);
    bool blocked = parameters.len > 0 || addresses.len > 0;
    row->accepted = !blocked;
    row->conditions.items = ARENA_ARRAY(&row->row.arena, CONDITIONS_MAX, struct condition);
    sets_collect(judging, key);
    listener_collect(judging);
    listener_conflicts(judging);
    listener_refs(judging);
    listener_conclude(judging);
    sets_conclude(judging, blocked);
    struct tally tally = count(judging);
    row->accepted = !blocked && tally.out < tally.all;
    if (parameters.len > 0) {
        add(row, C_gateway_parameters, parameters);
    } else if (addresses.len > 0) {
        add(row, C_gateway_address_type, addresses);
    } else {
        accepted_condition(judging, &tally);
    }
    resolved_condition(judging, &tally);
    insecure_condition(judging);
}

const struct row *resolve_gateway(struct eval *ev, struct str key)
{
    const struct gateway *gateway = (const struct gateway *)eval_get(ev, T_GATEWAY, key);
    const struct class_object *class = gateway != NULL ? class_of(ev, gateway) : NULL;
    if (class == NULL) {
        return NULL;
    }
    const struct settings_row *settings =
        (const struct settings_row *)eval_get(ev, T_SETTINGS, STR_NULL);
    struct ir_gateway *row = row_new(sizeof(*row), 2048);
    row->ns = arena_str(&row->row.arena, gateway->object.meta.ns);
    row->name = arena_str(&row->row.arena, gateway->object.meta.name);
    struct judging judging = {
        .ev = ev,
        .gateway = gateway,
        .row = row,
        .kubernetes = settings != NULL && settings->kubernetes,
    };
    judge(&judging, class, key);
    return &row->row;
}
