/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event: reading what the API server says in lists and watches. Pure.
 *
 *   a page   {"kind": "XList", "metadata": {resourceVersion, continue}, "items": [object, …]}
 *   a line   {"type": "ADDED", "object": object}
 *
 * Source: Kubernetes API concepts; metav1.WatchEvent, metav1.ListMeta.
 */
#ifndef HEDDLE_KUBE_EVENT_H
#define HEDDLE_KUBE_EVENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/doc.h"
#include "codec/doc_json.h"
#include "kube/status.h"

struct kube_object {
    const struct doc_node *node;
    struct str raw;
    struct str ns, name, version; /* of its metadata; ns may be empty */
};

/* What of a page is not its objects; in the arena. */
struct kube_page {
    struct str version;     /* resourceVersion; with a last page never empty */
    struct str next;        /* the token for the next page; empty: this is the last */
    struct str api_version; /* of its objects, when they do not say it */
    struct str kind;
    struct str items; /* the text of a JSON array (or "null"), borrowed from the body */
};
bool kube_page_read(struct arena *arena, struct str body, struct kube_page *ret_page,
                    struct err *err);
/* One of the items. page: to fill in apiVersion and kind, or NULL. */
bool kube_object_read(struct arena *arena, struct str raw, const struct kube_page *page,
                      struct kube_object *ret_object, struct err *err);

enum kube_event_type { KUBE_PUT, KUBE_REMOVED, KUBE_BOOKMARK, KUBE_ERROR };

struct kube_event {
    enum kube_event_type type;
    struct kube_object object; /* a bookmark's has only a version; of an error nothing */
    struct kube_status status; /* of an error */
};
bool kube_event_read(struct arena *arena, struct str line, struct kube_event *ret_event,
                     struct err *err);

#endif
