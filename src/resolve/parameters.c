/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parameters: see parameters.h. "It is generally recommended that GatewayClass provides defaults
 * that can be overridden by a Gateway" (GatewayInfrastructure.parametersRef): key by key.
 */
#include "resolve/parameters.h"

#include <stddef.h>

#include "ir/graph.h"
#include "model/secret.h"
#include "resolve/status.h"

#define COUNT_MAX 1000
#define PERCENT_MAX 1000
#define VALUE_SHOWN 40 /* bytes of a value that is at fault */

/* --- how values are read --------------------------------------------------------------------- */

static bool is_one_of(struct str value, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (str_eq(value, str_from(*names))) {
            return true;
        }
    }
    return false;
}

static bool read_text(struct arena *arena, struct str value, const char *const *names, void *at)
{
    if (!is_one_of(value, names)) {
        return false;
    }
    *(struct str *)at = arena_str(arena, value);
    return true;
}

static bool read_service_type(struct arena *arena, struct str value, void *at)
{
    static const char *const names[] = {"LoadBalancer", "ClusterIP", "NodePort", NULL};
    return read_text(arena, value, names, at);
}

static bool read_traffic_policy(struct arena *arena, struct str value, void *at)
{
    static const char *const names[] = {"Cluster", "Local", NULL};
    return read_text(arena, value, names, at);
}

static bool read_ip_families(struct arena *arena, struct str value, void *at)
{
    static const char *const names[] = {"PreferDualStack", "SingleStack", "RequireDualStack", NULL};
    return read_text(arena, value, names, at);
}

static bool read_log_level(struct arena *arena, struct str value, void *at)
{
    static const char *const names[] = {"trace", "debug", "info", "warning", "error", "off", NULL};
    return read_text(arena, value, names, at);
}

static bool read_switch(struct arena *arena, struct str value, void *at)
{
    (void)arena;
    *(bool *)at = str_eq(value, STR("true"));
    return *(bool *)at || str_eq(value, STR("false"));
}

static bool read_mesh_routes(struct arena *arena, struct str value, void *at)
{
    (void)arena;
    *(bool *)at = str_eq(value, STR("apply"));
    return *(bool *)at || str_eq(value, STR("ignore"));
}

static bool read_number(struct str value, uint64_t max, void *at)
{
    uint64_t number = 0;
    if (!str_to_u64(value, &number) || number > max) {
        return false;
    }
    *(int32_t *)at = (int32_t)number;
    return true;
}

static bool read_count(struct arena *arena, struct str value, void *at)
{
    (void)arena;
    return read_number(value, COUNT_MAX, at);
}

static bool read_percent(struct arena *arena, struct str value, void *at)
{
    (void)arena;
    return read_number(value, PERCENT_MAX, at) && *(int32_t *)at > 0;
}

/* resource.Quantity of apimachinery, without a sign and without exponents: "100m", "1.5", "1Gi". */
static bool read_quantity(struct arena *arena, struct str value, void *at)
{
    static const char *const suffixes[] = {"",   "m",  "k",  "M",  "G",  "T", "P",
                                           "Ki", "Mi", "Gi", "Ti", "Pi", NULL};
    struct str rest = value;
    int64_t number;
    size_t digits = str_cut_digits(&rest, 12, &number);
    if (digits > 0 && str_cut_start(&rest, STR("."))) {
        digits = str_cut_digits(&rest, 12, &number);
    }
    if (value.len > 0 && (digits == 0 || !is_one_of(rest, suffixes))) {
        return false;
    }
    *(struct str *)at = arena_str(arena, value);
    return true;
}

static const struct value_kind {
    bool (*read)(struct arena *arena, struct str value, void *at);
    const char *remedy;
} SERVICE_TYPE = {read_service_type, "use LoadBalancer, ClusterIP or NodePort"},
  TRAFFIC_POLICY = {read_traffic_policy, "use Cluster or Local"},
  IP_FAMILIES = {read_ip_families, "use PreferDualStack, SingleStack or RequireDualStack"},
  LOG_LEVEL = {read_log_level, "use trace, debug, info, warning, error or off"},
  SWITCH = {read_switch, "use true or false"},
  MESH_ROUTES = {read_mesh_routes, "use apply or ignore"},
  COUNT = {read_count, "use a number up to 1000"},
  PERCENT = {read_percent, "use a number from 1 to 1000"},
  QUANTITY = {read_quantity, "use a quantity such as 250m, 0.5, 128Mi or 1Gi"};

/* --- the table ------------------------------------------------------------------------------- */

static const struct parameter {
    const char *name;
    size_t offset;
    const struct value_kind *kind;
    const char *fallback;
} parameters_known[] = {
#define PARAMETER(member, name, kind, fallback, meaning)                                           \
    {(name), offsetof(struct ir_parameters, member), &(kind), (fallback)},
#include "ir/parameter.def"
#undef PARAMETER
};
#define KNOWN (sizeof(parameters_known) / sizeof(parameters_known[0]))

