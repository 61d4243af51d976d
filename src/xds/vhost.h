/* SPDX-License-Identifier: Apache-2.0 */
/* vhost: virtual hosts as fragments of a RouteConfiguration. */
#ifndef HEDDLE_XDS_VHOST_H
#define HEDDLE_XDS_VHOST_H

#include "ir/ir.h"
#include "xds/alias.h"
#include "xds/route_action.h"
#include "xds/row.h"

/* Of one domain, without routes. */
pb_virtual_host *xds_new_vhost(struct arena *arena, struct str name, struct str domain);
/* Takes and releases the list of routes that were made from ir. */
const struct row *xds_vhost_fragment(const struct ir_routing *ir, pb_virtual_host *vhost,
                                     struct route_list *list);

#endif
