/* SPDX-License-Identifier: Apache-2.0 */
/* wishes: the annotations, each checked before a pod is made that could not start. */
#include "inject/wishes.h"

#include <string.h>

#include "codec/json_tree.h"
#include "ir/exclusion.h"

static bool check_ports(struct str value, struct err *err)
{
    return exclusions_read(EXCLUDED_PORTS, value, NULL, NULL, err);
}

static bool check_cidrs(struct str value, struct err *err)
{
    return exclusions_read(EXCLUDED_CIDRS, value, NULL, NULL, err);
}

static bool check_uids(struct str value, struct err *err)
{
    return exclusions_read(EXCLUDED_UIDS, value, NULL, NULL, err);
}

static size_t skip_digits(struct str text, size_t at)
{
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9') {
        at++;
    }
    return at;
}

/* Kubernetes API conventions, "Quantity", without signs and exponents. */
static bool check_quantity(struct str value, struct err *err)
{
    static const char *const suffixes[] = {"",  "m",  "k",  "M",  "G",  "T",  "P",
                                           "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    size_t at = skip_digits(value, 0);
    bool digits = at > 0;
    if (at < value.len && value.ptr[at] == '.') {
        digits = digits || skip_digits(value, at + 1) > at + 1;
        at = skip_digits(value, at + 1);
    }
    for (size_t i = 0; digits && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (str_eq(str_sub(value, at, value.len), str_from(suffixes[i]))) {
            return true;
        }
    }
    return err_set(err, "'%.*s' is no quantity such as '100m' or '64Mi'", STR_FMT(value));
}

static bool check_interception(struct str value, struct err *err)
{
    return str_eq(value, STR("redirect")) || str_eq(value, STR("cni")) ||
           err_set(err, "'%.*s' is neither 'redirect' nor 'cni'", STR_FMT(value));
}

static const struct {
    const char *annotation;
    bool (*check)(struct str value, struct err *err);
} table[WISH_COUNT] = {
    [WISH_EXCLUDE_OUTBOUND_PORTS] = {"heddle.dev/exclude-outbound-ports", check_ports},
    [WISH_EXCLUDE_OUTBOUND_CIDRS] = {"heddle.dev/exclude-outbound-cidrs", check_cidrs},
    [WISH_EXCLUDE_INBOUND_PORTS] = {"heddle.dev/exclude-inbound-ports", check_ports},
    [WISH_EXCLUDE_UIDS] = {"heddle.dev/exclude-uids", check_uids},
    [WISH_CPU] = {"heddle.dev/proxy-cpu", check_quantity},
    [WISH_MEMORY] = {"heddle.dev/proxy-memory", check_quantity},
    [WISH_CPU_LIMIT] = {"heddle.dev/proxy-cpu-limit", check_quantity},
    [WISH_MEMORY_LIMIT] = {"heddle.dev/proxy-memory-limit", check_quantity},
    [WISH_INTERCEPTION] = {"heddle.dev/interception", check_interception},
};

const char *wish_annotation(enum wish wish)
{
    return table[wish].annotation;
}

bool wishes_read(const json_t *annotations, struct wishes *ret_wishes, struct err *err)
{
    struct wishes wishes;
    memset(&wishes, 0, sizeof(wishes));
    for (size_t i = 0; i < WISH_COUNT; i++) {
        const json_t *value = json_object_get(annotations, table[i].annotation);
        if (!json_is_string(value)) {
            continue;
        }
        wishes.values[i] = json_tree_text(value);
        if (wishes.values[i].len > 0 && !table[i].check(wishes.values[i], err)) {
            return err_prefix(err, "annotation '%s'", table[i].annotation);
        }
    }
    wishes.cni = str_eq(wishes.values[WISH_INTERCEPTION], STR("cni"));
    *ret_wishes = wishes;
    return true;
}
