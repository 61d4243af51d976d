/* SPDX-License-Identifier: Apache-2.0 */
/* ask: who wants the pod to be in the mesh, in which way, and what stands against it. */
#ifndef HEDDLE_INJECT_ASK_H
#define HEDDLE_INJECT_ASK_H

#include "inject/inject.h"

enum inject_mode { INJECT_NOTHING, INJECT_SIDECAR, INJECT_PROXYLESS };

/* The mode, and in words why it is this one. *ret_asked as in struct inject_answer. */
enum inject_mode inject_ask(const struct inject_settings *settings,
                            const struct inject_question *question, struct arena *arena,
                            bool *ret_asked, struct str *ret_reason);

/* Whether the namespace is one of Kubernetes' own, whose pods are never in the mesh. */
bool inject_is_system(struct str ns);

/* --- reading what may be anything ------------------------------------------------------------ */

/* object.a.b…, ended by NULL; NULL when there is none. */
json_t *inject_at(const json_t *object, ...) __attribute__((sentinel));
/* The item of the array whose "name" is this one; NULL: there is none. */
json_t *inject_named(const json_t *array, const char *name);

#endif
