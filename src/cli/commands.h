/* SPDX-License-Identifier: Apache-2.0 */
/* commands: all of heddle's commands but `serve` (app/daemon.h), each in the file of its name. */
#ifndef HEDDLE_CLI_COMMANDS_H
#define HEDDLE_CLI_COMMANDS_H

#include "cli/option.h"

extern const struct command command_check;     /* check.c */
extern const struct command command_translate; /* translate.c */
extern const struct command command_bootstrap; /* bootstrap.c */
extern const struct command command_proxies;   /* proxies.c */
extern const struct command command_dump;      /* dump.c */
extern const struct command command_why;       /* why.c */
extern const struct command command_plan;      /* plan.c */
extern const struct command command_inject;    /* inject.c */
extern const struct command command_docs;      /* docs.c */

#endif
