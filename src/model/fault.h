/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: an object that the API server took and heddle cannot read as a whole, because heddle's
 * rules are stricter or the object is of a later version of its API. What is wrong with one rule of
 * a route is no fault of this kind (model/route.h).
 *
 * An input row like an object, of which conditions are made: what was readable before stays in
 * force, and the user is told of both.
 */
#ifndef HEDDLE_MODEL_FAULT_H
#define HEDDLE_MODEL_FAULT_H

#include "model/object.h"
#include "model/route.h"

struct fault {
    struct row row;
    int kind; /* enum kind_id */
    struct str ns, name;
    int64_t generation;
    struct str path, text, remedy; /* of the first problem */
    /* The parentRefs of a route or targetRefs of a policy that can be read, as they are written. */
    LIST(struct parent_ref) parents;
};

/* One reference. problems: of reading the object, with an error. */
struct fault *fault_new(enum kind_id kind, const struct doc_node *object,
                        const struct problems *problems);
bool fault_equal(const struct row *a, const struct row *b);
/* "HTTPRoute/default/echo", "Service/default/echo", from the key of the kind's own table. */
struct str fault_key(struct arena *arena, enum kind_id kind, struct str key);
/* The fault as the problem that it is. */
struct problem fault_problem(const struct fault *fault, struct arena *arena);
/* "rules: …", what conditions say of it. */
struct str fault_words(const struct fault *fault, struct arena *arena);

#endif
