/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle: heddle's CNI plugin in the folder where a container runtime looks for plugins, with all
 * that it needs, since the node has neither heddle's libraries nor nft.
 *
 *   heddle-cni ─► heddle-cni.d/a1B2c3/heddle-cni      agent/launcher.c
 *                 heddle-cni.d/a1B2c3/nft             the same
 *                 heddle-cni.d/a1B2c3/owner           whose it is
 *                 heddle-cni.d/a1B2c3/lib/            heddle, nft, their libraries, ld.so
 *
 * A newer one is made beside it; then the link is replaced. Nobody ever finds half of one, and who
 * just runs the older one finds all of it: it is removed by the next that comes.
 */
#ifndef HEDDLE_AGENT_BUNDLE_H
#define HEDDLE_AGENT_BUNDLE_H

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

#define BUNDLE_PLUGIN "heddle-cni" /* what a network configuration calls it */

struct bundle {
    const char *bin_dir;
    struct str owner; /* who made it, for bundle_check() */
    char name[16];    /* of its folder, "a1B2c3" */
};

/* From where heddle itself is: its executable, heddle-cni beside it, and nft on PATH. */
bool bundle_install(struct bundle *bundle, struct err *err);
/* Whether the link is to that of somebody who came later. */
bool bundle_is_of_another(const struct bundle *bundle);
/* Whether there is one that can be run, and is that owner's. Empty: anybody's. */
bool bundle_check(const char *bin_dir, struct str owner, struct err *err);
void bundle_remove(const char *bin_dir); /* all of them */

#endif
