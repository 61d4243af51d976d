/* SPDX-License-Identifier: Apache-2.0 */
/* route: the fields and rules that the route kinds share, filters aside. */
#include "model/route.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "model/regex.h"
#include "model/route_schema.h"

#define REPORT_TEXT_MAX 512

const char *const route_default_names[] = {"All", "None", NULL};

void route_report(const struct doc_node *node, const char *field, struct problems *problems,
                  struct str path, const char *remedy, const char *fmt, ...)
{
    char text[REPORT_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    const struct doc_entry *entry = field != NULL ? doc_find(node, str_from(field)) : NULL;
    if (field != NULL) {
        path = arena_printf(problems->arena, "%.*s.%s", STR_FMT(path), field);
    }
    problems_report(problems, PROBLEM_union, entry != NULL ? entry->line : node->line,
                    entry != NULL ? entry->column : node->column, path, str_from(remedy), "%s",
                    text);
}

/* --- parentRefs ---------------------------------------------------------------------------- */

static const struct field parent_ref_fields[] = {
    FIELD(STR, "group", struct parent_ref, group, .format = &format_group,
          .fallback = GATEWAY_GROUP, FIELD_HAS(struct parent_ref, has_group)),
    FIELD(STR, "kind", struct parent_ref, kind, .format = &format_kind, .fallback = "Gateway",
          FIELD_HAS(struct parent_ref, has_kind)),
    FIELD(STR, "namespace", struct parent_ref, ns, .format = &format_label),
    FIELD(STR, "name", struct parent_ref, name, .required = true, .format = &format_object_name),
    FIELD(STR, "sectionName", struct parent_ref, section_name, .format = &format_subdomain),
    FIELD(INT, "port", struct parent_ref, port, .min = 1, .max = 65535),
    FIELD_LINE_OF(struct parent_ref),
    FIELD_END,
};
const struct schema parent_ref_schema = {
    .name = "a parentRef", .size = sizeof(struct parent_ref), .fields = parent_ref_fields};

bool parent_ref_equal(const struct parent_ref *a, const struct parent_ref *b)
{
    return str_eq(a->group, b->group) && str_eq(a->kind, b->kind) && str_eq(a->ns, b->ns) &&
           str_eq(a->name, b->name) && str_eq(a->section_name, b->section_name) &&
           a->port == b->port;
}

bool parent_ref_is_service(const struct parent_ref *ref)
{
    return ref->group.len == 0 && str_eq(ref->kind, STR("Service"));
}

struct parent_ref parent_ref_copy(struct arena *arena, const struct parent_ref *ref)
{
    struct parent_ref copy = *ref;
    copy.group = arena_str(arena, ref->group);
    copy.kind = arena_str(arena, ref->kind);
    copy.ns = arena_str(arena, ref->ns);
    copy.name = arena_str(arena, ref->name);
    copy.section_name = arena_str(arena, ref->section_name);
    return copy;
}

static bool same_parent(const struct parent_ref *a, const struct parent_ref *b)
{
    return str_eq(a->group, b->group) && str_eq(a->kind, b->kind) && str_eq(a->ns, b->ns) &&
           str_eq(a->name, b->name);
}

void route_check_parents(const struct route *route, const struct doc_node *node,
                         struct problems *problems, struct str path)
{
    const struct doc_node *list = doc_get(node, STR("parentRefs"));
    for (size_t i = 1; i < route->parents.len; i++) {
        const struct parent_ref *a = &route->parents.items[i];
        struct str at = arena_printf(problems->arena, "%.*s.parentRefs[%zu]", STR_FMT(path), i);
        for (size_t j = 0; j < i; j++) {
            const struct parent_ref *b = &route->parents.items[j];
            if (!same_parent(a, b)) {
                continue;
            }
            bool sections = (a->section_name.len == 0) == (b->section_name.len == 0);
            bool ports = (a->port == 0) == (b->port == 0);
            if (!sections || !ports) {
                route_report(list->items[i], NULL, problems, at,
                             "give all of them 'sectionName', or all of them 'port', or keep one",
                             "the parent on line %" PRIu32 " is named again with other fields",
                             b->line);
                break;
            }
            if (str_eq(a->section_name, b->section_name) && a->port == b->port) {
                route_report(list->items[i], NULL, problems, at, "remove one of them",
                             "the same parent as on line %" PRIu32, b->line);
                break;
            }
        }
    }
}

/* --- header matches ------------------------------------------------------------------------ */

const char *const route_match_names[] = {
    [HEADER_EXACT] = "Exact", [HEADER_REGEX] = "RegularExpression", NULL};

void route_check_regex(const struct doc_node *node, const char *field, struct str value,
                       struct problems *problems, struct str path)
{
    const struct doc_node *at = doc_get(node, str_from(field));
    const char *why;
    if (!regex_check(value, &why)) {
        problems_report(problems, PROBLEM_bad_format, at->line, at->column,
                        arena_printf(problems->arena, "%.*s.%s", STR_FMT(path), field),
                        STR("write it in RE2's syntax, or use type Exact"),
                        "'%.*s' is not a regular expression: %s",
                        STR_FMT(problem_quote(problems->arena, value)), why);
    }
}

void route_check_header(const void *obj, const struct doc_node *node, struct problems *problems,
                        struct str path)
{
    const struct header_match *match = obj;
    if (match->type == HEADER_REGEX) {
        route_check_regex(node, "value", match->value, problems, path);
    }
}

/* --- backendRefs --------------------------------------------------------------------------- */

static const struct field object_ref_fields[] = {
    OBJECT_REF_FIELDS(struct object_ref, ),
    FIELD_END,
};
const struct schema object_ref_schema = {.name = "a backendRef",
                                         .size = sizeof(struct object_ref),
                                         .fields = object_ref_fields,
                                         .check = route_check_object_ref};

void route_check_object_ref(const void *obj, const struct doc_node *node, struct problems *problems,
                            struct str path)
{
    const struct object_ref *ref = obj;
    bool service = ref->group.len == 0 && str_eq(ref->kind, STR("Service"));
    bool backend = str_eq(ref->group, STR("gateway.networking.x-k8s.io")) &&
                   str_eq(ref->kind, STR("XBackend"));
    if (service && !ref->has_port) {
        route_report(node, "port", problems, path, "add 'port', the port of the Service",
                     "the backendRef to Service '%.*s' lacks 'port'",
                     STR_FMT(problem_quote(problems->arena, ref->name)));
    }
    if (backend && ref->has_port) {
        route_report(node, "port", problems, path, "remove 'port'",
                     "a backendRef to an XBackend has a 'port'");
    }
}

void route_check_backend_ref(const void *obj, const struct doc_node *node,
                             struct problems *problems, struct str path)
{
    const struct backend_ref *backend = obj;
    route_check_object_ref(&backend->ref, node, problems, path);
    route_check_filters(backend->filters.items, backend->filters.len, node, problems, path);
}

/* --- sessions ------------------------------------------------------------------------------ */

static const char *const session_names[] = {
    [SESSION_COOKIE] = "Cookie", [SESSION_HEADER] = "Header", NULL};
static const char *const lifetime_names[] = {
    [COOKIE_SESSION] = "Session", [COOKIE_PERMANENT] = "Permanent", NULL};

static const struct field cookie_fields[] = {
    FIELD(STR, "name", struct session_cookie, name, .format = &format_header_name),
    FIELD(STR, "path", struct session_cookie, path, .format = &format_cookie_path, .fallback = "/"),
    FIELD(ENUM, "lifetimeType", struct session_cookie, lifetime, .names = lifetime_names,
          .fallback = "Session"),
    FIELD_END,
};
static const struct schema cookie_schema = {
    .name = "a session cookie", .size = sizeof(struct session_cookie), .fields = cookie_fields};

static const struct field header_fields[] = {
    FIELD(STR, "name", struct session_header, name, .required = true,
          .format = &format_header_name),
    FIELD_END,
};
static const struct schema header_schema = {
    .name = "a session header", .size = sizeof(struct session_header), .fields = header_fields};

static void check_session(const void *obj, const struct doc_node *node, struct problems *problems,
                          struct str path)
{
    const struct session_persistence *session = obj;
    bool cookie = session->type == SESSION_COOKIE;
    if (cookie != (session->cookie != NULL)) {
        route_report(node, "cookie", problems, path, "make 'type' and 'cookie' agree",
                     cookie ? "a session of type 'Cookie' lacks 'cookie'"
                            : "'cookie' is set, but the type is 'Header'");
    }
    if (!cookie != (session->header != NULL)) {
        route_report(node, "header", problems, path, "make 'type' and 'header' agree",
                     !cookie ? "a session of type 'Header' lacks 'header'"
                             : "'header' is set, but the type is 'Cookie'");
    }
    if (session->cookie != NULL && session->cookie->lifetime == COOKIE_PERMANENT &&
        !session->has_absolute_timeout) {
        route_report(node, "cookie", problems, path, "add 'absoluteTimeout'",
                     "a permanent cookie demands 'absoluteTimeout'");
    }
}

static const struct field session_fields[] = {
    FIELD(ENUM, "type", struct session_persistence, type, .names = session_names,
          .fallback = "Cookie"),
    FIELD(DURATION, "absoluteTimeout", struct session_persistence, absolute_timeout_ms,
          FIELD_HAS(struct session_persistence, has_absolute_timeout)),
    FIELD(PTR, "cookie", struct session_persistence, cookie, .schema = &cookie_schema),
    FIELD(PTR, "header", struct session_persistence, header, .schema = &header_schema),
    FIELD_END,
};
const struct schema session_schema = {.name = "sessionPersistence",
                                      .size = sizeof(struct session_persistence),
                                      .fields = session_fields,
                                      .check = check_session};

/* --- rules --------------------------------------------------------------------------------- */

void route_check_match_count(size_t matches, const struct doc_node *node, struct problems *problems,
                             struct str path)
{
    if (matches <= ROUTE_ALL_MATCHES_MAX) {
        return;
    }
    const struct doc_node *rules = doc_get(node, STR("rules"));
    problems_report(problems, PROBLEM_out_of_range, rules->line, rules->column,
                    arena_printf(problems->arena, "%.*s.rules", STR_FMT(path)),
                    STR("split the route into several routes"),
                    "the rules have %zu matches in all, more than %d", matches,
                    ROUTE_ALL_MATCHES_MAX);
}
