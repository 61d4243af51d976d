/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: all objects of one resource, from the first list on: what client-go calls a reflector.
 *
 *         ┌────────────── 410, compacted, or the stream makes no sense ─────────────┐
 *         ▼                                                                          │
 *   list (pages) ──► put, put, … ──► removed for what is not there any more ──► synced ──► watch
 *         ▲                                                                          │
 *         └── backoff with jitter ◄── failed │ 404: missing, asked for again ◄───────┘
 *
 * An outage takes nothing away: puts and removals come only from what the API server said.
 * The watch resumes where it was (resourceVersion, bookmarks) after a break.
 * Thread 0. Logs.
 * Source: Kubernetes API concepts, "Efficient detection of changes", "Retrieving large results
 * sets in chunks", "Watch bookmarks".
 */
#ifndef HEDDLE_KUBE_WATCH_H
#define HEDDLE_KUBE_WATCH_H

#include <stdbool.h>

#include "base/arena.h"
#include "codec/doc.h"
#include "kube/kube.h"

#define KUBE_PAGE 500       /* objects asked for at a time; fewer when their page was too large */
#define KUBE_BACKOFF_MS 250 /* the first wait; doubles */
#define KUBE_BACKOFF_MAX_MS 15000
#define KUBE_MISSING_MS 2000 /* between two questions whether a missing resource is there */

struct kube_watch;

struct kube_watch_events {
    void *user;
    /* Added or changed; the document and its texts are valid during the call. raw: the object's
     * JSON, as it came. Also called for objects that are equal to before (a list says all again).
     * Lists of the API server leave out apiVersion and kind of built-in kinds: the document has
     * them nonetheless, raw has not. */
    void (*put)(void *user, const struct doc_node *object, struct str raw);
    void (*removed)(void *user, struct str ns, struct str name); /* ns: empty of cluster kinds */
    /* A list is complete, the first or a later one: all puts and removals of it were told. */
    void (*synced)(void *user);
    /* The API server has no such resource (its CRD is not installed), or no more: then what there
     * was has been told as removed. Told once for each time that it turns.
     * Only who answers as an API server does otherwise is believed. */
    void (*missing)(void *user);
    /* What was read since the last call is a batch: nothing more is there to be read now. Called
     * after put, removed, synced and missing. */
    void (*batch)(void *user);
};

/* Texts are copied. */
struct kube_watch_config {
    struct kube *kube;
    const char *group;    /* "" for core */
    const char *versions; /* space separated, preferred first; the first that is served is used */
    const char *plural;
    const char *ns;             /* NULL: all namespaces */
    const char *field_selector; /* NULL: none */
    const char *label_selector; /* NULL: none. What loses its labels is told as removed */
    bool metadata_only;         /* objects have their metadata and no more */
    struct kube_watch_events events;
};
struct kube_watch *kube_watch_start(const struct kube_watch_config *config);
void kube_watch_stop(struct kube_watch *watch);         /* nothing is told any more; NULL is fine */
bool kube_watch_synced(const struct kube_watch *watch); /* listed once, or missing */
/* The version that is used, such as "v1"; NULL until one answered. */
const char *kube_watch_version(const struct kube_watch *watch);

#endif
