/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission: what the API server is answered: pods get their part of the mesh, routes and policies
 * what `heddle check` says of them. Pure: a review in, a review out; what is known of other objects
 * comes through `findings`.
 */
#ifndef HEDDLE_WEBHOOK_ADMISSION_H
#define HEDDLE_WEBHOOK_ADMISSION_H

#include "base/buf.h"
#include "inject/inject.h"
#include "model/object.h"
#include "model/problem.h"

/* Answers a review of a pod whose namespace's label says ns_label. Returns the status of HTTP: 200,
 * or 400 and words in out. */
unsigned admission_inject(const struct inject_settings *settings, struct str ns_label,
                          struct str body, struct buf *out);

struct admission_check {
    bool deny; /* what is wrong is denied; else it is only warned of */
    /* What is to be said of the object among all others; NULL: nothing. */
    void (*findings)(void *user, const struct object *object, struct str key,
                     void (*visit)(void *visitor, const struct problem *problem), void *visitor);
    void *user;
};
unsigned admission_check(const struct admission_check *check, struct str body, struct buf *out);

#endif
