/* SPDX-License-Identifier: Apache-2.0 */
/* downward: how a container is told of its own pod: environment variables with fields that only
 * the cluster knows (Kubernetes: "Downward API"). Agents read them (agent/pod.c). */
#ifndef HEDDLE_KUBE_DOWNWARD_H
#define HEDDLE_KUBE_DOWNWARD_H

#include <jansson.h>

/* What every agent asks for: a new `env` with the pod's name, namespace, address and node. */
json_t *downward_env(void);
/* path: of the field, such as "spec.nodeName". */
void downward_add(json_t *env, const char *variable, const char *path);

#endif
