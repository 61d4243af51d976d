/* SPDX-License-Identifier: Apache-2.0 */
/* agent: the commands that run in pods, each in the file of its name (docs/agent.md). */
#ifndef HEDDLE_AGENT_AGENT_H
#define HEDDLE_AGENT_AGENT_H

#include "cli/option.h"

extern const struct command command_intercept;   /* intercept.c */
extern const struct command command_sidecar;     /* sidecar.c */
extern const struct command command_gateway;     /* gateway.c */
extern const struct command command_proxyless;   /* proxyless.c */
extern const struct command command_cni;         /* cni.c */
extern const struct command command_cni_install; /* cni_install.c */
extern const struct command command_cni_check;   /* cni_install.c */

#endif
