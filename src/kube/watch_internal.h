/* SPDX-License-Identifier: Apache-2.0 */
/* watch_internal: what the files of a watch share; for watch*.c only. */
#ifndef HEDDLE_KUBE_WATCH_INTERNAL_H
#define HEDDLE_KUBE_WATCH_INTERNAL_H

#include <uv.h>

#include "base/buf.h"
#include "kube/backoff.h"
#include "kube/event.h"
#include "kube/known.h"
#include "kube/watch.h"

#define WATCH_LINE_MAX (16u << 20)
#define VERSION_MAX 32

/* Objects without what is not metadata ("Fetching just metadata", Kubernetes API concepts). */
#define METADATA "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
#define METADATA_LIST "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

struct kube_watch {
    struct kube *kube;
    struct kube_watch_events events;
    char *group, *versions, *plural;
    char *ns, *field_selector, *label_selector; /* NULL: none */
    bool metadata_only;
    uv_timer_t timer;
    struct kube_call *call;
    struct backoff backoff;
    struct arena arena; /* of one object */
    struct buf line;    /* the beginning of one that has not ended */
    struct known known;
    unsigned version; /* index into versions */
    char version_name[VERSION_MAX];
    bool answered; /* the version did */
    char *place;   /* resourceVersion from which to watch; NULL: to be listed */
    char *next;    /* of a list that is under way: the token for the next page */
    unsigned page; /* objects asked for at a time */
    bool listing;  /* pages were read already */
    bool unread;   /* the list had an object that could not be read */
    bool synced, missing;
    unsigned absent;     /* times in a row that no version was there */
    uint64_t watched_ms; /* since when */
    bool heard;          /* of the present watch an event came */
    unsigned refusals;   /* in a row, of watches: the API server answered, but not with a stream */
    bool stopped;
};

/* --- watch.c: when --- */
void kube_watch_step_in(struct kube_watch *watch, unsigned ms);
void kube_watch_step_later(struct kube_watch *watch, unsigned at_least_ms); /* after a failure */
void kube_watch_forget_place(struct kube_watch *watch); /* all is to be listed from the beginning */
void kube_watch_set(char **text, struct str value);     /* empty: NULL */
void kube_watch_trouble(const struct kube_watch *watch, const char *what, struct str reason,
                        struct str why);

/* --- watch.c: what is told. Each returns false when the watch was stopped meanwhile --- */
bool kube_watch_tell_put(struct kube_watch *watch, const struct kube_object *object);
bool kube_watch_tell_removed(struct kube_watch *watch, bool all); /* else what the list had not */
bool kube_watch_tell(struct kube_watch *watch, void (*event)(void *user));

/* --- watch.c: what is asked for --- */
/* One of the versions; false: there are not so many. */
bool kube_watch_version_at(const struct kube_watch *watch, unsigned index, struct str *ret_version);
void kube_watch_path(const struct kube_watch *watch, struct buf *path);
void kube_watch_parameter(struct buf *path, const char *name, const char *value); /* NULL: none */

/* Each asks, and says itself when the next step is. */
void kube_watch_list(struct kube_watch *watch);   /* watch_list.c: for the next page */
void kube_watch_follow(struct kube_watch *watch); /* watch_events.c: for what came after the list */

#endif
