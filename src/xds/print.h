/* SPDX-License-Identifier: Apache-2.0 */
/* print: resources as JSON for people, by the descriptors of the xDS protos. */
#ifndef HEDDLE_XDS_PRINT_H
#define HEDDLE_XDS_PRINT_H

#include "codec/json.h"
#include "snapshot/resource.h"

/* {"name": …, "version": …, "scope": …, "resource": {"@type": …, …}}. Private keys and
 * what else is secret are PB_JSON_HIDDEN. */
void xds_print(const struct resource *resource, struct json *json);

#endif
