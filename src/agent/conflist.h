/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conflist: heddle's plugin in the node's chain of CNI plugins.
 *
 * The runtime takes the first configuration of its folder by name (*.conf, *.conflist, *.json). In
 * a list heddle's entry comes last; a configuration of one plugin becomes a list beside it, and is
 * kept under a name that the runtime does not read:
 *
 *   10-net.conflist                    10-net.conflist, with heddle's entry
 *   10-net.conf        ─► install ─►   10-net.conflist, 10-net.conf.heddle-cni
 *
 * Source: CNI specification 1.0.0, "Network configuration format"; libcni's ConfFiles().
 */
#ifndef HEDDLE_AGENT_CONFLIST_H
#define HEDDLE_AGENT_CONFLIST_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

#define CONFLIST_BYTES_MAX (1u << 20)

/* One that is there, with the entry as its last plugin; others of the entry's type go. A
 * configuration of one plugin becomes a list. NULL: it is none. The caller owns it. */
json_t *conflist_with(const json_t *config, const json_t *entry, struct err *err);
/* Without plugins of that type. */
json_t *conflist_without(const json_t *config, const char *type);

/* Puts the entry into the runtime's configuration, unless it is there. *ret_changed: it was not. */
bool conflist_put(const char *dir, const json_t *entry, bool *ret_changed, struct err *err);
/* Whether it is there. */
bool conflist_check(const char *dir, const char *type, struct err *err);
/* Takes entries of that type out of all files, and brings back what was put aside. */
bool conflist_take(const char *dir, const char *type, struct err *err);

#endif
