/* SPDX-License-Identifier: Apache-2.0 */
/* review: reads and writes AdmissionReviews. */
#include "webhook/review.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/json_tree.h"

#define API_VERSION "admission.k8s.io/v1"
#define FORBIDDEN 403
#define CUT "..."

bool review_read(struct str body, struct review *ret_review, struct err *err)
{
    json_error_t error;
    json_t *root = json_loadb(body.ptr != NULL ? body.ptr : "", body.len, 0, &error);
    const json_t *request = json_object_get(root, "request");
    const json_t *kind = json_object_get(request, "kind");
    const struct review review = {
        .root = root,
        .uid = json_tree_text_at(request, "uid"),
        .operation = json_tree_text_at(request, "operation"),
        .ns = json_tree_text_at(request, "namespace"),
        .group = json_tree_text_at(kind, "group"),
        .kind = json_tree_text_at(kind, "kind"),
        .object = json_object_get(request, "object"),
    };
    if (root == NULL) {
        return err_set(err, "line %d of the review: %s", error.line, error.text);
    }
    if (!str_eq(json_tree_text_at(root, "apiVersion"), STR(API_VERSION)) ||
        !str_eq(json_tree_text_at(root, "kind"), STR("AdmissionReview"))) {
        err_set(err, "this is no AdmissionReview of " API_VERSION);
    } else if (review.uid.len == 0 || review.operation.len == 0 || review.kind.len == 0) {
        err_set(err, "the review's request lacks uid, operation or kind");
    } else {
        *ret_review = review;
        if (!json_is_object(review.object)) {
            ret_review->object = NULL;
        }
        return true;
    }
    json_decref(root);
    return false;
}

void review_release(struct review *review)
{
    json_decref(review->root);
    *review = (struct review){.root = NULL};
}

/* Whole characters only. */
static size_t cut_at(struct str text, size_t max)
{
    size_t len = 0;
    for (size_t one; len < max; len += one) {
        one = str_utf8_len(text, len);
        if (one == 0 || len + one > max) {
            break;
        }
    }
    return len;
}

void review_warn(struct review_verdict *verdict, struct arena *arena, struct str text)
{
    if (verdict->nwarnings == REVIEW_WARNINGS_MAX) {
        return;
    }
    size_t max = REVIEW_WARNING_BYTES_MAX - (sizeof(CUT) - 1);
    verdict->warnings[verdict->nwarnings++] =
        text.len <= REVIEW_WARNING_BYTES_MAX
            ? arena_str(arena, text)
            : arena_printf(arena, "%.*s" CUT, STR_FMT(str_sub(text, 0, cut_at(text, max))));
}

static void write_patch(struct json *json, const json_t *patch)
{
    struct buf text;
    char *plain = json_dumps(patch, JSON_COMPACT);
    ASSERT(plain != NULL);
    buf_init(&text, BUF_UNLIMITED);
    base64_encode(str_from(plain), &text);
    json_member_text(json, "patchType", "JSONPatch");
    json_member_str(json, "patch", buf_str(&text));
    buf_release(&text);
    free(plain);
}

static void write_response(struct json *json, const struct review *review,
                           const struct review_verdict *verdict)
{
    json_member_str(json, "uid", review->uid);
    json_member_bool(json, "allowed", !verdict->denied);
    if (verdict->denied) {
        json_key(json, "status");
        json_open(json, '{');
        json_member_int(json, "code", FORBIDDEN);
        json_member_str(json, "message", verdict->message);
        json_close(json, '}');
    } else if (verdict->patch != NULL) {
        write_patch(json, verdict->patch);
    }
    if (verdict->nwarnings > 0) {
        json_key(json, "warnings");
        json_open(json, '[');
        for (size_t i = 0; i < verdict->nwarnings; i++) {
            json_str(json, verdict->warnings[i]);
        }
        json_close(json, ']');
    }
}

void review_answer(const struct review *review, const struct review_verdict *verdict,
                   struct buf *out)
{
    struct json json;
    json_init(&json, out, 0);
    json_open(&json, '{');
    json_member_text(&json, "apiVersion", API_VERSION);
    json_member_text(&json, "kind", "AdmissionReview");
    json_key(&json, "response");
    json_open(&json, '{');
    write_response(&json, review, verdict);
    json_close(&json, '}');
    json_close(&json, '}');
}
