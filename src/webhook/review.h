/* SPDX-License-Identifier: Apache-2.0 */
/*
 * review: the AdmissionReview in which the API server asks, and the one in which it is answered.
 * Source: admission.k8s.io/v1; Kubernetes documentation, "Dynamic Admission Control".
 */
#ifndef HEDDLE_WEBHOOK_REVIEW_H
#define HEDDLE_WEBHOOK_REVIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define REVIEW_WARNINGS_MAX 16       /* of one answer; the API server cuts 4096 bytes of all */
#define REVIEW_WARNING_BYTES_MAX 256 /* longer ones may be cut by the API server */

/* Borrows from root. */
struct review {
    json_t *root;
    struct str uid;
    struct str operation; /* "CREATE", "UPDATE", "DELETE", "CONNECT" */
    struct str ns;        /* empty: of cluster kinds */
    struct str group, kind;
    const json_t *object; /* as it is to be; NULL when it is to be deleted */
};
/* False: it is no AdmissionReview that can be answered. */
bool review_read(struct str body, struct review *ret_review, struct err *err);
void review_release(struct review *review);

struct review_verdict {
    bool denied;
    struct str message; /* why it is denied */
    struct str warnings[REVIEW_WARNINGS_MAX];
    size_t nwarnings;
    const json_t *patch; /* a JSON Patch; NULL: the object stays as it is */
};
/* Cut to what fits; the one too many is dropped. The text is copied to the arena. */
void review_warn(struct review_verdict *verdict, struct arena *arena, struct str text);
void review_answer(const struct review *review, const struct review_verdict *verdict,
                   struct buf *out);

#endif
