/* SPDX-License-Identifier: Apache-2.0 */
/* bundle: judges the CRDs' versions. */
#include "resolve/bundle.h"

#include "ir/bundle.h"
#include "ir/graph.h"

/* Those with whose CRDs heddle is tested (docs/install.md): "v1.7.0", "v1.7.1-rc.1". */
static const struct str known[] = {STR("v1.6."), STR("v1.7.")};
#define KNOWN "v1.6 and v1.7"

struct bundle { /* of the CRDs that are there, by kind */
    const struct bundle_row *of[KIND_COUNT];
};

static bool is_known(struct str version)
{
    size_t i = 0;
    while (i < sizeof(known) / sizeof(known[0]) && !str_starts_with(version, known[i])) {
        i++;
    }
    return i < sizeof(known) / sizeof(known[0]);
}

/* False: of some it is not known whether they are there. */
static bool read_all(struct eval *ev, struct bundle *ret_bundle)
{
    *ret_bundle = (struct bundle){.of = {NULL}};
    for (int i = 0; i < KIND_COUNT; i++) {
        struct str name = bundle_crd(eval_scratch(ev), (enum kind_id)i);
        if (name.len == 0) {
            continue;
        }
        const struct bundle_row *row = (const struct bundle_row *)eval_get(ev, T_BUNDLE, name);
        if (row == NULL) {
            return false;
        }
        ret_bundle->of[i] = row->there ? row : NULL;
    }
    return true;
}

/* Whether a kind before this one has the version. */
static bool is_repeated(const struct bundle *bundle, int kind)
{
    int i = 0;
    while (i < kind &&
           (bundle->of[i] == NULL || !str_eq(bundle->of[i]->version, bundle->of[kind]->version))) {
        i++;
    }
    return i < kind;
}

/* ", v1.5.1 (gateways, httproutes)"; of versions that heddle knows no kinds. */
static struct str add_version(struct arena *arena, const struct bundle *bundle, int kind,
                              struct str text)
{
    struct str version = bundle->of[kind]->version;
    text = arena_printf(arena, "%.*s%s%.*s", STR_FMT(text), text.len > 0 ? ", " : "",
                        STR_FMT(version.len > 0 ? version : STR("no version")));
    if (is_known(version)) {
        return text;
    }
    for (int i = kind; i < KIND_COUNT; i++) {
        if (bundle->of[i] != NULL && str_eq(bundle->of[i]->version, version)) {
            text = arena_printf(arena, "%.*s%s%s", STR_FMT(text), i == kind ? " (" : ", ",
                                kind_info((enum kind_id)i)->plural);
        }
    }
    return arena_printf(arena, "%.*s)", STR_FMT(text));
}

bool bundle_judge(struct eval *ev, struct condition *ret_condition)
{
    struct arena *scratch = eval_scratch(ev);
    struct bundle bundle;
    struct str versions = STR_NULL;
    bool all_known = true;
    if (!read_all(ev, &bundle)) {
        return false;
    }
    for (int i = 0; i < KIND_COUNT; i++) {
        if (bundle.of[i] != NULL && !is_repeated(&bundle, i)) {
            versions = add_version(scratch, &bundle, i, versions);
            all_known = all_known && is_known(bundle.of[i]->version);
        }
    }
    *ret_condition =
        all_known
            ? (struct condition){C_class_version,
                                 arena_printf(scratch, "the CRDs are of %.*s", STR_FMT(versions))}
            : (struct condition){C_class_version_unknown,
                                 arena_printf(scratch,
                                              "the CRDs are of %.*s; heddle knows " KNOWN
                                              ", and serves what it knows of others",
                                              STR_FMT(versions))};
    return true;
}
