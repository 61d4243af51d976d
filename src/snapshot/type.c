/* SPDX-License-Identifier: Apache-2.0 */
/* type: the table of resource types, from type.def. */
#include "snapshot/type.h"

#include "base/panic.h"

static const struct xds_type_info types[XDS_TYPE_COUNT] = {
#define XDS_TYPE(id, short_name, message, whole, by_itself)                                        \
    [XDS_##id] = {.name = short_name,                                                              \
                  .url = STR("type.googleapis.com/" message),                                      \
                  .whole_state = whole,                                                            \
                  .alone = by_itself},
#include "snapshot/type.def"
#undef XDS_TYPE
};

const struct xds_type_info *xds_type_info(enum xds_type type)
{
    ASSERT(type < XDS_TYPE_COUNT);
    return &types[type];
}

bool xds_type_from_url(struct str url, enum xds_type *ret_type)
{
    for (unsigned i = 0; i < XDS_TYPE_COUNT; i++) {
        if (str_eq(types[i].url, url)) {
            *ret_type = (enum xds_type)i;
            return true;
        }
    }
    return false;
}

bool xds_type_from_name(struct str name, enum xds_type *ret_type)
{
    for (unsigned i = 0; i < XDS_TYPE_COUNT; i++) {
        if (str_eq(str_from(types[i].name), name)) {
            *ret_type = (enum xds_type)i;
            return true;
        }
    }
    return false;
}
