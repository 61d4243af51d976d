/* SPDX-License-Identifier: Apache-2.0 */
/* provision_internal: what provision holds; for its own files only. */
#ifndef HEDDLE_PROVISION_PROVISION_INTERNAL_H
#define HEDDLE_PROVISION_PROVISION_INTERNAL_H

#include <uv.h>

#include "base/list.h"
#include "base/map.h"
#include "kube/backoff.h"
#include "kube/watch.h"
#include "provision/provision.h"
#include "provision/seen.h"

enum phase {
    AT_REST,
    WAITING,   /* until due_ms */
    READY,     /* to be looked at */
    HELD,      /* until another rollout has ended */
    IN_FLIGHT, /* call is set */
};

/* One object of the API server that heddle made or is to make. It lives while it is there or
 * wanted. */
struct thing {
    struct list link; /* of provision->waiting, ->ready or ->held, by phase */
    struct provision *provision;
    char *key; /* "Service/ns/name" */
    enum part part;
    struct str ns, name; /* in key */

    struct seen seen;
    struct site *site;       /* whose; NULL: nobody wants it */
    struct site *former_of;  /* that had it before it changed its class; then `site` is NULL */
    struct list former_link; /* of its formers */
    char *text;              /* as it should be; NULL: nobody wants it */

    bool looked;        /* nobody else has it: it may be made */
    bool remake;        /* what is there cannot be changed to what is wanted: it goes first */
    bool asks_stand_in; /* stand_in.c */
    char *stand_in;     /* the Service that has the address meanwhile; NULL: none has */
    char *stand_in_uid;
    bool followed;           /* it was asked for as many pods as there were before (former.c) */
    bool rolling;            /* counted in provision->rolling */
    int32_t generation_then; /* before that */
    bool applied;            /* by this leader: the two hashes are of then */
    struct hash text_then;   /* of `text` */
    struct hash fields_then;
    uint64_t written_ms;  /* when `text` was applied; 0: it was not yet */
    uint64_t mend_ms;     /* not before then it is applied again */
    struct backoff mends; /* of that */

    enum phase phase;
    uint64_t due_ms;
    struct backoff backoff;
    struct kube_call *call;
    char *error;  /* what the API server refused; NULL: nothing */
    bool invalid; /* it refused the object, not heddle */
};

/* One Gateway of the cluster, heddle's or not. */
struct site {
    struct provision *provision;
    char *key; /* "ns/name" */
    struct str ns, name;
    char *uid;
    enum provision_class class;
    bool drafted;        /* the things are what it is to have */
    struct arena arena;  /* of the blueprint */
    struct str of_class; /* in the arena */
    struct blueprint blueprint;
    bool autoscaled;
    struct str address;               /* that its Service asks for; in the arena */
    struct str class_label;           /* of its objects; in the arena */
    LIST(struct ir_address) wanted;   /* in the arena */
    struct thing *things[PART_COUNT]; /* NULL: not wanted, or of a name that is taken */
    bool taken;                       /* another Gateway has it */
    struct list formers;              /* things of a class that it had before */
    uint64_t stands_ms;               /* since when all it is to have serves; 0: it does not */
    struct list asking; /* of provision->asking, while addresses are waited for; else alone */
    uint64_t asked_ms;  /* since when */
    struct placed_row *placed; /* as last told; NULL: nothing was */
};

struct part_watch {
    struct provision *provision;
    enum part part;
    struct kube_watch *watch;
};

struct provision {
    struct provision_config config;
    struct arena arena; /* of the settings' texts */
    struct part_watch watches[PART_COUNT];
    struct map things, sites; /* by key */
    struct list waiting, ready, held, asking;
    unsigned rolling; /* Deployments whose pods are replaced by this version's (rollout.c) */
    const struct keyring *ring; /* NULL: not known yet */
    unsigned in_flight;
    bool leads;
    bool synced;
    uv_timer_t timer;
};

/* --- provision.c --- */
uint64_t provision_now_ms(const struct provision *provision);
int64_t provision_now_s(const struct provision *provision); /* since 1970 */
void provision_wake(struct provision *provision, uint64_t due_ms);

/* --- thing.c --- */
struct thing *thing_get(struct provision *provision, enum part part, struct str ns,
                        struct str name); /* NULL: there is none */