static void *member_of(const struct parameter *parameter, struct ir_parameters *parameters)
{
    return (char *)parameters + parameter->offset;
}

struct ir_parameters *parameters_new(struct arena *arena)
{
    struct ir_parameters *parameters = ARENA_NEW(arena, struct ir_parameters);
    for (size_t i = 0; i < KNOWN; i++) {
        const struct parameter *known = &parameters_known[i];
        (void)known->kind->read(arena, str_from(known->fallback), member_of(known, parameters));
    }
    return parameters;
}

static const struct parameter *find(struct str name)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if (str_eq(name, str_from(parameters_known[i].name))) {
            return &parameters_known[i];
        }
    }
    return NULL;
}

static struct str unknown(struct arena *arena, struct str name)
{
    const char *nearest = NULL;
    unsigned least = 3;
    for (size_t i = 0; i < KNOWN; i++) {
        unsigned distance = str_distance(name, str_from(parameters_known[i].name), least);
        if (distance < least) {
            least = distance;
            nearest = parameters_known[i].name;
        }
    }
    return nearest != NULL ? arena_printf(arena, "there is no parameter '%.*s': did you mean '%s'",
                                          STR_FMT(name), nearest)
                           : arena_printf(arena, "there is no parameter '%.*s'", STR_FMT(name));
}

static void read_map(const struct config_map *map, struct arena *arena,
                     struct ir_parameters *parameters, struct faults *faults)
{
    for (size_t i = 0; i < map->parameters.len; i++) {
        const struct str_pair *pair = &map->parameters.items[i];
        const struct parameter *known = find(pair->key);
        if (str_eq(pair->key, STR(CONFIG_MAP_AUTHORITIES))) {
            continue;
        }
        if (known == NULL) {
            faults_add(faults, unknown(faults->arena, pair->key));
        } else if (!known->kind->read(arena, str_trim(pair->value), member_of(known, parameters))) {
            faults_add(faults, arena_printf(faults->arena, "'%s' is '%.*s': %s", known->name,
                                            STR_FMT(str_sub(pair->value, 0, VALUE_SHOWN)),
                                            known->kind->remedy));
        }
    }
}

/* "If the referent cannot be found, refers to an unsupported kind, or when the data within that
 * resource is malformed": InvalidParameters. */
struct str parameters_read(struct eval *ev, const struct class_parameters *ref, struct str ns,
                           struct arena *arena, struct ir_parameters *parameters)
{
    struct faults faults = {.arena = eval_scratch(ev)};
    if (ref == NULL) {
        return STR_NULL;
    }
    if (ref->group.len > 0 || !str_eq(ref->kind, STR("ConfigMap"))) {
        return arena_printf(faults.arena,
                            "parametersRef: kind '%.*s' of group '%.*s' is not supported: name a "
                            "ConfigMap",
                            STR_FMT(ref->kind), STR_FMT(ref->group));
    }
    struct str home = ref->ns.len > 0 ? ref->ns : ns;
    if (home.len == 0) { /* a GatewayClass's: "required when referring to a Namespace-scoped" one */
        return arena_printf(faults.arena,
                            "parametersRef: ConfigMap '%.*s' is of no namespace: add 'namespace'",
                            STR_FMT(ref->name));
    }
    struct str key = arena_printf(faults.arena, "%.*s/%.*s", STR_FMT(home), STR_FMT(ref->name));
    const struct config_map *map = (const struct config_map *)eval_get(ev, T_CONFIGMAP, key);
    if (map == NULL) {
        return arena_printf(faults.arena, "parametersRef: there is no ConfigMap '%.*s'",
                            STR_FMT(key));
    }
    read_map(map, arena, parameters, &faults);
    return faults.len > 0 ? arena_printf(faults.arena, "ConfigMap '%.*s': %.*s", STR_FMT(key),
                                         STR_FMT(faults_text(&faults)))
                          : STR_NULL;
}

struct str parameters_clash(struct arena *arena, const struct ir_parameters *parameters)
{
    return parameters->max_replicas > 0 && parameters->max_replicas < parameters->replicas
               ? arena_printf(arena, "'max-replicas' is %d, fewer than 'replicas', %d",
                              (int)parameters->max_replicas, (int)parameters->replicas)
               : STR_NULL;
}

struct str parameters_of_class(struct eval *ev, const struct class_object *class)
{
    struct arena *scratch = eval_scratch(ev);
    struct ir_parameters *parameters = parameters_new(scratch);
    struct str fault = parameters_read(ev, class->parameters, STR_NULL, scratch, parameters);
    return fault.len > 0 ? fault : parameters_clash(scratch, parameters);
}
