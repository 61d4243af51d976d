/* SPDX-License-Identifier: Apache-2.0 */
/* node_access: the kubeconfig by which the CNI plugin on a node asks for pods: that of the service
 * account of the pod that installs it. */
#ifndef HEDDLE_AGENT_NODE_ACCESS_H
#define HEDDLE_AGENT_NODE_ACCESS_H

#include <stdbool.h>

#include "base/err.h"

/* Writes the file, for root only, unless it says that already: the kubelet changes the token long
 * before it ends. *ret_changed: it did not. */
bool node_access_write(const char *path, bool *ret_changed, struct err *err);

#endif
