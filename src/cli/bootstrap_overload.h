/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap_overload: the overload manager of a gateway's Envoy. */
#ifndef HEDDLE_CLI_BOOTSTRAP_OVERLOAD_H
#define HEDDLE_CLI_BOOTSTRAP_OVERLOAD_H

#include "cli/bootstrap.h"
#include "codec/json.h"

void bootstrap_overload(const struct bootstrap *bootstrap, struct json *json);

#endif
