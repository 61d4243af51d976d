/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap_node: what the bootstraps of Envoy and gRPC have in common: who the client says it is.
 */
#ifndef HEDDLE_CLI_BOOTSTRAP_NODE_H
#define HEDDLE_CLI_BOOTSTRAP_NODE_H

#include "cli/bootstrap.h"
#include "codec/json.h"

void bootstrap_text_if(struct json *json, const char *key, struct str value); /* not empty */
/* "node": {…}; role: "sidecar", "gateway" or "proxyless". */
void bootstrap_node(const struct bootstrap *bootstrap, const char *role, struct json *json);

#endif
