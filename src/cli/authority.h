/* SPDX-License-Identifier: Apache-2.0 */
/* authority: is what --authority says the name of one? */
#ifndef HEDDLE_CLI_AUTHORITY_H
#define HEDDLE_CLI_AUTHORITY_H

#include "cli/option.h"

bool authorities_check(const struct options *options, struct err *err);

#endif
