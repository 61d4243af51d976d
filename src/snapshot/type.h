/* SPDX-License-Identifier: Apache-2.0 */
/* type: the xDS resource types that heddle serves, declared once in type.def. */
#ifndef HEDDLE_SNAPSHOT_TYPE_H
#define HEDDLE_SNAPSHOT_TYPE_H

#include <stdbool.h>

#include "base/str.h"

enum xds_type {
#define XDS_TYPE(id, name, message, whole_state, alone) XDS_##id,
#include "snapshot/type.def"
#undef XDS_TYPE
    XDS_TYPE_COUNT
};

struct xds_type_info {
    const char *name; /* "cds" */
    struct str url;   /* "type.googleapis.com/envoy.config.cluster.v3.Cluster" */
    bool whole_state;
    bool alone;
};

const struct xds_type_info *xds_type_info(enum xds_type type);
bool xds_type_from_url(struct str url, enum xds_type *ret_type);
bool xds_type_from_name(struct str name, enum xds_type *ret_type);

#endif
