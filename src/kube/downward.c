/* SPDX-License-Identifier: Apache-2.0 */
/* downward: see downward.h. */
#include "kube/downward.h"

void downward_add(json_t *env, const char *variable, const char *path)
{
    json_array_append_new(env, json_pack("{s:s, s:{s:{s:s}}}", "name", variable, "valueFrom",
                                         "fieldRef", "fieldPath", path));
}

json_t *downward_env(void)
{
    json_t *env = json_array();
    downward_add(env, "POD_NAME", "metadata.name");
    downward_add(env, "POD_NAMESPACE", "metadata.namespace");
    downward_add(env, "POD_IP", "status.podIP");
    downward_add(env, "NODE_NAME", "spec.nodeName");
    return env;
}
