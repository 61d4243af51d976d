/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_proxy: the filter that passes connections on, for Envoy. */
#ifndef HEDDLE_XDS_TCP_PROXY_H
#define HEDDLE_XDS_TCP_PROXY_H

#include "ir/ir.h"
#include "xds/alias.h"
#include "xds/row.h"

/* All to one cluster; without idle timeout, with an access log. */
pb_filter_chain *xds_tcp_chain(struct arena *arena, struct str stat_prefix, struct str cluster);
/* The chain of one connection route: by its server names, to its backends. */
pb_filter_chain *xds_l4_chain(struct arena *arena, const struct ir_l4_route *ir);
/* The backends of its connection routes, by ECDS, and the cluster that refuses where one does. */
const struct row *xds_l4_backends(struct arena *arena, const struct ir_routing *ir,
                                  struct str scope);

#endif
