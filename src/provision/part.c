/* SPDX-License-Identifier: Apache-2.0 */
/* part: the table of what is made, and names that fit. */
#include "provision/part.h"

#include "base/panic.h"
#include "codec/hash.h"

#define HASH_DIGITS 10

static const struct part_info parts[PART_COUNT] = {
    [PART_ACCOUNT] = {"ServiceAccount", "", "v1", "serviceaccounts", ""},
    [PART_IDENTITY] = {"Secret", "", "v1", "secrets", "-identity"},
    [PART_SERVICE] = {"Service", "", "v1", "services", ""},
    [PART_DEPLOYMENT] = {"Deployment", "apps", "v1", "deployments", ""},
    [PART_BUDGET] = {"PodDisruptionBudget", "policy", "v1", "poddisruptionbudgets", ""},
    [PART_AUTOSCALER] = {"HorizontalPodAutoscaler", "autoscaling", "v2", "horizontalpodautoscalers",
                         ""},
};

const struct part_info *part_info(enum part part)
{
    ASSERT((unsigned)part < PART_COUNT);
    return &parts[part];
}

/* The beginning of the name, and a hash of what it stands for. */
static struct str shorten(struct arena *arena, struct str name, struct str whole)
{
    char hash[HASH_TEXT_LEN];
    hash_text(hash_bytes(whole), hash);
    struct str start = str_sub(name, 0, PART_NAME_MAX - HASH_DIGITS - 1);
    return arena_printf(arena, "%.*s-%.*s", STR_FMT(start), HASH_DIGITS, hash);
}

struct str part_label(struct arena *arena, struct str name)
{
    return name.len <= PART_NAME_MAX ? arena_str(arena, name) : shorten(arena, name, name);
}

/* A Service's name begins with a letter. */
struct str part_stem(struct arena *arena, struct str gateway, struct str class)
{
    struct str whole = arena_printf(arena, "%.*s-%.*s", STR_FMT(gateway), STR_FMT(class));
    bool digit = whole.ptr[0] >= '0' && whole.ptr[0] <= '9';
    struct str stem = arena_printf(arena, "%s%.*s", digit ? "gateway-" : "", STR_FMT(whole));
    char *bytes = arena_alloc(arena, stem.len + 1);
    for (size_t i = 0; i < stem.len; i++) {
        bytes[i] = stem.ptr[i] == '.' ? '-' : stem.ptr[i];
    }
    stem = str_span(bytes, stem.len);
    return stem.len <= PART_NAME_MAX && str_eq(stem, whole) ? stem : shorten(arena, stem, whole);
}

/* A '/' is in no name: of no other Gateway and class the whole is the same. */
struct str part_stem_apart(struct arena *arena, struct str gateway, struct str class)
{
    struct str whole = arena_printf(arena, "%.*s/%.*s", STR_FMT(gateway), STR_FMT(class));
    return shorten(arena, part_stem(arena, gateway, class), whole);
}

struct str part_name(struct arena *arena, enum part part, struct str stem)
{
    return arena_printf(arena, "%.*s%s", STR_FMT(stem), part_info(part)->suffix);
}

struct str part_path(struct arena *arena, enum part part, struct str ns, struct str name)
{
    const struct part_info *info = part_info(part);
    bool core = info->group[0] == '\0';
    return arena_printf(arena, "/%s%s/%s/namespaces/%.*s/%s%s%.*s", core ? "api" : "apis/",
                        info->group, info->version, STR_FMT(ns), info->plural,
                        name.len > 0 ? "/" : "", STR_FMT(name));
}
