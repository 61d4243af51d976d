/* SPDX-License-Identifier: Apache-2.0 */
/* membership: see membership.h. */
#include "model/membership.h"

enum membership membership_of(struct str value)
{
    static const struct str values[] = {
        [MEMBERSHIP_SIDECAR] = STR("sidecar"),
        [MEMBERSHIP_PROXYLESS] = STR("proxyless"),
        [MEMBERSHIP_DISABLED] = STR("disabled"),
    };
    unsigned i = 0;
    while (i < MEMBERSHIP_NONE && !str_eq(values[i], value)) {
        i++;
    }
    return (enum membership)i;
}

/* owner: what has the metadata; where: the path to it. */
static void review_labels(const struct doc_node *owner, const char *where, const char *consequence,
                          struct problems *problems)
{
    static const char *const labels[] = {MEMBERSHIP_LABEL, MEMBERSHIP_CSM_LABEL};
    const struct doc_node *all = doc_get(doc_get(owner, STR("metadata")), STR("labels"));
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        const struct doc_node *value = doc_get(all, str_from(labels[i]));
        if (value == NULL || value->type == DOC_NULL) {
            continue;
        }
        if (value->type == DOC_SEQUENCE || value->type == DOC_MAPPING ||
            membership_of(value->text) == MEMBERSHIP_NONE) {
            problems_report(
                problems, PROBLEM_unknown_membership, value->line, value->column,
                arena_printf(problems->arena, "%smetadata.labels[%s]", where, labels[i]),
                STR(MEMBERSHIP_REMEDY), "'%.*s' is no value of this label: %s",
                STR_FMT(problem_quote(problems->arena, value->text)), consequence);
        }
        return; /* the second does not count beside the first */
    }
}

void membership_review(const struct doc_node *object, struct problems *problems)
{
    static const char alone[] = "the pod is not brought into the mesh";
    static const char many[] = "pods are not brought into the mesh";
    struct str kind = doc_text(object, STR("kind"));
    const struct doc_node *spec = doc_get(object, STR("spec"));
    if (str_eq(kind, STR("Namespace")) || str_eq(kind, STR("Pod"))) {
        review_labels(object, "", str_eq(kind, STR("Pod")) ? alone : many, problems);
        return;
    }
    const struct doc_node *job = doc_get(doc_get(spec, STR("jobTemplate")), STR("spec"));
    review_labels(doc_get(spec, STR("template")), "spec.template.", many, problems);
    review_labels(doc_get(job, STR("template")), "spec.jobTemplate.spec.template.", many, problems);
}
