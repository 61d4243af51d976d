/* SPDX-License-Identifier: Apache-2.0 */
/* admission: two questions of the API server, answered. */
#include "webhook/admission.h"

#include <stdlib.h>

#include "base/metric.h"
#include "base/panic.h"
#include "codec/doc_json.h"
#include "inject/patch.h"
#include "webhook/review.h"

static unsigned malformed(const struct err *err, struct buf *out)
{
    metric_add(M_webhook_malformed, 1);
    buf_printf(out, "%s\n", err->text);
    return 400;
}

/* --- injection ------------------------------------------------------------------------------- */

static void take_answer(const struct inject_answer *answer, struct arena *arena,
                        struct review_verdict *verdict)
{
    switch (answer->outcome) {
    case INJECT_DONE:
        metric_add(M_webhook_injected, 1);
        break;
    case INJECT_SKIPPED:
        metric_add(M_webhook_skipped, 1);
        if (answer->asked) {
            review_warn(verdict, arena,
                        arena_printf(arena, "heddle: the pod is not in the mesh: %.*s",
                                     STR_FMT(answer->reason)));
        }
        break;
    case INJECT_REFUSED:
        metric_add(M_webhook_refused, 1);
        verdict->denied = true;
        verdict->message = answer->reason;
        break;
    }
}

unsigned admission_inject(const struct inject_settings *settings, struct str ns_label,
                          struct str body, struct buf *out)
{
    struct err err;
    struct review review;
    struct arena arena;
    struct review_verdict verdict = {.denied = false};
    struct inject_answer answer = {.outcome = INJECT_SKIPPED};
    json_t *patch = NULL;
    if (!review_read(body, &review, &err)) {
        return malformed(&err, out);
    }
    arena_init(&arena);
    if (review.object != NULL && review.group.len == 0 && str_eq(review.kind, STR("Pod")) &&
        str_eq(review.operation, STR("CREATE"))) {
        const struct inject_question question = {review.object, review.ns, ns_label};
        inject_pod(settings, &question, &arena, &answer);
        take_answer(&answer, &arena, &verdict);
    }
    if (answer.outcome == INJECT_DONE) {
        patch = patch_between(review.object, answer.pod);
        verdict.patch = patch;
    }
    review_answer(&review, &verdict, out);
    json_decref(patch);
    json_decref(answer.pod);
    arena_release(&arena);
    review_release(&review);
    return 200;
}

/* --- check ----------------------------------------------------------------------------------- */

struct checking {
    struct arena arena;
    struct review_verdict verdict;
    bool deny;
};

/* "heddle: HED103 spec.parentRefs[0]: no Service 'a' in namespace 'b'; name a Service …" */
static void tell(void *visitor, const struct problem *problem)
{
    struct checking *checking = visitor;
    const struct problem_info *info = problem_info(problem->code);
    if (info->severity == SEVERITY_NOTE) {
        return;
    }
    struct str text = arena_printf(&checking->arena, "heddle: %s %.*s%s%.*s%s%.*s", info->code,
                                   STR_FMT(problem->path), problem->path.len > 0 ? ": " : "",
                                   STR_FMT(problem->text), problem->remedy.len > 0 ? "; " : "",
                                   STR_FMT(problem->remedy));
    if (checking->deny && info->severity == SEVERITY_ERROR && !checking->verdict.denied) {
        checking->verdict.denied = true;
        checking->verdict.message = text;
    } else {
        review_warn(&checking->verdict, &checking->arena, text);
    }
}

/* A review's object has what the API server added (status, managedFields), and no lines. */
static struct doc_node *read_object(struct arena *arena, const json_t *object, struct err *err)
{
    struct doc_node *root = NULL;
    char *text = json_dumps(object, JSON_COMPACT);
    ASSERT(text != NULL);
    doc_json_parse(arena, str_from(text), DOC_NODES_MAX, &root, err);
    free(text);
    return root;
}

static void check_object(const struct admission_check *check, const struct doc_node *node,
                         struct checking *checking)
{
    struct problems problems;
    struct object_result result;
    problems_init(&problems, &checking->arena);
    object_read_node(node, STR_NULL, &problems, &result);
    for (size_t i = 0; !result.skipped && i < problems.len; i++) {
        tell(checking, &problems.items[i]);
    }
    if (result.object != NULL && check->findings != NULL) {
        check->findings(check->user, result.object, result.key, tell, checking);
    }
    row_unref(result.object != NULL ? &result.object->row : NULL, NULL);
}

unsigned admission_check(const struct admission_check *check, struct str body, struct buf *out)
{
    struct err err;
    struct review review;
    if (!review_read(body, &review, &err)) {
        return malformed(&err, out);
    }
    struct checking checking = {.deny = check->deny};
    arena_init(&checking.arena);
    /* Nothing is ever said against what is to go. */
    if (review.object != NULL && !str_eq(review.operation, STR("DELETE"))) {
        const struct doc_node *node = read_object(&checking.arena, review.object, &err);
        if (node != NULL) {
            check_object(check, node, &checking);
        }
    }
    metric_add(checking.verdict.denied ? M_webhook_denied : M_webhook_checked, 1);
    review_answer(&review, &checking.verdict, out);
    arena_release(&checking.arena);
    review_release(&review);
    return 200;
}
