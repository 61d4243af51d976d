/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener_refs: what listeners refer to: certificates (Secrets), and whom to trust with those of
 * clients (ConfigMaps).
 *
 * Of several certificates those that are good serve; of several authorities likewise. A reference
 * to another namespace is good when a ReferenceGrant there names who refers: the Gateway, or the
 * ListenerSet in whose spec it stands. "If the reference is not allowed, the reason RefNotPermitted
 * must be used", whether the object exists or not: that is nobody's business without a grant.
 */
#include "ir/graph.h"
#include "model/route.h"
#include "model/secret.h"
#include "resolve/admit.h"
#include "resolve/listener.h"
#include "resolve/status.h"

/* Why a reference is no good. The ids of the conditions differ with what it is for. */
struct verdict {
    enum { REF_GOOD, REF_BAD, REF_BAD_KIND, REF_NOT_PERMITTED } what;
    struct str message;
    struct str key; /* "ns/name" */
};

struct referrer { /* who refers, and the list that counts the index */
    const struct meta *meta;
    const char *kind;
    const char *list;
};

static struct str describe(struct arena *arena, const char *list, size_t index, struct str message)
{
    return arena_printf(arena, "%s[%zu]: %.*s", list, index, STR_FMT(message));
}

/* wanted: the kind, of the core group, that can be meant. */
static struct verdict judge_ref(struct eval *ev, const struct referrer *from,
                                const struct named_ref *ref, const char *wanted)
{
    struct arena *scratch = eval_scratch(ev);
    struct str ns = ref->ns.len > 0 ? ref->ns : from->meta->ns;
    struct reference reference = {
        .from_group = STR(GATEWAY_GROUP),
        .from_kind = str_from(from->kind),
        .from_ns = from->meta->ns,
        .group = ref->group,
        .kind = ref->kind,
        .ns = ns,
        .name = ref->name,
    };
    struct verdict verdict = {
        .what = REF_GOOD,
        .key = arena_printf(scratch, "%.*s/%.*s", STR_FMT(ns), STR_FMT(ref->name)),
    };
    if (ref->group.len > 0 || !str_eq(ref->kind, str_from(wanted))) {
        verdict.what = REF_BAD_KIND;
        verdict.message = arena_printf(scratch,
                                       "kind '%.*s' of group '%.*s' is not supported: "
                                       "name a %s",
                                       STR_FMT(ref->kind), STR_FMT(ref->group), wanted);
    } else if (!admit_reference(ev, &reference)) {
        verdict.what = REF_NOT_PERMITTED;
        verdict.message = arena_printf(scratch,
                                       "no ReferenceGrant in namespace '%.*s' allows the %s to "
                                       "name %s '%.*s'",
                                       STR_FMT(ns), from->kind, wanted, STR_FMT(ref->name));
    }
    return verdict;
}

static struct verdict judge_secret(struct eval *ev, const struct referrer *from,
                                   const struct named_ref *ref)
{
    struct verdict verdict = judge_ref(ev, from, ref, "Secret");
    if (verdict.what != REF_GOOD) {
        return verdict;
    }
    struct arena *scratch = eval_scratch(ev);
    const struct tls_secret *secret =
        (const struct tls_secret *)eval_get(ev, T_SECRET, verdict.key);
    if (secret == NULL) {
        verdict.message = arena_printf(
            scratch, "there is no Secret '%.*s' of type " SECRET_TLS_TYPE, STR_FMT(verdict.key));
    } else if (secret->fault.len > 0) {
        verdict.message = arena_printf(scratch, "Secret '%.*s': %.*s", STR_FMT(verdict.key),
                                       STR_FMT(secret->fault));
    }
    verdict.what = verdict.message.len > 0 ? REF_BAD : REF_GOOD;
    return verdict;
}

static struct verdict judge_authority(struct eval *ev, const struct referrer *from,
                                      const struct named_ref *ref)
{
    struct verdict verdict = judge_ref(ev, from, ref, "ConfigMap");
    if (verdict.what != REF_GOOD) {
        return verdict;
    }
    struct arena *scratch = eval_scratch(ev);
    const struct config_map *map =
        (const struct config_map *)eval_get(ev, T_CONFIGMAP, verdict.key);
    if (map == NULL) {
        verdict.message =
            arena_printf(scratch, "there is no ConfigMap '%.*s'", STR_FMT(verdict.key));
    } else if (map->fault.len > 0) {
        verdict.message = arena_printf(scratch, "ConfigMap '%.*s': %.*s", STR_FMT(verdict.key),
                                       STR_FMT(map->fault));
    } else if (map->authorities.len == 0) {
        verdict.message =
            arena_printf(scratch, "ConfigMap '%.*s' has no key 'ca.crt'", STR_FMT(verdict.key));
    }
    verdict.what = verdict.message.len > 0 ? REF_BAD : REF_GOOD;
    return verdict;
}

/* --- certificates --------------------------------------------------------------------------- */

