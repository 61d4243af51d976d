/* SPDX-License-Identifier: Apache-2.0 */
/* nft: giving rules to the program of that name. */
#ifndef HEDDLE_AGENT_NFT_H
#define HEDDLE_AGENT_NFT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Runs `nft -f -` in the network namespace of the calling thread and waits for it; what nft has to
 * say goes to standard error. All rules or none. */
bool nft_apply(const char *nft, struct str rules, struct err *err);

#endif