struct thing *thing_add(struct provision *provision, enum part part, struct str ns,
                        struct str name);
/* Frees it, unless it is there or wanted. */
void thing_drop(struct thing *thing);
void thing_free(struct thing *thing);
/* What should be; site NULL: nothing. */
void thing_want(struct thing *thing, struct site *site, struct str text);
/* What the API server has. */
void thing_learn(struct thing *thing, const struct doc_node *object);
void thing_take(struct thing *thing, struct seen *fresh); /* unless something newer is known */
void thing_lost(struct thing *thing);
/* It is another one than before, for those to whom that matters. */
void thing_told(struct thing *thing);
bool thing_is_of(const struct seen *seen, const struct site *site);
void thing_set_error(struct thing *thing, bool invalid, struct str text);

/* --- apply.c: when it is looked at --- */
void thing_queue(struct thing *thing);  /* when this replica leads */
void thing_settle(struct thing *thing); /* not, until it is queued */
void thing_wake(struct thing *thing);   /* its time has come */
void thing_hold(struct thing *thing);   /* until provision->rolling is less */
void thing_wait(struct thing *thing, uint64_t ms);
void thing_rest(struct thing *thing); /* nothing is in flight any more, nothing waited for */

/* --- apply.c: requests. It is looked at again when the answer is there --- */
void thing_ask(struct thing *thing); /* is its name free? */
void thing_delete(struct thing *thing);
void thing_apply(struct thing *thing); /* its text; perhaps later */
void thing_apply_identity(struct thing *thing);
void thing_hand_over(struct thing *thing, int32_t replicas); /* to an autoscaler */
/* One request about it, for which nothing else may be in flight; done() calls thing_landed(). */
void thing_send(struct thing *thing, const char *method, struct str path, struct str body,
                void (*done)(void *user, const struct kube_result *result));
void thing_landed(struct thing *thing);
void thing_failed(struct thing *thing, const char *what, const struct kube_result *result);

/* --- look.c --- */
void provision_pump(struct provision *provision); /* looks at what is READY */

/* --- rollout.c --- */
/* Whether a Deployment may be applied now; else it is held. */
bool rollout_begin(struct thing *thing);
void rollout_look(struct thing *thing); /* whether its pods are replaced: then the next one may */
void rollout_end(struct thing *thing);  /* however it ended; if it had begun */

/* --- site.c --- */
struct site *site_find(const struct provision *provision, struct str key); /* or NULL */
struct site *site_add(struct provision *provision, struct str ns, struct str name);
void site_free(struct site *site);
/* What it is to have may be something else. */
void site_draft(struct site *site);

/* --- former.c --- */
/* The Gateway that owns what is there; NULL: it is not known. */
struct site *site_of_owner(const struct thing *thing);
void former_look(struct thing *thing);              /* whether it is one; after every change */
uint64_t former_due_ms(const struct thing *former); /* when it is to go; UINT64_MAX: not yet */
void site_review_formers(struct site *site);        /* another class is wanted, or none */
void site_moved(struct site *site); /* something of it has changed for which others wait */
/* What it is to have serves, at its addresses, as far as that counts (former.c). */
bool site_stands(const struct site *site);
bool service_has(const struct thing *service, struct str address); /* NULL: no */
/* A former Service has the address that the new one is to have. */
bool site_waits_for_address(const struct site *site);
int32_t site_replicas_before(const struct site *site); /* 0: it has no formers */
struct place {
    const struct thing *service, *deployment; /* or NULL */
    bool former;
};
struct place site_place(const struct site *site); /* where it is now */

/* --- stand_in.c --- */
/* Before a Service is deleted: whether its next address must be reserved. */
bool stand_in_is_due(const struct thing *thing);
void stand_in_make(struct thing *thing);
void stand_in_release(struct thing *thing); /* a request */
void stand_in_forget(struct thing *thing);  /* then it is a stray */
bool stand_in_is_needed(const struct thing *stray, const struct site *site);

/* --- naming.c --- */
/* What the objects of a Gateway are called. */
struct str site_stem(const struct site *site, struct arena *arena, struct str class);
/* An object was seen whose Gateway is not the one that is to have it: their names may be others. */
void site_dispute(const struct thing *thing);

/* --- placed.c --- */
/* Tells where the Gateway is, when that is something else than before. */
void site_tell(struct site *site);

#endif