static void resolve_certificates(const struct judging *judging, struct draft *draft)
{
    struct arena *arena = &judging->row->row.arena;
    struct arena *scratch = eval_scratch(judging->ev);
    struct referrer from = {draft->source->meta, draft->source->kind, "tls.certificateRefs"};
    const struct listener_tls *tls = draft->spec->tls;
    size_t len = tls != NULL ? tls->certificates.len : 0;
    struct faults bad = {.arena = scratch};
    enum condition_id why = C_listener_certificate;
    draft->listener->certificates.items = ARENA_ARRAY(arena, len, struct str);
    for (size_t i = 0; i < len; i++) {
        struct verdict verdict = judge_secret(judging->ev, &from, &tls->certificates.items[i]);
        if (verdict.what == REF_GOOD) {
            draft->listener->certificates.items[draft->listener->certificates.len++] =
                arena_str(arena, verdict.key);
            continue;
        }
        if (bad.len == 0 && verdict.what == REF_NOT_PERMITTED) {
            why = C_listener_not_permitted;
        }
        faults_add(&bad, describe(scratch, from.list, i, verdict.message));
    }
    if (len == 0) {
        faults_add(&bad, STR("'tls.certificateRefs' names no certificate"));
    }
    if (bad.len > 0) {
        listener_unresolved(scratch, draft, why, faults_text(&bad));
    }
}

struct condition listener_client_certificate(struct judging *judging)
{
    const struct gateway *gateway = judging->gateway;
    const struct named_ref *ref = gateway->tls != NULL ? gateway->tls->client_certificate : NULL;
    struct condition condition = {.id = C_gateway_resolved};
    if (ref == NULL) {
        return condition;
    }
    struct referrer from = {&gateway->object.meta, "Gateway", ""};
    struct verdict verdict = judge_secret(judging->ev, &from, ref);
    if (verdict.what == REF_GOOD) {
        judging->row->client_certificate = arena_str(&judging->row->row.arena, verdict.key);
        return condition;
    }
    condition.id =
        verdict.what == REF_NOT_PERMITTED ? C_gateway_not_permitted : C_gateway_client_certificate;
    condition.message =
        arena_printf(eval_scratch(judging->ev), "tls.backend.clientCertificateRef: %.*s",
                     STR_FMT(verdict.message));
    return condition;
}

/* --- who signs clients' certificates --------------------------------------------------------- */

/* "Once set this configuration overrides the default configuration for all Listeners handling HTTPS
 * traffic that match this port" (perPort). NULL: clients are not asked. */
static const struct frontend_validation *validation_of(const struct gateway_tls *tls, int32_t port)
{
    if (tls == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < tls->ports.len; i++) {
        if (tls->ports.items[i].port == port) {
            return tls->ports.items[i].validation;
        }
    }
    return tls->frontend;
}

static enum condition_id authority_reason(const struct verdict *verdict)
{
    return verdict->what == REF_BAD_KIND        ? C_listener_authority_kind
           : verdict->what == REF_NOT_PERMITTED ? C_listener_not_permitted
                                                : C_listener_authority;
}

static void resolve_authorities(const struct judging *judging, struct draft *draft)
{
    struct arena *arena = &judging->row->row.arena;
    struct arena *scratch = eval_scratch(judging->ev);
    struct ir_listener *listener = draft->listener;
    struct referrer from = {&judging->gateway->object.meta, "Gateway", "caCertificateRefs"};
    const struct frontend_validation *validation =
        validation_of(judging->gateway->tls, listener->port);
    if (validation == NULL) {
        return;
    }
    struct faults bad = {.arena = scratch};
    enum condition_id why = C_listener_authority;
    listener->client_certs =
        validation->mode == FRONTEND_ALLOW_INSECURE_FALLBACK ? IR_CERTS_ASKED : IR_CERTS_REQUIRED;
    listener->authorities.items = ARENA_ARRAY(arena, validation->authorities.len, struct str);
    for (size_t i = 0; i < validation->authorities.len; i++) {
        struct verdict verdict =
            judge_authority(judging->ev, &from, &validation->authorities.items[i]);
        if (verdict.what == REF_GOOD) {
            listener->authorities.items[listener->authorities.len++] =
                arena_str(arena, verdict.key);
            continue;
        }
        why = bad.len == 0 ? authority_reason(&verdict) : why;
        faults_add(&bad, describe(scratch, from.list, i, verdict.message));
    }
    if (bad.len > 0) {
        listener_unresolved(scratch, draft, why, faults_text(&bad));
    }
    if (listener->authorities.len == 0) {
        listener_put_out(draft, C_listener_no_authority, faults_text(&bad));
    }
}

void listener_refs(struct judging *judging)
{
    for (size_t i = 0; i < judging->drafts.len; i++) {
        struct draft *draft = &judging->drafts.items[i];
        const struct ir_listener *listener = draft->listener;
        if (ir_listener_ends_tls(listener)) {
            resolve_certificates(judging, draft);
        }
        if (listener->protocol == IR_LISTENER_HTTPS) {
            resolve_authorities(judging, draft);
        }
    }
}
